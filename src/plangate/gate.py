"""The one road: bytes → plan → outcomes → decision → log → receipt, and from an allow to the executor.

Every entry point calls `check` or `apply`; a rule that holds in one holds in all. Steps are numbered as in
docs/explanation/the-road.md. Nothing here knows a concrete parser, engine, store or executor: `Gate` carries them.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Protocol

import msgspec

from plangate.audit import event_records as records
from plangate.audit.base import Entry, Log
from plangate.audit.decision_record import decision_record
from plangate.audit.receipt import claim
from plangate.audit.record import Actor, Stamp
from plangate.decision.approved import ApprovedPlan
from plangate.decision.conditions import CONDITIONS, conditions
from plangate.decision.decide import Judgement, Obligation, Profile, Result, decide
from plangate.decision.document import (
    PlanSummary,
    PolicyUsed,
    Subject,
    decision_document,
)
from plangate.decision.outcome import Outcome, RuleSpec, Status
from plangate.decision.waiver import Approval, Waiver
from plangate.errors import AuditError, CannotDecideError, ExecutionError, ReceiptError
from plangate.executor.base import ExecutionEvent, ExecutionReport, ExecutionStatus, Executor
from plangate.facts.registry import with_facts
from plangate.model.document import plan_document, unknown_as_text
from plangate.model.plan import Plan
from plangate.model.prior import prior_plan
from plangate.model.redaction import Redactor

_ENCODER = msgspec.json.Encoder(enc_hook=unknown_as_text, decimal_format="number")
_CANONICAL = msgspec.json.Encoder(order="sorted")
_WORSE = frozenset({Status.FAIL, Status.UNKNOWN})


class Judge(Protocol):
    """A set of rules in one language: what is loaded, and what it says of a plan."""

    @property
    def specs(self) -> Mapping[str, RuleSpec]:
        """Every loaded rule by id."""

    def judge(self, plan: Plan, document: Callable[[], bytes]) -> tuple[Sequence[Outcome], Sequence[str]]:
        """Outcomes, and the ids of rules that found nothing in their scope.

        Args:
            plan: The plan with facts.
            document: Gives the plan document as JSON bytes, made once.

        Raises:
            CannotDecideError: The rules could not be asked.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is true of one run and taken once, before it starts.

    Attributes:
        now: Aware time of the decision.
        decision_id: UUIDv7.
        environment: Where the plan is meant to be applied.
        actor: Who asks.
    """

    now: datetime
    decision_id: str
    environment: str
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Everything concrete that the road needs, chosen in `plangate.wiring`.

    Attributes:
        parse: Reads what is to be judged.
        judges: Built-in rules and policies.
        log: Where decisions are recorded.
        policy: Digest, engine and sources of what judges.
        profile: How strict to be.
        allow_incomplete: Let plans with ``-target`` through.
        waivers: Waivers of the settings.
        approvals: Approvals that came with the run.
        disabled: Ids of rules that the settings turned off.
        weakened: Ids of rules that the settings enforce less than they say of themselves.
        redaction_key: Key of the placeholders.
        stamp: A fresh record stamp for "now".
        milliseconds: A clock for timings.
        progress: Told what is going on, for people.
    """

    parse: Callable[[], Plan]
    judges: Sequence[Judge]
    log: Log
    policy: PolicyUsed
    profile: Profile
    allow_incomplete: bool
    waivers: Sequence[Waiver]
    approvals: Sequence[Approval]
    disabled: Sequence[str]
    weakened: Sequence[str]
    redaction_key: bytes
    stamp: Callable[[], Stamp]
    milliseconds: Callable[[], int]
    progress: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision that is in the log.

    Attributes:
        judgement: Result and what determined it.
        document: ``plangate.dev/decision/v1``, with ``log``.
        entry: Where its record is in the log.
        record: The record's bytes.
        plan: What was judged; ``None`` when it could not be read.
        outcomes: Everything that the rules said, redacted.
        redactor: Removes the plan's secrets from any other text.
        problem: Why no decision was possible, when an error was the reason.
    """

    judgement: Judgement
    document: Mapping[str, Any]
    entry: Entry
    record: bytes
    plan: Plan | None
    outcomes: Sequence[Outcome]
    redactor: Redactor
    problem: CannotDecideError | None


def check(gate: Gate, subject: Subject, run: Run) -> Decision:
    """Judge one plan and record the decision.

    An input that cannot be read, a rule set that cannot be asked: those are recorded too, as a decision with the
    result ``error`` and the ``problem`` that caused it.

    Raises:
        AuditError: The decision could not be recorded, so there is none.
    """
    timings: dict[str, int] = {}
    started = gate.milliseconds()
    try:
        # 1. Bytes to plan. The digest was taken before, of the bytes as handed in.
        gate.progress("reading the plan")
        plan = replace(gate.parse(), environment=run.environment)
        plan = replace(plan, resources=with_facts(plan.resources))
        timings["parse"] = gate.milliseconds() - started
        # 2. Plan to outcomes: what must hold of the plan, then built-in rules, then policies.
        gate.progress(f"judging {len(plan.resources)} resources")
        outcomes, matched_nothing = _judge(gate, plan)
        timings["judge"] = gate.milliseconds() - started - timings["parse"]
    except CannotDecideError as problem:
        return _undecided(gate, subject, run, problem)
    except Exception as error:  # noqa: BLE001 - whatever broke: it is no decision, and that is recorded
        return _undecided(gate, subject, run, _broken(error))
    # 3. Nothing leaves with a secret in it.
    redactor = Redactor(plan.secrets, gate.redaction_key)
    clean = cache(redactor.text)  # rules say the same of many resources
    outcomes = [replace(o, message=clean(o.message)) if o.message else o for o in outcomes]
    # 4. Outcomes to a judgement.
    rules = _specs(gate)
    judgement = decide(
        outcomes,
        rules=rules,
        matched_nothing=matched_nothing,
        profile=gate.profile,
        plan_sha256=subject.sha256,
        waivers=gate.waivers,
        approvals=gate.approvals,
        now=run.now,
    )
    summary = PlanSummary(
        format=plan.source.format,
        tool=plan.source.tool,
        changes=plan.changes,
        resources=len(plan.resources),
        unmodelled=plan.unmodelled,
    )
    document = decision_document(
        decision_id=run.decision_id,
        time=run.now,
        environment=run.environment,
        subject=subject,
        plan=summary,
        outcomes=outcomes,
        judgement=judgement,
        rules=rules,
        matched_nothing=matched_nothing,
        disabled=gate.disabled,
        weakened=gate.weakened,
        policy=gate.policy,
        timings_ms=timings,
    )
    return _recorded(gate, run, document, judgement, plan, outcomes, redactor, None)


def _broken(error: Exception) -> CannotDecideError:
    """What a bug of ours becomes: where it is, and never the values that it stumbled over."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is not None:
        code = trace.tb_frame.f_code
        place = f" at {code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}"
    else:
        place = ""
    problem = CannotDecideError(
        f"internal error: {type(error).__name__}{place}", hint="this is a bug in plangate; please report it"
    )
    problem.__cause__ = error
    return problem


