"""The record of a decision: what is in it, and that it always fits."""

import hashlib
import json
from typing import Any

import pytest

from plangate.audit.base import MAX_RECORD_BYTES
from plangate.audit.decision_record import decision_record, document_sha256
from plangate.audit.record import canonical
from plangate.errors import AuditError
from tests.unit.audit.builders import PLAN, POLICY, a_decision, a_failure, a_stamp, an_outcome
from tests.unit.audit.schema import problems_of


def body_of(document: dict[str, Any], decision_sha256: str | None = None) -> dict[str, Any]:
    encoded = decision_record(a_stamp(), document, decision_sha256=decision_sha256).encode()
    assert problems_of(json.loads(encoded)) == []
    assert len(encoded) <= MAX_RECORD_BYTES
    body: dict[str, Any] = json.loads(encoded)["body"]
    return body


def test_an_allow_is_summed_up_whole() -> None:
    document = a_decision()
    assert body_of(document) == {
        "decision_id": document["decision_id"],
        "decided": "2026-03-04T05:06:07.890Z",
        "result": "allow",
        "environment": "prod",
        "subject": {"name": "tfplan", "sha256": PLAN, "media_type": "application/json", "size": 1883},
        "plan": {
            "format": "terraform-plan",
            "tool": "terraform 1.11.4",
            "resources": 5,
            "changes": {
                "create": 3,
                "update": 0,
                "delete": 0,
                "replace": 0,
                "read": 0,
                "no-op": 2,
                "forget": 0,
                "import": 1,
            },
        },
        "rules": {"loaded": 24, "evaluated": 24, "matched_nothing": 1, "errored": 0},
        "outcomes": {"pass": 1, "fail": 0, "unknown": 0, "error": 0, "not_applicable": 0},
        "reasons": [],
        "determining": [],
        "obligations": [],
        "waivers": [],
        "approvals": [],
        "errored": [],
        "unmodelled": [],
        "sources": ["policies/"],
        "policy": {"sha256": POLICY, "engine": "regorus 0.13", "settings_sha256": POLICY},
        "decision_sha256": document_sha256(document),
        "truncated": {},
    }


def test_the_digest_is_of_the_document_without_what_the_log_adds() -> None:
    document = a_decision()
    bare = {name: value for name, value in document.items() if name != "log"}
    expected = hashlib.sha256(canonical(bare)).hexdigest()
    assert body_of(document)["decision_sha256"] == body_of(bare)["decision_sha256"] == expected


def test_a_digest_that_the_caller_has_is_taken() -> None:
    given = decision_record(a_stamp(), a_decision(), decision_sha256=PLAN)
    assert given.body["decision_sha256"] == PLAN
    with pytest.raises(AuditError):
        decision_record(a_stamp(), a_decision(), decision_sha256="not one")


def test_what_determined_a_denial_is_in_the_record_and_what_did_not_is_not() -> None:
    denied, blocked = a_failure(), a_failure(rule="b", outcome="error", effect="blocks")
    effects = ("none", "warns", "obliges", "waived", "approved", "debt")
    others = [a_failure(rule=effect, effect=effect) for effect in effects]
    skipped = an_outcome(outcome="not_applicable")
    body = body_of(a_decision(result="deny", outcomes=[*others, denied, skipped, blocked, an_outcome()]))
    assert body["determining"] == [denied, blocked]
    assert body["outcomes"] == {"pass": 1, "fail": 7, "unknown": 0, "error": 1, "not_applicable": 1}


def test_an_outcome_whose_effect_is_not_known_speaks_against_the_plan() -> None:
    outcome = an_outcome(outcome="fail")
    assert [
        item["rule"] for item in body_of(a_decision(result="deny", outcomes=[outcome]))["determining"]
    ] == ["instance-no-public-ip"]


@pytest.mark.parametrize(
    "against",
    [
        {"outcomes": [a_failure()]},
        {"outcomes": [a_failure(outcome="error", effect="blocks")]},
        {"outcomes": [an_outcome(outcome="unknown")]},
        {"reasons": ["no rules are loaded, so nothing was judged"]},
        {"plan": None},
        {"rules": {"loaded": 0, "evaluated": 0, "matched_nothing": [], "errored": []}},
    ],
)
def test_an_allow_that_its_own_document_speaks_against_is_not_recorded(against: dict[str, Any]) -> None:
    with pytest.raises(AuditError, match="speaks against"):
        decision_record(a_stamp(), a_decision(**against))


