"""Operators on values that are evaluated already: conversion, equality, arithmetic, comparison.

Source: https://developer.hashicorp.com/terraform/language/expressions/operators
"""

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from types import MappingProxyType
from typing import Any, Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.numbers import NUMBER_DIGITS
from plangate.parsers.hcl.origins import Opaque, Origins, Pending, is_unknown, merged_leaf
from plangate.parsers.hcl.run import EvaluationError
from plangate.parsers.hcl.scope import Scope
from plangate.parsers.hcl.values import equal, kind, number, to_number, to_text

_NUMBERS: Final = Context(prec=NUMBER_DIGITS)
_PRIMITIVE: Final = frozenset({"bool", "number", "string"})


def converted(convert: Callable[[Any], Any], value: Any) -> Any:
    """A conversion that keeps an unknown as it is.

    Raises:
        EvaluationError: It cannot be converted.
    """
    if is_unknown(value):
        return value
    if isinstance(value, Opaque):
        raise EvaluationError("an object where a plain value is needed")
    try:
        return convert(value)
    except ValueError as error:
        raise EvaluationError(str(error)) from error


def calculated(operator: str, left: Any, right: Any) -> Any:
    """Arithmetic, or an order.

    Raises:
        EvaluationError: Not two numbers, or a division by zero.
    """
    left, right = converted(to_number, left), converted(to_number, right)
    if left is None or right is None:
        raise EvaluationError(f"null beside {operator}")
    if is_unknown(left) or is_unknown(right):
        return merged_leaf([left, right])
    try:
        return _ARITHMETIC[operator](left, right)
    except ArithmeticError as error:
        raise EvaluationError("a division by zero") from error
    except ValueError as error:
        raise EvaluationError(str(error), sure=False) from error


def equality(left: Any, right: Any, scope: Scope, *, negated: bool) -> Any:
    """``==``, or ``!=`` when negated; three-valued."""
    handle = left if right is None else right if left is None else None
    if isinstance(handle, Opaque):
        # A resource that is there is not null; one that may not be there may be.
        return negated if handle.is_there else merged_leaf([handle])
    origins = Origins()
    one, other = origins.stripped(left), origins.stripped(right)
    scope.spend_walk(origins.size)
    try:
        same = equal(one, other)
    except ValueError as error:
        raise EvaluationError(str(error), sure=False) from error
    if same is UNKNOWN or (same is False and _differ_in_type_alone(one, other)):
        return origins.leaf(exact=False) if origins.found else UNKNOWN
    return same is not negated


def _differ_in_type_alone(one: Any, other: Any) -> bool:
    """``1`` beside ``"1"``: an argument of a resource has its provider's type, which is not known here."""
    kinds = kind(one), kind(other)
    if kinds[0] == kinds[1] or not _PRIMITIVE.issuperset(kinds):
        return False
    return bool(to_text(one) == to_text(other))


def _divide(left: Any, right: Any) -> Any:
    return number(_NUMBERS.divide(Decimal(left), Decimal(right)))


_ARITHMETIC: Final[Mapping[str, Callable[[Any, Any], Any]]] = MappingProxyType(
    {
        "+": lambda a, b: number(a + b if isinstance(a, int) and isinstance(b, int) else _NUMBERS.add(a, b)),
        "-": lambda a, b: number(
            a - b if isinstance(a, int) and isinstance(b, int) else _NUMBERS.subtract(a, b)
        ),
        "*": lambda a, b: number(
            a * b if isinstance(a, int) and isinstance(b, int) else _NUMBERS.multiply(a, b)
        ),
        "/": _divide,
        "%": lambda a, b: number(_NUMBERS.remainder(Decimal(a), Decimal(b))),
        "<": lambda a, b: a < b,
        ">": lambda a, b: a > b,
        "<=": lambda a, b: a <= b,
        ">=": lambda a, b: a >= b,
    }
)


def certainly_same(one: Any, other: Any, scope: Scope) -> bool:
    """Whether both branches of a conditional give one value, whatever is not known yet."""
    if isinstance(one, Opaque) or isinstance(other, Opaque):
        return one is other
    if one.__class__ is Pending or other.__class__ is Pending:
        return bool(one == other) and len(one.targets) == 1 and not one.lost
    if one is None or other is None:
        return one is other
    origins = Origins()
    plain = origins.stripped(one), origins.stripped(other)
    scope.spend_walk(origins.size)
    return not origins.found and kind(one) == kind(other) and equal(*plain) is True
