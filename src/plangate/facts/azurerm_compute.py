"""Virtual machines and scale sets of Azure, and their disks."""

from typing import Any, Final

from plangate.facts.base import AZURE, Adapter, Native, Raw, Values, blocks_in, flag
from plangate.facts.links import any_target, points_somewhere, targets
from plangate.model.values import UNKNOWN, Tri, any_of, pointer

_PUBLIC_ADDRESSES: Final = ("azurerm_public_ip", "azurerm_public_ip_prefix")
_FROM_INTERFACE: Final = "a public address is tied to its network interface"
_FROM_SET: Final = "its network interfaces ask for one"

METADATA_NEEDS_HEADER: Final = True
"""Azure has no session tokens, but its metadata service answers only to requests with the header ``Metadata: true``
and without ``X-Forwarded-For``, which a forged request or a proxy does not send. It cannot be set otherwise.

Source: https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#security-and-authentication
"""


def _machine(native: Native) -> dict[str, Any]:
    public = any_target(
        native, targets(native, "/network_interface_ids", ("azurerm_network_interface",)), has_public_address
    )
    return _facts(native, public, _FROM_INTERFACE)


def _facts(native: Native, public: Tri, source: str) -> dict[str, Any]:
    return {
        "public_ip": public,
        "public_ip_from": source if public is True else "",
        "metadata_tokens_required": METADATA_NEEDS_HEADER,
        "disks_encrypted": _disks_encrypted(native),
    }


def has_public_address(interface: Native) -> Tri:
    """Whether a network interface has a public address. It has none by itself.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/network_interface
    """
    blocks = interface.blocks("ip_configuration")
    if blocks is UNKNOWN:
        return UNKNOWN
    return any_of(
        points_somewhere(
            interface,
            pointer("ip_configuration", *_place(interface, index), "public_ip_address_id"),
            _PUBLIC_ADDRESSES,
        )
        for index in range(len(blocks))
    )


def _place(native: Native, index: int) -> tuple[int, ...]:
    """The index of a block, unless it is written as one object."""
    return (index,) if isinstance(native.values.get("ip_configuration"), list | tuple) else ()


def _disks_encrypted(native: Native) -> Tri:
    """Whether all disks are encrypted. Storage is, always; an OS disk on the host itself only with the host's help.

    Temporary disks, which no snapshot reaches, are not counted.

    Source: https://learn.microsoft.com/azure/virtual-machines/disk-encryption-overview and
    https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks
    """
    at_host = flag(native.setting("encryption_at_host_enabled"), default=False)
    return any_of([at_host, _lies_in_storage(native.values)])


def _lies_in_storage(values: Values) -> Tri:
    """Whether the OS disk is kept in storage, as opposed to on the host."""
    disks = blocks_in(values.get("os_disk"))
    if disks is UNKNOWN:
        return UNKNOWN
    for disk in disks:
        local = blocks_in(disk.get("diff_disk_settings"))
        if local is UNKNOWN:
            return UNKNOWN
        if local:
            return False
    return True


def _scale_set(native: Native) -> dict[str, Any]:
    """A group of machines; its network interfaces are blocks of its own.

    Source:
    https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/linux_virtual_machine_scale_set
    """
    public = _interfaces_ask(native.values.get("network_interface"), "public_ip_address")
    return _facts(native, public, _FROM_SET)


def _old_scale_set(native: Native) -> dict[str, Any]:
    """Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/virtual_machine_scale_set."""
    public = _interfaces_ask(native.values.get("network_profile"), "public_ip_address_configuration")
    return _facts(native, public, _FROM_SET)


def _interfaces_ask(interfaces: Raw, name: str) -> Tri:
    """Whether one of the interface blocks has a configuration that asks for a public address."""
    blocks = blocks_in(interfaces)
    if blocks is UNKNOWN:
        return UNKNOWN
    found: list[Tri] = []
    for block in blocks:
        configurations = blocks_in(block.get("ip_configuration"))
        if configurations is UNKNOWN:
            found.append(UNKNOWN)
            continue
        asked = [blocks_in(configuration.get(name)) for configuration in configurations]
        found += (UNKNOWN if each is UNKNOWN else len(each) > 0 for each in asked)
    return any_of(found)


def _disk(_native: Native) -> dict[str, Any]:
    """Every managed disk is encrypted, with keys of Azure unless told otherwise, and that cannot be switched off.

    Source: https://learn.microsoft.com/azure/virtual-machines/disk-encryption
    """
    return {"encrypted": True}


ADAPTERS: Final = {
    f"azurerm_{page}": Adapter(kind=kind, adapt=adapt, docs=AZURE + page)
    for page, kind, adapt in (
        ("linux_virtual_machine", "compute.instance", _machine),
        ("windows_virtual_machine", "compute.instance", _machine),
        ("virtual_machine", "compute.instance", _machine),
        ("linux_virtual_machine_scale_set", "compute.group", _scale_set),
        ("windows_virtual_machine_scale_set", "compute.group", _scale_set),
        ("orchestrated_virtual_machine_scale_set", "compute.group", _scale_set),
        ("virtual_machine_scale_set", "compute.group", _old_scale_set),
        ("managed_disk", "disk.volume", _disk),
    )
}
