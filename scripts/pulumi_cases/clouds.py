"""Previews of what Pulumi's providers for Azure and Google Cloud make, as their Terraform providers would.

Source: https://www.pulumi.com/registry/packages/azure/api-docs/ and https://www.pulumi.com/registry/packages/gcp/api-docs/
"""

from typing import Any, Final

from pulumi_cases.table import LATER, Cases, Out, Row

MACHINE: Final = "azure:compute/linuxVirtualMachine:LinuxVirtualMachine"
INTERFACE: Final = "azure:network/networkInterface:NetworkInterface"
ADDRESS: Final = "azure:network/publicIp:PublicIp"
GROUP: Final = "azure:network/networkSecurityGroup:NetworkSecurityGroup"
ACCOUNT: Final = "azure:storage/account:Account"
CLUSTER: Final = "azure:containerservice/kubernetesCluster:KubernetesCluster"
COMPUTE: Final = "gcp:compute/instance:Instance"
FIREWALL: Final = "gcp:compute/firewall:Firewall"
BUCKET: Final = "gcp:storage/bucket:Bucket"
DATABASE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
KEY: Final = "gcp:kms/cryptoKey:CryptoKey"


def interface(name: str, address: Any) -> Row:
    """A network interface of Azure with this public address."""
    return Row(name, INTERFACE, {"ipConfigurations": [{"name": "main", "publicIpAddressId": address}]})


def opening(source: str) -> dict[str, Any]:
    """A security group of Azure with SSH open from there."""
    rule = {
        "name": "ssh", "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
        "sourcePortRange": "*", "destinationPortRange": "22", "sourceAddressPrefix": source,
        "destinationAddressPrefix": "*",
    }  # fmt: skip
    return {"securityRules": [rule]}


def machine(*access: Any) -> dict[str, Any]:
    """A machine of Google Cloud with these addresses."""
    return {"networkInterfaces": [{"network": "default", "accessConfigs": list(access)}]}


def ssh(*ranges: str) -> dict[str, Any]:
    """A firewall rule of Google Cloud for SSH."""
    return {"network": "main", "sourceRanges": list(ranges), "allows": [{"protocol": "tcp", "ports": ["22"]}]}


def reachable(*, public: Any) -> dict[str, Any]:
    """A database of Google Cloud with an address on the internet, or without one."""
    settings = {"tier": "db-f1-micro", "ipConfiguration": {"ipv4Enabled": public}}
    return {"databaseVersion": "POSTGRES_17", "settings": settings}


CASES: Final[Cases] = {
    "instance_no_public_ip": (
        Row("other-azure-address", ADDRESS, {"allocationMethod": "Static"}),
        interface("other-azure-open", Out("other-azure-address")),
        Row("other-azure-closed", INTERFACE, {"ipConfigurations": [{"name": "main"}]}),
        Row("pass-azure", MACHINE, {"networkInterfaceIds": [Out("other-azure-closed")]}),
        Row("fail-azure", MACHINE, {"networkInterfaceIds": [Out("other-azure-open")]}),
        Row("unknown-azure", MACHINE, {"networkInterfaceIds": LATER}),
        Row("pass-google", COMPUTE, machine()),
        Row("fail-google", COMPUTE, machine({"networkTier": "PREMIUM"})),
    ),
    "ingress_no_open_admin_ports": (
        Row("pass-azure", GROUP, opening("10.0.0.0/8")),
        Row("fail-azure", GROUP, opening("*")),
        Row("unknown-azure", GROUP, opening(LATER)),
        Row("pass-google", FIREWALL, ssh("10.0.0.0/8")),
        Row("fail-google", FIREWALL, ssh("0.0.0.0/0")),
        Row("unknown-google", FIREWALL, ssh(LATER)),
    ),
    "bucket_no_public_access": (
        Row("pass-azure", ACCOUNT, {"allowNestedItemsToBePublic": False}),
        Row("fail-azure", ACCOUNT, {"allowNestedItemsToBePublic": True}),
        Row("pass-google", BUCKET, {"location": "EU", "publicAccessPrevention": "enforced"}),
    ),
    "bucket_versioned": (
        Row("pass-google", BUCKET, {"location": "EU", "versioning": {"enabled": True}}),
        Row("fail-google", BUCKET, {"location": "EU", "versioning": {"enabled": False}}),
    ),
    "database_not_public": (
        Row("pass-google", DATABASE, reachable(public=False)),
        Row("fail-google", DATABASE, reachable(public=True)),
    ),
    "key_rotation": (
        Row("pass-google", KEY, {"name": "data", "rotationPeriod": "7776000s"}),
        Row("fail-google", KEY, {"name": "data"}),
    ),
    "cluster_endpoint_private": (
        Row("pass-azure", CLUSTER, {"privateClusterEnabled": True}),
        Row("fail-azure", CLUSTER, {"privateClusterEnabled": False}),
        Row("unknown-azure", CLUSTER, {"privateClusterEnabled": LATER}),
    ),
}
