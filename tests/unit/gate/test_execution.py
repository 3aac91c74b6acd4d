import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from plangate.audit.memory import InMemoryLog
from plangate.decision.approved import ApprovedPlan, approve_receipt
from plangate.decision.decide import Obligation
from plangate.decision.outcome import Status
from plangate.errors import AuditError, ExecutionError, PlanParseError, ReceiptError
from plangate.executor.base import (
    ExecutionEvent,
    ExecutionReport,
    ExecutionStatus,
    Found,
    Observe,
    Scrub,
    Standing,
)
from plangate.executor.memory import MemoryExecutor
from plangate.gate import Gate
from plangate.gate.execution import Execution, execute
from plangate.model.plan import Plan
from tests.unit.gate.doubles import NOW, BrokenLog, ScriptedJudge, a_gate, a_log, a_plan, says

PLAN_BYTES = b"the plan"
OBLIGATION = Obligation(rule="rule-a", address="x.a", message="known only after apply")


def leave(*obligations: Obligation, data: bytes = PLAN_BYTES) -> ApprovedPlan:
    return approve_receipt(
        decision_id="019cb7a1-0000-7000-8000-000000000001",
        plan_sha256=hashlib.sha256(data).hexdigest(),
        environment="prod",
        expires=NOW + timedelta(hours=1),
        nonce="0f" * 16,
        obligations=obligations,
        now=NOW,
    )


def run(gate: Gate, executor: Any, approved: ApprovedPlan, **changes: Any) -> Execution:
    fields: dict[str, Any] = {
        "executor_name": "memory",
        "receipt_sha256": None,
        "scrub": lambda text: text.replace("hunter2", "***"),
        "follow_up": lambda _: a_plan(),
        "watch": lambda _: None,
    }
    return execute(gate, executor, approved, PLAN_BYTES, **fields | changes)


def types(log: InMemoryLog) -> Sequence[str]:
    return [json.loads(entry.record)["type"] for entry in log.entries()]


class Unhappy:
    """A double: an executor that tells one event and then raises or reports what it is told."""

    def __init__(self, end: BaseException | ExecutionReport) -> None:
        self._end = end

    def apply(
        self, approved: ApprovedPlan, plan: bytes, *, observe: Observe, scrub: Scrub
    ) -> ExecutionReport:
        del approved, plan, scrub
        observe(ExecutionEvent(type="apply_start", address="x.a", message="hunter2"))
        if isinstance(self._end, BaseException):
            raise self._end
        return self._end


def a_report(status: ExecutionStatus, **changes: Any) -> ExecutionReport:
    fields: dict[str, Any] = {
        "problems": (),
        "events": {},
        "tool": "double",
        "followup": b"{}",
        "converged": True,
    }
    return ExecutionReport(status=status, **fields | changes)


def test_start_and_end_are_recorded_around_every_event() -> None:
    log = a_log()
    executor = MemoryExecutor(followup=b"{}")
    execution = run(a_gate(None, a_plan(), log), executor, leave())
    assert execution.succeeded
    assert types(log) == ["execution.started", "execution.event", "execution.event", "execution.finished"]


def test_nothing_runs_when_the_start_cannot_be_recorded() -> None:
    executor = MemoryExecutor()
    with pytest.raises(AuditError):
        run(a_gate(None, a_plan(), BrokenLog(good_appends=0)), executor, leave())
    assert executor.ran == []


def test_a_plan_runs_once_whichever_decision_allowed_it() -> None:
    executor = MemoryExecutor()
    gate = a_gate(None, a_plan())
    run(gate, executor, leave())
    with pytest.raises(ReceiptError, match=r"already|used"):
        run(gate, executor, leave())
    assert len(executor.ran) == 1


def test_other_bytes_than_the_approved_ones_do_not_run_and_leave_no_start() -> None:
    log = a_log()
    executor = MemoryExecutor()
    with pytest.raises(ReceiptError, match="not the one that was approved"):
        run(a_gate(None, a_plan(), log), executor, leave(data=b"another plan"))
    assert (executor.ran, types(log)) == ([], [])


def test_a_log_that_breaks_half_way_stops_the_executor() -> None:
    executor = MemoryExecutor()
    with pytest.raises(ExecutionError, match="could not be recorded"):
        run(a_gate(None, a_plan(), BrokenLog(good_appends=2)), executor, leave())


