"""Terraform's values as Python values, and its conversions between them.

==================  ==========================================================================================
Terraform           Python
==================  ==========================================================================================
null                ``None``
bool, string        ``bool``, ``str`` (in Unicode's NFC, see `text`)
number              ``int``, or ``Decimal`` where it has a fraction; `number` makes that form
tuple, list         ``tuple`` (what ``[…]`` writes), ``list`` (all items of one type)
object, map         ``dict`` (what ``{…}`` writes), `MapValue` (all values of one type)
set                 `SetValue`
not known           `UNKNOWN`, also inside all of these but a set: a set with an unknown item is wholly unknown
==================  ==========================================================================================

Rules this module keeps:
1. No value is ever changed in place; functions give new ones and share what is equal.
2. An answer that could be another once an unknown is known is `UNKNOWN`. An unknown has no type here, so
   ``tolist([1, UNKNOWN])`` is two unknown items: a text in that place would turn the 1 into ``"1"``.
3. A walk over a value is bounded. Values share their parts, so that a small one may be endless when written out.

Source: https://developer.hashicorp.com/terraform/language/expressions/types
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

from msgspec import Struct

from plangate.model.values import UNKNOWN, Tri, Unknown, all_of
from plangate.parsers.hcl.numbers import (
    MAX_NUMBER_EXPONENT,
    ValueTooLargeError,
    general_number,
    number,
    number_text,
)

__all__ = [
    "MAX_DEPTH", "MAX_NODES", "MapValue", "SetValue", "Value", "ValueTooLargeError", "compared", "equal", "identity",
    "is_known", "is_sequence", "items_of", "kind", "number", "number_text", "plain", "set_of", "text", "to_bool",
    "to_list", "to_map", "to_number", "to_set", "to_text", "unify",
]  # fmt: skip

Value: TypeAlias = Any
"""One of the table above."""

MAX_NODES: Final = 2_000_000
"""Values inside one value, counted as often as they are reached; a long text counts as several."""
CHARS_PER_NODE: Final = 64
MAX_DEPTH: Final = 150
# Terraform reads these too, as a mantissa and a power of two.
_BINARY_EXPONENT: Final = re.compile(r"[+-]?[0-9.]++p[+-]?[0-9]++", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]{1,18}+)?")


class MapValue(dict[str, Any]):
    """A map: all values have one type. A ``dict`` that is none of these is an object."""

    __slots__ = ()


class SetValue(Struct, frozen=True):
    """A set: items of one type, without equals, in the order in which Terraform visits them. `to_set` makes it."""

    items: tuple[Value, ...] = ()


def kind(value: Value) -> str:
    """``null``, ``bool``, ``string``, ``number``, ``tuple``, ``list``, ``object``, ``map``, ``set`` or ``unknown``.

    Raises:
        TypeError: Not a value of Terraform's.
    """
    if isinstance(value, bool):
        return "bool"
    for classes, name in _KINDS:
        if isinstance(value, classes):
            return name
    raise TypeError(f"{type(value).__name__} is no value of Terraform's")


_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (str, "string"),
    ((int, Decimal), "number"),
    (type(None), "null"),
    (tuple, "tuple"),
    (list, "list"),
    (MapValue, "map"),
    (dict, "object"),
    (SetValue, "set"),
    (Unknown, "unknown"),
)


def is_sequence(value: Value) -> bool:
    """A tuple, a list or a set."""
    return isinstance(value, list | tuple | SetValue)


def items_of(value: Value) -> Sequence[Value]:
    """The items of a tuple, list or set, in order."""
    found: Sequence[Value] = value.items if isinstance(value, SetValue) else value
    return found


def is_known(value: Value) -> bool:
    """Nothing in it is unknown.

    Raises:
        ValueTooLargeError: More than `MAX_NODES` values, or more than `MAX_DEPTH` levels.
    """
    known = True
    level: list[Value] = [value]
    nodes = depth = 0
    while level:
        nodes += len(level)
        depth += 1
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            raise ValueTooLargeError("a value that is too large or nested too deeply")
        below: list[Value] = []
        for item in level:
            if isinstance(item, str):
                nodes += len(item) // CHARS_PER_NODE
            elif item is UNKNOWN:
                known = False
            elif isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list | tuple):
                below.extend(item)
            elif isinstance(item, SetValue):
                below.extend(item.items)
            if len(below) > MAX_NODES:
                raise ValueTooLargeError("a value that is too large")
        level = below
    return known


def text(value: str) -> str:
    """The string as Terraform keeps it: in Unicode's NFC."""
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def to_text(value: Value) -> Value:
    """A string from a string, number or bool; null and unknown stay.

    Raises:
        ValueError: Anything else.
    """
    if value is None or value is UNKNOWN or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return number_text(value)
    raise ValueError(f"string required, not {kind(value)}")


