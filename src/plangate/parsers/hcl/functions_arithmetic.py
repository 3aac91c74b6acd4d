"""Numbers with a fraction, as Terraform computes with them: in binary, with 512 bits, rounded half to even.

A ``Decimal`` stands for the nearest such number, and is the shortest decimal that does. So ``0.1 + 0.2 == 0.3``
here as there, and ``1 / 3`` has the same digits.

Source: https://developer.hashicorp.com/terraform/language/expressions/types#numbers and Go's ``math/big.Float``.
"""

from decimal import Decimal
from fractions import Fraction

from plangate.parsers.hcl.numbers import MANTISSA_BITS, nearest_binary, number, shortest

Number = int | Decimal


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
    if isinstance(value, int) and value.bit_length() <= MANTISSA_BITS:
        return Fraction(value)
    mantissa, exponent = nearest_binary(Fraction(value))
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
    mantissa, exponent = nearest_binary(abs(value))
    nearest = mantissa * Fraction(2) ** exponent
    if nearest.denominator == 1:
        return number(sign * nearest.numerator)
    found = shortest(mantissa, exponent)
    return number(found.copy_negate() if sign < 0 else found)
