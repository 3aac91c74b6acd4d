"""What fixtures do not show of Azure: types without a rule of their own, older names, and doubts."""

from typing import Any

import pytest

from plangate.facts.registry import ADAPTERS
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN, AllUnknown
from tests.builders import a_reference, a_resource, facts_of

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"


def azure(address: str, values: dict[str, Any] | None = None, **changes: Any) -> Resource:
    fields = {"provider": "registry.terraform.io/hashicorp/azurerm", "cloud": "azure", "region": "westeurope"}
    return a_resource(address, values, **(fields | changes))


def fact(address: str, values: dict[str, Any], name: str, *others: Resource, **changes: Any) -> Any:
    return facts_of(azure(address, values, **changes), *others)[name]


def interface(value: Any, **changes: Any) -> Resource:
    return azure(
        "azurerm_network_interface.a",
        {"id": "/nic/a", "ip_configuration": [{"public_ip_address_id": value}]},
        **changes,
    )


def test_a_machine_has_the_public_address_of_any_of_its_interfaces() -> None:
    machine = {"network_interface_ids": ["/nic/a"], "os_disk": [{}]}
    assert fact("azurerm_linux_virtual_machine.m", machine, "public_ip", interface("/ip/1")) is True
    assert fact("azurerm_linux_virtual_machine.m", machine, "public_ip", interface(None)) is False
    assert fact("azurerm_linux_virtual_machine.m", machine, "public_ip", interface("")) is False
    assert fact("azurerm_linux_virtual_machine.m", machine, "public_ip", interface(UNKNOWN)) is UNKNOWN
    assert fact("azurerm_linux_virtual_machine.m", machine, "public_ip", interface([])) is UNKNOWN
    assert fact("azurerm_linux_virtual_machine.m", machine, "public_ip") is UNKNOWN


def test_an_unknown_address_that_refers_to_a_public_one_is_one() -> None:
    machine = {"network_interface_ids": ["/nic/a"], "os_disk": [{}]}
    at = "/ip_configuration/public_ip_address_id"
    address = azure("azurerm_public_ip.p", {})
    tied = interface(UNKNOWN, references=(a_reference(at, "azurerm_public_ip.p"),))
    assert fact("azurerm_linux_virtual_machine.m", machine, "public_ip", tied, address) is True
    perhaps = interface(UNKNOWN, references=(a_reference(at, "azurerm_public_ip.p", exact=False),))
    assert fact("azurerm_linux_virtual_machine.m", machine, "public_ip", perhaps, address) is UNKNOWN


def test_an_interface_may_write_its_configuration_as_one_object() -> None:
    one = azure(
        "azurerm_network_interface.a", {"id": "/nic/a", "ip_configuration": {"public_ip_address_id": "/ip/1"}}
    )
    assert fact("azurerm_virtual_machine.m", {"network_interface_ids": ["/nic/a"]}, "public_ip", one) is True


def test_a_source_that_leaves_everything_out_reads_as_not_set() -> None:
    machine = facts_of(azure("azurerm_linux_virtual_machine.m", {}, configured=None))
    assert (machine["public_ip"], machine["disks_encrypted"]) == (False, True)
    account = facts_of(azure("azurerm_storage_account.a", {}, configured=None))
    assert {name: account[name] for name in ("public_access_blocked", "encryption", "versioned")} == {
        "public_access_blocked": False,
        "encryption": "AES256",
        "versioned": False,
    }


@pytest.mark.parametrize(
    ("disk", "at_host", "encrypted"),
    [
        ([{"diff_disk_settings": []}], None, True),
        ([{"diff_disk_settings": [{}]}], None, False),
        ([{"diff_disk_settings": [{}]}], True, True),
        ([{"diff_disk_settings": UNKNOWN}], None, UNKNOWN),
        (UNKNOWN, False, UNKNOWN),
    ],
)
def test_an_os_disk_on_the_host_is_encrypted_only_by_the_host(
    disk: Any, at_host: Any, encrypted: Any
) -> None:
    values = {"os_disk": disk, "encryption_at_host_enabled": at_host}
    for native_type in ("azurerm_linux_virtual_machine.m", "azurerm_windows_virtual_machine_scale_set.m"):
        assert fact(native_type, values, "disks_encrypted") is encrypted


