"""Functions of sets, which take lists and tuples too."""

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions_base import SET, Function, Parameter, check_size
from plangate.parsers.hcl.values import (
    SetValue,
    Value,
    identity,
    is_sequence,
    kind,
    set_of,
    to_list,
    to_set,
    unify,
)


class _DoubtError(Exception):
    """A null item: a set of nothing else has no type, and what then comes out is not certain."""


def _certain(run: Callable[..., Value]) -> Callable[..., Value]:
    def careful(*values: Value) -> Value:
        try:
            return run(*values)
        except _DoubtError:
            return UNKNOWN

    return careful


def _one_type(sets: tuple[SetValue, ...]) -> list[dict[str, Value]]:
    """The items of each set by identity, after all were made one type."""
    if any(item is None for each in sets for item in each.items):
        raise _DoubtError
    items = iter(unify([item for each in sets for item in each.items]))
    return [{identity(item): item for _, item in zip(each.items, items, strict=False)} for each in sets]


def _union(*sets: SetValue) -> Value:
    return set_of([item for each in _one_type(sets) for item in each.values()])


def _intersection(*sets: SetValue) -> Value:
    first, *others = _one_type(sets)
    return set_of([item for key, item in first.items() if all(key in other for other in others)])


def _subtract(left: SetValue, right: SetValue) -> Value:
    kept, gone = _one_type((left, right))
    return set_of([item for key, item in kept.items() if key not in gone])


def _product(*values: Value) -> Value:
    for value in values:
        if not is_sequence(value):
            raise ValueError(f"a set or list is required, not {kind(value)}")
    lists = [to_list(value) for value in values]
    if any(isinstance(value, SetValue) for value in values) and any(None in items for items in lists):
        raise _DoubtError
    count = prod(map(len, lists))
    check_size(count * len(lists))
    made = list(product(*lists))
    return set_of(made) if any(isinstance(value, SetValue) for value in values) else made


def _toset(value: Value) -> Value:
    return UNKNOWN if value is UNKNOWN else to_set(value)


FUNCTIONS: Final = (
    Function(name="setintersection", run=_certain(_intersection), parameters=(SET,), rest=SET),
    Function(name="setproduct", run=_certain(_product), rest=Parameter(parts=True), least=2),
    Function(name="setsubtract", run=_certain(_subtract), parameters=(SET, SET)),
    Function(name="setunion", run=_certain(_union), parameters=(SET,), rest=SET),
    Function(name="toset", run=_toset, parameters=(Parameter(parts=True, null=True),)),
)
