"""Resources of Azure templates as Terraform's provider for Azure would have them.

Only what adapters read is turned over. What a template says in a resource inside of another one, and Terraform in
the outer one, is `UNKNOWN` there, because it may be said in another template as well.

Source: https://learn.microsoft.com/azure/templates/
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from plangate.facts.base import Raw, Translated
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN, AllUnknown, pointer, pointer_tokens

_RULE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "priority": "priority",
        "direction": "direction",
        "access": "access",
        "protocol": "protocol",
        "source_port_range": "sourcePortRange",
        "source_port_ranges": "sourcePortRanges",
        "destination_port_range": "destinationPortRange",
        "destination_port_ranges": "destinationPortRanges",
        "source_address_prefix": "sourceAddressPrefix",
        "source_address_prefixes": "sourceAddressPrefixes",
        "destination_address_prefix": "destinationAddressPrefix",
        "destination_address_prefixes": "destinationAddressPrefixes",
        "source_application_security_group_ids": "sourceApplicationSecurityGroups",
        "destination_application_security_group_ids": "destinationApplicationSecurityGroups",
    }
)
"""Attributes of a rule, each with the property of the template."""

Convert = Callable[[Raw, Resource], dict[str, Any]]
"""Values of a resource in a template → attributes; what is not set is left out."""


class _Type(Struct, frozen=True, kw_only=True):
    """How one type is turned over.

    Attributes:
        name: Terraform's type.
        convert: Makes the attributes, beside name, location and tags.
        moved: JSON Pointer in the template, without indexes → in Terraform, for what refers to others.
    """

    name: str
    convert: Convert = lambda _values, _resource: {}
    moved: Mapping[str, str] = field(default_factory=dict)


def translate(resource: Resource) -> Translated | None:
    """A resource of a template as it is to the Terraform provider; ``None`` for a type that is not read."""
    known = _TYPES.get(resource.type.lower())
    if known is None:
        return None
    if isinstance(resource.planned, AllUnknown):
        return Translated(resource=replace(resource, type=known.name))
    values: Raw = resource.planned
    planned = {name: values[name] for name in ("location", "tags") if name in values}
    planned["name"] = _last(values.get("name"))
    planned["resource_group_name"] = _place(resource)
    planned |= {name: value for name, value in known.convert(values, resource).items() if value is not None}
    return Translated(
        resource=replace(
            resource,
            type=known.name,
            planned=planned,
            after={},
            references=tuple(
                replace(reference, at=at)
                for reference in resource.references
                if (at := known.moved.get(reference.at)) is not None
            ),
            unresolved=tuple(
                sorted(at for path in resource.unresolved if (at := known.moved.get(path)) is not None)
            ),
            configured=frozenset(planned),
        ),
        path_of=_written_at,
    )


def _written_at(path: str) -> str:
    """The way back for the rules of a group, which are the only places that are shown."""
    tokens = pointer_tokens(path)
    if tokens and tokens[0] == "security_rule":
        found = ["properties", "securityRules", *tokens[1:2]]
        return pointer(*found, *(("properties", _RULE.get(tokens[2], tokens[2])) if len(tokens) > 2 else ()))  # noqa: PLR2004
    if tokens and tokens[0] in _RULE:
        return pointer("properties", _RULE[tokens[0]])
    return path


def _get(value: Raw, *keys: str) -> Raw:
    """A member of nested objects, whose names Azure reads in any case; ``None`` where something is missing."""
    for key in keys:
        if value is None or value is UNKNOWN:
            return value
        if not isinstance(value, Mapping):
            return UNKNOWN
        value = (
            value[key]
            if key in value
            else next((item for name, item in value.items() if name.lower() == key.lower()), None)
        )
    return value


def _place(resource: Resource) -> str:
    """What stands for the resource group: the template, whose resources go to one."""
    return resource.address.removesuffix(f"{resource.type}/{resource.name}")


def _last(name: Raw) -> Raw:
    """A resource's own name, without those around it."""
    return name.rpartition("/")[2] if isinstance(name, str) else UNKNOWN


def _outer(values: Raw, up: int = 1) -> Raw:
    """The name of the resource that this one is inside of, so many levels up."""
    name = values.get("name")
    parts = name.split("/") if isinstance(name, str) else []
    return parts[-1 - up] if len(parts) > up else UNKNOWN


def _is(value: Raw, word: str) -> Raw:
    """Whether text is a word, in any case; ``None`` when it is not set."""
    if value is None or value is UNKNOWN:
        return value
    return value.lower() == word if isinstance(value, str) else UNKNOWN


def _open(values: Raw, *way: str) -> Raw:
    """``publicNetworkAccess`` as a flag."""
    word = _get(values, "properties", *way, "publicNetworkAccess")
    if word is None or word is UNKNOWN:
        return word
    known = {"enabled": True, "disabled": False}
    return known.get(word.lower(), UNKNOWN) if isinstance(word, str) else UNKNOWN


