"""Route tables, routes, and the subnets that use them."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case
from tests.aws_cases.network import OWNER, RETAGGED, new_gateway, new_nat, new_subnet, new_table, new_vpc


def _table(aws: Aws) -> dict[str, Any]:
    return {"VpcId": new_vpc(aws), "Tags": OWNER}


def _to_gateway(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    return {
        "RouteTableId": new_table(aws, vpc),
        "DestinationCidrBlock": "0.0.0.0/0",
        "GatewayId": new_gateway(aws, vpc),
    }


def _to_nat(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    new_table(aws, vpc)
    return {
        "RouteTableId": new_table(aws, vpc),
        "DestinationCidrBlock": "192.168.7.9/16",
        "NatGatewayId": new_nat(aws, new_subnet(aws, vpc)),
    }


def _association(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    new_table(aws, vpc)
    return {"RouteTableId": new_table(aws, vpc), "SubnetId": new_subnet(aws, vpc)}


CASES: Final = (
    Case(
        type="AWS::EC2::RouteTable",
        prepare=_table,
        changes=RETAGGED,
        absent=("rtb-0123456789abcdef0",),
    ),
    Case(
        type="AWS::EC2::Route",
        name="to the internet",
        prepare=_to_gateway,
        tagged=False,
        absent=("rtb-0123456789abcdef0|0.0.0.0/0",),
    ),
    Case(type="AWS::EC2::Route", name="to a NAT gateway", prepare=_to_nat, tagged=False),
    Case(
        type="AWS::EC2::SubnetRouteTableAssociation",
        prepare=_association,
        tagged=False,
        absent=("rtbassoc-0123456789abcdef0",),
    ),
)
