"""Receipts: what they prove, and everything they must not pass for."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plangate.audit import checkpoint as notes
from plangate.audit import dsse
from plangate.audit import receipt_terms as terms
from plangate.audit.checkpoint import Checkpoint
from plangate.audit.decision_record import decision_record
from plangate.audit.event_records import execution_event, execution_started
from plangate.audit.merkle import Tree, leaf_hash
from plangate.audit.receipt import VerifiedReceipt, claim, make_receipt, verify_receipt
from plangate.audit.record import Record, canonical
from plangate.audit.sqlite import SqliteLog
from plangate.errors import AuditError, ReceiptError
from tests.unit.audit.builders import (
    NONCE,
    NOW,
    ORIGIN,
    PLAN,
    POLICY,
    a_decision,
    a_log,
    a_receipt,
    a_record,
    a_signer,
    a_stamp,
)

GATE, LOG_KEY = a_signer(2), a_signer(1)
OBLIGATIONS = [{"rule": "instance-no-public-ip", "address": "aws_instance.web", "path": "/public_ip"}]
OTHER = "00" * 32


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    with a_log(tmp_path / "log") as opened:
        yield opened


def verified(receipt: bytes, **changes: Any) -> VerifiedReceipt:
    arguments: dict[str, Any] = {
        "plan_sha256": PLAN,
        "environment": "prod",
        "audience": "terraform",
        "now": NOW,
        "trusted_keys": {GATE.public_key},
        "log_public_keys": {LOG_KEY.public_key},
    }
    return verify_receipt(receipt, **arguments | changes)


def statement_of(receipt: bytes) -> dict[str, Any]:
    statement: dict[str, Any] = json.loads(base64.b64decode(json.loads(receipt)["payload"]))
    return statement


def resealed(receipt: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The receipt as a gate would have made it that says something else."""
    statement = statement_of(receipt)
    change(statement)
    return dsse.seal(terms.PAYLOAD_TYPE, canonical(statement), GATE)


def extension(statement: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = statement["predicate"][terms.EXTENSION]
    return found


def test_a_receipt_proves_the_decision_that_it_was_made_for(log: SqliteLog) -> None:
    log.append(a_record("before"), idempotency_key="before")
    receipt = a_receipt(log, decision=a_decision(obligations=OBLIGATIONS))
    proved = verified(receipt)
    assert proved == VerifiedReceipt(
        decision_id=a_decision()["decision_id"],
        plan_sha256=PLAN,
        environment="prod",
        audience="terraform",
        nonce=NONCE,
        issued=NOW,
        expires=NOW + timedelta(hours=1),
        obligations=tuple(OBLIGATIONS),
        policy_sha256=POLICY,
        log_index=1,
        checkpoint=notes.parse(log.checkpoint()),
        signed_by=frozenset({GATE.public_key}),
        sha256=proved.sha256,
    )


def test_a_receipt_is_an_in_toto_statement_with_a_verification_summary(log: SqliteLog) -> None:
    statement = statement_of(a_receipt(log))
    evidence = extension(statement)["log"]
    record = base64.b64decode(evidence.pop("record"))
    assert json.loads(record)["body"]["result"] == "allow"
    assert statement == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "tfplan", "digest": {"sha256": PLAN}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {"id": "https://plangate.dev/gate/v1", "version": {"plangate": "0.1.0"}},
            "timeVerified": "2026-03-04T05:06:07.890Z",
            "resourceUri": "plangate:environment/prod",
            "policy": {"uri": f"plangate:policy/{POLICY}", "digest": {"sha256": POLICY}},
            "verificationResult": "PASSED",
            "verifiedLevels": ["PLANGATE_ALLOWED"],
            "https://plangate.dev/receipt/v1": {
                "audience": "terraform",
                "decisionId": a_decision()["decision_id"],
                "expires": "2026-03-04T06:06:07.890Z",
                "nonce": NONCE,
                "obligations": [],
                "log": {"index": 0, "inclusionProof": [], "checkpoint": log.checkpoint()},
            },
        },
    }


