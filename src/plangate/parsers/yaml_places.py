"""Where the values of a YAML document stand: one number for each member, kept by the identity of what holds it."""

from collections.abc import Mapping
from typing import Any, Final

from plangate.model.values import pointer_tokens

_COLUMN_BITS: Final = 32


class YamlPlaces:
    """Places of one document: for every mapping and list, where each of its members begins."""

    def __init__(self, root: Any, places: Mapping[int, dict[str, int] | list[int]], start: int) -> None:
        self._root = root
        self._places = places
        self._start = start

    def at(self, pointer: str) -> tuple[int, int]:
        """See `plangate.parsers.base.Places`."""
        value, place = self._root, self._start
        for token in pointer_tokens(pointer):
            found = self._member(value, token)
            if found is None:
                return 0, 0
            value, place = found
        return unpacked(place)

    def below(self, pointer: str) -> Mapping[str, tuple[int, int]]:
        """See `plangate.parsers.base.Places`."""
        value = self._root
        for token in pointer_tokens(pointer):
            found = self._member(value, token)
            if found is None:
                return {}
            value = found[0]
        places = self._places.get(id(value))
        if places is None:
            return {}
        listed = places.items() if isinstance(places, dict) else enumerate(places)
        return {str(key): unpacked(place) for key, place in listed}

    def _member(self, value: Any, token: str) -> tuple[Any, int] | None:
        places = self._places.get(id(value))
        if isinstance(value, dict) and isinstance(places, dict):
            return (value[token], places[token]) if token in value else None
        if isinstance(value, list) and isinstance(places, list) and token.isascii() and token.isdecimal():
            index = int(token) if len(token) < _COLUMN_BITS else len(value)
            return (value[index], places[index]) if index < len(value) else None
        return None


def packed(line: int, column: int) -> int:
    """A place as one number."""
    return line << _COLUMN_BITS | column


def unpacked(place: int) -> tuple[int, int]:
    """Line and column of a place."""
    return place >> _COLUMN_BITS, place & (1 << _COLUMN_BITS) - 1