def _block_if(flag: Raw) -> Raw:
    """A block that is there or not."""
    return UNKNOWN if flag is UNKNOWN else [{}] if flag else []


def _listed(value: Raw, read: Callable[[Raw], Raw]) -> Raw:
    if value is None:
        return []
    return [read(item) for item in value] if isinstance(value, list | tuple) else UNKNOWN


def _account(values: Raw, _resource: Resource) -> dict[str, Any]:
    return {
        "allow_nested_items_to_be_public": _get(values, "properties", "allowBlobPublicAccess"),
        "public_network_access_enabled": _open(values),
        "customer_managed_key": _block_if(
            _is(_get(values, "properties", "encryption", "keySource"), "microsoft.keyvault")
        ),
        # Said in a resource inside of the account.
        "blob_properties": UNKNOWN,
    }


def _container(values: Raw, _resource: Resource) -> dict[str, Any]:
    access = _get(values, "properties", "publicAccess")
    return {
        "storage_account_name": _outer(values, 2),
        "container_access_type": "private"
        if access is None or _is(access, "none") is True
        else access.lower()
        if isinstance(access, str)
        else UNKNOWN,
    }


def _rule(properties: Raw) -> dict[str, Any]:
    return {name: value for name, key in _RULE.items() if (value := _get(properties, key)) is not None}


def _group(values: Raw, _resource: Resource) -> dict[str, Any]:
    rules = _get(values, "properties", "securityRules")
    return {"security_rule": _listed(rules, _inner_rule)}


def _inner_rule(item: Raw) -> Raw:
    return UNKNOWN if item is UNKNOWN else {"name": _get(item, "name"), **_rule(_get(item, "properties"))}


def _own_rule(values: Raw, _resource: Resource) -> dict[str, Any]:
    return {"network_security_group_name": _outer(values), **_rule(_get(values, "properties"))}


def _interface(values: Raw, _resource: Resource) -> dict[str, Any]:
    def configuration(item: Raw) -> Raw:
        address = _get(item, "properties", "publicIPAddress")
        name = _get(address, "id")
        # An address that is written out instead of referred to is one all the same.
        return {"public_ip_address_id": UNKNOWN if name is None and address is not None else name}

    return {"ip_configuration": _listed(_get(values, "properties", "ipConfigurations"), configuration)}


def _machine(values: Raw, _resource: Resource) -> dict[str, Any]:
    profile = _get(values, "properties", "networkProfile")
    interfaces = _listed(_get(profile, "networkInterfaces"), lambda item: _get(item, "id"))
    made = _get(profile, "networkInterfaceConfigurations")
    disk = _get(values, "properties", "storageProfile", "osDisk")
    local = _get(disk, "diffDiskSettings")
    return {
        # Interfaces that the machine makes itself are not looked at.
        "network_interface_ids": interfaces if made is None else UNKNOWN,
        "encryption_at_host_enabled": _get(values, "properties", "securityProfile", "encryptionAtHost"),
        "os_disk": [{"diff_disk_settings": local if local is UNKNOWN else _block_if(local is not None)}],
    }


def _server(values: Raw, _resource: Resource) -> dict[str, Any]:
    return {"public_network_access_enabled": _open(values)}


def _database(values: Raw, _resource: Resource) -> dict[str, Any]:
    return {"server_id": _outer(values)}


def _database_encryption(values: Raw, _resource: Resource) -> dict[str, Any]:
    """What switches the encryption of a database off is judged like one that is not encrypted."""
    state = _get(values, "properties", "state")
    state = _get(values, "properties", "status") if state is None else state
    return {
        "server_id": _outer(values, 2),
        "transparent_data_encryption_enabled": UNKNOWN if state is None else _is(state, "enabled"),
    }


def _flexible(values: Raw, _resource: Resource) -> dict[str, Any]:
    subnet = _get(values, "properties", "network", "delegatedSubnetResourceId")
    return {
        "public_network_access_enabled": _open(values, "network"),
        "delegated_subnet_id": subnet,
        "source_server_id": _get(values, "properties", "sourceServerResourceId"),
    }


def _cluster(values: Raw, _resource: Resource) -> dict[str, Any]:
    access = _get(values, "properties", "apiServerAccessProfile")
    ranges = _get(access, "authorizedIPRanges")
    return {
        "private_cluster_enabled": _get(access, "enablePrivateCluster"),
        "api_server_access_profile": [{"authorized_ip_ranges": ranges}],
        "key_management_service": _block_if(
            _get(values, "properties", "securityProfile", "azureKeyVaultKms", "enabled")
        ),
    }