def test_a_receipt_still_proves_its_decision_when_the_log_has_grown(log: SqliteLog) -> None:
    receipt = a_receipt(log)
    for number in range(20):
        log.append(a_record(str(number)), idempotency_key=f"later-{number}")
    assert verified(receipt).checkpoint.size == 1
    assert verified(a_receipt(log, decision=a_decision(decision_id="d2"))).log_index == 21


@pytest.mark.parametrize(
    ("here", "problem"),
    [
        ({"plan_sha256": OTHER}, "for the plan"),
        ({"plan_sha256": PLAN.upper()}, "for the plan"),
        ({"plan_sha256": ""}, "for the plan"),
        ({"environment": "staging"}, "for the environment"),
        ({"environment": "prod/../prod"}, "for the environment"),
        ({"environment": ""}, "for the environment"),
        ({"audience": "kubernetes"}, "for the executor"),
        ({"now": NOW + timedelta(hours=1)}, "expired"),
        ({"now": NOW + timedelta(days=999)}, "expired"),
        ({"now": NOW - timedelta(seconds=61)}, "issued in the future"),
        ({"trusted_keys": set()}, "signed by no trusted key"),
        ({"trusted_keys": {LOG_KEY.public_key}}, "signed by no trusted key"),
        ({"log_public_keys": set()}, "not proved to be in the log: checkpoint: not signed by a trusted key"),
        ({"log_public_keys": {GATE.public_key}}, "not proved to be in the log"),
        ({"threshold": 2}, "signed by 1 trusted keys"),
        ({"threshold": 0}, "would accept anything"),
    ],
)
def test_a_receipt_for_elsewhere_is_refused(log: SqliteLog, here: dict[str, Any], problem: str) -> None:
    with pytest.raises(ReceiptError, match=problem):
        verified(a_receipt(log), **here)


def test_a_clock_that_is_a_little_behind_is_forgiven(log: SqliteLog) -> None:
    assert verified(a_receipt(log), now=NOW - timedelta(seconds=60)).issued == NOW


def test_a_naive_clock_is_a_mistake_of_the_caller(log: SqliteLog) -> None:
    with pytest.raises(ValueError, match="aware"):
        verified(a_receipt(log), now=datetime(2026, 1, 1))  # noqa: DTZ001


