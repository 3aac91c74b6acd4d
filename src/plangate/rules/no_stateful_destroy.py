"""Nothing that holds data is destroyed."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Action, Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import (
    NO_SETTINGS,
    PASS,
    Phase,
    Rule,
    Settings,
    Verdict,
    failed,
    not_applicable,
    undecided,
)

_FORGOTTEN: Final = not_applicable("it is only taken out of management, and stays as it is")


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    if resource.action is Action.FORGET:
        return _FORGOTTEN
    stateful = resource.fact("stateful")
    if stateful is False:
        return PASS
    done = "replaced by a new, empty one" if resource.action is Action.REPLACE else "destroyed"
    if resource.deposed:
        done = "destroyed (it is what an earlier replacement left behind)"
    if stateful is UNKNOWN:
        return undecided(f"it is {done}, and whether a {resource.type} holds data is not known here")
    because = (
        f"; it is replaced because {', '.join(resource.replace_paths)} changes"
        if resource.replace_paths
        else ""
    )
    return failed(
        f"it holds data and is {done}{because}", resource.replace_paths[0] if resource.replace_paths else ""
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="no-stateful-destroy",
        title="Nothing that holds data is destroyed",
        description="Databases, buckets, disks, keys, secrets, logs and the like are neither deleted nor "
        "replaced.",
        severity=Severity.CRITICAL,
        enforcement=Enforcement.OVERRIDABLE,
        # What is gone cannot be looked at afterwards.
        on_unknown=OnUnknown.DENY,
        kinds=(),
        remediation="Take it out of management instead (a removed block in Terraform, DeletionPolicy and "
        "UpdateReplacePolicy Retain in CloudFormation, retainOnDelete in Pulumi), avoid the change that forces "
        "the replacement, or have the destruction of this plan approved.",
        frameworks=(("nist-800-53-r5", ("CP-9", "SI-12")),),
    ),
    judge=_judge,
    phase=Phase.GOING,
    rationale="A changed name or an updated module can turn into a replacement, and a replacement of a "
    "database is an empty database. A person has to want that, for this plan. Making the new one first "
    "does not keep the data. For a type that we do not know, whether it holds data is unknown, which "
    "counts as a no.",
    bad="""
# Renaming it destroys the table and makes an empty one.
resource "aws_dynamodb_table" "orders" {
  name         = "orders-v2"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}
""",
    good="""
# Keeps the table and only stops managing it.
removed {
  from = aws_dynamodb_table.orders

  lifecycle {
    destroy = false
  }
}
""",
    references=(
        "https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle",
        "https://developer.hashicorp.com/terraform/language/resources/syntax#removing-resources",
    ),
    settings_schema=NO_SETTINGS,
)
