"""Which numbers the embedded engine holds exactly, found without parsing the document twice.

regorus keeps integers of an input document up to 64 bits and turns longer ones, and every decimal, into doubles:
18446744073709551616 would equal 18446744073709551617. Doubles are fine for what a person writes (1.10 is the
double nearest to 1.10 in plan and policy alike) but not for more digits than they have.
"""

import json
import math
import re
from decimal import Decimal
from typing import Final

import msgspec

from plangate.errors import EngineError

_DIGITS: Final = bytes(ord("0") if byte in b"0123456789.eE+-" else 0 for byte in range(256))
_LONG: Final = b"0" * 16
"""A run of such bytes that a number needs to be inexact: a double keeps any 15 digits."""
_BEFORE_NUMBER: Final = b":[, \t\r\n"
_BEHIND_NUMBER: Final = b",]} \t\r\n"
_WHOLE_DECIMAL: Final = (
    re.compile(rb"\.0+(?:[\s,\]}]|$)"),
    re.compile(rb"e\+?[0-9]+(?:[\s,\]}]|$)"),
    re.compile(rb"E\+?[0-9]+(?:[\s,\]}]|$)"),
)
"""The end of a whole number with zeros behind its point or with an exponent, or of text that looks like one."""
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_MOST_EXPONENT: Final = 1000
"""Zeros that are written out for an exponent; with more, the number is left to be refused."""


class InexactNumberError(ValueError):
    """A number that regorus would change; its text."""


def _is_exact(text: str) -> bool:
    number = float(text)
    return math.isfinite(number) and Decimal(repr(number)) == Decimal(text)


def needs_exact_input(document: bytes) -> bool:
    """The document holds an integer beyond 64 bits, so it must be handed over as policy text.

    Raises:
        InexactNumberError: It holds a decimal with more digits than a double has.
        ValueError: Not JSON (only found when there is a long number).
    """
    # NOTE: the quick look may take text in a string for a number, so the real parser has the last word.
    if not _may_hold_long_number(document):
        return False
    found = False

    def integer(text: str) -> int:
        nonlocal found
        number = int(text)
        found = found or not -(1 << 63) <= number < 1 << 64
        return number

    def decimal(text: str) -> float:
        if not _is_exact(text):
            raise InexactNumberError(text)
        return float(text)

    json.loads(document, parse_int=integer, parse_float=decimal)
    return found


def _may_hold_long_number(document: bytes) -> bool:
    """A long run of what numbers are written with, and around it what may be around a number: no digest in a text."""
    runs = document.translate(_DIGITS)
    start = runs.find(_LONG)
    while start >= 0:
        end = runs.find(b"\0", start)
        behind = document[end : end + 1] if end >= 0 else b""
        if document[max(start - 1, 0) : start] in _BEFORE_NUMBER and behind in _BEHIND_NUMBER:
            return True
        start = runs.find(_LONG, end) if end >= 0 else -1
    return False


def with_whole_numbers(document: bytes) -> bytes:
    """The same document, in which whole numbers are written as such: ``1`` for ``1.0`` and ``1000`` for ``1e3``.

    They are equal in every engine, but OPA takes only the first for a position and tells them apart in texts, and
    the embedded engine sees no difference. Written in one way, nobody can.

    Raises:
        ValueError: Not JSON (only found when there may be such a number).
    """
    # The patterns begin with a letter or point each, which is how they are quick.
    if not any(pattern.search(document) for pattern in _WHOLE_DECIMAL):
        return document
    found = False

    def decimal(text: str) -> int | Decimal:
        nonlocal found
        number = Decimal(text)
        if not number.is_finite() or abs(number.adjusted()) > _MOST_EXPONENT or number % 1:
            return number
        found = True
        return int(number)

    try:
        # Only where a number was found: a document comes out as it was, also where a key is written twice.
        value = json.loads(document, parse_float=decimal)
    except (ArithmeticError, RecursionError) as problem:
        raise ValueError(str(problem)) from problem
    if not found:
        return document
    return _ENCODER.encode(value)


def as_whole_numbers(document: bytes, what: str) -> bytes:
    """`with_whole_numbers`, for an engine that is about to judge.

    Raises:
        EngineError: It cannot be read.
    """
    try:
        return with_whole_numbers(document)
    except ValueError as problem:
        raise EngineError(f"{what} cannot be read: {problem}") from problem


def is_exact_input(document: bytes, what: str) -> bool:
    """`needs_exact_input`, for an engine that is about to judge.

    Args:
        document: The input as JSON.
        what: What the input is called in messages.

    Raises:
        EngineError: It cannot be read, or holds a number that the engine would change.
    """
    try:
        return needs_exact_input(document)
    except InexactNumberError as problem:
        raise EngineError(
            f"{what} holds the number {problem}, which the embedded engine cannot hold exactly",
            hint="judge it with `engine: opa`",
        ) from problem
    except ValueError as problem:
        raise EngineError(f"{what} cannot be read: {problem}") from problem
