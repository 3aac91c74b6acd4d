"""Machines get no public address."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.rules.base import NO_SETTINGS, Rule, Settings, Verdict, must_be


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    return must_be(
        resource,
        "public_ip",
        wanted=False,
        no=f"it gets a public address: {resource.fact('public_ip_from')}",
        unsure="whether it gets a public address is known only after apply",
        none="it leaves that to the subnet, which is judged where instances are made",
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="instance-no-public-ip",
        title="Machines get no public address",
        description="A machine must not be reachable from the internet by an address of its own. Its own "
        "setting, its launch template, its subnet's default and elastic addresses are all looked at.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("compute.instance", "compute.template", "compute.group"),
        remediation="Set associate_public_ip_address to false, place it in a private subnet, and let a "
        "load balancer or a NAT gateway face the internet. Azure: leave public_ip_address_id out of its network "
        "interface. Google: leave out access_config.",
        frameworks=(("cis-aws-compute-1.0", ("4.9",)), ("nist-800-53-r5", ("AC-4", "SC-7"))),
    ),
    judge=_judge,
    rationale="A public address puts every port of a machine one security group mistake away from the "
    "internet. What decides is often not written at the machine: without a setting the subnet decides, and "
    "without a subnet it is the default VPC, whose subnets give public addresses. Public IPv6 addresses "
    "of AWS are not looked at. A machine of Azure or Google has a public address only when its network "
    "interface is given one.",
    bad="""
resource "aws_instance" "web" {
  ami           = "ami-0abcdef1234567890"
  instance_type = "t3.micro"
}
""",
    good="""
resource "aws_subnet" "private" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
}

resource "aws_instance" "web" {
  ami                         = "ami-0abcdef1234567890"
  instance_type               = "t3.micro"
  subnet_id                   = aws_subnet.private.id
  associate_public_ip_address = false
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/instance#associate_public_ip_address",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/subnet#map_public_ip_on_launch",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/network_interface",
        "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_instance",
    ),
    settings_schema=NO_SETTINGS,
)
