"""The internet cannot reach everything behind a security group."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.facts.traffic import Entry, is_everything, lets_everyone_in
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN, all_of
from plangate.rules.base import PASS, Rule, Settings, Verdict, failed, setting, undecided

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "widest_ipv4": {
                "description": "Shortest prefix of an IPv4 network that is not taken for the whole internet.",
                "type": "integer",
                "minimum": 0,
                "maximum": 32,
                "default": 8,
            },
            "widest_ipv6": {
                "description": "The same for IPv6.",
                "type": "integer",
                "minimum": 0,
                "maximum": 128,
                "default": 16,
            },
        },
    }
)


def _judge(resource: Resource, settings: Settings) -> Verdict:
    entries = resource.fact("ingress")
    if entries is UNKNOWN:
        return undecided("which traffic it lets in is known only after apply", "/ingress")
    ipv4, ipv6 = setting(settings, SCHEMA, "widest_ipv4"), setting(settings, SCHEMA, "widest_ipv6")
    doubtful: Entry | None = None
    for entry in entries:
        if entry["address"] != resource.address:
            continue
        opened = all_of([lets_everyone_in(entry, ipv4=ipv4, ipv6=ipv6), is_everything(entry)])
        if opened is True:
            return failed("it lets the whole internet in to every port", entry["path"])
        doubtful = doubtful or (entry if opened is UNKNOWN else None)
    if doubtful is not None:
        return undecided(
            "whether it lets the whole internet in to every port is known only after apply", doubtful["path"]
        )
    return PASS


RULE: Final = Rule(
    spec=RuleSpec(
        id="ingress-no-open-all",
        title="The internet cannot reach everything behind a security group",
        description="No security group, and no rule of one, lets everyone in to all protocols or to all "
        "ports.",
        severity=Severity.CRITICAL,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("network.security_group", "network.security_group_rule"),
        remediation="Open the ports that the service needs, and for everyone only those that everyone needs.",
        frameworks=(("aws-fsbp-1.0", ("EC2.18", "EC2.19")), ("nist-800-53-r5", ("AC-4", "SC-7"))),
    ),
    judge=_judge,
    rationale='All traffic from everywhere switches the firewall off. Protocol "-1" means every protocol '
    "whatever ports stand beside it, and a range over all ports of TCP or UDP comes to the same.",
    bad="""
resource "aws_vpc_security_group_ingress_rule" "open" {
  security_group_id = aws_security_group.web.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
""",
    good="""
resource "aws_vpc_security_group_ingress_rule" "https" {
  security_group_id = aws_security_group.web.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/security_group",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/vpc_security_group_ingress_rule",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/security_group_rule",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/network_security_rule",
        "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_firewall",
    ),
    settings_schema=SCHEMA,
)
