"""Terraform's value shadows: ``after_unknown`` and ``*_sensitive`` beside ``before`` and ``after``.

A shadow repeats the shape of a value and holds ``true`` where the value is unknown or sensitive as a whole.
Unknown values are missing from ``after`` (in lists: ``null``), so only both together tell the truth. A shadow that
is neither true, false, an object nor a list, or that has another shape than its value, is a `ShadowError`: a mark
that cannot be placed must not be lost.

Values and shadows are what `plangate.parsers.documents` reads: dicts, lists and scalars.

Source: https://developer.hashicorp.com/terraform/internals/json-format#change-representation
"""

from typing import Any, Final

from plangate.model.values import UNKNOWN

MIN_SECRET_CHARS: Final = 3
"""Shorter sensitive texts cannot be told from ordinary ones in an output; they are masked by path only."""


class ShadowError(ValueError):
    """A shadow that does not fit its value, or whose paths would need more memory than they may have."""


class Paths:
    """Makes the JSON Pointers of what shadows mark, and counts what they cost.

    A key of a megabyte above a list of a hundred thousand ``true`` would be a hundred gigabytes of pointers.

    Args:
        max_chars: Characters of all pointers of one document.
    """

    def __init__(self, max_chars: int) -> None:
        self._left = max_chars

    def marked(self, *shadows: Any) -> tuple[str, ...]:
        """JSON Pointers of everything that any of these shadows marks, sorted, without repeats."""
        found: set[str] = set()
        for shadow in shadows:
            self._collect(shadow, "", found)
        return tuple(sorted(found)) if found else ()

    def _collect(self, shadow: Any, prefix: str, found: set[str]) -> None:
        self._left -= len(prefix)
        if self._left < 0:
            raise ShadowError("marks more attributes, by longer paths, than can be kept")
        if shadow is True:
            found.add(prefix)
        elif isinstance(shadow, dict):
            for key, below in shadow.items():
                if below is not False and below not in ({}, []):
                    self._collect(below, f"{prefix}/{key.replace('~', '~0').replace('/', '~1')}", found)
        elif isinstance(shadow, list):
            for index, below in enumerate(shadow):
                if below is not False:
                    self._collect(below, f"{prefix}/{index}", found)
        elif shadow is not None and shadow is not False:
            raise ShadowError("expected true, false, an object or a list")


def overlay_unknown(value: Any, shadow: Any) -> Any:
    """The value with `UNKNOWN` wherever its shadow says so; parts without unknowns are shared, not copied.

    Raises:
        ShadowError: The shadow marks something inside of a value that has another shape.
    """
    if shadow is True:
        return UNKNOWN
    if not shadow:
        return value
    if isinstance(shadow, dict):
        return _overlay_object(value, shadow)
    if isinstance(shadow, list):
        return _overlay_list(value, shadow)
    raise ShadowError("expected true, false, an object or a list")


def _overlay_object(value: Any, shadow: dict[str, Any]) -> Any:
    known = value if isinstance(value, dict) else {}
    changed = {
        key: merged
        for key, below in shadow.items()
        if below and (merged := overlay_unknown(known.get(key), below)) is not known.get(key)
    }
    if not changed:
        return value
    if value is not None and not isinstance(value, dict):
        raise ShadowError("marks attributes of something that is not an object")
    return {**known, **changed}


def _overlay_list(value: Any, shadow: list[Any]) -> Any:
    items = list(value) if isinstance(value, list) else []
    found = False
    for index, below in enumerate(shadow):
        old = items[index] if index < len(items) else None
        merged = overlay_unknown(old, below)
        if merged is not old:
            items += [None] * (index + 1 - len(items))
            items[index] = merged
            found = True
    if found and value is not None and not isinstance(value, list):
        raise ShadowError("marks elements of something that is not a list")
    return items if found else value


def secrets_in(value: Any, shadow: Any) -> set[str]:
    """Texts and long numbers in the sensitive parts of a value; all of it where the shapes do not fit."""
    found: set[str] = set()
    _collect_secrets(value, shadow, found)
    return found


def _collect_secrets(value: Any, shadow: Any, found: set[str]) -> None:
    if not shadow or value is None:
        return
    if isinstance(shadow, dict) and isinstance(value, dict):
        for key, below in shadow.items():
            if below is not False:
                _collect_secrets(value.get(key), below, found)
    elif isinstance(shadow, list) and isinstance(value, list):
        for item, below in zip(value, shadow, strict=False):
            _collect_secrets(item, below, found)
    else:
        found |= leaves(value)


def leaves(value: Any) -> set[str]:
    """Every text and number in a value that is long enough to be recognized again."""
    found: set[str] = set()
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, str):
            if len(item) >= MIN_SECRET_CHARS:
                found.add(item)
        elif item is not None and not isinstance(item, bool) and len(str(item)) > MIN_SECRET_CHARS:
            found.add(str(item))
    return found
