"""Facts that every resource has, whatever its type: its tags, whether it holds data and lives in a region."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from plangate.facts.base import Raw, Values, blocks_in
from plangate.facts.data_holders import DATA_WORDS, HOLDERS, WITHOUT_DATA
from plangate.facts.taggable import unwritten_tags
from plangate.model.plan import Resource
from plangate.model.regions import REGION_ATTRIBUTES
from plangate.model.values import UNKNOWN, Tri, Unknown

_TAG_ATTRIBUTES: Final = (("tags_all", "tags"), ("effective_labels", "labels"))
"""What carries tags: the complete ones as far as the provider computes them, and the resource's own."""

_LABEL_ATTRIBUTES: Final = (("effective_labels", "labels"), ("", "resource_labels"), ("", "user_labels"))
"""What carries tags with Google, whose ``tags`` are words for firewalls."""

_STATEFUL: Final = frozenset({
    # Databases, caches, search and streams
    "aws_db_instance", "aws_db_snapshot", "aws_db_cluster_snapshot", "aws_rds_cluster", "aws_rds_global_cluster",
    "aws_docdb_cluster", "aws_docdb_cluster_snapshot", "aws_neptune_cluster", "aws_neptune_cluster_snapshot",
    "aws_redshift_cluster", "aws_redshiftserverless_namespace", "aws_dynamodb_table", "aws_dynamodb_global_table",
    "aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_elasticache_serverless_cache",
    "aws_memorydb_cluster", "aws_opensearch_domain", "aws_elasticsearch_domain", "aws_opensearchserverless_collection",
    "aws_timestreamwrite_table", "aws_timestreamwrite_database", "aws_keyspaces_table", "aws_keyspaces_keyspace",
    "aws_qldb_ledger", "aws_kinesis_stream", "aws_msk_cluster", "aws_mq_broker", "aws_sqs_queue", "aws_dax_cluster",
    # Files, disks, images and backups
    "aws_s3_bucket", "aws_s3_directory_bucket", "aws_s3_object", "aws_s3_bucket_object", "aws_s3tables_table",
    "aws_s3tables_table_bucket", "aws_ebs_volume", "aws_ebs_snapshot", "aws_ebs_snapshot_copy", "aws_ami",
    "aws_ami_copy", "aws_ami_from_instance", "aws_efs_file_system", "aws_fsx_lustre_file_system",
    "aws_fsx_ontap_file_system", "aws_fsx_ontap_volume", "aws_fsx_openzfs_file_system", "aws_fsx_openzfs_volume",
    "aws_fsx_windows_file_system", "aws_backup_vault", "aws_glacier_vault", "aws_lightsail_database",
    "aws_lightsail_disk", "aws_workspaces_workspace", "aws_ecr_repository", "aws_ecrpublic_repository",
    "aws_codecommit_repository", "aws_codeartifact_repository",
    # Keys, secrets, identities and logs: what is gone with them cannot be made again
    "aws_kms_key", "aws_kms_external_key", "aws_cloudhsm_v2_cluster", "aws_secretsmanager_secret",
    "aws_ssm_parameter", "aws_cognito_user_pool", "aws_directory_service_directory", "aws_cloudwatch_log_group",
    "aws_cloudtrail_event_data_store", "aws_glue_catalog_database", "aws_glue_catalog_table", "aws_athena_database",
    "aws_route53_zone", "aws_sagemaker_feature_group", "aws_eks_cluster",
    # Kubernetes; for Azure and Google see `plangate.facts.data_holders`
    "kubernetes_persistent_volume", "kubernetes_persistent_volume_claim", "kubernetes_persistent_volume_claim_v1",
    "kubernetes_persistent_volume_v1", "kubernetes_stateful_set", "kubernetes_stateful_set_v1",
    "kubernetes_namespace", "kubernetes_namespace_v1",
})  # fmt: skip

