"""The promises of the decision, each a theorem over any rules, outcomes, waivers, approvals and profiles."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from plangate.decision.decide import Effect, Judgement, Profile, Result, decide
from plangate.decision.document import InputRead, PlanSummary, PolicyUsed, Subject, decision_document
from plangate.decision.outcome import Enforcement, OnUnknown, Outcome, RuleSpec, Severity, Status
from plangate.decision.waiver import Approval, Waiver
from plangate.gate import canonical_sha256
from plangate.model.plan import Location

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
DIGEST: Final = "a" * 64
RULES: Final = ("r1", "r2", "r3", "r4")
ADDRESSES: Final = ("a_b.c", "a_b.d", 'module.m["x"].a_b.e')
EXPIRES: Final = st.sampled_from(
    [NOW - timedelta(days=1), NOW, NOW + timedelta(microseconds=1), NOW + timedelta(days=9)]
)
GOOD: Final = frozenset({Status.PASS, Status.NOT_APPLICABLE})


class Case(Struct, frozen=True, dict=True):
    """Everything that a decision depends on."""

    rules: Mapping[str, RuleSpec]
    outcomes: tuple[Outcome, ...]
    matched_nothing: tuple[str, ...]
    profile: Profile
    waivers: tuple[Waiver, ...]
    approvals: tuple[Approval, ...]

    def decide(self, **changes: Any) -> Judgement:
        """The judgement, with some of it changed."""
        given = {name: getattr(self, name) for name in self.__struct_fields__} | changes
        outcomes = given.pop("outcomes")
        return decide(outcomes, plan_sha256=DIGEST, now=NOW, **given)


SPECS: Final = st.builds(
    RuleSpec,
    id=st.just(""),
    title=st.just("A thing is good"),
    severity=st.sampled_from(Severity),
    enforcement=st.sampled_from(Enforcement),
    on_unknown=st.sampled_from(OnUnknown),
)
OUTCOMES: Final = st.builds(
    Outcome,
    rule=st.sampled_from(RULES),
    address=st.sampled_from(("", *ADDRESSES)),
    status=st.sampled_from(Status),
    message=st.sampled_from(["", "it is not"]),
    existing=st.booleans(),
)
WAIVERS: Final = st.builds(
    Waiver,
    rule=st.sampled_from(RULES),
    address=st.sampled_from(ADDRESSES),
    owner=st.sampled_from(["team-a", "team-b"]),
    reason=st.just("known"),
    expires=EXPIRES,
)
APPROVALS: Final = st.builds(
    Approval,
    rule=st.sampled_from(RULES),
    plan_sha256=st.sampled_from([DIGEST, "b" * 64]),
    approver=st.sampled_from(["ann", "bob"]),
    expires=EXPIRES,
)
PROFILES: Final = st.builds(
    Profile,
    unknown_denies=st.booleans(),
    gate_existing=st.booleans(),
    required=st.frozensets(st.sampled_from(("r1", "r9")), max_size=1),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any case, more often one in which every rule has reported than chance would have it."""
    names = draw(st.lists(st.sampled_from(RULES), unique=True))
    rules = {name: replace(draw(SPECS), id=name) for name in names}
    outcomes = draw(st.lists(OUTCOMES, max_size=8))
    if draw(st.booleans()):
        outcomes = [outcome for outcome in outcomes if outcome.rule in rules]
    matched_nothing: list[str] = draw(st.lists(st.sampled_from(RULES), max_size=2))
    if draw(st.booleans()):
        matched_nothing = sorted(rules.keys() - {outcome.rule for outcome in outcomes})
    return Case(
        rules=rules,
        outcomes=tuple(outcomes),
        matched_nothing=tuple(matched_nothing),
        profile=draw(PROFILES),
        waivers=tuple(draw(st.lists(WAIVERS, max_size=3))),
        approvals=tuple(draw(st.lists(APPROVALS, max_size=3))),
    )


def everyone_reported(case: Case) -> bool:
    reported = {outcome.rule for outcome in case.outcomes}
    return bool(reported) and case.rules.keys() <= reported | set(case.matched_nothing)