def _predicate(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda statement: statement["predicate"].update(changes)


def _extension(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda statement: extension(statement).update(changes)


def _evidence(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda statement: extension(statement)["log"].update(changes)


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another statement type": (lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"), "in-toto"),
    "another predicate": (lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"), "summary"),
    "no predicate": (lambda s: s.update(predicate=None), "predicate is missing"),
    "failed": (_predicate(verificationResult="FAILED"), "not PASSED"),
    "no result": (_predicate(verificationResult=None), "not PASSED"),
    "another verifier": (_predicate(verifier={"id": "https://example.com"}), "another verifier"),
    "no verifier": (_predicate(verifier=None), "verifier is missing"),
    "no extension": (lambda s: s["predicate"].pop(terms.EXTENSION), "is missing"),
    "no subject": (lambda s: s.update(subject=[]), "0 subjects"),
    "two subjects": (lambda s: s.update(subject=s["subject"] * 2), "2 subjects"),
    "a subject that is none": (lambda s: s.update(subject=["x"]), "1 subjects"),
    "a weaker digest": (lambda s: s.update(subject=[{"digest": {"md5": "x"}}]), "sha256 is missing"),
    "another plan": (lambda s: s.update(subject=[{"digest": {"sha256": OTHER}}]), "for the plan"),
    "another environment": (_predicate(resourceUri="plangate:environment/x"), "for the environment"),
    "no environment": (_predicate(resourceUri=None), "resourceUri is missing"),
    "another audience": (_extension(audience="x"), "for the executor"),
    "every audience": (_extension(audience=["terraform"]), "audience is missing"),
    "no expiry": (_extension(expires=None), "expires is missing"),
    "expiry in words": (_extension(expires="never"), "expires is not a time"),
    "expiry on no day": (_extension(expires="2026-02-30T00:00:00.000Z"), "expires is not a time"),
    "expiry elsewhere": (_extension(expires="2036-01-01T00:00:00.000+01:00"), "expires is not a time"),
    "expiry before issue": (_predicate(timeVerified="2026-03-04T06:06:07.890Z"), "future"),
    "issued in words": (_predicate(timeVerified="now"), "timeVerified is not a time"),
    "another decision": (_extension(decisionId="another"), "another decision"),
    "another policy": (_predicate(policy={"digest": {"sha256": OTHER}}), "another policy"),
    "no policy": (_predicate(policy={}), "digest is missing"),
    "obligations made up": (_extension(obligations=OBLIGATIONS), "1 obligations"),
    "no obligations": (_extension(obligations=None), "obligations is missing"),
    "malformed obligations": (_extension(obligations=["x"]), "malformed obligations"),
    "no nonce": (_extension(nonce=None), "nonce is missing"),
    "a short nonce": (_extension(nonce="00"), "malformed nonce"),
    "no log": (_extension(log=None), "log is missing"),
    "another index": (_evidence(index=1), "not proved to be in the log"),
    "a negative index": (_evidence(index=-1), "not proved to be in the log"),
    "an index that is true": (_evidence(index=True), "index is missing"),
    "a longer proof": (_evidence(inclusionProof=["00" * 32]), "not proved to be in the log"),
    "a proof of something": (_evidence(inclusionProof=["xyz"]), "malformed evidence"),
    "a proof of numbers": (_evidence(inclusionProof=[1]), "malformed evidence"),
    "a record that is none": (_evidence(record="*"), "malformed evidence"),
    "another record": (
        _evidence(record=base64.b64encode(a_record()).decode()),
        "not proved to be in the log",
    ),
    "no checkpoint": (_evidence(checkpoint=None), "checkpoint is missing"),
    "a checkpoint in words": (_evidence(checkpoint="trust me"), "not proved to be in the log"),
}


@pytest.mark.parametrize(("change", "problem"), CHANGES.values(), ids=CHANGES)
def test_a_receipt_that_says_something_else_is_refused_even_with_a_good_signature(
    log: SqliteLog, change: Callable[[dict[str, Any]], object], problem: str
) -> None:
    with pytest.raises(ReceiptError, match=problem):
        verified(resealed(a_receipt(log), change))


def with_record(receipt: bytes, record: bytes) -> bytes:
    """A receipt of a gate that lies about its decision, with a log that really has ``record``."""
    tree = Tree()
    tree.append(leaf_hash(record))
    note = notes.sign(Checkpoint(origin=ORIGIN, size=1, root=tree.root()), LOG_KEY)
    encoded = base64.b64encode(record).decode()
    return resealed(receipt, _evidence(index=0, record=encoded, inclusionProof=[], checkpoint=note))


def test_what_the_log_has_must_be_an_allow_of_this_plan_here(log: SqliteLog) -> None:
    receipt = a_receipt(log)
    other_subject = a_decision()["subject"] | {"sha256": OTHER}
    other_policy = a_decision()["policy"] | {"sha256": OTHER}
    records = {
        "not an allow": decision_record(a_stamp(), a_decision(result="deny")).encode(),
        "not an allow ": decision_record(a_stamp(), a_decision(result="error")).encode(),
        "about another plan": decision_record(a_stamp(), a_decision(subject=other_subject)).encode(),
        "about another decision": decision_record(a_stamp(), a_decision(decision_id="x")).encode(),
        "about another environment": decision_record(a_stamp(), a_decision(environment="dev")).encode(),
        "about another policy": decision_record(a_stamp(), a_decision(policy=other_policy)).encode(),
        "0 obligations": decision_record(a_stamp(), a_decision(obligations=OBLIGATIONS)).encode(),
        "not a decision": execution_event(a_stamp(), decision_id="d", sequence=0, event="x").encode(),
        "not one of ours": a_record(),
        "not one of ours ": b"[]",
        "not JSON": b"{",
        "twice": b'{"schema":"plangate.dev/record/v1","schema":"plangate.dev/record/v1"}',
    }
    for problem, record in records.items():
        with pytest.raises(ReceiptError, match=problem.strip()):
            verified(with_record(receipt, record))
    genuine = decision_record(a_stamp(), a_decision()).encode()
    assert verified(with_record(receipt, genuine)).log_index == 0


def test_a_statement_that_can_be_read_in_two_ways_is_refused(log: SqliteLog) -> None:
    payload = canonical(statement_of(a_receipt(log)))
    doubled = payload[:-1] + b',"_type":"https://in-toto.io/Statement/v1"}'
    for content, problem in ((doubled, "there twice"), (b"[]", "in-toto"), (b"no", "not JSON")):
        with pytest.raises(ReceiptError, match=problem):
            verified(dsse.seal(terms.PAYLOAD_TYPE, content, GATE))


def test_a_receipt_that_is_too_big_is_not_even_parsed() -> None:
    with pytest.raises(ReceiptError, match="at most"):
        verified(b" " * (terms.MAX_RECEIPT_BYTES + 1))


@pytest.mark.parametrize(
    "decision",
    [{"result": "deny"}, {"result": "error", "plan": None}],
)
def test_no_receipt_is_made_for_what_is_not_an_allow(log: SqliteLog, decision: dict[str, Any]) -> None:
    with pytest.raises(ReceiptError, match="not an allow"):
        a_receipt(log, decision=a_decision(**decision))


@pytest.mark.parametrize(
    "odd",
    [
        {"nonce": "short"},
        {"nonce": "X" * 32},
        {"expires": NOW},
        {"audience": ""},
        {"obligations": OBLIGATIONS},
        {"obligations": [{"rule": "x" * (terms.MAX_RECEIPT_BYTES)}]},
    ],
)
def test_no_receipt_is_made_that_would_not_verify(log: SqliteLog, odd: dict[str, Any]) -> None:
    with pytest.raises(ReceiptError):
        a_receipt(log, **odd)


def test_more_obligations_than_the_record_holds_must_all_be_in_the_receipt(log: SqliteLog) -> None:
    many = [{"rule": "r", "address": f"aws_instance.web[{number}]"} for number in range(500)]
    receipt = a_receipt(log, decision=a_decision(obligations=many))
    assert verified(receipt).obligations == tuple(many)
    with pytest.raises(ReceiptError, match="499 obligations"):
        verified(resealed(receipt, _extension(obligations=many[1:])))


def test_odd_names_of_environments_are_told_apart(log: SqliteLog) -> None:
    for environment in ("", "a/b", "a%2Fb", "ä", "a b", "a?b#c"):
        decision = a_decision(environment=environment, decision_id=f"in {environment}"[:64])
        receipt = a_receipt(log, decision=decision)
        assert verified(receipt, environment=environment).environment == environment
        with pytest.raises(ReceiptError, match="for the environment"):
            verified(receipt, environment=f"{environment}x")


def test_a_plan_can_be_claimed_once_with_any_receipt_or_decision(log: SqliteLog, tmp_path: Path) -> None:
    def started(decision_id: str, environment: str = "prod") -> Record:
        return execution_started(
            a_stamp(),
            decision_id=decision_id,
            plan_sha256=PLAN,
            environment=environment,
            executor="terraform",
            nonce=NONCE,
        )

    first = started("d1")
    assert claim(log, first).index == 0
    with a_log(tmp_path / "log") as same_log:
        for again in (first, started("d1"), started("d2")):
            with pytest.raises(ReceiptError, match="used already") as caught:
                claim(same_log, again)
            assert caught.value.exit_code == 3
        assert claim(same_log, started("d3", "staging")).index == 1


def test_only_the_start_of_an_execution_is_a_claim(log: SqliteLog) -> None:
    event = execution_event(a_stamp(), decision_id="d", sequence=0, event="x")
    with pytest.raises(ReceiptError, match="not a claim"):
        claim(log, event)
    assert log.size() == 0


def test_no_receipt_is_made_for_a_record_that_is_not_where_it_is_said_to_be(log: SqliteLog) -> None:
    entry = log.append(a_record(), idempotency_key="another record")
    with pytest.raises(AuditError, match="does not lead to the root hash"):
        make_receipt(
            log=log,
            entry=entry,
            record=decision_record(a_stamp(), a_decision()).encode(),
            signer=GATE,
            audience="terraform",
            nonce=NONCE,
            issued=NOW,
            expires=NOW + timedelta(hours=1),
        )
