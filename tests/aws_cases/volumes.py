"""Volumes and attachments."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case
from tests.aws_cases.network import OWNER, RETAGGED, new_instance, new_subnet, new_vpc


def _volume(_: Aws) -> dict[str, Any]:
    return {
        "AvailabilityZone": "eu-central-1a",
        "Size": "8",
        "VolumeType": "gp3",
        "Encrypted": "true",
        "Tags": OWNER,
    }


def _attachment(aws: Aws) -> dict[str, Any]:
    instance = new_instance(aws, new_subnet(aws, new_vpc(aws)))
    volume = aws.client("ec2").create_volume(AvailabilityZone="eu-central-1a", Size=8)
    return {"VolumeId": volume["VolumeId"], "InstanceId": instance, "Device": "/dev/sdf"}


CASES: Final = (
    Case(
        type="AWS::EC2::Volume",
        prepare=_volume,
        changes=({"Size": 16}, {"VolumeType": "io1", "Iops": 200}, *RETAGGED),
        many_calls=2,
        absent=("vol-0123456789abcdef0",),
    ),
    Case(
        type="AWS::EC2::VolumeAttachment",
        prepare=_attachment,
        tagged=False,
        absent=("vol-0123456789abcdef0|i-0123456789abcdef0",),
    ),
)
