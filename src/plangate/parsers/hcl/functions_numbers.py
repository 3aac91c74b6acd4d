"""Functions of numbers."""

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions_arithmetic import negate
from plangate.parsers.hcl.functions_base import NUM, Function, Parameter, whole
from plangate.parsers.hcl.values import Value, ValueTooLargeError, number

# Powers of these give whole logarithms, there as here; the tests look at all of them.
_EXACT_BASES: Final = frozenset({2, 10})
_NEARLY: Final = 1e-9
_HALF: Final = 0.5
_DOUBLE_BITS: Final = 54
_MAX_POWER: Final = 10_000
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_CASED_DIGITS: Final = _DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LEAST_BASE: Final = 2
_CASELESS_BASE: Final = 36
MAX_PARSED_DIGITS: Final = 4_000


def _rounding(mode: str) -> Callable[[int | Decimal], Value]:
    return lambda value: value if isinstance(value, int) else int(value.to_integral_value(rounding=mode))


def _float(value: int | Decimal) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueTooLargeError("a number that is too large") from error


def _from_float(value: float) -> Value:
    """The number that the double is written as."""
    if not math.isfinite(value):
        return UNKNOWN  # there are infinite numbers in Terraform, and none here
    mantissa, exponent = math.frexp(value)
    if abs(mantissa) == _HALF and exponent > _DOUBLE_BITS:
        return UNKNOWN  # how a large power of two is shortened differs
    return number(Decimal(repr(value)))


def _log(value: int | Decimal, base: int | Decimal) -> Value:
    if value <= 0 or base <= 0 or not (below := math.log(_float(base))):
        return UNKNOWN
    found = math.log(_float(value)) / below
    return _from_float(found) if base in _EXACT_BASES else _unless_nearly_whole(found)


def _unless_nearly_whole(value: float) -> Value:
    """A result whose last digit another machine may compute otherwise; unknown where rounding it would then differ."""
    return UNKNOWN if abs(value - round(value)) < _NEARLY else _from_float(value)


def _pow(value: int | Decimal, power: int | Decimal) -> Value:
    base, exponent = _float(value), _float(power)
    try:
        if isinstance(power, int) and base and abs(power) <= _MAX_POWER:
            return _from_float(_whole_power(base, power))
        found = math.pow(base, exponent)
    except (OverflowError, ValueError, ZeroDivisionError):
        return UNKNOWN
    return _from_float(found) if found in {0.0, 1.0} else _unless_nearly_whole(found)


def _whole_power(base: float, power: int) -> float:
    """By squaring the mantissa, which rounds as Terraform's own computation does."""
    found, exponent = 1.0, 0
    mantissa, scale = math.frexp(base)
    rest = abs(power)
    while rest:
        if rest % 2:
            found *= mantissa
            exponent += scale
        mantissa *= mantissa
        scale *= 2
        if abs(mantissa) < _HALF:
            mantissa *= 2
            scale -= 1
        rest //= 2
    return math.ldexp(1 / found, -exponent) if power < 0 else math.ldexp(found, exponent)


def _parseint(value: Value, base: int | Decimal) -> Value:
    if not isinstance(value, str):
        raise ValueError("first argument must be a string")  # noqa: TRY004 -- a refusal, not a bug
    radix = whole(base, "base")
    if not _LEAST_BASE <= radix <= len(_CASED_DIGITS):
        raise ValueError("base must be a whole number between 2 and 62 inclusive")
    digits = value[1:] if value[:1] in {"+", "-"} else value
    if len(digits) > MAX_PARSED_DIGITS:
        raise ValueTooLargeError("a number with too many digits")
    found = 0
    for character in digits:
        digit = _DIGITS.find(character.lower()) if radix <= _CASELESS_BASE else _CASED_DIGITS.find(character)
        if not character.isascii() or not 0 <= digit < radix:
            raise ValueError("the string is no number of that base")
        found = found * radix + digit
    if not digits:
        raise ValueError("the string is no number of that base")
    return number(-found if value[0] == "-" else found)


def _signum(value: int | Decimal) -> Value:
    sign = whole(value, "number")
    return (sign > 0) - (sign < 0)


FUNCTIONS: Final = (
    Function(name="abs", run=lambda value: negate(value) if value < 0 else value, parameters=(NUM,)),
    Function(name="ceil", run=_rounding(ROUND_CEILING), parameters=(NUM,)),
    Function(name="floor", run=_rounding(ROUND_FLOOR), parameters=(NUM,)),
    Function(name="log", run=_log, parameters=(NUM, NUM)),
    Function(name="max", run=lambda *values: max(values), parameters=(NUM,), rest=NUM),
    Function(name="min", run=lambda *values: min(values), parameters=(NUM,), rest=NUM),
    Function(name="parseint", run=_parseint, parameters=(Parameter(), NUM)),
    Function(name="pow", run=_pow, parameters=(NUM, NUM)),
    Function(name="signum", run=_signum, parameters=(NUM,)),
)