def _judge(gate: Gate, plan: Plan) -> tuple[list[Outcome], list[str]]:
    outcomes = list(conditions(plan, allow_incomplete=gate.allow_incomplete))
    matched_nothing: list[str] = []
    said, silent = _ask(gate.judges, plan)
    outcomes += said
    matched_nothing += silent
    return _without_false_debt(gate, plan, outcomes), matched_nothing


def _ask(judges: Iterable[Judge], plan: Plan) -> tuple[list[Outcome], list[str]]:
    encoded: list[bytes] = []

    def document() -> bytes:
        if not encoded:
            encoded.append(encode_plan(plan))
        return encoded[0]

    outcomes: list[Outcome] = []
    matched_nothing: list[str] = []
    for judge in judges:
        said, silent = judge.judge(plan, document)
        outcomes += said
        matched_nothing += silent
    return outcomes, matched_nothing


def _without_false_debt(gate: Gate, plan: Plan, outcomes: list[Outcome]) -> list[Outcome]:
    """Outcomes on untouched resources count as existing only if they were no better before the change.

    What another resource's change does to an untouched one is this plan's doing. Judging a second time, on what is
    there now, is the one test of that which holds for every rule in every language.
    """
    if not any(o.existing and o.status in _WORSE for o in outcomes):
        return outcomes
    before = prior_plan(plan)
    said, _ = _ask(gate.judges, replace(before, resources=with_facts(before.resources)))
    earlier = {(o.rule, o.address): o for o in said if o.status in _WORSE}
    return [
        replace(o, existing=False) if o.existing and _is_new(o, earlier.get((o.rule, o.address))) else o
        for o in outcomes
    ]


