"""The tags that an AWS resource ends up with: its own and the provider's default ones.

A plan says of every type whether it has tags: the attribute is there, or null. Source does not, so this says it from
what is known of the types; of a type that is in neither list, all tags are unknown unless it sets some.

Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/resource-tagging
"""

from collections.abc import Mapping
from typing import Any, Final

from plangate.model.values import UNKNOWN

_WITHOUT_TAGS: Final = (
    "_access_point_policy", "_account_public_access_block", "_accelerate_configuration", "_acl",
    "_analytics_configuration", "_association", "_attachment", "_authorizer_association", "_by_default",
    "_capacity_providers", "_configuration", "_controls", "_cors_configuration", "_default_kms_key", "_defaults",
    "_deployment", "_grant", "_integration", "_integration_response", "_intelligent_tiering_configuration",
    "_inventory", "_lifecycle_policy", "_logging", "_membership", "_metric", "_method", "_method_response",
    "_notification", "_ownership_controls", "_permission", "_policy_attachment", "_public_access_block", "_record",
    "_resource_policy", "_role_policy", "_group_policy", "_user_policy", "_route", "_subscription",
    "_subscription_filter",
    "_versioning", "_website_configuration", "_secret_version", "_bucket_policy", "_queue_policy", "_topic_policy",
    "_repository_policy", "_key_policy", "_vault_policy", "_metric_filter", "_table_item",
)  # fmt: skip
"""Endings of types that have no tags."""
_NO_TAGS: Final = frozenset({
    "aws_api_gateway_account", "aws_api_gateway_base_path_mapping", "aws_api_gateway_model", "aws_api_gateway_resource",
    "aws_appautoscaling_policy", "aws_autoscaling_group", "aws_autoscaling_policy", "aws_autoscaling_schedule",
    "aws_cloudwatch_dashboard", "aws_cloudwatch_event_target", "aws_cloudwatch_log_stream", "aws_db_proxy_target",
    "aws_cloudfront_cache_policy", "aws_cloudfront_function", "aws_cloudfront_origin_access_control",
    "aws_cloudfront_origin_access_identity", "aws_cloudfront_origin_request_policy",
    "aws_cognito_user_pool_client", "aws_cognito_user_pool_domain", "aws_ecr_registry_policy", "aws_iam_access_key",
    "aws_iam_account_alias", "aws_iam_account_password_policy", "aws_iam_group", "aws_iam_user_login_profile",
    "aws_kms_alias", "aws_lambda_alias", "aws_lambda_function_url", "aws_lambda_layer_version",
    "aws_launch_configuration",
    "aws_main_route_table_association", "aws_route53_zone_association", "aws_security_group_rule",
    "aws_ses_domain_identity", "aws_ses_domain_dkim", "aws_volume_attachment", "aws_acm_certificate_validation",
    "aws_iam_service_specific_credential", "aws_iam_user_ssh_key", "aws_glue_catalog_table", "aws_glue_partition",
    "aws_api_gateway_rest_api_policy", "aws_efs_file_system_policy", "aws_efs_mount_target", "aws_backup_selection",
    "aws_elasticsearch_domain_policy", "aws_opensearch_domain_policy", "aws_iam_policy_document", "aws_s3_object_copy",
    "aws_vpc_dhcp_options_association", "aws_wafv2_web_acl_association", "aws_lb_cookie_stickiness_policy",
    "aws_app_cookie_stickiness_policy", "aws_lb_ssl_negotiation_policy", "aws_load_balancer_policy",
    "aws_load_balancer_listener_policy", "aws_load_balancer_backend_server_policy", "aws_proxy_protocol_policy",
    "aws_athena_database", "aws_dynamodb_global_table", "aws_sns_topic_data_protection_policy",
    "aws_organizations_organization", "aws_securityhub_account", "aws_network_interface_sg_attachment",
})  # fmt: skip
"""Other types that have none; an auto scaling group writes its own as blocks."""
_WITH_TAGS: Final = frozenset({
    "aws_acm_certificate", "aws_alb", "aws_alb_listener", "aws_alb_target_group", "aws_ami", "aws_ami_copy",
    "aws_ami_from_instance", "aws_api_gateway_rest_api", "aws_api_gateway_stage", "aws_apigatewayv2_api",
    "aws_apigatewayv2_stage", "aws_athena_workgroup", "aws_backup_plan", "aws_backup_vault",
    "aws_cloudformation_stack", "aws_cloudfront_distribution", "aws_cloudtrail", "aws_cloudwatch_event_rule",
    "aws_cloudwatch_log_group", "aws_cloudwatch_metric_alarm", "aws_codebuild_project", "aws_codepipeline",
    "aws_cognito_user_pool", "aws_customer_gateway", "aws_db_event_subscription", "aws_db_instance",
    "aws_db_option_group", "aws_db_parameter_group", "aws_db_proxy", "aws_db_snapshot", "aws_db_subnet_group",
    "aws_default_network_acl", "aws_default_route_table", "aws_default_security_group", "aws_default_subnet",
    "aws_default_vpc", "aws_dms_replication_instance", "aws_docdb_cluster", "aws_docdb_cluster_instance",
    "aws_dynamodb_table", "aws_ebs_snapshot", "aws_ebs_volume", "aws_ec2_transit_gateway", "aws_ecr_repository",
    "aws_ecs_cluster", "aws_ecs_service", "aws_ecs_task_definition", "aws_efs_access_point", "aws_efs_file_system",
    "aws_eip", "aws_eks_addon", "aws_eks_cluster", "aws_eks_fargate_profile", "aws_eks_node_group",
    "aws_elastic_beanstalk_application", "aws_elastic_beanstalk_environment", "aws_elasticache_cluster",
    "aws_elasticache_parameter_group", "aws_elasticache_replication_group", "aws_elasticache_subnet_group",
    "aws_elasticsearch_domain", "aws_elb", "aws_emr_cluster", "aws_flow_log", "aws_fsx_lustre_file_system",
    "aws_glue_job", "aws_guardduty_detector", "aws_iam_instance_profile", "aws_iam_openid_connect_provider",
    "aws_iam_policy", "aws_iam_role", "aws_iam_saml_provider", "aws_iam_server_certificate", "aws_iam_user",
    "aws_instance", "aws_internet_gateway", "aws_key_pair", "aws_kinesis_firehose_delivery_stream",
    "aws_kinesis_stream", "aws_kms_external_key", "aws_kms_key", "aws_lambda_function", "aws_launch_template",
    "aws_lb", "aws_lb_listener", "aws_lb_listener_rule", "aws_lb_target_group", "aws_memorydb_cluster",
    "aws_mq_broker", "aws_msk_cluster", "aws_nat_gateway", "aws_neptune_cluster", "aws_neptune_cluster_instance",
    "aws_network_acl", "aws_network_interface", "aws_opensearch_domain", "aws_placement_group", "aws_rds_cluster",
    "aws_rds_cluster_instance", "aws_rds_cluster_parameter_group", "aws_redshift_cluster",
    "aws_redshift_parameter_group", "aws_redshift_subnet_group", "aws_route53_health_check", "aws_route53_zone",
    "aws_route_table", "aws_s3_bucket", "aws_s3_bucket_object", "aws_s3_object", "aws_sagemaker_notebook_instance",
    "aws_secretsmanager_secret", "aws_security_group", "aws_sfn_state_machine", "aws_sns_topic",
    "aws_spot_instance_request", "aws_sqs_queue", "aws_ssm_document", "aws_ssm_parameter", "aws_subnet",
    "aws_transfer_server", "aws_vpc", "aws_vpc_dhcp_options", "aws_vpc_endpoint", "aws_vpc_endpoint_service",
    "aws_vpc_peering_connection", "aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule",
    "aws_vpn_connection", "aws_vpn_gateway", "aws_wafv2_ip_set", "aws_wafv2_rule_group", "aws_wafv2_web_acl",
    "aws_workspaces_workspace",
})  # fmt: skip
"""Types that have tags."""


def complete_tags(native_type: str, planned: Mapping[str, Any], defaults: Any) -> dict[str, Any]:
    """``tags`` and ``tags_all`` as a plan would have them; empty for a type without tags.

    Args:
        native_type: An AWS type.
        planned: What the source sets.
        defaults: The provider's default tags, or `UNKNOWN`.
    """
    if "tags_all" in planned:
        return {}
    own = planned.get("tags")
    if own is None:
        if native_type in _NO_TAGS or native_type.endswith(_WITHOUT_TAGS):
            return {}
        if native_type not in _WITH_TAGS:
            return {"tags_all": UNKNOWN}
        own = {}
    if own is UNKNOWN or defaults is UNKNOWN or not isinstance(own, Mapping):
        return {"tags_all": UNKNOWN}
    return {"tags_all": {**defaults, **own}}
