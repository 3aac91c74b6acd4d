"""What a YAML scalar without quotes means: words, numbers and text, in the reading of Kubernetes' tools."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

_WORDS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
TEXT_STARTS: Final = frozenset("abcdeghijklmpqrsuvwxzABCDEGHIJKLMPQRSUVWXZ/$@%*{[")
"""A plain scalar that begins with one of these is text: no word and no number does."""
_NUMBER_STARTS: Final = frozenset("+-.0123456789")
_INTEGER: Final = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)")
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class ScalarError(ValueError):
    """A number that a plan cannot hold."""


def plain_value(text: str, most_digits: int) -> Any:
    """The value of a plain scalar.

    Raises:
        ScalarError: It is a number that cannot be held exactly, or is none that JSON has.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        return _number(text, most_digits)
    if _NOT_FINITE.fullmatch(text):
        raise ScalarError(f"{text} is not a number that a plan can hold")
    return text


def key_text(value: Any, text: str) -> str:
    """A key that is no text, as JSON has it: ``on:`` is the key ``true``."""
    if value is None:
        return "null" if text else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _number(text: str, most_digits: int) -> Any:
    if len(text) > most_digits:
        raise ScalarError(f"number with {len(text)} characters (limit: {most_digits})")
    digits = text.replace("_", "")
    sign, body = (-1, digits[1:]) if digits[0] == "-" else (1, digits.removeprefix("+"))
    try:
        if _INTEGER.fullmatch(text):
            if body.startswith(("0b", "0x")):
                return sign * int(body, 0)
            return sign * int(body, 8 if body.startswith("0") and body != "0" else 10)
        number = sign * Decimal(body)
    except (ValueError, ArithmeticError):
        return text
    if number and abs(number.adjusted()) > most_digits:
        raise ScalarError("number with an exponent that is out of range")
    return number or Decimal(0)
