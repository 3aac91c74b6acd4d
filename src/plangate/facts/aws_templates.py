"""Launch templates, launch configurations and the groups that start instances from them."""

from typing import Any, Final

from msgspec import Struct

from plangate.facts.aws_disks import described_disks_encrypted, disks_encrypted, encrypted_by_default
from plangate.facts.aws_metadata import own_tokens_required, tokens_required
from plangate.facts.aws_network import any_public_subnet, has_elastic_address
from plangate.facts.base import REGISTRY, Adapter, Native, Raw, agreed, flag, native_of
from plangate.facts.links import any_target, targets
from plangate.model.plan import Action
from plangate.model.values import UNKNOWN, Tri, any_of, pointer


class Template(Struct, frozen=True, kw_only=True):
    """What a template says of the instances made from it; ``None`` for what it leaves open.

    Attributes:
        public_ip: They get a public address.
        subnet_public: The subnet that it names gives public addresses.
        tokens_required: Their metadata service asks for tokens.
        disks_encrypted: All disks that it describes are encrypted.
    """

    public_ip: Tri | None = None
    subnet_public: Tri | None = None
    tokens_required: Tri | None = None
    disks_encrypted: Tri | None = None


DEFAULT_SUBNET: Final = "it names no subnet, and default subnets give them"
"""Why a machine without a subnet gets a public address."""

OUT_OF_SIGHT: Final = Template(
    public_ip=UNKNOWN, subnet_public=UNKNOWN, tokens_required=UNKNOWN, disks_encrypted=UNKNOWN
)
"""A template that is not in the plan, or whose version may be another one."""


def template_of(native: Native, *path: str) -> Template | None:
    """The launch template of an instance or group; ``None`` without one.

    Args:
        native: The instance or group.
        path: Names of the blocks down to the one that names the template, ``launch_template`` when left out.
    """
    names = path or ("launch_template",)
    block: Raw = native.values
    tokens: list[str | int] = []
    for name in names:
        listed = block.get(name)
        if listed is UNKNOWN:
            # A group's unknown block that nobody wrote is only computed; `dynamic` with one is refused by the
            # provider.
            return OUT_OF_SIGHT
        if not listed:
            return None
        block = listed[0] if isinstance(listed, list | tuple) else listed
        if not hasattr(block, "get"):
            return OUT_OF_SIGHT
        tokens += [name, 0] if isinstance(listed, list | tuple) else [name]
    at = pointer(*tokens, _naming_attribute(native, block, names))
    links = targets(native, at, ("aws_launch_template",))
    if links.outside or len(links.all) != 1:
        return OUT_OF_SIGHT
    template = native_of(links.all[0], native.graph)
    version = block.get("version")
    latest = (
        template.resource.action is Action.CREATE or version == "$Latest" or _is_newest(template, version)
    )
    return _read(template) if latest else OUT_OF_SIGHT


def _is_newest(template: Native, version: Raw) -> bool:
    """Whether a version is the one that a template, which stays as it is, is described with."""
    newest = template.values.get("latest_version")
    stays = template.resource.action is Action.NO_OP
    if not stays or version in (None, UNKNOWN) or newest in (None, UNKNOWN):
        return False
    return str(version) == str(newest)


def _naming_attribute(native: Native, block: Raw, names: tuple[str, ...]) -> str:
    """The attribute of a block that names its launch template."""
    # Source has the one that is written; in a plan the other one is there, too.
    is_short = "id" in block or "name" in block
    by_id, by_name = ("id", "name") if is_short else ("launch_template_id", "launch_template_name")
    value = native.inner(block, *names, by_id)
    # A group that names its template by name may have the text "unknown" for the id that it does not know yet.
    given = value is UNKNOWN or (isinstance(value, str) and value.startswith("lt-"))
    return by_id if given else by_name


def _read(template: Native) -> Template:
    return Template(
        public_ip=_interface_address(template),
        subnet_public=_interface_subnet(template),
        tokens_required=own_tokens_required(template),
        disks_encrypted=described_disks_encrypted(template),
    )


