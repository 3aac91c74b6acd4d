"""The metadata service of machines answers only to session tokens."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.rules.base import NO_SETTINGS, Rule, Settings, Verdict, must_be


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    return must_be(
        resource,
        "metadata_tokens_required",
        wanted=True,
        no="its metadata service answers without a session token, which is the default when nothing else "
        "is said",
        unsure="whether its metadata service asks for a session token is known only after apply",
        none="its template says it, and is judged itself",
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="instance-metadata-v2",
        title="The metadata service of machines answers only to session tokens",
        description="Version 2 of the instance metadata service must be the only one, or the service must "
        "be off. Where a cloud has no session tokens, it must ask for a header that a forged request does not carry.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("compute.instance", "compute.template", "compute.group"),
        remediation='Set http_tokens to "required" in metadata_options of the instance or its template.',
        frameworks=(("cis-aws-3.0", ("5.6",)), ("aws-fsbp-1.0", ("EC2.8",))),
    ),
    judge=_judge,
    rationale="Without session tokens, whoever can make a machine fetch an address (a server-side request "
    "forgery, an open proxy) can read the credentials of its role. Not set, the account and the image "
    "decide; a plan shows neither, and AWS then makes tokens optional, so that nothing said counts as a "
    "failure. The services of Azure and Google have no tokens, but always ask for a header of their own, which "
    "whoever only chooses an address cannot add; they pass.",
    bad="""
resource "aws_instance" "web" {
  ami           = "ami-0abcdef1234567890"
  instance_type = "t3.micro"

  metadata_options {
    http_tokens = "optional"
  }
}
""",
    good="""
resource "aws_instance" "web" {
  ami           = "ami-0abcdef1234567890"
  instance_type = "t3.micro"

  metadata_options {
    http_tokens = "required"
  }
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/instance#metadata-options",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ec2_instance_metadata_defaults",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html",
        "https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service",
        "https://cloud.google.com/compute/docs/metadata/querying-metadata",
    ),
    settings_schema=NO_SETTINGS,
)