_DATA_WORDS: Final = (
    "backup", "bucket", "catalog", "database", "_db", "dataset", "disk", "dynamodb", "elasticache",
    "file_system", "index", "keyspace", "ledger", "queue", "rds", "registry", "repository", "secret", "snapshot",
    "storage", "store", "stream", "table", "vault", "volume", "warehouse", "cluster",
)  # fmt: skip
"""Words in the name of a type that may hold data; such a type that is not listed is not known either way."""

_ATTACHED: Final = (
    "_acl", "_alarm", "_association", "_attachment", "_bucket_cors_configuration", "_bucket_lifecycle_configuration",
    "_bucket_logging", "_bucket_metric", "_bucket_notification", "_bucket_ownership_controls", "_bucket_policy",
    "_bucket_public_access_block", "_account_public_access_block", "_bucket_versioning",
    "_bucket_server_side_encryption_configuration", "_bucket_website_configuration", "_cluster_instance",
    "_config", "_configuration", "_event_subscription", "_iam_member", "_iam_binding", "_iam_policy", "_option_group",
    "_parameter_group", "_permission", "_policy", "_policy_document", "_record", "_role", "_route_table", "_route",
    "_rule", "_security_group", "_security_policy", "_subnet_group", "_target", "_target_group",
    "_encryption_by_default",
)  # fmt: skip
"""Endings of types that only say how another one is set up: that one holds the data."""

_HARMLESS: Final = frozenset({
    "aws_ecs_cluster", "aws_kinesis_firehose_delivery_stream", "aws_placement_group", "aws_rds_cluster_endpoint",
    "aws_backup_plan", "aws_backup_selection", "aws_ecs_cluster_capacity_providers", "aws_db_proxy", "aws_eks_addon",
})  # fmt: skip
"""Types with such a word in their name that hold no data all the same."""

_WITHOUT_DATA: Final = frozenset({"null", "random", "time", "local", "tls", "external", "http", "archive", "template",
                                  "cloudinit", "terraform"})  # fmt: skip
"""Providers (and Terraform itself) whose resources hold nothing that could be lost."""

_KUBERNETES_DATA: Final = frozenset({
    "PersistentVolume", "PersistentVolumeClaim", "StatefulSet", "Namespace", "Secret", "CustomResourceDefinition",
})  # fmt: skip
"""Objects of Kubernetes that hold data, or whose deletion deletes what does."""

_KUBERNETES_NO_DATA: Final = frozenset({
    "ClusterRole", "ClusterRoleBinding", "ConfigMap", "CronJob", "DaemonSet", "Deployment", "Endpoints", "Event",
    "EndpointSlice", "HorizontalPodAutoscaler", "Ingress", "IngressClass", "Job", "Lease", "LimitRange", "Pod",
    "NetworkPolicy", "PodDisruptionBudget", "PodTemplate", "PriorityClass", "ReplicaSet", "ReplicationController",
    "ResourceQuota", "Role", "RoleBinding", "Service", "ServiceAccount", "StorageClass",
})  # fmt: skip

_GLOBAL: Final = (
    "aws_iam_", "aws_route53_", "aws_cloudfront_", "aws_organizations_", "aws_account_", "aws_globalaccelerator_",
    "aws_shield_", "aws_waf_", "aws_budgets_", "aws_ce_", "aws_networkmanager_", "aws_s3_account_",
)  # fmt: skip
"""AWS services without a region:
https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html
"""

