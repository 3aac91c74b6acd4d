"""Load balancers make clients use TLS."""

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
            "passthrough": {
                "description": 'What a listener is worth that passes bytes on (TCP, UDP): "allow" leaves '
                'TLS to the targets, "deny" fails it.',
                "enum": ["allow", "deny"],
                "default": "allow",
            },
        },
    }
)


def _judge(resource: Resource, settings: Settings) -> Verdict:
    tls = resource.fact("tls")
    if tls is UNKNOWN:
        return undecided("whether clients must use TLS is known only after apply", "/protocol")
    if tls is not None:
        return PASS if tls is True else failed("clients may talk to it without TLS", "/protocol")
    if resource.kind == "network.load_balancer":
        return not_applicable("its listeners are resources of their own, or pass bytes on")
    if setting(settings, SCHEMA, "passthrough") == "deny":
        return failed("it passes bytes on without TLS of its own", "/protocol")
    return not_applicable("it passes bytes on; TLS is up to its targets")


RULE: Final = Rule(
    spec=RuleSpec(
        id="listener-tls",
        title="Load balancers make clients use TLS",
        description="A listener speaks HTTPS or TLS, or does nothing but send clients on to HTTPS.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("network.listener", "network.load_balancer"),
        remediation='Use protocol "HTTPS" with a certificate; on port 80, redirect with protocol "HTTPS".',
        frameworks=(("aws-fsbp-1.0", ("ELB.1", "ELB.3")), ("nist-800-53-r5", ("SC-8",))),
    ),
    judge=_judge,
    rationale="Plain HTTP shows passwords and cookies to everyone on the way. A redirect counts only if it "
    "names HTTPS (left out, the protocol stays as it was) and if no rule of the listener answers before it. A "
    "gateway of Azure is judged for all its listeners; a proxy for HTTP of Google passes when its URL map does "
    "nothing but redirect.",
    bad="""
resource "aws_lb_listener" "web" {
  load_balancer_arn = aws_lb.web.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}
""",
    good="""
resource "aws_lb_listener" "web" {
  load_balancer_arn = aws_lb.web.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lb_listener",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lb_listener_rule",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/elb",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/application_gateway",
        "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_target_http_proxy",
    ),
    settings_schema=SCHEMA,
)
