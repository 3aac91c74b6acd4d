"""Flow logs."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case


def _flow_log(aws: Aws) -> dict[str, Any]:
    aws.client("s3").create_bucket(
        Bucket="shop-logs", CreateBucketConfiguration={"LocationConstraint": aws.place.region}
    )
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return {
        "ResourceId": vpc,
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogDestinationType": "s3",
        "LogDestination": "arn:aws:s3:::shop-logs",
        "MaxAggregationInterval": "60",
        "Tags": [{"Key": "owner", "Value": "web"}],
    }


CASES: Final = (
    Case(
        type="AWS::EC2::FlowLog",
        prepare=_flow_log,
        changes=({"Tags": [{"Key": "owner", "Value": "data"}]}, {"Tags": None}),
        absent=("fl-0123456789abcdef0",),
    ),
)
