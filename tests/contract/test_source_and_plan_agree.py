"""Terraform source is judged as the plan that the real provider makes of it: every fixture that has both."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from plangate.facts.registry import plan_with_facts
from plangate.model.plan import Plan
from plangate.model.values import UNKNOWN
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
    (folder / "main.tf").write_bytes(path.read_bytes())
    (folder / "provider.tf").write_text(PROVIDER)
    return plan_with_facts(parse_source(SourceTree(folder, Limits()), "", "main", Options(), Limits()))


def words(plan: Plan, rule: str, settings: dict[str, Any]) -> set[tuple[str, str]]:
    outcomes, _ = evaluate(plan, {rule: RULES[rule]}, {rule: settings})
    return {(outcome.address, outcome.status.value) for outcome in outcomes}


def managed(plan: Plan) -> dict[str, Any]:
    return {r.address: r for r in plan.resources if r.mode == "managed"}


@pytest.mark.parametrize("path", cases(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_source_has_the_facts_of_its_plan(path: Path, tmp_path: Path) -> None:
    planned, written = managed(plan_of(path)), managed(source_of(path, tmp_path))
    assert planned.keys() == written.keys()
    for address, resource in planned.items():
        mine = written[address]
        assert (mine.type, mine.kind, mine.region) == (resource.type, resource.kind, resource.region), address
        different = {
            name: (value, mine.facts[name])
            for name, value in resource.facts.items()
            if mine.facts[name] != value and name not in {"tags", "tags_complete"}
        }
        # Source may know less than a plan, never something else.
        assert {name: pair for name, pair in different.items() if pair[1] is not UNKNOWN} == {}, address
