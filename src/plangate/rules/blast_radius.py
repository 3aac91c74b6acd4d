"""One change touches a limited part of what exists."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Action, Plan
from plangate.rules.base import PASS, Phase, Rule, Settings, Verdict, failed, setting

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "max_deletes": {
                "description": "Most resources that one plan may destroy; a replacement destroys one.",
                "type": "integer",
                "minimum": 0,
                "default": 10,
            },
            "max_changes": {
                "description": "Most resources that exist and that one plan may update, replace or destroy.",
                "type": "integer",
                "minimum": 0,
                "default": 100,
            },
            "max_percent": {
                "description": "Largest part of the resources that exist, in percent, that one plan may "
                "destroy.",
                "type": "number",
                "minimum": 0,
                "maximum": 100,
                "default": 25,
            },
            "percent_from": {
                "description": "Number of existing resources from which max_percent counts; in a small "
                "plan one resource is a large part.",
                "type": "integer",
                "minimum": 1,
                "default": 20,
            },
        },
    }
)


def _judge(plan: Plan, settings: Settings) -> Verdict:
    managed = [r for r in plan.resources if r.mode == "managed"]
    gone = sum(r.action in {Action.DELETE, Action.REPLACE} for r in managed)
    changed = gone + sum(r.action is Action.UPDATE for r in managed)
    existing = sum(r.before is not None for r in managed)
    problems = []
    if gone > (most := setting(settings, SCHEMA, "max_deletes")):
        problems.append(f"it destroys {gone} resources (at most {most})")
    if changed > (most := setting(settings, SCHEMA, "max_changes")):
        problems.append(f"it changes {changed} existing resources (at most {most})")
    if existing >= setting(settings, SCHEMA, "percent_from"):
        most = setting(settings, SCHEMA, "max_percent")
        if gone * 100 > most * existing:
            problems.append(f"it destroys {gone} of {existing} existing resources (at most {most} %)")
    return failed("; ".join(problems)) if problems else PASS


RULE: Final = Rule(
    spec=RuleSpec(
        id="blast-radius",
        title="One change touches a limited part of what exists",
        description="A plan destroys and changes no more existing resources than the settings allow. What "
        "is only created does not count.",
        severity=Severity.HIGH,
        enforcement=Enforcement.OVERRIDABLE,
        on_unknown=OnUnknown.DENY,
        remediation="Split the change, or have this plan approved.",
        frameworks=(("nist-800-53-r5", ("CM-3", "CM-4")),),
    ),
    judge=_judge,
    phase=Phase.PLAN,
    rationale="A wrong workspace, a renamed module or a lost state shows first in the number of things "
    "that go. A limit makes a person look before many of them are gone.",
    bad="""
# Renamed without a moved block: everything in it is destroyed and made again.
module "network_v2" {
  source = "./network"
}
""",
    good="""
module "network_v2" {
  source = "./network"
}

moved {
  from = module.network
  to   = module.network_v2
}
""",
    references=("https://developer.hashicorp.com/terraform/language/modules/develop/refactoring",),
    settings_schema=SCHEMA,
)
