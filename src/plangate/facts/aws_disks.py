"""Disks of AWS: volumes of their own, those of instances, and those that templates describe."""

from typing import Any, Final

from plangate.facts.base import REGISTRY, Adapter, Blocks, Native, Values, blocks_in, flag, has_text
from plangate.facts.links import account_setting
from plangate.model.plan import Action
from plangate.model.values import UNKNOWN, Tri, all_of


def encrypted_by_default(native: Native) -> Tri:
    """Whether the account encrypts every new disk, as far as this plan manages that setting.

    The account's state is not visible in a plan. When nothing in the plan says so, disks count as not
    encrypted, which is what AWS does unless told otherwise.

    Source: https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html
    """
    return account_setting(
        native,
        "aws_ebs_encryption_by_default",
        lambda setting: flag(setting.setting("enabled"), default=True),
    )


def disks_encrypted(native: Native, template: Tri | None) -> Tri:
    """Whether all disks of an instance or launch configuration are encrypted.

    Args:
        native: The instance or launch configuration.
        template: What its launch template says of the disks that it describes; ``None`` when there is none or
            it describes none.

    Source:
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/instance#ebs-ephemeral-and-root-block-devices
    """
    default = encrypted_by_default(native)
    if default is True:
        return True
    root = native.blocks("root_block_device")
    if root is UNKNOWN and native.may_be_unset("root_block_device"):
        root = ()
    if root is UNKNOWN:
        root_disk: Tri = UNKNOWN
    elif root:
        root_disk = _all_encrypted(native, "root_block_device", root, default)
    else:
        # The root disk is there whether it is described or not, and perhaps described by the template.
        root_disk = default if template is None else UNKNOWN
    # Unknown and not described, or not described at all: what the image brings along is not in the plan.
    described = "ebs_block_device" in native.values or native.resource.action is Action.UPDATE
    others = native.blocks("ebs_block_device") if described else UNKNOWN
    other_disks = (
        UNKNOWN if others is UNKNOWN else _all_encrypted(native, "ebs_block_device", others, default)
    )
    # What the template leaves open, the instance may override by device name.
    return all_of([root_disk, other_disks, True if template is None or template is True else UNKNOWN])


def described_disks_encrypted(native: Native) -> Tri | None:
    """Whether all disks that a launch template describes are encrypted; ``None`` when it describes none.

    A template that describes some is taken to describe the root disk among them.

    Source:
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/launch_template#block-devices
    """
    default = encrypted_by_default(native)
    if default is True:
        return True
    mappings = native.blocks("block_device_mappings")
    if mappings is UNKNOWN:
        return UNKNOWN
    described = [
        value for mapping in mappings if (value := _mapping_encrypted(native, mapping, default)) is not None
    ]
    return all_of(described) if described else None


def _mapping_encrypted(native: Native, mapping: Values, default: Tri) -> Tri | None:
    """``None`` for a mapping that makes no disk: an instance store, or a device that is left out."""
    for name in ("virtual_name", "no_device"):
        value: object = mapping.get(name)
        if value is UNKNOWN:
            return UNKNOWN
        if has_text(value):
            return None
    disks = blocks_in(mapping.get("ebs"))
    if disks is UNKNOWN:
        return UNKNOWN
    return _all_encrypted(native, "block_device_mappings", disks or ({},), default, "ebs")


def _all_encrypted(native: Native, name: str, blocks: Blocks, default: Tri, *below: str) -> Tri:
    return all_of(_encrypted(native, name, block, default, *below) for block in blocks)


def _encrypted(native: Native, name: str, block: Values, default: Tri, *below: str) -> Tri:
    value = native.inner(block, name, *below, "encrypted")
    # A disk made from a snapshot is encrypted when the snapshot is, which the plan does not say.
    snapshot = native.inner(block, name, *below, "snapshot_id")
    from_snapshot = snapshot is UNKNOWN or has_text(snapshot)
    return flag(value, default=UNKNOWN if from_snapshot and default is False else default)


def _volume(native: Native) -> dict[str, Any]:
    """A volume of its own.

    Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ebs_volume#encrypted
    """
    default = encrypted_by_default(native)
    snapshot = native.setting("snapshot_id")
    if default is False and (snapshot is UNKNOWN or has_text(snapshot)):
        default = UNKNOWN
    return {"encrypted": True if default is True else flag(native.setting("encrypted"), default=default)}


def _snapshot_copy(native: Native) -> dict[str, Any]:
    """A copy of a snapshot keeps the encryption of its source unless it asks for it."""
    default = encrypted_by_default(native)
    asked = flag(native.setting("encrypted"), default=UNKNOWN)
    return {"encrypted": True if default is True else asked}


ADAPTERS: Final = {
    "aws_ebs_volume": Adapter(kind="disk.volume", adapt=_volume, docs=REGISTRY + "ebs_volume"),
    "aws_ebs_snapshot_copy": Adapter(
        kind="disk.volume", adapt=_snapshot_copy, docs=REGISTRY + "ebs_snapshot_copy"
    ),
}
