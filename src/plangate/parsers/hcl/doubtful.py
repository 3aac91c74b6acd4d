"""Resources of which it is not known whether they will be there must not vouch for others.

A public access block with ``count = var.on ? 1 : 0`` is judged like any other, but where the variable is not known it
protects nothing for certain. So whatever ties such a resource to another becomes a link that is only possible, and a
setting of the whole account becomes unknown.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from plangate.model.graph import identifiers
from plangate.model.plan import Reference, Resource
from plangate.model.values import UNKNOWN, AllUnknown, pointer
from plangate.parsers.hcl.resources import known_part

_ACCOUNT_WIDE: Final = ("_account_", "_by_default", "_defaults", "_default_kms_key")
"""Parts of the names of types that set something for a whole account: no value ties them to what they hold for."""


def without_doubtful_links(
    resources: Sequence[Resource], doubtful: Mapping[str, tuple[str, ...]]
) -> tuple[Resource, ...]:
    """The resources, with every link of a doubtful one to another made possible at most.

    Args:
        resources: All of them.
        doubtful: Address → the counted things around it that may not be there.
    """
    if not doubtful:
        return tuple(resources)
    named: dict[str, list[Resource]] = {}
    for resource in resources:
        for name in identifiers(resource):
            named.setdefault(name, []).append(resource)
    return tuple(
        _doubted(resource, named, doubtful) if resource.address in doubtful else resource
        for resource in resources
    )


def _doubted(
    resource: Resource, named: Mapping[str, list[Resource]], doubtful: Mapping[str, tuple[str, ...]]
) -> Resource:
    if any(part in resource.type for part in _ACCOUNT_WIDE):
        return replace(resource, planned=AllUnknown(), after={}, unknown=("",), configured=None)
    maybe = doubtful[resource.address]
    unknown: set[str] = set(resource.unknown)
    edges: set[Reference] = set(resource.references)

    def walk(value: Any, at: str, plain: str) -> Any:
        if isinstance(value, str):
            others = [
                other
                for other in named.get(value, ())
                if other is not resource and doubtful.get(other.address, ()) != maybe
            ]
            if not others:
                return value
            unknown.add(at)
            edges.update(Reference(at=plain, address=other.address, exact=False) for other in others)
            return UNKNOWN
        if isinstance(value, dict):
            return {k: walk(v, at + pointer(k), plain + pointer(k)) for k, v in value.items()}
        if isinstance(value, list):
            return [walk(item, f"{at}/{i}", plain) for i, item in enumerate(value)]
        return value

    planned = {
        name: value if name in {"tags", "tags_all", "name"} else walk(value, pointer(name), pointer(name))
        for name, value in resource.planned.items()
    }
    if len(unknown) == len(resource.unknown):
        return resource
    return replace(
        resource,
        planned=planned,
        after=known_part(planned),
        unknown=tuple(sorted(unknown)),
        references=tuple(sorted(edges, key=lambda r: (r.at, r.address, r.attribute, r.exact))),
    )
