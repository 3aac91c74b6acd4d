"""The internet cannot reach administration ports."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.facts.addresses import covers_everyone
from plangate.facts.traffic import Entry, is_everything, is_reached, lets_everyone_in
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN, Tri, all_of
from plangate.rules.base import PASS, Rule, Settings, Verdict, failed, setting, undecided

_PROTOCOLS: Final = ("tcp", "udp")

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "ports": {
                "description": "Ports for administration. 22 is SSH, 3389 is RDP; add 5985 and 5986 for "
                "WinRM, or those of databases, where they are used.",
                "type": "array",
                "items": {"type": "integer", "minimum": 0, "maximum": 65535},
                "minItems": 1,
                "default": [22, 3389],
            },
            "widest_ipv4": {
                "description": "Shortest prefix of an IPv4 network that is not taken for the whole internet.",
                "type": "integer",
                "minimum": 0,
                "maximum": 32,
                "default": 8,
            },
            "widest_ipv6": {
                "description": "The same for IPv6. All public addresses are within 2000::/3, which is "
                "wider than 16.",
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
    ports: Sequence[int] = setting(settings, SCHEMA, "ports")
    ipv4, ipv6 = setting(settings, SCHEMA, "widest_ipv4"), setting(settings, SCHEMA, "widest_ipv6")
    own = [entry for entry in entries if entry["address"] == resource.address]
    doubtful: Entry | None = None
    for entry in own:
        everyone = lets_everyone_in(entry, ipv4=ipv4, ipv6=ipv6)
        # Everything open to everyone is a failure of ingress-no-open-all, and of this as well.
        for port in ports:
            opened = all_of([everyone, is_reached(entry, protocols=_PROTOCOLS, port=port)])
            if opened is True:
                return failed(f"it lets the whole internet in to port {port}{_means(entry)}", entry["path"])
            doubtful = doubtful or (entry if opened is UNKNOWN else None)
    for port in ports if len(entries) > 1 else ():
        together = _open_together(entries, port)
        if together is True:
            return failed(f"its entries together let the whole internet in to port {port}", "/ingress")
        if together is UNKNOWN:
            return undecided(
                f"whether its entries together let the whole internet in to port {port} is known only after apply",
                "/ingress",
            )
    if doubtful is not None:
        return undecided(
            "whether it lets the whole internet in to an administration port is known only after apply",
            doubtful["path"],
        )
    return PASS


def _open_together(entries: Sequence[Entry], port: int) -> Tri:
    """Whether several entries open a port to everyone between them, where none does so alone.

    An entry whose own sources are not known is left to the resource that it belongs to.
    """
    answers = [(entry, is_reached(entry, protocols=_PROTOCOLS, port=port)) for entry in entries]
    certain = [entry for entry, reached in answers if reached is True]
    possible = [
        entry for entry, reached in answers if reached is not False and entry["any_source"] is not True
    ]
    if any(entry["any_source"] is True for entry in certain):
        return False
    if covers_everyone(cidr for entry in certain for cidr in entry["cidrs"]) is True:
        return True
    everyone = covers_everyone(cidr for entry in possible for cidr in entry["cidrs"])
    return UNKNOWN if everyone is True else False


def _means(entry: Entry) -> str:
    return ", as to everything else" if is_everything(entry) is True else ""


RULE: Final = Rule(
    spec=RuleSpec(
        id="ingress-no-open-admin-ports",
        title="The internet cannot reach administration ports",
        description="No security group, and no rule of one, lets everyone in to the ports that machines are "
        "administered through, over IPv4 or IPv6, by itself, in a range of ports, or as part of all traffic.",
        severity=Severity.CRITICAL,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("network.security_group", "network.security_group_rule"),
        remediation="Name the networks that need access, or reach machines through a session manager or a "
        "bastion.",
        frameworks=(("cis-aws-3.0", ("5.2", "5.3")), ("aws-fsbp-1.0", ("EC2.13", "EC2.14"))),
    ),
    judge=_judge,
    rationale="Ports for remote administration that are open to the internet are found within minutes and "
    "attacked without pause. Text tricks do not hide them: ::/0, 0.0.0.0/00 and the two halves 0.0.0.0/1 "
    "and 128.0.0.0/1 are all the whole internet, and networks wider than /8 (IPv6: /16) count as that too. "
    "A rule resource is judged where it stands; the group is judged for its own blocks and for what all "
    "its rules open together.",
    bad="""
resource "aws_security_group" "web" {
  name   = "web"
  vpc_id = aws_vpc.main.id

  ingress {
    from_port   = 20
    to_port     = 25
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
""",
    good="""
resource "aws_security_group" "web" {
  name   = "web"
  vpc_id = aws_vpc.main.id

  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["10.20.0.0/16"]
  }
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/security_group",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/vpc_security_group_ingress_rule",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/security_group_rule",
        "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/network_security_rule",
        "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_firewall",
    ),
    settings_schema=SCHEMA,
)
