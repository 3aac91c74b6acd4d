"""What the embedded engine calls before it calculates: it refuses values with which OPA would give another answer.

regorus calculates with doubles and whole numbers of any size, OPA with floats of 64 bits. Both are right, and agree,
for whole numbers up to 2^53. Whether a value is one is known when it is calculated with, and not before; so
`plangate.policy.guarding` puts a call around it in the text that the engine gets. The functions give the value back,
or raise, which is an error of the rule: nothing is decided. Messages never hold the value, which may be a secret.

Runs in the worker's process: imports nothing of plangate.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

MARK: Final = "plangate: "
"""What a refusal begins with, to be told from the engine's own errors."""

_MOST: Final = 1 << 53
"""Up to here doubles have all whole numbers, and what is added to them is exact in both engines."""
_MOST_DIVIDED: Final = 1 << 52
"""Up to here a quotient is on the same side of every whole number, and of every half, in both engines."""
_MOST_TOLD: Final = 1 << 63
_LEAST_TOLD: Final = 1e-4
"""Decimals from here to ``_MOST_DECIMAL`` are written without an exponent by both."""
_MOST_DECIMAL: Final = 1e6

WITH_OPA: Final = "it works with `engine: opa`"
DECIMAL: Final = "a decimal, whose last digits may come out differently in OPA"
LARGE: Final = "a whole number beyond 2^53, which may come out differently in OPA"
_CASED: Final = "a text with a letter that becomes another one in OPA when its case changes"
_TEXT: Final = "a text whose number may be read differently by OPA"

_WHOLE_TEXT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_WORD: Final = re.compile(r"(?!(?i:.*(?:inf|nan)))[^0-9]*")
"""No number in either engine."""
_DECIMAL_TEXT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9]")
_ODD_JSON: Final = re.compile(r"(?:^|[:\[,\s])-?(?:[0-9.]{16}|[0-9]+\.0+(?![0-9])|[0-9.]+[eE])")
"""A number with more digits than are sure, or with an exponent, or a whole one with a point."""
ODD_CASED: Final = (
    "\u00df\u0130\u0149\u019b\u01f0\u0264\u0390\u03a3\u03b0\u0587\u1c80-\u1c8f\u1e96-\u1e9e\u1f00-\u1fff"
    "\ua7c0-\ua7ff\ufb00-\ufb1f\U00010400-\U0001efff"
)
"""Letters whose other case is not the same in both engines, and their neighbours, for a pattern."""
_ODD_CASED: Final = re.compile(f"[{ODD_CASED}]")
_PLAIN: Final = re.compile("[\b\t\n\f\r -\u058f\u3041-\u30ff\u4e00-\u9fef\uac00-\ud7a3]*")
"""Characters of which both engines know which of them can be printed."""
_CONTROLS: Final = dict.fromkeys(map(ord, "\b\t\n\f\r"))
"""Characters that both engines write as escapes."""
_MOST_DIGITS: Final = 15


class InexactError(ValueError):
    """A value that must not be used; says where and of which class it is."""


def _number(value: Any, most: int) -> str:
    """Why a number must not be calculated with, or an empty string. What is no number is the engine's to refuse."""
    if isinstance(value, float):
        return DECIMAL
    if isinstance(value, int) and not -most <= value <= most:
        return LARGE
    return ""


def _whole(value: Any) -> str:
    return _number(value, _MOST)


def _divided(value: Any) -> str:
    return _number(value, _MOST_DIVIDED)


def _items(values: Any) -> str:
    """Numbers to add up or multiply: no order of doing so may leave what is exact."""
    if not isinstance(values, list | set | tuple):
        return ""
    total = 0
    for value in values:
        if why := _number(value, _MOST):
            return why
        total += abs(value) if isinstance(value, int) else 0
    return LARGE if total > _MOST else ""


def _rounded(value: Any) -> str:
    """OPA gives 0 and 1 as floor and ceiling of decimals between -1 and 0."""
    if isinstance(value, float):
        return DECIMAL if -1 < value < 0 or abs(value) >= _MOST_DIVIDED else ""
    return _number(value, _MOST)


