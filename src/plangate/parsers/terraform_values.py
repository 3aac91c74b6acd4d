"""Terraform's value shadows: ``after_unknown`` and ``*_sensitive`` beside ``before`` and ``after``.

A shadow repeats the shape of a value and holds ``true`` where the value is unknown or sensitive as a whole.
Unknown values are missing from ``after`` (in lists: ``null``), so only both together tell the truth.

Source: https://developer.hashicorp.com/terraform/internals/json-format#change-representation
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from plangate.model.values import UNKNOWN

MIN_SECRET_CHARS: Final = 3
"""Shorter sensitive texts cannot be told from ordinary ones in an output; they are masked by path only."""


def overlay_unknown(value: Any, shadow: Any) -> Any:
    """The value with `UNKNOWN` wherever its shadow says so; parts without unknowns are shared, not copied."""
    if shadow is True:
        return UNKNOWN
    if isinstance(shadow, Mapping) and has_true(shadow):
        known = value if isinstance(value, Mapping) else {}
        merged = dict(known)
        for key, below in shadow.items():
            if has_true(below):
                merged[key] = overlay_unknown(known.get(key), below)
        return merged
    if isinstance(shadow, Sequence) and not isinstance(shadow, str) and has_true(shadow):
        items = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
        items += [None] * (len(shadow) - len(items))
        for index, below in enumerate(shadow):
            if has_true(below):
                items[index] = overlay_unknown(items[index], below)
        return items
    return value


def has_true(shadow: Any) -> bool:
    """Whether a shadow marks anything at all."""
    if shadow is True:
        return True
    if isinstance(shadow, Mapping):
        return any(has_true(below) for below in shadow.values())
    if isinstance(shadow, Sequence) and not isinstance(shadow, str):
        return any(has_true(below) for below in shadow)
    return False


def marked_paths(shadow: Any, prefix: str = "") -> list[str]:
    """JSON Pointers of everything that a shadow marks."""
    if shadow is True:
        return [prefix]
    found: list[str] = []
    if isinstance(shadow, Mapping):
        for key, below in shadow.items():
            if below is not False:
                found += marked_paths(below, f"{prefix}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(shadow, Sequence) and not isinstance(shadow, str):
        for index, below in enumerate(shadow):
            if below is not False:
                found += marked_paths(below, f"{prefix}/{index}")
    return found


def secrets_in(value: Any, shadow: Any) -> set[str]:
    """Texts and long numbers in the sensitive parts of a value."""
    if shadow is True:
        return leaves(value)
    found: set[str] = set()
    if isinstance(shadow, Mapping) and isinstance(value, Mapping):
        for key, below in shadow.items():
            if below is not False:
                found |= secrets_in(value.get(key), below)
    elif isinstance(shadow, Sequence) and isinstance(value, Sequence) and not isinstance(value, str):
        for item, below in zip(value, shadow, strict=False):
            found |= secrets_in(item, below)
    return found


def leaves(value: Any) -> set[str]:
    """Every text and number in a value that is long enough to be recognized again."""
    if isinstance(value, str):
        return {value} if len(value) >= MIN_SECRET_CHARS else set()
    if isinstance(value, Mapping):
        return set().union(*map(leaves, value.values()))
    if isinstance(value, Sequence):
        return set().union(*map(leaves, value))
    if isinstance(value, bool) or value is None:
        return set()
    return {str(value)} if len(str(value)) > MIN_SECRET_CHARS else set()
