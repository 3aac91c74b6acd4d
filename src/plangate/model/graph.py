"""Which resources of a plan belong together.

Two resources are linked when one's attribute refers to the other in the configuration, or when its known value
is the other's known identifier. A link is *exact* when it names one instance, *possible* when it may be that
instance (``each.key``, a local value, an unknown identifier, a name that several have): a fact built on a possible
link is unknown.

Every index is built once, on first use, so that a plan is walked a constant number of times.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from msgspec import Struct, field

from plangate.model.address import patterns
from plangate.model.plan import Action, Reference, Resource
from plangate.model.values import ABSENT, UNKNOWN, at_pointer

T = TypeVar("T")

MAX_JOINED: Final = 200
"""Resources that several shared names of one attribute may stand for."""

IDENTIFIERS: Final = (
    "id", "arn", "name", "bucket", "identifier", "self_link", "key_id", "name_prefix", "function_name",
    "cluster_identifier", "dataset_id", "role_definition_resource_id", "self_link_unique",
)  # fmt: skip
"""Attributes whose known value names a resource."""


class Links(Struct, frozen=True, kw_only=True):
    """Resources linked with another one. ``exact`` ones certainly are, ``possible`` ones may be.

    ``possible`` can be as long as the plan and is shared between calls: ask whether it is empty rather than walk it,
    or a plan with N of each costs N².
    """

    exact: tuple[Resource, ...] = ()
    possible: tuple[Resource, ...] = ()
    outside: bool = False
    """The attribute names something that is not in this plan, or that could not be followed."""

    @property
    def all(self) -> tuple[Resource, ...]:
        """Exact ones first."""
        return self.exact + self.possible


class _Referrers(Struct):
    """Resources of one type, indexed by what one of their attributes points at."""

    by_value: dict[str, list[Resource]] = field(default_factory=dict)
    exact: dict[str, list[Resource]] = field(default_factory=dict)
    possible: dict[str, list[Resource]] = field(default_factory=dict)
    unfollowed: list[Resource] = field(default_factory=list)
    joined: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[Resource, ...]] = field(default_factory=dict)
    """Possible referrers of whatever has these patterns and shared names: one tuple for all that have the same."""


class Graph:
    """Links between the resources of one plan that exist after the change."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_pattern: dict[str, list[Resource]] = {}
        self._by_type: dict[str, list[Resource]] = {}
        for resource in resources:
            self._by_type.setdefault(resource.type, []).append(resource)
            for pattern in patterns(resource.address):
                self._by_pattern.setdefault(pattern, []).append(resource)
        self._existing_by_type: dict[str, tuple[Resource, ...]] = {}
        self._referrers: dict[tuple[str, str], _Referrers] = {}
        self._identified: dict[str, Mapping[str, tuple[Resource, ...]]] = {}
        self._shared: dict[str, Mapping[str, tuple[Resource, ...]]] = {}
        self._covered: dict[tuple[str, tuple[str, ...]], tuple[Resource, ...]] = {}
        self._remembered: dict[tuple[str, ...], Any] = {}

    def at_address(self, address: str) -> tuple[Resource, ...]:
        """Entries with this address or covered by this pattern; deposed objects share their resource's address."""
        return tuple(self._by_pattern.get(address, ()))

    def remembered(self, key: tuple[str, ...], work_out: Callable[[], T]) -> T:
        """What follows from this graph alone, worked out once: what many resources ask of one costs no more then."""
        if key not in self._remembered:
            self._remembered[key] = work_out()
        found: T = self._remembered[key]
        return found

    def of_type(self, native_type: str) -> tuple[Resource, ...]:
        """Entries of a native type that exist after the change, in document order."""
        found = self._existing_by_type.get(native_type)
        if found is None:
            found = tuple(r for r in self._by_type.get(native_type, ()) if r.exists_after)
            self._existing_by_type[native_type] = found
        return found

    def targets(self, resource: Resource, at: str, types: Sequence[str]) -> Links:
        """What an attribute of a resource points at.

        Args:
            resource: The referring resource.
            at: JSON Pointer of the attribute; list indexes below blocks may be left out.
            types: Native types that are of interest.

        Returns:
            Links to existing resources of these types; ``outside`` when the attribute is set or unknown
            and something it points at is not in the plan or could not be followed.
        """
        value = at_pointer(resource.planned, at)
        if value is ABSENT or value is None or value in ("", [], ()):
            return Links()
        values = _items(value)
        exact: dict[int, Resource] = {}
        named = self._named(dict.fromkeys(item for item in values if isinstance(item, str)), types, exact)
        possible, outside = named.possible, named.outside
        if any(item is UNKNOWN for item in values):
            references = references_at(resource, at)
            followed = False
            for reference in references:
                if not _names_target(reference):
                    continue
                covered = self._existing(reference.address, tuple(types))
                followed = followed or bool(covered)
                if reference.exact:
                    exact.update((id(target), target) for target in covered)
                else:
                    possible += covered
            outside = outside or not followed or _is_lost(resource, at)
        return Links(exact=tuple(exact.values()), possible=possible, outside=outside)

    def _named(self, names: Iterable[str], types: Sequence[str], exact: dict[int, Resource]) -> Links:
        """What known names stand for: those that one resource has are added to ``exact``, the rest is possible."""
        possible: tuple[Resource, ...] = ()
        outside = False
        for name in names:
            outside = outside or not any(name in self._identifiers(native) for native in types)
            for native in types:
                sharing = self._sharing(native, name)
                if not sharing:
                    exact.update((id(t), t) for t in self._identifiers(native).get(name, ()))
                elif not possible:
                    possible = sharing
                elif len(possible) + len(sharing) <= MAX_JOINED:
                    possible += sharing
                else:
                    # More of them are not joined for each resource anew; they count as not followed.
                    outside = True
        return Links(possible=possible, outside=outside)

    def referrers(self, target: Resource, native_type: str, at: str) -> Links:
        """Existing resources of a type whose attribute points at the target.

        Args:
            target: The resource that is pointed at.
            native_type: Type of the referring resources.
            at: JSON Pointer of their attribute.
        """
        index = self._referrers_of(native_type, at)
        exact: dict[int, Resource] = {}
        shared: tuple[str, ...] = ()
        for name in identifiers(target):
            if name in index.by_value and self._sharing(target.type, name):
                shared += (name,)
            else:
                exact.update((id(r), r) for r in index.by_value.get(name, ()))
        exact.update((id(r), r) for r in index.exact.get(target.address, ()))
        listed = tuple(pattern for pattern in patterns(target.address) if pattern in index.possible)
        possible = index.joined.get((listed, shared))
        if possible is None:
            found = [*index.unfollowed, *(r for pattern in listed for r in index.possible[pattern])]
            found += (r for name in shared for r in index.by_value[name])
            possible = index.joined[listed, shared] = tuple({id(r): r for r in found}.values())
        return Links(exact=tuple(exact.values()), possible=possible)

    def _existing(self, pattern: str, types: tuple[str, ...]) -> tuple[Resource, ...]:
        found = self._covered.get((pattern, types))
        if found is None:
            members = self._by_pattern.get(pattern, ())
            found = tuple(r for r in members if r.type in types and r.exists_after)
            self._covered[pattern, types] = found
        return found

    def _sharing(self, native_type: str, name: str) -> tuple[Resource, ...]:
        """Managed resources of a type that share one name, as in two accounts; empty when it names one at most.

        Which of them is meant is not known, so a link by such a name is only possible.
        """
        shared = self._shared.get(native_type)
        if shared is None:
            shared = self._shared[native_type] = {
                known: managed
                for known, found in self._identifiers(native_type).items()
                if len(found) > 1 and len(managed := tuple(r for r in found if r.mode == "managed")) > 1
            }
        return shared.get(name, ())

    def _identifiers(self, native_type: str) -> Mapping[str, tuple[Resource, ...]]:
        index = self._identified.get(native_type)
        if index is None:
            found: dict[str, list[Resource]] = {}
            for resource in self.of_type(native_type):
                for name in identifiers(resource):
                    found.setdefault(name, []).append(resource)
            index = self._identified[native_type] = {k: tuple(v) for k, v in found.items()}
        return index

    def _referrers_of(self, native_type: str, at: str) -> _Referrers:
        index = self._referrers.get((native_type, at))
        if index is not None:
            return index
        index = self._referrers[native_type, at] = _Referrers()
        for resource in self.of_type(native_type):
            value = at_pointer(resource.planned, at)
            values = _items(value)
            for item in values:
                if isinstance(item, str):
                    index.by_value.setdefault(item, []).append(resource)
            if not any(item is UNKNOWN for item in values) or _is_left_out(resource, at):
                continue
            references = references_at(resource, at)
            for reference in references:
                side = index.exact if reference.exact and _names_target(reference) else index.possible
                side.setdefault(reference.address, []).append(resource)
            if not references or _is_lost(resource, at):
                index.unfollowed.append(resource)
        return index