def test_a_decision_that_could_not_be_taken_is_recorded_without_a_plan() -> None:
    document = a_decision(result="error", plan=None, outcomes=[], reasons=["tfplan: not a plan"])
    body = body_of(document)
    assert (body["result"], body["plan"], body["reasons"]) == ("error", None, ["tfplan: not a plan"])


def test_a_hundred_thousand_outcomes_fit_and_what_is_left_out_is_counted() -> None:
    failures = [a_failure(address=f"aws_instance.web[{number}]") for number in range(100_000)]
    body = body_of(a_decision(result="deny", outcomes=failures))
    assert body["outcomes"]["fail"] == 100_000
    assert len(body["determining"]) + body["truncated"]["determining"] == 100_000
    assert body["determining"] == failures[: len(body["determining"])]
    assert len(body["determining"]) == 100


def test_the_worst_texts_everywhere_fit_too() -> None:
    worst = "\x1f" * 5_000
    many = [a_failure(message=worst, address=f"{worst}{number}", path=worst) for number in range(300)]
    things = [{"rule": worst, "address": worst, worst: worst, "more": {"nested": [worst]}}] * 300
    document = a_decision(
        result="deny",
        environment=worst,
        subject={"name": worst, "sha256": PLAN, "media_type": worst, "size": 1},
        outcomes=many,
        obligations=things,
        waivers=things,
        approvals=things,
        reasons=[worst] * 300,
        rules={"loaded": 1, "evaluated": 1, "matched_nothing": [worst] * 300, "errored": [worst] * 300},
        unmodelled=[worst] * 300,
        policy={"sha256": POLICY, "engine": worst, "sources": [worst] * 300, "settings_sha256": POLICY},
    )
    body = body_of(document, PLAN)
    lists = (
        "determining",
        "obligations",
        "waivers",
        "approvals",
        "reasons",
        "errored",
        "unmodelled",
        "sources",
    )
    assert {name: len(body[name]) + body["truncated"][name] for name in lists} == dict.fromkeys(lists, 300)
    assert (body["subject"]["sha256"], body["policy"]["sha256"]) == (PLAN, POLICY)


def test_shortening_is_the_same_every_time() -> None:
    document = a_decision(result="deny", outcomes=[a_failure(message="x" * 900) for _ in range(500)])
    assert decision_record(a_stamp(), document).body == decision_record(a_stamp(), document).body


def test_obligations_waivers_and_approvals_are_kept_as_they_are() -> None:
    things = [{"rule": "r", "address": "a", "expires": "2026-01-01T00:00:00.000Z", "none": None, "n": 1}]
    body = body_of(a_decision(obligations=things, waivers=things, approvals=things))
    assert body["obligations"] == body["waivers"] == body["approvals"] == things


@pytest.mark.parametrize("missing", sorted(set(a_decision()) - {"schema", "log", "plan"}))
def test_a_document_that_lacks_something_is_not_recorded(missing: str) -> None:
    document = a_decision()
    del document[missing]
    with pytest.raises(AuditError):
        decision_record(a_stamp(), document)


@pytest.mark.parametrize(
    "wrong",
    [
        {"result": "maybe"},
        {"result": None},
        {"decision_id": ""},
        {"decision_id": "x" * 65},
        {"subject": {"name": "tfplan", "sha256": "short"}},
        {"subject": None},
        {"outcomes": [an_outcome(outcome="fine")]},
        {"outcomes": None},
        {"rules": {"loaded": "many", "evaluated": 1, "matched_nothing": [], "errored": []}},
        {"policy": {"sha256": POLICY, "engine": "x", "sources": [], "settings_sha256": ""}},
        {"waivers": ["not an object"]},
        {"waivers": [{"number": 2**60}]},
    ],
)
def test_a_document_that_is_none_is_not_recorded(wrong: dict[str, Any]) -> None:
    with pytest.raises(AuditError):
        decision_record(a_stamp(), a_decision(**wrong)).encode()