def test_an_interrupt_is_recorded_and_goes_on() -> None:
    log = a_log()
    with pytest.raises(KeyboardInterrupt):
        run(a_gate(None, a_plan(), log), Unhappy(KeyboardInterrupt()), leave())
    assert json.loads(list(log.entries())[-1].record)["body"]["result"] == "interrupted"


def test_an_executor_that_breaks_leaves_a_failed_end_and_no_secret() -> None:
    log = a_log()
    with pytest.raises(RuntimeError):
        run(a_gate(None, a_plan(), log), Unhappy(RuntimeError("token hunter2")), leave())
    records = [entry.record for entry in log.entries()]
    assert json.loads(records[-1])["body"]["result"] == "failed"
    assert not any(b"hunter2" in record for record in records)


@pytest.mark.parametrize(
    ("after", "expected"),
    [(Status.PASS, "met"), (Status.FAIL, "broken"), (Status.UNKNOWN, "broken"), (None, "broken")],
)
def test_an_obligation_is_what_the_rule_says_of_the_real_resource(
    after: Status | None, expected: str
) -> None:
    judge = ScriptedJudge(lambda _: [says(after)] if after else [])
    log = a_log()
    execution = run(a_gate(judge, a_plan(), log), MemoryExecutor(followup=b"{}"), leave(OBLIGATION))
    assert [checked.result for checked in execution.obligations] == [expected]
    assert execution.succeeded is (expected == "met")
    finished = json.loads(list(log.entries())[-1].record)["body"]
    assert finished["result"] == ("succeeded" if expected == "met" else "failed")


def test_an_obligation_is_not_met_when_nothing_can_be_read_back() -> None:
    def unreadable(_: bytes) -> Plan:
        raise PlanParseError("the plan after apply", "not JSON")

    judge = ScriptedJudge(lambda _: [says(Status.PASS)])
    for changes in ({"follow_up": unreadable}, {}):
        executor = MemoryExecutor(followup=b"{}" if changes else None)
        execution = run(a_gate(judge, a_plan()), executor, leave(OBLIGATION), **changes)
        assert [checked.result for checked in execution.obligations] == ["broken"]
        assert not execution.succeeded


@pytest.mark.parametrize("status", [s for s in ExecutionStatus if s is not ExecutionStatus.SUCCEEDED])
def test_whatever_is_not_a_success_is_recorded_as_failed(status: ExecutionStatus) -> None:
    log = a_log()
    execution = run(a_gate(None, a_plan(), log), Unhappy(a_report(status, converged=None)), leave())
    assert not execution.succeeded
    assert json.loads(list(log.entries())[-1].record)["body"]["result"] == "failed"


def test_a_success_that_the_user_stopped_is_no_success() -> None:
    log = a_log()
    report = a_report(ExecutionStatus.SUCCEEDED, interrupted=True)
    assert not run(a_gate(None, a_plan(), log), Unhappy(report), leave()).succeeded
    assert json.loads(list(log.entries())[-1].record)["body"]["result"] == "interrupted"


class Slow:
    """A double: a rule that knows after so many looks."""

    def __init__(self, looks: int, then: Status = Status.PASS) -> None:
        self.looked = 0
        self.waits: list[float] = []
        self._looks = looks
        self._then = then

    def answer(self, _plan: Plan) -> list[Any]:
        self.looked += 1
        return [says(self._then if self.looked > self._looks else Status.UNKNOWN)]


def attempts(log: InMemoryLog) -> Sequence[tuple[int, str]]:
    records = [json.loads(entry.record) for entry in log.entries()]
    return [
        (record["body"]["attempt"], record["body"]["result"])
        for record in records
        if record["type"] == "obligation.checked"
    ]


@pytest.mark.parametrize(("then", "expected"), [(Status.PASS, "met"), (Status.FAIL, "broken")])
def test_what_is_still_unknown_after_apply_is_looked_at_again(then: Status, expected: str) -> None:
    slow, log = Slow(2, then), a_log()
    report = a_report(ExecutionStatus.SUCCEEDED, followup=b"{}", look_again=lambda: b"{}")
    gate = a_gate(ScriptedJudge(slow.answer), a_plan(), log)
    execution = run(gate, Unhappy(report), leave(OBLIGATION), wait=slow.waits.append)
    assert [checked.result for checked in execution.obligations] == [expected]
    assert attempts(log) == [(1, "unknown"), (2, "unknown"), (3, expected)]
    assert slow.waits == [1.0, 2.0]


