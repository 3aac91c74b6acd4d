"""What each kind of outcome does to a decision, case by case, as a person would ask."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plangate.decision.decide import Effect, Judgement, Obligation, Profile, Result, decide
from plangate.decision.outcome import Enforcement, OnUnknown, Outcome, RuleSpec, Severity, Status
from plangate.decision.waiver import Approval, Waiver

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DIGEST = "a" * 64


def a_rule(
    enforcement: Enforcement = Enforcement.MANDATORY, on_unknown: OnUnknown = OnUnknown.DENY
) -> RuleSpec:
    return RuleSpec(
        id="rule", title="Good", severity=Severity.HIGH, enforcement=enforcement, on_unknown=on_unknown
    )


def an_outcome(status: Status, **changes: Any) -> Outcome:
    return Outcome(**{"rule": "rule", "address": "a_b.c", "status": status, "message": "m"} | changes)


def decided(*outcomes: Outcome, rule: RuleSpec | None = None, **changes: Any) -> Judgement:
    fields: dict[str, Any] = {
        "rules": {"rule": rule or a_rule()},
        "matched_nothing": (),
        "profile": Profile(),
        "plan_sha256": DIGEST,
        "now": NOW,
    }
    return decide(outcomes, **fields | changes)


def a_waiver(**changes: Any) -> Waiver:
    fields: dict[str, Any] = {
        "rule": "rule",
        "address": "a_b.c",
        "owner": "o",
        "reason": "r",
        "expires": NOW + timedelta(days=1),
    }
    return Waiver(**fields | changes)


def an_approval(**changes: Any) -> Approval:
    fields: dict[str, Any] = {
        "rule": "rule",
        "plan_sha256": DIGEST,
        "approver": "ann",
        "expires": NOW + timedelta(days=1),
    }
    return Approval(**fields | changes)


@pytest.mark.parametrize(
    ("enforcement", "status", "result", "effect"),
    [
        (Enforcement.MANDATORY, Status.FAIL, Result.DENY, Effect.DENIES),
        (Enforcement.OVERRIDABLE, Status.FAIL, Result.DENY, Effect.DENIES),
        (Enforcement.ADVISORY, Status.FAIL, Result.ALLOW, Effect.WARNS),
        (Enforcement.MANDATORY, Status.UNKNOWN, Result.DENY, Effect.DENIES),
        (Enforcement.ADVISORY, Status.UNKNOWN, Result.ALLOW, Effect.WARNS),
        (Enforcement.MANDATORY, Status.ERROR, Result.ERROR, Effect.BLOCKS),
        (Enforcement.OVERRIDABLE, Status.ERROR, Result.ERROR, Effect.BLOCKS),
        (Enforcement.ADVISORY, Status.ERROR, Result.ALLOW, Effect.WARNS),
    ],
)
def test_enforcement_gives_an_outcome_its_weight(
    enforcement: Enforcement, status: Status, result: Result, effect: Effect
) -> None:
    outcome = an_outcome(status)
    judgement = decided(outcome, rule=a_rule(enforcement))
    assert (judgement.result, judgement.weighed) == (result, ((outcome, effect),))


@pytest.mark.parametrize("status", [Status.PASS, Status.NOT_APPLICABLE])
def test_a_good_outcome_allows_and_weighs_nothing(status: Status) -> None:
    judgement = decided(an_outcome(status))
    assert (judgement.result, judgement.weighed, judgement.evaluated) == (Result.ALLOW, (), ("rule",))


def test_an_unknown_that_nobody_will_look_at_denies_although_the_rule_would_have_it_checked() -> None:
    rule = a_rule(on_unknown=OnUnknown.OBLIGE)
    unchecked = an_outcome(Status.UNKNOWN, checkable=False)
    assert decided(unchecked, rule=rule).weighed[0][1] is Effect.DENIES
    lenient = Profile(unchecked_unknown_warns=True)
    assert decided(unchecked, rule=rule, profile=lenient).weighed[0][1] is Effect.WARNS
    assert decided(unchecked, rule=rule, profile=lenient).obligations == ()
    denying = a_rule(on_unknown=OnUnknown.DENY)
    assert decided(unchecked, rule=denying, profile=lenient).weighed[0][1] is Effect.DENIES
    strict = Profile(unchecked_unknown_warns=True, unknown_denies=True)
    assert decided(unchecked, rule=rule, profile=strict).weighed[0][1] is Effect.DENIES


def test_an_unknown_that_can_be_read_back_is_owed() -> None:
    rule = a_rule(on_unknown=OnUnknown.OBLIGE)
    judgement = decided(an_outcome(Status.UNKNOWN, path="/ip"), rule=rule)
    assert judgement.result is Result.ALLOW
    assert judgement.obligations == (Obligation(rule="rule", address="a_b.c", message="m", path="/ip"),)
    strict = decided(an_outcome(Status.UNKNOWN), rule=rule, profile=Profile(unknown_denies=True))
    assert (strict.result, strict.obligations) == (Result.DENY, ())


def test_a_waiver_lifts_one_rule_at_one_address_and_is_named() -> None:
    waiver = a_waiver()
    judgement = decided(an_outcome(Status.FAIL), waivers=[waiver])
    assert (judgement.result, judgement.waivers) == (Result.ALLOW, (waiver,))
    other = decided(an_outcome(Status.FAIL), an_outcome(Status.FAIL, address="a_b.d"), waivers=[waiver])
    assert (other.result, [effect for _, effect in other.weighed]) == (
        Result.DENY,
        [Effect.WAIVED, Effect.DENIES],
    )


@pytest.mark.parametrize(
    "change", [{"rule": "other"}, {"address": "a_b"}, {"address": "a_b.*"}, {"expires": NOW}]
)
def test_a_waiver_for_something_else_lifts_nothing(change: dict[str, Any]) -> None:
    judgement = decided(an_outcome(Status.FAIL), waivers=[a_waiver(**change)])
    assert (judgement.result, judgement.waivers) == (Result.DENY, ())


def test_of_two_waivers_for_the_same_the_longer_one_is_named() -> None:
    short, long = a_waiver(owner="z"), a_waiver(owner="a", expires=NOW + timedelta(days=2))
    for waivers in ([short, long], [long, short]):
        assert decided(an_outcome(Status.FAIL), waivers=waivers).waivers == (long,)


def test_an_approval_lifts_an_overridable_rule_on_this_plan() -> None:
    approval = an_approval()
    judgement = decided(an_outcome(Status.FAIL), rule=a_rule(Enforcement.OVERRIDABLE), approvals=[approval])
    assert (judgement.result, judgement.approvals) == (Result.ALLOW, (approval,))
    for change in ({"plan_sha256": "b" * 64}, {"rule": "other"}, {"expires": NOW}):
        lost = decided(
            an_outcome(Status.FAIL), rule=a_rule(Enforcement.OVERRIDABLE), approvals=[an_approval(**change)]
        )
        assert (lost.result, lost.approvals) == (Result.DENY, ())
    assert decided(an_outcome(Status.FAIL), approvals=[approval]).result is Result.DENY


def test_what_the_plan_does_not_touch_is_debt_unless_settings_gate_it() -> None:
    outcome = an_outcome(Status.FAIL, existing=True)
    assert decided(outcome).weighed == ((outcome, Effect.DEBT),)
    assert decided(outcome).result is Result.ALLOW
    assert decided(outcome, profile=Profile(gate_existing=True)).result is Result.DENY
    assert decided(an_outcome(Status.ERROR, existing=True)).result is Result.ERROR


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rules": {}}, "no rules are loaded, so nothing was judged"),
        ({"rules": {"rule": a_rule(), "mute": a_rule()}}, "rule mute said nothing about this plan"),
        ({"profile": Profile(required=frozenset({"must"}))}, "required rule must is not loaded"),
        (
            {"rules": {"other": a_rule()}, "matched_nothing": ["other"]},
            "outcomes of a rule that is not loaded: rule",
        ),
    ],
)
def test_why_no_decision_was_possible_is_said(changes: dict[str, Any], reason: str) -> None:
    judgement = decided(an_outcome(Status.PASS), **changes)
    assert judgement.result is Result.ERROR
    assert reason in judgement.reasons


def test_no_outcome_is_no_decision() -> None:
    judgement = decided(matched_nothing=["rule"])
    assert (judgement.result, judgement.reasons) == (
        Result.ERROR,
        ("no rule reported any outcome, so nothing was judged",),
    )


def test_a_rule_that_found_nothing_in_its_scope_is_rightly_silent() -> None:
    rules = {"rule": a_rule(), "quiet": a_rule()}
    assert decided(an_outcome(Status.PASS), rules=rules, matched_nothing=["quiet"]).result is Result.ALLOW


def test_a_decision_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        decided(an_outcome(Status.PASS), now=datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose


@pytest.mark.parametrize("make", [a_waiver, an_approval])
def test_what_lifts_has_a_time_zone_and_names_everything(make: Any) -> None:
    with pytest.raises(ValueError, match="time zone"):
        make(expires=datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose
    for field in set(make().__struct_fields__) - {"expires", "input"}:
        with pytest.raises(ValueError, match="names its"):
            make(**{field: ""})


def test_two_waivers_for_one_address_in_two_inputs_both_count() -> None:
    outcomes = [an_outcome(Status.FAIL, input=name) for name in ("one", "two", "three")]
    judgement = decided(*outcomes, waivers=[a_waiver(input="one"), a_waiver(input="two")])
    assert {o.input: effect for o, effect in judgement.weighed} == {
        "one": Effect.WAIVED,
        "two": Effect.WAIVED,
        "three": Effect.DENIES,
    }
