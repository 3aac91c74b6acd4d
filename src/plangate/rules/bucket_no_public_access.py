"""Buckets block public access."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN, any_of
from plangate.rules.base import PASS, Rule, Settings, Verdict, failed, setting, undecided

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "require_block": {
                "description": "Fail a bucket whose public access the plan does not block. When false, "
                "only an ACL or a policy for everyone fails.",
                "type": "boolean",
                "default": True,
            },
        },
    }
)


def _judge(resource: Resource, settings: Settings) -> Verdict:
    blocked = resource.fact("public_access_blocked")
    if blocked is True:
        return PASS
    opened = any_of([resource.fact("public_acl"), resource.fact("public_policy")])
    if blocked is UNKNOWN:
        return undecided("whether public access to it is blocked is known only after apply")
    if opened is True:
        by = "an ACL" if resource.fact("public_acl") is True else "its policy"
        return failed(f"{by} opens it to everyone, and nothing blocks public access")
    if setting(settings, SCHEMA, "require_block"):
        return failed("nothing in this plan blocks public access to it")
    return (
        undecided("whether it is open to everyone is known only after apply") if opened is UNKNOWN else PASS
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="bucket-no-public-access",
        title="Buckets block public access",
        description="A bucket, or its account, blocks public access altogether, by this plan: all four blocks of AWS, "
        "public access prevention of Google, or an account or container of Azure that lets nobody in unnamed.",
        severity=Severity.CRITICAL,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("storage.bucket",),
        remediation="Add an aws_s3_bucket_public_access_block for the bucket with all four settings true, "
        "or an aws_s3_account_public_access_block for the account. Google: set public_access_prevention to "
        '"enforced". Azure: set allow_nested_items_to_be_public to false.',
        frameworks=(("cis-aws-3.0", ("2.1.4",)), ("aws-fsbp-1.0", ("S3.1", "S3.8"))),
    ),
    judge=_judge,
    rationale="Blocking public access at the bucket holds whatever an ACL or a policy says later. AWS has "
    "blocked it by default for new buckets since 2023, but a default that is written nowhere can be lifted "
    "by anyone without a trace in the plan. Without the block, a bucket whose ACL or policy names everyone "
    "is open already. Google's buckets inherit what the organization says unless told otherwise, which a plan "
    "does not show. An account of Azure lets its containers be public up to version 4 of the provider.",
    bad="""
resource "aws_s3_bucket" "logs" {
  bucket = "example-logs"
}
""",
    good="""
resource "aws_s3_bucket" "logs" {
  bucket = "example-logs"
}

resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = aws_s3_bucket.logs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket_public_access_block",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_account_public_access_block",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
        "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/storage_bucket",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/storage_account",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/storage_container",
    ),
    settings_schema=SCHEMA,
)
