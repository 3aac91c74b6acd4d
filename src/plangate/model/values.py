"""Values that may not be known yet, and how to reason about them.

Four things that other tools confuse stay apart here: *absent* (the key is not there), *null*
(``None``), *unknown* (known only after apply) and *sensitive* (known, and must not be shown).

``UNKNOWN`` refuses to be used as a condition. A rule that writes ``if fact:`` on an unknown fact
fails loudly, and a rule that fails loudly is an ``error`` outcome, never a pass.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, NoReturn, TypeAlias, final


class Unknown(Enum):
    """The type of `UNKNOWN`; there is one instance. An enumeration of one, so that type checkers follow ``is``."""

    UNKNOWN = "unknown"

    def __bool__(self) -> NoReturn:
        raise TypeError("an unknown value has no truth; compare it with UNKNOWN first")

    def __repr__(self) -> str:
        return "UNKNOWN"


class Absent(Enum):
    """The type of `ABSENT`; there is one instance. An enumeration of one, so that type checkers follow ``is``."""

    ABSENT = "absent"

    def __bool__(self) -> NoReturn:
        raise TypeError("an absent value has no truth; compare it with ABSENT first")

    def __repr__(self) -> str:
        return "ABSENT"


UNKNOWN: Final = Unknown.UNKNOWN
ABSENT: Final = Absent.ABSENT


@final
class AllUnknown(Mapping[str, Unknown]):
    """The values of a resource of which nothing is known: every key is there, and unknown."""

    def __getitem__(self, key: str) -> Unknown:
        return UNKNOWN

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


Tri: TypeAlias = bool | Unknown
"""True, false, or not known before apply."""


def all_of(values: Iterable[Tri]) -> Tri:
    """Kleene conjunction: false if any is false, else unknown if any is unknown, else true."""
    seen_unknown = False
    for value in values:
        if value is UNKNOWN:
            seen_unknown = True
        elif not value:
            return False
    return UNKNOWN if seen_unknown else True


def any_of(values: Iterable[Tri]) -> Tri:
    """Kleene disjunction: true if any is true, else unknown if any is unknown, else false."""
    seen_unknown = False
    for value in values:
        if value is UNKNOWN:
            seen_unknown = True
        elif value:
            return True
    return UNKNOWN if seen_unknown else False


def negate(value: Tri) -> Tri:
    """Kleene negation: unknown stays unknown."""
    return UNKNOWN if value is UNKNOWN else not value


def pointer(*tokens: str | int) -> str:
    """A JSON Pointer (RFC 6901) from its unescaped tokens."""
    text = "/".join(map(str, tokens))
    if "~" not in text and text.count("/") == len(tokens) - 1:
        return f"/{text}"
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def pointer_tokens(text: str) -> tuple[str, ...]:
    """The unescaped tokens of a JSON Pointer; the empty pointer has none."""
    if not text:
        return ()
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in text[1:].split("/"))


def at_pointer(document: object, text: str) -> object:
    """The value at a JSON Pointer, or `ABSENT`. An unknown on the way makes it `UNKNOWN`."""
    value = document
    for token in pointer_tokens(text):
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, Mapping):
            value = value.get(token, ABSENT)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            index = int(token) if token.isdecimal() else -1
            value = value[index] if 0 <= index < len(value) else ABSENT
        else:
            return ABSENT
    return value


def known_part(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The values without what is unknown (in lists: ``null``), and the sorted JSON Pointers of what is missing.

    Parts without unknowns are shared, not copied.
    """
    unknown: list[str] = []
    known: Mapping[str, Any] = _known(values, "", unknown)
    return known, tuple(sorted(unknown))


def _known(value: Any, at: str, unknown: list[str]) -> Any:
    before = len(unknown)
    found: Any
    if isinstance(value, Mapping):
        found = {}
        for key, item in value.items():
            if item is UNKNOWN:
                unknown.append(at + pointer(key))
            elif isinstance(item, Mapping | list):
                found[key] = _known(item, at + pointer(key), unknown)
            else:
                found[key] = item
    elif isinstance(value, list):
        found = []
        for index, item in enumerate(value):
            if item is UNKNOWN:
                unknown.append(f"{at}/{index}")
            found.append(None if item is UNKNOWN else _known(item, f"{at}/{index}", unknown))
    else:
        return value
    return value if len(unknown) == before else found
