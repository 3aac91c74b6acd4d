"""Tables."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case

_HASH: Final = {"AttributeName": "id", "KeyType": "HASH"}


def _index(name: str, attribute: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["total", "state"]},
    }


def _definitions(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def _table(_: Aws) -> dict[str, Any]:
    return {
        "TableName": "orders",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": _definitions("id", "customer"),
        "KeySchema": [_HASH],
        "GlobalSecondaryIndexes": [_index("by-customer", "customer")],
        "DeletionProtectionEnabled": False,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {
            "SSEEnabled": True,
            "SSEType": "KMS",
            "KMSMasterKeyId": "arn:aws:kms:eu-central-1:111122223333:key/one",
        },
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
        "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True},
        "Tags": [{"Key": "owner", "Value": "data"}],
    }


def _provisioned(_: Aws) -> dict[str, Any]:
    return {
        "AttributeDefinitions": _definitions("id"),
        "KeySchema": [_HASH],
        "ProvisionedThroughput": {"ReadCapacityUnits": "2", "WriteCapacityUnits": "1"},
    }


CASES: Final = (
    Case(
        type="AWS::DynamoDB::Table",
        prepare=_table,
        changes=(
            {
                "GlobalSecondaryIndexes": [
                    _index("by-customer", "customer"),
                    _index("by-state", "state"),
                ],
                "AttributeDefinitions": _definitions("id", "customer", "state"),
            },
            {
                "GlobalSecondaryIndexes": [_index("by-state", "customer")],
            },
            {"TimeToLiveSpecification": None},
            {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}},
            {"StreamSpecification": None},
            {"DeletionProtectionEnabled": True},
            {"Tags": [{"Key": "owner", "Value": "web"}]},
            {"Tags": None},
        ),
        many_calls=None,
    ),
    Case(
        type="AWS::DynamoDB::Table",
        name="provisioned",
        prepare=_provisioned,
        changes=({"ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}},),
        many_calls=None,
    ),
)
