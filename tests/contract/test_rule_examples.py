"""The examples on the rules' pages are true: the bad one fails its rule, the good one passes it."""

from pathlib import Path
from typing import Any

import pytest

from plangate.decision.outcome import Status
from plangate.facts.registry import plan_with_facts
from plangate.model.plan import Plan
from plangate.parsers import formats
from plangate.parsers.base import Input, Limits, Options
from plangate.parsers.hcl.folder import SourceTree
from plangate.parsers.hcl.plan import parse as parse_source
from plangate.rules.base import Rule
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES

SETTINGS: dict[str, dict[str, Any]] = {
    "allowed-regions": {"regions": ["eu-west-1", "eu-central-1"]},
    "bucket-encrypted": {"accepted": ["aws:kms", "aws:kms:dsse"]},
    "required-tags": {"tags": {"owner": [], "environment": []}},
}
"""Rules that ask for nothing by themselves."""
NOT_IN_SOURCE = {
    "no-stateful-destroy": "needs something that is there and goes",
    "blast-radius": "needs a change of many resources",
    "allowed-providers": "judges which providers a plan names, which is a setting",
}


def plan_of(example: str, language: str, folder: Path) -> Plan:
    if language == "yaml":
        data = example.encode()
        source = Input(name="example.yaml", data=data, sha256="0" * 64, size=len(data))
        plan = formats.parse(formats.read_documents(source, Limits()), Options(), Limits())
        assert plan is not None
        return plan_with_facts(plan)
    (folder / "main.tf").write_text(example)
    return plan_with_facts(parse_source(SourceTree(folder, Limits()), "", "example", Options(), Limits()))


def statuses(rule: Rule, example: str, folder: Path) -> set[Status]:
    plan = plan_of(example, rule.language, folder)
    outcomes, _ = evaluate(plan, {rule.spec.id: rule}, {rule.spec.id: SETTINGS.get(rule.spec.id, {})})
    return {outcome.status for outcome in outcomes}


@pytest.mark.parametrize("rule", sorted(RULES.keys() - NOT_IN_SOURCE.keys()))
def test_the_bad_example_fails_and_the_good_one_passes(rule: str, tmp_path: Path) -> None:
    assert Status.FAIL in statuses(RULES[rule], RULES[rule].bad, tmp_path)
    good = statuses(RULES[rule], RULES[rule].good, tmp_path)
    assert Status.PASS in good
    assert good <= {Status.PASS, Status.NOT_APPLICABLE}
