"""What a function says while something is not known still holds when it is."""

import random
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions import FUNCTIONS, FunctionError, TooLargeError
from plangate.parsers.hcl.functions_base import Function
from plangate.parsers.hcl.types import convert, type_of
from plangate.parsers.hcl.values import equal, plain, to_list, to_map, to_set, unify
from tests.hcl_values import NUMBERS, OBJECTS, ROWS, TEXTS, masked, may_become

SCALARS: Final = st.sampled_from(("a", "", "x y", 1, 2, True, False, None, "1"))
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
POOLS: Final = {
    "string": st.sampled_from(TEXTS),
    "number": st.sampled_from(NUMBERS[:12]),
    "bool": st.booleans(),
    "list": st.sampled_from(ROWS) | st.lists(VALUES, max_size=4).map(tuple),
    "set": st.sampled_from(ROWS) | st.lists(SCALARS, max_size=4).map(tuple),
    "map": st.sampled_from(OBJECTS) | st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
}
ANY: Final = st.one_of(*POOLS.values()) | VALUES


def typed(value: Any, chance: random.Random) -> Any:
    """The value, now and then as a list, set or map."""
    convert_to = (
        (to_list, to_set) if isinstance(value, tuple) else (to_map,) if isinstance(value, dict) else ()
    )
    if convert_to and chance.random() < 0.4:
        try:
            return chance.choice(convert_to)(value)
        except ValueError:
            return value
    return value


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except FunctionError as error:
        return error


def check(function: Function, arguments: list[Any], hide: Callable[[], bool]) -> None:
    full = outcome(lambda: function(*arguments))
    partial = outcome(lambda: function(*(masked(argument, hide) for argument in arguments)))
    if isinstance(full, TooLargeError):
        return
    if isinstance(partial, FunctionError):
        assert isinstance(partial, TooLargeError) or isinstance(full, FunctionError)
    elif not isinstance(full, FunctionError):
        assert may_become(partial, full)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@given(data=st.data())
def test_knowing_more_never_changes_what_is_known(name: str, data: st.DataObject) -> None:
    function = FUNCTIONS[name]
    parameters = list(function.parameters[: data.draw(st.integers(function.least or 0, 9))])
    if function.rest is not None:
        parameters += [function.rest] * data.draw(st.integers(0, 3))
    chance = data.draw(st.randoms(use_true_random=False))
    arguments = [typed(data.draw(POOLS.get(p.type.name, ANY)), chance) for p in parameters]

    check(function, arguments, lambda: chance.random() < 0.25)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_wholly_unknown_argument_is_never_refused_for_itself(name: str) -> None:
    function = FUNCTIONS[name]
    count = max(len(function.parameters) + (1 if function.rest else 0), function.least or 0)

    assert may_become(function(*[UNKNOWN] * count), UNKNOWN)


@given(st.lists(VALUES, max_size=4), st.randoms(use_true_random=False))
def test_one_type_for_all_never_changes_what_is_known(values: list[Any], chance: random.Random) -> None:
    try:
        full = unify(values)
    except ValueError:
        return
    assert may_become(unify([masked(value, lambda: chance.random() < 0.25) for value in values]), full)


@given(VALUES, VALUES, st.randoms(use_true_random=False))
def test_equality_never_changes_when_more_is_known(left: Any, right: Any, chance: random.Random) -> None:
    def hide() -> bool:
        return chance.random() < 0.2

    assert may_become(equal(masked(left, hide), masked(right, hide)), equal(left, right))
    assert equal(left, left) is True


TYPES: Final = st.recursive(
    st.sampled_from([("string",), ("number",), ("bool",), ("any",)]),
    lambda inner: (
        st.tuples(st.sampled_from(("list", "set", "map")), inner)
        | st.lists(inner, max_size=3).map(lambda members: ("tuple", tuple(members)))
        | st.dictionaries(
            st.sampled_from("abc"), inner | inner.map(lambda form: ("optional", form)), max_size=3
        ).map(lambda members: ("object", members))
    ),
    max_leaves=5,
)


@given(VALUES, TYPES, st.randoms(use_true_random=False))
def test_conversion_never_changes_what_is_known(value: Any, form: Any, chance: random.Random) -> None:
    wanted = type_of(form)
    try:
        full = convert(value, wanted)
    except ValueError:
        return
    assert may_become(convert(masked(value, lambda: chance.random() < 0.25), wanted), full)
    assert convert(full, wanted) == full
    plain(full)
