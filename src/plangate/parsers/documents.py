"""JSON, read strictly: exact numbers, no duplicate keys, no NaN, no lone surrogates, bounded depth and size.

The fast path is the standard library's C scanner. Only when it refuses does the slow scanner here walk the text
again to say where and why.
"""

import codecs
import json
import re
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final, NoReturn

from plangate.errors import PlanParseError
from plangate.parsers.base import Limits

# An unterminated string matches up to the end, so that no text is ever scanned twice.
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_NOT_BRACKETS: Final = {code: None for code in range(128) if chr(code) not in "[]{}"}
_STEP: Final = {"[": 1, "{": 1, "]": -1, "}": -1}
_TOKEN: Final = re.compile(
    r"(?P<space>\s+)|(?P<string>" + _STRING.pattern + r')|(?P<punct>[\[\]{}:,])|(?P<word>[^\s\[\]{}:,"]+)', re.DOTALL
)
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
    text = _decode(data, name)
    if not text.strip():
        raise PlanParseError(name, "empty document (expected a plan)")
    _check_depth(text, name, limits.max_depth)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=Decimal,
            parse_int=lambda digits: _integer(digits, limits.max_number_digits),
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        raise PlanParseError(
            name, f"not JSON: {error.msg[0].lower()}{error.msg[1:]}", at=f"line {error.lineno} column {error.colno}"
        ) from error
    except (_RefusedError, ArithmeticError, RecursionError) as error:
        _explain(text, name, limits, error)
    if _SURROGATE_ESCAPE.search(text):
        _check_surrogates(text, name)
    return value, text


def position_of(text: str, pointer: str) -> tuple[int, int]:
    """Line and column (from 1) of the value at a JSON Pointer in well-formed text; ``(0, 0)`` if it is not there."""
    for path, offset in _walk(text):
        if path == pointer:
            return _line_column(text, offset)
    return 0, 0


def _decode(data: bytes, name: str) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            body = data[len(mark) :]
            break
    else:
        encoding, body = json.detect_encoding(data), data
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise PlanParseError(
            name, f"not {encoding} text: {error.reason}", at=f"byte {error.start + len(data) - len(body)}"
        ) from error


def _check_depth(text: str, name: str, max_depth: int) -> None:
    """Bound the nesting before any recursive code sees the document."""
    if text.count("[") + text.count("{") <= max_depth:
        return
    brackets = _STRING.sub("", text).encode("ascii", "ignore").decode().translate(_NOT_BRACKETS)
    if max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > max_depth:
        raise PlanParseError(name, f"nested deeper than {max_depth} levels", hint="see limits.max_depth in plangate.yaml")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError
    return found


def _integer(digits: str, most: int) -> int:
    if len(digits) > most:
        raise _RefusedError
    return int(digits)


def _no_constant(_word: str) -> NoReturn:
    raise _RefusedError


def _explain(text: str, name: str, limits: Limits, cause: Exception) -> NoReturn:
    """Walk the text again to say what the C scanner's hooks refused, and where."""
    open_keys: list[set[str] | None] = []
    expects_key = False
    for match in _TOKEN.finditer(text):
        token = match.group()
        problem = ""
        if match.lastgroup == "punct":
            if token in "{[":
                open_keys.append(set() if token == "{" else None)
                expects_key = token == "{"
            elif token in "}]":
                open_keys.pop()
                expects_key = False
            else:
                expects_key = token == "," and bool(open_keys) and open_keys[-1] is not None
        elif match.lastgroup == "string" and expects_key:
            key, keys = json.loads(token), open_keys[-1]
            expects_key = False
            if keys is not None and key in keys:
                problem = f"duplicate key {json.dumps(key)}"
            elif keys is not None:
                keys.add(key)
        elif match.lastgroup == "word" and token in {"NaN", "Infinity", "-Infinity"}:
            problem = f"{token} is not JSON"
        elif match.lastgroup == "word" and len(token) > limits.max_number_digits:
            problem = f"number with {len(token)} characters (limit: {limits.max_number_digits} digits)"
        elif match.lastgroup == "word" and not _is_exact(token):
            problem = "number with an exponent that is out of range"
        if problem:
            line, column = _line_column(text, match.start())
            raise PlanParseError(name, problem, at=f"line {line} column {column}") from cause
    raise PlanParseError(name, "a number or nesting that cannot be read exactly") from cause


def _is_exact(token: str) -> bool:
    try:
        return token in {"true", "false", "null"} or Decimal(token).is_finite()
    except ArithmeticError:
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


def _walk(text: str) -> Any:
    """Every value's JSON Pointer and offset, in order; text must be well-formed."""
    stack: list[tuple[str, str | int]] = []
    expects_key = False
    for match in _TOKEN.finditer(text):
        token, group = match.group(), match.lastgroup
        if group == "space" or token == ":":
            continue
        if token in "}]" and group == "punct":
            stack.pop()
            expects_key = False
        elif token == "," and group == "punct":
            path, key = stack[-1]
            if isinstance(key, int):
                stack[-1] = (path, key + 1)
            else:
                expects_key = True
        elif expects_key:
            escaped = json.loads(token).replace("~", "~0").replace("/", "~1")
            stack[-1] = (stack[-1][0], escaped)
            expects_key = False
        else:
            here = f"{stack[-1][0]}/{stack[-1][1]}" if stack else ""
            yield here, match.start()
            if token in "{[" and group == "punct":
                stack.append((here, "" if token == "{" else 0))
                expects_key = token == "{"


def _line_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1