def test_what_nobody_can_tell_until_the_deadline_is_broken() -> None:
    slow, log = Slow(1000), a_log()
    report = a_report(ExecutionStatus.SUCCEEDED, followup=b"{}", look_again=lambda: b"{}")
    gate = a_gate(ScriptedJudge(slow.answer), a_plan(), log)
    execution = run(
        gate, Unhappy(report), leave(OBLIGATION), wait=slow.waits.append, obligation_timeout_s=10.0
    )
    assert (execution.succeeded, slow.waits) == (False, [1.0, 2.0, 4.0])
    assert [(c.result, c.message.partition(":")[0]) for c in execution.obligations] == [
        ("broken", "still unknown after apply")
    ]
    assert attempts(log) == [(1, "unknown"), (2, "unknown"), (3, "unknown"), (4, "broken")]
    assert json.loads(list(log.entries())[-1].record)["body"]["result"] == "failed"


@pytest.mark.parametrize("gone", [None, KeyboardInterrupt()])
def test_what_cannot_be_looked_at_again_is_broken(gone: KeyboardInterrupt | None) -> None:
    def look_again() -> bytes | None:
        if gone is not None:
            raise gone
        return None

    report = a_report(ExecutionStatus.SUCCEEDED, followup=b"{}", look_again=look_again)
    gate = a_gate(ScriptedJudge(lambda _: [says(Status.UNKNOWN)]), a_plan())
    execution = run(gate, Unhappy(report), leave(OBLIGATION), wait=lambda _: None)
    assert [checked.result for checked in execution.obligations] == ["broken"]


def test_after_a_failure_nothing_is_waited_for() -> None:
    waits: list[float] = []
    report = a_report(ExecutionStatus.FAILED, followup=b"{}", look_again=lambda: b"{}")
    gate = a_gate(ScriptedJudge(lambda _: [says(Status.UNKNOWN)]), a_plan())
    execution = run(gate, Unhappy(report), leave(OBLIGATION), wait=waits.append)
    assert ([checked.result for checked in execution.obligations], waits) == (["broken"], [])


def test_what_became_secret_by_being_applied_is_in_no_record() -> None:
    log = a_log()
    judge = ScriptedJudge(lambda _: [says(Status.FAIL, message="the password is tr0ub4dor&3")])
    plan = replace(a_plan(), secrets=frozenset({"tr0ub4dor&3"}))
    execution = run(
        a_gate(judge, a_plan(), log),
        MemoryExecutor(followup=b"{}"),
        leave(OBLIGATION),
        follow_up=lambda _: plan,
    )
    assert [checked.result for checked in execution.obligations] == ["broken"]
    assert not any(b"tr0ub4dor" in entry.record for entry in log.entries())


def test_a_plan_that_is_of_one_place_runs_once_in_all_environments() -> None:
    executor = MemoryExecutor()
    gate = a_gate(None, a_plan())
    elsewhere = approve_receipt(
        decision_id="019cb7a1-0000-7000-8000-000000000002",
        plan_sha256=hashlib.sha256(PLAN_BYTES).hexdigest(),
        environment="staging",
        expires=NOW + timedelta(hours=1),
        nonce="1f" * 16,
        obligations=(),
        now=NOW,
    )
    run(gate, executor, leave(), anywhere=True)
    with pytest.raises(ReceiptError, match="used already"):
        run(gate, executor, elsewhere, anywhere=True)
    assert len(executor.ran) == 1


def test_the_record_of_a_failure_says_what_is_there_and_what_failed() -> None:
    log = a_log()
    report = a_report(
        ExecutionStatus.FAILED,
        converged=None,
        problems=("it broke",),
        failed=("x.b",),
        found=(
            Found(address="x.a", standing=Standing.EXISTS),
            Found(address="x.b", standing=Standing.TAINTED),
            Found(address="x.c", standing=Standing.ABSENT),
            Found(address="x.d", standing=Standing.ABSENT),
        ),
    )
    run(a_gate(None, a_plan(), log), Unhappy(report), leave())
    body = json.loads(list(log.entries())[-1].record)["body"]
    assert (body["failed"], body["message"]) == (["x.b"], "1 exists, 1 tainted, 2 absent; it broke")
