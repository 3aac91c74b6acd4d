"""What evaluating a template leaves behind beside values: edges, what could not be followed, and secrets."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from msgspec import Struct, field

from plangate.errors import PlanParseError
from plangate.model.plan import Reference
from plangate.model.values import UNKNOWN
from plangate.parsers.base import Limits

_CHARS_A_NODE: Final = 64
"""Characters of text that count like one value."""


class Maybe(Enum):
    """The type of `MAYBE`; there is one instance."""

    MAYBE = "maybe"

    def __bool__(self) -> bool:
        raise TypeError("a value that may be absent has no truth")


MAYBE: Final = Maybe.MAYBE
"""Not known, and perhaps not there at all (``AWS::NoValue`` under a condition that is not known).

Only while a template is evaluated: in a plan it is `UNKNOWN`.
"""


class Spot(Struct, frozen=True):
    """Where in a resource's properties a value goes.

    Attributes:
        exact: JSON Pointer.
        plain: The same without list indexes, as edges have it.
    """

    exact: str = ""
    plain: str = ""

    def member(self, key: str) -> "Spot":
        """Of a member of the object here."""
        token = "/" + key.replace("~", "~0").replace("/", "~1")
        return Spot(self.exact + token, self.plain + token)

    def item(self, index: int) -> "Spot":
        """Of an item of the list here."""
        return Spot(f"{self.exact}/{index}", self.plain)


class Trace(Struct):
    """What was found on the way; filled while values are read.

    Attributes:
        edges: ``(at, logical id, attribute)`` → whether the value is exactly that attribute.
        lost: Plain pointers of values that depend on something that is not a resource of the template.
        secret: Exact pointers of values that hold something secret.
        partition: The one value that was read is the partition, and is not known.
    """

    edges: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    secret: set[str] = field(default_factory=set)
    partition: bool = False

    def add(self, other: "Trace") -> None:
        """Take over everything, as it is."""
        for edge, exact in other.edges.items():
            self.edges[edge] = exact and self.edges.get(edge, True)
        self.lost |= other.lost
        self.secret |= other.secret

    def blur(self, other: "Trace", spot: Spot, value: Any) -> None:
        """Take over what went into a value made of several: it is not exactly any of them."""
        if other.secret:
            self.secret.add(spot.exact)
        if _holds_unknown(value):
            for _, address, attribute in other.edges:
                self.edges[spot.plain, address, attribute] = False
            self.lost.add(spot.plain)

    def references(self) -> tuple[Reference, ...]:
        """The edges as the model has them, sorted."""
        return tuple(
            Reference(at=at, address=address, attribute=attribute, exact=exact)
            for (at, address, attribute), exact in sorted(self.edges.items())
        )


def _holds_unknown(value: Any) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if item is UNKNOWN or item is MAYBE:
            return True
        if isinstance(item, Mapping):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return False


class Budget:
    """Counts what evaluating a template makes, and stops it in time.

    Args:
        name: The input's name, for the refusal.
        limits: ``max_template_nodes`` values may be made, and 64 characters of text count as one.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._most = self._left = limits.max_template_nodes

    def spend(self, chars: int = 0, nodes: int = 1) -> None:
        """Count values, or text of a length.

        Raises:
            PlanParseError: There are too many.
        """
        self._left -= nodes + chars // _CHARS_A_NODE
        if self._left < 0:
            raise PlanParseError(
                self._name,
                f"evaluating it makes more than {self._most} values",
                hint="raise limits.max_template_nodes in plangate.yaml if the template is meant to be this big",
            )
