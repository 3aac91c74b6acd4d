"""What is said to be there after a failure, from what terraform told and from its state."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.executor.base import Standing
from plangate.executor.terraform_events import Heard
from plangate.executor.terraform_found import what_is_there
from plangate.executor.terraform_json import ShownPlan, ShownState

ACTIONS = [["create"], ["update"], ["delete"], ["delete", "create"], ["create", "delete"]]


def a_plan(*changes: tuple[str, list[str]], **more: str) -> ShownPlan:
    listed = [{"address": address, "change": {"actions": actions}} | more for address, actions in changes]
    return msgspec.convert({"format_version": "1.2", "resource_changes": listed}, ShownPlan)


def a_state(*resources: dict[str, Any]) -> ShownState:
    inner = {"resources": list(resources[1:])}
    outer = {"resources": list(resources[:1]), "child_modules": [{"child_modules": [inner]}]}
    return msgspec.convert({"format_version": "1.0", "values": {"root_module": outer}}, ShownState)


def heard(*events: str) -> Heard:
    """``start x``, ``complete x create``, ``errored x``, ``broke-off x``."""
    found = Heard()
    for event in events:
        word, address, *action = event.split()
        if word == "start":
            found.started[address] += 1
            continue
        found.ended[address] += 1
        if word == "complete":
            found.completed[address, action[0]] += 1
        else:
            found.failed.add(address)
        if word == "errored":
            found.explained.add(address)
    return found


HERE = {"address": "x.a"}


@pytest.mark.parametrize(
    ("actions", "state", "said", "standing"),
    [
        (["create"], [HERE], ["start x.a", "complete x.a create"], Standing.EXISTS),
        (["create"], [], [], Standing.ABSENT),
        (["create"], [], ["start x.a", "errored x.a"], Standing.ABSENT),
        (["create"], [HERE | {"tainted": True}], ["start x.a", "errored x.a"], Standing.TAINTED),
        # Begun, and the program was killed: it may be there, whatever the state says.
        (["create"], [], ["start x.a"], Standing.UNKNOWN),
        (["update"], [HERE], ["start x.a"], Standing.UNKNOWN),
        # The provider broke off: nobody knows what the cloud did.
        (["create"], [], ["start x.a", "broke-off x.a"], Standing.UNKNOWN),
        (["update"], [HERE], ["start x.a", "broke-off x.a"], Standing.UNKNOWN),
        # Terraform took the answer for wrong, which no error of the provider's names: it was made.
        (["create"], [HERE | {"tainted": True}], ["start x.a", "broke-off x.a"], Standing.TAINTED),
        # Done, and the state could not be saved.
        (["create"], [], ["start x.a", "complete x.a create"], Standing.UNRECORDED),
        (["delete"], [HERE], ["start x.a", "complete x.a delete"], Standing.UNRECORDED),
        (["delete"], [], ["start x.a", "complete x.a delete"], Standing.ABSENT),
        (["delete"], [HERE], [], Standing.EXISTS),
        (["delete", "create"], [HERE], [], Standing.EXISTS),
        (["delete", "create"], [], ["start x.a", "complete x.a delete"], Standing.ABSENT),
        (
            ["delete", "create"],
            [HERE],
            ["start x.a", "complete x.a delete", "start x.a", "complete x.a create"],
            Standing.EXISTS,
        ),
        (
            ["create", "delete"],
            [HERE, HERE | {"deposed_key": "0a1b2c3d"}],
            ["start x.a", "complete x.a create", "start x.a", "errored x.a"],
            Standing.DEPOSED,
        ),
        (
            ["create", "delete"],
            [HERE],
            ["start x.a", "complete x.a create", "start x.a", "complete x.a delete"],
            Standing.EXISTS,
        ),
    ],
)
def test_a_resource_stands_as_both_witnesses_say(
    actions: list[str], state: list[dict[str, Any]], said: list[str], standing: Standing
) -> None:
    (found,) = what_is_there(a_plan(("x.a", actions)), a_state(*state), heard(*said))
    assert (found.address, found.standing) == ("x.a", standing)


def test_what_was_moved_is_found_where_it_was() -> None:
    plan = a_plan(("x.new", ["update"]), previous_address="x.a")
    assert [f.standing for f in what_is_there(plan, a_state(HERE), heard())] == [Standing.EXISTS]


def test_only_what_was_to_change_is_told_and_each_once() -> None:
    plan = a_plan(
        ("x.b", ["create"]), ("x.k", ["no-op"]), ("x.r", ["read"]), ("x.f", ["forget"]), ("x.b", ["delete"])
    )
    assert [f.address for f in what_is_there(plan, a_state(HERE), heard())] == ["x.b"]


@given(st.lists(st.tuples(st.sampled_from(["x.a", "x.b", "y.c"]), st.sampled_from(ACTIONS)), max_size=5))
def test_without_a_state_nothing_is_said_to_be_there_or_not(changes: list[tuple[str, list[str]]]) -> None:
    found = what_is_there(a_plan(*changes), None, heard("complete x.a create"))
    assert Counter(f.standing for f in found) == Counter({Standing.UNKNOWN: len(found)}) - Counter()


@given(
    st.sampled_from(ACTIONS),
    st.lists(st.sampled_from(["complete x.a create", "complete x.a delete", "errored x.a"]), max_size=3),
    st.integers(0, 1),
)
def test_a_step_without_an_end_is_never_called_absent_or_existing(
    actions: list[str], ended: list[str], objects: int
) -> None:
    said = ["start x.a"] * (len(ended) + 1) + ended
    (found,) = what_is_there(a_plan(("x.a", actions)), a_state(*[HERE] * objects), heard(*said))
    assert found.standing is Standing.UNKNOWN
