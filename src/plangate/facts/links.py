"""Facts that come from another resource: what is certain about it, given how certain the link is.

A link that names one instance is *exact*. A *possible* link may be this instance or another one, so its word
counts only where it makes no difference.
"""

from collections.abc import Callable, Sequence
from typing import Final

from plangate.facts.base import Native, Raw, agreed, native_of
from plangate.model.graph import Links
from plangate.model.plan import Resource
from plangate.model.values import ABSENT, UNKNOWN, Tri, any_of, at_pointer

MAX_POSSIBLE: Final = 100
"""Possible links that are looked at for each resource; more of them are `UNKNOWN`, so that cost stays linear."""


def targets(native: Native, at: str, types: Sequence[str]) -> Links:
    """What an attribute points at, among managed resources."""
    return _managed(native.graph.targets(native.resource, at, types))


def referrers(native: Native, native_type: str, at: str) -> Links:
    """Managed resources whose attribute points at this one."""
    return _managed(native.graph.referrers(native.resource, native_type, at))


def read_target(native: Native, links: Links, read: Callable[[Native], Raw]) -> Raw:
    """A fact of the one resource that a single-valued attribute points at.

    The attribute may choose between several; when all of them, and nothing outside of the plan, give the same
    answer, it does not matter which.
    """
    if links.outside or len(links.possible) > MAX_POSSIBLE:
        return UNKNOWN
    return agreed(read(native_of(target, native.graph)) for target in links.all)


def any_target(native: Native, links: Links, read: Callable[[Native], Tri]) -> Tri:
    """Whether one of the resources that a list points at has a property."""
    values: list[Tri] = [read(native_of(target, native.graph)) for target in links.exact]
    if links.outside:
        values.append(UNKNOWN)
    values += _possible(native, links, read)
    return any_of(values)


def any_referrer(native: Native, native_type: str, at: str, read: Callable[[Native], Tri]) -> Tri:
    """Whether a resource that points at this one has a property. None pointing here is false."""
    links = referrers(native, native_type, at)
    values: list[Tri] = [read(native_of(referrer, native.graph)) for referrer in links.exact]
    values += _possible(native, links, read)
    return any_of(values)


def points_somewhere(native: Native, at: str, types: Sequence[str]) -> Tri:
    """Whether an attribute names something; an unknown one does when it refers to a resource of these types.

    Args:
        native: The resource.
        at: JSON Pointer of the attribute.
        types: Native types that it may name.
    """
    value = at_pointer(native.values, at)
    if value is ABSENT or value is None or value == "":
        return False
    if isinstance(value, str):
        return True
    return True if native.graph.targets(native.resource, at, types).exact else UNKNOWN


def is_pointed_at(native: Native, native_type: str, at: str) -> Tri:
    """Whether a resource of a type points at this one."""
    links = referrers(native, native_type, at)
    return True if links.exact else UNKNOWN if links.possible else False


def account_setting(
    native: Native, native_type: str, read: Callable[[Native], Tri], *, holds_for_all: bool = False
) -> Tri:
    """A setting of the whole account and region, when this plan manages it; false when it does not.

    Args:
        native: The resource that it may hold for.
        native_type: Type of the resource that makes the setting.
        read: Its value.
        holds_for_all: It also holds for what was there before it. Otherwise one that this plan creates or
            changes is `UNKNOWN`: nothing orders it before the resource it should hold for.
    """
    values: list[Tri] = []
    for setting in native.graph.of_type(native_type):
        if setting.mode != "managed" or not same_place(setting, native.resource):
            continue
        value = read(native_of(setting, native.graph))
        values.append(value if holds_for_all or setting.existing else _doubtful(value))
    return any_of(values)


def same_place(one: Resource, other: Resource) -> bool:
    """Made through the same provider in the same region, as far as the plan says."""
    return one.provider == other.provider and one.region is not UNKNOWN and one.region == other.region


def _possible(native: Native, links: Links, read: Callable[[Native], Tri]) -> list[Tri]:
    if len(links.possible) > MAX_POSSIBLE:
        return [UNKNOWN]
    return [_doubtful(read(native_of(resource, native.graph))) for resource in links.possible]


def _doubtful(value: Tri) -> Tri:
    return UNKNOWN if value is UNKNOWN or value else False


def _managed(links: Links) -> Links:
    """Without data sources: one that is pointed at is not part of the change, so it counts as outside."""
    if all(resource.mode == "managed" for resource in links.exact):
        return links
    exact = tuple(resource for resource in links.exact if resource.mode == "managed")
    return Links(exact=exact, possible=links.possible, outside=True)
