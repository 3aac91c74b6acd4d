"""Every adapter by native type, and the one pass that gives a plan its kinds and facts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from msgspec.structs import replace

from plangate.facts.base import Adapter, Native, Translate, Translated, native_of
from plangate.facts.common import common_facts
from plangate.facts.final_snapshot import DATABASE, final_snapshot
from plangate.model.graph import Graph
from plangate.model.plan import Plan, Resource

_FAMILIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "aws": (
            "aws_compute",
            "aws_database",
            "aws_disks",
            "aws_iam",
            "aws_load_balancers",
            "aws_network",
            "aws_security_groups",
            "aws_services",
            "aws_storage",
            "aws_templates",
            "parts",
        ),
        "azurerm": (
            "azurerm_compute",
            "azurerm_database",
            "azurerm_iam",
            "azurerm_load_balancers",
            "azurerm_network",
            "azurerm_security_groups",
            "azurerm_services",
            "azurerm_storage",
            "parts",
        ),
        "google": (
            "google_compute",
            "google_database",
            "google_firewalls",
            "google_iam",
            "google_load_balancers",
            "google_services",
            "google_storage",
            "parts",
        ),
        "kubernetes": (
            "kubernetes_access",
            "kubernetes_network",
            "kubernetes_pods",
            "kubernetes_terraform",
        ),
        "compose": ("compose",),
        "pulumi": ("pulumi",),
    }
)
"""The modules with a family's adapters. Only the families that a plan speaks of are imported."""

_TRANSLATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cloudformation": "cloudformation",
        "aws-plan": "cloudformation",
        "cloudformation-change-set": "cloudformation",
        "cloudformation-recorded-change-set": "cloudformation",
        "pulumi-preview": "pulumi",
        "pulumi-events": "pulumi",
        "azure-template": "azure_template",
    }
)
"""Where the types of a format (`plangate.model.plan.Source.format`) are translated before they meet an adapter."""


_WHOLE: Final = frozenset({"", "terraform-plan"})
"""Formats whose documents hold every attribute of a type, also those that nobody wrote."""


def family_of(native_type: str) -> str:
    """The family of a native type: what its name begins with, and ``kubernetes`` for an object's group and kind."""
    if "/" in native_type and ":" not in native_type:
        return "kubernetes"
    return native_type.partition("_")[0]


class _Adapters(Mapping[str, Adapter]):
    """All adapters by native type; a family is imported when one of its types is asked for."""

    def __getitem__(self, native_type: str) -> Adapter:
        return _adapters(family_of(native_type))[native_type]

    def __iter__(self) -> Iterator[str]:
        return (native_type for family in _FAMILIES for native_type in _adapters(family))

    def __len__(self) -> int:
        return sum(len(_adapters(family)) for family in _FAMILIES)


@cache
def _adapters(family: str) -> Mapping[str, Adapter]:
    found: dict[str, Adapter] = {}
    for name in _FAMILIES.get(family, ()):
        adapters: Mapping[str, Adapter] = import_module(f"plangate.facts.{name}").ADAPTERS
        found |= {each: adapter for each, adapter in adapters.items() if family_of(each) == family}
    return found


ADAPTERS: Final[Mapping[str, Adapter]] = _Adapters()

ADAPTER_ERROR: Final = "adapter_error"
"""Fact that stands alone when an adapter failed; rules then answer ``error``, never a pass."""


def with_facts(resources: Iterable[Resource], source_format: str = "") -> tuple[Resource, ...]:
    """The same resources with ``kind`` and ``facts`` filled in, in the same order."""
    listed = tuple(resources)
    module = _TRANSLATIONS.get(source_format)
    if module is not None:
        return _translated(listed, import_module(f"plangate.facts.{module}").translate)
    graph = Graph(listed)
    whole = source_format in _WHOLE
    return tuple(_with_facts(resource, graph, whole=whole) for resource in listed)


def plan_with_facts(plan: Plan) -> Plan:
    """The plan with ``kind`` and ``facts`` of every resource filled in."""
    return replace(plan, resources=with_facts(plan.resources, plan.source.format))


def _translated(listed: tuple[Resource, ...], translate: Translate) -> tuple[Resource, ...]:
    # A translation that fails is not caught: then the plan cannot be judged at all.
    found = [translate(resource) or Translated(resource=resource) for resource in listed]
    graph = Graph(part for each in found for part in (each.resource, *each.parts))
    paths = {each.resource.address: each.path_of for each in found}
    return tuple(_as_written(own, each, graph, paths) for own, each in zip(listed, found, strict=True))


def _as_written(
    own: Resource, translated: Translated, graph: Graph, paths: Mapping[str, Callable[[str], str]]
) -> Resource:
    """The resource as it was, with the facts of its translation."""
    seen = _with_facts(translated.resource, graph, whole=translated.whole)
    facts = dict(seen.facts)
    ingress = facts.get("ingress")
    if isinstance(ingress, tuple):
        # An entry may stand in a resource beside this one.
        facts["ingress"] = tuple(
            {**entry, "path": paths.get(entry["address"], str)(entry["path"])} for entry in ingress
        )
    return replace(own, kind=seen.kind, facts=facts)


def _with_facts(resource: Resource, graph: Graph, *, whole: bool) -> Resource:
    if resource.mode != "managed":
        return resource
    adapter = ADAPTERS.get(resource.type)
    return replace(
        resource, kind=adapter.kind if adapter else "", facts=_facts(resource, graph, adapter, whole=whole)
    )


def _facts(resource: Resource, graph: Graph, adapter: Adapter | None, *, whole: bool) -> dict[str, Any]:
    native: Native = native_of(resource, graph)
    facts = common_facts(resource, native.values, whole=whole)
    if adapter is None:
        return facts
    try:
        facts |= adapter.adapt(native)
        return facts | ({"final_snapshot": final_snapshot(resource)} if adapter.kind == DATABASE else {})
    except Exception as error:  # noqa: BLE001 - whatever a hostile value does to an adapter, it must not look like a fact
        return {**facts, ADAPTER_ERROR: type(error).__name__}
