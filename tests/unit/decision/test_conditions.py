"""What has to be true of a plan as a whole."""

from typing import Any

import pytest

from plangate.decision.conditions import CONDITIONS, conditions
from plangate.decision.outcome import Status
from plangate.model.plan import Action, Check
from tests.builders import a_plan, a_resource


def said(*, allow_incomplete: bool = False, **plan: Any) -> dict[str, tuple[Status, str]]:
    outcomes = conditions(a_plan(**plan), allow_incomplete=allow_incomplete)
    return {outcome.rule: (outcome.status, outcome.message) for outcome in outcomes}


def test_every_condition_reports_on_every_plan() -> None:
    assert said() == dict.fromkeys(CONDITIONS, (Status.PASS, ""))


@pytest.mark.parametrize(
    ("plan", "rule", "status", "message"),
    [
        ({"errored": True}, "plan-not-errored", Status.ERROR, "the tool failed while making this plan"),
        (
            {"complete": False},
            "plan-complete",
            Status.FAIL,
            "the plan leaves changes out (made with -target, or some are deferred)",
        ),
        ({"opaque": ("a", "b")}, "plan-fully-read", Status.UNKNOWN, "a; b"),
        (
            {"checks": (Check(address="check.c", kind="check", status="fail", problems=("down", "late")),)},
            "plan-checks-hold",
            Status.FAIL,
            "check.c: down; late",
        ),
        (
            {"checks": (Check(address="check.c", kind="check", status="error"),)},
            "plan-checks-hold",
            Status.FAIL,
            "check.c: status error",
        ),
    ],
)
def test_a_plan_that_is_not_whole_says_so(
    plan: dict[str, Any], rule: str, status: Status, message: str
) -> None:
    assert said(**plan) == dict.fromkeys(CONDITIONS, (Status.PASS, "")) | {rule: (status, message)}


def test_an_incomplete_plan_passes_only_when_the_settings_say_so_and_that_is_recorded() -> None:
    assert said(complete=False, allow_incomplete=True)["plan-complete"] == (
        Status.NOT_APPLICABLE,
        "the plan is incomplete, and unsafe_allow_incomplete is set",
    )


def test_what_brings_resources_along_that_nobody_sees_is_not_fully_read_at_its_own_address() -> None:
    chart = a_resource("helm_release.web", {"chart": "web"})
    gone = a_resource("helm_release.old", action=Action.DELETE)
    found = [
        (o.address, o.status, o.existing)
        for o in conditions(a_plan(chart, gone), allow_incomplete=False)
        if o.rule == "plan-fully-read"
    ]
    assert found == [("", Status.PASS, False), ("helm_release.web", Status.UNKNOWN, False)]
