"""JSON, read strictly: exact numbers, no duplicate keys, no NaN, no lone surrogates, bounded depth and size.

The fast path is the standard library's C scanner. Only when it refuses does the slow scanner here walk the text
again to say where and why. Patterns are possessive: they keep no way back, so that they run in linear time and
constant memory on any text.
"""

import codecs
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, Final, NoReturn

from plangate.errors import PlanParseError
from plangate.model.values import pointer_tokens
from plangate.parsers.base import Limits

# An unterminated string matches up to the end, so that no text is ever scanned twice.
_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_NOT_STRUCTURE: Final = bytes(set(range(256)) - set(b'"[]{}'))
_STEP: Final = {"[": 1, "{": 1, "]": -1, "}": -1}
_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_TOKEN: Final = re.compile(
    r"(?P<space>\s++)|(?P<string>" + _STRING.pattern + r')|(?P<punct>[\[\]{}:,])|(?P<word>[^\s\[\]{}:,"]++)',
    re.DOTALL,
)
_SPACE: Final = re.compile(r"[ \t\n\r]*+")
_MAX_INT_DIGITS: Final = 4300
"""What Python converts to an ``int`` without asking (``sys.get_int_max_str_digits``)."""
_SKIP: Final = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=len)
_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class _RefusedError(ValueError):
    """Raised inside the C scanner's hooks; the slow scanner then finds the place."""


def read_json(data: bytes, name: str, limits: Limits) -> tuple[Any, str]:
    """One JSON document and its text.

    Args:
        data: UTF-8, or UTF-16/32 (PowerShell's ``>`` writes UTF-16), with or without a byte order mark.
        name: The input's name, for messages.
        limits: Size, depth and number limits.

    Returns:
        The value, with integers as ``int`` and other numbers as ``Decimal``, and the decoded text.

    Raises:
        PlanParseError: Not exactly one well-formed JSON document within the limits; says where.
    """
    if len(data) > limits.max_plan_bytes:
        raise PlanParseError(
            name,
            f"{len(data)} bytes (limit: {limits.max_plan_bytes})",
            hint="raise limits.max_plan_bytes in plangate.yaml if the input is meant to be this big",
        )
    text = decode_text(data, name)
    if not text.strip():
        raise PlanParseError(name, "empty document (expected a plan)")
    _check_depth(text, name, limits.max_depth)
    most_digits = min(limits.max_number_digits, _MAX_INT_DIGITS)
    try:
        value = _decoder(most_digits).decode(text)
    except json.JSONDecodeError as error:
        raise PlanParseError(
            name,
            f"not JSON: {error.msg[0].lower()}{error.msg[1:]}",
            at=f"line {error.lineno} column {error.colno}",
        ) from error
    except RecursionError as error:
        raise PlanParseError(
            name, "nested too deeply to be read", hint="lower limits.max_depth in plangate.yaml"
        ) from error
    except _RefusedError as error:
        _explain(text, name, most_digits, error)
    if _SURROGATE_ESCAPE.search(text):
        _check_surrogates(text, name)
    return value, text


@cache
def _decoder(most_digits: int) -> json.JSONDecoder:
    def integer(digits: str) -> int:
        if len(digits) > most_digits:
            raise _RefusedError
        return int(digits)

    return json.JSONDecoder(
        object_pairs_hook=_unique,
        parse_float=lambda text: _decimal(text, most_digits),
        parse_int=integer,
        parse_constant=_no_constant,
    )


def position_of(text: str, pointer: str) -> tuple[int, int]:
    """Line and column (from 1) of the value at a JSON Pointer in well-formed text; ``(0, 0)`` if it is not there.

    What stands before it is skipped by the C scanner, so that a complaint costs no more than reading did.
    """
    offset = _offset_of(text, pointer)
    return (0, 0) if offset is None else _line_column(text, offset)


def members_of(text: str, pointer: str) -> dict[str, int]:
    """Offsets of all members of the object, by key, or list, by index, at a JSON Pointer in well-formed text."""
    offset = _offset_of(text, pointer)
    return {} if offset is None else {key: start for key, start, _ in _members(text, offset)}


def _offset_of(text: str, pointer: str) -> int | None:
    offset: int | None = _after_space(text, 0)
    for token in pointer_tokens(pointer):
        if offset is None:
            return None
        offset = next((value for key, _, value in _members(text, offset) if key == token), None)
    return offset


def _members(text: str, offset: int) -> Iterator[tuple[str, int, int]]:
    """Key or index, where it begins, and where its value begins, of the object or list at an offset."""
    opening = text[offset]
    if opening not in "{[":
        return
    index = 0
    offset = _after_space(text, offset + 1)
    while text[offset] not in "}]":
        key, start = str(index), offset
        if opening == "{":
            key, offset = _SKIP.raw_decode(text, offset)
            offset = _after_space(text, _after_space(text, offset) + 1)
        yield key, start, offset
        _, offset = _SKIP.raw_decode(text, offset)
        offset = _after_space(text, offset)
        if text[offset] == ",":
            offset = _after_space(text, offset + 1)
        index += 1


