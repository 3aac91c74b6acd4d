"""JSON from outside, read in the one way that cannot be read differently elsewhere.

Duplicate keys, NaN and Infinity, fractions, integers beyond 2**53 and lone surrogates are refused: nothing
that this package writes has them.
"""

import json
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 32
_MAX_INTEGER: Final = 2**53 - 1
_MAX_DIGITS: Final = 17  # with the sign


class StrictJsonError(ValueError):
    """Not JSON, or JSON that two readers may understand differently."""


def loads(content: bytes) -> object:
    """Read one JSON document.

    Raises:
        StrictJsonError: As the module says, or nested more than `MAX_DEPTH` deep.
    """
    try:
        document: object = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_number,
            parse_float=_refuse_number,
            parse_int=_exact,
        )
        _check(document, MAX_DEPTH)
    except RecursionError as error:
        raise StrictJsonError("nested too deep") from error
    except UnicodeDecodeError as error:
        raise StrictJsonError("not UTF-8") from error
    except json.JSONDecodeError as error:
        raise StrictJsonError(f"not JSON: {error.msg} at character {error.pos}") from error
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise StrictJsonError(f"the key {twice[:80]!r} is there twice")
    return document


def _refuse_number(number: str) -> NoReturn:
    raise StrictJsonError(f"not a whole number: {number[:40]}")


def _exact(number: str) -> int:
    if len(number) > _MAX_DIGITS or abs(int(number)) > _MAX_INTEGER:
        raise StrictJsonError(f"a number beyond 2**53: {number[:40]}")
    return int(number)


def _check(value: object, depth: int) -> None:
    """Refuse what is nested too deep, or has text that cannot be written as UTF-8."""
    if depth < 0:
        raise StrictJsonError(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise StrictJsonError("a lone surrogate in a text") from error
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name, depth)
            _check(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth - 1)
