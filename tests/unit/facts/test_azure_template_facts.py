"""Resources of Azure templates have the facts that the same resources have in Terraform."""

from collections.abc import Mapping
from typing import Any

import pytest

from plangate.facts.azure_template import translate
from plangate.facts.registry import ADAPTER_ERROR, ADAPTERS, plan_with_facts
from plangate.model.values import UNKNOWN
from tests.unit.parsers.test_azure_template import ACCOUNT, a_template, an_account, read

pytestmark = pytest.mark.skipif(
    "azurerm_storage_account" not in ADAPTERS, reason="there are no adapters for Azure yet"
)

GROUP = "Microsoft.Network/networkSecurityGroups"
UNSURE = "[reference('x').y]"


def facts(*resources: Any, **more: Any) -> Mapping[str, Any]:
    """Facts of the first resource."""
    plan = plan_with_facts(read(a_template(*resources, **more)))
    assert not any(ADAPTER_ERROR in r.facts for r in plan.resources)
    return plan.resources[0].facts


def of(native_type: str, name: str = "x", **properties: Any) -> dict[str, Any]:
    return {"type": native_type, "name": name, "properties": properties}


def a_rule(**more: Any) -> dict[str, Any]:
    return {
        "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourcePortRange": "*",
        "destinationPortRange": "3389", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("properties", "fact", "value"),
    [
        ({"allowBlobPublicAccess": False}, "public_access_blocked", True),
        ({"allowBlobPublicAccess": True}, "public_access_blocked", False),
        ({}, "public_access_blocked", False),
        ({"allowBlobPublicAccess": UNSURE}, "public_access_blocked", UNKNOWN),
        ({"publicNetworkAccess": "Disabled"}, "public_access_blocked", True),
        ({"encryption": {"keySource": "Microsoft.Keyvault"}}, "encryption", "azure:key-vault"),
        ({"encryption": {"keySource": UNSURE}}, "encryption", UNKNOWN),
        ({}, "versioned", UNKNOWN),
    ],
)
def test_a_storage_account(properties: dict[str, Any], fact: str, value: Any) -> None:
    assert facts(an_account(properties=properties))[fact] == value


@pytest.mark.parametrize(
    ("access", "value"), [("Blob", True), ("None", False), (None, False), (UNSURE, UNKNOWN)]
)
def test_a_container_opens_its_account(access: Any, value: Any) -> None:
    container = of(f"{ACCOUNT}/blobServices/containers", "a/default/c", publicAccess=access)
    assert facts(an_account(properties={"allowBlobPublicAccess": True}), container)["public_acl"] == value


def test_rules_of_a_group_are_found_where_they_are_written() -> None:
    inner = {"name": "rdp", "properties": a_rule()}
    found = facts(
        of(GROUP, "g", securityRules=[inner]),
        of(f"{GROUP}/securityRules", "g/ssh", **a_rule(destinationPortRange="22", priority=200)),
    )
    assert [(e["address"], e["from_port"], e["any_source"]) for e in found["ingress"]] == [
        (f"{GROUP}/g", 3389, True),
        (f"{GROUP}/securityRules/g/ssh", 22, True),
    ]
    assert found["ingress"][0]["path"] == "/properties/securityRules/0/properties/sourceAddressPrefix"


def test_rules_that_are_not_known_leave_the_group_unknown() -> None:
    assert facts(of(GROUP, "g", securityRules=UNSURE))["ingress"] is UNKNOWN