def _is_new(outcome: Outcome, earlier: Outcome | None) -> bool:
    """Whether a failure is another one than before. What failed before and is now unknown is not news."""
    if outcome.status not in _WORSE:
        return False
    if earlier is None:
        return True
    same = (outcome.status, outcome.message, outcome.path) == (earlier.status, earlier.message, earlier.path)
    return outcome.status is Status.FAIL and not same


def encode_plan(plan: Plan) -> bytes:
    """The plan document as JSON bytes, in clear: for judging only."""
    return _ENCODER.encode(plan_document(plan))


def _specs(gate: Gate) -> dict[str, RuleSpec]:
    specs = dict(CONDITIONS)
    for judge in gate.judges:
        specs |= judge.specs
    # The conditions alone judge nothing: a gate without any rule of its own has no rules.
    return specs if any(judge.specs for judge in gate.judges) else {}


def _undecided(gate: Gate, subject: Subject, run: Run, problem: CannotDecideError) -> Decision:
    redactor = Redactor((), gate.redaction_key)
    judgement = Judgement(
        result=Result.ERROR,
        reasons=(redactor.text(str(problem)),),
        weighed=(),
        obligations=(),
        waivers=(),
        approvals=(),
        evaluated=(),
        errored=(),
    )
    document = decision_document(
        decision_id=run.decision_id,
        time=run.now,
        environment=run.environment,
        subject=subject,
        plan=None,
        outcomes=(),
        judgement=judgement,
        rules=_specs(gate),
        matched_nothing=(),
        disabled=gate.disabled,
        weakened=gate.weakened,
        policy=gate.policy,
        timings_ms={},
    )
    return _recorded(gate, run, document, judgement, None, (), redactor, problem)


def _recorded(
    gate: Gate,
    run: Run,
    document: dict[str, Any],
    judgement: Judgement,
    plan: Plan | None,
    outcomes: Iterable[Outcome],
    redactor: Redactor,
    problem: CannotDecideError | None,
) -> Decision:
    # 5. The decision is in the log, durably, before anybody hears of it.
    gate.progress("recording the decision")
    stamp = Stamp(id=run.decision_id, now=run.now, actor=run.actor)
    record = decision_record(stamp, document, decision_sha256=canonical_sha256(document)).encode()
    entry = gate.log.append(record, idempotency_key=f"decision:{run.decision_id}")
    document["log"] = {"index": entry.index, "size": entry.size, "root": entry.root.hex()}
    return Decision(
        judgement=judgement,
        document=document,
        entry=entry,
        record=record,
        plan=plan,
        outcomes=tuple(outcomes),
        redactor=redactor,
        problem=problem,
    )


