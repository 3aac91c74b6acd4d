"""Types that only say something of other resources: they have a kind, and no facts of their own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from plangate.facts.base import AZURE, GOOGLE, REGISTRY, Adapter
from plangate.facts.google_members import GIVERS

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
"""They are judged with the resource that they speak of."""


_PAGES: Final = {"aws": REGISTRY, "azurerm": AZURE, "google": GOOGLE}


def _part(native_type: str) -> Adapter:
    provider, _, page = native_type.partition("_")
    for giver in GIVERS:
        # Google describes all three on one page.
        page = page.removesuffix(f"_{giver}") if f"_iam_{giver}" in page else page
    return Adapter(kind="resource.part", adapt=lambda _: {}, docs=_PAGES[provider] + page)


ADAPTERS: Final[Mapping[str, Adapter]] = MappingProxyType(
    {native_type: _part(native_type) for native_type in _PARTS}
)
