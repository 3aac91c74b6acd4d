"""Log groups."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case


def _group(_: Aws) -> dict[str, Any]:
    return {
        "LogGroupName": "/shop/web",
        "RetentionInDays": "365",
        "KmsKeyId": "arn:aws:kms:eu-central-1:111122223333:key/one",
        "Tags": [{"Key": "owner", "Value": "web"}],
    }


def _unnamed(_: Aws) -> dict[str, Any]:
    return {}


CASES: Final = (
    Case(
        type="AWS::Logs::LogGroup",
        prepare=_group,
        changes=(
            {"RetentionInDays": 30},
            {"RetentionInDays": None},
            {"Tags": [{"Key": "owner", "Value": "data"}]},
            {"Tags": None},
        ),
        many_calls=None,
    ),
    Case(type="AWS::Logs::LogGroup", name="unnamed", prepare=_unnamed, many_calls=None),
)
