"""What a function of Terraform's is here: pure, called with values, and careful with what is not known.

Every call goes through `Function`, which keeps these rules for all of them:
1. A wrong number of arguments, a null that is not allowed, or a value that cannot be converted is a `FunctionError`.
2. An argument with an unknown part makes the result `UNKNOWN`, unless the parameter says that the function copes.
3. A `FunctionError` means that Terraform would refuse the call whatever the unknown parts turn out to be.
4. A result beyond a bound is a `TooLargeError`, never a short result.

Source: https://developer.hashicorp.com/terraform/language/functions
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.types import ANY, BOOL, NUMBER, STRING, Type, collection, convert
from plangate.parsers.hcl.values import Value, ValueTooLargeError, is_known, text

MAX_TEXT_CHARS: Final = 16_000_000
"""Of one string that a function makes."""
MAX_ITEMS: Final = 1_000_000
"""Of one collection that a function makes."""


class FunctionError(Exception):
    """A call that Terraform refuses; ``try`` goes on to its next argument, ``can`` is false."""


class TooLargeError(FunctionError):
    """A call beyond a bound of ours. Terraform might answer, so ``try`` and ``can`` must not catch it."""


class Parameter(Struct, frozen=True, kw_only=True):
    """One parameter.

    Attributes:
        type: What the argument is converted to; ``any`` leaves it as it is.
        null: It may be null.
        parts: The function copes with unknown parts of it.
        whole: The function copes with an argument that is unknown as a whole.
    """

    type: Type = ANY
    null: bool = False
    parts: bool = False
    whole: bool = False


class Function(Struct, frozen=True, kw_only=True):
    """A function: called with evaluated positional arguments, it gives a value.

    Attributes:
        name: As it is written.
        run: Called with the converted arguments; raises `ValueError` for what Terraform refuses.
        parameters: The first ones.
        rest: Of all further ones, if there may be any.
        least: Arguments at least, if not all parameters are needed.
    """

    name: str
    run: Callable[..., Value]
    parameters: tuple[Parameter, ...] = ()
    rest: Parameter | None = None
    least: int | None = None

    def __call__(self, *arguments: Value) -> Value:
        """The result.

        Raises:
            FunctionError: Terraform refuses the call, whatever is not known yet. Shows no value.
            TooLargeError: The call is beyond a bound.
        """
        try:
            return self._called(arguments)
        except (ValueTooLargeError, RecursionError, ArithmeticError) as error:
            raise TooLargeError(f"{self.name}(): {error}") from error
        except ValueError as error:
            raise FunctionError(f"{self.name}(): {error}") from error

    def _called(self, arguments: Sequence[Value]) -> Value:
        least = len(self.parameters) if self.least is None else self.least
        if len(arguments) < least or (self.rest is None and len(arguments) > len(self.parameters)):
            raise ValueError(f"wrong number of arguments ({len(arguments)})")
        converted = []
        known = True
        for i, given in enumerate(arguments):
            parameter = self.parameters[i] if i < len(self.parameters) else self.rest
            if parameter is None:  # pragma: no cover -- counted above; tells the type checker
                raise ValueError("too many arguments")
            if given is None and not parameter.null:
                raise ValueError(f"argument {i + 1} must not be null")
            value = given if parameter.type is ANY else convert(given, parameter.type)
            if (value is UNKNOWN and not parameter.whole) or (not parameter.parts and not is_known(value)):
                known = False
            converted.append(value)
        if not known:
            return UNKNOWN
        result = self.run(*converted)
        return text(checked(result)) if isinstance(result, str) else result


def checked(result: str) -> str:
    """The string, if it is not too long."""
    check_size(len(result), MAX_TEXT_CHARS)
    return result


def check_size(size: int, most: int = MAX_ITEMS) -> None:
    """Refuse a result before it is made.

    Raises:
        ValueTooLargeError: The size is beyond the bound.
    """
    if size > most:
        raise ValueTooLargeError(f"a result of {size} items or characters (limit: {most})")


TEXT: Final = Parameter(type=STRING)
NUM: Final = Parameter(type=NUMBER)
FLAG: Final = Parameter(type=BOOL)
VALUE: Final = Parameter()
TEXTS: Final = Parameter(type=collection("list", STRING))
LIST: Final = Parameter(type=collection("list", ANY))
SET: Final = Parameter(type=collection("set", ANY))
"""A set with unknown items is unknown as a whole."""


def whole(value: Value, what: str) -> int:
    """The number as an ``int`` of 64 bits.

    Raises:
        ValueError: It has a fraction or does not fit.
    """
    if not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise ValueError(f"{what} must be a whole number of 64 bits")
    return value