def _number_text(value: Any) -> str:
    if not isinstance(value, str) or _WHOLE_TEXT.fullmatch(value) or _WORD.fullmatch(value):
        return ""
    digits = sum(letter.isdigit() for letter in value)
    return "" if digits <= _MOST_DIGITS and _DECIMAL_TEXT.fullmatch(value) else _TEXT


def _json_text(value: Any) -> str:
    return _TEXT if isinstance(value, str) and _ODD_JSON.search(value) else ""


def _cased(value: Any) -> str:
    return _CASED if isinstance(value, str) and _ODD_CASED.search(value) else ""


def _is_told(value: Any) -> bool:
    """A number that both engines write alike."""
    if isinstance(value, float):
        return bool(_LEAST_TOLD <= abs(value) < _MOST_DECIMAL)
    return bool(-_MOST_TOLD <= value < _MOST_TOLD)


def _is_plain(value: Any) -> bool:
    """A value that both engines write alike inside of another one."""
    if isinstance(value, str):
        return _PLAIN.fullmatch(value) is not None and value.translate(_CONTROLS).isprintable()
    if isinstance(value, dict):
        keys = all(isinstance(key, str) and _is_plain(key) for key in value)
        return keys and all(map(_is_plain, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        # OPA writes `set()`, and the embedded engine `{}`.
        return (bool(value) or isinstance(value, list | tuple)) and all(map(_is_plain, value))
    return value is None or (isinstance(value, int) and _is_told(value))


_TOLD: Final = "a value that OPA writes differently in a text"


def _told(value: Any) -> str:
    """A value for ``%v``."""
    if isinstance(value, str | bool) or value is None:
        return ""
    fine = _is_told(value) if isinstance(value, int | float) else _is_plain(value)
    return "" if fine else _TOLD


def _told_whole(value: Any) -> str:
    """A value for ``%d``, which is asked for as ``%v``: regorus writes two minus signs."""
    is_number = isinstance(value, int) and not isinstance(value, bool) and _is_told(value)
    return "" if is_number else "a value that is no whole number, for %d"


def _quoted(value: Any) -> str:
    return (
        "" if isinstance(value, str) and _is_plain(value) else "a value that OPA quotes differently in a text"
    )


def _as_text(value: Any, at: Callable[[str], InexactError]) -> Any:
    """A value for ``%s``: of a number OPA writes its type as well."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        if why := _told(value):
            raise at(why)
        return value
    if not _is_told(value) or (isinstance(value, float) and not math.isfinite(value)):
        raise at(_TOLD)
    return f"%!s({'float64' if isinstance(value, float) else 'int'}={value!r})"


_CHECKS: Final[dict[str, Callable[[Any], str]]] = {
    "whole": _whole,
    "divided": _divided,
    "items": _items,
    "rounded": _rounded,
    "number_text": _number_text,
    "json_text": _json_text,
    "cased": _cased,
    "told": _told,
    "told_whole": _told_whole,
    "quoted": _quoted,
}

FUNCTIONS: Final = frozenset(f"plangate_{name}" for name in (*_CHECKS, "as_text"))
"""What the engine knows the guards as."""

GUARDS_PACKAGE: Final = "plangate_guards"
GUARDS: Final = f"""package {GUARDS_PACKAGE}

import rego.v1

difference(x, at) := x if is_set(x)

else := plangate_whole(x, at)

chars(x, _) := regex.find_n(`(?s).`, x, -1) if is_string(x)

else := x
"""
"""Guards that need to see a value without its being handed over to Python, which takes no sets of sets."""


def install(engine: Any, places: Sequence[str]) -> None:
    """Give an engine the functions that guarded policies call.

    Args:
        engine: A new engine.
        places: Where each guard stands, for messages: ``file:line:column``.
    """

    def refusal(number: int, why: str) -> InexactError:
        return InexactError(f"{MARK}{places[number]}: {why}; {WITH_OPA}")

    def checking(check: Callable[[Any], str]) -> Callable[[Any, int], Any]:
        def function(value: Any, number: int) -> Any:
            if why := check(value):
                raise refusal(number, why)
            return value

        return function

    for name, check in _CHECKS.items():
        engine.add_extension(f"plangate_{name}", 2, checking(check))
    engine.add_extension(
        "plangate_as_text", 2, lambda value, number: _as_text(value, lambda why: refusal(number, why))
    )
