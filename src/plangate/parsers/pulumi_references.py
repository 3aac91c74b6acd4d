"""Names of Pulumi's resources, and which of them a property is made of.

An edge is exact only when the property cannot be made of another resource. What is not known and of which nobody
says what it is made of is unresolved: it may point at anything.

Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/core.go (``PropertyDependencies``)
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from plangate.model.plan import Reference
from plangate.model.values import pointer, pointer_tokens
from plangate.parsers.pulumi_values import Found

MAX_EDGES: Final = 1_000_000
"""References of all resources of one plan. Properties beyond it are unresolved."""
_PARTS: Final = 4


class Urn(Struct, frozen=True):
    """A resource's name: ``urn:pulumi:<stack>::<project>::<types of its parents and its own>::<name>``.

    Source: https://www.pulumi.com/docs/iac/concepts/resources/names/#urns
    """

    prefix: str
    types: str
    name: str

    @property
    def type(self) -> str:
        """The resource's own type token, e.g. ``aws:ec2/instance:Instance``."""
        return self.types.rpartition("$")[2]

    @classmethod
    def read(cls, text: str) -> "Urn | None":
        """The parts, or ``None`` when it is no such name."""
        parts = text.split("::", 3)
        known = len(parts) == _PARTS and parts[0].startswith("urn:pulumi:")
        return cls(f"{parts[0]}::{parts[1]}", parts[2], parts[3]) if known and parts[2] else None


class Edges(Struct):
    """Finds the edges of one document.

    Attributes:
        left: How many more there may be.
    """

    left: int = MAX_EDGES

    def of(
        self,
        state: Mapping[str, Any],
        unknown: Iterable[str],
        found: Found,
        *,
        address: Callable[[str], str],
        passes_on: Callable[[str, str], bool],
    ) -> tuple[tuple[Reference, ...], tuple[str, ...]]:
        """References of one resource, sorted, and the properties that could not be followed.

        Args:
            state: The resource's state after the change, with the dependencies of its properties.
            unknown: JSON Pointers of the unknown values that the program sets.
            found: What the values say themselves.
            address: URN → address.
            passes_on: Whether a resource (URN) has a property of a name itself, which it may only pass on.
        """
        depends = state.get("propertyDependencies")
        by_property = depends if isinstance(depends, dict) else {}
        said: dict[str, list[str]] = {}
        for at, listed in found.references.items():
            said.setdefault(_plain(at), []).extend(listed)
        edges: set[tuple[str, str, bool]] = set()
        unresolved: set[str] = set()
        for name, places in _by_name(unknown, found.sensitive, unresolved).items():
            urns = _urns(by_property.get(name))
            for plain, count in places.items():
                targets = list(dict.fromkeys(said.get(plain, ()))) or urns
                if not targets or not self._spend(len(targets)):
                    unresolved.add(plain)
                    continue
                if any(passes_on(urn, name) for urn in targets):
                    unresolved.add(plain)
                # Two that one value is made of: it is one of them, or neither.
                exact = len(targets) == 1 or (len(places) == 1 and len(targets) <= count)
                edges |= {(plain, address(urn), exact) for urn in targets}
        # What the resource only waits for, with no property of its own.
        whole = _urns(state.get("dependencies"))
        if self._spend(len(whole)):
            edges |= {("", address(urn), True) for urn in whole}
        return (
            tuple(Reference(at=at, address=target, exact=exact) for at, target, exact in sorted(edges)),
            tuple(sorted(unresolved)),
        )

    def _spend(self, number: int) -> bool:
        self.left -= number
        return self.left >= 0


def _by_name(unknown: Iterable[str], sensitive: set[str], unresolved: set[str]) -> dict[str, dict[str, int]]:
    """Top-level name → pointer without indexes → how many unknown values it has. Hidden ones are unresolved."""
    found: dict[str, dict[str, int]] = {}
    for at in unknown:
        name, plain = pointer_tokens(at)[0], _plain(at)
        if at in sensitive:
            unresolved.add(plain)
        else:
            places = found.setdefault(name, {})
            places[plain] = places.get(plain, 0) + 1
    return found


def _urns(value: Any) -> list[str]:
    """The URNs of a list, each once."""
    listed = value if isinstance(value, list) else []
    return list(dict.fromkeys(urn for urn in listed if isinstance(urn, str) and Urn.read(urn)))


def _plain(at: str) -> str:
    return pointer(*(token for token in pointer_tokens(at) if not token.isdecimal()))
