"""Plans of Azure."""

from typing import Any, Final

from cloud_cases.table import COMPUTED, UNKNOWN, Case, Ref, Set, case

HERE: Final = {"resource_group_name": "example", "location": "westeurope"}
MAIN: Final = Ref("azurerm_storage_account.main.id")


def nic(address: Any) -> dict[str, Any]:
    """A network interface with this public address."""
    return {
        **HERE,
        "name": "web",
        "ip_configuration": [{"name": "internal", "public_ip_address_id": address}],
        "id": COMPUTED,
    }


def machine(**more: Any) -> dict[str, Any]:
    """A machine with one network interface."""
    return {
        **HERE,
        "name": "web",
        "network_interface_ids": [Ref("azurerm_network_interface.web.id")],
        "os_disk": [{"caching": "ReadOnly", "diff_disk_settings": []}],
        "encryption_at_host_enabled": None,
        **more,
    }


def scale_set(asked: Any, **more: Any) -> dict[str, Any]:
    """A scale set whose interfaces have these public address blocks."""
    return {
        **HERE,
        "name": "web",
        "network_interface": [
            {"name": "web", "ip_configuration": [{"name": "internal", "public_ip_address": asked}]}
        ],
        "os_disk": [{"caching": "ReadOnly", "diff_disk_settings": []}],
        "encryption_at_host_enabled": None,
        **more,
    }


def old_set(asked: Any) -> dict[str, Any]:
    """A scale set in the older shape."""
    return {
        **HERE,
        "name": "web",
        "network_profile": [
            {
                "name": "web",
                "primary": True,
                "ip_configuration": [{"name": "internal", "public_ip_address_configuration": asked}],
            }
        ],
    }


def opening(**more: Any) -> dict[str, Any]:
    """A rule that lets everyone in to SSH, unless told otherwise."""
    return {
        "name": "ssh",
        "priority": 200,
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "Tcp",
        "source_port_range": "*",
        "source_port_ranges": [],
        "destination_port_range": "22",
        "destination_port_ranges": [],
        "source_address_prefix": "*",
        "source_address_prefixes": [],
        "source_application_security_group_ids": [],
        "destination_address_prefix": "*",
        "destination_address_prefixes": [],
        "destination_application_security_group_ids": [],
        **more,
    }


def rule(**more: Any) -> dict[str, Any]:
    """The same as a resource of its own."""
    return {
        "resource_group_name": "example",
        "network_security_group_name": Set("web", "azurerm_network_security_group.web.name"),
        **opening(**more),
    }


def group(rules: Any) -> dict[str, Any]:
    """A security group with these rules in it."""
    return {**HERE, "name": "web", "security_rule": rules, "id": COMPUTED}


def account(**more: Any) -> dict[str, Any]:
    """A storage account as version 4 of the provider plans it."""
    return {
        **HERE,
        "name": "example",
        "allow_nested_items_to_be_public": True,
        "public_network_access_enabled": True,
        "customer_managed_key": [],
        "blob_properties": COMPUTED,
        "id": COMPUTED,
        **more,
    }


def container(level: Any, account_id: Any = MAIN) -> dict[str, Any]:
    """A container of an account."""
    return {"name": "records", "storage_account_id": account_id, "container_access_type": level}


def gateway(listeners: list[Any], rules: list[Any], redirects: list[Any]) -> dict[str, Any]:
    """An application gateway on the internet."""
    return {
        **HERE,
        "name": "web",
        "frontend_ip_configuration": [
            {"name": "internet", "public_ip_address_id": Ref("azurerm_public_ip.web.id")}
        ],
        "http_listener": listeners,
        "request_routing_rule": rules,
        "redirect_configuration": redirects,
    }


