"""Terraform's numbers: binary, with a mantissa of 512 bits; here an ``int`` or a ``Decimal``.

A ``Decimal`` has a fraction. It, and an ``int`` of more than 512 bits, stands for the binary number next to it, and is
the shortest decimal that does. 156 digits tell any two of those apart, so that nothing is lost.
"""

import math
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final

MAX_NUMBER_EXPONENT: Final = 4000
"""Powers of ten. Terraform has no such bound; here a number is written out in digits now and then."""
NUMBER_DIGITS: Final = 156
_SMALL_EXPONENT: Final = -4
_ROUNDED: Final = Context(prec=NUMBER_DIGITS)
MANTISSA_BITS: Final = 512


class ValueTooLargeError(ValueError):
    """A value beyond the bounds of this module. Terraform might go on, so ``try`` and ``can`` must not catch it."""


def number(value: int | Decimal) -> int | Decimal:
    """The one form of a number: an ``int`` if it is whole; rounded to what Terraform's 512 bits hold.

    Raises:
        ValueTooLargeError: Beyond 10 to the power of `MAX_NUMBER_EXPONENT`, or not finite.
    """
    if isinstance(value, int):
        if value.bit_length() <= MANTISSA_BITS:
            return value
        if value.bit_length() > MAX_NUMBER_EXPONENT * 3:
            raise ValueTooLargeError("a number that is too large")
        found = int(shortest(*nearest_binary(Fraction(abs(value)))))
        return found if value > 0 else -found
    if not value.is_finite() or abs(value.adjusted()) > MAX_NUMBER_EXPONENT:
        if value == 0:
            return 0
        raise ValueTooLargeError("a number that is too large or too small")
    if value == value.to_integral_value():
        return number(int(value))
    return _ROUNDED.plus(value).normalize(_ROUNDED)


def number_text(value: int | Decimal) -> str:
    """The number in decimal digits without an exponent, as Terraform converts it to a string."""
    return str(value) if isinstance(value, int) else format(value, "f")


def general_number(value: int | Decimal, precision: int | None = None) -> str:
    """A number as Go writes it with ``%g``: with an exponent when it is small or large.

    Args:
        value: The number.
        precision: Digits, or as many as it has.
    """
    exact = Decimal(value)
    shown = exact.normalize(_ROUNDED if precision is None else Context(prec=max(precision, 1)))
    sign, digits, _ = shown.as_tuple()
    exponent = shown.adjusted() if shown else 0
    most = 6 if precision is None else max(precision, 1)
    if precision is not None and most > len(digits) >= exponent + 1:
        most = len(digits)
    if shown and (exponent < _SMALL_EXPONENT or exponent >= most):
        written = "".join(map(str, digits))
        fraction = f".{written[1:]}" if len(written) > 1 else ""
        return f"{'-' * sign}{written[0]}{fraction}e{exponent:+03d}"
    return number_text(number(shown))


def nearest_binary(value: Fraction) -> tuple[int, int]:
    """Mantissa of 512 bits, with the sign, and exponent of two."""
    numerator, denominator = abs(value.numerator), value.denominator
    exponent = numerator.bit_length() - denominator.bit_length() - MANTISSA_BITS
    mantissa = 0
    while not mantissa or mantissa.bit_length() > MANTISSA_BITS:
        if mantissa:
            exponent += 1
        above = numerator << max(-exponent, 0)
        below = denominator << max(exponent, 0)
        mantissa, rest = divmod(above, below)
        mantissa += 2 * rest > below or (2 * rest == below and mantissa & 1)
    return (-mantissa if value < 0 else mantissa), exponent


def shortest(mantissa: int, exponent: int) -> Decimal:
    """The decimal with the fewest digits among those that are nearer to this number than to its neighbours.

    Args:
        mantissa: Of `MANTISSA_BITS`, positive.
        exponent: Of two.
    """
    above, below = mantissa << max(exponent, 0), 1 << max(-exponent, 0)
    point = _first_digit(above, below)
    fewest, most = 1, NUMBER_DIGITS
    while fewest < most:
        middle = (fewest + most) // 2
        if _with_digits(mantissa, above, below, middle - 1 - point) is None:
            fewest = middle + 1
        else:
            most = middle
    found = _with_digits(mantissa, above, below, most - 1 - point)
    if found is None:  # pragma: no cover -- 156 digits always tell two such numbers apart
        raise ValueTooLargeError("a number that has no decimal form")
    return Decimal(found).scaleb(point + 1 - most, _ROUNDED)


def _with_digits(mantissa: int, above: int, below: int, scale: int) -> int | None:
    """The number times ten to the scale, rounded to the nearest whole one that still stands for it, if one does."""
    above *= 10 ** max(scale, 0)
    below *= 10 ** max(-scale, 0)
    low, rest = divmod(above, below)
    found = []
    # Half the distance to a neighbour is the number divided by twice its mantissa.
    for candidate, distance in ((low, rest), (low + 1, below - rest)):
        reach = 2 * mantissa * distance
        if reach < above or (reach == above and not mantissa % 2):
            found.append((distance, candidate % 2, candidate))
    return min(found)[2] if found else None


def _first_digit(above: int, below: int) -> int:
    """The power of ten of the first digit of a fraction."""
    power = math.floor((above.bit_length() - below.bit_length()) * math.log10(2))
    while above * 10 ** max(-power, 0) < below * 10 ** max(power, 0):
        power -= 1
    while above * 10 ** max(-power - 1, 0) >= below * 10 ** max(power + 1, 0):
        power += 1
    return power