def test_networks_of_azure_give_no_public_addresses() -> None:
    assert fact("azurerm_virtual_network.n", {}, "default") is False
    assert fact("azurerm_subnet.s", {}, "public_ips") is False


# Security groups


def rule(**more: Any) -> dict[str, Any]:
    return {
        "priority": 200,
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "Tcp",
        "source_port_range": "*",
        "destination_port_range": "22",
        "source_address_prefix": "*",
        "destination_address_prefix": "*",
        **more,
    }


DENY_ALL = rule(priority=100, access="Deny", protocol="*", destination_port_range="*")


def ingress(*rules: dict[str, Any]) -> Any:
    return fact("azurerm_network_security_group.g", {"security_rule": list(rules)}, "ingress")


@pytest.mark.parametrize(
    ("source", "everyone"),
    [
        ("*", True),
        ("Any", True),
        ("internet", True),
        ("0.0.0.0/0", True),
        ("::/0", True),
        ("0.0.0.0-255.255.255.255", True),
        ("10.0.0.1", False),
        ("VirtualNetwork", False),
        ("AzureLoadBalancer", False),
        ("Storage.WestEurope", False),
        ("0.0.0.0/0 ,10.0.0.0/8", UNKNOWN),
        (UNKNOWN, UNKNOWN),
        (5, UNKNOWN),
    ],
)
def test_sources_are_everyone_by_many_names(source: object, everyone: object) -> None:
    assert [entry["any_source"] for entry in ingress(rule(source_address_prefix=source))] == [everyone]


def test_a_rule_without_any_source_is_not_closed() -> None:
    nobody = rule(source_address_prefix=None)
    assert [entry["any_source"] for entry in ingress(nobody)] == [UNKNOWN]
    machines = rule(source_address_prefix=None, source_application_security_group_ids=["/asg/1"])
    assert [entry["any_source"] for entry in ingress(machines)] == [False]


def test_a_rule_without_ports_is_not_closed() -> None:
    (entry,) = ingress(rule(destination_port_range=None))
    assert (entry["from_port"], entry["to_port"]) == (UNKNOWN, UNKNOWN)


@pytest.mark.parametrize("name", ["access", "direction"])
@pytest.mark.parametrize("value", [UNKNOWN, None, "Perhaps", 7])
def test_a_rule_that_may_allow_or_be_inbound_lets_in_we_do_not_know_whom(name: str, value: object) -> None:
    (entry,) = ingress(rule(**{name: value}))
    assert (entry["cidrs"], entry["any_source"]) == ((UNKNOWN,), UNKNOWN)


def test_a_denial_in_front_takes_away_what_is_behind_it() -> None:
    assert ingress(DENY_ALL, rule()) == ()
    assert ingress(rule(), DENY_ALL) == ()
    assert len(ingress(rule(), {**DENY_ALL, "priority": 300})) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"destination_address_prefix": "10.0.0.0/8"},
        {"destination_address_prefixes": ["10.0.0.0/8"]},
        {"destination_application_security_group_ids": ["/asg/1"]},
        {"destination_address_prefix": UNKNOWN},
        {"source_port_range": "1024"},
        {"source_port_ranges": ["1-5"]},
        {"source_address_prefix": "10.0.0.0/8"},
        {"priority": UNKNOWN},
        {"access": UNKNOWN},
        {"direction": "Outbound"},
        {"direction": UNKNOWN},
        {"protocol": UNKNOWN},
        {"destination_port_range": UNKNOWN},
    ],
)
def test_a_denial_that_may_not_hold_for_all_takes_nothing_away(more: dict[str, Any]) -> None:
    assert [
        e
        for e in ingress({**DENY_ALL, **more}, rule())
        if e["path"] == "/security_rule/1/source_address_prefix"
    ]


def linked(name: str, **more: Any) -> Resource:
    return azure(
        f"azurerm_network_security_rule.{name}",
        {"network_security_group_name": "g", "resource_group_name": "r", **rule(**more)},
    )