def _after_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def decode_text(data: bytes, name: str) -> str:
    """The text of UTF-8, UTF-16 or UTF-32 bytes, with or without a byte order mark.

    Raises:
        PlanParseError: It is none of these.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            found, body = encoding, data[len(mark) :]
            break
    else:
        found, body = json.detect_encoding(data), data
    try:
        return body.decode(found)
    except UnicodeDecodeError as error:
        raise PlanParseError(
            name, f"not {found} text: {error.reason}", at=f"byte {error.start + len(data) - len(body)}"
        ) from error


def _check_depth(text: str, name: str, max_depth: int) -> None:
    """Bound the nesting before any recursive code sees the document."""
    if text.count("[") + text.count("{") <= max_depth:
        return
    plain = text.encode("utf-8", "replace")
    if rb"\"" in plain:
        plain = plain.replace(rb"\\", b"").replace(rb"\"", b"")
    # Without escapes every quote begins or ends a string, so that every second piece between quotes is one. Most
    # strings hold no brackets and are gone at once; taking out two quotes side by side moves nothing else in or out.
    marks = plain.translate(_BRACKETS, _NOT_STRUCTURE).replace(b'""', b"")
    brackets = b"".join(marks.split(b'"')[::2])
    # Each pass takes away the innermost level. What is left then is too deep, or not well-formed.
    for _ in range(max_depth):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return
    offset = _too_deep(text, max_depth)
    if offset < len(text):
        line, column = _line_column(text, offset)
        raise PlanParseError(
            name,
            f"nested deeper than {max_depth} levels",
            at=f"line {line} column {column}",
            hint="see limits.max_depth in plangate.yaml",
        )


def _too_deep(text: str, max_depth: int) -> int:
    """Offset of the first bracket beyond the depth."""
    depth = 0
    for match in _TOKEN.finditer(text):
        depth += _STEP.get(match.group(), 0)
        if depth > max_depth:
            return match.start()
    return len(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError
    return found


def _decimal(text: str, most: int) -> Decimal:
    """An exact number that stays small when it is written out: whoever converts ``1e999999999`` drowns in it."""
    if len(text) > most:
        raise _RefusedError
    try:
        number = Decimal(text)
    except ArithmeticError as error:
        raise _RefusedError from error
    if not number:
        return Decimal(0)
    if abs(number.adjusted()) > most:
        raise _RefusedError
    return number


def _no_constant(_word: str) -> NoReturn:
    raise _RefusedError


def _explain(text: str, name: str, most_digits: int, cause: Exception) -> NoReturn:
    """Walk the text again to say what the C scanner's hooks refused, and where.

    Up to there the C scanner has found the text well-formed; this relies on it.
    """
    keys = _Keys()
    for match in _TOKEN.finditer(text):
        lexeme, group = match.group(), match.lastgroup
        problem = ""
        if group == "punct":
            keys.punctuation(lexeme)
        elif group == "string" and keys.expected and keys.repeats(json.loads(lexeme)):
            problem = f"duplicate key {lexeme[:200]}"
        elif group == "word":
            problem = _number_problem(lexeme, most_digits)
        if problem:
            line, column = _line_column(text, match.start())
            raise PlanParseError(name, problem, at=f"line {line} column {column}") from cause
    raise PlanParseError(name, "a number or key that cannot be read exactly") from cause


class _Keys:
    """The keys of all objects that are open at one place of a text."""

    def __init__(self) -> None:
        self._open: list[set[str] | None] = []
        self.expected = False

    def punctuation(self, lexeme: str) -> None:
        """Go on over a bracket, a comma or a colon."""
        if lexeme in "{[":
            self._open.append(set() if lexeme == "{" else None)
            self.expected = lexeme == "{"
        elif lexeme in "}]":
            self._open.pop()
            self.expected = False
        else:
            self.expected = lexeme == "," and bool(self._open) and self._open[-1] is not None

    def repeats(self, key: str) -> bool:
        """Whether the innermost object has this key already; from here on it has."""
        self.expected = False
        keys = self._open[-1]
        if keys is None or key in keys:
            return keys is not None
        keys.add(key)
        return False


def _number_problem(word: str, most_digits: int) -> str:
    if word in {"NaN", "Infinity", "-Infinity"}:
        return f"{word} is not JSON"
    if len(word) > most_digits:
        return f"number with {len(word)} characters (limit: {most_digits})"
    if not _is_readable(word, most_digits):
        return f"number with an exponent that is out of range (limit: {most_digits})"
    return ""


def _is_readable(word: str, most_digits: int) -> bool:
    try:
        return word in {"true", "false", "null"} or _decimal(word, most_digits).is_finite()
    except _RefusedError:
        return False


def _check_surrogates(text: str, name: str) -> None:
    for match in _STRING.finditer(text):
        if _SURROGATE_ESCAPE.search(match.group()):
            try:
                json.loads(match.group()).encode()
            except UnicodeEncodeError:
                line, column = _line_column(text, match.start())
                raise PlanParseError(
                    name, "text with half of a surrogate pair", at=f"line {line} column {column}"
                ) from None


def _line_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1
