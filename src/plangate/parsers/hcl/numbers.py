"""Terraform's numbers: binary, with a mantissa of 512 bits; here an ``int`` or a ``Decimal``.

A ``Decimal`` has a fraction, and stands for the binary number next to it. Fewer than 155 digits tell any two of those
apart, so that nothing is lost.
"""

from decimal import Context, Decimal
from typing import Final

MAX_NUMBER_EXPONENT: Final = 4000
"""Powers of ten. Terraform has no such bound; here a number is written out in digits now and then."""
NUMBER_DIGITS: Final = 156
_SMALL_EXPONENT: Final = -4
_ROUNDED: Final = Context(prec=NUMBER_DIGITS)
_MAX_INT_BITS: Final = 512


class ValueTooLargeError(ValueError):
    """A value beyond the bounds of this module. Terraform might go on, so ``try`` and ``can`` must not catch it."""


def number(value: int | Decimal) -> int | Decimal:
    """The one form of a number: an ``int`` if it is whole; rounded to what Terraform's 512 bits hold.

    Raises:
        ValueTooLargeError: Beyond 10 to the power of `MAX_NUMBER_EXPONENT`, or not finite.
    """
    if isinstance(value, int):
        if value.bit_length() <= _MAX_INT_BITS:
            return value
        if value.bit_length() > MAX_NUMBER_EXPONENT * 3:
            raise ValueTooLargeError("a number that is too large")
        # Half to even, as the mantissa is rounded.
        shift = value.bit_length() - _MAX_INT_BITS
        magnitude, rest = divmod(abs(value), 1 << shift)
        half = 1 << (shift - 1)
        magnitude += rest > half or (rest == half and magnitude & 1)
        return (magnitude << shift) * (1 if value > 0 else -1)
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
