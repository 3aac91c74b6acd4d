"""Every adapter by native type, and the one pass that gives a plan its kinds and facts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from plangate.facts import (
    aws_compute,
    aws_database,
    aws_disks,
    aws_iam,
    aws_load_balancers,
    aws_network,
    aws_security_groups,
    aws_services,
    aws_storage,
    aws_templates,
    cloudformation,
)
from plangate.facts.base import Adapter, Native, Translate, Translated, native_of
from plangate.facts.common import common_facts
from plangate.model.graph import Graph
from plangate.model.plan import Plan, Resource

_PARTS: Final = (
    "aws_ebs_encryption_by_default",
    "aws_ec2_instance_metadata_defaults",
    "aws_ec2_managed_prefix_list",
    "aws_eip",
    "aws_eip_association",
    "aws_network_interface",
    "aws_s3_account_public_access_block",
    "aws_s3_bucket_acl",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
)
"""Types that say something of other resources, and are judged there."""


def _part(native_type: str) -> Adapter:
    page = native_type.removeprefix("aws_")
    docs = f"https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/{page}"
    return Adapter(kind="resource.part", adapt=lambda _: {}, docs=docs)


ADAPTERS: Final[Mapping[str, Adapter]] = MappingProxyType(
    {native_type: _part(native_type) for native_type in _PARTS}
    | aws_compute.ADAPTERS
    | aws_templates.ADAPTERS
    | aws_disks.ADAPTERS
    | aws_network.ADAPTERS
    | aws_security_groups.ADAPTERS
    | aws_load_balancers.ADAPTERS
    | aws_storage.ADAPTERS
    | aws_database.ADAPTERS
    | aws_iam.ADAPTERS
    | aws_services.ADAPTERS
)

ADAPTER_ERROR: Final = "adapter_error"
"""Fact that stands alone when an adapter failed; rules then answer ``error``, never a pass."""


TRANSLATIONS: Final[Mapping[str, Translate]] = MappingProxyType(
    {
        "cloudformation": cloudformation.translate,
        "cloudformation-change-set": cloudformation.translate,
    }
)
"""How the types of a format (`plangate.model.plan.Source.format`) are translated before they meet an adapter."""


def with_facts(resources: Iterable[Resource], source_format: str = "") -> tuple[Resource, ...]:
    """The same resources with ``kind`` and ``facts`` filled in, in the same order."""
    listed = tuple(resources)
    translate = TRANSLATIONS.get(source_format)
    if translate is not None:
        return _translated(listed, translate)
    graph = Graph(listed)
    return tuple(_with_facts(resource, graph) for resource in listed)


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
    seen = _with_facts(translated.resource, graph)
    facts = dict(seen.facts)
    ingress = facts.get("ingress")
    if isinstance(ingress, tuple):
        # An entry may stand in a resource beside this one.
        facts["ingress"] = tuple(
            {**entry, "path": paths.get(entry["address"], str)(entry["path"])} for entry in ingress
        )
    return replace(own, kind=seen.kind, facts=facts)


def _with_facts(resource: Resource, graph: Graph) -> Resource:
    if resource.mode != "managed":
        return resource
    adapter = ADAPTERS.get(resource.type)
    return replace(resource, kind=adapter.kind if adapter else "", facts=_facts(resource, graph, adapter))


def _facts(resource: Resource, graph: Graph, adapter: Adapter | None) -> dict[str, Any]:
    native: Native = native_of(resource, graph)
    facts = common_facts(resource, native.values)
    if adapter is None:
        return facts
    try:
        return facts | adapter.adapt(native)
    except Exception as error:  # noqa: BLE001 - whatever a hostile value does to an adapter, it must not look like a fact
        return {**facts, ADAPTER_ERROR: type(error).__name__}
