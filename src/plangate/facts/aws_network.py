"""Networks of AWS: whether what is placed in them gets a public address."""

from typing import Any, Final

from plangate.facts.base import REGISTRY, Adapter, Native, flag
from plangate.facts.links import any_target, is_pointed_at, targets
from plangate.model.values import Tri, any_of

SUBNETS: Final = ("aws_subnet", "aws_default_subnet")


def gives_public_ips(native: Native) -> Tri:
    """Whether a subnet gives public addresses to the network interfaces made in it.

    Source:
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/subnet#map_public_ip_on_launch
    (default ``false``), and for a default subnet
    https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html (default ``true``).
    """
    default = native.resource.type == "aws_default_subnet"
    return flag(native.setting("map_public_ip_on_launch"), default=default)


def any_public_subnet(native: Native, at: str) -> Tri:
    """Whether one of the subnets that a list points at gives public addresses."""
    return any_target(native, targets(native, at, SUBNETS), gives_public_ips)


def has_elastic_address(interface: Native) -> Tri:
    """Whether an elastic address is tied to a network interface of its own, which gets none by itself."""
    return any_of(
        [
            is_pointed_at(interface, "aws_eip", "/network_interface"),
            is_pointed_at(interface, "aws_eip_association", "/network_interface_id"),
        ]
    )


def _subnet(native: Native) -> dict[str, Any]:
    return {"public_ips": gives_public_ips(native)}


def _vpc(native: Native) -> dict[str, Any]:
    return {"default": native.resource.type == "aws_default_vpc"}


ADAPTERS: Final = {
    "aws_vpc": Adapter(kind="network.vpc", adapt=_vpc, docs=REGISTRY + "vpc"),
    "aws_default_vpc": Adapter(kind="network.vpc", adapt=_vpc, docs=REGISTRY + "default_vpc"),
    "aws_subnet": Adapter(kind="network.subnet", adapt=_subnet, docs=REGISTRY + "subnet"),
    "aws_default_subnet": Adapter(kind="network.subnet", adapt=_subnet, docs=REGISTRY + "default_subnet"),
}
