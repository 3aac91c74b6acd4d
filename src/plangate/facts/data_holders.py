"""Which types of Azure and Google hold data that is lost with them, and which certainly hold none.

What is on neither list is not known either way.
"""

from typing import Final

HOLDERS: Final = frozenset({
    # Azure: storage, disks, images and backups
    "azurerm_storage_account", "azurerm_storage_container", "azurerm_storage_blob", "azurerm_storage_share",
    "azurerm_storage_share_file", "azurerm_storage_queue", "azurerm_storage_table", "azurerm_storage_table_entity",
    "azurerm_storage_data_lake_gen2_filesystem", "azurerm_managed_disk", "azurerm_snapshot", "azurerm_image",
    "azurerm_shared_image_version", "azurerm_netapp_volume", "azurerm_netapp_snapshot",
    "azurerm_recovery_services_vault", "azurerm_data_protection_backup_vault", "azurerm_virtual_machine_restore_point",
    "azurerm_container_registry",
    # Azure: databases, caches, search and streams
    "azurerm_mssql_server", "azurerm_mssql_database", "azurerm_mssql_managed_instance",
    "azurerm_mssql_managed_database", "azurerm_sql_server", "azurerm_sql_database", "azurerm_sql_managed_instance",
    "azurerm_postgresql_server", "azurerm_postgresql_database", "azurerm_postgresql_flexible_server",
    "azurerm_postgresql_flexible_server_database", "azurerm_mysql_server", "azurerm_mysql_database",
    "azurerm_mysql_flexible_server", "azurerm_mysql_flexible_database", "azurerm_mariadb_server",
    "azurerm_mariadb_database", "azurerm_cosmosdb_account", "azurerm_cosmosdb_sql_database",
    "azurerm_cosmosdb_sql_container", "azurerm_cosmosdb_mongo_database", "azurerm_cosmosdb_mongo_collection",
    "azurerm_cosmosdb_cassandra_cluster", "azurerm_cosmosdb_cassandra_keyspace", "azurerm_cosmosdb_cassandra_table",
    "azurerm_cosmosdb_gremlin_database", "azurerm_cosmosdb_gremlin_graph", "azurerm_cosmosdb_table",
    "azurerm_cosmosdb_postgresql_cluster", "azurerm_mongo_cluster", "azurerm_redis_cache", "azurerm_managed_redis",
    "azurerm_redis_enterprise_cluster", "azurerm_redis_enterprise_database", "azurerm_kusto_cluster",
    "azurerm_kusto_database", "azurerm_synapse_workspace", "azurerm_synapse_sql_pool", "azurerm_search_service",
    "azurerm_eventhub", "azurerm_eventhub_namespace", "azurerm_servicebus_namespace", "azurerm_servicebus_queue",
    "azurerm_servicebus_topic", "azurerm_servicebus_subscription", "azurerm_databricks_workspace",
    # Azure: keys, secrets, settings, names and logs
    "azurerm_key_vault", "azurerm_key_vault_key", "azurerm_key_vault_secret", "azurerm_key_vault_certificate",
    "azurerm_key_vault_managed_hardware_security_module", "azurerm_key_vault_managed_hardware_security_module_key",
    "azurerm_app_configuration", "azurerm_log_analytics_workspace", "azurerm_application_insights",
    "azurerm_dns_zone", "azurerm_private_dns_zone", "azurerm_kubernetes_cluster",
    "azurerm_kubernetes_automatic_cluster",
    # Google: storage, disks and images
    "google_storage_bucket", "google_storage_bucket_object", "google_storage_managed_folder", "google_storage_folder",
    "google_compute_disk", "google_compute_region_disk", "google_compute_snapshot", "google_compute_image",
    "google_compute_machine_image", "google_compute_instant_snapshot", "google_filestore_instance",
    "google_filestore_snapshot", "google_filestore_backup", "google_artifact_registry_repository",
    "google_container_registry", "google_sourcerepo_repository", "google_netapp_volume",
    "google_backup_dr_backup_vault",
    # Google: databases, caches, warehouses and streams
    "google_sql_database_instance", "google_sql_database", "google_spanner_instance", "google_spanner_database",
    "google_bigtable_instance", "google_bigtable_table", "google_firestore_database", "google_firestore_document",
    "google_alloydb_cluster", "google_alloydb_instance", "google_alloydb_backup", "google_redis_instance",
    "google_redis_cluster", "google_memorystore_instance", "google_memcache_instance", "google_bigquery_dataset",
    "google_bigquery_table", "google_pubsub_topic", "google_pubsub_subscription", "google_pubsub_lite_topic",
    "google_cloud_tasks_queue", "google_dataproc_metastore_service", "google_healthcare_dataset",
    "google_healthcare_dicom_store", "google_healthcare_fhir_store", "google_healthcare_hl7_v2_store",
    # Google: keys, secrets, names, logs and what holds all of these
    "google_kms_crypto_key", "google_kms_crypto_key_version", "google_secret_manager_secret",
    "google_secret_manager_secret_version", "google_secret_manager_regional_secret", "google_dns_managed_zone",
    "google_logging_project_bucket_config", "google_logging_folder_bucket_config",
    "google_logging_organization_bucket_config", "google_logging_billing_account_bucket_config",
    "google_container_cluster", "google_project",
})  # fmt: skip

