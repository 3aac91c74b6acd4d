"""What the fixtures show of each built-in rule in each format, found by judging every one of them.

All go the way of any input: by what they hold to a format, to a plan, to facts, to the rules. Only Terraform source is
a folder, and read as one.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from plangate.facts.registry import plan_with_facts
from plangate.model.plan import Plan
from plangate.parsers import formats
from plangate.parsers.base import Input, Limits, Options
from plangate.parsers.hcl.folder import SourceTree
from plangate.parsers.hcl.plan import parse as parse_source
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES

FIXTURES: Final = Path(__file__).resolve().parents[1] / "fixtures"
AWS: Final = 'provider "aws" {\n  region = "eu-central-1"\n}\n'
"""The plans of AWS were made with it."""

FORMATS: Final[Mapping[str, frozenset[str]]] = {
    "terraform-plan": frozenset({"terraform-plan"}),
    "terraform-source": frozenset({"terraform-source"}),
    "cloudformation": frozenset({"cloudformation", "cloudformation-change-set"}),
    "pulumi": frozenset({"pulumi-preview", "pulumi-events"}),
    "kubernetes": frozenset({"kubernetes"}),
    "compose": frozenset({"compose"}),
    "azure-template": frozenset({"azure-template"}),
}
"""Columns of the matrix, each with the formats (`plangate.model.plan.Source.format`) that it is made of."""
FOLDERS: Final[Mapping[str, str]] = {
    "cloudformation": "cloudformation",
    "kubernetes": "kubernetes",
    "pulumi": "pulumi",
    "compose": "compose",
    "azure-template": "arm",
}
"""Columns whose fixtures say in the names of resources what comes out, with the folder under ``fixtures``."""
SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "allowed-providers": {
        "allowed": [
            "registry.terraform.io/hashicorp/*",
            "pulumi.com/builtin/pulumi",
            "pulumi.com/packages/aws",
        ]
    },
    "allowed-regions": {"regions": ["eu-*", "europe-*", "westeurope"]},
    "blast-radius": {"max_deletes": 1, "max_changes": 3},
    "bucket-encrypted": {"accepted": ["aws:kms", "azure:key-vault", "google:kms"]},
    "required-tags": {"tags": {"owner": []}},
}
"""What the rules of these fixtures are asked with; `cases.json` says it for those in ``fixtures/rules``."""
WORDS: Final = {"pass": "pass", "fail": "fail", "unknown": "unknown", "none": "not_applicable"}
_NAMED: Final = re.compile(r"(pass|fail|unknown|none|other)(?:-|$)|(Pass|Fail|Unknown|None|Other)(?=[A-Z]|$)")


class Shown(Struct, frozen=True, kw_only=True):
    """One fixture of a rule.

    Attributes:
        rule: The rule's id.
        column: The column of the matrix.
        path: The file.
        settings: What the rule is asked with.
    """

    rule: str
    column: str
    path: Path
    settings: Mapping[str, Any]


def slug(rule: str) -> str:
    """A rule's id as the name of a file."""
    return rule.replace("-", "_")


@cache
def fixtures() -> tuple[Shown, ...]:
    """Every fixture of every rule."""
    return tuple(shown for rule in RULES for shown in (*_cases(rule), *_named(rule)))


def _cases(rule: str) -> Iterator[Shown]:
    folder = FIXTURES / "rules" / slug(rule)
    for name, case in json.loads((folder / "cases.json").read_text(encoding="utf-8")).items():
        for suffix, column in (
            (".json", "terraform-plan"), (".tf", "terraform-source"), (".yaml", "kubernetes"),
        ):  # fmt: skip
            path = folder / f"{name}{suffix}"
            # What existed before is not in the source, so that source is another matter than such a plan.
            if path.exists() and not (suffix == ".tf" and (folder / f"{name}.before.tf").exists()):
                yield Shown(rule=rule, column=column, path=path, settings=case["settings"])


def _named(rule: str) -> Iterator[Shown]:
    for column, folder in FOLDERS.items():
        for path in sorted((FIXTURES / folder / "rules").glob(f"{slug(rule)}.*")):
            yield Shown(rule=rule, column=column, path=path, settings=SETTINGS.get(rule, {}))


@cache
def plan_of(path: Path) -> Plan:
    """The plan of a fixture, with facts.

    Raises:
        PlanParseError: It is not understood.
        ValueError: It is of no format.
    """
    return read(path, Options())


def read(path: Path, options: Options) -> Plan:
    """The same with what a user may say beside a file."""
    data = path.read_bytes()
    if path.suffix == ".tf":
        return source_plan(data.decode())
    source = Input(name=path.name, data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    plan = formats.parse(formats.read_documents(source, Limits()), options, Limits())
    if plan is None:
        raise ValueError(path)
    return plan_with_facts(plan)


def source_plan(text: str) -> Plan:
    """The plan of Terraform source, beside the modules of the fixtures and with a provider for AWS."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "case"
        folder.mkdir()
        (folder / "main.tf").write_text(text, encoding="utf-8")
        if 'provider "aws"' not in text:
            (folder / "provider.tf").write_text(AWS, encoding="utf-8")
        for module in (FIXTURES / "rules" / "modules").iterdir():
            shutil.copytree(module, folder / module.name)
        return plan_with_facts(
            parse_source(SourceTree(Path(root), Limits()), "case", "main", Options(), Limits())
        )


def expected(name: str) -> str | None:
    """What a resource's name says of it; ``None`` for one that is there for the others, or says nothing.

    The word stands at the beginning, or behind the names of what the resource is inside of.
    """
    for part in name.split("/"):
        found = _NAMED.match(part)
        if found is not None:
            return WORDS.get((found.group(1) or found.group(2)).lower())
    return None


def outcomes(shown: Shown) -> dict[str, str]:
    """What the rule says of each address of a fixture."""
    found, _ = evaluate(plan_of(shown.path), {shown.rule: RULES[shown.rule]}, {shown.rule: shown.settings})
    return {outcome.address: outcome.status.value for outcome in found}


@cache
def cells() -> Mapping[tuple[str, str], frozenset[str]]:
    """Rule and column → what the rule says of something in the fixtures of it."""
    seen: dict[tuple[str, str], set[str]] = {(rule, column): set() for rule in RULES for column in FORMATS}
    for shown in fixtures():
        seen[shown.rule, shown.column] |= set(outcomes(shown).values())
    return {cell: frozenset(found) for cell, found in seen.items()}


def is_shown(cell: tuple[str, str]) -> bool:
    """Whether fixtures show something that passes and something that fails."""
    return cells()[cell] >= {"pass", "fail"}


def table() -> str:
    """The matrix in Markdown."""
    rows = [
        f"| [{rule}](../rules/{slug(rule)}.md) | "
        + " | ".join("✓" if is_shown((rule, column)) else "-" for column in FORMATS)
        + " |"
        for rule in RULES
    ]
    return "\n".join([f"| Rule | {' | '.join(FORMATS)} |", f"|---|{':-:|' * len(FORMATS)}", *rows])
