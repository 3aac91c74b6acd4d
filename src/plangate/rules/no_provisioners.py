"""Changes run no programs on the side."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Plan
from plangate.rules.base import PASS, Phase, Rule, Settings, Verdict, failed, setting

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "allowed": {
                "description": 'Kinds that may run: "local-exec", "remote-exec", "file", "external", '
                'or a provider action as "action:aws_lambda_invoke".',
                "type": "array",
                "items": {"type": "string"},
                "default": [],
            },
        },
    }
)


def _judge(plan: Plan, settings: Settings) -> Sequence[Verdict]:
    allowed = setting(settings, SCHEMA, "allowed")
    found = tuple(
        failed(f"it runs {_named(item.type)} while the change is applied", address=item.address)
        for item in plan.provisioners
        if item.runs and item.type not in allowed
    )
    return found or (PASS,)


def _named(kind: str) -> str:
    if kind.startswith("action:"):
        return f"the provider action {kind.removeprefix('action:')}"
    return "a program (data source external)" if kind == "external" else f"a {kind} provisioner"


RULE: Final = Rule(
    spec=RuleSpec(
        id="no-provisioners",
        title="Changes run no programs on the side",
        description="No provisioner, provider action or external data source runs while the plan is applied.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.DENY,
        remediation="Use cloud-init, an image, or a step of its own in the pipeline.",
        frameworks=(("nist-800-53-r5", ("CM-5", "CM-7")),),
    ),
    judge=_judge,
    phase=Phase.PLAN,
    rationale="A provisioner runs a program with the credentials of whoever applies the plan, and a plan "
    "does not show what it will do: the command may be known only while it runs. A gate cannot vouch for "
    "what it cannot read.",
    bad="""
resource "aws_instance" "web" {
  ami           = "ami-0abcdef1234567890"
  instance_type = "t3.micro"

  provisioner "local-exec" {
    command = "curl https://example.com/install.sh | sh"
  }
}
""",
    good="""
resource "aws_instance" "web" {
  ami           = "ami-0abcdef1234567890"
  instance_type = "t3.micro"
  user_data     = file("cloud-init.yaml")
}
""",
    references=(
        "https://developer.hashicorp.com/terraform/language/resources/provisioners/syntax",
        "https://registry.terraform.io/providers/hashicorp/external/latest/docs/data-sources/external",
    ),
    settings_schema=SCHEMA,
)
