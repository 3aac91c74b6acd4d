"""JSON and JSON Lines as documents with places. Well-formedness and limits are `plangate.parsers.documents`'s."""

from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate
from typing import Any

from plangate.errors import PlanParseError
from plangate.parsers.base import Documents, Input, Limits, Places
from plangate.parsers.documents import decode_text, members_of, position_of, read_json


class JsonPlaces:
    """Places in one well-formed JSON text.

    Args:
        text: The text.
        first_line: Line at which it begins.
    """

    def __init__(self, text: str, first_line: int = 1) -> None:
        self._text = text
        self._first_line = first_line

    def at(self, pointer: str) -> tuple[int, int]:
        """See `plangate.parsers.base.Places`."""
        line, column = position_of(self._text, pointer)
        return (line + self._first_line - 1, column) if line else (0, 0)

    def below(self, pointer: str) -> Mapping[str, tuple[int, int]]:
        """See `plangate.parsers.base.Places`."""
        return {key: self._line_column(offset) for key, offset in members_of(self._text, pointer).items()}

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *accumulate(len(line) for line in self._text.splitlines(keepends=True))]

    def _line_column(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, offset)
        return line + self._first_line - 1, offset - self._line_starts[line - 1] + 1


def read_json_document(source: Input, limits: Limits) -> Documents:
    """One JSON document.

    Raises:
        PlanParseError: As `plangate.parsers.documents.read_json`.
    """
    value, text = read_json(source.data, source.name, limits)
    places: tuple[Places, ...] = (JsonPlaces(text),)
    return Documents(source=source, values=(value,), places=places)


def read_json_lines(source: Input, limits: Limits) -> Documents:
    """JSON Lines: one document a line, empty lines left out.

    Raises:
        PlanParseError: A line is not one JSON document; or there is none.
    """
    values: list[Any] = []
    places: list[Places] = []
    for number, line in enumerate(decode_text(source.data, source.name).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value, text = read_json(line.encode(), source.name, limits)
        except PlanParseError as error:
            at = error.at.removeprefix("line 1 ")
            raise PlanParseError(source.name, error.problem, at=f"line {number} {at}".strip()) from error
        values.append(value)
        places.append(JsonPlaces(text, number))
    if not values:
        raise PlanParseError(source.name, "empty document (expected a plan)")
    return Documents(source=source, values=tuple(values), places=tuple(places))
