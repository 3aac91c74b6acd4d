"""Security groups, and rules that are resources of their own."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case
from tests.aws_cases.network import OWNER, RETAGGED, new_group, new_vpc

_WEB: Final = {
    "IpProtocol": "TCP",
    "FromPort": "443",
    "ToPort": 443,
    "CidrIp": "10.1.2.3/16",
    "Description": "tls",
}
_OUT: Final = {"IpProtocol": -1, "CidrIp": "10.0.0.0/8"}


def _named(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    peer = {
        "IpProtocol": "tcp",
        "FromPort": 5432,
        "ToPort": 5432,
        "SourceSecurityGroupId": new_group(aws, vpc),
        "Description": "from the web tier",
    }
    return {
        "GroupName": "web",
        "GroupDescription": "web tier",
        "VpcId": vpc,
        "SecurityGroupIngress": [
            peer,
            _WEB,
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIpv6": "::/0"},
        ],
        "SecurityGroupEgress": [_OUT],
        "Tags": OWNER,
    }


def _plain(aws: Aws) -> dict[str, Any]:
    return {"GroupDescription": "nothing comes in", "VpcId": new_vpc(aws)}


def _ingress(aws: Aws) -> dict[str, Any]:
    return {"GroupId": new_group(aws, new_vpc(aws)), **_WEB}


def _from_group(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    return {
        "GroupId": new_group(aws, vpc),
        "IpProtocol": "-1",
        "FromPort": 0,
        "ToPort": 0,
        "SourceSecurityGroupId": new_group(aws, vpc, "peer"),
        "SourceSecurityGroupOwnerId": "123456789012",
        "Description": "from a peer",
    }


def _egress(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    return {
        "GroupId": new_group(aws, vpc),
        "IpProtocol": "udp",
        "FromPort": 53,
        "ToPort": 53,
        "DestinationSecurityGroupId": new_group(aws, vpc, "peer"),
    }


CASES: Final = (
    Case(
        type="AWS::EC2::SecurityGroup",
        name="with rules",
        prepare=_named,
        changes=(
            {"SecurityGroupIngress": [{**_WEB, "Description": "https"}]},
            {"SecurityGroupIngress": [{**_WEB, "FromPort": 80, "ToPort": 80}, _WEB]},
            {"SecurityGroupEgress": None},
            {"SecurityGroupEgress": []},
            {"SecurityGroupIngress": None},
            *RETAGGED,
        ),
        many_calls=2,
        absent=("sg-0123456789abcdef0",),
    ),
    Case(type="AWS::EC2::SecurityGroup", name="without", prepare=_plain, many_calls=2),
    Case(
        type="AWS::EC2::SecurityGroupIngress",
        name="from addresses",
        prepare=_ingress,
        changes=({"Description": "web"},),
        many_calls=2,
        absent=("sgr-0123456789abcdef0",),
    ),
    Case(type="AWS::EC2::SecurityGroupIngress", name="from a group", prepare=_from_group, many_calls=2),
    Case(
        type="AWS::EC2::SecurityGroupEgress",
        prepare=_egress,
        many_calls=2,
        absent=("sgr-0123456789abcdef0",),
    ),
)
