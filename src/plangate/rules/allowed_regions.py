"""Resources are made in allowed regions."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
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
            "regions": {
                "description": 'Names of regions, with * for any text: "eu-central-1", "eu-*".',
                "type": "array",
                "items": {"type": "string", "pattern": "^[a-z0-9*-]+$"},
                "default": [],
            },
        },
    }
)
_NO_REGION: Final = not_applicable("it lives in no region")


def _judge(resource: Resource, settings: Settings) -> Verdict:
    allowed: list[str] = setting(settings, SCHEMA, "regions")
    regional = resource.fact("regional")
    if regional is False:
        return _NO_REGION
    region = resource.region
    if region is UNKNOWN:
        return undecided("its region is known only after apply")
    if region == "":
        return undecided("the plan does not say in which region it is made")
    if any(fnmatchcase(region, pattern) for pattern in allowed):
        return PASS
    return failed(f"it is made in {region} (allowed: {', '.join(allowed)})")


RULE: Final = Rule(
    spec=RuleSpec(
        id="allowed-regions",
        title="Resources are made in allowed regions",
        description="Every resource of a cloud with regions is made in one that the settings name.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.DENY,
        kinds=(),
        remediation="Use an allowed region in the provider configuration, or as location, region or zone.",
        frameworks=(("nist-800-53-r5", ("SA-9(5)",)),),
    ),
    judge=_judge,
    rationale="Where data may lie is often a matter of law, and a region that nobody watches is a good "
    "place to hide. A region that comes from the environment of whoever runs Terraform is not in the plan: "
    "set it in the provider. Locations of Azure are compared without spaces and in lower case (westeurope), zones "
    "of Google as their region. A part of something that has a region is judged with it. Without settings, "
    "the rule does not apply.",
    bad="""
# With regions: ["eu-*"]
provider "aws" {
  region = "us-east-1"
}

resource "aws_sqs_queue" "jobs" {
  name = "jobs"
}
""",
    good="""
provider "aws" {
  region = "eu-central-1"
}

resource "aws_sqs_queue" "jobs" {
  name = "jobs"
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs#aws-configuration-reference",
        "https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/resource_group",
        "https://cloud.google.com/compute/docs/regions-zones",
    ),
    needs="regions",
    settings_schema=SCHEMA,
)
