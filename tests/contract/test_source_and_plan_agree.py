"""Terraform source is judged as the plan that the real provider makes of it: every fixture that has both."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from plangate.facts.registry import plan_with_facts
from plangate.model.plan import Plan
from plangate.parsers.base import Input, Limits, Options
from plangate.parsers.hcl.folder import SourceTree
from plangate.parsers.hcl.plan import parse as parse_source
from plangate.parsers.terraform_plan import parse
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.tools import ROOT

FIXTURES: Final = ROOT / "fixtures" / "rules"
PROVIDER: Final = 'provider "aws" {\n  region = "eu-central-1"\n}\n'
"""As the plans were made with."""


def cases() -> Iterator[Path]:
    for path in sorted(FIXTURES.glob("*/*.tf")):
        if not path.name.endswith(".before.tf") and not path.with_name(f"{path.stem}.before.tf").exists():
            yield path


def plan_of(path: Path) -> Plan:
    data = path.with_suffix(".json").read_bytes()
    return plan_with_facts(parse(Input(name="plan", data=data, sha256="0" * 64, size=len(data)), Limits()))


def source_of(path: Path, folder: Path) -> Plan:
    text = path.read_text()
    (folder / "case").mkdir()
    (folder / "case" / "main.tf").write_text(text)
    if 'provider "aws"' not in text:
        (folder / "case" / "provider.tf").write_text(PROVIDER)
    for module in (FIXTURES / "modules").iterdir():
        shutil.copytree(module, folder / "case" / module.name)
    return plan_with_facts(parse_source(SourceTree(folder, Limits()), "case", "main", Options(), Limits()))


def words(plan: Plan, rule: str, settings: dict[str, Any]) -> set[tuple[str, str]]:
    outcomes, _ = evaluate(plan, {rule: RULES[rule]}, {rule: settings})
    return {(o.address, o.status.value) for o in outcomes if not o.address.startswith("module.")}


def managed(plan: Plan) -> dict[str, Any]:
    return {r.address: r for r in plan.resources if r.mode == "managed"}


def settings_of(path: Path) -> dict[str, Any]:
    cases = json.loads((path.parent / "cases.json").read_text())
    found: dict[str, Any] = cases.get(path.stem, {}).get("settings", {})
    return found


LESS_KNOWN: Final = {
    "allowed_regions/fail_google": "the provider's region holds for some types, and source does not say for which",
    "required_tags/fail_azure": "source does not say which types of Azure can have tags",
}
BETTER_KNOWN: Final = {
    "allowed_regions/unknown_region_of_the_provider": "source has the local value that the plan only names",
    "ingress_no_open_admin_ports/unknown_network_beside_an_open_one": "the list is known but for one item",
    "bucket_no_public_access/unknown_grants_when_no_block_is_asked_for": "source shows that no grant is written",
    "bucket_no_public_access/unknown_which_bucket_is_blocked": "source shows which key belongs to which bucket",
    "iam_no_full_admin/unknown_inline_policies_of_a_role": "source shows that no inline policy is written",
    "instance_metadata_v2/unknown_block_may_override_the_template": "source shows that no block is written",
    "cluster_endpoint_private/unknown_google": "source shows that no endpoint is written, and none is the default",
    "database_not_public/unknown_google": "source shows that nobody is let in, and the owners are the default",
}
"""Terraform leaves `dynamic` blocks out of a plan's configuration, and a provider what it says later, so that a plan
cannot tell these."""


@pytest.mark.parametrize("path", list(cases()), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_source_is_judged_as_its_plan(path: Path, tmp_path: Path) -> None:
    case = f"{path.parent.name}/{path.stem}"
    rule = path.parent.name.replace("_", "-")
    planned, written = plan_of(path), source_of(path, tmp_path)
    # The plans were cut out of a larger one, without the resources of modules.
    for address, resource in managed(planned).items():
        assert (resource.type, resource.kind) == (
            managed(written)[address].type,
            managed(written)[address].kind,
        )
    settings = settings_of(path)
    by_plan, by_source = words(planned, rule, settings), words(written, rule, settings)
    if case in LESS_KNOWN:
        assert {status for _, status in by_source - by_plan} == {"unknown"}
    elif case in BETTER_KNOWN:
        assert {status for _, status in by_plan - by_source} == {"unknown"}
    else:
        assert by_source == by_plan
