"""Unknown values that remember where they come from, and objects that are read one attribute at a time.

The functions and conversions of this package know `UNKNOWN` alone. Around a call, an unknown with an origin is put
aside (`stripped`) and what comes out unknown gets the origins of what went in (`restored`).
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.values import SetValue, Value


class Target(Struct, frozen=True, order=True):
    """An attribute of a resource that an unknown value comes from.

    Attributes:
        address: Of the resource; a pattern when the instance is not known.
        attribute: Empty for the whole resource.
        exact: The value is, or holds, exactly this attribute of this one resource.
        maybe: Addresses of the counted things around the resource of which it is not known whether they are there.
    """

    address: str
    attribute: str
    exact: bool
    maybe: tuple[str, ...] = ()


class Pending(Struct, frozen=True):
    """An unknown value that comes from resources.

    Attributes:
        targets: What it comes from.
        lost: It also hangs on something that no resource of this source makes.
    """

    targets: frozenset[Target]
    lost: bool = False

    def attribute(self, name: str) -> "Pending":
        """An attribute of it."""
        return Pending(
            frozenset(t if t.attribute else replace(t, attribute=name) for t in self.targets), self.lost
        )


class Opaque:
    """A resource, a module or a namespace: has attributes, and is not a value that a function could take.

    Attributes:
        is_there: It certainly exists.
        is_counted: It stands for instances of which it is not known how many there are.
    """

    __slots__ = ()
    is_counted = False

    @property
    def is_there(self) -> bool:
        """It certainly exists."""
        return False

    def attribute(self, name: str) -> Any:
        """The value of an attribute. Raises an `EvaluationError` for one that cannot be there."""
        raise NotImplementedError

    def item(self, key: Any) -> Any:
        """What an index gives: an attribute, for all but counted things."""
        return self.attribute(str(key))

    def whole(self) -> Any:
        """What it is where a value is needed: unknown, with its origin."""
        raise NotImplementedError


Leaf: TypeAlias = Any


def is_unknown(value: Any) -> bool:
    """Not known at all, with or without an origin."""
    return value is UNKNOWN or value.__class__ is Pending


class Origins:
    """Collects the origins of the unknown parts of some values.

    Attributes:
        targets: What they come from.
        lost: Some of them have no origin.
        found: There are unknown parts.
        size: Values inside of the values, counted as often as they are reached: what a walk over them costs.
    """

    def __init__(self) -> None:
        self.targets: set[Target] = set()
        self.lost = False
        self.found = False
        self.size = 0
        # Values share their parts, so that a small one may be endless when written out: each part is looked at once.
        self._seen: dict[int, tuple[Any, Value, int]] = {}

    def add(self, leaf: Leaf) -> None:
        """An unknown part."""
        self.found = True
        if leaf.__class__ is Pending:
            self.targets |= leaf.targets
            self.lost = self.lost or leaf.lost
        else:
            self.lost = True

    def stripped(self, value: Any) -> Value:
        """The value with `UNKNOWN` for its unknown parts; the same object when there is nothing to replace."""
        kind = value.__class__
        if kind in _SCALARS:
            self.size += 1
            return value
        if value is UNKNOWN or kind is Pending:
            self.size += 1
            self.add(value)
            return UNKNOWN
        seen = self._seen.get(id(value))
        if seen is not None:
            self.size += seen[2]
            return seen[1]
        before = self.size
        plain = self._plain(value)
        self.size += 1
        self._seen[id(value)] = value, plain, self.size - before
        return plain

    def _plain(self, value: Any) -> Value:
        if isinstance(value, dict):
            changed = {k: new for k, v in value.items() if (new := self.stripped(v)) is not v}
            return value if not changed else value.__class__({**value, **changed})
        if isinstance(value, list | tuple):
            items = [self.stripped(item) for item in value]
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else value.__class__(items)
        if isinstance(value, SetValue):
            self.size += len(value.items)
        if isinstance(value, Opaque):
            return self.stripped(value.whole())
        return value

    def leaf(self, *, exact: bool) -> Leaf:
        """The unknown value that hangs on all that was collected.

        Args:
            exact: It is, or holds, these very attributes. Otherwise it is only made from them.
        """
        if not self.targets:
            return UNKNOWN
        targets = self.targets if exact else {replace(t, exact=False) for t in self.targets}
        return Pending(frozenset(targets), self.lost)


_SCALARS = frozenset({str, int, bool, type(None)})


def with_origins(value: Value, leaf: Leaf, seen: dict[int, tuple[Any, Any]] | None = None) -> Any:
    """A value with another unknown in the place of every `UNKNOWN`; the same object when there is none."""
    kind = value.__class__
    if value is UNKNOWN:
        return leaf
    if kind in _SCALARS or leaf is UNKNOWN or not isinstance(value, dict | list | tuple):
        return value
    seen = {} if seen is None else seen
    known = seen.get(id(value))
    if known is not None:
        return known[1]
    made: Any = value
    if isinstance(value, dict):
        changed = {k: new for k, v in value.items() if (new := with_origins(v, leaf, seen)) is not v}
        made = value if not changed else kind({**value, **changed})
    else:
        items = [with_origins(item, leaf, seen) for item in value]
        if any(new is not old for new, old in zip(items, value, strict=True)):
            made = kind(items)
    seen[id(value)] = value, made
    return made


def restored(converted: Value, given: Any) -> Any:
    """A converted value with the origins of the unknown parts that it was made from, place by place.

    The conversion has walked over all of it, so that its size is bounded.
    """
    if converted is UNKNOWN:
        if is_unknown(given):
            return given
        origins = Origins()
        origins.stripped(given)
        # Only a set loses the places of its items; it still holds them all.
        return origins.leaf(exact=True)
    if isinstance(converted, dict) and isinstance(given, dict):
        changed = {
            k: new
            for k, v in converted.items()
            if k in given and given[k] is not v and (new := restored(v, given[k])) is not v
        }
        return converted if not changed else converted.__class__({**converted, **changed})
    if (
        isinstance(converted, list | tuple)
        and isinstance(given, list | tuple)
        and len(converted) == len(given)
    ):
        return converted.__class__([restored(new, old) for new, old in zip(converted, given, strict=True)])
    return converted


def merged_leaf(values: Iterable[Any], *, exact: bool = False) -> Leaf:
    """The unknown that hangs on all unknown parts of some values."""
    origins = Origins()
    for value in values:
        origins.stripped(value)
    return origins.leaf(exact=exact)
