"""Functions that only move values about, for arguments that hold resources or unknowns with an origin.

They keep every part as it is, so that ``concat([aws_security_group.a.id], …)[0]`` still says where it comes from.
Each gives `NotImplemented` where the general function has to decide.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.parsers.hcl.origins import is_unknown
from plangate.parsers.hcl.values import MapValue, SetValue

HOLDS_ALL: Final = frozenset(
    {
        "toset",
        "tolist",
        "concat",
        "flatten",
        "compact",
        "distinct",
        "sort",
        "reverse",
        "setunion",
        "merge",
        "values",
    }
)
"""What they give holds everything that they are given, though not where."""


def _is_row(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_object(value: Any) -> bool:
    """A dict without a type of its values: moving them converts nothing."""
    return isinstance(value, dict) and not isinstance(value, MapValue)


def _concat(arguments: list[Any]) -> Any:
    if not arguments or not all(isinstance(item, tuple) for item in arguments):
        return NotImplemented
    return tuple(inner for item in arguments for inner in item)


def _values(arguments: list[Any]) -> Any:
    if len(arguments) != 1 or not isinstance(arguments[0], dict):
        return NotImplemented
    return tuple(arguments[0][key] for key in sorted(arguments[0]))


def _keys(arguments: list[Any]) -> Any:
    if len(arguments) != 1 or not isinstance(arguments[0], dict):
        return NotImplemented
    return sorted(arguments[0])


def _length(arguments: list[Any]) -> Any:
    if len(arguments) != 1 or not isinstance(arguments[0], list | tuple | dict):
        return NotImplemented
    return len(arguments[0])


def _element(arguments: list[Any]) -> Any:
    if len(arguments) != 2 or not _is_row(arguments[0]) or not arguments[0]:  # noqa: PLR2004
        return NotImplemented
    items, place = arguments
    if isinstance(place, bool) or not isinstance(place, int) or place < 0:
        return NotImplemented
    return items[place % len(items)]


def _one(arguments: list[Any]) -> Any:
    if len(arguments) != 1 or not _is_row(arguments[0]) or len(arguments[0]) > 1:
        return NotImplemented
    return arguments[0][0] if arguments[0] else None


def _merge(arguments: list[Any]) -> Any:
    if not arguments or not all(_is_object(item) for item in arguments):
        return NotImplemented
    return {key: value for item in arguments for key, value in item.items()}


def _lookup(arguments: list[Any]) -> Any:
    if len(arguments) != 3 or not _is_object(arguments[0]) or not isinstance(arguments[1], str):  # noqa: PLR2004
        return NotImplemented
    return arguments[0].get(arguments[1], arguments[2])


def _flatten(arguments: list[Any]) -> Any:
    if len(arguments) != 1 or not _is_row(arguments[0]):
        return NotImplemented
    found: list[Any] = []
    pending = list(reversed(arguments[0]))
    while pending:
        item = pending.pop()
        if is_unknown(item):
            # It may be a list, unless it is an attribute that names a resource; the general function knows no better.
            return NotImplemented
        if isinstance(item, SetValue):
            pending += reversed(item.items)
        elif _is_row(item):
            pending += reversed(item)
        else:
            found.append(item)
    return tuple(found)


def _reverse(arguments: list[Any]) -> Any:
    if len(arguments) != 1 or not isinstance(arguments[0], tuple):
        return NotImplemented
    return tuple(reversed(arguments[0]))


MOVES: Final[Mapping[str, Callable[[list[Any]], Any]]] = MappingProxyType(
    {
        "concat": _concat,
        "element": _element,
        "flatten": _flatten,
        "keys": _keys,
        "length": _length,
        "lookup": _lookup,
        "merge": _merge,
        "one": _one,
        "reverse": _reverse,
        "values": _values,
    }
)
"""Arguments to result, by name."""
WALKS: Final = frozenset({"concat", "flatten", "merge", "reverse", "values"})
"""Those that look at more than one item. Without anything unknown, the general function does as well."""
