"""Where resources and their properties are written."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from plangate.model.plan import Location
from plangate.parsers.base import Places
from plangate.parsers.json_documents import JsonPlaces

_MOST_CHARS: Final = 100_000_000
"""Characters of JSON to walk for places: finding one walks all that stands before it."""

_DEPTH: Final = 4


class Placed:
    """Places of one document.

    Args:
        name: The input's name.
        places: Places in it.
        resources: How many resources there are.
        size: Bytes of the document. In a big JSON document only the resources have places.
    """

    def __init__(self, name: str, places: Places, resources: int, size: int) -> None:
        self._name = name
        self._places = places
        self._resources = places.below("/Resources")
        self._fine = not isinstance(places, JsonPlaces) or resources * size <= _MOST_CHARS

    def of(self, origin: str, values: Mapping[str, Any]) -> tuple[Location | None, dict[str, Location]]:
        """Of a resource and of its properties.

        Args:
            origin: JSON Pointer of the resource in the document.
            values: Its values; empty when they are not known.
        """
        key = origin.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        found = self._resources.get(key)
        location = None if found is None else self._location(found)
        if not self._fine:
            return location, {}
        return location, dict(self._below(f"{origin}/Properties", values))

    def _below(self, root: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Location]]:
        pending: list[tuple[str, Any, int]] = [("", values, 1)]
        while pending:
            at, value, depth = pending.pop()
            below = self._places.below(root + at)
            members = value.items() if isinstance(value, Mapping) else enumerate(value)
            for key, item in members:
                token = str(key).replace("~", "~0").replace("/", "~1")
                place = below.get(str(key))
                if place is None:
                    continue
                yield f"{at}/{token}", self._location(place)
                if depth < _DEPTH and isinstance(item, Mapping | list):
                    pending.append((f"{at}/{token}", item, depth + 1))

    def _location(self, place: tuple[int, int]) -> Location:
        return Location(file=self._name, line=place[0], column=place[1])


def nearest(places: Places, at: str) -> str:
    """Where a JSON Pointer stands, for a complaint: its own place, or that of what should hold it."""
    found = at
    while found and places.at(found) == (0, 0):
        found = found.rpartition("/")[0]
    line, column = places.at(found)
    return f"line {line} column {column}" if line else at
