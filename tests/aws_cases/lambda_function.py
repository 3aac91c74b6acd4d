"""Functions."""

import json
from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case

_CODE: Final = "def handler(event, context):\n    return 1\n"
_OTHER: Final = "def handler(event, context):\n    return 2\n"


def _role(aws: Aws) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    made = aws.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(trust))
    return str(made["Role"]["Arn"])


def _function(aws: Aws) -> dict[str, Any]:
    client = aws.client("ec2")
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = client.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = client.create_security_group(GroupName="fn", Description="fn", VpcId=vpc)["GroupId"]
    return {
        "FunctionName": "clean-up",
        "Architectures": ["arm64"],
        "Code": {"ZipFile": _CODE},
        "Description": "cleans up",
        "Environment": {"Variables": {"STAGE": "prod", "DEBUG": False}},
        "EphemeralStorage": {"Size": 1024},
        "Handler": "index.handler",
        "MemorySize": "256",
        "ReservedConcurrentExecutions": 5,
        "Role": _role(aws),
        "Runtime": "python3.12",
        "Timeout": 30,
        "TracingConfig": {"Mode": "Active"},
        "VpcConfig": {"SubnetIds": [subnet], "SecurityGroupIds": [group]},
        "Tags": [{"Key": "owner", "Value": "web"}],
    }


def _from_bucket(aws: Aws) -> dict[str, Any]:
    client = aws.client("s3")
    client.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": aws.place.region})
    for name in ("one.zip", "two.zip"):
        client.put_object(Bucket="code", Key=name, Body=b"PK")
    return {
        "Code": {"S3Bucket": "code", "S3Key": "one.zip"},
        "Handler": "index.handler",
        "Role": _role(aws),
        "Runtime": "nodejs22.x",
    }


CASES: Final = (
    Case(
        type="AWS::Lambda::Function",
        prepare=_function,
        changes=(
            {"Code": {"ZipFile": _OTHER}, "Timeout": 60},
            {"Environment": {"Variables": {"STAGE": "test"}}},
            {"Environment": None, "Description": None},
            {"ReservedConcurrentExecutions": 10},
            {"Tags": [{"Key": "owner", "Value": "data"}]},
            {"Tags": None},
        ),
        many_calls=None,
    ),
    Case(
        type="AWS::Lambda::Function",
        name="from-bucket",
        prepare=_from_bucket,
        changes=({"Code": {"S3Bucket": "code", "S3Key": "two.zip"}}, {"MemorySize": 512}),
        many_calls=None,
    ),
)
