"""Disks are encrypted."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.rules.base import NO_SETTINGS, Rule, Settings, Verdict, must_be


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    volume = resource.kind == "disk.volume"
    return must_be(
        resource,
        "encrypted" if volume else "disks_encrypted",
        wanted=True,
        no="it is not encrypted"
        if volume
        else "a disk of it is not encrypted; one that is not described, such as the root disk, counts as "
        "such",
        unsure="whether it is encrypted is known only after apply"
        if volume
        else "whether all its disks are encrypted, also those that its image brings along, is known only "
        "after apply",
        none="its template says it, and is judged itself",
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="volume-encrypted",
        title="Disks are encrypted",
        description="Volumes, and the disks that instances and templates make, are encrypted at rest.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("disk.volume", "compute.instance", "compute.template", "compute.group"),
        remediation="Set encrypted to true on the volume, in root_block_device and in every "
        "ebs_block_device.",
        frameworks=(("cis-aws-3.0", ("2.2.1",)), ("aws-fsbp-1.0", ("EC2.3",))),
    ),
    judge=_judge,
    rationale="A disk keeps what is written to it in snapshots and copies that others can be given. "
    "Whether AWS encrypts new disks by itself is a setting of the account and region that a plan does not "
    "show: a disk that says nothing counts as not encrypted unless this plan manages that setting. Google and "
    "Azure encrypt every disk, save one of Azure that lies on the host without encryption at host.",
    bad="""
resource "aws_ebs_volume" "data" {
  availability_zone = "eu-central-1a"
  size              = 100
}
""",
    good="""
resource "aws_ebs_volume" "data" {
  availability_zone = "eu-central-1a"
  size              = 100
  encrypted         = true
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ebs_volume#encrypted",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/instance#ebs-ephemeral-and-root-block-devices",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ebs_encryption_by_default",
        "https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html",
        "https://learn.microsoft.com/azure/virtual-machines/disk-encryption-overview",
        "https://cloud.google.com/compute/docs/disks/disk-encryption",
    ),
    settings_schema=NO_SETTINGS,
)