def the_group(**more: Any) -> Resource:
    return azure(
        "azurerm_network_security_group.g",
        {"name": "g", "resource_group_name": "R", "security_rule": [], **more},
    )


def test_rules_beside_a_group_belong_to_it_and_to_its_order() -> None:
    deny = linked(
        "deny", **{k: DENY_ALL[k] for k in ("priority", "access", "protocol", "destination_port_range")}
    )
    assert facts_of(linked("a"), the_group())["ingress"] != ()
    assert facts_of(linked("a"), the_group(), deny)["ingress"] == ()
    assert facts_of(linked("a"), the_group(security_rule=[DENY_ALL]))["ingress"] == ()
    assert [entry["address"] for entry in facts_of(the_group(), linked("a"))["ingress"]] == [
        "azurerm_network_security_rule.a"
    ]
    assert facts_of(the_group(), linked("a"), deny)["ingress"] == ()


def test_a_group_of_the_same_name_elsewhere_denies_nothing_here() -> None:
    for place in ("elsewhere", UNKNOWN, None):
        other = the_group(resource_group_name=place, security_rule=[DENY_ALL])
        assert facts_of(linked("a"), other)["ingress"] != ()
    both = (the_group(security_rule=[DENY_ALL]), azure("azurerm_network_security_group.h", {"name": "g"}))
    assert facts_of(linked("a"), *both)["ingress"] != ()


def test_a_group_whose_rules_are_not_known_is_not_closed() -> None:
    assert fact("azurerm_network_security_group.g", {"security_rule": UNKNOWN}, "ingress") is UNKNOWN
    assert fact("azurerm_network_security_group.g", {"security_rule": "none"}, "ingress") is UNKNOWN
    assert fact("azurerm_network_security_group.g", {}, "ingress") == ()


# Storage


@pytest.mark.parametrize(
    ("values", "blocked"),
    [
        ({"allow_nested_items_to_be_public": False}, True),
        ({"allow_nested_items_to_be_public": True}, False),
        ({"allow_nested_items_to_be_public": UNKNOWN}, UNKNOWN),
        ({"allow_blob_public_access": False}, True),
        ({"allow_blob_public_access": True}, False),
        ({"public_network_access_enabled": False}, True),
        ({}, False),
    ],
)
def test_an_account_blocks_public_access_when_it_says_so(values: dict[str, Any], blocked: object) -> None:
    assert fact("azurerm_storage_account.a", values, "public_access_blocked") is blocked


@pytest.mark.parametrize(
    ("level", "opened"), [("blob", True), ("private", False), (None, False), (UNKNOWN, UNKNOWN)]
)
def test_an_account_is_open_when_a_container_of_it_is(level: object, opened: object) -> None:
    account = {"id": "/a", "name": "a"}
    for way in ({"storage_account_id": "/a"}, {"storage_account_name": "a"}):
        box = azure("azurerm_storage_container.c", {**way, "container_access_type": level})
        assert fact("azurerm_storage_account.a", account, "public_acl", box) is opened
        assert facts_of(box, azure("azurerm_storage_account.a", account))["public_acl"] is opened


def test_a_container_leaves_to_its_account_what_the_account_says() -> None:
    box = azure("azurerm_storage_container.c", {"storage_account_id": "/a"})
    inside = facts_of(box, azure("azurerm_storage_account.a", {"id": "/a"}))
    assert (inside["encryption"], inside["versioned"]) == (None, None)
    alone = facts_of(box)
    assert (alone["encryption"], alone["versioned"]) == (UNKNOWN, UNKNOWN)


def test_an_account_is_encrypted_with_a_key_from_a_vault_when_it_names_one() -> None:
    own = {"customer_managed_key": [{"key_vault_key_id": UNKNOWN}]}
    assert fact("azurerm_storage_account.a", own, "encryption") == "azure:key-vault"
    beside = azure("azurerm_storage_account_customer_managed_key.k", {"storage_account_id": "/a"})
    assert fact("azurerm_storage_account.a", {"id": "/a"}, "encryption", beside) == "azure:key-vault"


