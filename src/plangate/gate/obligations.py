"""What was not known before an apply, looked at after it, on the real resources and through the same rules."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from plangate.audit import event_records as records
from plangate.decision.approved import ApprovedPlan
from plangate.decision.decide import Obligation
from plangate.decision.outcome import Outcome, Status
from plangate.errors import AuditError, CannotDecideError, ExecutionError
from plangate.executor.base import ExecutionReport, ExecutionStatus
from plangate.facts.registry import plan_with_facts
from plangate.gate.judging import judge
from plangate.gate.parts import Gate
from plangate.model.plan import Plan
from plangate.model.redaction import Redactor

OBLIGATION_TIMEOUT_S: Final = 60.0
"""How long what is still unknown after apply may take to become known."""
_SAID_NOTHING: Final = "the rule said nothing about it after apply"
_NOT_THERE: Final = "it was not found after apply"
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 15.0


class CheckedObligation(Struct, frozen=True, kw_only=True):
    """One obligation after apply: ``met`` or ``broken``. What nobody could tell until the deadline is broken."""

    obligation: Obligation
    result: str
    message: str


class Obligations:
    """Checks the obligations of one approval, and records every check.

    Args:
        gate: The road's parts.
        approved: Carries the obligations.
        follow_up: Parses what the executor read back.
        scrub: Removes the plan's secrets from texts.
    """

    def __init__(
        self,
        gate: Gate,
        approved: ApprovedPlan,
        follow_up: Callable[[bytes], Plan],
        scrub: Callable[[str], str],
    ) -> None:
        self._gate = gate
        self._approved = approved
        self._follow_up = follow_up
        self._scrub = scrub

    def check(
        self, report: ExecutionReport, timeout_s: float, wait: Callable[[float], None]
    ) -> list[CheckedObligation]:
        """Each obligation, in the approval's order, met or broken.

        What is unknown is looked at again until it is known or the time is up: clouds take a while to say what they
        made. After a change that failed nothing is waited for, because what was not made stays unknown.

        Args:
            report: What the executor saw, and how it looks again.
            timeout_s: When what is still unknown counts as broken.
            wait: Sleeps for so many seconds.

        Raises:
            ExecutionError: A check could not be recorded.
        """
        waiting = list(self._approved.obligations)
        checked: dict[Obligation, CheckedObligation] = {}
        clock = self._gate.judging.milliseconds
        began, waited = clock(), 0.0
        followup, pause, attempt = report.followup, _FIRST_WAIT_S, 1
        look_again = report.look_again if report.status is not ExecutionStatus.FAILED else None
        while waiting:
            unknown = []
            for each in self._compare(waiting, followup):
                passed = max(waited, (clock() - began) / 1000)
                final = look_again is None or followup is None or passed + pause > timeout_s
                checked[each.obligation] = self._record(each, attempt=attempt, final=final)
                unknown += [each.obligation] if each.result == "unknown" and not final else []
            waiting = unknown
            if waiting and look_again is not None:
                try:
                    wait(pause)
                    followup = look_again()
                except KeyboardInterrupt:
                    look_again = None  # the user will not wait: what is unknown now is broken
                waited += pause
                pause, attempt = min(2 * pause, _LONGEST_WAIT_S), attempt + 1
        return [checked[obligation] for obligation in self._approved.obligations]

    def _compare(self, obligations: Sequence[Obligation], followup: bytes | None) -> list[CheckedObligation]:
        said: dict[tuple[str, str], list[Outcome]] = {}
        clean = self._scrub
        there: set[str] = set()
        problem = "the executor could not read the resources back"
        if followup is not None:
            try:
                plan = plan_with_facts(self._follow_up(followup))
                clean = self._cleaner(plan)
                there = {resource.address for resource in plan.resources}
                for outcome in judge(self._gate.judging, plan)[0]:
                    said.setdefault((outcome.rule, outcome.address), []).append(outcome)
                problem = ""
            except CannotDecideError as error:
                problem = str(error)
        found = []
        for each in obligations:
            silent = _SAID_NOTHING if each.address in there else _NOT_THERE
            compared = _compared(each, said.get((each.rule, each.address), []), problem or silent)
            found.append(replace(compared, message=clean(compared.message)))
        return found

    def _cleaner(self, plan: Plan) -> Callable[[str], str]:
        """Removes what became a secret of the plan only by being applied, too."""
        redactor = Redactor(plan.secrets, self._gate.redaction_key)
        return lambda text: redactor.text(self._scrub(text))

    def _record(self, checked: CheckedObligation, *, attempt: int, final: bool) -> CheckedObligation:
        if final and checked.result == "unknown":
            checked = replace(
                checked, result="broken", message=f"still unknown after apply: {checked.message}"
            )
        said = records.obligation_checked(
            self._gate.stamp(),
            decision_id=self._approved.decision_id,
            rule=checked.obligation.rule,
            address=checked.obligation.address,
            path=checked.obligation.path,
            result=checked.result,
            message=checked.message,
            attempt=attempt,
        )
        try:
            self._gate.log.append(said.encode(), idempotency_key=said.idempotency_key)
        except AuditError as error:
            raise ExecutionError(
                f"the change was applied, and what became of its obligations could not be recorded: {error}"
            ) from error
        return checked


def _compared(obligation: Obligation, outcomes: Sequence[Outcome], problem: str) -> CheckedObligation:
    statuses = {outcome.status for outcome in outcomes}
    if outcomes and statuses <= {Status.PASS, Status.NOT_APPLICABLE}:
        result, message = "met", ""
    elif Status.FAIL in statuses:
        result, message = "broken", "; ".join(o.message for o in outcomes if o.status is Status.FAIL)
    else:
        result, message = "unknown", "; ".join(o.message for o in outcomes if o.message) or problem
    return CheckedObligation(obligation=obligation, result=result, message=message)
