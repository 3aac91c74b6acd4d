"""Unknown, absent and null stay apart, and reasoning about them is Kleene's."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.model.values import (
    ABSENT,
    UNKNOWN,
    AllUnknown,
    Tri,
    all_of,
    any_of,
    at_pointer,
    negate,
    pointer,
    pointer_tokens,
)

TRI: tuple[Tri, ...] = (True, False, UNKNOWN)


@pytest.mark.parametrize("value", [UNKNOWN, ABSENT])
def test_what_is_not_known_refuses_to_be_a_condition(value: object) -> None:
    with pytest.raises(TypeError, match="has no truth"):
        bool(value)
    with pytest.raises(TypeError, match="has no truth"):
        not value  # noqa: B018 - the question is what is tested


def worlds(values: tuple[Tri, ...]) -> list[tuple[bool, ...]]:
    """Every way that what is unknown may turn out."""
    return list(product(*([True, False] if value is UNKNOWN else [value] for value in values)))


@given(st.lists(st.sampled_from(TRI), max_size=5).map(tuple))
def test_a_conjunction_is_known_only_when_it_holds_or_fails_in_every_world(values: tuple[Tri, ...]) -> None:
    outcomes = {all(world) for world in worlds(values)}
    assert all_of(values) is (outcomes.pop() if len(outcomes) == 1 else UNKNOWN)


@given(st.lists(st.sampled_from(TRI), max_size=5).map(tuple))
def test_a_disjunction_is_known_only_when_it_holds_or_fails_in_every_world(values: tuple[Tri, ...]) -> None:
    outcomes = {any(world) for world in worlds(values)}
    assert any_of(values) is (outcomes.pop() if len(outcomes) == 1 else UNKNOWN)


def test_the_negation_of_an_unknown_is_unknown() -> None:
    assert [negate(value) for value in TRI] == [False, True, UNKNOWN]


@given(st.lists(st.text(max_size=6) | st.integers(0, 99), max_size=5))
def test_a_pointer_gives_back_its_tokens(tokens: list[str | int]) -> None:
    assert pointer_tokens(pointer(*tokens)) == tuple(map(str, tokens))


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ("", {"a": [{"b": None}, UNKNOWN], "": 1, "t": "text", "~/": 2}),
        ("/a/0/b", None),
        ("/a/1", UNKNOWN),
        ("/a/1/deep/er", UNKNOWN),
        ("/a/2", ABSENT),
        ("/a/-1", ABSENT),
        ("/a/x", ABSENT),
        ("/a/0/b/c", ABSENT),
        ("/t/0", ABSENT),
        ("/", 1),
        ("/~0~1", 2),
        ("/missing", ABSENT),
    ],
)
def test_a_pointer_leads_to_a_value_to_nothing_or_into_the_unknown(at: str, value: Any) -> None:
    document = {"a": [{"b": None}, UNKNOWN], "": 1, "t": "text", "~/": 2}
    assert at_pointer(document, at) == value


def test_of_a_wholly_unknown_resource_every_value_is_unknown_and_none_is_listed() -> None:
    values = AllUnknown()
    assert (values["x"], values.get("y"), list(values), len(values)) == (UNKNOWN, UNKNOWN, [], 0)
    assert at_pointer(values, "/x/y/0") is UNKNOWN