# --- A second decision, slow and in the words of the design --------------------------------------------------


def lifted_by_waiver(case: Case, outcome: Outcome) -> bool:
    return any(
        waiver.rule == outcome.rule and waiver.address == outcome.address != "" and waiver.expires > NOW
        for waiver in case.waivers
    )


def lifted_by_approval(case: Case, outcome: Outcome) -> bool:
    return case.rules[outcome.rule].enforcement is Enforcement.OVERRIDABLE and any(
        approval.rule == outcome.rule and approval.expires > NOW and approval.plan_sha256 == DIGEST
        for approval in case.approvals
    )


def denies(case: Case, outcome: Outcome) -> bool:
    """Whether one outcome is a reason to deny."""
    spec = case.rules[outcome.rule]
    if outcome.status not in {Status.FAIL, Status.UNKNOWN} or spec.enforcement is Enforcement.ADVISORY:
        return False
    if lifted_by_waiver(case, outcome) or (outcome.existing and not case.profile.gate_existing):
        return False
    if (
        outcome.status is Status.UNKNOWN
        and spec.on_unknown is OnUnknown.OBLIGE
        and not case.profile.unknown_denies
    ):
        return False
    return not lifted_by_approval(case, outcome)


def slow_result(case: Case) -> Result:
    """The result, from the definition: not decided unless everybody spoke and nobody stumbled."""
    reported = {outcome.rule for outcome in case.outcomes}
    undecided = (
        not case.rules
        or not reported
        or not case.profile.required <= case.rules.keys()
        or not case.rules.keys() <= reported | set(case.matched_nothing)
        or not reported <= case.rules.keys()
    )
    if undecided or any(
        outcome.status is Status.ERROR and case.rules[outcome.rule].enforcement is not Enforcement.ADVISORY
        for outcome in case.outcomes
    ):
        return Result.ERROR
    return Result.DENY if any(denies(case, outcome) for outcome in case.outcomes) else Result.ALLOW


@given(cases())
def test_the_decision_agrees_with_its_definition(case: Case) -> None:
    assert case.decide().result is slow_result(case)


# --- Theorems ------------------------------------------------------------------------------------------------


@given(cases())
def test_deny_trumps_allow(case: Case) -> None:
    judgement = case.decide()
    if any(effect is Effect.DENIES for _, effect in judgement.weighed):
        assert judgement.result is not Result.ALLOW