def _interface_address(template: Native) -> Tri | None:
    """Whether a network interface of the template gets a public address.

    Source:
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/launch_template#network-interfaces
    """
    blocks = template.blocks("network_interfaces")
    if blocks is UNKNOWN:
        return UNKNOWN
    found: list[Tri] = []
    for index, block in enumerate(blocks):
        asked = block.get("associate_public_ip_address")
        if asked not in (None, ""):
            found.append(flag(asked, default=UNKNOWN))
        elif block.get("network_interface_id") not in (None, ""):
            at = pointer("network_interfaces", index, "network_interface_id")
            found.append(
                any_target(template, targets(template, at, ("aws_network_interface",)), has_elastic_address)
            )
    return any_of(found) if found else None


def _interface_subnet(template: Native) -> Tri | None:
    blocks = template.blocks("network_interfaces")
    if blocks is UNKNOWN:
        return UNKNOWN
    found = [
        any_public_subnet(template, pointer("network_interfaces", index, "subnet_id"))
        for index, block in enumerate(blocks)
        if block.get("subnet_id") not in (None, "")
    ]
    return any_of(found) if found else None


def _launch_template(native: Native) -> dict[str, Any]:
    described = described_disks_encrypted(native)
    address = _interface_address(native)
    subnet = _interface_subnet(native)
    return {
        "public_ip": subnet if address is None else address,
        "public_ip_from": "it asks for one"
        if address is True
        else "its subnet gives them"
        if subnet is True
        else "",
        "metadata_tokens_required": tokens_required(native),
        # Without a description the root disk follows the image, which is not encrypted by default.
        "disks_encrypted": encrypted_by_default(native) if described is None else described,
    }


def _launch_configuration(native: Native) -> dict[str, Any]:
    public = _asked(native)
    return {
        "public_ip": public,
        "public_ip_from": "it asks for one" if public is True else "",
        "metadata_tokens_required": tokens_required(native),
        "disks_encrypted": disks_encrypted(native, None),
    }


def _asked(configuration: Native) -> Tri | None:
    asked = configuration.setting("associate_public_ip_address")
    return None if asked is None else flag(asked, default=False)


def _group(native: Native) -> dict[str, Any]:
    """A group's instances are as its template says; where that is silent, the subnets decide.

    Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/autoscaling_group
    """
    template = _template_of_group(native)
    seen = template is not OUT_OF_SIGHT
    public, source = _group_public_ip(native, template)
    return {
        "public_ip": public,
        "public_ip_from": source if public is True else "",
        # What the plan's own template says is judged there.
        "metadata_tokens_required": None if seen else UNKNOWN,
        "disks_encrypted": None if seen else UNKNOWN,
    }


def _group_public_ip(native: Native, template: Template) -> tuple[Tri, str]:
    if template is OUT_OF_SIGHT:
        return UNKNOWN, ""
    if template.public_ip is not None:
        return template.public_ip, "its template asks for one"
    zones = native.setting("vpc_zone_identifier")
    if zones is not None and zones not in ([], ()):
        return any_public_subnet(native, "/vpc_zone_identifier"), "one of its subnets gives them"
    if template.subnet_public is not None:
        return template.subnet_public, "the subnet that its template names gives them"
    # By availability zone alone: the default subnets.
    return True, DEFAULT_SUBNET


def _template_of_group(native: Native) -> Template:
    configuration = native.setting("launch_configuration")
    if configuration not in (None, ""):
        links = targets(native, "/launch_configuration", ("aws_launch_configuration",))
        if links.outside:
            return OUT_OF_SIGHT
        return Template(public_ip=agreed(_asked(native_of(resource, native.graph)) for resource in links.all))
    # The provider takes exactly one of the two; the other one is empty or only computed.
    if native.blocks("mixed_instances_policy") not in (UNKNOWN, ()):
        mixed = template_of(
            native, "mixed_instances_policy", "launch_template", "launch_template_specification"
        )
        return OUT_OF_SIGHT if mixed is None else mixed
    own = template_of(native)
    return OUT_OF_SIGHT if own is None else own


ADAPTERS: Final = {
    "aws_launch_template": Adapter(
        kind="compute.template", adapt=_launch_template, docs=REGISTRY + "launch_template"
    ),
    "aws_launch_configuration": Adapter(
        kind="compute.template", adapt=_launch_configuration, docs=REGISTRY + "launch_configuration"
    ),
    "aws_autoscaling_group": Adapter(kind="compute.group", adapt=_group, docs=REGISTRY + "autoscaling_group"),
}
