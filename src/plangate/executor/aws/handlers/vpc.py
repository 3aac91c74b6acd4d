"""VPCs.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html and API_DescribeVpcAttribute.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.base import REF, BaseHandler, Condition, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers import ec2
from plangate.executor.aws.tags import marks_of, template_tags


class Vpc(BaseHandler):
    """``AWS::EC2::VPC``."""

    type: ClassVar[str] = "AWS::EC2::VPC"
    supported: ClassVar[frozenset[str]] = frozenset({
        "CidrBlock", "EnableDnsHostnames", "EnableDnsSupport", "InstanceTenancy", "Ipv4IpamPoolId", "Ipv4NetmaskLength",
        "Tags",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = frozenset({
        "EnableDnsHostnames", "EnableDnsSupport", "InstanceTenancy", "Tags",
    })  # fmt: skip
    defaults: ClassVar[Properties] = {"EnableDnsHostnames": False, "EnableDnsSupport": True, "Tags": []}

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for all, and two for each: its attributes are told one by one only."""
        found = ec2.described(aws, "describe_vpcs", "Vpcs", "vpc-id", identifiers)
        return {item["VpcId"]: self._found(aws, item) for item in found}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags."""
        return [self._found(aws, item) for item in ec2.owned_by(aws, "describe_vpcs", "Vpcs", owner)]

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """DNS attributes follow as an update: CreateVpc does not take them."""
        arguments = {
            name: properties[name]
            for name in ("CidrBlock", "InstanceTenancy", "Ipv4IpamPoolId", "Ipv4NetmaskLength")
            if name in properties
        }
        made = aws.client("ec2").create_vpc(
            **arguments, TagSpecifications=ec2.tag_specifications("vpc", properties, mark)
        )
        return str(made["Vpc"]["VpcId"])

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """By the token's tag."""
        return ec2.marked(aws, "describe_vpcs", "Vpcs", "VpcId", mark)

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for each attribute, as AWS wants it."""
        client = aws.client("ec2")
        for name in ("EnableDnsSupport", "EnableDnsHostnames"):
            if name in changed:
                value = properties.get(name, self.defaults[name])
                client.modify_vpc_attribute(VpcId=found.identifier, **{name: {"Value": value}})
        if "InstanceTenancy" in changed:
            client.modify_vpc_tenancy(
                VpcId=found.identifier, InstanceTenancy=properties.get("InstanceTenancy", "default")
            )
        if "Tags" in changed:
            ec2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        ec2.quietly_gone(aws, "DeleteVpc", VpcId=found.identifier)

    @staticmethod
    def _found(aws: Aws, item: Mapping[str, Any]) -> Found:
        client = aws.client("ec2")
        identifier = str(item["VpcId"])

        def attribute(name: str) -> bool:
            said = client.describe_vpc_attribute(VpcId=identifier, Attribute=name[0].lower() + name[1:])
            return bool(said[name]["Value"])

        return Found(
            identifier=identifier,
            properties={
                "CidrBlock": item["CidrBlock"],
                "InstanceTenancy": item.get("InstanceTenancy", "default"),
                "EnableDnsSupport": attribute("EnableDnsSupport"),
                "EnableDnsHostnames": attribute("EnableDnsHostnames"),
                "Tags": template_tags(item.get("Tags")),
            },
            attributes={
                REF: identifier,
                "VpcId": identifier,
                "CidrBlock": item["CidrBlock"],
                "CidrBlockAssociations": [
                    each["AssociationId"] for each in item.get("CidrBlockAssociationSet", ())
                ],
                "Ipv6CidrBlocks": [
                    each["Ipv6CidrBlock"] for each in item.get("Ipv6CidrBlockAssociationSet", ())
                ],
            },
            condition=Condition.BUSY if item.get("State") == "pending" else Condition.READY,
            detail=str(item.get("State", "")),
            marks=marks_of(item.get("Tags")),
        )


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (Vpc(),)}
