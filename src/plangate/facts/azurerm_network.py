"""Networks of Azure. No subnet gives public addresses: a network interface has one only when it is given one."""

from typing import Any, Final

from plangate.facts.base import AZURE, Adapter, Native


def _network(_native: Native) -> dict[str, Any]:
    """Azure makes no network by itself.

    Source: https://learn.microsoft.com/azure/virtual-network/virtual-networks-overview
    """
    return {"default": False}


def _subnet(_native: Native) -> dict[str, Any]:
    """Source: https://learn.microsoft.com/azure/virtual-network/ip-services/virtual-network-network-interface-addresses."""
    return {"public_ips": False}


ADAPTERS: Final = {
    "azurerm_virtual_network": Adapter(kind="network.vpc", adapt=_network, docs=AZURE + "virtual_network"),
    "azurerm_subnet": Adapter(kind="network.subnet", adapt=_subnet, docs=AZURE + "subnet"),
}
