"""The functions of Azure templates that depend on their arguments alone.

An argument that is `UNKNOWN`, or of a type that the function does not take, makes the answer `UNKNOWN`, except where
the known arguments decide.

Source: https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from plangate.model.values import UNKNOWN, all_of, any_of, negate

MAX_RANGE: Final = 10_000
"""Items of ``range``, as Azure has it."""
MAX_TEXT: Final = 1_000_000
"""Characters of a text that a function makes."""
_DIGITS: Final = 19
_DELIMITERS: Final = 20
_PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{([0-9]{1,4})\}|[{}]")

Function = Callable[..., Any]


def apply(name: str, arguments: list[Any]) -> Any:
    """What a function makes of its arguments; `UNKNOWN` for one that is not here."""
    lazy = _LAZY.get(name)
    if lazy is not None:
        return _called(lazy, arguments)
    function = _STRICT.get(name)
    if function is None or any(_has_unknown(argument) for argument in arguments):
        return UNKNOWN
    return _called(function, arguments)


def _called(function: Function, arguments: list[Any]) -> Any:
    try:
        return function(*arguments)
    except (TypeError, ValueError, IndexError, KeyError, ArithmeticError, AttributeError):
        # Too few arguments, or of another type: Azure refuses it, and nothing is known of it here.
        return UNKNOWN


def _has_unknown(value: Any) -> bool:
    return value is UNKNOWN or not (value is None or isinstance(value, str | int | Decimal | list | dict))


def _if(condition: Any, then: Any, otherwise: Any) -> Any:
    if isinstance(condition, bool):
        return then if condition else otherwise
    return then if type(then) is type(otherwise) and then == otherwise else UNKNOWN


def _bool(value: Any) -> Any:
    return value if isinstance(value, bool) else UNKNOWN


def _equals(one: Any, other: Any) -> Any:
    if not _is_known(one) or not _is_known(other):
        return UNKNOWN
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def _is_known(value: Any) -> bool:
    """Whether a value is known to its last part."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif _has_unknown(item):
            return False
    return True


def _concat(*parts: Any) -> Any:
    if parts and all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part]
    if any(not isinstance(part, str | int | bool) for part in parts):
        return UNKNOWN
    return "".join(_string(part) for part in parts)


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, str | int):
        return str(value)
    raise TypeError


def _replace(value: Any, old: Any, new: Any) -> str:
    if not _text(old) or len(_text(value)) + value.count(old) * len(_text(new)) > MAX_TEXT:
        raise ValueError
    return _text(value).replace(old, new)


def _format(pattern: str, *values: Any) -> str:
    longest = max((len(_string(value)) for value in values), default=0)
    if len(pattern) + pattern.count("{") * longest > MAX_TEXT:
        raise ValueError

    def placed(match: re.Match[str]) -> str:
        if match.group() in {"{{", "}}"}:
            return match.group()[0]
        if match.group(1) is None:
            raise ValueError
        return _string(values[int(match.group(1))])

    return _PLACEHOLDER.sub(placed, pattern)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or len(str(value)) > _DIGITS:
        raise TypeError
    return int(value)


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value != 0
    return {"true": True, "1": True, "false": False, "0": False}[_text(value).lower()]


def _length(value: Any) -> int:
    if not isinstance(value, str | list | dict):
        raise TypeError
    return len(value)


def _contains(container: Any, item: Any) -> bool:
    if isinstance(container, dict):
        return _text(item).lower() in {key.lower() for key in container}
    if isinstance(container, str):
        return _string(item) in container
    if not isinstance(container, list) or not _is_known(container):
        raise TypeError
    return any(_equals(each, item) is True for each in container)


