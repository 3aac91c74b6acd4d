"""Buckets keep former versions of what they store."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.rules.base import NO_SETTINGS, Rule, Settings, Verdict, must_be


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    return must_be(
        resource,
        "versioned",
        wanted=True,
        no="it keeps no former versions of its objects: what is overwritten or deleted is gone",
        unsure="whether it keeps former versions is known only after apply",
        none="its account says it, and is judged itself",
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="bucket-versioned",
        title="Buckets keep former versions of what they store",
        description="Versioning is enabled, by a resource of its own or by the bucket's older inline block.",
        severity=Severity.MEDIUM,
        enforcement=Enforcement.OVERRIDABLE,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("storage.bucket",),
        remediation='Add an aws_s3_bucket_versioning for the bucket with status "Enabled". Google: enabled in a '
        "versioning block. Azure: versioning_enabled in blob_properties of the account.",
        frameworks=(("aws-fsbp-1.0", ("S3.14",)), ("nist-800-53-r5", ("CP-9", "SI-12"))),
    ),
    judge=_judge,
    rationale="Versions undo mistakes and ransomware alike. A new bucket has none unless told so, and a "
    "suspended setting keeps old versions but makes no new ones.",
    bad="""
resource "aws_s3_bucket" "records" {
  bucket = "example-records"
}
""",
    good="""
resource "aws_s3_bucket" "records" {
  bucket = "example-records"
}

resource "aws_s3_bucket_versioning" "records" {
  bucket = aws_s3_bucket.records.id

  versioning_configuration {
    status = "Enabled"
  }
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket_versioning",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
        "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/storage_bucket",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/storage_account",
    ),
    settings_schema=NO_SETTINGS,
)
