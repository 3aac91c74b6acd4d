"""From bytes to a decision that is in the log. Steps are numbered as in docs/explanation/the-road.md."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec

from plangate.audit.decision_record import decision_record
from plangate.audit.record import Stamp
from plangate.decision.conditions import CONDITIONS, conditions
from plangate.decision.decide import Judgement, Result, decide
from plangate.decision.document import PlanSummary, Subject, decision_document
from plangate.decision.outcome import Outcome, RuleSpec, Status
from plangate.errors import CannotDecideError
from plangate.facts.registry import plan_with_facts
from plangate.gate.parts import Decision, Gate, Judge, Run, Said
from plangate.model.document import plan_document, unknown_as_text
from plangate.model.plan import Plan
from plangate.model.prior import prior_plan
from plangate.model.redaction import Redactor

_ENCODER = msgspec.json.Encoder(enc_hook=unknown_as_text, decimal_format="number")
_CANONICAL = msgspec.json.Encoder(order="sorted")
_WORSE = frozenset({Status.FAIL, Status.UNKNOWN})


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
        plan = plan_with_facts(plan)
        timings["parse"] = gate.milliseconds() - started
        # 2. Plan to outcomes: what must hold of the plan, then built-in rules, then policies.
        gate.progress(f"judging {len(plan.resources)} resources")
        outcomes, matched_nothing = judge(gate, plan)
        timings["judge"] = gate.milliseconds() - started - timings["parse"]
    except CannotDecideError as problem:
        return _undecided(gate, subject, run, problem)
    except Exception as error:  # noqa: BLE001 - whatever broke: it is no decision, and that is recorded
        return _undecided(gate, subject, run, _broken(error))
    # 3. Nothing leaves with a secret in it.
    redactor = Redactor(plan.secrets, gate.redaction_key)
    clean = cache(redactor.text)  # rules say the same of many resources
    outcomes = [
        o if clean(o.message) == o.message else replace(o, message=clean(o.message)) for o in outcomes
    ]
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


def judge(gate: Gate, plan: Plan) -> tuple[list[Outcome], list[str]]:
    """What conditions, built-in rules and policies say of a plan with facts; and the rules that are rightly silent."""
    outcomes = list(conditions(plan, allow_incomplete=gate.allow_incomplete))
    matched_nothing: list[str] = []
    earlier: Sequence[Callable[[], Said]] = ()
    for answer in ask(gate.judges, plan):
        said, silent = answer()
        outcomes += said
        matched_nothing += silent
        if not earlier and any(o.existing and o.status in _WORSE for o in said):
            # Asked already now, so that this side works while policies are evaluated on the other.
            earlier = ask(gate.judges, plan_with_facts(prior_plan(plan)))
    return _without_false_debt(outcomes, earlier), matched_nothing


def ask(judges: Iterable[Judge], plan: Plan) -> list[Callable[[], Said]]:
    """Ask all of these judges about a plan with facts. The plan document is encoded once, if anybody asks for it."""
    encoded: list[bytes] = []

    def document() -> bytes:
        if not encoded:
            encoded.append(encode_plan(plan))
        return encoded[0]

    return [judge.ask(plan, document) for judge in judges]


def _without_false_debt(outcomes: list[Outcome], before: Sequence[Callable[[], Said]]) -> list[Outcome]:
    """Outcomes on untouched resources count as existing only if they were no better before the change.

    What another resource's change does to an untouched one is this plan's doing. Judging a second time, on what is
    there now, is the one test of that which holds for every rule in every language.

    Args:
        outcomes: Of the change.
        before: The answers of all judges about what is there now; none when nothing untouched fails.
    """
    earlier: dict[tuple[str, str], list[Outcome]] = {}
    for answer in before:
        for outcome in answer()[0]:
            if outcome.status in _WORSE:
                earlier.setdefault((outcome.rule, outcome.address), []).append(outcome)
    return [
        replace(o, existing=False) if o.existing and _is_new(o, earlier.get((o.rule, o.address), ())) else o
        for o in outcomes
    ]


def _is_new(outcome: Outcome, earlier: Sequence[Outcome]) -> bool:
    """Whether a failure is another one than before. What failed before and is now unknown is not news."""
    if outcome.status is Status.UNKNOWN:
        return not earlier
    found = (outcome.status, outcome.message, outcome.path)
    return outcome.status is Status.FAIL and all(found != (o.status, o.message, o.path) for o in earlier)


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
