"""Record ids, times, canonical form, and the builders of everything but decisions."""

import hashlib
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from plangate.audit import event_records as events
from plangate.audit.record import Record, canonical, stamp, text, timestamp, uuid7
from plangate.errors import AuditError
from tests.unit.audit.builders import ACTOR, NONCE, NOW, PLAN, a_stamp
from tests.unit.audit.schema import problems_of


def test_an_id_is_a_uuid_of_version_7_that_sorts_by_time() -> None:
    made = [uuid7(NOW + timedelta(milliseconds=n), b"\xff" * 10) for n in range(3)]
    assert sorted(made) == made
    parsed = [uuid.UUID(item) for item in made]
    assert {(item.version, item.variant) for item in parsed} == {(7, uuid.RFC_4122)}
    assert [item.int >> 80 for item in parsed] == [round(NOW.timestamp() * 1000) + n for n in range(3)]


def test_an_id_is_the_example_of_the_standard() -> None:
    # RFC 9562 appendix A.6: rand_a is 0xCC3 and rand_b 0x18C4DC0C0C07398F.
    time = datetime(2022, 2, 22, 14, 22, 22, tzinfo=timezone(timedelta(hours=-5)))
    random = (0xCC3 << 64 | 0x18C4DC0C0C07398F).to_bytes(10)
    assert uuid7(time, random) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@pytest.mark.parametrize(
    ("time", "random"),
    [
        (NOW.replace(tzinfo=None), bytes(10)),
        (NOW, bytes(9)),
        (datetime(1969, 12, 31, tzinfo=UTC), bytes(10)),
    ],
)
def test_an_id_needs_an_aware_time_and_ten_bytes(time: datetime, random: bytes) -> None:
    with pytest.raises(ValueError, match="uuid7"):
        uuid7(time, random)


def test_times_are_utc_with_milliseconds() -> None:
    paris = timezone(timedelta(hours=1))
    assert timestamp(datetime(2026, 1, 1, 0, 30, 0, 999_999, tzinfo=paris)) == "2025-12-31T23:30:00.999Z"
    with pytest.raises(ValueError, match="aware"):
        timestamp(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, -(2**53), {"a": object()}, "\ud800"])
def test_what_is_not_the_same_json_everywhere_cannot_be_written(value: object) -> None:
    with pytest.raises(AuditError, match="canonical JSON"):
        canonical({"value": value})


def test_nesting_without_end_cannot_be_written() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(AuditError, match="canonical JSON"):
        canonical(endless)


def test_text_is_cut_and_has_no_lone_surrogates() -> None:
    assert text("x" * 2000, 10) == "xxxxxxxxx…"
    assert text("bad \udc80 name") == "bad \\udc80 name"
    assert text(12) == "12"


RECORDS: dict[str, Callable[[], Record]] = {
    "started": lambda: events.execution_started(
        a_stamp(),
        decision_id="d1",
        plan_sha256=PLAN,
        environment="prod",
        executor="terraform",
        receipt_sha256=PLAN,
        nonce=NONCE,
    ),
    "started without receipt": lambda: events.execution_started(
        a_stamp(), decision_id="d1", plan_sha256=PLAN, environment="", executor="terraform"
    ),
    "event": lambda: events.execution_event(
        a_stamp(),
        decision_id="d1",
        sequence=0,
        event="apply_start",
        address="aws_instance.web",
        action="create",
    ),
    "finished": lambda: events.execution_finished(
        a_stamp(),
        decision_id="d1",
        plan_sha256=PLAN,
        result="failed",
        exit_code=1,
        events=7,
        follow_up="unknown",
        failed=["aws_instance.web"],
        failed_checks=["check.health"],
        message="no capacity",
    ),
    "obligation": lambda: events.obligation_checked(
        a_stamp(),
        decision_id="d1",
        rule="instance-no-public-ip",
        address="aws_instance.web",
        path="/public_ip",
        result="broken",
    ),
    "first key": lambda: events.key_rotated(a_stamp(), role="log", public_key=bytes(32)),
    "next key": lambda: events.key_rotated(
        a_stamp(), role="receipt", public_key=b"\1" * 32, previous=bytes(32)
    ),
    "gap": lambda: events.gap(a_stamp(), reason="disk full", since=NOW, until=NOW + timedelta(hours=1)),
}


