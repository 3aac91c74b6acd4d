"""The decision as the document that people, programs and the log get."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import jsonschema
import pytest

from plangate.decision.decide import Judgement, Obligation, Profile, decide
from plangate.decision.document import (
    InputRead,
    PlanSummary,
    PolicyUsed,
    Subject,
    decision_document,
    obligation_document,
    obligation_from,
    timestamp,
)
from plangate.decision.outcome import Enforcement, OnUnknown, Outcome, RuleSpec, Severity, Status
from plangate.decision.waiver import Approval, Waiver
from plangate.model.plan import Location
from tests.tools import ROOT

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DIGEST = "a" * 64
LATER = NOW + timedelta(days=1)


def a_rule(name: str, enforcement: Enforcement = Enforcement.MANDATORY) -> RuleSpec:
    return RuleSpec(
        id=name,
        title=f"{name} holds",
        severity=Severity.HIGH,
        enforcement=enforcement,
        on_unknown=OnUnknown.OBLIGE,
        remediation="fix it",
    )


RULES = {
    "fails": a_rule("fails"),
    "unknown": a_rule("unknown"),
    "waived": a_rule("waived"),
    "approved": a_rule("approved", Enforcement.OVERRIDABLE),
    "quiet": a_rule("quiet"),
}
OUTCOMES = (
    Outcome(
        rule="fails",
        address="a_b.z",
        status=Status.FAIL,
        message="it is public",
        path="/public",
        location=Location(file="main.tf", line=3),
    ),
    Outcome(rule="fails", address="a_b.c", status=Status.PASS, message="not shown for a pass"),
    Outcome(rule="unknown", address="a_b.c", status=Status.UNKNOWN, message="not known yet"),
    Outcome(rule="waived", address="a_b.c", status=Status.FAIL, message="m"),
    Outcome(rule="approved", address="", status=Status.FAIL, message="m"),
    Outcome(rule="approved", address="a_b.c", status=Status.NOT_APPLICABLE, existing=True),
)


def a_judgement() -> Judgement:
    return decide(
        OUTCOMES,
        rules=RULES,
        matched_nothing=["quiet"],
        profile=Profile(),
        plan_sha256=DIGEST,
        waivers=[Waiver(rule="waived", address="a_b.c", owner="ann", reason="known", expires=LATER)],
        approvals=[Approval(rule="approved", plan_sha256=DIGEST, approver="bob", expires=LATER)],
        now=NOW,
    )


SUBJECT = Subject(name="tfplan", sha256=DIGEST, size=7, media_type="application/json")
PLAN = PlanSummary(
    format="terraform-plan",
    tool="terraform 1.11.4",
    changes={"create": 2},
    resources=2,
    unmodelled=["a_b"],
)


def a_document(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "decision_id": "01932f2e-0000-7000-8000-000000000000",
        "time": NOW,
        "environment": "prod",
        "subject": SUBJECT,
        "inputs": [InputRead(subject=SUBJECT, plan=PLAN)],
        "outcomes": OUTCOMES,
        "judgement": a_judgement(),
        "rules": RULES,
        "matched_nothing": ["quiet"],
        "disabled": ["off"],
        "weakened": ["soft"],
        "policy": PolicyUsed(sha256=DIGEST, engine="e 1", sources=["built-in"], settings_sha256=DIGEST),
        "timings_ms": {"parse": 1},
    }
    return decision_document(**fields | changes)


def an_outcome(rule: str, address: str, outcome: str, effect: str, **more: Any) -> dict[str, Any]:
    return {
        "rule": rule,
        "address": address,
        "outcome": outcome,
        "message": "m",
        "effect": effect,
        "enforcement": "mandatory",
        "severity": "high",
        "title": f"{rule} holds",
        "path": "",
        "location": None,
        "remediation": "fix it",
    } | more


def test_the_document_says_everything_in_one_order() -> None:
    waived = {"rule": "waived", "address": "a_b.c", "owner": "ann", "reason": "known"}
    assert a_document() == {
        "schema": "plangate.dev/decision/v1",
        "decision_id": "01932f2e-0000-7000-8000-000000000000",
        "time": "2026-11-23T12:00:00.000Z",
        "result": "deny",
        "reasons": [],
        "environment": "prod",
        "subject": {"name": "tfplan", "sha256": DIGEST, "media_type": "application/json", "size": 7},
        "inputs": [
            {
                "name": "tfplan",
                "sha256": DIGEST,
                "media_type": "application/json",
                "size": 7,
                "format": "terraform-plan",
                "resources": 2,
                "problem": None,
            }
        ],
        "plan": {
            "format": "terraform-plan",
            "tool": "terraform 1.11.4",
            "changes": {"create": 2},
            "resources": 2,
        },
        "counts": {"pass": 1, "fail": 3, "unknown": 1, "error": 0, "not_applicable": 1},
        "outcomes": [
            an_outcome("approved", "", "fail", "approved", enforcement="overridable"),
            {"rule": "approved", "address": "a_b.c", "outcome": "not_applicable", "existing": True},
            {"rule": "fails", "address": "a_b.c", "outcome": "pass"},
            an_outcome(
                "fails",
                "a_b.z",
                "fail",
                "denies",
                message="it is public",
                path="/public",
                location={"file": "main.tf", "line": 3},
            ),
            an_outcome("unknown", "a_b.c", "unknown", "obliges", message="not known yet"),
            an_outcome("waived", "a_b.c", "fail", "waived"),
        ],
        "obligations": [{"rule": "unknown", "address": "a_b.c", "message": "not known yet", "path": ""}],
        "waivers": [waived | {"expires": "2026-11-24T12:00:00.000Z"}],
        "approvals": [
            {
                "rule": "approved",
                "plan_sha256": DIGEST,
                "approver": "bob",
                "expires": "2026-11-24T12:00:00.000Z",
            }
        ],
        "rules": {
            "loaded": 5,
            "evaluated": 4,
            "matched_nothing": ["quiet"],
            "errored": [],
            "disabled": ["off"],
            "weakened": ["soft"],
        },
        "unmodelled": ["a_b"],
        "policy": {"sha256": DIGEST, "engine": "e 1", "sources": ["built-in"], "settings_sha256": DIGEST},
        "timings_ms": {"parse": 1},
    }


def test_outcomes_that_are_only_equal_have_their_effect_too() -> None:
    """The document looks an effect up by what an outcome says, not by which object says it."""
    copies = [Outcome(**{name: getattr(o, name) for name in o.__struct_fields__}) for o in OUTCOMES]
    assert a_document(outcomes=copies) == a_document()


@pytest.mark.parametrize("changes", [{}, {"inputs": [InputRead(subject=SUBJECT, plan=None, problem="no")]}])
def test_the_document_fits_the_published_schema(changes: dict[str, Any]) -> None:
    schema = json.loads((ROOT / "src/plangate/schemas/decision.v1.json").read_text())
    document = a_document(**changes) | {"log": {"index": 0, "size": 1, "root": DIGEST}}
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)] == []
    assert [
        e.message for e in jsonschema.Draft202012Validator(schema).iter_errors(document | {"new": 1})
    ] != []


def test_times_are_utc_with_milliseconds() -> None:
    assert timestamp(datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=UTC)) == "2026-01-02T03:04:05.678Z"
    zone = timezone(timedelta(hours=5, minutes=30))
    assert timestamp(datetime(2026, 1, 2, 3, tzinfo=zone)) == "2026-01-01T21:30:00.000Z"


def test_an_obligation_survives_its_document() -> None:
    obligation = Obligation(rule="r", address="a", message="m", path="/p")
    assert obligation_from(obligation_document(obligation)) == obligation
    assert obligation_from({"rule": "r", "address": "a"}) == Obligation(rule="r", address="a", message="")
