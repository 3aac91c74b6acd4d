"""Launch templates."""

import base64
from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case
from tests.aws_cases.network import OWNER, image, new_group, new_vpc

_OWNER: Final = [{"ResourceType": "launch-template", "Tags": OWNER}]


def _web(aws: Aws) -> dict[str, Any]:
    return {
        "LaunchTemplateName": "web",
        "LaunchTemplateData": {
            "ImageId": image(aws),
            "InstanceType": "t3.micro",
            "EbsOptimized": "true",
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": "2"},
            "NetworkInterfaces": [
                {
                    "DeviceIndex": 0,
                    "AssociatePublicIpAddress": False,
                    "Groups": [new_group(aws, new_vpc(aws))],
                }
            ],
            "BlockDeviceMappings": [
                {
                    "DeviceName": "/dev/xvda",
                    "Ebs": {"Encrypted": True, "VolumeSize": "20", "VolumeType": "gp3"},
                }
            ],
            "UserData": base64.b64encode(b"#!/bin/sh\n").decode(),
            "TagSpecifications": [{"ResourceType": "instance", "Tags": OWNER}],
        },
        "TagSpecifications": _OWNER,
    }


def _small(aws: Aws) -> dict[str, Any]:
    return {"LaunchTemplateData": {"ImageId": image(aws)}}


CASES: Final = (
    Case(
        type="AWS::EC2::LaunchTemplate",
        name="web",
        prepare=_web,
        changes=(
            {"LaunchTemplateData": {"InstanceType": "t3.large", "Monitoring": {"Enabled": True}}},
            {"LaunchTemplateData": {"InstanceType": "t3.large"}},
            {"VersionDescription": "second"},
        ),
        many_calls=2,
        absent=("lt-0123456789abcdef0",),
    ),
    Case(type="AWS::EC2::LaunchTemplate", name="without a name", prepare=_small, many_calls=2),
)
