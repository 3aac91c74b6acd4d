"""Buckets encrypt what they store in an accepted way."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import PASS, Rule, Settings, Verdict, failed, not_applicable, setting, undecided

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "accepted": {
                "description": 'Accepted ways. Leave out "AES256" to ask for keys of your own.',
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "default": ["AES256", "aws:kms", "aws:kms:dsse", "aws:fsx", "azure:key-vault", "google:kms"],
            },
        },
    }
)


def _judge(resource: Resource, settings: Settings) -> Verdict:
    encrypted, way = resource.fact("encrypted"), resource.fact("encryption")
    if encrypted is False:
        return failed("what it stores is not encrypted")
    if encrypted is UNKNOWN or way is UNKNOWN:
        return undecided("how it encrypts what it stores is known only after apply")
    if way is None:
        return not_applicable("its account says how it encrypts, and is judged itself")
    accepted = setting(settings, SCHEMA, "accepted")
    if way in accepted:
        return PASS
    return failed(
        f"it encrypts what it stores with {way or 'nothing named'} (accepted: {', '.join(accepted)})"
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="bucket-encrypted",
        title="Buckets encrypt what they store in an accepted way",
        description="Objects are encrypted at rest, and by default in one of the accepted ways.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("storage.bucket",),
        remediation="Add an aws_s3_bucket_server_side_encryption_configuration for the bucket that uses "
        "aws:kms.",
        frameworks=(("aws-fsbp-1.0", ("S3.17",)), ("nist-800-53-r5", ("SC-28",))),
    ),
    judge=_judge,
    rationale="S3 has encrypted every new object since January 2023, with its own keys unless told "
    "otherwise, and that cannot be switched off: a bucket without a setting passes. Where keys of your own "
    "are asked for, so that access to the data can be taken away and is logged, leave AES256 out of the "
    "accepted ways. Azure and Google encrypt everything as well, with keys of theirs (AES256) or of yours "
    "(azure:key-vault, google:kms).",
    bad="""
# With accepted: ["aws:kms", "aws:kms:dsse"]
resource "aws_s3_bucket" "records" {
  bucket = "example-records"
}
""",
    good="""
resource "aws_s3_bucket" "records" {
  bucket = "example-records"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "records" {
  bucket = aws_s3_bucket.records.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.records.arn
    }
  }
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket_server_side_encryption_configuration",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html",
        "https://learn.microsoft.com/azure/storage/common/storage-service-encryption",
        "https://cloud.google.com/storage/docs/encryption/default-keys",
    ),
    settings_schema=SCHEMA,
)