PUBLIC_IP: Final = {**HERE, "name": "web", "allocation_method": "Static", "id": COMPUTED}
HTTP: Final = {"name": "plain", "protocol": "Http"}
HTTPS: Final = {"name": "encrypted", "protocol": "Https"}
TO_HTTPS: Final = {
    "name": "on",
    "redirect_type": "Permanent",
    "target_listener_name": "encrypted",
    "target_url": None,
}
ROUTED: Final = {"name": "a", "http_listener_name": "plain", "redirect_configuration_name": "on"}
FORWARDED: Final = {"name": "a", "http_listener_name": "plain", "redirect_configuration_name": None}
SUBSCRIPTION: Final = "/subscriptions/00000000-0000-0000-0000-000000000000"
OWNER: Final = (
    f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
)


def role(
    actions: list[Any], not_actions: list[Any] | None = None, scope: Any = SUBSCRIPTION
) -> dict[str, Any]:
    """A role of our own."""
    return {
        "name": "deploy",
        "scope": scope,
        "assignable_scopes": COMPUTED,
        "permissions": [{"actions": actions, "not_actions": not_actions or []}],
        "role_definition_resource_id": COMPUTED,
        "id": COMPUTED,
    }


def given(name: Any, scope: Any = SUBSCRIPTION, role_id: Any = COMPUTED) -> dict[str, Any]:
    """A role given to someone."""
    return {
        "scope": scope,
        "role_definition_name": name,
        "role_definition_id": role_id,
        "principal_id": UNKNOWN,
    }


