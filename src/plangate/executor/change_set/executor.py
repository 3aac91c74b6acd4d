"""Executes a change set of CloudFormation: the one that was judged, by its ARN, on the stack as it was judged.

Rules this module keeps:
1. Everything is read again first. What AWS says now, written the same way, has to be the judged bytes: the change set
   and its template, and the stack with what had last been done to it. Otherwise nothing runs.
2. Nothing ran, or it may have: an error before AWS took the execution is a `ReceiptError` or an `ExecutionError`,
   anything later is in the report.
3. Success has to be shown: the stack's last event and its status say so, no resource's last word is a failure, its
   template is the judged one, nobody else was at it, and a second change set finds nothing to do.
4. An event that cannot be recorded stops the change, as far as CloudFormation lets itself be stopped: an update is
   cancelled once and rolls back; a creation cannot be.
"""

import hashlib
from typing import Final

import msgspec
from msgspec.structs import replace

from plangate.decision.approved import ApprovedPlan
from plangate.errors import CannotDecideError, ExecutionError, ReceiptError
from plangate.executor.base import ExecutionEvent, ExecutionReport, ExecutionStatus, Observe, Scrub
from plangate.executor.change_set.afterwards import Afterwards
from plangate.executor.change_set.calls import CallError, call
from plangate.executor.change_set.creating import Waiting
from plangate.executor.change_set.describing import Describer
from plangate.executor.change_set.events import Events
from plangate.executor.change_set.found import how_they_stand
from plangate.executor.change_set.read_back import ReadBack
from plangate.executor.change_set.recorded import RecordedChangeSet, decode, differences
from plangate.executor.change_set.watching import Course, Watch, cancel_token
from plangate.executor.stopping import Requests, requests_to_stop

GOOD: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
MAX_LISTED: Final = 20
AFTERWARDS_TIMEOUT_S: Final = 900.0
"""Seconds until a second change set has to be ready."""
_STARTED: Final = frozenset({"EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED"})
_TOOL: Final = "AWS CloudFormation"