def test_a_machine_has_a_public_address_through_its_interface() -> None:
    def machine(address: Any) -> Any:
        interface = "Microsoft.Network/networkInterfaces"
        return facts(
            of(
                "Microsoft.Compute/virtualMachines",
                networkProfile={"networkInterfaces": [{"id": f"[resourceId('{interface}', 'n')]"}]},
            ),
            of(interface, "n", ipConfigurations=[{"properties": address}]),
            of("Microsoft.Network/publicIPAddresses", "p"),
        )["public_ip"]

    public = "[resourceId('Microsoft.Network/publicIPAddresses', 'p')]"
    assert machine({"publicIPAddress": {"id": public}}) is True
    assert machine({}) is False
    made = of("Microsoft.Compute/virtualMachines", networkProfile={"networkInterfaceConfigurations": [{}]})
    assert facts(made)["public_ip"] is UNKNOWN


@pytest.mark.parametrize(
    ("native_type", "properties", "value"),
    [
        ("Microsoft.Sql/servers", {}, True),
        ("Microsoft.Sql/servers", {"publicNetworkAccess": "Disabled"}, False),
        ("Microsoft.DBforPostgreSQL/servers", {"publicNetworkAccess": UNSURE}, UNKNOWN),
        ("Microsoft.DBforMySQL/servers", {"publicNetworkAccess": "SecuredByPerimeter"}, UNKNOWN),
        (
            "Microsoft.DBforPostgreSQL/flexibleServers",
            {"network": {"publicNetworkAccess": "Disabled"}},
            False,
        ),
        ("Microsoft.DBforPostgreSQL/flexibleServers", {}, True),
        ("Microsoft.DocumentDB/databaseAccounts", {"publicNetworkAccess": "disabled"}, False),
    ],
)
def test_a_database_says_who_reaches_it(native_type: str, properties: dict[str, Any], value: Any) -> None:
    assert facts(of(native_type, **properties))["public"] == value


def test_what_switches_encryption_off_is_a_database_without_it() -> None:
    native_type = "Microsoft.Sql/servers/databases/transparentDataEncryption"
    assert facts(of(native_type, "s/d/current", state="Disabled"))["encrypted"] is False
    assert facts(of(native_type, "s/d/current"))["encrypted"] is UNKNOWN
    assert (
        facts(of("Microsoft.Sql/servers/databases", "s/d"), of("Microsoft.Sql/servers", "s"))["public"]
        is None
    )


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({}, True),
        ({"apiServerAccessProfile": {"enablePrivateCluster": True}}, False),
        ({"apiServerAccessProfile": {"authorizedIPRanges": ["10.0.0.0/8"]}}, False),
        ({"apiServerAccessProfile": UNSURE}, UNKNOWN),
    ],
)
def test_a_cluster_says_who_reaches_it(properties: dict[str, Any], value: Any) -> None:
    assert facts(of("Microsoft.ContainerService/managedClusters", **properties))["public_endpoint"] == value


@pytest.mark.parametrize(
    ("policy", "value"),
    [
        (None, False),
        ({"lifetimeActions": [{"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": "P90D"}}]}, True),
        (
            {"lifetimeActions": [{"action": {"type": "notify"}, "trigger": {"timeBeforeExpiry": "P9D"}}]},
            False,
        ),
        ({"lifetimeActions": UNSURE}, UNKNOWN),
    ],
)
def test_a_key_rotates_when_its_policy_says_so(policy: Any, value: Any) -> None:
    assert facts(of("Microsoft.KeyVault/vaults/keys", "v/k", rotationPolicy=policy))["rotation"] == value


def test_a_resource_of_which_nothing_is_known_has_no_known_facts() -> None:
    template = a_template(
        an_account(condition="[parameters('on')]", properties={"allowBlobPublicAccess": False}),
        parameters={"on": {"type": "bool"}},
    )
    assert plan_with_facts(read(template)).resources[0].facts["public_access_blocked"] is UNKNOWN


def test_names_of_properties_are_read_in_any_case() -> None:
    assert facts(an_account(Properties={"ALLOWBLOBPUBLICACCESS": False}))["public_access_blocked"] is True


def test_a_type_that_is_not_read_has_no_translation() -> None:
    (resource,) = read(a_template(of("Microsoft.Logic/workflows"))).resources
    assert translate(resource) is None
