"""Facts that every resource has, whatever its type: its tags, whether it holds data and lives in a region."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from plangate.facts.base import Raw, Values
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN, Tri, Unknown

_TAG_ATTRIBUTES: Final = (("tags_all", "tags"), ("effective_labels", "labels"))
"""What carries tags: the complete ones as far as the provider computes them, and the resource's own."""

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
    # The best known ones of other clouds, until they have adapters
    "google_sql_database_instance", "google_sql_database", "google_storage_bucket", "google_compute_disk",
    "google_bigquery_dataset", "google_bigquery_table", "google_spanner_instance", "google_spanner_database",
    "google_bigtable_instance", "google_redis_instance", "google_filestore_instance", "google_firestore_database",
    "google_kms_crypto_key", "google_secret_manager_secret", "google_alloydb_cluster", "google_pubsub_topic",
    "google_artifact_registry_repository", "azurerm_storage_account", "azurerm_storage_container",
    "azurerm_mssql_database", "azurerm_mssql_server", "azurerm_sql_database", "azurerm_postgresql_server",
    "azurerm_postgresql_flexible_server", "azurerm_mysql_server", "azurerm_mysql_flexible_server",
    "azurerm_mariadb_server", "azurerm_cosmosdb_account", "azurerm_managed_disk", "azurerm_key_vault",
    "azurerm_key_vault_key", "azurerm_key_vault_secret", "azurerm_redis_cache", "azurerm_container_registry",
    "azurerm_log_analytics_workspace", "azurerm_recovery_services_vault", "azurerm_eventhub",
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


def common_facts(resource: Resource, values: Values) -> dict[str, Any]:
    """Facts of every managed resource; names and meaning in `plangate.model.kinds.COMMON_FACTS`."""
    tags, complete = _labels(values) if resource.provider == "kubernetes" else _tags(values)
    return {
        "tags": tags,
        "tags_complete": complete,
        "stateful": _is_stateful(resource.type, resource.cloud),
        "regional": _is_regional(resource.type, resource.cloud),
    }


def _labels(values: Values) -> tuple[Mapping[str, Any] | Unknown, bool]:
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
    if native_type in _STATEFUL:
        return True
    if (
        native_type in _HARMLESS
        or native_type.endswith(_ATTACHED)
        or native_type.partition("_")[0] in _WITHOUT_DATA
    ):
        return False
    if cloud == "aws" and not any(word in native_type for word in _DATA_WORDS):
        return False
    return UNKNOWN


@lru_cache(maxsize=4096)
def _is_regional(native_type: str, cloud: str) -> Tri:
    if cloud == "aws":
        return not native_type.startswith(_GLOBAL)
    # Clouds that have regions, and no adapters yet.
    return UNKNOWN if cloud in {"azure", "google"} else False