class ChangeSetExecutor:
    """An `Executor` for recorded change sets.

    Args:
        describer: Reads change sets and stacks in the region of the plan.
        read_back: Reads the real resources, for obligations.
        waiting: How long a change may take, and how often AWS is asked.
        stop_grace_s: Seconds that a cancelled update gets to roll back.
    """

    def __init__(
        self,
        *,
        describer: Describer,
        read_back: ReadBack,
        waiting: Waiting,
        stop_grace_s: float = 1800.0,
    ) -> None:
        self._describer = describer
        self._client = describer.client
        self._read_back = read_back
        self._waiting = waiting
        self._stop_grace_s = stop_grace_s

    def apply(
        self, approved: ApprovedPlan, plan: bytes, *, observe: Observe, scrub: Scrub
    ) -> ExecutionReport:
        """Execute the change set, then look at what became of it. See `Executor.apply`.

        Raises:
            ReceiptError: The bytes, the change set or the stack are not what was approved; nothing ran.
            ExecutionError: It could not be started; nothing ran.
            KeyboardInterrupt: The user stopped it before it was started; nothing ran.
        """
        found = hashlib.sha256(plan).hexdigest()
        if found != approved.plan_sha256:
            raise ReceiptError(
                f"the plan's bytes are not those that were approved (approved: {approved.plan_sha256},"
                f" found: {found}); nothing ran",
                hint="check the plan again: what runs is what was judged",
            )
        token = token_of(approved)
        with requests_to_stop() as requests:
            recorded = self._insist_unchanged(plan)
            events = Events(
                self._client,
                recorded.stack.id,
                tokens=frozenset({token, cancel_token(token)}),
                scrub=scrub,
                confided=recorded.confided,
            )
            try:
                events.skip()
            except CallError as error:
                raise ExecutionError(f"{error}; nothing ran") from error
            if requests.count:
                raise KeyboardInterrupt
            course = Course(deadline=self._waiting.clock() + self._waiting.timeout_s)
            self._start(recorded, token, course)
            if not course.problems:
                watch = Watch(self._describer, self._waiting, self._stop_grace_s)
                watch.follow(recorded, token, events, course, observe, requests)
            return self._report(approved, recorded, token, events, course, observe, scrub, requests)

    # --- before ---

    def _insist_unchanged(self, plan: bytes) -> RecordedChangeSet:
        try:
            judged = decode(plan)
        except msgspec.DecodeError as error:
            raise ReceiptError(
                "the plan is not a recorded change set; nothing ran",
                hint="plangate change-set create makes one",
            ) from error
        try:
            now = self._describer.record(judged.change_set)
        except CannotDecideError as error:
            raise ExecutionError(f"the change set cannot be read again: {error}; nothing ran") from error
        if now.stack != judged.stack:
            changed = differences(msgspec.to_builtins(judged.stack), msgspec.to_builtins(now.stack))
            raise ReceiptError(
                f"stack {judged.stack.name} is not as it was when the change set was made"
                f" (differs in: {', '.join(at[1:] for at in changed)}); nothing ran",
                hint="something else was done to the stack since; make the change set again and check it",
            )
        if now.encode() != plan:
            changed = differences(msgspec.to_builtins(judged), msgspec.to_builtins(now))
            where = ", ".join(changed) if changed else "the way it is written"
            raise ReceiptError(
                f"the change set is not what was judged (differs in: {where[:500]}); nothing ran",
                hint="make the change set again and check it",
            )
        if judged.described.get("ExecutionStatus") != "AVAILABLE":
            raise ReceiptError(
                f"the change set is {judged.described.get('ExecutionStatus')} (expected AVAILABLE); nothing ran"
            )
        return judged

    def _start(self, recorded: RecordedChangeSet, token: str, course: Course) -> None:
        try:
            call(
                self._client,
                "execute_change_set",
                ChangeSetName=recorded.change_set,
                ClientRequestToken=token,
            )
        except CallError as error:
            # NOTE: an answer that got lost, and a second try that AWS then refused, look like a refusal.
            started = self._has_started(recorded)
            if error.refused and started is False:
                raise ExecutionError(
                    f"CloudFormation refused the change set: {error}; nothing ran"
                ) from error
            if not started:
                course.problems.append(f"whether the change set was executed is not known: {error}")

    def _has_started(self, recorded: RecordedChangeSet) -> bool | None:
        """Whether AWS executes it, or did; ``None`` when AWS does not say."""
        try:
            found = call(self._client, "describe_change_set", ChangeSetName=recorded.change_set)
        except CallError:
            return None
        return found.get("ExecutionStatus") in _STARTED

    # --- after ---

    def _report(
        self,
        approved: ApprovedPlan,
        recorded: RecordedChangeSet,
        token: str,
        events: Events,
        course: Course,
        observe: Observe,
        scrub: Scrub,
        requests: Requests,
    ) -> ExecutionReport:
        good = course.ended and course.status in GOOD
        problems = [scrub(problem) for problem in course.problems]
        if course.failure is not None and not course.cancelled:
            problems.append(f"an event could not be recorded ({type(course.failure).__name__})")
        if course.ended and not good:
            problems.append(f"the stack ended as {course.status}")
        failures = events.failures(all_of_them=not good)
        problems += [scrub(str(failure)) for failure in failures[:MAX_LISTED]]
        if events.others:
            problems.append("somebody else changed the stack at the same time")
        report = ExecutionReport(
            status=ExecutionStatus.FAILED,
            problems=tuple(problems),
            events=dict(sorted(events.counted.items())),
            tool=_TOOL,
            followup=None,
            interrupted=requests.count > 0,
            failed=tuple(dict.fromkeys(scrub(failure.address) for failure in failures)),
        )
        afterwards = Afterwards(self._describer, self._read_back, _looking(self._waiting, requests))
        if problems or not good:
            return self._failed(approved, recorded, report, course, afterwards, observe, scrub)
        found = afterwards.look(recorded, token, obligations=bool(approved.obligations))
        return replace(
            report,
            status=ExecutionStatus.NOT_CONVERGED if found.differences else ExecutionStatus.SUCCEEDED,
            problems=tuple(scrub(problem) for problem in found.differences[:MAX_LISTED]),
            followup=found.resources,
            converged=found.converged,
            interrupted=requests.count > 0,
            look_again=found.look_again,
        )

    def _failed(
        self,
        approved: ApprovedPlan,
        recorded: RecordedChangeSet,
        report: ExecutionReport,
        course: Course,
        afterwards: Afterwards,
        observe: Observe,
        scrub: Scrub,
    ) -> ExecutionReport:
        """What is there now, told address by address. Only reads."""
        problems = list(report.problems)
        found = how_they_stand(self._client, recorded, scrub)
        try:
            for each in found if course.failure is None else ():
                observe(ExecutionEvent(type="found", address=each.address, action=each.standing.value))
        except Exception as error:  # noqa: BLE001 - it is over; that its end is not recorded is the caller's to find
            problems.append(f"what exists could not be recorded ({type(error).__name__})")
        # What was made may break an obligation although the rest was not made.
        asked = bool(approved.obligations) and course.ended
        return replace(
            report,
            problems=tuple(problems),
            found=found,
            followup=afterwards.resources(recorded) if asked else None,
        )


def _looking(waiting: Waiting, requests: Requests) -> Waiting:
    """For looking at what became of it: not as long as for the change, and until somebody asks to stop."""

    def pause(seconds: float) -> None:
        before = requests.count
        requests.wait(seconds)
        if requests.count > before:
            raise CannotDecideError("interrupted")

    return replace(waiting, timeout_s=min(waiting.timeout_s, AFTERWARDS_TIMEOUT_S), sleep=pause)


def token_of(approved: ApprovedPlan) -> str:
    """The client token of an approval's one execution: the same however often the call is repeated."""
    said = f"{approved.decision_id}\n{approved.nonce}\n{approved.plan_sha256}"
    return f"plangate-{hashlib.sha256(said.encode()).hexdigest()[:32]}"