def _union(*values: Any) -> Any:
    if values and all(isinstance(value, dict) for value in values):
        found: dict[str, Any] = {}
        for value in values:
            found = _merged(found, value)
        return found
    listed: list[Any] = []
    for value in values:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise TypeError
        listed += value
    return list(dict.fromkeys(listed))


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Objects in objects are merged, everything else is taken from the later one."""
    found = dict(one)
    for key, value in other.items():
        before = found.get(key)
        found[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return found


def _range(start: Any, count: Any) -> list[int]:
    if not 0 <= _int(count) <= MAX_RANGE:
        raise ValueError
    return list(range(_int(start), _int(start) + _int(count)))


def _skip(value: Any, number: Any) -> Any:
    if not isinstance(value, str | list):
        raise TypeError
    return value[max(_int(number), 0) :]


def _take(value: Any, number: Any) -> Any:
    if not isinstance(value, str | list):
        raise TypeError
    return value[: max(_int(number), 0)]


def _substring(value: Any, start: Any, length: Any = None) -> str:
    end = len(_text(value)) if length is None else _int(start) + _int(length)
    if not 0 <= _int(start) <= end <= len(value):
        raise ValueError
    return _text(value)[_int(start) : end]


def _split(value: Any, delimiters: Any) -> list[str]:
    marks = delimiters if isinstance(delimiters, list) else [delimiters]
    if len(marks) > _DELIMITERS or not all(isinstance(mark, str) and mark for mark in marks):
        raise TypeError
    return re.split("|".join(re.escape(mark) for mark in marks), _text(value))


def _coalesce(*values: Any) -> Any:
    for value in values:
        if value is not None:
            return value
    return None


def _object(*pairs: Any) -> dict[str, Any]:
    if len(pairs) % 2:
        raise ValueError
    return {_text(pairs[index]): pairs[index + 1] for index in range(0, len(pairs), 2)}


def _divided(one: Any, other: Any, *, rest: bool) -> int:
    left, right = _int(one), _int(other)
    whole = abs(left) // abs(right) * (1 if (left < 0) is (right < 0) else -1)
    return left - whole * right if rest else whole


def _at_edge(value: Any, index: int) -> Any:
    if not isinstance(value, str | list):
        raise TypeError
    return value[index] if value else "" if isinstance(value, str) else None


def _compared(one: Any, other: Any) -> int:
    if isinstance(one, str) and isinstance(other, str):
        return (one > other) - (one < other)
    left, right = _int(one), _int(other)
    return (left > right) - (left < right)


_LAZY: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "if": _if,
        "and": lambda *values: all_of(_bool(value) for value in values),
        "or": lambda *values: any_of(_bool(value) for value in values),
        "not": lambda value: negate(_bool(value)),
        "equals": _equals,
        "coalesce": _coalesce,
        "createarray": lambda *values: list(values),
        "createobject": _object,
        "array": lambda value: value if isinstance(value, list) or value is UNKNOWN else [value],
    }
)
"""Functions that may have an answer although something is unknown."""

_STRICT: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "add": lambda one, other: _int(one) + _int(other),
        "bool": _to_bool,
        "concat": _concat,
        "contains": _contains,
        "div": lambda one, other: _divided(one, other, rest=False),
        "empty": lambda value: value is None or _length(value) == 0,
        "endswith": lambda value, end: _text(value).lower().endswith(_text(end).lower()),
        "false": lambda: False,
        "first": lambda value: _at_edge(value, 0),
        "format": _format,
        "greater": lambda one, other: _compared(one, other) > 0,
        "greaterorequals": lambda one, other: _compared(one, other) >= 0,
        "int": _int,
        "join": lambda value, mark: _text(mark).join(_string(item) for item in value),
        "last": lambda value: _at_edge(value, -1),
        "length": _length,
        "less": lambda one, other: _compared(one, other) < 0,
        "lessorequals": lambda one, other: _compared(one, other) <= 0,
        "mod": lambda one, other: _divided(one, other, rest=True),
        "mul": lambda one, other: _int(one) * _int(other),
        "null": lambda: None,
        "range": _range,
        "replace": _replace,
        "skip": _skip,
        "split": _split,
        "startswith": lambda value, start: _text(value).lower().startswith(_text(start).lower()),
        "string": _string,
        "sub": lambda one, other: _int(one) - _int(other),
        "substring": _substring,
        "take": _take,
        "tolower": lambda value: _text(value).lower(),
        "toupper": lambda value: _text(value).upper(),
        "trim": lambda value: _text(value).strip(),
        "true": lambda: True,
        "union": _union,
    }
)