def _items(value: object) -> Sequence[object]:
    """What a list holds, or the one value."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)


def _names_target(reference: Reference) -> bool:
    """Whether what is read of the target is its name or id; its region, say, does not point at it."""
    return not reference.attribute or reference.attribute in IDENTIFIERS


def _is_left_out(resource: Resource, at: str) -> bool:
    """Whether an unknown attribute of a new object is only computed: nobody set it, so it points at nothing yet."""
    name = at[1:]
    return (
        resource.configured is not None
        and "/" not in name
        and name not in resource.configured
        and resource.action in {Action.CREATE, Action.REPLACE}
    )


def references_at(resource: Resource, at: str) -> tuple[Reference, ...]:
    """The references of the attribute at a JSON Pointer, or of something below it."""
    return tuple(reference for reference in resource.references if _covers(at, reference.at))


def identifiers(resource: Resource) -> tuple[str, ...]:
    """Known strings that name a resource, from its values before and after the change."""
    names = {
        value
        for document in (resource.before, resource.planned)
        if document is not None
        for key in IDENTIFIERS
        if isinstance(value := document.get(key), str) and value
    }
    return tuple(sorted(names))


def _is_lost(resource: Resource, at: str) -> bool:
    return any(_covers(at, path) for path in resource.unresolved)


def _covers(at: str, path: str) -> bool:
    """Whether a path is the attribute or below it; list indexes in ``at`` do not count."""
    plain = "/".join(token for token in at.split("/") if not token.isdecimal())
    return path in (at, plain) or path.startswith((at + "/", plain + "/"))
