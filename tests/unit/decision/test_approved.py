"""Only a decision that allows, or a receipt for one, makes an approved plan."""

import copy
import dataclasses
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plangate.decision.approved import ApprovedPlan, NotApprovedError, approve, approve_receipt
from plangate.decision.decide import Judgement, Obligation, Result

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OWED = (Obligation(rule="r", address="a_b.c", message="m"),)
FIELDS: dict[str, Any] = {
    "decision_id": "01932f2e-0000-7000-8000-000000000000",
    "plan_sha256": "a" * 64,
    "environment": "prod",
    "expires": NOW + timedelta(hours=1),
    "nonce": "n-1",
}


def a_judgement(result: Result = Result.ALLOW) -> Judgement:
    return Judgement(
        result=result,
        reasons=(),
        weighed=(),
        obligations=OWED,
        waivers=(),
        approvals=(),
        evaluated=("r",),
        errored=(),
    )


def an_approved_plan() -> ApprovedPlan:
    return approve(a_judgement(), **FIELDS)


def test_an_allow_approves_exactly_what_was_judged() -> None:
    approved = an_approved_plan()
    assert {name: getattr(approved, name) for name in FIELDS} == FIELDS
    assert approved.obligations == OWED
    assert approved.genuine()
    assert approved == approve_receipt(**FIELDS, obligations=OWED, now=NOW)


@pytest.mark.parametrize("result", [Result.DENY, Result.ERROR])
def test_anything_but_an_allow_approves_nothing(result: Result) -> None:
    with pytest.raises(NotApprovedError, match=f"the decision is {result.value}, not allow"):
        approve(a_judgement(result), **FIELDS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("plan_sha256", ""),
        ("plan_sha256", "a" * 63),
        ("plan_sha256", "A" * 64),
        ("plan_sha256", "g" * 64),
        ("nonce", ""),
        ("decision_id", ""),
        ("expires", datetime(2027, 1, 1)),  # noqa: DTZ001 - naive on purpose
    ],
)
def test_an_approval_names_all_that_it_is_for(field: str, value: Any) -> None:
    with pytest.raises(NotApprovedError):
        approve(a_judgement(), **FIELDS | {field: value})


@pytest.mark.parametrize("late", [timedelta(0), timedelta(microseconds=1), timedelta(days=9)])
def test_a_receipt_that_has_expired_approves_nothing(late: timedelta) -> None:
    with pytest.raises(NotApprovedError, match="the receipt expired at 2026-11-23T13:00:00"):
        approve_receipt(**FIELDS, obligations=OWED, now=FIELDS["expires"] + late)


@pytest.mark.parametrize("seal", [None, object(), True, "seal"])
def test_nobody_else_makes_one(seal: object) -> None:
    with pytest.raises(NotApprovedError, match="only a decision makes an approved plan"):
        ApprovedPlan(**FIELDS, obligations=(), seal=seal)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("plan_sha256", "b" * 64),
        ("environment", "dev"),
        ("expires", NOW + timedelta(days=365)),
        ("nonce", "n-2"),
        ("decision_id", "another"),
        ("obligations", ()),
    ],
)
def test_the_seal_of_one_approval_does_not_fit_another(field: str, value: Any) -> None:
    approved = an_approved_plan()
    with pytest.raises(NotApprovedError):
        dataclasses.replace(approved, **{field: value})
    with pytest.raises(NotApprovedError):
        ApprovedPlan(**FIELDS | {"obligations": OWED, field: value}, seal=approved.seal)


def test_a_field_that_was_forced_in_is_seen() -> None:
    approved = an_approved_plan()
    object.__setattr__(approved, "plan_sha256", "b" * 64)
    assert not approved.genuine()
    hollow = object.__new__(ApprovedPlan)
    for name, value in FIELDS.items():
        object.__setattr__(hollow, name, value)
    object.__setattr__(hollow, "obligations", ())
    object.__setattr__(hollow, "seal", None)
    assert not hollow.genuine()


def test_a_subclass_is_not_an_approval() -> None:
    class Mine(ApprovedPlan):
        def genuine(self) -> bool:
            return True

    mine = Mine(**FIELDS, obligations=(), seal=None)
    assert not ApprovedPlan.genuine(mine)


def test_an_approval_is_neither_pickled_nor_multiplied() -> None:
    approved = an_approved_plan()
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="an approval stays in the process that gave it"):
            pickle.dumps(approved, protocol)
    assert copy.copy(approved) is approved
    assert copy.deepcopy({"x": approved})["x"] is approved


def test_an_approval_does_not_show_its_seal() -> None:
    assert "seal" not in repr(an_approved_plan())
