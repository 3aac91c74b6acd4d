"""Names of calls as names of IAM permissions, where these are others."""

from typing import Final

_SERVICES: Final = {
    "auto-scaling": "autoscaling", "cloudwatch-logs": "logs", "elastic-load-balancing-v2": "elasticloadbalancing",
    "resource-groups-tagging-api": "tag",
}  # fmt: skip
_OTHERWISE: Final = {
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html"""


def permission(service: str, operation: str) -> str:
    """The permission that a call needs.

    Args:
        service: As botocore's events name it, e.g. ``auto-scaling``.
        operation: E.g. ``CreateRole``.
    """
    name = f"{_SERVICES.get(service, service)}:{operation}"
    return _OTHERWISE.get(name, name)
