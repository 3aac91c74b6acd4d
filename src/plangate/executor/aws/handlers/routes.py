"""Route tables, their routes, and the subnets that use them.

Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html, API_ReplaceRoute.html and
API_AssociateRouteTable.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.base import REF, BaseHandler, Condition, Found, Handler, Mark, Properties
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers import ec2
from plangate.executor.aws.tags import marks_of, template_tags

_TABLES: Final = ("describe_route_tables", "RouteTables")
_DESTINATIONS: Final = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_TARGETS: Final = (
    "EgressOnlyInternetGatewayId", "GatewayId", "InstanceId", "NatGatewayId", "NetworkInterfaceId", "TransitGatewayId",
    "VpcEndpointId", "VpcPeeringConnectionId",
)  # fmt: skip
_ENDPOINT: Final = "vpce-"


class RouteTable(ec2.Ec2Handler):
    """``AWS::EC2::RouteTable``; its routes are resources of their own."""

    type: ClassVar[str] = "AWS::EC2::RouteTable"
    supported: ClassVar[frozenset[str]] = frozenset({"Tags", "VpcId"})
    listing: ClassVar[ec2.Listing] = ec2.Listing(
        operation=_TABLES[0],
        result=_TABLES[1],
        key="RouteTableId",
        filter="route-table-id",
        kind="route-table",
    )

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call, with a client token."""
        made = ec2.call(
            aws,
            "CreateRouteTable",
            VpcId=properties["VpcId"],
            ClientToken=mark.token,
            **self.tagging(properties, mark),
        )
        return str(made["RouteTable"]["RouteTableId"])

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """Tags alone."""
        if "Tags" in changed:
            ec2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        ec2.quietly_gone(aws, "DeleteRouteTable", RouteTableId=found.identifier)

    def found_one(self, aws: Aws, item: Mapping[str, Any]) -> Found:  # noqa: ARG002
        """One describe call tells all."""
        identifier = str(item["RouteTableId"])
        return Found(
            identifier=identifier,
            properties={"VpcId": item["VpcId"], "Tags": template_tags(item.get("Tags"))},
            attributes={REF: identifier, "RouteTableId": identifier},
            marks=marks_of(item.get("Tags")),
        )


