"""What all evaluation of one source shares: bounds, what is being read, and the two ways to fail.

A mistake in an expression is an `EvaluationError`: the value is unknown then, and ``try`` may catch it. A source that
costs too much, or that leads outside, is refused as a whole with a `PlanParseError`, which nothing catches.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn

from msgspec import Struct, field

from plangate.errors import PlanParseError
from plangate.model.plan import Location
from plangate.parsers.base import Limits
from plangate.parsers.hcl.folder import SourceTree
from plangate.parsers.hcl.origins import Origins, Target
from plangate.parsers.hcl.syntax import At, Expression
from plangate.parsers.hcl.values import plain
from plangate.parsers.terraform_values import leaves

_CHARS_PER_NODE: Final = 16
"""Characters of text that count as one value."""
_WALKED_PER_NODE: Final = 8
"""Values that a function walks over that count as one value."""


class EvaluationError(Exception):
    """What Terraform would refuse to evaluate.

    Args:
        problem: A sentence.
        sure: Every version refuses it; otherwise ``try`` and ``can`` must not count on it.
    """

    def __init__(self, problem: str, *, sure: bool = True) -> None:
        super().__init__(problem)
        self.sure = sure


class Reads(Struct):
    """What the evaluation of one expression has read.

    Attributes:
        sensitive: Something sensitive.
        targets: Attributes of resources.
    """

    sensitive: bool = False
    targets: set[Target] = field(default_factory=set)

    def add(self, other: "Reads") -> None:
        """Count what another one has read."""
        self.sensitive = self.sensitive or other.sensitive
        if other.targets:
            self.targets |= other.targets


class Remembered(Struct):
    """A value that is evaluated when it is first asked for."""

    state: str = "new"
    value: Any = None
    reads: Reads = field(default_factory=Reads)


class Run:
    """One evaluation of one source.

    Attributes:
        reads: Of the expression that is being evaluated.
        secrets: Sensitive texts.
        opaque: What could not be read, each a sentence.
        root_folder: Folder of the root module in the tree.
        templates: Template files that were read, by name.
    """

    def __init__(self, tree: SourceTree, limits: Limits) -> None:
        self.tree = tree
        self.limits = limits
        self.reads = Reads()
        self.secrets: set[str] = set()
        self.opaque: dict[str, None] = {}
        self.root_folder = ""
        self.templates: dict[str, Expression] = {}
        self._depth = 0
        self._left = limits.max_template_nodes

    def spend(self, nodes: int, place: Location | str) -> None:
        """Count values that are made.

        Raises:
            PlanParseError: More than ``limits.max_template_nodes``.
        """
        self._left -= nodes
        if self._left < 0:
            self.refuse(
                place,
                f"evaluating this makes more than {self.limits.max_template_nodes} values",
                hint="raise limits.max_template_nodes in plangate.yaml if the source is meant to be this big",
            )

    def spend_walk(self, size: int, place: Location | str) -> None:
        """Count a walk over values that are there already."""
        if size >= _WALKED_PER_NODE:
            self.spend(size // _WALKED_PER_NODE, place)

    def spend_text(self, text: str, place: Location | str) -> str:
        """Count a text that is made."""
        if len(text) >= _CHARS_PER_NODE:
            self.spend(len(text) // _CHARS_PER_NODE, place)
        return text

    def enter(self, place: Location | str) -> None:
        """Count one more template inside of another, or module inside of another; `leave` when it is done."""
        self._depth += 1
        if self._depth > self.limits.max_depth:
            self.refuse(place, f"nested deeper than {self.limits.max_depth} levels")

    def leave(self) -> None:
        """See `enter`."""
        self._depth -= 1

    def add_secrets(self, value: Any, place: Location | str) -> None:
        """Remember the texts in a sensitive value."""
        origins = Origins()
        known = origins.stripped(value)
        self.spend(origins.size, place)
        self.secrets |= leaves(plain(known))

    def refuse(self, place: Location | str, problem: str, *, hint: str = "") -> NoReturn:
        """Refuse the source for what stands at a place."""
        if isinstance(place, str):
            raise PlanParseError(place, problem, hint=hint)
        raise PlanParseError(place.file, problem, at=f"line {place.line} column {place.column}", hint=hint)

    def apart(self, compute: Callable[[], Any]) -> tuple[Any, Reads]:
        """A value, and what was read for it; that does not count for the expression that is being evaluated."""
        outer, self.reads = self.reads, Reads()
        try:
            return compute(), self.reads
        finally:
            self.reads = outer

    def remember(self, kept: Remembered, what: str, place: Location | str, compute: Callable[[], Any]) -> Any:
        """The value that is kept, evaluated if it is not there yet; what it reads counts for whoever asks.

        Raises:
            PlanParseError: It depends on itself.
        """
        if kept.state == "busy":
            self.refuse(place, f"{what} depends on itself")
        if kept.state == "new":
            kept.state = "busy"
            kept.value, kept.reads = self.apart(compute)
            kept.state = "done"
        self.reads.add(kept.reads)
        return kept.value


def where(file: str, at: At) -> Location:
    """A place in a file."""
    return Location(file=file, line=at[0], column=at[1])
