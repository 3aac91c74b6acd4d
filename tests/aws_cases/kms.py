"""Keys and their aliases."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case

_ACCOUNT: Final = "123456789012"


def _document(*actions: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": _ACCOUNT}, "Action": list(actions), "Resource": "*"}
        ],
    }


def _key(_: Aws) -> dict[str, Any]:
    return {
        "Description": "data of the shop",
        "EnableKeyRotation": True,
        "KeyPolicy": _document("kms:*"),
        "PendingWindowInDays": 7,
        "Tags": [{"Key": "owner", "Value": "data"}],
    }


def _signing_key(_: Aws) -> dict[str, Any]:
    return {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}


def _alias(aws: Aws) -> dict[str, Any]:
    return {
        "AliasName": "alias/shop",
        "TargetKeyId": aws.client("kms").create_key()["KeyMetadata"]["Arn"],
    }


CASES: Final = (
    Case(
        type="AWS::KMS::Alias",
        prepare=_alias,
        tagged=False,
        absent=("alias/other",),
    ),
    Case(
        type="AWS::KMS::Key",
        name="data",
        prepare=_key,
        changes=(
            {"EnableKeyRotation": False},
            {"KeyPolicy": _document("kms:*", "kms:Decrypt"), "Description": None},
            {"Enabled": False},
            {"Enabled": True, "EnableKeyRotation": True},
            {"Tags": [{"Key": "owner", "Value": "web"}]},
            {"Tags": None},
        ),
        many_calls=None,
    ),
    Case(type="AWS::KMS::Key", name="signing", prepare=_signing_key, many_calls=None),
)
