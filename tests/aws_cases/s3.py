"""Buckets and their policies."""

import json
from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case

_RULE: Final = {
    "Id": "old",
    "Status": "Enabled",
    "Prefix": "logs/",
    "TagFilters": [{"Key": "kept", "Value": "no"}],
    "ExpirationInDays": 365,
    "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": "30"}],
    "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}


def _plain(_: Aws) -> dict[str, Any]:
    return {}


def _full(aws: Aws) -> dict[str, Any]:
    _log_bucket(aws)
    return {
        "BucketName": "shop-orders",
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": "true",
        },
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "BucketKeyEnabled": True,
                    "ServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": "arn:aws:kms:eu-central-1:111122223333:key/one",
                    },
                }
            ]
        },
        "VersioningConfiguration": {"Status": "Enabled"},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LoggingConfiguration": {"DestinationBucketName": "shop-logs", "LogFilePrefix": "orders/"},
        "LifecycleConfiguration": {"Rules": [_RULE]},
        "Tags": [{"Key": "owner", "Value": "data"}],
    }


def _log_bucket(aws: Aws) -> None:
    client = aws.client("s3")
    client.create_bucket(
        Bucket="shop-logs", CreateBucketConfiguration={"LocationConstraint": aws.place.region}
    )
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::shop-logs/*",
    }
    client.put_bucket_policy(
        Bucket="shop-logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )


def _statement(**given: Any) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::shop-orders", "arn:aws:s3:::shop-orders/*"],
            "Condition": {"Bool": {"aws:SecureTransport": False}},
            **given,
        },
    }


def _policy(aws: Aws) -> dict[str, Any]:
    aws.client("s3").create_bucket(
        Bucket="shop-orders", CreateBucketConfiguration={"LocationConstraint": aws.place.region}
    )
    return {"Bucket": "shop-orders", "PolicyDocument": _statement()}


CASES: Final = (
    Case(
        type="AWS::S3::Bucket",
        name="plain",
        prepare=_plain,
        changes=({"VersioningConfiguration": {"Status": "Enabled"}}, {"VersioningConfiguration": None}),
        many_calls=None,
    ),
    Case(
        type="AWS::S3::Bucket",
        name="full",
        prepare=_full,
        changes=(
            {"LifecycleConfiguration": {"Rules": [{**_RULE, "ExpirationInDays": 30}]}},
            {"LifecycleConfiguration": None, "LoggingConfiguration": None},
            {"BucketEncryption": None},
            {"PublicAccessBlockConfiguration": {"BlockPublicAcls": False}},
            {"PublicAccessBlockConfiguration": None},
            {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}},
            {"Tags": [{"Key": "owner", "Value": "web"}]},
            {"Tags": None},
        ),
        many_calls=None,
    ),
    Case(
        type="AWS::S3::BucketPolicy",
        prepare=_policy,
        changes=({"PolicyDocument": _statement(Action=["s3:PutObject", "s3:GetObject"])},),
        tagged=False,
        many_calls=None,
    ),
)
