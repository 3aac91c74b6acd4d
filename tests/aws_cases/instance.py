"""Instances."""

import base64
import json
from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case
from tests.aws_cases.network import OWNER, RETAGGED, image, new_group, new_subnet, new_vpc

_USER_DATA: Final = base64.b64encode(b"#!/bin/sh\necho hello\n").decode()


def new_profile(aws: Aws, name: str) -> str:
    """An instance profile's name, with a role in it."""
    iam = aws.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return name


def _web(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    new_profile(aws, "other")
    return {
        "ImageId": image(aws),
        "InstanceType": "t3.micro",
        "SubnetId": new_subnet(aws, vpc),
        "SecurityGroupIds": [new_group(aws, vpc)],
        "IamInstanceProfile": new_profile(aws, "web"),
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": "1"},
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/sdh", "Ebs": {"VolumeSize": "20", "Encrypted": "true", "VolumeType": "gp3"}}
        ],
        "UserData": _USER_DATA,
        "DisableApiTermination": False,
        "Tags": OWNER,
    }


def _inside(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    return {
        "ImageId": image(aws),
        "InstanceType": "t3.micro",
        "NetworkInterfaces": [
            {
                "DeviceIndex": "0",
                "SubnetId": new_subnet(aws, vpc),
                "GroupSet": [new_group(aws, vpc)],
                "AssociatePublicIpAddress": False,
            }
        ],
    }


def _from_template(aws: Aws) -> dict[str, Any]:
    made = aws.client("ec2").create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": image(aws), "InstanceType": "t3.micro"}
    )
    template = {"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"}
    return {"LaunchTemplate": template, "SubnetId": new_subnet(aws, new_vpc(aws))}


CASES: Final = (
    Case(
        type="AWS::EC2::Instance",
        name="web",
        prepare=_web,
        changes=(
            {"MetadataOptions": {"HttpTokens": "optional", "HttpPutResponseHopLimit": 2}},
            {"IamInstanceProfile": "other"},
            {"SourceDestCheck": False},
            {"SourceDestCheck": None},
            {"DisableApiTermination": True},
            {"DisableApiTermination": False},
            *RETAGGED,
        ),
        many_calls=6,
        absent=("i-0123456789abcdef0",),
    ),
    Case(type="AWS::EC2::Instance", name="in a private subnet", prepare=_inside, many_calls=6),
    Case(type="AWS::EC2::Instance", name="from a launch template", prepare=_from_template, many_calls=6),
)
