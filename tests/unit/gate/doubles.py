"""Doubles for tests of the road: a judge that says what it is told, a log that breaks when it is told."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

from plangate.audit.base import Entry
from plangate.audit.keys import SigningKey
from plangate.audit.memory import InMemoryLog
from plangate.audit.record import Actor, ActorKind, stamp, uuid7
from plangate.decision.decide import Profile
from plangate.decision.document import PolicyUsed, Subject
from plangate.decision.outcome import Enforcement, OnUnknown, Outcome, RuleSpec, Severity, Status
from plangate.errors import AuditError
from plangate.gate import Gate, Judging, PlanInput, Run, Said
from plangate.model.plan import Action, Plan, Resource, Source

NOW: Final = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ACTOR: Final = Actor(kind=ActorKind.USER, name="tester")
SHA: Final = "a" * 64
_serial = count()


def a_spec(rule: str = "rule-a", **changes: Any) -> RuleSpec:
    fields: dict[str, Any] = {
        "id": rule,
        "title": f"{rule} holds",
        "severity": Severity.HIGH,
        "enforcement": Enforcement.MANDATORY,
        "on_unknown": OnUnknown.OBLIGE,
    }
    return RuleSpec(**fields | changes)


def a_resource(address: str = "x.a", **changes: Any) -> Resource:
    fields: dict[str, Any] = {
        "address": address,
        "type": "x",
        "name": address.rpartition(".")[2],
        "action": Action.CREATE,
        "after": {"v": 1},
        "planned": {"v": 1},
    }
    return Resource(**fields | changes)


def a_plan(*resources: Resource, **changes: Any) -> Plan:
    source = Source(
        name="tfplan",
        format="terraform-plan",
        format_version="1.2",
        tool="",
        sha256=SHA,
        size=1,
        media_type="x",
    )
    return Plan(source=source, resources=resources or (a_resource(),), **changes)


class ScriptedJudge:
    """A double: answers every question with a function of the plan."""

    def __init__(self, answer: Callable[[Plan], Sequence[Outcome]], *specs: RuleSpec) -> None:
        self.specs = {spec.id: spec for spec in specs or (a_spec(),)}
        self._answer = answer
        self.asked = 0

    def ask(self, plan: Plan, document: Callable[[], bytes]) -> Callable[[], Said]:
        self.asked += 1
        document()
        return lambda: (self._answer(plan), ())


class BrokenLog(InMemoryLog):
    """A double: the in-memory log, which fails from the given append on."""

    def __init__(self, *, good_appends: int) -> None:
        super().__init__(signer=a_key(), origin="plangate.dev/test")
        self._left = good_appends

    def append(self, record: bytes, *, idempotency_key: str, must_be_new: bool = False) -> Entry:
        self._left -= 1
        if self._left < 0:
            raise AuditError("disk full")
        return super().append(record, idempotency_key=idempotency_key, must_be_new=must_be_new)


def a_key() -> SigningKey:
    return SigningKey(name="plangate.dev/test", path=Path("log.pem"), created=False, _seed=b"\1" * 32)


def a_log() -> InMemoryLog:
    return InMemoryLog(signer=a_key(), origin="plangate.dev/test")


def says(status: Status, address: str = "x.a", rule: str = "rule-a", **changes: Any) -> Outcome:
    return Outcome(rule=rule, address=address, status=status, **changes)


def a_gate(
    judge: ScriptedJudge | None, plan: Plan | Exception, log: InMemoryLog | None = None, **changes: Any
) -> Gate:
    def parse() -> Plan:
        if isinstance(plan, Exception):
            raise plan
        return plan

    judging: dict[str, Any] = {
        "inputs": [PlanInput(name="tfplan", parse=parse, subject=a_subject)],
        "judges": [judge] if judge else [],
        "allow_incomplete": False,
        "milliseconds": lambda: 0,
        "progress": lambda _: None,
    }
    judging |= {name: changes.pop(name) for name in judging.keys() & changes.keys()}
    fields: dict[str, Any] = {
        "judging": Judging(**judging),
        "log": log or a_log(),
        "policy": PolicyUsed(sha256=SHA, engine="none", sources=("test",), settings_sha256=SHA),
        "profile": Profile(),
        "waivers": (),
        "approvals": (),
        "disabled": (),
        "weakened": (),
        "redaction_key": b"k" * 32,
        "stamp": lambda: stamp(NOW + timedelta(seconds=1), next(_serial).to_bytes(10), ACTOR),
    }
    return Gate(**fields | changes)


def a_run() -> Run:
    return Run(now=NOW, decision_id=uuid7(NOW, next(_serial).to_bytes(10)), environment="prod", actor=ACTOR)


def a_subject(sha256: str = SHA) -> Subject:
    return Subject(name="tfplan", sha256=sha256, size=1, media_type="application/json")
