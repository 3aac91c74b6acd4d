"""Encryption keys rotate by themselves."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.rules.base import NO_SETTINGS, Rule, Settings, Verdict, must_be


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    return must_be(
        resource,
        "rotation",
        wanted=True,
        no="it keeps the same key material for ever",
        unsure="whether it rotates is known only after apply",
        none="a key of this kind does not rotate by itself",
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="key-rotation",
        title="Encryption keys rotate by themselves",
        description="Symmetric keys that the key service made have automatic rotation switched on.",
        severity=Severity.MEDIUM,
        enforcement=Enforcement.OVERRIDABLE,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("crypto.key",),
        remediation="Set enable_key_rotation to true. Azure: give the key a rotation_policy with an automatic part. "
        "Google: set rotation_period.",
        frameworks=(("cis-aws-3.0", ("3.6",)), ("aws-fsbp-1.0", ("KMS.4",))),
    ),
    judge=_judge,
    rationale="Rotation limits what one piece of key material protects. It costs nothing and breaks "
    "nothing: old material stays for decryption. Asymmetric and HMAC keys, keys in a custom store, "
    "replicas and imported material do not rotate by themselves, so the question does not arise for them.",
    bad="""
resource "aws_kms_key" "data" {
  description = "data"
}
""",
    good="""
resource "aws_kms_key" "data" {
  description         = "data"
  enable_key_rotation = true
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/kms_key#enable_key_rotation",
        "https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/key_vault_key",
        "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/kms_crypto_key",
    ),
    settings_schema=NO_SETTINGS,
)