CASES: Final[tuple[Case, ...]] = (
    case(
        "instance_no_public_ip",
        "fail_azure",
        ("azurerm_public_ip.web", "", PUBLIC_IP),
        ("azurerm_network_interface.web", "", nic(Ref("azurerm_public_ip.web.id"))),
        ("azurerm_linux_virtual_machine.web", "fail", machine()),
        ("azurerm_windows_virtual_machine.web", "fail", machine()),
        ("azurerm_virtual_machine.web", "fail", machine()),
        ("azurerm_linux_virtual_machine_scale_set.web", "fail", scale_set([{"name": "internet"}])),
        ("azurerm_windows_virtual_machine_scale_set.web", "fail", scale_set([{"name": "internet"}])),
        ("azurerm_orchestrated_virtual_machine_scale_set.web", "fail", scale_set([{"name": "internet"}])),
        ("azurerm_virtual_machine_scale_set.web", "fail", old_set([{"name": "internet"}])),
    ),
    case(
        "instance_no_public_ip",
        "pass_azure",
        ("azurerm_network_interface.web", "", nic(None)),
        ("azurerm_linux_virtual_machine.web", "pass", machine()),
        ("azurerm_linux_virtual_machine_scale_set.web", "pass", scale_set([])),
        ("azurerm_virtual_machine_scale_set.web", "pass", old_set([])),
    ),
    case(
        "instance_no_public_ip",
        "absent_azure_network_interface",
        (
            "azurerm_linux_virtual_machine.web",
            "unknown",
            machine(network_interface_ids=["/subscriptions/0/nic"]),
        ),
    ),
    case(
        "instance_no_public_ip",
        "unknown_azure",
        ("azurerm_network_interface.web", "", nic(UNKNOWN)),
        ("azurerm_linux_virtual_machine.web", "unknown", machine()),
        ("azurerm_windows_virtual_machine.web", "unknown", machine(network_interface_ids=UNKNOWN)),
        ("azurerm_linux_virtual_machine_scale_set.web", "unknown", scale_set(UNKNOWN)),
    ),
    case(
        "instance_metadata_v2",
        "pass_azure",
        ("azurerm_network_interface.web", "", nic(None)),
        ("azurerm_linux_virtual_machine.web", "pass", machine()),
        ("azurerm_linux_virtual_machine_scale_set.web", "pass", scale_set([])),
    ),
    case(
        "volume_encrypted",
        "pass_azure",
        (
            "azurerm_managed_disk.data",
            "pass",
            {**HERE, "name": "data", "storage_account_type": "Standard_LRS"},
        ),
        ("azurerm_linux_virtual_machine.web", "pass", machine()),
        (
            "azurerm_windows_virtual_machine.web",
            "pass",
            machine(os_disk=[{"diff_disk_settings": [{"option": "Local"}]}], encryption_at_host_enabled=True),
        ),
    ),
    case(
        "volume_encrypted",
        "fail_azure_disk_on_the_host",
        (
            "azurerm_linux_virtual_machine.web",
            "fail",
            machine(os_disk=[{"diff_disk_settings": [{"option": "Local"}]}]),
        ),
    ),
    case(
        "volume_encrypted",
        "unknown_azure",
        (
            "azurerm_linux_virtual_machine.web",
            "unknown",
            machine(
                os_disk=[{"diff_disk_settings": [{"option": "Local"}]}], encryption_at_host_enabled=UNKNOWN
            ),
        ),
    ),
    case(
        "ingress_no_open_admin_ports",
        "fail_azure",
        (
            "azurerm_network_security_group.web",
            "fail",
            group([opening(source_address_prefix="Internet", destination_port_range="20-25")]),
        ),
        ("azurerm_network_security_rule.any_protocol", "fail", rule(protocol="*", name="a", priority=210)),
        (
            "azurerm_network_security_rule.ranges",
            "fail",
            rule(
                name="b",
                priority=220,
                destination_port_range=None,
                destination_port_ranges=["80", "3380-3390"],
                source_address_prefix=None,
                source_address_prefixes=["0.0.0.0/1", "128.0.0.0/1"],
            ),
        ),
        (
            "azurerm_network_security_rule.denied_too_late",
            "fail",
            rule(name="c", priority=230, source_address_prefix="0.0.0.0/0"),
        ),
        (
            "azurerm_network_security_rule.denial",
            "pass",
            rule(name="d", priority=4000, access="Deny", protocol="*", destination_port_range="*"),
        ),
    ),
    case(
        "ingress_no_open_admin_ports",
        "pass_azure",
        (
            "azurerm_network_security_group.web",
            "pass",
            group(
                [
                    opening(
                        priority=100, access="Deny", protocol="*", destination_port_range="*", name="first"
                    ),
                    opening(),
                ]
            ),
        ),
        ("azurerm_network_security_rule.behind", "pass", rule(priority=300, name="a")),
        (
            "azurerm_network_security_rule.named",
            "pass",
            rule(priority=90, name="b", source_address_prefix="10.0.0.0/8"),
        ),
        (
            "azurerm_network_security_rule.tag",
            "pass",
            rule(priority=91, name="c", source_address_prefix="VirtualNetwork"),
        ),
        ("azurerm_network_security_rule.out", "pass", rule(priority=92, name="d", direction="Outbound")),
        (
            "azurerm_network_security_rule.web",
            "pass",
            rule(priority=93, name="e", destination_port_range="443"),
        ),
    ),
    case(
        "ingress_no_open_admin_ports",
        "absent_azure_rules",
        ("azurerm_network_security_group.web", "pass", group(COMPUTED)),
    ),
    case(
        "ingress_no_open_admin_ports",
        "unknown_azure",
        ("azurerm_network_security_group.web", "unknown", group(UNKNOWN)),
        ("azurerm_network_security_rule.access", "unknown", rule(access=UNKNOWN)),
        ("azurerm_network_security_rule.source", "unknown", rule(source_address_prefix=UNKNOWN, name="b")),
        ("azurerm_network_security_rule.port", "unknown", rule(destination_port_range=UNKNOWN, name="c")),
    ),
    case(
        "ingress_no_open_all",
        "fail_azure",
        (
            "azurerm_network_security_group.web",
            "fail",
            group([opening(protocol="*", destination_port_range="*")]),
        ),
        ("azurerm_network_security_rule.all", "fail", rule(destination_port_range="0-65535", name="a")),
    ),
    case(
        "ingress_no_open_all",
        "pass_azure",
        ("azurerm_network_security_group.web", "pass", group([opening(protocol="*")])),
    ),
    case(
        "bucket_no_public_access",
        "fail_azure",
        ("azurerm_storage_account.main", "fail", account()),
        ("azurerm_storage_container.records", "fail", container("blob")),
        ("azurerm_storage_container.listed", "fail", container("container")),
    ),
    case(
        "bucket_no_public_access",
        "pass_azure",
        ("azurerm_storage_account.main", "pass", account(allow_nested_items_to_be_public=False)),
        (
            "azurerm_storage_account.inside",
            "pass",
            account(name="inside", public_network_access_enabled=False),
        ),
        ("azurerm_storage_container.records", "pass", container("blob")),
        ("azurerm_storage_container.private", "pass", container("private", "/subscriptions/0/elsewhere")),
    ),
    case(
        "bucket_no_public_access",
        "absent_azure",
        ("azurerm_storage_account.main", "fail", {**HERE, "name": "example"}),
        ("azurerm_storage_container.records", "pass", {"name": "records", "storage_account_name": "example"}),
    ),
    case(
        "bucket_no_public_access",
        "unknown_azure",
        ("azurerm_storage_account.main", "unknown", account(allow_nested_items_to_be_public=UNKNOWN)),
        ("azurerm_storage_container.records", "unknown", container(UNKNOWN)),
    ),
    case(
        "bucket_encrypted",
        "pass_azure",
        ("azurerm_storage_account.main", "pass", account()),
        (
            "azurerm_storage_account.keyed",
            "pass",
            account(name="keyed", customer_managed_key=[{"key_vault_key_id": UNKNOWN}]),
        ),
        ("azurerm_storage_account.beside", "pass", account(name="beside")),
        (
            "azurerm_storage_account_customer_managed_key.beside",
            "",
            {"storage_account_id": Ref("azurerm_storage_account.beside.id"), "key_name": "data"},
        ),
        ("azurerm_storage_container.records", "not_applicable", container("private")),
    ),
    case(
        "bucket_encrypted",
        "fail_azure_without_a_key_of_ours",
        ("azurerm_storage_account.main", "fail", account()),
        settings={"accepted": ["azure:key-vault"]},
    ),
    case(
        "bucket_encrypted",
        "unknown_azure",
        ("azurerm_storage_account.main", "unknown", account(customer_managed_key=UNKNOWN)),
        ("azurerm_storage_container.records", "unknown", container("private", "/subscriptions/0/elsewhere")),
    ),
    case(
        "bucket_versioned",
        "fail_azure",
        ("azurerm_storage_account.main", "fail", account(blob_properties=[{"versioning_enabled": False}])),
    ),
    case(
        "bucket_versioned",
        "pass_azure",
        ("azurerm_storage_account.main", "pass", account(blob_properties=[{"versioning_enabled": True}])),
        ("azurerm_storage_container.records", "not_applicable", container("private")),
    ),
    case("bucket_versioned", "absent_azure", ("azurerm_storage_account.main", "fail", account())),
    case(
        "bucket_versioned",
        "unknown_azure",
        (
            "azurerm_storage_account.main",
            "unknown",
            account(blob_properties=[{"versioning_enabled": UNKNOWN}]),
        ),
        ("azurerm_storage_container.records", "unknown", container("private", "/subscriptions/0/elsewhere")),
    ),
    case(
        "database_not_public",
        "fail_azure",
        *(
            (f"azurerm_{name}.main", "fail", {**HERE, "name": "main", "public_network_access_enabled": True})
            for name in (
                "mssql_server",
                "sql_server",
                "postgresql_server",
                "mysql_server",
                "mariadb_server",
                "cosmosdb_account",
                "redis_cache",
            )
        ),
        (
            "azurerm_postgresql_flexible_server.main",
            "fail",
            {**HERE, "name": "main", "public_network_access_enabled": True, "delegated_subnet_id": None},
        ),
        (
            "azurerm_mysql_flexible_server.main",
            "fail",
            {**HERE, "name": "main", "public_network_access": "Enabled", "delegated_subnet_id": None},
        ),
        (
            "azurerm_mssql_managed_instance.main",
            "fail",
            {**HERE, "name": "main", "public_data_endpoint_enabled": True},
        ),
        (
            "azurerm_cosmosdb_postgresql_cluster.main",
            "fail",
            {
                **HERE,
                "name": "main",
                "coordinator_public_ip_access_enabled": True,
                "node_public_ip_access_enabled": False,
            },
        ),
        ("azurerm_managed_redis.main", "fail", {**HERE, "name": "main", "public_network_access": "Enabled"}),
    ),
    case(
        "database_not_public",
        "pass_azure",
        (
            "azurerm_mssql_server.main",
            "pass",
            {**HERE, "name": "main", "public_network_access_enabled": False, "id": COMPUTED},
        ),
        (
            "azurerm_mssql_database.main",
            "not_applicable",
            {"name": "main", "server_id": Ref("azurerm_mssql_server.main.id")},
        ),
        (
            "azurerm_postgresql_flexible_server.main",
            "pass",
            {
                **HERE,
                "name": "main",
                "public_network_access_enabled": False,
                "delegated_subnet_id": Ref("azurerm_subnet.data.id"),
            },
        ),
        ("azurerm_virtual_network.main", "", {**HERE, "name": "main", "id": COMPUTED}),
        ("azurerm_subnet.data", "", {"name": "data", "id": COMPUTED}),
        (
            "azurerm_mysql_flexible_server.main",
            "pass",
            {**HERE, "name": "main", "public_network_access": "Disabled", "delegated_subnet_id": None},
        ),
        (
            "azurerm_mssql_managed_instance.main",
            "pass",
            {**HERE, "name": "main", "public_data_endpoint_enabled": None, "id": COMPUTED},
        ),
        (
            "azurerm_mssql_managed_database.main",
            "not_applicable",
            {"name": "main", "managed_instance_id": Ref("azurerm_mssql_managed_instance.main.id")},
        ),
    ),
    case(
        "database_not_public",
        "absent_azure",
        ("azurerm_mssql_server.main", "fail", {**HERE, "name": "main"}),
        ("azurerm_postgresql_flexible_server.main", "fail", {**HERE, "name": "main"}),
    ),
    case(
        "database_not_public",
        "unknown_azure",
        (
            "azurerm_mssql_server.main",
            "unknown",
            {**HERE, "name": "main", "public_network_access_enabled": UNKNOWN},
        ),
        (
            "azurerm_mssql_database.main",
            "unknown",
            {"name": "main", "server_id": "/subscriptions/0/servers/other"},
        ),
        ("azurerm_sql_database.main", "unknown", {**HERE, "name": "main", "server_name": "other"}),
    ),
    case(
        "database_encrypted",
        "fail_azure",
        ("azurerm_mssql_database.main", "fail", {"name": "dw", "transparent_data_encryption_enabled": False}),
        ("azurerm_redis_cache.main", "fail", {**HERE, "name": "main", "family": "C", "capacity": 0}),
    ),
    case(
        "database_encrypted",
        "pass_azure",
        ("azurerm_mssql_server.main", "not_applicable", {**HERE, "name": "main"}),
        (
            "azurerm_mssql_database.main",
            "pass",
            {"name": "main", "transparent_data_encryption_enabled": None},
        ),
        ("azurerm_postgresql_flexible_server.main", "pass", {**HERE, "name": "main"}),
        ("azurerm_cosmosdb_account.main", "pass", {**HERE, "name": "main"}),
        ("azurerm_redis_cache.main", "pass", {**HERE, "name": "main", "family": "P", "capacity": 1}),
    ),
    case(
        "database_encrypted",
        "unknown_azure",
        (
            "azurerm_mssql_database.main",
            "unknown",
            {"name": "main", "transparent_data_encryption_enabled": UNKNOWN},
        ),
        ("azurerm_redis_cache.main", "unknown", {**HERE, "name": "main", "family": "C", "capacity": UNKNOWN}),
    ),
    case(
        "iam_no_full_admin",
        "fail_azure",
        ("azurerm_role_assignment.owner", "fail", given("Owner")),
        ("azurerm_role_assignment.by_id", "fail", given(None, role_id=OWNER)),
        (
            "azurerm_role_assignment.everywhere",
            "fail",
            given("User Access Administrator", "/providers/Microsoft.Management/managementGroups/all"),
        ),
        ("azurerm_role_definition.all", "fail", role(["*"])),
        ("azurerm_role_definition.roles", "fail", role(["Microsoft.Authorization/*"])),
        (
            "azurerm_pim_eligible_role_assignment.owner",
            "fail",
            {"scope": SUBSCRIPTION, "role_definition_id": OWNER, "principal_id": UNKNOWN},
        ),
    ),
    case(
        "iam_no_full_admin",
        "pass_azure",
        ("azurerm_resource_group.main", "", {"name": "main", "location": "westeurope", "id": COMPUTED}),
        ("azurerm_role_assignment.reader", "pass", given("Reader")),
        ("azurerm_role_assignment.of_a_group", "pass", given("Owner", Ref("azurerm_resource_group.main.id"))),
        ("azurerm_role_assignment.named", "pass", given("Owner", f"{SUBSCRIPTION}/resourceGroups/main")),
        ("azurerm_role_definition.lesser", "pass", role(["*"], ["Microsoft.Authorization/*/Write"])),
        ("azurerm_role_definition.small", "pass", role(["Microsoft.Storage/*/read"])),
        (
            "azurerm_role_assignment.own",
            "pass",
            given(None, role_id=Ref("azurerm_role_definition.small.id")),
        ),
    ),
    case(
        "iam_no_full_admin",
        "unknown_azure",
        ("azurerm_role_assignment.where", "unknown", given("Owner", UNKNOWN)),
        ("azurerm_role_assignment.which", "unknown", given(None, role_id=UNKNOWN)),
        ("azurerm_role_definition.what", "unknown", role([UNKNOWN])),
    ),
    case(
        "listener_tls",
        "fail_azure",
        ("azurerm_public_ip.web", "", PUBLIC_IP),
        ("azurerm_application_gateway.web", "fail", gateway([HTTP, HTTPS], [FORWARDED], [])),
        (
            "azurerm_cdn_frontdoor_route.web",
            "fail",
            {"name": "web", "supported_protocols": ["Http", "Https"], "https_redirect_enabled": False},
        ),
        (
            "azurerm_cdn_endpoint.web",
            "fail",
            {**HERE, "name": "web", "is_http_allowed": True, "delivery_rule": [], "global_delivery_rule": []},
        ),
    ),
    case(
        "listener_tls",
        "pass_azure",
        ("azurerm_public_ip.web", "", PUBLIC_IP),
        ("azurerm_application_gateway.web", "pass", gateway([HTTP, HTTPS], [ROUTED], [TO_HTTPS])),
        (
            "azurerm_lb.web",
            "not_applicable",
            {
                **HERE,
                "name": "web",
                "frontend_ip_configuration": [{"name": "a", "public_ip_address_id": None}],
            },
        ),
        ("azurerm_lb_rule.web", "not_applicable", {"name": "web", "protocol": "Tcp"}),
        ("azurerm_lb_nat_rule.web", "not_applicable", {"name": "web", "protocol": "Tcp"}),
        (
            "azurerm_cdn_frontdoor_route.web",
            "pass",
            {"name": "web", "supported_protocols": ["Http", "Https"], "https_redirect_enabled": None},
        ),
        ("azurerm_cdn_endpoint.web", "pass", {**HERE, "name": "web", "is_http_allowed": False}),
    ),
    case(
        "listener_tls",
        "unknown_azure",
        ("azurerm_public_ip.web", "", PUBLIC_IP),
        (
            "azurerm_application_gateway.web",
            "unknown",
            gateway([{"name": "plain", "protocol": UNKNOWN}], [FORWARDED], []),
        ),
        (
            "azurerm_cdn_frontdoor_route.web",
            "unknown",
            {"name": "web", "supported_protocols": ["Http", "Https"], "https_redirect_enabled": UNKNOWN},
        ),
    ),
    case(
        "key_rotation",
        "fail_azure",
        (
            "azurerm_key_vault_key.data",
            "fail",
            {
                "name": "data",
                "key_type": "RSA",
                "rotation_policy": [{"expire_after": "P90D", "automatic": []}],
            },
        ),
    ),
    case(
        "key_rotation",
        "absent_azure",
        ("azurerm_key_vault_key.data", "fail", {"name": "data", "key_type": "RSA", "rotation_policy": []}),
        (
            "azurerm_key_vault_managed_hardware_security_module_key.data",
            "fail",
            {"name": "data", "id": COMPUTED},
        ),
    ),
    case(
        "key_rotation",
        "pass_azure",
        (
            "azurerm_key_vault_key.data",
            "pass",
            {
                "name": "data",
                "key_type": "RSA",
                "rotation_policy": [
                    {"automatic": [{"time_before_expiry": "P30D", "time_after_creation": None}]}
                ],
            },
        ),
        (
            "azurerm_key_vault_managed_hardware_security_module_key.data",
            "pass",
            {"name": "data", "id": COMPUTED},
        ),
        (
            "azurerm_key_vault_managed_hardware_security_module_key_rotation_policy.data",
            "",
            {
                "managed_hsm_key_id": Ref("azurerm_key_vault_managed_hardware_security_module_key.data.id"),
                "time_after_creation": "P30D",
                "time_before_expiry": None,
            },
        ),
    ),
    case(
        "key_rotation",
        "unknown_azure",
        ("azurerm_key_vault_key.data", "unknown", {"name": "data", "rotation_policy": UNKNOWN}),
    ),
    case(
        "cluster_endpoint_private",
        "fail_azure",
        (
            "azurerm_kubernetes_cluster.main",
            "fail",
            {
                **HERE,
                "name": "main",
                "private_cluster_enabled": False,
                "api_server_access_profile": [{"authorized_ip_ranges": ["0.0.0.0/0"]}],
                "key_management_service": [],
            },
        ),
    ),
    case(
        "cluster_endpoint_private",
        "absent_azure",
        (
            "azurerm_kubernetes_cluster.main",
            "fail",
            {**HERE, "name": "main", "private_cluster_enabled": None, "api_server_access_profile": []},
        ),
        ("azurerm_kubernetes_automatic_cluster.main", "fail", {**HERE, "name": "main"}),
    ),
    case(
        "cluster_endpoint_private",
        "pass_azure",
        (
            "azurerm_kubernetes_cluster.main",
            "pass",
            {**HERE, "name": "main", "private_cluster_enabled": True, "api_server_access_profile": []},
        ),
        (
            "azurerm_kubernetes_cluster.named",
            "pass",
            {
                **HERE,
                "name": "named",
                "private_cluster_enabled": False,
                "api_server_access_profile": [{"authorized_ip_ranges": ["198.51.100.0/24"]}],
            },
        ),
        (
            "azurerm_kubernetes_automatic_cluster.main",
            "pass",
            {**HERE, "name": "main", "private_cluster": [{}]},
        ),
    ),
    case(
        "cluster_endpoint_private",
        "unknown_azure",
        (
            "azurerm_kubernetes_cluster.main",
            "unknown",
            {**HERE, "name": "main", "private_cluster_enabled": UNKNOWN, "api_server_access_profile": []},
        ),
    ),
    case(
        "required_tags",
        "fail_azure",
        ("azurerm_managed_disk.data", "fail", {**HERE, "name": "data", "tags": {"team": "payments"}}),
        ("azurerm_virtual_network.main", "fail", {**HERE, "name": "main", "tags": None}),
        ("azurerm_subnet.data", "not_applicable", {"name": "data"}),
        ("azurerm_public_ip.web", "pass", {**PUBLIC_IP, "tags": {"owner": "payments"}}),
        settings={"tags": {"owner": []}},
    ),
    case(
        "allowed_regions",
        "fail_azure",
        ("azurerm_managed_disk.data", "fail", {**HERE, "name": "data", "location": "East US"}),
        ("azurerm_virtual_network.main", "pass", {**HERE, "name": "main", "location": "West Europe"}),
        ("azurerm_subnet.data", "not_applicable", {"name": "data"}),
        ("azurerm_public_ip.web", "unknown", {**PUBLIC_IP, "location": UNKNOWN}),
        settings={"regions": ["westeurope"]},
    ),
)
