"""Every adapter by native type, and the one pass that gives a plan its kinds and facts."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from plangate.facts.base import Adapter
from plangate.model.graph import Graph
from plangate.model.plan import Resource

ADAPTERS: Final[Mapping[str, Adapter]] = MappingProxyType({})


def with_facts(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """The same resources with ``kind`` and ``facts`` filled in, in the same order."""
    listed = tuple(resources)
    graph = Graph(listed)
    return tuple(_with_facts(resource, graph) for resource in listed)


def _with_facts(resource: Resource, graph: Graph) -> Resource:
    adapter = ADAPTERS.get(resource.type) if resource.mode == "managed" else None
    values: Mapping[str, Any] = resource.planned if resource.after is not None else resource.before or {}
    if adapter is None:
        return resource
    return replace(resource, kind=adapter.kind, facts=adapter.adapt(resource, values, graph))
