"""Takes a document apart; every complaint names the JSON Pointer and the line of what is wrong."""

from collections.abc import Mapping
from typing import Any, NoReturn

from plangate.errors import PlanParseError
from plangate.parsers.base import Input, Places


class Reader:
    """What it gives has the shape that was asked for, or the document is refused.

    Args:
        document: For its name.
        places: Where its values stand.
    """

    def __init__(self, document: Input, places: Places) -> None:
        self._document = document
        self._places = places

    def values_of(self, change: Mapping[str, Any], side: str, at: str) -> Mapping[str, Any] | None:
        """A member that is an object or not there."""
        value = change.get(side)
        return None if value is None else self.object_of(value, f"{at}/{side}")

    def object_of(self, value: Any, at: str) -> dict[str, Any]:
        """The value, if it is an object."""
        if not isinstance(value, dict):
            self.refuse(at, f"expected an object, found {_name_of(value)}")
        return value

    def list_of(self, value: Any, at: str) -> list[Any]:
        """The value, if it is a list; an empty one for nothing."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(at, f"expected a list, found {_name_of(value)}")
        return value

    def text_of(self, item: Mapping[str, Any], key: str, at: str) -> str:
        """A member that has to be text, and not empty."""
        value = item.get(key)
        if not isinstance(value, str) or not value:
            self.refuse(f"{at}/{key}", f"expected text, found {_name_of(value)}")
        return value

    def flag_of(self, item: Mapping[str, Any], key: str, *, default: bool) -> bool:
        """A member of the whole document that is true or false."""
        value = item.get(key, default)
        if not isinstance(value, bool):
            self.refuse(f"/{key}", f"expected true or false, found {_name_of(value)}")
        return value

    def refuse(self, at: str, problem: str, *, hint: str = "") -> NoReturn:
        """Refuse the document for what stands at a JSON Pointer."""
        line, _ = self._places.at(at)
        where = f"line {line} ({at})" if line and at else at
        raise PlanParseError(self._document.name, problem, at=where, hint=hint)


def _name_of(value: Any) -> str:
    if value is None:
        return "nothing"
    return {"dict": "an object", "list": "a list", "str": "text", "bool": "true or false"}.get(
        type(value).__name__, "a number"
    )
