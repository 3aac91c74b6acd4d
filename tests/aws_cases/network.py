"""Networks to put things into."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws

OWNER: Final = [{"Key": "owner", "Value": "web"}]
"""Tags of a template."""
RETAGGED: Final = (
    {"Tags": [{"Key": "owner", "Value": "data"}, {"Key": "tier", "Value": "1"}]},
    {"Tags": None},
)
"""Changes of them."""


def new_vpc(aws: Aws) -> str:
    """A VPC's id."""
    return str(aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def new_subnet(aws: Aws, vpc: str, third: int = 1, zone: str = "eu-central-1a") -> str:
    """The id of a subnet 10.0.``third``.0/24."""
    made = aws.client("ec2").create_subnet(VpcId=vpc, CidrBlock=f"10.0.{third}.0/24", AvailabilityZone=zone)
    return str(made["Subnet"]["SubnetId"])


def new_gateway(aws: Aws, vpc: str = "") -> str:
    """An internet gateway's id, attached to a VPC if one is given."""
    ec2 = aws.client("ec2")
    made = str(ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
    if vpc:
        ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc)
    return made


def new_table(aws: Aws, vpc: str) -> str:
    """A route table's id."""
    return str(aws.client("ec2").create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])


def new_address(aws: Aws) -> str:
    """A public address's allocation id."""
    return str(aws.client("ec2").allocate_address(Domain="vpc")["AllocationId"])


def new_nat(aws: Aws, subnet: str) -> str:
    """A NAT gateway's id."""
    made = aws.client("ec2").create_nat_gateway(SubnetId=subnet, AllocationId=new_address(aws))
    return str(made["NatGateway"]["NatGatewayId"])


def new_group(aws: Aws, vpc: str, name: str = "other") -> str:
    """A security group's id."""
    made = aws.client("ec2").create_security_group(GroupName=name, Description="a peer", VpcId=vpc)
    return str(made["GroupId"])


def new_instance(aws: Aws, subnet: str, **more: Any) -> str:
    """An instance's id."""
    made = aws.client("ec2").run_instances(
        ImageId=image(aws), MinCount=1, MaxCount=1, SubnetId=subnet, InstanceType="t3.micro", **more
    )
    return str(made["Instances"][0]["InstanceId"])


def image(aws: Aws) -> str:
    """Some image's id."""
    return str(aws.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"])
