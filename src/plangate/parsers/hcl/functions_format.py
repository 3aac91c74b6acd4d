"""``format`` and ``formatlist``.

Source: https://developer.hashicorp.com/terraform/language/functions/format
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions_arithmetic import exact, negate
from plangate.parsers.hcl.functions_base import MAX_TEXT_CHARS, TEXT, Function, Parameter, check_size, checked
from plangate.parsers.hcl.functions_graphemes import clusters
from plangate.parsers.hcl.functions_json import encode_json
from plangate.parsers.hcl.numbers import general_number
from plangate.parsers.hcl.values import (
    Value,
    is_known,
    is_sequence,
    items_of,
    to_bool,
    to_number,
    to_text,
)

MAX_WIDTH: Final = 10_000
_VERB: Final = re.compile(
    r"%(?:(?P<plain>%)|(?P<flags>[-+ #0]*+)(?P<width>[0-9]{1,9})?(?:\.(?P<precision>[0-9]{0,9}))?"
    r"(?:\[(?P<index>[0-9]{1,9})\])?(?P<verb>[vtbdoxXeEfgGsq]))?"
)
_BASES: Final = {"b": ("b", "0b"), "d": ("d", ""), "o": ("o", "0"), "x": ("x", "0x"), "X": ("X", "0X")}


class _DoubtError(Exception):
    """A verb whose result is not certain."""


def _format(template: str, *arguments: Value) -> Value:
    # A null argument leaves Terraform itself without a known answer.
    if any(argument is None for argument in arguments):
        return UNKNOWN
    try:
        return checked("".join(_pieces(template, arguments)))
    except _DoubtError:
        return UNKNOWN


def _pieces(template: str, arguments: Sequence[Value]) -> Iterator[str]:
    last = following = highest = 0
    for match in _VERB.finditer(template):
        yield template[last : match.start()]
        last = match.end()
        if match["plain"]:
            yield "%"
            continue
        if not match["verb"]:
            raise ValueError("unsupported or unfinished format verb")
        place = int(match["index"]) if match["index"] else following + 1
        if not 1 <= place <= len(arguments):
            raise ValueError(f"not enough arguments: there is no argument {place}")
        following = place
        highest = max(highest, place)
        yield _formatted(match, arguments[place - 1])
    yield template[last:]
    if highest < len(arguments):
        raise ValueError("too many arguments")


def _formatted(match: re.Match[str], value: Value) -> str:
    verb, flags = match["verb"], match["flags"]
    width = int(match["width"] or 0)
    precision = None if match["precision"] is None else int(match["precision"] or 0)
    check_size(width, MAX_WIDTH)
    check_size(precision or 0, MAX_WIDTH)
    if verb in "bdoxXeEfgG":
        number: int | Decimal = to_number(value)
        if precision is not None and verb in _BASES:
            raise _DoubtError
        made = _integer(number, verb, flags) if verb in _BASES else _fraction(number, verb, flags, precision)
        return _padded_number(made, width, flags)
    if verb == "t":
        return _padded("true" if to_bool(value) else "false", width, flags)
    if verb == "v":
        shown = _natural(value, json_texts="#" in flags)
        return _padded_number(shown, width, flags) if "0" in flags else _padded(shown, width, flags)
    text = to_text(value)
    if precision is not None:
        parts = clusters(text)
        if parts is None:
            raise _DoubtError
        text = "".join(parts[:precision])
    return _padded(encode_json(text) if verb == "q" else text, width, flags)


def _natural(value: Any, *, json_texts: bool) -> str:
    if isinstance(value, str):
        return encode_json(value) if json_texts else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return general_number(value)
    return encode_json(value)


def _integer(value: int | Decimal, verb: str, flags: str) -> str:
    if not isinstance(value, int):
        raise ValueError("a whole number is required")  # noqa: TRY004 -- a refusal, not a bug
    code, prefix = _BASES[verb]
    sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
    return sign + (prefix if "#" in flags else "") + format(abs(value), code)


def _fraction(value: int | Decimal, verb: str, flags: str, precision: int | None) -> str:
    if "#" in flags:
        raise _DoubtError
    sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
    size = negate(value) if value < 0 else value
    magnitude = exact(size)
    if verb in "gG":
        shown = general_number(size, precision)
        return sign + (shown.upper() if verb == "G" else shown)
    digits = 6 if precision is None else precision
    if verb == "f":
        return sign + _fixed(magnitude, digits)
    power = Decimal(size).adjusted() if size else 0
    shown = _fixed(magnitude / Fraction(10) ** power, digits)
    if shown.startswith("10"):
        power += 1
        shown = _fixed(magnitude / Fraction(10) ** power, digits)
    return f"{sign}{shown}{verb}{power:+03d}"


def _fixed(magnitude: Fraction, digits: int) -> str:
    """With so many digits after the point, rounded half to even on the exact value."""
    scaled = round(magnitude * 10**digits)
    text = str(scaled).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}" if digits else text


def _padded(text: str, width: int, flags: str) -> str:
    if not width:
        return text
    parts = clusters(text)
    if parts is None:
        raise _DoubtError
    fill = max(width - len(parts), 0)
    if "-" in flags:
        return text + " " * fill
    return ("0" if "0" in flags else " ") * fill + text


def _padded_number(text: str, width: int, flags: str) -> str:
    if "0" in flags and "-" not in flags:
        sign = text[: len(text) - len(text.lstrip("+- "))]
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.ljust(width) if "-" in flags else text.rjust(width)


def _formatlist(template: str, *arguments: Value) -> Value:
    if not is_known(list(arguments)) or any(argument is None for argument in arguments):
        return UNKNOWN
    lengths = {len(items_of(argument)) for argument in arguments if is_sequence(argument)}
    if len(lengths) > 1:
        raise ValueError("lists of different lengths")
    made: list[str] = []
    size = 0
    for i in range(lengths.pop() if lengths else 1):
        row = [items_of(argument)[i] if is_sequence(argument) else argument for argument in arguments]
        if any(value is None for value in row):
            raise ValueError("a null item cannot be formatted")
        one = _format(template, *row)
        if one is UNKNOWN:
            return UNKNOWN
        size += len(one)
        check_size(size, MAX_TEXT_CHARS)
        made.append(one)
    return made


_ANYTHING: Final = Parameter(null=True)

FUNCTIONS: Final = (
    Function(name="format", run=_format, parameters=(TEXT,), rest=_ANYTHING),
    Function(name="formatlist", run=_formatlist, parameters=(TEXT,), rest=_ANYTHING),
)