@given(cases(), st.randoms(use_true_random=False))
def test_order_does_not_matter(case: Case, chance: random.Random) -> None:
    def shuffled(items: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(chance.sample(items, len(items)))

    assert case.decide() == case.decide(
        outcomes=shuffled(case.outcomes),
        waivers=shuffled(case.waivers),
        approvals=shuffled(case.approvals),
        matched_nothing=shuffled(case.matched_nothing),
        rules={name: case.rules[name] for name in shuffled(list(case.rules))},
    )


@given(cases(), OUTCOMES)
def test_error_never_allows(case: Case, outcome: Outcome) -> None:
    spec = case.rules.get(outcome.rule)
    assume(spec is None or spec.enforcement is not Enforcement.ADVISORY)
    error = replace(outcome, status=Status.ERROR)
    assert case.decide(outcomes=(*case.outcomes, error)).result is Result.ERROR


@given(cases())
def test_no_rules_no_approval(case: Case) -> None:
    assert case.decide(rules={}).result is Result.ERROR
    assert case.decide(rules={}, outcomes=()).reasons[0] == "no rules are loaded, so nothing was judged"


@given(cases())
def test_silence_never_passes(case: Case) -> None:
    """A loaded rule that neither reported nor found its scope empty makes a decision impossible."""
    silent = case.rules.keys() - {outcome.rule for outcome in case.outcomes} - set(case.matched_nothing)
    judgement = case.decide()
    if silent:
        assert judgement.result is Result.ERROR
    assert {f"rule {name} said nothing about this plan" for name in silent} <= set(judgement.reasons)


@given(cases())
def test_no_outcome_at_all_never_passes(case: Case) -> None:
    assert case.decide(outcomes=(), matched_nothing=tuple(case.rules)).result is Result.ERROR


@given(cases())
def test_a_missing_required_rule_never_allows(case: Case) -> None:
    profile = replace(case.profile, required=case.profile.required | {"r9"})
    judgement = case.decide(profile=profile)
    assert judgement.result is Result.ERROR
    assert "required rule r9 is not loaded" in judgement.reasons


@given(cases(), OUTCOMES)
def test_once_every_rule_has_reported_an_outcome_more_never_turns_deny_into_allow(
    case: Case, more: Outcome
) -> None:
    assume(everyone_reported(case))
    before, after = case.decide().result, case.decide(outcomes=(*case.outcomes, more)).result
    strength = [Result.ALLOW, Result.DENY, Result.ERROR]
    assert strength.index(after) >= strength.index(before)


@given(cases())
def test_waivers_only_lift_what_they_name(case: Case) -> None:
    """Without its waivers a decision differs only in outcomes at a rule and an address that a live one names."""
    named = {(waiver.rule, waiver.address) for waiver in case.waivers if waiver.expires > NOW}
    without = dict(case.decide(waivers=()).weighed)
    for outcome, effect in case.decide().weighed:
        if (outcome.rule, outcome.address) not in named:
            assert effect is without[outcome]
        if effect is Effect.WAIVED:
            assert (outcome.rule, outcome.address) in named
            assert outcome.status is not Status.ERROR
            assert outcome.address != ""


@given(cases())
def test_an_expired_waiver_lifts_nothing(case: Case) -> None:
    expired = tuple(replace(waiver, expires=NOW) for waiver in case.waivers)
    assert case.decide(waivers=expired) == case.decide(waivers=())


@given(cases())
def test_an_approval_for_another_plan_lifts_nothing(case: Case) -> None:
    other = tuple(replace(approval, plan_sha256="b" * 64) for approval in case.approvals)
    assert case.decide(approvals=other) == case.decide(approvals=())


@given(cases())
def test_an_approval_never_lifts_a_mandatory_rule(case: Case) -> None:
    rules = {name: replace(spec, enforcement=Enforcement.MANDATORY) for name, spec in case.rules.items()}
    judgement = case.decide(rules=rules)
    assert judgement == case.decide(rules=rules, approvals=())
    assert judgement.approvals == ()


@given(cases())
def test_an_error_can_be_neither_waived_nor_approved(case: Case) -> None:
    for outcome, effect in case.decide().weighed:
        if outcome.status is Status.ERROR:
            advisory = case.rules[outcome.rule].enforcement is Enforcement.ADVISORY
            assert effect is (Effect.WARNS if advisory else Effect.BLOCKS)


@given(cases())
def test_an_unknown_denies_or_obliges_or_is_lifted_by_name_and_never_vanishes(case: Case) -> None:
    judgement = case.decide()
    weighed = dict(judgement.weighed)
    owed = {(obligation.rule, obligation.address) for obligation in judgement.obligations}
    for outcome in case.outcomes:
        if outcome.status is Status.UNKNOWN and outcome.rule in case.rules:
            effect = weighed[outcome]
            assert effect is not Effect.NONE
            if effect is Effect.OBLIGES:
                assert (outcome.rule, outcome.address) in owed
            elif effect is Effect.WARNS:
                assert case.rules[outcome.rule].enforcement is Enforcement.ADVISORY
            elif effect is Effect.DEBT:
                assert outcome.existing
            else:
                assert effect in {Effect.DENIES, Effect.WAIVED, Effect.APPROVED}


@given(cases())
def test_strict_obliges_nobody(case: Case) -> None:
    """Each unknown of a rule that is not advisory, on what the plan touches, denies unless a person lifted it."""
    judgement = case.decide(profile=replace(case.profile, unknown_denies=True, gate_existing=True))
    assert judgement.obligations == ()
    for outcome, effect in judgement.weighed:
        if (
            outcome.status is Status.UNKNOWN
            and case.rules[outcome.rule].enforcement is not Enforcement.ADVISORY
        ):
            assert effect in {Effect.DENIES, Effect.WAIVED, Effect.APPROVED}


@given(cases())
def test_a_stricter_profile_never_turns_deny_into_allow(case: Case) -> None:
    strict = replace(case.profile, unknown_denies=True, gate_existing=True)
    if case.decide().result is not Result.ALLOW:
        assert case.decide(profile=strict).result is not Result.ALLOW


@given(cases())
def test_debt_is_only_what_the_plan_does_not_touch(case: Case) -> None:
    for outcome, effect in case.decide().weighed:
        assert effect is not Effect.DEBT or (outcome.existing and not case.profile.gate_existing)


@given(cases())
def test_outcomes_of_a_rule_that_is_not_loaded_never_allow(case: Case) -> None:
    stranger = Outcome(rule="stranger", address="", status=Status.PASS)
    assert case.decide(outcomes=(*case.outcomes, stranger)).result is Result.ERROR


@given(cases())
def test_an_allow_means_that_every_loaded_rule_spoke_and_nothing_stands_against_it(case: Case) -> None:
    judgement = case.decide()
    if judgement.result is Result.ALLOW:
        assert judgement.reasons == ()
        assert everyone_reported(case)
        assert {effect for _, effect in judgement.weighed} <= set(Effect) - {
            Effect.DENIES,
            Effect.BLOCKS,
            Effect.NONE,
        }


# --- The document --------------------------------------------------------------------------------------------

TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def decision_documents(draw: st.DrawFn) -> dict[str, Any]:
    """Any decision document, with texts of any script in every place that may hold one."""
    case = draw(cases())
    outcomes = tuple(
        replace(
            outcome,
            message=draw(TEXTS),
            path=draw(TEXTS),
            location=draw(st.none() | st.builds(Location, file=TEXTS, line=st.integers(0, 10**6))),
        )
        for outcome in case.outcomes
    )
    summary = PlanSummary(
        format="terraform-plan",
        tool=draw(TEXTS),
        changes={"create": draw(st.integers(0, 10**6))},
        resources=draw(st.integers(0, 10**6)),
        unmodelled=draw(st.lists(TEXTS, max_size=2)),
    )
    subject = Subject(
        name=draw(TEXTS), sha256=DIGEST, size=draw(st.integers(0, 2**40)), media_type="application/json"
    )
    return decision_document(
        decision_id="01932f2e-0000-7000-8000-000000000000",
        time=draw(st.datetimes(timezones=st.just(UTC))),
        environment=draw(TEXTS),
        subject=subject,
        inputs=[InputRead(subject=subject, plan=draw(st.none() | st.just(summary)), problem=draw(TEXTS))],
        outcomes=outcomes,
        judgement=case.decide(outcomes=outcomes),
        rules={
            name: replace(spec, title=draw(TEXTS), remediation=draw(TEXTS))
            for name, spec in case.rules.items()
        },
        matched_nothing=case.matched_nothing,
        disabled=draw(st.lists(TEXTS, max_size=2)),
        weakened=draw(st.lists(TEXTS, max_size=2)),
        policy=PolicyUsed(
            sha256=DIGEST,
            engine=draw(TEXTS),
            sources=draw(st.lists(TEXTS, max_size=2)),
            settings_sha256=DIGEST,
        ),
        timings_ms={"parse": draw(st.integers(0, 10**6))},
    )


@given(decision_documents())
def test_the_digest_of_a_decision_is_that_of_its_canonical_json(document: dict[str, Any]) -> None:
    canonical = hashlib.sha256(rfc8785.dumps(document)).hexdigest()
    assert canonical_sha256(document) == canonical
    assert canonical_sha256({**document, "log": {"index": 1, "size": 2, "root": DIGEST}}) == canonical


@given(decision_documents())
def test_every_outcome_that_is_not_good_is_listed_with_its_effect(document: dict[str, Any]) -> None:
    loaded = {outcome["rule"] for outcome in document["outcomes"] if "effect" in outcome}
    for outcome in document["outcomes"]:
        if outcome["rule"] in loaded:
            assert ("effect" in outcome) == (outcome["outcome"] not in GOOD)
    listed = [outcome["outcome"] for outcome in document["outcomes"]]
    assert document["counts"] == {status.value: listed.count(status.value) for status in Status}