def _key(values: Raw, _resource: Resource) -> dict[str, Any]:
    actions = _get(values, "properties", "rotationPolicy", "lifetimeActions")
    if actions is None:
        return {"rotation_policy": []}
    if not isinstance(actions, list | tuple):
        return {"rotation_policy": UNKNOWN}
    found: list[Any] = []
    for action in actions:
        rotates = _is(_get(action, "action", "type"), "rotate")
        if rotates is False or rotates is None:
            continue
        trigger = _get(action, "trigger")
        found.append(
            {
                "time_after_creation": UNKNOWN if rotates is UNKNOWN else _get(trigger, "timeAfterCreate"),
                "time_before_expiry": UNKNOWN if rotates is UNKNOWN else _get(trigger, "timeBeforeExpiry"),
            }
        )
    return {"rotation_policy": [{"automatic": found}]}


def _cache(values: Raw, _resource: Resource) -> dict[str, Any]:
    return {
        "family": _get(values, "properties", "sku", "family"),
        "capacity": _get(values, "properties", "sku", "capacity"),
        "subnet_id": _get(values, "properties", "subnetId"),
        "public_network_access_enabled": _open(values),
    }


def _workspace(values: Raw, _resource: Resource) -> dict[str, Any]:
    return {"retention_in_days": _get(values, "properties", "retentionInDays")}


_SUBNET: Final = {"/properties/network/delegatedSubnetResourceId": "/delegated_subnet_id"}
_TYPES: Final[Mapping[str, _Type]] = MappingProxyType(
    {
        "microsoft.cache/redis": _Type(
            name="azurerm_redis_cache", convert=_cache, moved={"/properties/subnetId": "/subnet_id"}
        ),
        "microsoft.compute/disks": _Type(name="azurerm_managed_disk"),
        "microsoft.compute/virtualmachines": _Type(
            name="azurerm_virtual_machine",
            convert=_machine,
            moved={"/properties/networkProfile/networkInterfaces/id": "/network_interface_ids"},
        ),
        "microsoft.containerregistry/registries": _Type(name="azurerm_container_registry"),
        "microsoft.containerservice/managedclusters": _Type(
            name="azurerm_kubernetes_cluster", convert=_cluster
        ),
        "microsoft.dbformariadb/servers": _Type(name="azurerm_mariadb_server", convert=_server),
        "microsoft.dbformysql/flexibleservers": _Type(
            name="azurerm_mysql_flexible_server", convert=_flexible, moved=_SUBNET
        ),
        "microsoft.dbformysql/servers": _Type(name="azurerm_mysql_server", convert=_server),
        "microsoft.dbforpostgresql/flexibleservers": _Type(
            name="azurerm_postgresql_flexible_server", convert=_flexible, moved=_SUBNET
        ),
        "microsoft.dbforpostgresql/servers": _Type(name="azurerm_postgresql_server", convert=_server),
        "microsoft.documentdb/databaseaccounts": _Type(name="azurerm_cosmosdb_account", convert=_server),
        "microsoft.keyvault/vaults": _Type(name="azurerm_key_vault"),
        "microsoft.keyvault/vaults/keys": _Type(name="azurerm_key_vault_key", convert=_key),
        "microsoft.keyvault/vaults/secrets": _Type(name="azurerm_key_vault_secret"),
        "microsoft.network/networkinterfaces": _Type(
            name="azurerm_network_interface",
            convert=_interface,
            moved={
                "/properties/ipConfigurations/properties/publicIPAddress/id": "/ip_configuration/public_ip_address_id"
            },
        ),
        "microsoft.network/networksecuritygroups": _Type(
            name="azurerm_network_security_group", convert=_group
        ),
        "microsoft.network/networksecuritygroups/securityrules": _Type(
            name="azurerm_network_security_rule", convert=_own_rule
        ),
        "microsoft.network/publicipaddresses": _Type(name="azurerm_public_ip"),
        "microsoft.network/virtualnetworks": _Type(name="azurerm_virtual_network"),
        "microsoft.network/virtualnetworks/subnets": _Type(name="azurerm_subnet"),
        "microsoft.operationalinsights/workspaces": _Type(
            name="azurerm_log_analytics_workspace", convert=_workspace
        ),
        "microsoft.sql/servers": _Type(name="azurerm_mssql_server", convert=_server),
        "microsoft.sql/servers/databases": _Type(name="azurerm_mssql_database", convert=_database),
        "microsoft.sql/servers/databases/transparentdataencryption": _Type(
            name="azurerm_mssql_database", convert=_database_encryption
        ),
        "microsoft.storage/storageaccounts": _Type(name="azurerm_storage_account", convert=_account),
        "microsoft.storage/storageaccounts/blobservices/containers": _Type(
            name="azurerm_storage_container", convert=_container
        ),
    }
)
