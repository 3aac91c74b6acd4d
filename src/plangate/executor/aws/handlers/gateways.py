"""Ways out of a VPC: internet gateways and their attachments, NAT gateways, public addresses.

Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html, API_AllocateAddress.html and
API_AttachInternetGateway.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.base import REF, BaseHandler, Condition, Found, Handler, Mark, Properties
from plangate.executor.aws.clients import Aws, code_of
from plangate.executor.aws.handlers import ec2
from plangate.executor.aws.tags import marks_of, template_tags

_ATTACHMENT: Final = "IGW|"


class InternetGateway(ec2.Ec2Handler):
    """``AWS::EC2::InternetGateway``."""

    type: ClassVar[str] = "AWS::EC2::InternetGateway"
    supported: ClassVar[frozenset[str]] = frozenset({"Tags"})
    listing: ClassVar[ec2.Listing] = ec2.Listing(
        operation="describe_internet_gateways",
        result="InternetGateways",
        key="InternetGatewayId",
        filter="internet-gateway-id",
        kind="internet-gateway",
    )

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call."""
        made = ec2.call(aws, "CreateInternetGateway", **self.tagging(properties, mark))
        return str(made["InternetGateway"]["InternetGatewayId"])

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """Tags alone."""
        if "Tags" in changed:
            ec2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call; AWS refuses while the gateway is attached."""
        ec2.quietly_gone(aws, "DeleteInternetGateway", InternetGatewayId=found.identifier)

    def found_one(self, aws: Aws, item: Mapping[str, Any]) -> Found:  # noqa: ARG002
        """Tags are all that it has."""
        identifier = str(item["InternetGatewayId"])
        return Found(
            identifier=identifier,
            properties={"Tags": template_tags(item.get("Tags"))},
            attributes={REF: identifier, "InternetGatewayId": identifier},
            marks=marks_of(item.get("Tags")),
        )


class GatewayAttachment(BaseHandler):
    """``AWS::EC2::VPCGatewayAttachment`` of an internet gateway; one of a VPN gateway is not supported.

    A VPC has one internet gateway at most: another one is attached after the old one is taken off.
    """

    type: ClassVar[str] = "AWS::EC2::VPCGatewayAttachment"
    supported: ClassVar[frozenset[str]] = frozenset({"InternetGatewayId", "VpcId"})
    updatable: ClassVar[frozenset[str]] = frozenset()
    defaults: ClassVar[Properties] = {}
    names: ClassVar[frozenset[str]] = frozenset({"InternetGatewayId", "VpcId"})
    part_of: ClassVar[str] = "VpcId"
    whole: ClassVar[str] = "AWS::EC2::VPC"
    key: ClassVar[frozenset[str]] = frozenset({"VpcId"})
    patience_s: ClassVar[float] = 900.0

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for all."""
        vpcs = [each.removeprefix(_ATTACHMENT) for each in identifiers]
        gateways = ec2.described(
            aws, "describe_internet_gateways", "InternetGateways", "attachment.vpc-id", vpcs
        )
        found = (self._found(item, each) for item in gateways for each in item.get("Attachments", ()))
        return {each.identifier: each for each in found if each.identifier in identifiers}

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:  # noqa: ARG002
        """One call."""
        ec2.call(
            aws,
            "AttachInternetGateway",
            InternetGatewayId=properties["InternetGatewayId"],
            VpcId=properties["VpcId"],
        )
        return f"{_ATTACHMENT}{properties['VpcId']}"

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """The attachment of this very gateway to this very VPC."""
        identifier = f"{_ATTACHMENT}{properties['VpcId']}"
        found = self.read(aws, [identifier]).get(identifier)
        wanted = properties["InternetGatewayId"]
        return identifier if found is not None and found.properties["InternetGatewayId"] == wanted else None

    def within(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """The attachment to this VPC, which has one at most."""
        return f"{_ATTACHMENT}{properties['VpcId']}"

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """Nothing of it can be changed."""

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        try:
            ec2.call(
                aws,
                "DetachInternetGateway",
                InternetGatewayId=found.properties["InternetGatewayId"],
                VpcId=found.properties["VpcId"],
            )
        except Exception as error:
            if code_of(error) not in ("Gateway.NotAttached", "InvalidInternetGatewayID.NotFound"):
                raise

    @staticmethod
    def _found(gateway: Mapping[str, Any], attachment: Mapping[str, Any]) -> Found:
        identifier = f"{_ATTACHMENT}{attachment['VpcId']}"
        state = str(attachment.get("State", ""))
        return Found(
            identifier=identifier,
            properties={
                "InternetGatewayId": gateway["InternetGatewayId"],
                "VpcId": attachment["VpcId"],
            },
            attributes={REF: identifier, "AttachmentType": "IGW", "VpcId": attachment["VpcId"]},
            condition=Condition.BUSY if state in ("attaching", "detaching") else Condition.READY,
            detail=state,
        )


class Address(ec2.Ec2Handler):
    """``AWS::EC2::EIP``: a public address, of an instance if the template says so."""

    type: ClassVar[str] = "AWS::EC2::EIP"
    supported: ClassVar[frozenset[str]] = frozenset({
        "Domain", "InstanceId", "NetworkBorderGroup", "PublicIpv4Pool", "Tags",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = frozenset({"InstanceId", "Tags"})
    listing: ClassVar[ec2.Listing] = ec2.Listing(
        operation="describe_addresses",
        result="Addresses",
        key="AllocationId",
        filter="allocation-id",
        kind="elastic-ip",
    )

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for all, by the second part of the identifier."""
        return super().read(aws, [each.rpartition("|")[2] for each in identifiers])

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """Its instance follows as an update: AllocateAddress does not take it."""
        made = ec2.call(
            aws,
            "AllocateAddress",
            Domain="vpc",
            **ec2.chosen(properties, "NetworkBorderGroup", "PublicIpv4Pool"),
            **self.tagging(properties, mark),
        )
        return f"{made['PublicIp']}|{made['AllocationId']}"

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """An instance takes the address over from the one that has it."""
        allocation = found.attributes["AllocationId"]
        if "InstanceId" in changed and properties.get("InstanceId"):
            ec2.call(
                aws,
                "AssociateAddress",
                AllocationId=allocation,
                InstanceId=properties["InstanceId"],
                AllowReassociation=True,
            )
        if "Tags" in changed:
            ec2.retag(aws, found, properties, identifier=allocation)

    def delete(self, aws: Aws, found: Found) -> None:
        """Taken from its instance first. AWS refuses while anything else, e.g. a NAT gateway, uses it."""
        allocation = found.attributes["AllocationId"]
        for item in ec2.described(aws, "describe_addresses", "Addresses", "allocation-id", [allocation]):
            if item.get("AssociationId") and item.get("InstanceId"):
                ec2.quietly_gone(aws, "DisassociateAddress", AssociationId=item["AssociationId"])
            ec2.quietly_gone(aws, "ReleaseAddress", AllocationId=allocation)

    def found_one(self, aws: Aws, item: Mapping[str, Any]) -> Found:  # noqa: ARG002
        """One describe call tells all."""
        return Found(
            identifier=f"{item['PublicIp']}|{item['AllocationId']}",
            properties={
                "Domain": "vpc",
                **ec2.told(item, "InstanceId", "NetworkBorderGroup", "PublicIpv4Pool"),
                "Tags": template_tags(item.get("Tags")),
            },
            attributes={
                REF: item["PublicIp"],
                "PublicIp": item["PublicIp"],
                "AllocationId": item["AllocationId"],
            },
            marks=marks_of(item.get("Tags")),
        )


class NatGateway(ec2.Ec2Handler):
    """``AWS::EC2::NatGateway`` in one subnet, with one address."""

    type: ClassVar[str] = "AWS::EC2::NatGateway"
    supported: ClassVar[frozenset[str]] = frozenset({
        "AllocationId", "ConnectivityType", "PrivateIpAddress", "SubnetId", "Tags",
    })  # fmt: skip
    names: ClassVar[frozenset[str]] = frozenset({"AllocationId", "PrivateIpAddress"})
    patience_s: ClassVar[float] = 900.0
    listing: ClassVar[ec2.Listing] = ec2.Listing(
        operation="describe_nat_gateways",
        result="NatGateways",
        key="NatGatewayId",
        filter="nat-gateway-id",
        kind="natgateway",
    )

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call, with a client token."""
        made = ec2.call(
            aws,
            "CreateNatGateway",
            ClientToken=mark.token,
            **ec2.chosen(properties, "AllocationId", "ConnectivityType", "PrivateIpAddress", "SubnetId"),
            **self.tagging(properties, mark),
        )
        return str(made["NatGateway"]["NatGatewayId"])

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """Tags alone."""
        if "Tags" in changed:
            ec2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call; the gateway is ``deleting`` for some minutes, and holds its address until then."""
        ec2.quietly_gone(aws, "DeleteNatGateway", NatGatewayId=found.identifier)

    def found_one(self, aws: Aws, item: Mapping[str, Any]) -> Found | None:  # noqa: ARG002
        """AWS tells of a deleted one for an hour; that is none."""
        state = str(item.get("State", ""))
        if state == "deleted":
            return None
        identifier = str(item["NatGatewayId"])
        addresses = item.get("NatGatewayAddresses") or [{}]
        first = next((each for each in addresses if each.get("IsPrimary")), addresses[0])
        private = {"PrivateIpAddress": first["PrivateIp"]} if first.get("PrivateIp") else {}
        return Found(
            identifier=identifier,
            properties={
                "ConnectivityType": item.get("ConnectivityType") or "public",
                **ec2.told(item, "SubnetId"),
                **ec2.told(first, "AllocationId"),
                **private,
                "Tags": template_tags(item.get("Tags")),
            },
            attributes={
                REF: identifier,
                "NatGatewayId": identifier,
                **({"EniId": first["NetworkInterfaceId"]} if first.get("NetworkInterfaceId") else {}),
            },
            condition=_STATES.get(state, Condition.READY),
            detail=": ".join(part for part in (state, str(item.get("FailureMessage") or "")) if part),
            marks=marks_of(item.get("Tags")),
        )


_STATES: Final = {
    "pending": Condition.BUSY, "deleting": Condition.BUSY, "failed": Condition.FAILED,
}  # fmt: skip

HANDLERS: Final[Mapping[str, Handler]] = {
    each.type: each for each in (InternetGateway(), GatewayAttachment(), Address(), NatGateway())
}