# Databases


@pytest.mark.parametrize(
    ("address", "values", "public"),
    [
        ("azurerm_postgresql_flexible_server.s", {"delegated_subnet_id": "/subnet"}, False),
        ("azurerm_postgresql_flexible_server.s", {"delegated_subnet_id": UNKNOWN}, UNKNOWN),
        ("azurerm_postgresql_flexible_server.s", {"source_server_id": "/other"}, UNKNOWN),
        ("azurerm_mysql_flexible_server.s", {"public_network_access": UNKNOWN}, UNKNOWN),
        ("azurerm_redis_cache.s", {"subnet_id": "/subnet"}, False),
        ("azurerm_cosmosdb_postgresql_cluster.s", {"coordinator_public_ip_access_enabled": False}, False),
        ("azurerm_cosmosdb_postgresql_cluster.s", {"node_public_ip_access_enabled": True}, True),
        ("azurerm_mssql_server.s", {"public_network_access_enabled": "perhaps"}, UNKNOWN),
    ],
)
def test_a_database_is_public_unless_it_is_placed_in_a_network(
    address: str, values: dict[str, Any], public: object
) -> None:
    assert fact(address, values, "public") is public


@pytest.mark.parametrize(
    ("family", "size", "encrypted"),
    [
        ("C", 0, False),
        ("C", 1, False),
        ("C", 2, True),
        ("P", 1, True),
        ("C", None, UNKNOWN),
        (UNKNOWN, 1, UNKNOWN),
    ],
)
def test_the_smallest_caches_are_not_encrypted(family: object, size: object, encrypted: object) -> None:
    assert fact("azurerm_redis_cache.c", {"family": family, "capacity": size}, "encrypted") is encrypted


def test_databases_of_the_older_kind_do_not_say_whether_they_are_encrypted() -> None:
    assert fact("azurerm_sql_database.d", {"server_name": "s"}, "encrypted") is UNKNOWN
    assert fact("azurerm_mssql_managed_database.d", {"managed_instance_id": "/other"}, "public") is UNKNOWN


# Permissions


