"""VPCs."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case


def _vpc(_: Aws) -> dict[str, Any]:
    return {
        "CidrBlock": "10.0.0.0/16",
        "EnableDnsHostnames": True,
        "Tags": [{"Key": "owner", "Value": "web"}],
    }


CASES: Final = (
    Case(
        type="AWS::EC2::VPC",
        prepare=_vpc,
        changes=(
            {"EnableDnsHostnames": None},
            {"Tags": [{"Key": "owner", "Value": "data"}, {"Key": "tier", "Value": "1"}]},
            {"Tags": None},
        ),
        many_calls=3,
        absent=("vpc-0123456789abcdef0",),
    ),
)
