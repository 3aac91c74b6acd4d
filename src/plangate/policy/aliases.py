"""Which parts of the plan a value in a policy may be, without looking at any plan.

The domain of the analysis in `plangate.policy.flow`. An `Alias` is a set of places that a value may come from, and the
same for what is inside of it when it is a collection that the policy made. Joining two loses nothing and adds
nothing that is not in one of them, so what comes out is never too little.
"""

from typing import Final, TypeAlias

from msgspec import Struct

from plangate.policy.reads import ANY, EVERYTHING, Path, Read, Reads

PLAN: Final = "plan"
OWN: Final = "own"
SOME: Final = "kind:"

Place: TypeAlias = tuple[str, Path]
"""A root and the keys from there. Roots: ``plan`` (the document), ``own`` (the resource that a finding is about),
``kind:<kind>`` (some resource of that kind; of any kind when it is empty)."""

REQUIRED_FIELDS: Final = frozenset(
    """address type name mode provider cloud region kind action replace_order reason previous_address importing
    deposed existing module index before after unknown sensitive replace_paths references unresolved patterns facts
    location""".split()  # noqa: SIM905 - a list of words
)
"""Fields that every resource of a plan document has (``schemas/plan.v1.json``); they may be null."""

REQUIRED_TOP: Final = frozenset(
    """schema source complete errored applyable resources drift outputs checks provisioners providers opaque
    unmodelled""".split()  # noqa: SIM905 - a list of words
)
"""Fields that every plan document has."""

_MAY_BE_UNKNOWN: Final = frozenset({"after", "facts", "region", "unknown", ANY})


class Alias(Struct, frozen=True):
    """Where a value may come from.

    Attributes:
        places: It may be the value at one of these places.
        inside: It may be a collection that the policy made, holding such values.
    """

    places: frozenset[Place] = frozenset()
    inside: "Alias | None" = None

    def join(self, other: "Alias") -> "Alias":
        """Either of the two."""
        if other in (self, NOTHING):
            return self
        if self == NOTHING:
            return other
        inside = (
            self.inside.join(other.inside) if self.inside and other.inside else self.inside or other.inside
        )
        return Alias(self.places | other.places, inside)

    def at(self, key: str) -> "Alias":
        """What may be found under a key; ``ANY`` for one that is computed."""
        found = Alias(frozenset(_step(place, key) for place in self.places))
        return found.join(self.inside) if self.inside else found

    def of_kind(self, kind: str) -> "Alias":
        """The same, where resources of any kind are known to be of this one."""
        places = frozenset(
            (SOME + kind, path) if root == SOME else (root, path) for root, path in self.places
        )
        return Alias(places, self.inside.of_kind(kind) if self.inside else None)

    def is_resource(self) -> bool:
        """It is a resource entry of the plan, and nothing else."""
        return (
            bool(self.places)
            and self.inside is None
            and all(root != PLAN and path == () for root, path in self.places)
        )

    def is_plan(self) -> bool:
        """It is the plan document, and nothing else."""
        return self.inside is None and self.places == PLAN_ALIAS.places


NOTHING: Final = Alias()
"""A value that the policy made, or one whose reading has been noted."""

PLAN_ALIAS: Final = Alias(frozenset({(PLAN, ())}))


def collection(item: Alias) -> Alias:
    """A collection of such values."""
    return Alias(inside=item) if item != NOTHING else NOTHING


def _step(place: Place, key: str) -> Place:
    root, path = place
    if root == PLAN and path == ("resources",):
        return (SOME, ())
    return (root, (*path, key))


class ReadLog:
    """Collects what a rule reads."""

    def __init__(self) -> None:
        self._own: set[Read] = set()
        self._others: dict[str, set[Read]] = {}
        self._plan = False
        self._everything = False

    def everything(self) -> None:
        """Something was done that cannot be followed."""
        self._everything = True

    def look(self, alias: Alias, *, deep: bool) -> None:
        """A value is looked at: as a whole, or only whether it is there."""
        for root, path in alias.places:
            if root == PLAN:
                self._look_plan(path, deep=deep)
            else:
                self._look_resource(root, path, deep=deep)
        if deep and alias.inside is not None:
            self.look(alias.inside, deep=True)

    def keys(self, alias: Alias) -> None:
        """It is looked at which keys, or how many items, a value has."""
        self.look(Alias(alias.at(ANY).places if alias.places else frozenset()), deep=False)

    def distinct(self, alias: Alias) -> None:
        """Values are put into a set, which has as many members as they are different.

        Entries of the plan differ by what is always known, so nothing else of them is looked at.
        """
        self.look(
            Alias(frozenset(place for place in alias.places if place[0] == PLAN or place[1])), deep=True
        )
        if alias.inside is not None:
            self.distinct(alias.inside)

    def pointer(self, alias: Alias, pointer: Path) -> None:
        """It is asked whether one pointer is in the list of unknown values."""
        for root, path in alias.places:
            if root != PLAN and path == ("unknown",):
                self._note(root, Read(path=("after", *pointer), deep=True))

    def _look_plan(self, path: Path, *, deep: bool) -> None:
        if not path or path[0] == ANY or path == ("resources",):
            self._everything = self._everything or deep or (bool(path) and path[0] == ANY)
        elif path[0] in {"outputs", "checks"}:
            self._plan = True

    def _look_resource(self, root: str, path: Path, *, deep: bool) -> None:
        if path and path[0] not in _MAY_BE_UNKNOWN:
            return
        if path and path[0] == "unknown":
            # Which values are unknown changes with every unknown value; that there is a list does not.
            if deep or len(path) > 1:
                self._note(root, Read(path=("after",), deep=True))
        elif (path and path[0] == ANY) or (not path and deep):
            self._note(root, Read(path=(), deep=True))
        elif path:
            self._note(root, Read(path=path, deep=deep))

    def _note(self, root: str, read: Read) -> None:
        if root == OWN:
            self._own.add(read)
        else:
            self._others.setdefault(root.removeprefix(SOME), set()).add(read)

    def reads(self) -> Reads:
        """All of it."""
        if self._everything:
            return EVERYTHING
        return Reads(
            own=frozenset(self._own),
            others=tuple((kind, frozenset(found)) for kind, found in sorted(self._others.items())),
            plan=self._plan,
        )
