"""The known part of a value with unknown leaves, as the model keeps it."""

from collections.abc import Mapping
from typing import Any

from plangate.model.values import UNKNOWN
from plangate.parsers.cloudformation.trace import Spot


def known_part(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The values without what is unknown (in lists: ``null``), and the sorted JSON Pointers of what is missing.

    Parts without unknowns are shared, not copied.
    """
    unknown: list[str] = []
    known = _known(values, Spot(), unknown)
    return known, tuple(sorted(unknown))


def _known(value: Any, spot: Spot, unknown: list[str]) -> Any:
    before = len(unknown)
    found: Any
    if isinstance(value, Mapping):
        found = {}
        for key, item in value.items():
            if item is UNKNOWN:
                unknown.append(spot.member(key).exact)
            else:
                found[key] = _known(item, spot.member(key), unknown)
    elif isinstance(value, list):
        found = []
        for index, item in enumerate(value):
            if item is UNKNOWN:
                unknown.append(spot.item(index).exact)
            found.append(None if item is UNKNOWN else _known(item, spot.item(index), unknown))
    else:
        return value
    return value if len(unknown) == before else found