_PLACELESS: Final = (
    # Azure: parts of networks, accounts, servers and vaults, permissions, names and what spans all regions
    "azurerm_subnet", "azurerm_network_security_rule", "azurerm_lb_", "azurerm_role_", "azurerm_pim_",
    "azurerm_policy_", "azurerm_management_", "azurerm_subscription", "azurerm_storage_container",
    "azurerm_storage_blob", "azurerm_storage_share", "azurerm_storage_queue", "azurerm_storage_table",
    "azurerm_storage_account_", "azurerm_storage_management_policy", "azurerm_storage_data_lake_gen2_",
    "azurerm_key_vault_", "azurerm_mssql_database", "azurerm_mssql_server_", "azurerm_mssql_managed_database",
    "azurerm_mssql_virtual_network_rule", "azurerm_cosmosdb_sql_", "azurerm_cosmosdb_mongo_", "azurerm_dns_",
    "azurerm_private_dns_zone", "azurerm_virtual_network_peering", "azurerm_monitor_diagnostic_setting",
    "azurerm_monitor_metric_alert", "azurerm_kubernetes_cluster_node_pool", "azurerm_servicebus_queue",
    "azurerm_servicebus_topic", "azurerm_servicebus_subscription", "azurerm_cdn_frontdoor_",
    "azurerm_traffic_manager_", "azurerm_virtual_machine_data_disk_attachment", "azurerm_eventhub_consumer_group",
    "azurerm_eventhub_authorization_rule", "azurerm_log_analytics_linked_service",
    # Google: permissions, projects and folders, global networks and balancers
    "google_project", "google_folder", "google_organization", "google_billing_", "google_service_account",
    "google_service_networking_", "google_iam_", "google_access_context_manager_", "google_dns_", "google_monitoring_",
    "google_logging_metric", "google_logging_project_sink", "google_logging_project_exclusion", "google_tags_",
    "google_storage_bucket_", "google_storage_default_object_", "google_storage_object_", "google_storage_hmac_key",
    "google_sql_user", "google_sql_ssl_cert", "google_bigquery_dataset_", "google_bigquery_table",
    "google_spanner_database", "google_bigtable_table", "google_kms_crypto_key",
    "google_compute_firewall", "google_compute_global_", "google_compute_route_", "google_compute_ssl_",
    "google_compute_managed_ssl_certificate", "google_compute_target_http", "google_compute_target_ssl_proxy",
    "google_compute_target_tcp_proxy", "google_compute_url_map", "google_compute_backend_service",
    "google_compute_backend_bucket", "google_compute_health_check", "google_compute_http_health_check",
    "google_compute_https_health_check", "google_compute_security_policy", "google_compute_project_metadata",
    "google_compute_shared_vpc_", "google_compute_network_peering", "google_compute_network_firewall_policy",
)  # fmt: skip
"""How the names of types of Azure and Google begin that have no region of their own."""

_PLACED_ELSEWHERE: Final = (
    "azurerm_route", "google_sql_database", "_record", "_association", "_firewall_rule", "_virtual_network_rule",
    "_iam_member", "_iam_binding", "_iam_policy", "_iam_audit_config", "google_compute_network",
    "google_compute_route", "google_pubsub_topic", "google_pubsub_subscription", "google_pubsub_schema",
    "google_secret_manager_secret", "google_secret_manager_secret_version",
)  # fmt: skip


def common_facts(resource: Resource, values: Values, *, whole: bool = True) -> dict[str, Any]:
    """Facts of every managed resource; names and meaning in `plangate.model.kinds.COMMON_FACTS`.

    Args:
        resource: The resource.
        values: Its values.
        whole: The values hold every attribute of the type, as in a plan. Otherwise they hold what somebody wrote, and
            tags that are not there may be tags that nobody wrote.
    """
    if resource.provider == "kubernetes":
        tags, complete = _object_labels(values)
    else:
        tags, complete = _labels(values) if resource.cloud == "google" else _tags(values)
        if tags is None and not whole:
            tags, complete = unwritten_tags(resource.type)
    return {
        "tags": tags,
        "tags_complete": complete,
        "stateful": _is_stateful(resource.type, resource.cloud),
        "regional": _is_regional(resource.type, resource.cloud, _names_region(resource.cloud, values)),
    }


def _object_labels(values: Values) -> tuple[Mapping[str, Any] | Unknown | None, bool]:
    """Labels of a Kubernetes object, which are its tags."""
    metadata = values.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else metadata
    if labels is None:
        return {}, True
    return (dict(labels), True) if isinstance(labels, Mapping) else (UNKNOWN, False)