def canonical_sha256(document: Mapping[str, Any]) -> str:
    """Hex digest of a decision document's canonical JSON (RFC 8785) without ``log``.

    A decision document holds no fractions and no keys beyond ASCII, for which sorted compact JSON is canonical.
    """
    return hashlib.sha256(_CANONICAL.encode({k: v for k, v in document.items() if k != "log"})).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedObligation:
    """One obligation after apply: ``met``, ``broken`` or ``unknown``, which counts as broken."""

    obligation: Obligation
    result: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
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
        done = self.report.status is ExecutionStatus.SUCCEEDED
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

    Raises:
        ReceiptError: This plan was executed or begun before, or is not what was approved. Nothing ran.
        AuditError: The start could not be recorded. Nothing ran.
        ExecutionError: It could not be started, or its end could not be recorded.
    """
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
    )
    claim(gate.log, started)
    written = 0

    def observe(event: ExecutionEvent) -> None:
        nonlocal written
        said = records.execution_event(
            gate.stamp(),
            decision_id=approved.decision_id,
            sequence=written,
            event=event.type,
            address=event.address,
            action=event.action,
            message=scrub(event.message),
        )
        gate.log.append(said.encode(), idempotency_key=said.idempotency_key)
        written += 1
        watch(event)

    def finished(result: str, report: ExecutionReport | None, message: str) -> Entry:
        clean = report is not None and report.status in {
            ExecutionStatus.SUCCEEDED,
            ExecutionStatus.CHECKS_FAILED,
        }
        changes = report is not None and report.status is ExecutionStatus.NOT_CONVERGED
        said = records.execution_finished(
            gate.stamp(),
            decision_id=approved.decision_id,
            plan_sha256=approved.plan_sha256,
            result=result,
            exit_code=None,
            events=written,
            follow_up="clean" if clean else "changes" if changes else "unknown",
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
    gate.progress("checking obligations")
    checked = _check_obligations(gate, approved, report, follow_up, scrub)
    for number, item in enumerate(checked):
        said = records.obligation_checked(
            gate.stamp(),
            decision_id=approved.decision_id,
            rule=item.obligation.rule,
            address=item.obligation.address,
            path=item.obligation.path,
            result=item.result,
            message=item.message,
            attempt=number + 1,
        )
        gate.log.append(said.encode(), idempotency_key=said.idempotency_key)
    # 9. The end is recorded.
    good = report.status is ExecutionStatus.SUCCEEDED and all(item.result == "met" for item in checked)
    broken = [f"{item.obligation.rule} at {item.obligation.address}: {item.message}" for item in checked
              if item.result != "met"]  # fmt: skip
    entry = finished("succeeded" if good else "failed", report, "; ".join([*report.problems, *broken]))
    return Execution(report=report, obligations=checked, entry=entry)


def _check_obligations(
    gate: Gate,
    approved: ApprovedPlan,
    report: ExecutionReport,
    follow_up: Callable[[bytes], Plan],
    scrub: Callable[[str], str],
) -> list[CheckedObligation]:
    if not approved.obligations:
        return []
    said: dict[tuple[str, str], list[Outcome]] = {}
    problem = "the executor could not read the resources back"
    if report.followup is not None:
        try:
            plan = follow_up(report.followup)
            plan = replace(plan, resources=with_facts(plan.resources))
            for outcome in _judge(gate, plan)[0]:
                said.setdefault((outcome.rule, outcome.address), []).append(outcome)
            problem = "the rule said nothing about it after apply"
        except CannotDecideError as error:
            problem = str(error)
    checked = []
    for obligation in approved.obligations:
        outcomes = said.get((obligation.rule, obligation.address), [])
        statuses = {outcome.status for outcome in outcomes}
        if outcomes and statuses <= {Status.PASS, Status.NOT_APPLICABLE}:
            result, message = "met", ""
        elif Status.FAIL in statuses:
            result, message = "broken", "; ".join(o.message for o in outcomes if o.status is Status.FAIL)
        else:
            result, message = "unknown", "; ".join(o.message for o in outcomes if o.message) or problem
        checked.append(CheckedObligation(obligation=obligation, result=result, message=scrub(message)))
    return checked
