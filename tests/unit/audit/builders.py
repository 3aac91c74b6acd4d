"""Things for tests of the audit log, each with defaults that a test overrides where it matters."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

from plangate.audit.decision_record import decision_record
from plangate.audit.keys import SigningKey
from plangate.audit.receipt import make_receipt
from plangate.audit.record import Actor, ActorKind, Stamp, canonical, stamp
from plangate.audit.sqlite import FILE_NAME, SqliteLog
from plangate.audit.sqlite_schema import STATEMENTS

NOW: Final = datetime(2026, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)
PLAN: Final = hashlib.sha256(b"the plan").hexdigest()
POLICY: Final = hashlib.sha256(b"the policies").hexdigest()
ORIGIN: Final = "plangate.dev/log/test"
ACTOR: Final = Actor(kind=ActorKind.USER, name="ci")
NONCE: Final = "0f" * 16
_serial = count()


def a_signer(seed: int = 1) -> SigningKey:
    return SigningKey(name=ORIGIN, path=Path("log.pem"), created=False, _seed=bytes([seed]) * 32)


def a_stamp(now: datetime = NOW) -> Stamp:
    return stamp(now, next(_serial).to_bytes(10), ACTOR)


def a_record(text: str = "x") -> bytes:
    """Bytes that a log takes; no real record."""
    return canonical({"text": text})


def a_decision(**changes: object) -> dict[str, Any]:
    """A decision document that allows `PLAN` in prod."""
    document: dict[str, Any] = {
        "schema": "plangate.dev/decision/v1",
        "decision_id": "019cb7a1-0000-7000-8000-000000000001",
        "time": "2026-03-04T05:06:07.890Z",
        "result": "allow",
        "environment": "prod",
        "subject": {"name": "tfplan", "sha256": PLAN, "media_type": "application/json", "size": 1883},
        "reasons": [],
        "plan": {
            "format": "terraform-plan",
            "tool": "terraform 1.11.4",
            "resources": 5,
            "changes": {"create": 3, "no-op": 2, "import": 1},
        },
        "outcomes": [an_outcome()],
        "obligations": [],
        "waivers": [],
        "approvals": [],
        "rules": {"loaded": 24, "evaluated": 24, "matched_nothing": ["listener-tls"], "errored": []},
        "unmodelled": [],
        "policy": {
            "sha256": POLICY,
            "engine": "regorus 0.13",
            "sources": ["policies/"],
            "settings_sha256": POLICY,
        },
        "log": {"index": 41, "size": 42, "root": "00"},
    }
    return document | changes


def an_outcome(**changes: object) -> dict[str, Any]:
    return {
        "rule": "instance-no-public-ip",
        "address": "aws_instance.web",
        "outcome": "pass",
    } | changes


def a_failure(**changes: object) -> dict[str, Any]:
    return (
        an_outcome(
            outcome="fail",
            effect="denies",
            enforcement="mandatory",
            severity="high",
            message="it gets a public address",
            path="/associate_public_ip_address",
        )
        | changes
    )


def a_log(folder: Path, seed: int = 1) -> SqliteLog:
    return SqliteLog(folder, signer=a_signer(seed), origin=ORIGIN)


def filled_log(folder: Path, records: int = 5) -> Path:
    """A closed log with real records in it."""
    with a_log(folder) as log:
        for number in range(records):
            document = a_decision(decision_id=f"decision-{number}")
            record = decision_record(a_stamp(), document)
            log.append(record.encode(), idempotency_key=record.idempotency_key)
    return folder


def behind_the_triggers(folder: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    """Edit a log as somebody would who owns the file: triggers off, edit, triggers back on."""
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as db:
        for name in ("entry_is_next", "entry_stays", "entry_is_kept"):
            db.execute(f"DROP TRIGGER {name}")
        change(db)
        for statement in STATEMENTS[1:]:
            db.execute(statement)


def a_receipt(
    log: SqliteLog,
    *,
    decision: dict[str, Any] | None = None,
    signer: SigningKey | None = None,
    **terms: Any,
) -> bytes:
    """A receipt for an allow that is in the log."""
    document = decision or a_decision()
    record = decision_record(a_stamp(), document)
    entry = log.append(record.encode(), idempotency_key=record.idempotency_key)
    defaults: dict[str, Any] = {
        "audience": "terraform",
        "nonce": NONCE,
        "issued": NOW,
        "expires": NOW + timedelta(hours=1),
        "obligations": document["obligations"],
    }
    return make_receipt(
        log=log, entry=entry, record=record.encode(), signer=signer or a_signer(2), **defaults | terms
    )
