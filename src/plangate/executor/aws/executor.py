"""Runs an approved plan for AWS, and looks afterwards whether anything is left to do.

Rules this module keeps:
1. The account, the region and every resource are those of the plan, or nothing runs.
2. One run at a time in an environment.
3. A run that was cut off is gone on with only when that is asked for, and with the same plan.
4. Success has to be shown: every step done, and a new plan that wants nothing.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plangate.decision.approved import ApprovedPlan
from plangate.errors import ExecutionError, PlangateError, ReceiptError
from plangate.executor.aws.base import Found as Present
from plangate.executor.aws.base import Handler, Owner, token_of
from plangate.executor.aws.clients import asked, is_ambiguous, is_of_aws, said
from plangate.executor.aws.journal import INTERRUPTED, Journal, RunRow, StepRow
from plangate.executor.aws.locks import Lock
from plangate.executor.aws.parts import part_of
from plangate.executor.aws.planning import Actual, Desired, Kit, Known, make_changes, read_actual
from plangate.executor.aws.quarantine import shut_off
from plangate.executor.aws.run import Run, drifted
from plangate.executor.aws.scheduling import CancelledError, Outcome, Scheduler, Step
from plangate.executor.aws.steps import Task, tasks_of
from plangate.executor.base import (
    ExecutionEvent,
    ExecutionReport,
    ExecutionStatus,
    Found,
    Observe,
    Scrub,
    Standing,
)
from plangate.model.aws_plan import AwsPlan, Change, decode_plan, encode_plan
from plangate.model.plan import Action

_MOST_LISTED: Final = 20
Evaluate = Callable[[AwsPlan, Mapping[str, Mapping[str, Any]]], Desired]
"""The template of a plan, which reads what is known of resources from a mapping that fills."""


class AwsOptions(Struct, frozen=True, kw_only=True):
    """How a plan is run.

    Attributes:
        workers: Resources that are changed at once.
        lock_wait_s: Seconds to wait for another run.
        resume: Go on with a run of the same plan that was cut off.
        patience: Multiplies the seconds that resources get to become ready.
    """

    workers: int = 10
    lock_wait_s: float = 0.0
    resume: bool = False
    patience: float = 1.0


class AwsExecutor:
    """An `Executor` for plans of ``plangate plan``.

    Args:
        kit: Connections, schemas, handlers.
        journal: Where steps are written down.
        lock: One run at a time.
        evaluate: Reads a plan's template.
        hidden: Digest of a value that AWS never tells.
        options: How.
        tool: Name and version, for the record.
    """

    def __init__(
        self,
        *,
        kit: Kit,
        journal: Journal,
        lock: Lock,
        evaluate: Evaluate,
        hidden: Callable[[Any], str],
        options: AwsOptions,
        tool: str,
    ) -> None:
        self._kit = kit
        self._journal = journal
        self._lock = lock
        self._evaluate = evaluate
        self._hidden = hidden
        self._options = options
        self._tool = tool

    def apply(
        self, approved: ApprovedPlan, plan: bytes, *, observe: Observe, scrub: Scrub
    ) -> ExecutionReport:
        """Run the plan. See `Executor.apply`.

        Raises:
            ReceiptError: ``plan`` is not what was approved; nothing ran.
            ExecutionError: It could not be started; nothing ran.
        """
        if not approved.genuine() or hashlib.sha256(plan).hexdigest() != approved.plan_sha256:
            raise ReceiptError("the plan's bytes are not those that were approved")
        try:
            document = decode_plan(plan)
        except ValueError as error:
            raise ExecutionError(f"the plan cannot be read: {error}; nothing ran") from error
        self._refuse_elsewhere(approved, document)
        tasks = tasks_of(document.changes)
        with self._lock.held(document.environment, self._options.lock_wait_s) as check:
            self._journal.lease(document.environment)
            run = self._begun(approved, document, check)
            self._refuse_changed(run)
            # Not before: a run that was refused has to leave the one that was cut off the newest.
            self._journal.begin(run.name, run.owner, approved.plan_sha256)
            self._remember_found(run)
            scheduler = Scheduler(self._options.workers, observe)
            counted: Counter[str] = Counter()
            outcome = scheduler.run([self._counted(run, task, counted, scrub) for task in tasks])
            report = self._report(run, outcome, counted, scrub)
            self._journal.end(run.name, INTERRUPTED if report.interrupted else report.status.value)
            return report

    def shut_off(self, plan: AwsPlan, address: str) -> str:
        """Shut off what a plan made, and say what was done.

        Raises:
            ExecutionError: It is not there, or nobody knows how.
        """
        owner = Owner(environment=plan.environment, stack=plan.stack)
        for known in self._journal.known(owner):
            if known.logical_id == address and not known.leaving:
                try:
                    return shut_off(self._kit.aws, known.type, known.identifier)
                except Exception as error:
                    if is_of_aws(error):
                        raise asked(error) from error
                    raise
        raise ExecutionError(f"nothing is known of {address}")

    # --- before ---

    def _refuse_elsewhere(self, approved: ApprovedPlan, document: AwsPlan) -> None:
        place = self._kit.aws.place
        if document.environment != approved.environment:
            raise ExecutionError(
                f"the plan is for {document.environment}, and was approved for {approved.environment}; nothing ran"
            )
        if document.region != place.region:
            raise ExecutionError(f"the plan is for {document.region}, not for {place.region}; nothing ran")
        if document.account != self._kit.aws.account:
            raise ExecutionError(
                f"the plan is for the account {document.account}, and the credentials are of"
                f" {self._kit.aws.account}; nothing ran"
            )

    def _begun(self, approved: ApprovedPlan, document: AwsPlan, check: Callable[[], None]) -> Run:
        owner = Owner(environment=document.environment, stack=document.stack)
        name = token_of(approved.plan_sha256, owner.environment, owner.stack, approved.decision_id)
        resumed: Mapping[str, StepRow] = {}
        if self._options.resume:
            runs = self._journal.runs(owner.environment)
            name = next((row.run for row in runs if row.plan == approved.plan_sha256 and _cut_off(row)), "")
            if not name:
                raise ExecutionError("there is no run of this plan that was cut off; nothing ran")
            resumed = self._journal.steps(name)
        attributes = {
            change.logical_id: change.attributes
            for change in document.changes
            if change.action in {Action.UPDATE, Action.NO_OP} and not change.deposed
        }
        return Run(
            name=name,
            plan=document,
            desired=self._evaluate(document, attributes),
            attributes=attributes,
            kit=self._kit,
            journal=self._journal,
            hidden=self._hidden,
            resumed=resumed,
            check=check,
            patience=self._options.patience,
        )

    def _refuse_changed(self, run: Run) -> None:
        """Everything is looked at once more before the first change.

        Raises:
            ExecutionError: Something is not what was judged.
        """
        changes = run.plan.changes
        types = {change.logical_id: change.type for change in changes}
        begun = frozenset(token_of(run.name, key) for key in run.resumed)
        actual = read_actual(run.owner, types, self._journal.known(run.owner), self._kit, begun=begun)
        touched = {key.partition(":")[2] for key in run.resumed}
        ours = {(kind, each.identifier, name): each for name, (kind, each) in actual.current.items()}
        ours |= {(*key, name): each for key, (name, each) in actual.leaving.items()}
        problems = []
        for change in changes:
            if change.key in touched or change.logical_id in touched:
                continue
            if change.before is None:
                part = self._part(run, change, actual)
                if change.logical_id in actual.current or part is not None:
                    problems.append(f"{change.key} exists since then")
                continue
            there = ours.get((change.type, change.identifier, change.logical_id))
            if there is None:
                there = self._part(run, change, actual)
            if there is None and change.identifier in self._handler(change).read(
                self._kit.aws, [change.identifier]
            ):
                problems.append(f"{change.key}: {change.identifier} is not known as this stack's")
                continue
            if there is None:
                problems.append(f"{change.key} is not there any more")
            elif names := drifted(change, there):
                problems.append(f"{change.key}: {', '.join(names)} changed since then")
        if problems:
            more = len(problems) - _MOST_LISTED
            listed = "; ".join(problems[:_MOST_LISTED]) + (f"; and {more} more" if more > 0 else "")
            raise ExecutionError(
                f"what is there is not what was judged: {listed}; nothing ran",
                hint="make a new plan and have it judged, or go on with --resume if a run of this one was cut off",
            )

    def _remember_found(self, run: Run) -> None:
        """What stays as it is, and was found by tags or as a part of something: the journal knows it from now on.

        Except what has values that AWS never tells: nobody knows what they were set to.
        """
        known = {(each.type, each.identifier) for each in self._journal.known(run.owner)}
        for change in run.plan.changes:
            schema = self._kit.schemas.of(change.type)
            untold = () if schema is None else schema.top(schema.write_only) & (change.after or {}).keys()
            if change.action == Action.NO_OP and not untold and (change.type, change.identifier) not in known:
                found = Known(
                    logical_id=change.logical_id,
                    type=change.type,
                    identifier=change.identifier,
                    deletion_policy=run.desired.policy(change.logical_id, "DeletionPolicy"),
                    depends_on=change.depends_on,
                )
                self._journal.remember(run.owner, found)

    def _part(self, run: Run, change: Change, actual: Actual) -> Present | None:
        """A resource without tags that the journal does not know, if it is a part of one of ours."""
        properties = change.before if change.before is not None else change.after or {}
        open_ = {at.split("/", 2)[1] for at in change.unknown} if change.before is None else set()
        handler = self._handler(change)
        if open_ & handler.key:
            return None
        found = part_of(
            actual.current.values(), handler, self._kit.aws, properties, run.owner, change.logical_id
        )
        return (
            found if found is None or change.before is None or found.identifier == change.identifier else None
        )

    def _handler(self, change: Change) -> Handler:
        found = self._kit.handler(change.type)
        if found is None:
            raise ExecutionError(f"nothing can make {change.type}; nothing ran")
        return found

    # --- while ---

    @staticmethod
    def _counted(run: Run, task: Task, counted: Counter[str], scrub: Scrub) -> Step:
        step = run.step(task)

        def act(say: Callable[[ExecutionEvent], None], pause: Callable[[float], None]) -> None:
            def counting(event: ExecutionEvent) -> None:
                counted[event.type] += 1
                say(replace(event, address=scrub(event.address), message=scrub(event.message)))

            step.act(counting, pause)

        return Step(key=step.key, needs=step.needs, act=act)

    # --- after ---

    def _report(self, run: Run, outcome: Outcome, counted: Counter[str], scrub: Scrub) -> ExecutionReport:
        problems = [
            f"{key.replace(':', ' ', 1)}: {said(error)}" for key, error in sorted(outcome.failed.items())
        ]
        if outcome.left:
            listed = ", ".join(key.replace(":", " ", 1) for key in outcome.left[:_MOST_LISTED])
            problems.append(f"not begun: {listed}")
        if outcome.interrupted:
            word = "nothing was waited for" if outcome.cut_off else "what had begun was finished"
            problems.append(f"interrupted; {word}; go on with --resume")
        followup, converged, left = (None, None, "") if outcome.cut_off else self._followup(run)
        status = ExecutionStatus.SUCCEEDED
        if problems:
            status = ExecutionStatus.FAILED
        elif not converged:
            status = ExecutionStatus.NOT_CONVERGED
            problems.append(left)
        return ExecutionReport(
            status=status,
            problems=tuple(scrub(problem) for problem in problems),
            events=dict(counted),
            tool=self._tool,
            followup=followup,
            failed=tuple(sorted(scrub(key.partition(":")[2]) for key in outcome.failed)),
            found=() if status is ExecutionStatus.SUCCEEDED else self._standings(run, outcome, scrub),
            look_again=lambda: self._followup(run)[0],
            converged=converged,
            interrupted=outcome.interrupted,
        )

    def _standings(self, run: Run, outcome: Outcome, scrub: Scrub) -> tuple[Found, ...]:
        """How everything stands that the plan was to change, by what the steps say."""
        steps = self._journal.steps(run.name)
        found = []
        for change in run.plan.changes:
            if change.action == Action.NO_OP:
                continue
            made, gone = steps.get(f"create:{change.key}"), steps.get(f"delete:{change.key}")
            if gone is not None and gone.done and made is None:
                standing = Standing.ABSENT
            elif (
                change.action == Action.REPLACE
                and made is not None
                and made.done
                and not (gone and gone.done)
            ):
                standing = Standing.DEPOSED
            elif change.before is not None or (made is not None and made.done):
                standing = Standing.EXISTS
            elif made is not None and made.identifier:
                standing = Standing.TAINTED
            elif made is not None and _nobody_knows(outcome.failed.get(f"create:{change.key}")):
                standing = Standing.UNKNOWN
            else:
                standing = Standing.ABSENT
            found.append(Found(address=scrub(change.key), standing=standing))
        return tuple(found)

    def _followup(self, run: Run) -> tuple[bytes | None, bool | None, str]:
        """A new plan: its document, whether it wants nothing, and else a sentence."""
        try:
            changes = self._wanted_now(run)
        except PlangateError as error:
            return None, None, f"a new plan could not be made: {error}"
        except Exception as error:  # noqa: BLE001 - AWS's answer, whatever it is
            return None, None, f"a new plan could not be made: {said(error)}"
        plan = replace(run.plan, changes=changes)
        again = sorted(f"{change.action} {change.key}" for change in changes if change.action != Action.NO_OP)
        sentence = f"a new plan wants more: {', '.join(again[:_MOST_LISTED])}" if again else ""
        return encode_plan(plan), not again, sentence

    def _wanted_now(self, run: Run) -> tuple[Change, ...]:
        """The changes that a new plan would make."""
        if run.plan.rollback:
            return tuple(change for change in run.plan.changes if self._there(change))
        attributes: dict[str, Mapping[str, Any]] = {}
        desired = self._evaluate(run.plan, attributes)
        return make_changes(desired, attributes, run.owner, self._journal.known(run.owner), self._kit)

    def _there(self, change: Change) -> bool:
        handler = self._kit.handler(change.type)
        return handler is None or change.identifier in handler.read(self._kit.aws, [change.identifier])


def _nobody_knows(error: BaseException | None) -> bool:
    """Whether a creation that ended so may have made something all the same."""
    return error is None or isinstance(error, CancelledError) or is_ambiguous(error)


def _cut_off(row: RunRow) -> bool:
    return row.ended in {"", INTERRUPTED, ExecutionStatus.FAILED.value}
