"""What a rule can read of a plan, and whether something that it can read is not known yet.

This is what makes unknowns safe by construction: a rule without an ``undetermined`` of its own, that reads an
unknown value of a resource and found nothing, has not said that the resource is good. Sound first, then narrow:
what cannot be followed reads everything. `plangate.policy.flow` computes it from the syntax tree.

A *path* is a tuple of keys from the resource down, e.g. ``("facts", "public_ip")``; ``ANY`` stands for any key.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Self, TypeAlias

from msgspec import Struct

from plangate.model.kinds import KINDS
from plangate.model.plan import Plan, Resource
from plangate.model.values import UNKNOWN, pointer_tokens

ANY: Final = "*"

Path: TypeAlias = tuple[str, ...]

WHOLE: Final[Path] = ()
"""The path of the resource as a whole: everything in it."""


class Read(Struct, frozen=True, kw_only=True):
    """One path that is looked at.

    Attributes:
        path: From the resource down.
        deep: The value itself is looked at. Otherwise only whether it is there (its children are listed apart).
    """

    path: Path
    deep: bool

    def touches(self, unknown: Path) -> bool:
        """An unknown value at that path can change what this read gives."""
        shared = min(len(self.path), len(unknown))
        if any(
            mine not in (ANY, theirs) and theirs != ANY
            for mine, theirs in zip(self.path[:shared], unknown[:shared], strict=True)
        ):
            return False
        return self.deep or len(unknown) <= len(self.path)


class Reads(Struct, frozen=True, kw_only=True):
    """What one rule can read.

    Attributes:
        own: Of the resource that a finding is about: it matters to the outcome of that resource alone.
        others: Kind (empty: any) to what is read of resources of that kind, whichever the finding is about:
            it matters to every outcome of the rule.
        plan: The outputs or checks of the plan are read.
    """

    own: frozenset[Read] = frozenset()
    others: tuple[tuple[str, frozenset[Read]], ...] = ()
    plan: bool = False

    def describe(self) -> tuple[str, ...]:
        """The paths as people write them (``facts.public_ip``, ``after.tags.*``), sorted."""
        reads = self.own.union(*(found for _, found in self.others))
        return tuple(sorted({".".join(read.path) or ANY for read in reads}))


_LEAVES: Final = frozenset({bool, str, int, type(None)})

EVERYTHING: Final = Reads(others=(("", frozenset({Read(path=WHOLE, deep=True)})),), plan=True)


def _holds_unknown(value: Any) -> bool:
    if value is UNKNOWN:
        return True
    if type(value) in _LEAVES:
        return False
    if isinstance(value, Mapping):
        return any(map(_holds_unknown, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_unknown, value))
    return False


def unknown_facts(resource: Resource) -> tuple[str, ...]:
    """Names of the facts that are, or contain, a value that is not known yet; sorted.

    A fact that its kind has and the resource lacks is one of them: a missing fact is never a good one.
    """
    facts = resource.facts
    names = [name for name, value in facts.items() if _holds_unknown(value)]
    names += [name for name in KINDS.get(resource.kind, ()) if name not in facts]
    return tuple(sorted(names)) if names else ()


class Unknowns(Struct, frozen=True, kw_only=True):
    """What is not known of one resource: paths, and their second keys for a quick look."""

    paths: tuple[Path, ...]
    names: frozenset[str]

    @classmethod
    def of(cls, facts: Iterable[str], pointers: Iterable[str], *, region: bool = False) -> Self:
        """From fact names, JSON Pointers into ``after``, and whether the region is unknown."""
        paths: list[Path] = [("facts", name) for name in facts]
        paths += [("after", *pointer_tokens(pointer)) for pointer in pointers]
        if region:
            paths.append(("region",))
        names = frozenset(path[1] if len(path) > 1 else ANY for path in paths)
        return cls(paths=tuple(paths), names=names)

    def touched(self, reads: Collection[Read]) -> tuple[str, ...]:
        """The unknown paths that some read looks at, as people write them, sorted."""
        if not self.paths or not reads:
            return ()
        narrow = ANY not in self.names and all(len(read.path) > 1 and read.path[1] != ANY for read in reads)
        if narrow and self.names.isdisjoint(read.path[1] for read in reads):
            # The common case, which has to be quick: no name that is read is among the unknown ones.
            return ()
        return tuple(
            sorted({".".join(path) for path in self.paths if any(read.touches(path) for read in reads)})
        )


def touches_unknown(reads: Collection[Read], facts: Iterable[str], pointers: Iterable[str]) -> bool:
    """Something that is read of a resource is not known yet.

    Args:
        reads: What is read of the resource.
        facts: Names of facts whose value is or contains an unknown.
        pointers: JSON Pointers of unknown values in ``after``.
    """
    return bool(Unknowns.of(facts, pointers).touched(reads))


def plan_unknown(plan: Plan) -> bool:
    """An output or a check of the plan is not known yet."""
    return any(_holds_unknown(output.after) for output in plan.outputs) or any(
        check.status == "unknown" for check in plan.checks
    )