def to_number(value: Value) -> Value:
    """A number from a number or a string of digits; null and unknown stay.

    Raises:
        ValueError: Anything else.
    """
    if value is None or value is UNKNOWN:
        return value
    if isinstance(value, str):
        if _BINARY_EXPONENT.fullmatch(value):
            return UNKNOWN
        if not _NUMBER.fullmatch(value):
            raise ValueError("a number is required")
        if len(value) > MAX_NUMBER_EXPONENT:
            raise ValueTooLargeError("a number with too many digits")
        return number(Decimal(value))
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    raise ValueError(f"number required, not {kind(value)}")


def to_bool(value: Value) -> Value:
    """A bool from a bool or from ``true``, ``false``, ``1`` and ``0`` as strings; null and unknown stay.

    Raises:
        ValueError: Anything else.
    """
    if value is None or value is UNKNOWN or isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _BOOLS:
        return _BOOLS[value]
    raise ValueError(f"bool required, not {kind(value)}")


_BOOLS: Final = {"true": True, "false": False, "1": True, "0": False}


def to_list(value: Value) -> Value:
    """A list from a tuple, list or set, with its items made one type; null and unknown stay.

    Raises:
        ValueError: Anything else, or items that have no type in common.
    """
    if value is None or value is UNKNOWN or isinstance(value, list):
        return value
    if isinstance(value, SetValue):
        return list(value.items)
    if isinstance(value, tuple):
        return unify(value)
    raise ValueError(f"list required, not {kind(value)}")


def to_set(value: Value) -> Value:
    """A set from a tuple, list or set, with its items made one type; wholly unknown if an item is not known.

    Raises:
        ValueError: Anything else, or items that have no type in common.
    """
    if value is None or value is UNKNOWN or isinstance(value, SetValue):
        return value
    if not isinstance(value, list | tuple):
        raise ValueError(f"set required, not {kind(value)}")  # noqa: TRY004 -- one family: no conversion
    return set_of(unify(value))


def to_map(value: Value) -> Value:
    """A map from an object or a map, with its values made one type; null and unknown stay.

    Raises:
        ValueError: Anything else, or values that have no type in common.
    """
    if value is None or value is UNKNOWN or isinstance(value, MapValue):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"map required, not {kind(value)}")  # noqa: TRY004 -- as above
    return MapValue(zip(value, unify(tuple(value.values())), strict=True))


def set_of(items: Iterable[Value]) -> SetValue | Unknown:
    """A set of items that have one type already."""
    found: dict[str, Value] = {}
    for item in items:
        if not is_known(item):
            return UNKNOWN
        found.setdefault(identity(item), item)
    values = list(found.values())
    kinds = {kind(item) for item in values} - {"null"}
    # Null comes last among strings and numbers.
    if kinds <= {"string"} or kinds <= {"number"} or kinds <= {"bool"}:
        nulls = [item for item in values if item is None]
        return SetValue((*sorted(item for item in values if item is not None), *nulls))
    return SetValue(tuple(sorted(values, key=lambda item: _set_key(item, exact=False).encode())))


def identity(value: Value) -> str:
    """A text that two known values of one type share if, and only if, they are equal."""
    return _set_key(value, exact=True)


def _set_key(value: Value, *, exact: bool) -> str:
    """The text by which Terraform tells the items of a set apart, and orders what has no order of its own."""
    if isinstance(value, dict):
        if isinstance(value, MapValue):
            pairs = (f"{_set_key(k, exact=exact)}:{_set_key(value[k], exact=exact)};" for k in sorted(value))
            return "{" + "".join(pairs) + "}"
        # Names are the same in all items of one set.
        return "<" + "".join(_set_key(value[k], exact=exact) + ";" for k in sorted(value)) + ">"
    if isinstance(value, list | tuple | SetValue):
        inner = "".join(_set_key(item, exact=exact) + ";" for item in items_of(value))
        return f"<{inner}>" if isinstance(value, tuple) else f"[{inner}]"
    return _scalar_key(value, exact=exact)


