"""From bytes to a decision that is in the log. Steps are numbered as in docs/explanation/the-road.md."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import replace

from plangate.audit.base import Entry
from plangate.audit.decision_record import decision_record
from plangate.audit.merkle import leaf_hash
from plangate.audit.record import Stamp
from plangate.decision.conditions import CONDITIONS, READ_CONDITION, conditions
from plangate.decision.decide import Judgement, Result, decide
from plangate.decision.document import InputRead, PlanSummary, Subject, decision_document, timestamp
from plangate.decision.outcome import Outcome, RuleSpec, Status
from plangate.errors import AuditError, CannotDecideError, NothingToJudgeError
from plangate.facts.registry import plan_with_facts
from plangate.gate.parts import (
    Decision,
    Gate,
    Judge,
    JudgedInput,
    Judging,
    PlanInput,
    Run,
    Said,
    Unrecorded,
    Weighing,
)
from plangate.gate.raw import judge_raw, judge_together, report
from plangate.model.document import plan_document, unknown_as_text
from plangate.model.plan import Plan
from plangate.model.prior import prior_plan
from plangate.model.redaction import Redactor
from plangate.policy.numbers import with_whole_numbers

_ENCODER = msgspec.json.Encoder(enc_hook=unknown_as_text, decimal_format="number")
_CANONICAL = msgspec.json.Encoder(order="sorted")
_EXECUTED = frozenset({
    "aws-plan", "cloudformation-recorded-change-set", "kubernetes-plan", "terraform-plan",
})  # fmt: skip
"""Formats that an executor of ours runs, and so looks at what became of them."""
_WORSE = frozenset({Status.FAIL, Status.UNKNOWN})


def check(gate: Gate, run: Run) -> Decision:
    """Judge the gate's inputs together and record the decision.

    An input that cannot be read, a rule set that cannot be asked: those are recorded too, as a decision with the
    result ``error`` and the ``problem`` that caused it.

    Raises:
        AuditError: The decision could not be recorded, so there is none.
    """
    weighed = weigh(gate, run)
    # 5. The decision is in the log, durably, before anybody hears of it.
    gate.judging.progress("recording the decision")
    return recorded(weighed, gate.log.append(weighed.record, idempotency_key=weighed.key))


def recorded(weighed: Unrecorded, entry: Entry) -> Decision:
    """The decision that this has become, now that it is in the log.

    Args:
        weighed: What was to be recorded.
        entry: What the log gave for exactly these bytes.

    Raises:
        AuditError: It is the entry of another record.
    """
    if leaf_hash(weighed.record) != entry.leaf_hash:
        raise AuditError("the log's answer is about another record")
    place = {"index": entry.index, "size": entry.size, "root": entry.root.hex()}
    return Decision(
        judgement=weighed.judgement,
        document={**weighed.document, "log": place},
        entry=entry,
        record=weighed.record,
        plan=weighed.plan,
        outcomes=weighed.outcomes,
        redactor=weighed.redactor,
        problem=weighed.problem,
        results=weighed.results,
    )


def weigh(gate: Weighing, run: Run) -> Unrecorded:
    """Judge the inputs together, up to the record that has to be written before there is a decision.

    Raises:
        AuditError: There is no record that could say it.
    """
    judged = _judged(gate, run)
    subject = _together([each.read.subject for each in judged])
    problems = [each.problem for each in judged if each.problem is not None]
    if len(problems) == len(judged):
        # What is wrong with all of them is said once.
        return _undecided(gate, subject, run, judged, *{str(each): each for each in problems}.values())
    # 3. Nothing leaves with a secret in it.
    redactor = Redactor(frozenset().union(*(each.secrets for each in judged)), gate.redaction_key)
    rules = _specs(gate)
    together = judge_together(gate.judging.raw_judge, judged)
    outcomes = list(_clean([*_outcomes(judged, rules), *together.outcomes], redactor))
    # 4. Outcomes to a judgement.
    matched_nothing = frozenset.intersection(
        *(each.matched_nothing for each in judged if each.problem is None)
    ) - {outcome.rule for outcome in together.outcomes}
    judgement = decide(
        outcomes,
        rules=rules,
        matched_nothing=matched_nothing,
        profile=gate.profile,
        plan_sha256=subject.sha256,
        waivers=gate.waivers
        if len(judged) > 1
        else [w for w in gate.waivers if w.input in {"", subject.name}],
        approvals=gate.approvals,
        now=run.now,
    )
    timings: dict[str, int] = {}
    for each in judged:
        for step, milliseconds in each.milliseconds.items():
            timings[step] = timings.get(step, 0) + milliseconds
    reads = [
        replace(each.read, problem=redactor.text(each.read.problem))
        if each.problem is not None
        else each.read
        for each in judged
    ]
    document = _document(
        gate, subject, run, reads, judgement, outcomes, matched_nothing, timings, rules=rules
    )
    plan = judged[0].plan if len(judged) == 1 else None
    weighed = _weighed(run, document, judgement, plan, outcomes, redactor, None)
    return replace(weighed, results=report(judged, together, redactor))


def _judged(gate: Weighing, run: Run) -> list[JudgedInput]:
    """Every input, judged. When the judging as a whole fails, each has that problem."""
    inputs = gate.judging.inputs
    if not inputs:
        raise CannotDecideError("there is nothing to judge")
    problem: CannotDecideError | None = None
    judged: list[JudgedInput | None] = []
    try:
        judged += (
            gate.pool() if gate.pool is not None else (judge_input(gate.judging, i, run) for i in inputs)
        )
    except CannotDecideError as error:
        problem = error
    except Exception as error:  # noqa: BLE001 - whatever broke: it is no decision, and that is recorded
        problem = _broken(error)
    if problem is None and len(judged) != len(inputs):
        problem = CannotDecideError("some inputs were not judged")
    plans = [each for each in judged if each is not None]
    if problem is None and not plans:
        problem = NothingToJudgeError(
            f"nothing to judge: none of the {len(judged)} files is a plan of any kind",
            hint="name the plan itself, to be told why it is not taken for one",
        )
    if problem is not None:
        return [_unjudged(each, problem) for each in inputs]
    covered = frozenset().union(*(each.covers for each in plans))
    return [each for number, each in enumerate(judged) if each is not None and number not in covered]


def _unjudged(each: PlanInput, problem: CannotDecideError) -> JudgedInput:
    return JudgedInput(
        read=InputRead(subject=each.subject(), plan=None, problem=str(problem)), problem=problem
    )


def _together(subjects: Sequence[Subject]) -> Subject:
    """The one subject, or all of them as one: its digest is over the lines of digest, two spaces, name."""
    if len(subjects) == 1:
        return subjects[0]
    lines = sorted(f"{subject.sha256}  {subject.name}\n" for subject in subjects)
    return Subject(
        name=f"{len(subjects)} inputs",
        sha256=hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest(),
        size=sum(subject.size for subject in subjects),
        media_type="application/vnd.plangate.inputs",
    )


def judge_input(judging: Judging, each: PlanInput, run: Run) -> JudgedInput | None:
    """Steps 1 and 2 for one input; ``None`` for what is no plan. Whatever goes wrong is its own ``problem``."""
    started = judging.milliseconds()
    try:
        # 1. Bytes to plan. The digest was taken before, of the bytes as handed in.
        judging.progress(f"reading {each.name}")
        found = each.parse()
        if found is None:
            return None
        plan = plan_with_facts(replace(found, environment=run.environment, time=timestamp(run.now)))
        parsed = judging.milliseconds()
        # 2. Plan to outcomes: what must hold of the plan, then built-in rules, then policies.
        judging.progress(f"judging {len(plan.resources)} resources of {each.name}")
        outcomes, matched_nothing = judge(judging, plan)
        if plan.source.format not in _EXECUTED:
            outcomes = [replace(o, checkable=False) if o.status is Status.UNKNOWN else o for o in outcomes]
        raw = judge_raw(judging.raw_judge, each)
    except CannotDecideError as problem:
        return _unjudged(each, problem)
    except Exception as error:  # noqa: BLE001 - as above
        return _unjudged(each, _broken(error))
    summary = PlanSummary(
        format=plan.source.format,
        tool=plan.source.tool,
        changes=plan.changes,
        resources=len(plan.resources),
        unmodelled=plan.unmodelled,
    )
    return JudgedInput(
        read=InputRead(subject=each.subject(), plan=summary),
        outcomes=[*outcomes, *raw.said.outcomes],
        matched_nothing=frozenset(matched_nothing) | raw.silent,
        secrets=plan.secrets,
        plan=plan,
        covers=each.covers(),
        results=raw.said.results,
        raw=raw.kept,
        milliseconds={"parse": parsed - started, "judge": judging.milliseconds() - parsed},
    )


def _outcomes(judged: Sequence[JudgedInput], rules: Iterable[str]) -> Iterator[Outcome]:
    """The outcomes of all inputs, each with its input's name if there are several.

    `decide` looks for rules that said nothing at all. One that spoke of another input has to be found here.
    """
    if len(judged) == 1:
        yield from judged[0].outcomes
        return
    for each in judged:
        name = each.read.subject.name
        if each.problem is not None:
            hint = f" ({each.problem.hint})" if each.problem.hint else ""
            yield Outcome(
                rule=READ_CONDITION,
                address="",
                status=Status.ERROR,
                message=f"{each.problem}{hint}",
                input=name,
            )
            continue
        spoke = {outcome.rule for outcome in each.outcomes} | each.matched_nothing
        for rule in sorted(set(rules) - spoke):
            yield Outcome(
                rule=READ_CONDITION,
                address="",
                status=Status.ERROR,
                message=f"rule {rule} said nothing about this input",
                input=name,
            )
        for outcome in each.outcomes:
            yield replace(outcome, input=name)


def _clean(outcomes: Iterable[Outcome], redactor: Redactor) -> Iterator[Outcome]:
    clean = cache(redactor.text)  # rules say the same of many resources
    for outcome in outcomes:
        place = outcome.location
        if not outcome.message and (place is None or clean(place.file) == place.file):
            yield outcome
            continue
        message = clean(outcome.message)
        if place is not None and clean(place.file) != place.file:
            place = replace(place, file=clean(place.file))
        same = message == outcome.message and place is outcome.location
        yield outcome if same else replace(outcome, message=message, location=place)


def _document(
    gate: Weighing,
    subject: Subject,
    run: Run,
    inputs: Sequence[InputRead],
    judgement: Judgement,
    outcomes: Iterable[Outcome],
    matched_nothing: Iterable[str],
    timings_ms: Mapping[str, int],
    *,
    rules: Mapping[str, RuleSpec],
) -> dict[str, Any]:
    return decision_document(
        decision_id=run.decision_id,
        time=run.now,
        environment=run.environment,
        subject=subject,
        inputs=inputs,
        outcomes=outcomes,
        judgement=judgement,
        rules=rules,
        matched_nothing=matched_nothing,
        disabled=gate.disabled,
        weakened=gate.weakened,
        policy=gate.policy,
        timings_ms=timings_ms,
        mode=run.mode,
        request=run.request,
    )


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


def judge(judging: Judging, plan: Plan) -> tuple[list[Outcome], list[str]]:
    """What conditions, built-in rules and policies say of a plan with facts; and the rules that are rightly silent."""
    outcomes: list[Outcome] = []
    matched_nothing: list[str] = []
    earlier: Sequence[Callable[[], Said]] = ()
    for answer in ask(judging.judges, plan):
        said, silent = answer()
        outcomes += said
        matched_nothing += silent
        if not earlier and any(o.existing and o.status in _WORSE for o in said):
            # Asked already now, so that this side works while policies are evaluated on the other.
            earlier = ask(judging.judges, plan_with_facts(prior_plan(plan)))
    whole = conditions(plan, allow_incomplete=judging.allow_incomplete)
    return [*whole, *_without_false_debt(outcomes, earlier)], matched_nothing


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
        outcomes: What the judges say of the change. Conditions look at no neighbours.
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
    return with_whole_numbers(_ENCODER.encode(plan_document(plan)))


def _specs(gate: Weighing) -> dict[str, RuleSpec]:
    specs = dict(CONDITIONS)
    loaded = [judge.specs for judge in gate.judging.judges]
    if gate.judging.raw_judge is not None:
        loaded.append(gate.judging.raw_judge.specs)
    for each in loaded:
        specs |= each
    # The conditions alone judge nothing: a gate without any rule of its own has no rules.
    return specs if any(loaded) else {}


def _undecided(
    gate: Weighing, subject: Subject, run: Run, judged: Sequence[JudgedInput], *problems: CannotDecideError
) -> Unrecorded:
    redactor = Redactor((), gate.redaction_key)
    judgement = Judgement(
        result=Result.ERROR,
        reasons=tuple(redactor.text(str(problem)) for problem in problems),
        weighed=(),
        obligations=(),
        waivers=(),
        approvals=(),
        evaluated=(),
        errored=(),
    )
    reads = [replace(each.read, problem=redactor.text(each.read.problem)) for each in judged]
    document = _document(gate, subject, run, reads, judgement, (), (), {}, rules=_specs(gate))
    return _weighed(run, document, judgement, None, (), redactor, _all(problems))


def _all(problems: Sequence[CannotDecideError]) -> CannotDecideError:
    if len(problems) == 1:
        return problems[0]
    listed = "".join(f"\n  {problem}" for problem in problems)
    return CannotDecideError(f"none of the inputs could be judged:{listed}")


def _weighed(
    run: Run,
    document: dict[str, Any],
    judgement: Judgement,
    plan: Plan | None,
    outcomes: Iterable[Outcome],
    redactor: Redactor,
    problem: CannotDecideError | None,
) -> Unrecorded:
    stamp = Stamp(id=run.decision_id, now=run.now, actor=run.actor)
    record = decision_record(stamp, document, decision_sha256=canonical_sha256(document))
    return Unrecorded(
        judgement=judgement,
        document=document,
        record=record.encode(),
        key=record.idempotency_key,
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
