"""``yamlencode`` and ``yamldecode``.

Terraform's own emitter and resolver decide what this looks like. Where they go their own way (folding of long
lines, unusual characters, explicit tags, points in time), the result here is unknown instead of nearly right.

Source: https://developer.hashicorp.com/terraform/language/functions/yamlencode
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import yaml

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions_base import TEXT, Function, Parameter, checked
from plangate.parsers.hcl.values import (
    MAX_DEPTH,
    MAX_NODES,
    Value,
    ValueTooLargeError,
    is_known,
    items_of,
    number,
    number_text,
    text,
    to_text,
)

MAX_LINE_CHARS: Final = 70
"""Texts with spaces are folded beyond 80 characters of a line; they are not written here when they come near."""
MAX_KEY_CHARS: Final = 100
_TRUE: Final = frozenset(["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"])
_FALSE: Final = frozenset(["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"])
_NULL: Final = frozenset(("", "~", "null", "Null", "NULL"))
_NUMBER: Final = re.compile(
    r"[-+]?(?:[0-9]{1,300}+(?:\.[0-9]{0,300}+)?|\.[0-9]{1,300}+)(?:[eE][-+]?[0-9]{1,9}+)?"
)
_INTEGER: Final = re.compile(r"(?:0x([0-9a-fA-F]{1,200}+)|0o([0-7]{1,200}+))")
_NOT_A_NUMBER: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(.?)", re.DOTALL)
_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_QUOTED: Final = str.maketrans({'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n"})


class _DoubtError(Exception):
    """What Terraform makes of this is not certain."""


def _yamlencode(value: Value) -> Value:
    try:
        written = "".join(_block(value, 0, inline=True))
    except _DoubtError:
        return UNKNOWN
    # A document that is one plain scalar is ended, so that nothing can be taken for its continuation.
    scalar = value is None or isinstance(value, bool | int | Decimal)
    return checked(written + ("...\n" if scalar else ""))


def _block(value: Value, indent: int, *, inline: bool) -> Iterator[str]:
    """Lines of a value. What comes inline goes on with the line that was begun."""
    pad = " " * indent
    if isinstance(value, dict) and value:
        for i, (name, inner) in enumerate(sorted(value.items())):
            yield ("" if inline and not i else pad) + _key(name) + ":"
            yield from _below(inner, indent, name)
    elif not isinstance(value, str | dict | int | Decimal) and value is not None and items_of(value):
        for i, inner in enumerate(items_of(value)):
            yield ("" if inline and not i else pad) + "-"
            if _is_block(inner):
                yield " "
                yield from _block(inner, indent + 2, inline=True)
            else:
                yield f" {_scalar(inner, indent, indent + 2)}\n"
    else:
        yield _scalar(value, indent, 0) + "\n"


def _below(value: Value, indent: int, name: str) -> Iterator[str]:
    """The value of a key: a list stands as far left as the key."""
    if isinstance(value, dict) and value:
        yield "\n"
        yield from _block(value, indent + 2, inline=False)
    elif _is_block(value):
        yield "\n"
        yield from _block(value, indent, inline=False)
    else:
        yield f" {_scalar(value, indent, indent + len(name) + 4)}\n"


def _is_block(value: Value) -> bool:
    """A collection that is not empty, and so takes lines of its own."""
    if isinstance(value, dict):
        return bool(value)
    return value is not None and not isinstance(value, str | int | Decimal) and bool(items_of(value))


def _key(name: str) -> str:
    if len(name) > MAX_KEY_CHARS or "\n" in name:
        raise _DoubtError
    return _quoted(name, 0)


def _scalar(value: Value, indent: int, column: int) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _literal(value, indent) if "\n" in value else _quoted(value, column)
    if isinstance(value, int | Decimal):
        return number_text(value)
    return "{}" if isinstance(value, dict) else "[]"


def _quoted(value: str, column: int) -> str:
    if not all(map(_is_plain, value)) or (" " in value and column + len(value) > MAX_LINE_CHARS):
        raise _DoubtError
    return f'"{value.translate(_QUOTED)}"'


def _is_plain(character: str) -> bool:
    return character == "\t" or (character.isprintable() and character < "\ufdd0")


def _literal(value: str, indent: int) -> str:
    lines = value.removesuffix("\n").split("\n")
    doubtful = value.startswith(("\n", " ")) or value.endswith("\n\n")
    if doubtful or any(line.endswith(" ") or not all(map(_is_plain, line)) or "\t" in line for line in lines):
        raise _DoubtError
    pad = " " * (indent + 2)
    return ("|" if value.endswith("\n") else "|-") + "".join(
        f"\n{pad}{line}" if line else "\n" for line in lines
    )


def _yamldecode(source: str) -> Value:
    if "\\/" in source:
        return UNKNOWN  # an escape that only younger readers know
    try:
        found = _Reader(source).document()
    except (yaml.YAMLError, _DoubtError):
        return UNKNOWN  # the two readers may not agree on what is no YAML
    is_known(found)
    return found


class _Reader:
    """Makes values of the events of one document; nothing is built by tags, and every step is counted."""

    def __init__(self, source: str) -> None:
        # The reader in C knows no depth: it keeps its own stack. Depth is counted below.
        self._events = yaml.parse(source, Loader=yaml.CSafeLoader)
        self._anchors: dict[str, Value] = {}
        self._nodes = 0

    def document(self) -> Value:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise ValueError("missing a document")  # noqa: TRY004 -- a refusal, not a bug
        value = self._value(next(self._events), 0)
        next(self._events)
        if not isinstance(next(self._events), yaml.StreamEndEvent):
            raise ValueError("more than one document")  # noqa: TRY004 -- as above
        return value

    def _value(self, event: Any, depth: int) -> Value:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise ValueTooLargeError("a document that is too large or nested too deeply")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise ValueError("an alias without its anchor")
            return self._anchors[event.anchor]
        if isinstance(event, yaml.ScalarEvent):
            made = _resolved(event)
        else:
            if event.tag is not None and event.tag != "!":
                raise _DoubtError
            # Until it ends, an alias to it would be a value inside itself.
            self._anchors.pop(event.anchor, None)
            made = (
                tuple(self._items(depth))
                if isinstance(event, yaml.SequenceStartEvent)
                else self._mapping(depth)
            )
        if event.anchor is not None:
            self._anchors[event.anchor] = made
        return made

    def _items(self, depth: int) -> Iterator[Value]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._value(event, depth + 1)

    def _mapping(self, depth: int) -> dict[str, Value]:
        made: dict[str, Value] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            name = self._value(event, depth + 1)
            value = self._value(next(self._events), depth + 1)
            if name == "<<" and isinstance(event, yaml.ScalarEvent):
                # Whatever comes later wins, merged or written.
                if not isinstance(value, dict):
                    raise ValueError("only a mapping can be merged")
                made |= value
                self._nodes += len(value)
                continue
            if name is UNKNOWN:
                raise _DoubtError
            if name is None:
                raise ValueError("a key must not be null")
            made[text(to_text(name))] = value
        return made


def _resolved(event: Any) -> Value:
    """The value of a scalar."""
    shown: str = event.value
    if event.tag == _TEXT_TAG or (event.tag is None and event.style):
        return text(shown)
    if event.tag is not None:
        raise _DoubtError
    if shown in _NULL:
        return None
    if shown in _TRUE or shown in _FALSE:
        return shown in _TRUE
    if _NUMBER.fullmatch(shown):
        found = number(Decimal(shown))
        # Terraform keeps a negative zero, which no number here can be.
        return UNKNOWN if not found and shown.startswith("-") else found
    if match := _INTEGER.fullmatch(shown):
        return number(int(match[1], 16) if match[1] else int(match[2], 8))
    if _NOT_A_NUMBER.fullmatch(shown):
        raise ValueError("infinity and not-a-number are no numbers of Terraform's")
    return _moment(match) if (match := _DATE.match(shown)) else text(shown)


def _moment(match: re.Match[str]) -> Value:
    """A date becomes its first second; points in time are written in too many ways."""
    year, month, day = (int(match[i]) for i in (1, 2, 3))
    if match[4] or not (1 <= month <= 12 and 1 <= day <= 28):  # noqa: PLR2004 -- there in every year and month
        return UNKNOWN
    return f"{year:04d}-{month:02d}-{day:02d}T00:00:00Z"


FUNCTIONS: Final = (
    Function(name="yamldecode", run=_yamldecode, parameters=(TEXT,)),
    Function(name="yamlencode", run=_yamlencode, parameters=(Parameter(null=True),)),
)
