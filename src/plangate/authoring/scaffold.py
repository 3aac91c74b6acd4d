"""A policy to start from: rule, test and plans to try it on, which load and pass as they are.

Nothing that is there is ever written over.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from plangate.authoring.starters import STARTERS, Starter
from plangate.errors import UsageError
from plangate.facts.registry import ADAPTERS
from plangate.model.kinds import KINDS
from plangate.model.plan import PLAN_SCHEMA
from plangate.policy import strict_yaml
from plangate.policy.files import FIXTURES
from plangate.policy.vocabulary import did_you_mean

DEFAULT_KIND: Final = "storage.bucket"

_WORD: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_KEYWORDS: Final = frozenset(
    "as contains data default else every false if import in input not null package set some true with".split()  # noqa: SIM905
)
_COMMON: Final = {"tags": None, "tags_complete": True, "regional": True, "stateful": False}
_CLOUDS: Final = {"aws": "aws", "azurerm": "azure", "google": "google"}


class Request(Struct, frozen=True, kw_only=True):
    """What to start.

    Attributes:
        domain: The folder, e.g. ``storage``.
        slug: The rule's name with underscores.
        kind: What it judges.
        title: The good condition as a sentence; that of the kind's starter by default.
    """

    domain: str
    slug: str
    kind: str = DEFAULT_KIND
    title: str = ""

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.slug.replace("_", "-")


def request(name: str, kind: str, title: str) -> Request:
    """A request from what was typed.

    Args:
        name: ``DOMAIN/SLUG``; dashes count as underscores.
        kind: A kind, or an empty string for `DEFAULT_KIND`.
        title: A sentence on one line, or an empty string.

    Raises:
        UsageError: Not such names, or no such kind.
    """
    parts = name.replace("-", "_").split("/")
    for part in parts:
        if not _WORD.fullmatch(part) or part in _KEYWORDS or part == FIXTURES:
            raise UsageError(
                f"{name!r}: {part!r} cannot be part of a package",
                hint="DOMAIN/SLUG are lower-case words, e.g. storage/bucket_versioned",
            )
    if len(parts) != 2:  # noqa: PLR2004 - domain and slug
        raise UsageError(f"{name!r} is not DOMAIN/SLUG", hint="e.g. storage/bucket_versioned")
    if parts[1].endswith("_test"):
        raise UsageError(f"{name!r}: names that end in _test are for tests")
    kind = kind or DEFAULT_KIND
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or f"kinds: {', '.join(sorted(KINDS))}"
        raise UsageError(f"no kind is called {kind!r}", hint=hint)
    if title and (not title.strip() or not title.isprintable()):
        raise UsageError("--title must be one line of text")
    return Request(domain=parts[0], slug=parts[1], kind=kind, title=title.strip())


def files(asked: Request) -> dict[Path, str]:
    """Every file of a new policy, by its path below the policy folder."""
    starter = STARTERS[asked.kind]
    folder, fixtures = Path(asked.domain), Path(FIXTURES, asked.slug)
    found = {
        folder / f"{asked.slug}.rego": _rule(asked, starter),
        folder / f"{asked.slug}_test.rego": _test(asked, starter),
    }
    address = _address(asked.kind)
    cases = {
        f"fail_{starter.fact}": ({starter.fact: starter.bad}, "fail"),
        f"pass_{starter.fact}": ({starter.fact: starter.good}, "pass"),
        # Every resource has the common facts, so one that lacks them is never met; nothing is said of it.
        f"absent_{starter.fact}": ({}, "pass" if starter.fact in _COMMON else "unknown"),
        f"unknown_{starter.fact}": ({starter.fact: "unknown"}, "unknown"),
    }
    outcomes = {name: {address: outcome} for name, (_, outcome) in cases.items()}
    found[fixtures / "cases.json"] = _json(outcomes)
    for name, (facts, _) in cases.items():
        common = {fact: value for fact, value in _COMMON.items() if fact != starter.fact}
        found[fixtures / f"{name}.json"] = _json(_plan(asked.kind, address, common | facts))
    return found


def write(root: Path, made: Mapping[Path, str]) -> tuple[Path, ...]:
    """Write files below a folder, none of which may be there yet.

    Raises:
        UsageError: One is there, or cannot be written; then none of them is left.
    """
    for relative in made:
        if (path := root / relative).exists() or path.is_symlink():
            raise UsageError(f"{path} is already there", hint="nothing was written; choose another name")
    written: list[Path] = []
    try:
        for relative, text in made.items():
            path = root / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except OSError as problem:
        for path in written:
            path.unlink(missing_ok=True)
        raise UsageError(f"{path}: cannot be written: {problem.strerror or problem}") from problem
    return tuple(written)


# --- The rule and its test ------------------------------------------------------------------------------------


def _rule(asked: Request, starter: Starter) -> str:
    fact = f"resource.facts.{starter.fact}"
    condition = starter.lines or (f"FACT == {json.dumps(starter.bad)}",)
    body = "\n".join(f"\t{line.replace('FACT', fact)}" for line in condition)
    return f"""\
