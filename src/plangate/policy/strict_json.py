"""JSON of a bundle, read in the one way that cannot be read differently elsewhere; numbers keep their text.

OPA's digest of a structured file is over its parsed content: white space and the order of keys do not count, the
text of a number does.
"""

import json
from typing import Any, Final, NoReturn

_LINE_SEPARATORS: Final = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029"})


class StrictJsonError(ValueError):
    """Not JSON, or JSON that two readers may understand differently."""


class Number(str):
    """A number as it is written."""

    __slots__ = ()


def parse(content: bytes) -> Any:
    """One JSON value, of dict, list, str, `Number`, bool and None.

    Raises:
        StrictJsonError: As its name says; also a byte order mark, a key that is there twice, or a lone surrogate.
    """
    try:
        text = content.decode("utf-8")
        found = json.loads(
            text, object_pairs_hook=_unique, parse_int=Number, parse_float=Number, parse_constant=_refuse
        )
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as problem:
        raise StrictJsonError("not UTF-8") from problem
    except UnicodeEncodeError as problem:
        raise StrictJsonError("a lone surrogate in a text") from problem
    except json.JSONDecodeError as problem:
        raise StrictJsonError(f"{problem.msg} at character {problem.pos}") from problem
    except RecursionError as problem:
        raise StrictJsonError("nested too deeply") from problem
    return found


def canonical(value: Any) -> str:
    """The text that OPA's digest of a structured file is over.

    Source: https://www.openpolicyagent.org/docs/management-bundles#signature-format, and found by trying.
    """
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    # As Go's encoder without HTML escapes, which writes the two line separators of Unicode as escapes.
    return json.dumps(value, ensure_ascii=False).translate(_LINE_SEPARATORS)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise StrictJsonError("a key is written twice in one object")
    return found


def _refuse(text: str) -> NoReturn:
    raise StrictJsonError(f"{text} is not a number")