class Route(BaseHandler):
    """``AWS::EC2::Route``, known by its table and its destination."""

    type: ClassVar[str] = "AWS::EC2::Route"
    supported: ClassVar[frozenset[str]] = frozenset({*_DESTINATIONS, *_TARGETS, "RouteTableId"})
    updatable: ClassVar[frozenset[str]] = frozenset(_TARGETS)
    defaults: ClassVar[Properties] = {}
    part_of: ClassVar[str] = "RouteTableId"
    whole: ClassVar[str] = "AWS::EC2::RouteTable"
    key: ClassVar[frozenset[str]] = frozenset({*_DESTINATIONS, "RouteTableId"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for up to 200 tables."""
        tables = sorted({each.partition("|")[0] for each in identifiers})
        found = (
            self._found(str(table["RouteTableId"]), route)
            for table in ec2.described(aws, *_TABLES, "route-table-id", tables)
            for route in table.get("Routes", ())
        )
        return {each.identifier: each for each in found if each.identifier in identifiers}

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:  # noqa: ARG002
        """One call."""
        ec2.call(aws, "CreateRoute", **ec2.chosen(properties, "RouteTableId", *_DESTINATIONS, *_TARGETS))
        return f"{properties['RouteTableId']}|{_destination(properties)}"

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """The route to this destination, if it goes where it was to go."""
        identifier = f"{properties['RouteTableId']}|{_destination(properties)}"
        found = self.read(aws, [identifier]).get(identifier)
        asked = ec2.chosen(properties, *_TARGETS)
        return identifier if found is not None and asked.items() <= found.properties.items() else None

    def within(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """The route of this table to this destination."""
        return f"{properties['RouteTableId']}|{_destination(properties)}"

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call that puts the new target in the place of the old one."""
        if changed:
            ec2.call(
                aws,
                "ReplaceRoute",
                **ec2.chosen(found.properties, "RouteTableId", *_DESTINATIONS),
                **ec2.chosen(properties, *_TARGETS),
            )

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        ec2.quietly_gone(aws, "DeleteRoute", **ec2.chosen(found.properties, "RouteTableId", *_DESTINATIONS))

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Address ranges without the bits after the prefix."""
        return ec2.network(wanted) == ec2.network(actual) if name in _DESTINATIONS else None

    def clashes(self, before: Properties, after: Properties) -> bool:
        """Whether both are to the same destination in the same table."""
        return before.get("RouteTableId") == after.get("RouteTableId") and (
            _destination(before) == _destination(after)
        )

    @staticmethod
    def _found(table: str, route: Mapping[str, Any]) -> Found:
        identifier = f"{table}|{_destination(route)}"
        targets = ec2.told(route, *_TARGETS)
        if str(targets.get("GatewayId", "")).startswith(_ENDPOINT):
            # EC2 takes an endpoint under one name and tells it under another.
            targets["VpcEndpointId"] = targets.pop("GatewayId")
        return Found(
            identifier=identifier,
            properties={"RouteTableId": table, **ec2.told(route, *_DESTINATIONS), **targets},
            attributes={REF: identifier, "CidrBlock": _destination(route)},
            detail=str(route.get("State", "")),
        )


def _destination(properties: Mapping[str, Any]) -> str:
    given = next((properties[name] for name in _DESTINATIONS if properties.get(name)), "")
    return ec2.network(given) if given else ""


class RouteTableAssociation(BaseHandler):
    """``AWS::EC2::SubnetRouteTableAssociation``: a subnet uses one table."""

    type: ClassVar[str] = "AWS::EC2::SubnetRouteTableAssociation"
    supported: ClassVar[frozenset[str]] = frozenset({"RouteTableId", "SubnetId"})
    updatable: ClassVar[frozenset[str]] = frozenset()
    defaults: ClassVar[Properties] = {}
    names: ClassVar[frozenset[str]] = frozenset({"SubnetId"})
    part_of: ClassVar[str] = "SubnetId"
    whole: ClassVar[str] = "AWS::EC2::Subnet"
    key: ClassVar[frozenset[str]] = frozenset({"SubnetId"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for all."""
        found = self._found_by(aws, "association.route-table-association-id", identifiers)
        return {each.identifier: each for each in found if each.identifier in identifiers}

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:  # noqa: ARG002
        """One call; it takes a subnet from the VPC's main table, and from no other."""
        made = ec2.call(
            aws,
            "AssociateRouteTable",
            RouteTableId=properties["RouteTableId"],
            SubnetId=properties["SubnetId"],
        )
        return str(made["AssociationId"])

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """The association of this very subnet with this very table."""
        for each in self._found_by(aws, "association.subnet-id", [properties["SubnetId"]]):
            if each.properties == ec2.chosen(properties, "RouteTableId", "SubnetId"):
                return each.identifier
        return None

    def within(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """The association of this subnet, which has one at most."""
        found = self._found_by(aws, "association.subnet-id", [properties["SubnetId"]])
        return next(
            (each.identifier for each in found if each.properties["SubnetId"] == properties["SubnetId"]), None
        )

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """Nothing of it can be changed."""

    def delete(self, aws: Aws, found: Found) -> None:
        """One call; the subnet then uses the VPC's main table."""
        ec2.quietly_gone(aws, "DisassociateRouteTable", AssociationId=found.identifier)

    @staticmethod
    def _found_by(aws: Aws, filter_name: str, values: Sequence[str]) -> list[Found]:
        return [
            Found(
                identifier=str(each["RouteTableAssociationId"]),
                properties={"RouteTableId": table["RouteTableId"], "SubnetId": each["SubnetId"]},
                attributes={
                    REF: each["RouteTableAssociationId"],
                    "Id": each["RouteTableAssociationId"],
                },
                condition=_ASSOCIATION.get(state, Condition.READY),
                detail=state,
            )
            for table in ec2.described(aws, *_TABLES, filter_name, values)
            for each in table.get("Associations", ())
            if each.get("SubnetId")
            and (state := str(each.get("AssociationState", {}).get("State", ""))) != "disassociated"
        ]


_ASSOCIATION: Final = {
    "associating": Condition.BUSY, "disassociating": Condition.BUSY, "failed": Condition.FAILED,
}  # fmt: skip

HANDLERS: Final[Mapping[str, Handler]] = {
    each.type: each for each in (RouteTable(), Route(), RouteTableAssociation())
}
