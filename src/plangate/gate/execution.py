"""From an approval to a change that ended and is in the log. Steps go on from `plangate.gate.judging`."""

import hashlib
import time
from collections.abc import Callable, Collection, Sequence

from msgspec import Struct
from msgspec.structs import replace

from plangate.audit import event_records as records
from plangate.audit.base import Entry
from plangate.audit.receipt import claim
from plangate.decision.approved import ApprovedPlan
from plangate.errors import AuditError, ExecutionError, ReceiptError
from plangate.executor.base import ExecutionEvent, ExecutionReport, ExecutionStatus, Executor
from plangate.gate.obligations import OBLIGATION_TIMEOUT_S, CheckedObligation, Obligations
from plangate.gate.parts import Gate
from plangate.model.plan import Plan


class Execution(Struct, frozen=True, kw_only=True):
    """An execution that ended and is in the log.

    Attributes:
        report: What the executor saw.
        obligations: Every obligation of the approval, checked.
        entry: Where the finishing record is in the log.
    """

    report: ExecutionReport
    obligations: Sequence[CheckedObligation]
    entry: Entry

    @property
    def succeeded(self) -> bool:
        """Applied as judged, converged, checks hold, and every obligation is met."""
        done = self.report.status is ExecutionStatus.SUCCEEDED and not self.report.interrupted
        return done and all(checked.result == "met" for checked in self.obligations)


def execute(
    gate: Gate,
    executor: Executor,
    approved: ApprovedPlan,
    plan_bytes: bytes,
    *,
    executor_name: str,
    receipt_sha256: str | None,
    scrub: Callable[[str], str],
    follow_up: Callable[[bytes], Plan],
    watch: Callable[[ExecutionEvent], None],
    anywhere: bool = False,
    repeatable: bool = False,
    quarantine: Callable[[str], str] | None = None,
    quarantine_for: Collection[str] = (),
    obligation_timeout_s: float = OBLIGATION_TIMEOUT_S,
    wait: Callable[[float], None] = time.sleep,
) -> Execution:
    """Run an approved plan once and record it.

    Args:
        gate: The road's parts.
        executor: Runs it.
        approved: Leave to run; nothing else opens this way.
        plan_bytes: What was judged.
        executor_name: For the record, e.g. ``terraform``.
        receipt_sha256: Of the receipt that gave leave, if one did.
        scrub: Removes the plan's secrets from texts.
        follow_up: Parses the plan that the executor makes afterwards.
        watch: Told of every event after it is recorded, for people.
        anywhere: The plan's bytes are good for one execution whatever the environment is called, and not for one in
            each.
        repeatable: The same bytes may run once for each decision, since the plan holds what it starts from.
        quarantine: Shuts off the resource at an address, and says what it did.
        quarantine_for: Ids of the rules whose broken obligations ask for that.
        obligation_timeout_s: How long what is still unknown after apply may take to become known.
        wait: Sleeps for so many seconds.

    Raises:
        ReceiptError: This plan was executed or begun before, or is not what was approved. Nothing ran.
        AuditError: The start could not be recorded. Nothing ran.
        ExecutionError: It could not be started, or its end could not be recorded.
    """
    if not approved.genuine():
        raise ReceiptError("the approval is not one that a decision gave")
    if hashlib.sha256(plan_bytes).hexdigest() != approved.plan_sha256:
        raise ReceiptError("the plan is not the one that was approved")
    # 6. The start is recorded, as the first and only one for this plan, before anything runs.
    started = records.execution_started(
        gate.stamp(),
        decision_id=approved.decision_id,
        plan_sha256=approved.plan_sha256,
        environment=approved.environment,
        executor=executor_name,
        receipt_sha256=receipt_sha256,
        nonce=approved.nonce,
        anywhere=anywhere,
        repeatable=repeatable,
    )
    claim(gate.log, started)
    written = 0

    def observe(event: ExecutionEvent) -> None:
        nonlocal written
        event = replace(event, message=scrub(event.message))
        said = records.execution_event(
            gate.stamp(),
            decision_id=approved.decision_id,
            sequence=written,
            event=event.type,
            address=event.address,
            action=event.action,
            message=event.message,
        )
        gate.log.append(said.encode(), idempotency_key=said.idempotency_key)
        written += 1
        watch(event)

    def finished(result: str, report: ExecutionReport | None, message: str) -> Entry:
        converged = None if report is None else report.converged
        said = records.execution_finished(
            gate.stamp(),
            decision_id=approved.decision_id,
            plan_sha256=approved.plan_sha256,
            result=result,
            exit_code=None,
            events=written,
            follow_up="unknown" if converged is None else "clean" if converged else "changes",
            failed=() if report is None else report.failed,
            message=scrub(message),
        )
        try:
            return gate.log.append(said.encode(), idempotency_key=said.idempotency_key)
        except AuditError as error:
            raise ExecutionError(
                f"the execution {result}, and its end could not be recorded: {error}"
            ) from error

    # 7. Exactly these bytes run; every event is recorded before the next one is read.
    try:
        report = executor.apply(approved, plan_bytes, observe=observe, scrub=scrub)
    except KeyboardInterrupt:
        finished("interrupted", None, "interrupted by the user")
        raise
    except Exception as error:
        finished("failed", None, str(error))
        raise
    # 8. What was not known before is looked at now, on the real resources.
    gate.judging.progress("checking obligations")
    checked = Obligations(gate, approved, follow_up, scrub).check(report, obligation_timeout_s, wait)
    for item in checked:
        if item.result != "met" and item.obligation.rule in quarantine_for:
            observe(_shut_off(item.obligation.address, quarantine))
    # 9. The end is recorded.
    broken = [
        f"{item.obligation.rule} at {item.obligation.address}: {item.message}"
        for item in checked
        if item.result != "met"
    ]
    good = report.status is ExecutionStatus.SUCCEEDED and not broken and not report.interrupted
    result = "interrupted" if report.interrupted else "succeeded" if good else "failed"
    entry = finished(result, report, "; ".join([*_what_is_there(report), *report.problems, *broken]))
    return Execution(report=report, obligations=checked, entry=entry)


def _shut_off(address: str, quarantine: Callable[[str], str] | None) -> ExecutionEvent:
    """What became of shutting off one resource; that it failed must not hide what else there is to say."""
    if quarantine is None:
        message = "this executor knows no way to shut it off"
        return ExecutionEvent(type="quarantine_errored", address=address, message=message)
    try:
        return ExecutionEvent(type="quarantine_complete", address=address, message=quarantine(address))
    except Exception as error:  # noqa: BLE001 - whatever it was
        return ExecutionEvent(type="quarantine_errored", address=address, message=str(error)[:400])


def _what_is_there(report: ExecutionReport) -> list[str]:
    """One sentence with the number of resources that stand in each way; each of them has an event."""
    counted = report.what_is_there().items()
    return [", ".join(f"{len(addresses)} {standing}" for standing, addresses in counted)] if counted else []