@pytest.mark.parametrize(
    ("scope", "full"),
    [
        ("/", True),
        (SUBSCRIPTION, True),
        (f"{SUBSCRIPTION}/", True),
        ("/providers/Microsoft.Management/managementGroups/root", True),
        (f"{SUBSCRIPTION}/resourceGroups/r", False),
        (f"{SUBSCRIPTION}/providers/Microsoft.Storage", False),
        ("somewhere", UNKNOWN),
        (UNKNOWN, UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_an_owner_is_an_administrator_of_a_whole_subscription(scope: object, full: object) -> None:
    values = {"scope": scope, "role_definition_name": "Owner"}
    assert fact("azurerm_role_assignment.a", values, "full_admin") is full


def test_an_unknown_scope_is_as_wide_as_what_it_refers_to() -> None:
    values = {"scope": UNKNOWN, "role_definition_name": "owner"}

    def full(*references: Any, **more: Any) -> object:
        return fact("azurerm_role_assignment.a", values, "full_admin", references=references, **more)

    assert full(a_reference("/scope", "azurerm_resource_group.r")) is False
    assert full(a_reference("/scope", 'module.m["a"].azurerm_resource_group.r["x.y"]')) is False
    assert full(a_reference("/scope", "data.azurerm_subscription.s")) is True
    assert full(a_reference("/scope", "azurerm_management_group.s")) is True
    assert full(a_reference("/scope", "azurerm_resource_group.r", attribute="name")) is UNKNOWN
    assert full(a_reference("/scope", "azurerm_resource_group.r"), unresolved=("/scope",)) is UNKNOWN
    assert full(a_reference("/scope", "module.m")) is UNKNOWN


@pytest.mark.parametrize(
    ("role", "full"),
    [
        ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", True),
        ("18D7D88D-D35E-4FB5-A5C3-7773C20A72D9", True),
        ("b24988ac-6180-42a0-ab88-20f7382dd24c", False),
        ("00000000-0000-0000-0000-000000000001", UNKNOWN),
    ],
)
def test_a_role_is_known_by_its_id(role: str, full: object) -> None:
    identifier = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    values = {"scope": SUBSCRIPTION, "role_definition_id": identifier}
    assert fact("azurerm_role_assignment.a", values, "full_admin") is full
    assert fact("azurerm_pim_active_role_assignment.a", values, "full_admin") is full
    assert fact("azurerm_role_assignment.a", {"scope": SUBSCRIPTION}, "full_admin") is UNKNOWN


@pytest.mark.parametrize(
    ("actions", "excepted", "full"),
    [
        (["*"], [], True),
        (["*/write"], [], True),
        (["Microsoft.Authorization/roleAssignments/write"], [], True),
        (["*"], ["Microsoft.Authorization/*/Write"], False),
        (["*"], [UNKNOWN], UNKNOWN),
        (["Microsoft.Storage/*"], [], False),
        ([UNKNOWN], [], UNKNOWN),
        (UNKNOWN, [], UNKNOWN),
    ],
)
def test_a_role_of_our_own_is_full_when_it_may_give_roles(actions: Any, excepted: Any, full: object) -> None:
    values = {"scope": SUBSCRIPTION, "permissions": [{"actions": actions, "not_actions": excepted}]}
    assert fact("azurerm_role_definition.r", values, "full_admin") is full
    narrow = {**values, "scope": f"{SUBSCRIPTION}/resourceGroups/r"}
    assert fact("azurerm_role_definition.r", narrow, "full_admin") is False
    wide = {**narrow, "assignable_scopes": [SUBSCRIPTION]}
    assert fact("azurerm_role_definition.r", wide, "full_admin") is full


def test_a_role_of_our_own_is_judged_where_it_stands() -> None:
    role = azure("azurerm_role_definition.r", {"scope": SUBSCRIPTION, "permissions": [{"actions": ["*"]}]})
    values = {"scope": SUBSCRIPTION, "role_definition_id": UNKNOWN}
    for attribute in ("id", "role_definition_resource_id"):
        tied = (a_reference("/role_definition_id", "azurerm_role_definition.r", attribute=attribute),)
        assert fact("azurerm_role_assignment.a", values, "full_admin", role, references=tied) is False
    assert facts_of(role)["full_admin"] is True


# Balancers


def gateway(**values: Any) -> Any:
    blocks = ("http_listener", "request_routing_rule", "redirect_configuration", "frontend_ip_configuration")
    return fact("azurerm_application_gateway.g", {**{name: [] for name in blocks}, **values}, "tls")


HTTP = {"name": "p", "protocol": "Http"}
RULE = {"http_listener_name": "p", "redirect_configuration_name": "r"}


@pytest.mark.parametrize(
    ("redirect", "tls"),
    [
        ({"name": "r", "target_url": "https://example.com"}, True),
        ({"name": "r", "target_url": "http://example.com"}, False),
        ({"name": "r", "target_listener_name": "p"}, False),
        ({"name": "r", "target_url": UNKNOWN}, UNKNOWN),
        ({"name": "other", "target_url": "https://example.com"}, UNKNOWN),
        ({"name": UNKNOWN, "target_url": "https://example.com"}, UNKNOWN),
    ],
)
def test_a_gateway_may_redirect_what_is_not_encrypted(redirect: dict[str, Any], tls: object) -> None:
    values = {"http_listener": [HTTP], "request_routing_rule": [RULE], "redirect_configuration": [redirect]}
    assert gateway(**values) is tls


def test_a_gateway_is_judged_for_every_listener_and_every_rule() -> None:
    redirect = {"name": "r", "target_url": "https://example.com"}
    both = [RULE, {"http_listener_name": "p", "redirect_configuration_name": None}]
    assert (
        gateway(http_listener=[HTTP], request_routing_rule=both, redirect_configuration=[redirect]) is False
    )
    assert gateway(http_listener=[HTTP]) is False
    assert gateway(http_listener=[HTTP], request_routing_rule=UNKNOWN) is UNKNOWN
    assert gateway(http_listener=[HTTP], request_routing_rule=[{"http_listener_name": UNKNOWN}]) is UNKNOWN
    assert gateway(http_listener=UNKNOWN) is UNKNOWN
    assert gateway(listener=[{"protocol": "Tls"}]) is True
    assert gateway(listener=[{"protocol": "Tcp"}]) is None
    assert gateway(listener=[{"protocol": UNKNOWN}]) is UNKNOWN


def test_a_balancer_is_public_when_a_frontend_has_a_public_address() -> None:
    for value, public in (("/ip", True), (None, False), (UNKNOWN, UNKNOWN)):
        frontends = [{"public_ip_address_id": None}, {"public_ip_address_id": value}]
        assert fact("azurerm_lb.b", {"frontend_ip_configuration": frontends}, "public") is public
    assert fact("azurerm_lb.b", {"frontend_ip_configuration": UNKNOWN}, "public") is UNKNOWN


def test_an_endpoint_with_rules_may_redirect() -> None:
    values = {"is_http_allowed": True, "delivery_rule": [{}], "global_delivery_rule": []}
    assert fact("azurerm_cdn_endpoint.e", values, "tls") is UNKNOWN


# Services


@pytest.mark.parametrize(
    ("values", "public"),
    [
        ({"public_network_access_enabled": False}, False),
        ({"public_network_access": "Disabled"}, False),
        ({"auth_settings_v2": [{"auth_enabled": True, "require_authentication": True}]}, False),
        (
            {
                "auth_settings_v2": [
                    {"auth_enabled": True, "require_authentication": True, "excluded_paths": ["/open"]}
                ]
            },
            UNKNOWN,
        ),
        ({"auth_settings_v2": [{"auth_enabled": True, "require_authentication": UNKNOWN}]}, UNKNOWN),
        (
            {"auth_settings": [{"enabled": True, "unauthenticated_client_action": "RedirectToLoginPage"}]},
            False,
        ),
        ({"auth_settings": [{"enabled": True, "unauthenticated_client_action": "AllowAnonymous"}]}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_a_function_app_is_closed_only_as_a_whole(values: dict[str, Any], public: object) -> None:
    for name in (
        "linux_function_app",
        "windows_function_app_slot",
        "function_app",
        "function_app_flex_consumption",
    ):
        assert fact(f"azurerm_{name}.f", values, "public") is public


def test_a_registry_lets_tags_move_and_does_not_say_who_scans() -> None:
    facts = facts_of(azure("azurerm_container_registry.r", {}))
    assert (facts["immutable_tags"], facts["scan_on_push"]) == (False, UNKNOWN)


def test_a_workspace_keeps_logs_as_long_as_it_says() -> None:
    facts = facts_of(azure("azurerm_log_analytics_workspace.w", {"retention_in_days": 90, "id": "/w"}))
    assert (facts["encrypted"], facts["retention_days"]) == (False, 90)
    link = azure("azurerm_log_analytics_linked_service.l", {"workspace_id": "/w"})
    linked_facts = facts_of(azure("azurerm_log_analytics_workspace.w", {"id": "/w"}), link)
    assert (linked_facts["encrypted"], linked_facts["retention_days"]) == (UNKNOWN, UNKNOWN)


def test_secrets_of_a_cluster_are_encrypted_with_a_key_of_ours_when_it_names_one() -> None:
    for blocks, expected in (([{}], True), ([], False), (UNKNOWN, UNKNOWN)):
        values: dict[str, Any] = {"key_management_service": blocks}
        assert fact("azurerm_kubernetes_cluster.c", values, "secrets_encrypted") is expected


@pytest.mark.parametrize(
    ("values", "public"),
    [
        ({"api_server_authorized_ip_ranges": ["10.0.0.0/8"]}, False),
        ({"api_server_access_profile": [{"authorized_ip_ranges": [UNKNOWN]}]}, UNKNOWN),
        ({"api_server_access_profile": [{"authorized_ip_ranges": None}]}, True),
        ({"api_server_access_profile": UNKNOWN}, UNKNOWN),
    ],
)
def test_a_cluster_is_public_unless_it_names_networks(values: dict[str, Any], public: object) -> None:
    assert fact("azurerm_kubernetes_cluster.c", values, "public_endpoint") is public


@pytest.mark.parametrize(
    ("address", "values", "stateful"),
    [
        ("azurerm_storage_account.a", {}, True),
        ("azurerm_virtual_network.n", {}, False),
        ("azurerm_linux_virtual_machine.m", {}, False),
        ("azurerm_virtual_machine_restore_point.r", {}, True),
        ("azurerm_monitor_workspace.w", {}, UNKNOWN),
        ("azurerm_resource_group.g", {}, UNKNOWN),
        ("azurerm_something_new.s", {}, UNKNOWN),
    ],
)
def test_what_holds_data_is_listed_and_what_is_not_listed_is_not_known(
    address: str, values: dict[str, Any], stateful: object
) -> None:
    assert fact(address, values, "stateful") is stateful


@pytest.mark.parametrize(
    ("address", "values", "regional"),
    [
        ("azurerm_managed_disk.d", {"location": "West Europe"}, True),
        ("azurerm_managed_disk.d", {"location": UNKNOWN}, True),
        ("azurerm_managed_disk.d", {}, UNKNOWN),
        ("azurerm_subnet.s", {}, False),
        ("azurerm_bot_web_app.b", {"location": "global"}, False),
        ("azurerm_mssql_firewall_rule.r", {}, False),
    ],
)
def test_a_part_has_no_region_of_its_own(address: str, values: dict[str, Any], regional: object) -> None:
    assert fact(address, values, "regional") is regional


@pytest.mark.parametrize("native_type", sorted(name for name in ADAPTERS if name.startswith("azurerm_")))
def test_of_a_resource_of_which_nothing_is_known_nothing_good_is_said_that_could_be_otherwise(
    native_type: str,
) -> None:
    facts = facts_of(azure(f"{native_type}.x", planned=AllUnknown(), configured=None))
    for name in ("public_access_blocked", "rotation", "versioned", "tls", "immutable_tags", "scan_on_push"):
        assert facts.get(name) is not True
    for name in ("public_ip", "public", "full_admin", "public_endpoint"):
        assert facts.get(name) is not False


def test_interfaces_that_are_not_known_may_have_a_public_address() -> None:
    hidden = azure("azurerm_network_interface.a", {"id": "/nic/a", "ip_configuration": UNKNOWN})
    machine = {"network_interface_ids": ["/nic/a"]}
    assert fact("azurerm_virtual_machine.m", machine, "public_ip", hidden) is UNKNOWN
    values = {"network_interface": [{"ip_configuration": UNKNOWN}]}
    assert fact("azurerm_linux_virtual_machine_scale_set.s", values, "public_ip") is UNKNOWN


def test_a_rule_that_refers_to_a_group_is_in_the_order_of_that_group() -> None:
    tied = azure(
        "azurerm_network_security_rule.a",
        {"network_security_group_name": UNKNOWN, "resource_group_name": UNKNOWN, **rule()},
        references=(
            a_reference("/network_security_group_name", "azurerm_network_security_group.g", attribute="name"),
        ),
    )
    group = the_group(name=UNKNOWN, resource_group_name=UNKNOWN, security_rule=[DENY_ALL])
    assert facts_of(tied, group)["ingress"] == ()
    assert facts_of(tied, the_group(name=UNKNOWN, security_rule=[]))["ingress"] != ()


def test_a_policy_of_a_key_that_is_not_known_may_not_rotate_it() -> None:
    values: dict[str, Any] = {"rotation_policy": [{"automatic": UNKNOWN}]}
    assert fact("azurerm_key_vault_key.k", values, "rotation") is UNKNOWN
    values = {"rotation_policy": [{"automatic": [{"time_after_creation": UNKNOWN}]}]}
    assert fact("azurerm_key_vault_key.k", values, "rotation") is UNKNOWN


def test_networks_of_a_cluster_that_are_not_known_may_be_all() -> None:
    values = {"api_server_access_profile": [{"authorized_ip_ranges": UNKNOWN}]}
    assert fact("azurerm_kubernetes_cluster.c", values, "public_endpoint", configured=None) is UNKNOWN