WITHOUT_DATA: Final = (
    # Azure
    "azurerm_virtual_network", "azurerm_subnet", "azurerm_network_interface", "azurerm_network_security_",
    "azurerm_public_ip", "azurerm_lb", "azurerm_application_gateway", "azurerm_application_security_group",
    "azurerm_nat_gateway", "azurerm_route", "azurerm_firewall", "azurerm_virtual_machine", "azurerm_linux_virtual_",
    "azurerm_windows_virtual_", "azurerm_orchestrated_virtual_", "azurerm_availability_set", "azurerm_role_",
    "azurerm_pim_", "azurerm_policy_", "azurerm_monitor_", "azurerm_private_endpoint", "azurerm_private_link",
    "azurerm_bastion_host", "azurerm_service_plan", "azurerm_linux_web_app", "azurerm_windows_web_app",
    "azurerm_linux_function_app", "azurerm_windows_function_app", "azurerm_function_app",
    "azurerm_user_assigned_identity", "azurerm_cdn_", "azurerm_traffic_manager_", "azurerm_virtual_hub",
    "azurerm_virtual_wan", "azurerm_vpn_", "azurerm_express_route_", "azurerm_proximity_placement_group",
    "azurerm_management_lock", "azurerm_ip_group", "azurerm_web_application_firewall_policy",
    # Google
    "google_compute_address", "google_compute_global_address", "google_compute_autoscaler",
    "google_compute_region_autoscaler", "google_compute_backend_service", "google_compute_region_backend_service",
    "google_compute_firewall", "google_compute_forwarding_rule", "google_compute_global_forwarding_rule",
    "google_compute_health_check", "google_compute_region_health_check", "google_compute_http",
    "google_compute_instance", "google_compute_region_instance", "google_compute_network",
    "google_compute_global_network", "google_compute_region_network", "google_compute_route",
    "google_compute_security_policy", "google_compute_ssl_policy", "google_compute_subnetwork",
    "google_compute_target_", "google_compute_region_target_", "google_compute_url_map",
    "google_compute_region_url_map", "google_compute_vpn_", "google_compute_ha_vpn_",
    "google_compute_project_metadata", "google_compute_shared_vpc_", "google_project_service", "google_project_iam_",
    "google_folder_iam_", "google_organization_iam_", "google_service_account", "google_service_networking_",
    "google_cloud_run_", "google_cloudfunctions", "google_cloud_scheduler_job", "google_monitoring_",
    "google_logging_metric", "google_logging_project_sink", "google_vpc_access_connector",
    "google_container_node_pool",
)  # fmt: skip
"""How the names of types begin that hold nothing that could be lost, unless a word in them says otherwise."""

DATA_WORDS: Final = ("bucket", "catalog", "disk", "restore", "snapshot", "storage", "workspace")
"""Words that make a name doubtful, however it begins."""