def _scalar_key(value: Value, *, exact: bool) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "T" if value else "F"
    return number_text(value) if exact else general_number(value, 10)


def equal(left: Value, right: Value) -> Tri:
    """Terraform's ``==``: without conversion, and unknown where a part that decides is not known.

    Two empty lists, sets or maps may still be of different types, and values of different types are not equal:
    whether they are equal is not known here.

    Raises:
        ValueTooLargeError: See `is_known`.
    """
    is_known(left)
    is_known(right)
    return compared(left, right)


def compared(left: Value, right: Value) -> Tri:
    """`equal` for values whose size was looked at before."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN  # it may turn out to be null, too
    if left is None or right is None:
        return left is None and right is None
    shape = kind(left)
    if shape != kind(right):
        return False
    if shape in {"bool", "string", "number"}:
        return bool(left == right)
    return _equal_parts(left, right, shape)


def _equal_parts(left: Value, right: Value, shape: str) -> Tri:
    if isinstance(left, dict):
        if left.keys() != right.keys():
            return False
        pairs = [(value, right[key]) for key, value in left.items()]
    else:
        if len(items_of(left)) != len(items_of(right)):
            return False
        pairs = list(zip(items_of(left), items_of(right), strict=True))
    if not pairs and shape in {"list", "set", "map"}:
        return UNKNOWN
    return all_of([compared(a, b) for a, b in pairs])


def unify(values: Sequence[Value]) -> list[Value]:
    """The values, each converted to the one type that all can have, as for the items of a list.

    Returns:
        As many values. One is `UNKNOWN` where its type hangs on something that is not known.

    Raises:
        ValueError: They have no type in common.
        ValueTooLargeError: See `is_known`.
    """
    is_known(list(values))
    return _unified(list(values))


def _unified(values: list[Value]) -> list[Value]:
    kinds = {kind(value) for value in values} - {"null"}
    if "string" in kinds:
        # What is unknown is then a string, number or bool: nothing else goes with a string.
        return [to_text(value) for value in values]
    if "unknown" in kinds or (len(kinds) > 1 and "set" in kinds):
        return [None if value is None else UNKNOWN for value in values]
    if not kinds or kinds in ({"number"}, {"bool"}):
        return values
    present = [value for value in values if value is not None]
    if kinds <= {"object", "map"}:
        made = iter(_unified_mappings(present, kinds))
    elif kinds <= {"tuple", "list"}:
        made = iter(_unified_sequences(present, kinds))
    elif kinds == {"set"}:
        made = iter(_regrouped(present, set_of))
    else:
        raise ValueError("all items must have the same type")
    return [None if value is None else next(made) for value in values]


def _unified_mappings(values: list[Value], kinds: set[str]) -> list[Value]:
    names = values[0].keys()
    if kinds == {"object"} and all(value.keys() == names for value in values):
        columns = {name: iter(_unified([value[name] for value in values])) for name in names}
        return [{name: next(columns[name]) for name in value} for value in values]
    flat = iter(_unified([inner for value in values for inner in value.values()]))
    return [MapValue([(name, next(flat)) for name in value]) for value in values]


def _unified_sequences(values: list[Value], kinds: set[str]) -> list[Value]:
    if kinds == {"tuple"} and len({len(value) for value in values}) == 1:
        columns = [_unified(list(column)) for column in zip(*values, strict=True)]
        return list(zip(*columns, strict=True)) if columns else values
    return _regrouped(values, list)


def _regrouped(values: list[Value], make: Callable[[list[Value]], Value]) -> list[Value]:
    """Collections, with all their items made one type."""
    flat = iter(_unified([item for value in values for item in items_of(value)]))
    return [make([next(flat) for _ in items_of(value)]) for value in values]


def plain(value: Value) -> Any:
    """The value as JSON has it: lists, dicts, strings, numbers, bools and null; a set is a list in order.

    `UNKNOWN` stays where it is.

    Raises:
        ValueTooLargeError: See `is_known`.
    """
    is_known(value)
    return _plain(value)


def _plain(value: Value) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | SetValue):
        return [_plain(item) for item in items_of(value)]
    return value