# METADATA
# title: {_yaml(asked.title or starter.title)}
# description: {_yaml(starter.why)}
# custom:
#   id: {asked.id}
#   severity: medium
#   enforcement: mandatory
#   kinds: [{asked.kind}]
#   remediation: {_yaml(starter.fix)}
package policies.{asked.domain}.{asked.slug}

import data.plangate.lib

deny contains lib.finding(resource, "{starter.message}") if {{
	some resource in lib.of_kind("{asked.kind}")
{body}
}}
"""


def _test(asked: Request, starter: Starter) -> str:
    address, fact = _address(asked.kind), starter.fact

    def plan(value: Any) -> str:
        return f"with input as plan({json.dumps({fact: value})})"

    return f"""\
package policies.{asked.domain}.{asked.slug}_test

import data.plangate.lib.builders_test as builders
import data.policies.{asked.domain}.{asked.slug} as rule

plan(facts) := builders.plan([{{"address": "{address}", "kind": "{asked.kind}", "facts": facts}}])

test_fail_{fact} if {{
	denied := rule.deny {plan(starter.bad)}
	denied == {{{{"address": "{address}", "message": "{starter.message}"}}}}
}}

test_pass_{fact} if rule.deny == set() {plan(starter.good)}

test_absent_{fact}_is_not_denied if rule.deny == set() with input as plan({{}})

test_unknown_{fact}_is_not_denied if rule.deny == set() {plan("unknown")}

test_pass_what_is_deleted if {{
	resource := object.union(plan({json.dumps({fact: starter.bad})}).resources[0], {{"action": "delete"}})
	rule.deny == set() with input as {{"resources": [resource]}}
}}
"""


def _yaml(text: str) -> str:
    """A text as a YAML value on one line, plain where that means the same."""
    try:
        plain = strict_yaml.parse(f"x: {text}") == {"x": text}
    except strict_yaml.StrictYamlError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)


# --- Plans to try it on ---------------------------------------------------------------------------------------


def _native_type(kind: str) -> str:
    """A type of that kind, as Terraform calls it where it can."""
    types = [name for name, adapter in ADAPTERS.items() if adapter.kind == kind]
    return next((name for name in types if "/" not in name and "::" not in name), types[0])


def _address(kind: str) -> str:
    return f"{_native_type(kind)}.example"


def _plan(kind: str, address: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    native = _native_type(kind)
    family = native.partition("_")[0]
    resource: dict[str, Any] = {
        "address": address, "type": native, "name": "example", "mode": "managed",
        "provider": f"registry.terraform.io/hashicorp/{family}", "cloud": _CLOUDS.get(family), "region": None,
        "kind": kind, "action": "create", "replace_order": None, "reason": None, "previous_address": None,
        "importing": None, "deposed": None, "existing": False, "module": None, "index": None,
        "before": None, "after": {}, "unknown": [], "sensitive": [], "replace_paths": [], "references": [],
        "unresolved": [], "patterns": [], "facts": dict(facts), "location": None,
    }  # fmt: skip
    return {
        "schema": PLAN_SCHEMA,
        "source": {
            "format": "terraform-plan", "format_version": "1.2", "tool": "", "sha256": "0" * 64,
            "environment": "",
        },
        "context": {"time": None},
        "complete": True, "errored": False, "applyable": None, "resources": [resource],
        "drift": [], "outputs": [], "checks": [], "provisioners": [], "providers": [], "opaque": [],
        "unmodelled": [],
    }  # fmt: skip


def _json(document: object) -> str:
    return json.dumps(document, indent=1) + "\n"
