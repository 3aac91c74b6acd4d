"""Subnets.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html and
API_ModifySubnetAttribute.html
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from plangate.executor.aws.base import REF, Condition, Found, Handler, Mark, Properties
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers import ec2
from plangate.executor.aws.tags import marks_of, template_tags

_MADE_WITH: Final = (
    "AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "Ipv6CidrBlock", "Ipv6Native", "OutpostArn", "VpcId",
)  # fmt: skip
_SWITCHES: Final = ("AssignIpv6AddressOnCreation", "MapPublicIpOnLaunch")


class Subnet(ec2.Ec2Handler):
    """``AWS::EC2::Subnet``."""

    type: ClassVar[str] = "AWS::EC2::Subnet"
    supported: ClassVar[frozenset[str]] = frozenset({*_MADE_WITH, *_SWITCHES, "Tags"})
    updatable: ClassVar[frozenset[str]] = frozenset({*_SWITCHES, "Tags"})
    defaults: ClassVar[Properties] = {
        "AssignIpv6AddressOnCreation": False,
        "MapPublicIpOnLaunch": False,
        "Tags": [],
    }
    names: ClassVar[frozenset[str]] = frozenset({"CidrBlock", "Ipv6CidrBlock"})
    patience_s: ClassVar[float] = 1800.0
    """Interfaces of load balancers and functions that are gone go later."""
    listing: ClassVar[ec2.Listing] = ec2.Listing(
        operation="describe_subnets", result="Subnets", key="SubnetId", filter="subnet-id", kind="subnet"
    )

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """What addresses new instances get follows as an update: CreateSubnet does not take it."""
        made = ec2.call(
            aws, "CreateSubnet", **ec2.chosen(properties, *_MADE_WITH), **self.tagging(properties, mark)
        )
        return str(made["Subnet"]["SubnetId"])

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for each switch, as AWS wants it."""
        for name in _SWITCHES:
            if name in changed:
                value = properties.get(name, self.defaults[name])
                ec2.call(aws, "ModifySubnetAttribute", SubnetId=found.identifier, **{name: {"Value": value}})
        if "Tags" in changed:
            ec2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        ec2.quietly_gone(aws, "DeleteSubnet", SubnetId=found.identifier)

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Address ranges without the bits after the prefix."""
        if name in ("CidrBlock", "Ipv6CidrBlock"):
            return ec2.network(wanted) == ec2.network(actual)
        return None

    def clashes(self, before: Properties, after: Properties) -> bool:
        """Whether both are in one VPC with the same addresses."""
        return before.get("VpcId") == after.get("VpcId") and super().clashes(before, after)

    def found_one(self, aws: Aws, item: Mapping[str, Any]) -> Found:  # noqa: ARG002
        """One describe call tells all."""
        identifier = str(item["SubnetId"])
        six = [
            each["Ipv6CidrBlock"]
            for each in item.get("Ipv6CidrBlockAssociationSet", ())
            if each.get("Ipv6CidrBlockState", {}).get("State") in ("associating", "associated")
        ]
        properties = ec2.told(item, *_MADE_WITH, *_SWITCHES) | {"Tags": template_tags(item.get("Tags"))}
        if six:
            properties["Ipv6CidrBlock"] = six[0]
        return Found(
            identifier=identifier,
            properties=properties,
            attributes={
                REF: identifier,
                "Ipv6CidrBlocks": six,
                **ec2.told(
                    item,
                    "SubnetId",
                    "AvailabilityZone",
                    "AvailabilityZoneId",
                    "CidrBlock",
                    "OutpostArn",
                    "VpcId",
                ),
            },
            condition=_CONDITIONS.get(item.get("State", ""), Condition.READY),
            detail=str(item.get("State", "")),
            marks=marks_of(item.get("Tags")),
        )


_CONDITIONS: Final = {
    "pending": Condition.BUSY,
    "failed": Condition.FAILED,
    "failed-insufficient-capacity": Condition.FAILED,
}

HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (Subnet(),)}
