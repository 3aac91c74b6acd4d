"""Numbers with a fraction, as Terraform computes with them: in binary, with 512 bits, rounded half to even.

A ``Decimal`` stands for the nearest such number, and is the shortest decimal that does. So ``0.1 + 0.2 == 0.3``
here as there, and ``1 / 3`` has the same digits.

Source: https://developer.hashicorp.com/terraform/language/expressions/types#numbers and Go's ``math/big.Float``.
"""

from decimal import Context, Decimal
from fractions import Fraction
from typing import Final

from plangate.parsers.hcl.numbers import NUMBER_DIGITS, number

Number = int | Decimal
_BITS: Final = 512
_WIDE: Final = Context(prec=NUMBER_DIGITS)


def add(left: Number, right: Number) -> Number:
    """The sum."""
    if isinstance(left, int) and isinstance(right, int):
        return number(left + right)
    return rounded(exact(left) + exact(right))


def subtract(left: Number, right: Number) -> Number:
    """The difference."""
    return add(left, negate(right))


def negate(value: Number) -> Number:
    """The number with the other sign. Python's own minus rounds a ``Decimal`` to 28 digits."""
    return -value if isinstance(value, int) else value.copy_negate()


def multiply(left: Number, right: Number) -> Number:
    """The product."""
    if isinstance(left, int) and isinstance(right, int):
        return number(left * right)
    return rounded(exact(left) * exact(right))


def divide(left: Number, right: Number) -> Number:
    """The quotient.

    Raises:
        ValueError: Division by zero.
    """
    if not right:
        raise ValueError("division by zero")
    if isinstance(left, int) and isinstance(right, int) and not left % right:
        return number(left // right)
    return rounded(exact(left) / exact(right))


def modulo(left: Number, right: Number) -> Number:
    """The rest of a division that rounds towards zero; it has the sign of the left side.

    Raises:
        ValueError: Division by zero.
    """
    if not right:
        raise ValueError("division by zero")
    dividend, divisor = exact(left), exact(right)
    return rounded(dividend - divisor * int(dividend / divisor))


def exact(value: Number) -> Fraction:
    """The binary number that a decimal stands for."""
    if isinstance(value, int):
        return Fraction(value)
    mantissa, exponent = _nearest(Fraction(value))
    return mantissa * Fraction(2) ** exponent


def rounded(value: Fraction) -> Number:
    """The number that is nearest to an exact result.

    Raises:
        ValueTooLargeError: It is out of range.
    """
    if not value:
        return 0
    if value.denominator == 1:
        return number(value.numerator)
    sign = -1 if value < 0 else 1
    mantissa, exponent = _nearest(abs(value))
    nearest = mantissa * Fraction(2) ** exponent
    if nearest.denominator == 1:
        return number(sign * nearest.numerator)
    found = _shortest(mantissa, exponent)
    return number(found.copy_negate() if sign < 0 else found)


def _nearest(value: Fraction) -> tuple[int, int]:
    """Mantissa of 512 bits, with the sign, and exponent of two."""
    numerator, denominator = abs(value.numerator), value.denominator
    exponent = numerator.bit_length() - denominator.bit_length() - _BITS
    mantissa = 0
    while not mantissa or mantissa.bit_length() > _BITS:
        if mantissa:
            exponent += 1
        above = numerator << max(-exponent, 0)
        below = denominator << max(exponent, 0)
        mantissa, rest = divmod(above, below)
        mantissa += 2 * rest > below or (2 * rest == below and mantissa & 1)
    return (-mantissa if value < 0 else mantissa), exponent


def _shortest(mantissa: int, exponent: int) -> Decimal:
    """The decimal with the fewest digits among those that are nearer to this number than to its neighbours."""
    value = mantissa * Fraction(2) ** exponent
    half = Fraction(2) ** (exponent - 1)
    inclusive = mantissa % 2 == 0
    point = Decimal(value.numerator // value.denominator).adjusted() if value >= 1 else _leading_zeros(value)

    def fits(digits: int) -> Decimal | None:
        scale = digits - 1 - point
        scaled = value * Fraction(10) ** scale
        low = scaled.numerator // scaled.denominator
        found = []
        for candidate in (low, low + 1):
            distance = abs(Fraction(candidate) / Fraction(10) ** scale - value)
            if distance < half or (inclusive and distance == half):
                found.append((distance, candidate % 2, candidate))
        return Decimal(min(found)[2]).scaleb(-scale, _WIDE) if found else None

    fewest, most = 1, NUMBER_DIGITS
    while fewest < most:
        middle = (fewest + most) // 2
        if fits(middle) is None:
            fewest = middle + 1
        else:
            most = middle
    found = fits(most)
    if found is None:  # pragma: no cover -- 156 digits always tell two such numbers apart
        raise ValueError("a number that has no decimal form")
    return found


def _leading_zeros(value: Fraction) -> int:
    """The power of ten of the first digit of a number below one."""
    power = -1
    while value * 10**-power < 1:
        power -= 1
    return power