@pytest.mark.parametrize("build", RECORDS.values(), ids=RECORDS)
def test_every_builder_makes_a_record_that_fits_the_schema(build: Callable[[], Record]) -> None:
    record = build()
    document = json.loads(record.encode())
    assert problems_of(document) == []
    assert (document["time"], document["actor"]) == (
        "2026-03-04T05:06:07.890Z",
        {"kind": "user", "name": "ci"},
    )
    assert (document["id"], document["idempotency_key"]) == (record.id, record.idempotency_key)


@pytest.mark.parametrize("build", RECORDS.values(), ids=RECORDS)
def test_no_builder_is_carried_away_by_long_or_odd_texts(build: Callable[[], Record]) -> None:
    worst = "\x1f" * 100_000
    at = stamp(NOW, bytes(10), replace(ACTOR, name=worst))
    records = [
        events.execution_started(
            at, decision_id="d", plan_sha256=PLAN, environment=worst, executor=worst, nonce=NONCE
        ),
        events.execution_event(
            at, decision_id="d", sequence=1, event=worst, address=worst, action=worst, message=worst
        ),
        events.execution_finished(
            at,
            decision_id="d",
            plan_sha256=PLAN,
            result="failed",
            exit_code=1,
            events=1,
            follow_up="changes",
            failed=[worst] * 1000,
            failed_checks=[worst] * 1000,
            message=worst,
        ),
        events.obligation_checked(
            at, decision_id="d", rule=worst, address=worst, path=worst, result="met", message=worst
        ),
        events.gap(at, reason=worst, since=NOW, until=NOW),
        build(),
    ]
    for record in records:
        assert problems_of(json.loads(record.encode())) == []
    assert json.loads(records[2].encode())["body"]["truncated"] == {"failed": 984, "failed_checks": 984}


def test_one_plan_starts_once_in_an_environment_however_often_it_was_judged() -> None:
    keys = {
        events.execution_started(
            a_stamp(), decision_id=decision, plan_sha256=PLAN, environment="prod", executor="terraform"
        ).idempotency_key
        for decision in ("d1", "d2")
    }
    assert keys == {f"execution:{PLAN}:{hashlib.sha256(b'prod').hexdigest()}"}


def test_a_repeatable_plan_starts_once_for_each_decision() -> None:
    record = events.execution_started(
        a_stamp(),
        decision_id="d1",
        plan_sha256=PLAN,
        environment="prod",
        executor="aws",
        repeatable=True,
    )
    assert record.idempotency_key == "execution:d1"


@pytest.mark.parametrize(
    "build",
    [
        lambda: events.execution_started(
            a_stamp(), decision_id="d", plan_sha256="no digest", environment="", executor=""
        ),
        lambda: events.execution_started(
            a_stamp(), decision_id="d", plan_sha256=PLAN.upper(), environment="", executor=""
        ),
        lambda: events.execution_finished(
            a_stamp(),
            decision_id="d",
            plan_sha256=PLAN,
            result="fine",
            exit_code=0,
            events=0,
            follow_up="clean",
        ),
        lambda: events.execution_finished(
            a_stamp(),
            decision_id="d",
            plan_sha256=PLAN,
            result="succeeded",
            exit_code=0,
            events=0,
            follow_up="probably",
        ),
        lambda: events.obligation_checked(
            a_stamp(), decision_id="d", rule="r", address="a", path="", result="maybe"
        ),
        lambda: events.key_rotated(a_stamp(), role="spare", public_key=bytes(32)),
    ],
)
def test_a_word_or_digest_that_is_none_is_refused(build: Callable[[], Record]) -> None:
    with pytest.raises(AuditError):
        build()


def test_a_record_that_is_too_big_or_has_no_key_is_not_written() -> None:
    record = events.gap(a_stamp(), reason="", since=NOW, until=NOW)
    for broken in (
        replace(record, body={"reason": "x" * 70_000}),
        replace(record, idempotency_key=""),
        replace(record, idempotency_key="k" * 257),
    ):
        with pytest.raises(AuditError):
            broken.encode()
