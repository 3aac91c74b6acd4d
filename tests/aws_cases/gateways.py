"""Internet gateways, their attachments, public addresses and NAT gateways."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case
from tests.aws_cases.network import (
    OWNER,
    RETAGGED,
    new_address,
    new_gateway,
    new_instance,
    new_subnet,
    new_vpc,
)


def _tags(_: Aws) -> dict[str, Any]:
    return {"Tags": OWNER}


def _attachment(aws: Aws) -> dict[str, Any]:
    new_gateway(aws, new_vpc(aws))
    return {"InternetGatewayId": new_gateway(aws), "VpcId": new_vpc(aws)}


def _address(aws: Aws) -> dict[str, Any]:
    subnet = new_subnet(aws, new_vpc(aws))
    return {"Domain": "vpc", "InstanceId": new_instance(aws, subnet), "Tags": OWNER}


def _nat(aws: Aws) -> dict[str, Any]:
    return {
        "SubnetId": new_subnet(aws, new_vpc(aws)),
        "AllocationId": new_address(aws),
        "Tags": OWNER,
    }


CASES: Final = (
    Case(
        type="AWS::EC2::InternetGateway",
        prepare=_tags,
        changes=RETAGGED,
        absent=("igw-0123456789abcdef0",),
    ),
    Case(
        type="AWS::EC2::VPCGatewayAttachment",
        prepare=_attachment,
        tagged=False,
        absent=("IGW|vpc-0123456789abcdef0",),
    ),
    Case(
        type="AWS::EC2::EIP",
        name="alone",
        prepare=_tags,
        changes=RETAGGED,
        absent=("203.0.113.7|eipalloc-0123456789abcdef0",),
    ),
    Case(type="AWS::EC2::EIP", name="of an instance", prepare=_address),
    Case(
        type="AWS::EC2::NatGateway",
        prepare=_nat,
        changes=RETAGGED,
        absent=("nat-0123456789abcdef0",),
    ),
)
