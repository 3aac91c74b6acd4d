"""Every adapter by native type, and the one pass that gives a plan its kinds and facts."""

from collections.abc import Iterable, Mapping
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
    azurerm_compute,
    azurerm_database,
    azurerm_iam,
    azurerm_load_balancers,
    azurerm_network,
    azurerm_security_groups,
    azurerm_services,
    azurerm_storage,
    google_compute,
    google_database,
    google_firewalls,
    google_iam,
    google_load_balancers,
    google_services,
    google_storage,
    kubernetes_access,
    kubernetes_network,
    kubernetes_pods,
    kubernetes_terraform,
)
from plangate.facts.base import AZURE, GOOGLE, REGISTRY, Adapter, Native, Translate, Translated, native_of
from plangate.facts.common import common_facts
from plangate.facts.google_members import GIVERS
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
    "azurerm_key_vault_managed_hardware_security_module_key_rotation_policy",
    "azurerm_log_analytics_linked_service",
    "azurerm_network_interface",
    "azurerm_public_ip",
    "azurerm_storage_account_customer_managed_key",
    "google_bigquery_dataset_access",
    *(
        f"google_{place}_iam_{giver}"
        for place in (
            "bigquery_dataset",
            "cloud_run_service",
            "cloud_run_v2_service",
            "cloudfunctions2_function",
            "cloudfunctions_function",
            "storage_bucket",
        )
        for giver in GIVERS
    ),
    "google_compute_region_url_map",
    "google_compute_url_map",
    "google_storage_bucket_access_control",
    "google_storage_bucket_acl",
    "google_storage_default_object_access_control",
    "google_storage_default_object_acl",
)
"""Types that say something of other resources, and are judged there."""


_PAGES: Final = {"aws": REGISTRY, "azurerm": AZURE, "google": GOOGLE}


def _part(native_type: str) -> Adapter:
    provider, _, page = native_type.partition("_")
    for giver in GIVERS:
        # Google describes all three on one page.
        page = page.removesuffix(f"_{giver}") if f"_iam_{giver}" in page else page
    return Adapter(kind="resource.part", adapt=lambda _: {}, docs=_PAGES[provider] + page)


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
    | kubernetes_pods.ADAPTERS
    | kubernetes_network.ADAPTERS
    | kubernetes_access.ADAPTERS
    | kubernetes_terraform.ADAPTERS
    | azurerm_compute.ADAPTERS
    | azurerm_network.ADAPTERS
    | azurerm_security_groups.ADAPTERS
    | azurerm_load_balancers.ADAPTERS
    | azurerm_storage.ADAPTERS
    | azurerm_database.ADAPTERS
    | azurerm_iam.ADAPTERS
    | azurerm_services.ADAPTERS
    | google_compute.ADAPTERS
    | google_firewalls.ADAPTERS
    | google_load_balancers.ADAPTERS
    | google_storage.ADAPTERS
    | google_database.ADAPTERS
    | google_iam.ADAPTERS
    | google_services.ADAPTERS
)

ADAPTER_ERROR: Final = "adapter_error"
"""Fact that stands alone when an adapter failed; rules then answer ``error``, never a pass."""


TRANSLATIONS: Final[Mapping[str, Translate]] = MappingProxyType({})
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
    return tuple(_as_written(own, each, graph) for own, each in zip(listed, found, strict=True))


def _as_written(own: Resource, translated: Translated, graph: Graph) -> Resource:
    """The resource as it was, with the facts of its translation."""
    seen = _with_facts(translated.resource, graph)
    facts = dict(seen.facts)
    ingress = facts.get("ingress")
    if isinstance(ingress, tuple):
        facts["ingress"] = tuple(
            {**entry, "path": translated.path_of(entry["path"])} if entry["address"] == own.address else entry
            for entry in ingress
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