def _tags(values: Values) -> tuple[Mapping[str, Any] | Unknown | None, bool]:
    """Tags, and whether nothing unknown can add to them; ``None`` for a type that has none."""
    for whole_name, own_name in _TAG_ATTRIBUTES:
        if whole_name in values or own_name in values:
            return _merged(values.get(whole_name), values.get(own_name))
    pairs = values.get("tag")
    if pairs is UNKNOWN:
        return UNKNOWN, False
    if isinstance(pairs, list | tuple):
        # Auto scaling groups list them as blocks.
        listed = {
            p["key"]: p.get("value")
            for p in pairs
            if isinstance(p, Mapping) and isinstance(p.get("key"), str)
        }
        return listed, len(listed) == len(pairs)
    return None, True


def _labels(values: Values) -> tuple[Mapping[str, Any] | Unknown | None, bool]:
    """Labels of Google, which a database instance has inside its settings.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/guides/provider_reference
    """
    for whole_name, own_name in _LABEL_ATTRIBUTES:
        if whole_name in values or own_name in values:
            return _merged(values.get(whole_name), values.get(own_name))
    inside = blocks_in(values.get("settings"))
    if inside is UNKNOWN:
        return UNKNOWN, False
    for block in inside:
        if "user_labels" in block:
            return _merged(None, block.get("user_labels"))
    return None, True


def _merged(whole: Raw, own: Raw) -> tuple[Mapping[str, Any] | Unknown, bool]:
    """All tags from the complete ones, which hold the provider's default tags, and the resource's own."""
    if own is UNKNOWN and not isinstance(whole, Mapping):
        return UNKNOWN, False
    mine = own if isinstance(own, Mapping) else {}
    if isinstance(whole, Mapping):
        return {**mine, **whole}, own is not UNKNOWN
    # The provider leaves the complete tags unknown when there are none at all.
    return dict(mine), whole is not UNKNOWN or not mine


@lru_cache(maxsize=4096)
def _is_stateful(native_type: str, cloud: str) -> Tri:
    version, _, kind = native_type.rpartition("/")
    if version and not cloud and ":" not in native_type and ("." not in version or ".k8s.io/" in version):
        return True if kind in _KUBERNETES_DATA else False if kind in _KUBERNETES_NO_DATA else UNKNOWN
    if native_type in _STATEFUL or native_type in HOLDERS:
        return True
    if (
        native_type in _HARMLESS
        or native_type.endswith(_ATTACHED)
        or native_type.partition("_")[0] in _WITHOUT_DATA
    ):
        return False
    if cloud == "aws" and not any(word in native_type for word in _DATA_WORDS):
        return False
    if native_type.startswith(WITHOUT_DATA) and not any(word in native_type for word in DATA_WORDS):
        return False
    return UNKNOWN


def _names_region(cloud: str, values: Values) -> Tri | None:
    """Whether a resource names a region, or something not known yet; ``None`` when it names none."""
    given = [values[name] for name in REGION_ATTRIBUTES.get(cloud, ()) if name in values]
    if any(value is UNKNOWN for value in given):
        return UNKNOWN
    named = [value.lower() for value in given if isinstance(value, str) and value]
    return named[0] != "global" if named else None


@lru_cache(maxsize=4096)
def _is_regional(native_type: str, cloud: str, names_region: Tri | None) -> Tri:
    if cloud == "aws":
        return not native_type.startswith(_GLOBAL)
    if cloud not in REGION_ATTRIBUTES:
        return False
    if names_region is not None:
        return True if names_region is UNKNOWN else names_region
    # A part of something lives where that lives, which is judged; all else may follow a default that is not here.
    if native_type.startswith(_PLACELESS) or native_type.endswith(_PLACED_ELSEWHERE):
        return False
    return UNKNOWN
