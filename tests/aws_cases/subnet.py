"""Subnets."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case
from tests.aws_cases.network import OWNER, RETAGGED, new_vpc


def _subnet(aws: Aws) -> dict[str, Any]:
    return {
        "VpcId": new_vpc(aws),
        "CidrBlock": "10.0.3.7/24",
        "AvailabilityZone": "eu-central-1b",
        "MapPublicIpOnLaunch": "true",
        "Tags": OWNER,
    }


CASES: Final = (
    Case(
        type="AWS::EC2::Subnet",
        prepare=_subnet,
        changes=({"MapPublicIpOnLaunch": None}, {"AssignIpv6AddressOnCreation": True}, *RETAGGED),
        absent=("subnet-0123456789abcdef0",),
    ),
)
