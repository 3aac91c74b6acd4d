"""Which types can have tags: what tells a resource whose author wrote none from a type that has none."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from plangate.model.values import UNKNOWN, Unknown

_AZURE_WITHOUT: Final = (
    "azurerm_subnet", "azurerm_role_", "azurerm_policy_", "azurerm_management_", "azurerm_storage_container",
    "azurerm_storage_blob", "azurerm_storage_share", "azurerm_storage_queue", "azurerm_storage_table",
    "azurerm_network_security_rule", "azurerm_lb_", "azurerm_key_vault_access_policy", "azurerm_dns_ns_record",
)  # fmt: skip
_GOOGLE_WITHOUT: Final = (
    "google_project", "google_folder", "google_organization", "google_service_account", "google_iam_",
    "google_compute_firewall", "google_compute_network", "google_compute_subnetwork", "google_compute_route",
    "google_storage_bucket_", "google_storage_default_object_", "google_kms_key_ring", "google_sql_user",
)  # fmt: skip
_ENDINGS_WITHOUT: Final = (
    "_association",
    "_attachment",
    "_iam_member",
    "_iam_binding",
    "_iam_policy",
    "_rule",
)


def unwritten_tags(native_type: str) -> tuple[Mapping[str, Any] | Unknown | None, bool]:
    """Tags of a resource for which nobody wrote any, and whether that is certain: none, or that the type has none.

    Sources: the schema of hashicorp/aws 5.100.0 (scripts/make_taggable.py), and the documentation of the types of
    https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs and
    https://registry.terraform.io/providers/hashicorp/google/latest/docs that certainly have none. Any other type of
    these two may have some.
    """
    if native_type.startswith("aws_"):
        return ({}, True) if native_type in _aws() else (None, True)
    if native_type.startswith(("azurerm_", "google_")):
        without = native_type.startswith((*_AZURE_WITHOUT, *_GOOGLE_WITHOUT)) or native_type.endswith(
            _ENDINGS_WITHOUT
        )
        return (None, True) if without else (UNKNOWN, False)
    return None, True


@cache
def _aws() -> frozenset[str]:
    return frozenset(files("plangate.facts").joinpath("aws_taggable.txt").read_text(encoding="ascii").split())
