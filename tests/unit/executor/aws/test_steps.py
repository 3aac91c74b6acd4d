"""The order of steps: after what they need, and refused when there is none."""

from graphlib import TopologicalSorter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import UsageError
from plangate.executor.aws.steps import tasks_of
from plangate.model.aws_plan import Change


def change(name: str, action: str, *needs: str, **more: object) -> Change:
    """A change whose identifier is ``id-NAME``."""
    there = action != "create"
    given: dict[str, object] = {
        "logical_id": name,
        "type": "AWS::EC2::Thing",
        "action": action,
        "identifier": f"id-{name}" if there else "",
        "before": {"Uses": [f"id-{each}" for each in needs]} if there else None,
        "after": None if action in {"delete", "forget"} else {},
        "depends_on": needs,
        "attributes": {"Ref": f"id-{name}"} if there else {},
        "replace_order": "create-first" if action == "replace" else "",
    }
    return Change(**given | more)  # type: ignore[arg-type]


def order(*changes: Change) -> dict[str, frozenset[str]]:
    return {task.key: task.needs for task in tasks_of(changes)}


def test_what_is_made_comes_after_what_it_needs() -> None:
    found = order(change("Net", "create"), change("Sub", "create", "Net"))
    assert found == {"create:Net": frozenset(), "create:Sub": {"create:Net"}}


def test_what_goes_comes_after_what_used_it() -> None:
    found = order(change("Net", "delete"), change("Sub", "delete", "Net"))
    assert found == {"delete:Net": {"delete:Sub"}, "delete:Sub": frozenset()}


def test_what_goes_comes_after_a_user_that_only_its_values_tell_of() -> None:
    found = order(change("Net", "delete"), change("Sub", "delete", before={"VpcId": "id-Net"}))
    assert found["delete:Net"] == {"delete:Sub"}


def test_a_user_that_stays_is_changed_before_what_it_used_goes() -> None:
    found = order(change("Group", "delete"), change("Rule", "update", before={"Source": "id-Group"}))
    assert found == {"delete:Group": {"update:Rule"}, "update:Rule": frozenset()}


def test_a_replacement_makes_the_new_one_then_changes_users_then_deletes_the_old_one() -> None:
    found = order(change("Net", "replace"), change("Sub", "update", "Net"))
    assert found == {
        "create:Net": frozenset(),
        "update:Sub": {"create:Net"},
        "delete:Net": {"create:Net", "update:Sub"},
    }


def test_where_both_cannot_be_there_the_old_one_goes_first() -> None:
    found = order(change("Log", "replace", replace_order="destroy-first"))
    assert found == {"create:Log": {"delete:Log"}, "delete:Log": frozenset()}


def test_the_old_one_cannot_go_first_while_something_that_stays_uses_it() -> None:
    with pytest.raises(UsageError, match="there is no order for these steps: "):
        order(change("Log", "replace", replace_order="destroy-first"), change("User", "update", "Log"))


def test_a_circle_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no order for these steps"):
        order(change("A", "create", "B"), change("B", "create", "A"))


def test_a_replacement_that_leaves_the_old_one_lets_it_go() -> None:
    assert set(order(change("Net", "replace", keep=True))) == {"create:Net", "forget:Net"}


def test_what_stays_as_it_is_has_no_step() -> None:
    assert order(change("Net", "no-op")) == {}


def test_what_a_replacement_left_over_has_a_step_of_its_own() -> None:
    old = change("Net", "delete", deposed="id-old", identifier="id-old")
    assert set(order(change("Net", "no-op"), old)) == {"delete:Net (id-old)"}


@st.composite
def _plans(draw: st.DrawFn) -> list[Change]:
    """Changes that need earlier ones only, as a template without circles gives them."""
    names = [f"R{number}" for number in range(draw(st.integers(1, 8)))]
    changes = []
    for index, name in enumerate(names):
        needs = draw(st.lists(st.sampled_from(names[:index]), unique=True)) if index else []
        action = draw(st.sampled_from(["create", "update", "replace", "delete", "no-op", "forget"]))
        changes.append(change(name, action, *sorted(needs)))
    return draw(st.permutations(changes))


@given(_plans())
def test_every_step_comes_after_all_that_it_needs(changes: list[Change]) -> None:
    tasks = {task.key: task for task in tasks_of(changes)}
    run = list(TopologicalSorter({key: task.needs for key, task in tasks.items()}).static_order())
    place = {key: index for index, key in enumerate(run)}
    by_name = {each.logical_id: each for each in changes}
    up = {each.change.logical_id: each.key for each in tasks.values() if each.verb in {"create", "update"}}
    down = {each.change.logical_id: each.key for each in tasks.values() if each.verb in {"delete", "forget"}}
    for name, key in up.items():
        for needed in by_name[name].depends_on:
            assert needed not in up or place[up[needed]] < place[key]
    for name, key in down.items():
        for user in changes:
            if name in user.depends_on and user.before is not None:
                for other in (up.get(user.logical_id), down.get(user.logical_id)):
                    assert other is None or place[other] < place[key]
        if name in up:
            assert place[up[name]] < place[key], "the new one first"


@given(_plans(), st.randoms())
def test_steps_do_not_depend_on_the_order_of_changes(changes: list[Change], chance: object) -> None:
    shuffled = list(changes)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert tasks_of(changes) == tasks_of(shuffled)
