"""Virtual machines of AWS."""

from typing import Any, Final

from plangate.facts.aws_disks import disks_encrypted
from plangate.facts.aws_metadata import tokens_required
from plangate.facts.aws_network import SUBNETS, gives_public_ips, has_elastic_address
from plangate.facts.aws_templates import DEFAULT_SUBNET, Template, template_of
from plangate.facts.base import REGISTRY, Adapter, Native, flag, has_text
from plangate.facts.links import is_pointed_at, read_target, targets
from plangate.model.values import UNKNOWN, Tri, any_of, pointer

_INTERFACE_BLOCKS: Final = ("network_interface", "primary_network_interface")
_EXCLUDES_INTERFACES: Final = ("subnet_id", "vpc_security_group_ids", "security_groups", "private_ip")
"""Attributes that the provider refuses beside ``network_interface`` blocks."""


def _instance(native: Native) -> dict[str, Any]:
    template = template_of(native)
    public, source = _public_ip(native, template)
    return {
        "public_ip": public,
        "public_ip_from": source if public is True else "",
        "metadata_tokens_required": tokens_required(native, template.tokens_required if template else None),
        "disks_encrypted": disks_encrypted(native, template.disks_encrypted if template else None),
    }


def _public_ip(native: Native, template: Template | None) -> tuple[Tri, str]:
    """Whether the machine has a public address, and from where."""
    tied = any_of(
        [
            is_pointed_at(native, "aws_eip", "/instance"),
            is_pointed_at(native, "aws_eip_association", "/instance_id"),
        ]
    )
    given, source = _address_on_launch(native, template)
    return any_of([given, tied]), source if given is True else "an elastic address is tied to it"


def _address_on_launch(  # noqa: PLR0911 - one return a step, in the order in which AWS decides
    native: Native, template: Template | None
) -> tuple[Tri, str]:
    """Whether the instance gets an address when it starts, and from where if it does.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html
    """
    # 1. It says so itself (of an existing instance, the provider has read this from the cloud).
    asked = native.setting("associate_public_ip_address")
    if asked is not None:
        return flag(asked, default=False), "it asks for one"
    if has_text(native.values.get("public_ip")):
        return True, "it has one already"
    # 2. Network interfaces made beforehand get no address by themselves, only an elastic one.
    interfaces = _interfaces(native)
    if interfaces is not None:
        return interfaces, "an elastic address is tied to its network interface"
    # 3. Its template says so.
    if template is not None and template.public_ip is not None:
        return template.public_ip, "its template asks for one"
    # 4. Its subnet does as it does for all. Without one it starts in the default VPC, whose subnets give addresses.
    subnet = native.setting("subnet_id")
    if subnet is not None and subnet != "":
        given: Tri = read_target(native, targets(native, "/subnet_id", SUBNETS), gives_public_ips)
        return given, "its subnet gives them"
    if template is not None and template.subnet_public is not None:
        return template.subnet_public, "the subnet that its template names gives them"
    return True, DEFAULT_SUBNET


def _interfaces(native: Native) -> Tri | None:
    """Whether one of the instance's ready-made interfaces has a public address; ``None`` when it has no such."""
    found: list[Tri] = []
    for name in _INTERFACE_BLOCKS:
        blocks = native.blocks(name)
        if blocks is UNKNOWN:
            if native.may_be_unset(name) and (
                _excludes_interfaces(native) or native.setting("subnet_id") is None
            ):
                continue
            return UNKNOWN
        for index in range(len(blocks)):
            at = pointer(name, index, "network_interface_id")
            found.append(
                read_target(native, targets(native, at, ("aws_network_interface",)), has_elastic_address)
            )
    return any_of(found) if found else None


def _excludes_interfaces(native: Native) -> bool:
    configured = native.resource.configured or frozenset()
    return any(name in configured for name in _EXCLUDES_INTERFACES)


ADAPTERS: Final = {
    "aws_instance": Adapter(kind="compute.instance", adapt=_instance, docs=REGISTRY + "instance"),
    "aws_spot_instance_request": Adapter(
        kind="compute.instance", adapt=_instance, docs=REGISTRY + "spot_instance_request"
    ),
}
