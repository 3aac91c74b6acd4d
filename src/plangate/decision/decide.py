"""The decision: a total function from what the rules said to allow, deny or "could not decide".

Promises, each a property test of the same name:
    deny trumps allow; order does not matter; error never allows; no rules, no approval; silence never passes;
    waivers only lift what they name; an outcome more never turns deny into allow, once every rule has reported.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from msgspec import Struct

from plangate.decision.outcome import Enforcement, OnUnknown, Outcome, RuleSpec, Status
from plangate.decision.waiver import Approval, Waiver

_K = TypeVar("_K")
_V = TypeVar("_V")


_FINE: Final = frozenset({Status.PASS, Status.NOT_APPLICABLE})
_Place = tuple[str, str, str]
"""Rule, address and input."""


def _place(outcome: Outcome) -> _Place:
    return outcome.rule, outcome.address, outcome.input


class Result(StrEnum):
    """The word that decides. Only ``ALLOW`` lets anything run."""

    ALLOW = "allow"
    DENY = "deny"
    ERROR = "error"


class Effect(StrEnum):
    """What one outcome did to the decision."""

    NONE = "none"
    WARNS = "warns"
    DENIES = "denies"
    BLOCKS = "blocks"
    """It makes a decision impossible."""
    OBLIGES = "obliges"
    WAIVED = "waived"
    APPROVED = "approved"
    DEBT = "debt"
    """A failure of something the plan does not touch."""


class Obligation(Struct, frozen=True, kw_only=True):
    """What the executor has to check on the real resource after apply."""

    rule: str
    address: str
    message: str
    path: str = ""
    input: str = ""


class Profile(Struct, frozen=True, kw_only=True):
    """How strict a gate is.

    Attributes:
        unknown_denies: ``strict``: an unknown denies whatever the rule's ``on_unknown`` says.
        unchecked_unknown_warns: An unknown that would be an obligation, if somebody checked it afterwards, only warns
            where nobody does: in source, manifests and templates.
        gate_existing: Failures of resources that the plan does not change deny as well.
        required: Ids of rules that must have reported; a missing one makes a decision impossible.
    """

    unknown_denies: bool = False
    unchecked_unknown_warns: bool = False
    gate_existing: bool = False
    required: frozenset[str] = frozenset()


class Judgement(Struct, frozen=True, kw_only=True):
    """The decision, with what determined it. Every tuple is sorted, so equal inputs give equal judgements.

    Attributes:
        result: Allow, deny, or error for "could not decide".
        reasons: Sentences for what is not about one outcome: no rules, a missing required rule, rules that are silent.
        weighed: Every outcome that is not a plain pass or not-applicable, with its effect.
        obligations: What has to be checked after apply.
        waivers: Waivers that lifted something.
        approvals: Approvals that lifted something.
        evaluated: Ids of the rules that reported, sorted.
        errored: Ids of the rules with an error outcome, sorted.
    """

    result: Result
    reasons: tuple[str, ...]
    weighed: tuple[tuple[Outcome, Effect], ...]
    obligations: tuple[Obligation, ...]
    waivers: tuple[Waiver, ...]
    approvals: tuple[Approval, ...]
    evaluated: tuple[str, ...]
    errored: tuple[str, ...]


def decide(
    outcomes: Iterable[Outcome],
    *,
    rules: Mapping[str, RuleSpec],
    matched_nothing: Iterable[str],
    profile: Profile,
    plan_sha256: str,
    waivers: Sequence[Waiver] = (),
    approvals: Sequence[Approval] = (),
    now: datetime,
) -> Judgement:
    """Combine what the rules said into one judgement.

    A failure of a mandatory rule denies; of an overridable one too, unless an approval bound to this plan covers it;
    of an advisory one warns. An unknown denies or becomes an obligation. An error in anything that is not advisory,
    a rule that said nothing, no rules, or no outcome at all: no decision.

    Args:
        outcomes: One per rule and resource in its scope, in any order.
        rules: Every rule that was loaded, by id.
        matched_nothing: Ids of loaded rules that found no resource in their scope, and so are rightly silent.
        profile: How strict to be.
        plan_sha256: Digest that approvals have to name.
        waivers: Counted while ``now < expires``.
        approvals: Counted while ``now < expires``, for overridable rules only.
        now: Aware time of the run.

    Raises:
        ValueError: ``now`` is naive.
    """
    if now.tzinfo is None:
        raise ValueError("the time of a decision needs a time zone")
    # Sorted, so that of two that say the same the one that lasts longer is named, in whatever order they came.
    outcomes = tuple(outcomes)
    lifted = _lifted((waiver for waiver in waivers if now < waiver.expires), outcomes)
    approved = {
        approval.rule: approval
        for approval in sorted(approvals, key=lambda a: (a.expires, a.approver))
        if now < approval.expires and approval.plan_sha256 == plan_sha256
    }
    weighed: list[tuple[Outcome, Effect]] = []
    reported: set[str] = set()
    unregistered: set[str] = set()
    for outcome in outcomes:
        reported.add(outcome.rule)
        spec = rules.get(outcome.rule)
        if spec is None:
            unregistered.add(outcome.rule)
            continue
        if outcome.status in _FINE:
            continue
        weighed.append((outcome, _effect(outcome, spec, profile, lifted, approved)))
    reasons = _reasons(rules, reported, unregistered, frozenset(matched_nothing), profile)
    effects = {effect for _, effect in weighed}
    if reasons or Effect.BLOCKS in effects:
        result = Result.ERROR
    elif Effect.DENIES in effects:
        result = Result.DENY
    else:
        result = Result.ALLOW
    ordered = tuple(
        sorted(
            weighed, key=lambda item: (item[0].rule, item[0].input, item[0].address, item[0].path, repr(item))
        )
    )
    return Judgement(
        result=result,
        reasons=reasons,
        weighed=ordered,
        obligations=tuple(
            Obligation(rule=o.rule, address=o.address, message=o.message, path=o.path, input=o.input)
            for o, effect in ordered
            if effect is Effect.OBLIGES
        ),
        waivers=_used((_place(o) for o, effect in ordered if effect is Effect.WAIVED), lifted),
        approvals=_used((o.rule for o, effect in ordered if effect is Effect.APPROVED), approved),
        evaluated=tuple(sorted(reported)),
        errored=tuple(sorted({o.rule for o, _ in ordered if o.status is Status.ERROR})),
    )


def _lifted(waivers: Iterable[Waiver], outcomes: Iterable[Outcome]) -> Mapping[_Place, Waiver]:
    """The waiver of each place that one names. One that names no input counts only where there is no other."""
    found: dict[_Place, Waiver] = {}
    listed = sorted(waivers, key=lambda w: (w.expires, w.owner, w.reason))
    if not listed:
        return found
    inputs: dict[tuple[str, str], set[str]] = {}
    for outcome in outcomes:
        inputs.setdefault((outcome.rule, outcome.address), set()).add(outcome.input)
    for waiver in listed:
        places = inputs.get((waiver.rule, waiver.address), set())
        if waiver.input:
            places = places & {waiver.input, ""}
        elif len(places) > 1:
            continue
        found |= {(waiver.rule, waiver.address, place): waiver for place in places}
    return found


def _effect(  # noqa: PLR0911 - every return answers one numbered question
    outcome: Outcome,
    spec: RuleSpec,
    profile: Profile,
    lifted: Mapping[_Place, Waiver],
    approved: Mapping[str, Approval],
) -> Effect:
    """What one outcome that is not a pass does. The order of the questions is the policy."""
    if spec.enforcement is Enforcement.ADVISORY:
        return Effect.WARNS
    if outcome.status is Status.ERROR:
        # 1. An error is not a finding: nobody can waive or approve what was never judged.
        return Effect.BLOCKS
    if outcome.address and _place(outcome) in lifted:
        # 2. A waiver lifts the one rule on the one address that it names.
        return Effect.WAIVED
    if outcome.existing and not profile.gate_existing:
        # 3. What the plan does not touch is debt.
        return Effect.DEBT
    if (
        outcome.status is Status.UNKNOWN
        and spec.on_unknown is OnUnknown.OBLIGE
        and not profile.unknown_denies
    ):
        # 4. An unknown that can be read back is checked after apply; one that nobody reads back denies.
        if outcome.checkable:
            return Effect.OBLIGES
        if profile.unchecked_unknown_warns:
            return Effect.WARNS
    if spec.enforcement is Enforcement.OVERRIDABLE and outcome.rule in approved:
        # 5. A person's yes to this very plan lifts an overridable rule.
        return Effect.APPROVED
    return Effect.DENIES


def _reasons(
    rules: Mapping[str, RuleSpec],
    reported: set[str],
    unregistered: set[str],
    matched_nothing: frozenset[str],
    profile: Profile,
) -> tuple[str, ...]:
    reasons: list[str] = []
    if not rules:
        reasons.append("no rules are loaded, so nothing was judged")
    elif not reported:
        reasons.append("no rule reported any outcome, so nothing was judged")
    reasons += [f"required rule {rule} is not loaded" for rule in sorted(profile.required - rules.keys())]
    reasons += [
        f"rule {rule} said nothing about this plan"
        for rule in sorted(rules.keys() - reported - matched_nothing)
    ]
    reasons += [f"outcomes of a rule that is not loaded: {rule}" for rule in sorted(unregistered)]
    return tuple(reasons)


def _used(keys: Iterable[_K], available: Mapping[_K, _V]) -> tuple[_V, ...]:
    return tuple(available[key] for key in sorted(set(keys), key=repr))
