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

from plangate.errors import EngineError

_DIGITS: Final = bytes(ord("0") if byte in b"0123456789.eE+-" else 0 for byte in range(256))
_LONG: Final = b"0" * 16
_LONG_NUMBER: Final = re.compile(rb"(?:^|[:\[,])\s*-?[0-9][0-9.eE+-]{15,}+(?:[\s,\]}]|$)")
"""A number long enough to be inexact: a double keeps any 15 digits. It may also be text that looks like one, but not
a digest: nothing can follow a number but space, the next value, or the end of what holds it."""


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
    # NOTE: the quick looks may take text in a string for a number, so the real parser has the last word.
    if _LONG not in document.translate(_DIGITS) or _LONG_NUMBER.search(document) is None:
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
