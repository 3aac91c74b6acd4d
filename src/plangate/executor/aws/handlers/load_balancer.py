"""Load balancers: application, network and gateway.

Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html,
API_ModifyLoadBalancerAttributes.html and API_SetSubnets.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.base import REF, BaseHandler, Condition, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws, is_gone
from plangate.executor.aws.difference import covers
from plangate.executor.aws.handlers import elbv2
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.tagged import owned_by_tag
from plangate.executor.aws.tags import marks_of, template_tags, wanted_tags

_LISTED: Final = ("describe_load_balancers", "LoadBalancers")
_MADE_WITH: Final = ("IpAddressType", "Scheme", "SecurityGroups", "SubnetMappings", "Subnets", "Type")
_CONDITIONS: Final = {"provisioning": Condition.BUSY, "failed": Condition.FAILED}
_INTO: Final = ":loadbalancer/"


class LoadBalancer(BaseHandler):
    """``AWS::ElasticLoadBalancingV2::LoadBalancer``. Attributes that its template leaves out are nobody's business."""

    type: ClassVar[str] = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {"read": frozenset({"tag:GetResources"})}
    supported: ClassVar[frozenset[str]] = frozenset({*_MADE_WITH, "LoadBalancerAttributes", "Name", "Tags"})
    updatable: ClassVar[frozenset[str]] = supported - {"Name", "Scheme", "Type"}
    names: ClassVar[frozenset[str]] = frozenset({"Name"})
    patience_s: ClassVar[float] = 900.0

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for twenty, one for their tags, and one for each: attributes are told one by one only."""
        items = elbv2.described(aws, *_LISTED, "LoadBalancerArns", identifiers)
        tags = elbv2.tags_of(aws, [str(item["LoadBalancerArn"]) for item in items])
        found = [self._found(aws, item, tags.get(str(item["LoadBalancerArn"]), [])) for item in items]
        return {each.identifier: each for each in found if each is not None}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags."""
        return owned_by_tag(
            aws, self, "elasticloadbalancing", owner, lambda arn: arn if _INTO in arn else None
        )

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """Attributes follow as an update: CreateLoadBalancer does not take them."""
        made = elbv2.call(
            aws,
            "CreateLoadBalancer",
            Name=_name(properties, mark),
            Tags=wanted_tags(properties, mark),
            **{name: properties[name] for name in _MADE_WITH if properties.get(name)},
        )
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """The one of this name, if it carries the mark."""
        items = elbv2.described(aws, *_LISTED, "Names", [_name(properties, mark)])
        return elbv2.with_mark(aws, [str(item["LoadBalancerArn"]) for item in items], mark)

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for each property, as AWS wants it."""
        arn = found.identifier
        if "LoadBalancerAttributes" in changed:
            asked = elbv2.asked_attributes(properties.get("LoadBalancerAttributes", ()))
            elbv2.call(aws, "ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=asked)
        if "SecurityGroups" in changed:
            groups = list(properties["SecurityGroups"])
            elbv2.call(aws, "SetSecurityGroups", LoadBalancerArn=arn, SecurityGroups=groups)
        for name in ("SubnetMappings", "Subnets"):
            if name in changed:
                elbv2.call(aws, "SetSubnets", LoadBalancerArn=arn, **{name: list(properties[name])})
        if "IpAddressType" in changed:
            kind = properties["IpAddressType"]
            elbv2.call(aws, "SetIpAddressType", LoadBalancerArn=arn, IpAddressType=kind)
        if "Tags" in changed:
            elbv2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call, with its listeners; AWS refuses when deletion protection is on.

        Its network interfaces go some minutes later, and hold subnets and security groups until then.
        """
        elbv2.quietly_gone(aws, "DeleteLoadBalancer", LoadBalancerArn=found.identifier)

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Sets of subnets and groups, and only those attributes that the template says."""
        if name == "LoadBalancerAttributes":
            return elbv2.same_attributes(wanted, actual)
        if name in ("SecurityGroups", "Subnets"):
            return sorted(map(str, wanted)) == sorted(map(str, actual))
        if name == "SubnetMappings":
            return _same_mappings(wanted, actual)
        return None

    @staticmethod
    def _found(aws: Aws, item: Mapping[str, Any], tags: Sequence[Any]) -> Found | None:
        arn = str(item["LoadBalancerArn"])
        try:
            attributes = elbv2.attributes_of(aws, "DescribeLoadBalancerAttributes", "LoadBalancerArn", arn)
        except Exception as error:
            if is_gone(error):
                return None
            raise
        zones = sorted(item.get("AvailabilityZones") or (), key=_subnet)
        state = item.get("State") or {}
        groups = sorted(item.get("SecurityGroups") or ())
        return Found(
            identifier=arn,
            properties={
                **{name: item[name] for name in ("IpAddressType", "Scheme", "Type") if item.get(name)},
                "LoadBalancerAttributes": attributes,
                "Name": item["LoadBalancerName"],
                **({"SecurityGroups": groups} if groups else {}),
                "SubnetMappings": [_mapping(each) for each in zones],
                "Subnets": [each["SubnetId"] for each in zones],
                "Tags": template_tags(tags),
            },
            attributes={
                REF: arn,
                "LoadBalancerArn": arn,
                "LoadBalancerFullName": arn.partition(_INTO)[2],
                "LoadBalancerName": item["LoadBalancerName"],
                "DNSName": item.get("DNSName", ""),
                "CanonicalHostedZoneID": item.get("CanonicalHostedZoneId", ""),
                "SecurityGroups": groups,
            },
            condition=_CONDITIONS.get(str(state.get("Code", "")), Condition.READY),
            detail=": ".join(str(state[key]) for key in ("Code", "Reason") if state.get(key)),
            marks=marks_of(tags),
        )


def _name(properties: Properties, mark: Mark) -> str:
    return str(properties.get("Name") or generated_name(mark, elbv2.NAME_LENGTH))


def _subnet(mapping: Mapping[str, Any]) -> str:
    return str(mapping.get("SubnetId", ""))


def _same_mappings(wanted: Sequence[Mapping[str, Any]], actual: Sequence[Mapping[str, Any]]) -> bool:
    asked, told = ({_subnet(each): each for each in some} for some in (wanted, actual))
    return asked.keys() == told.keys() and all(
        # Of a subnet whose address the load balancer chose for itself, AWS tells none.
        len(told[subnet]) == 1 or covers(each, told[subnet])
        for subnet, each in asked.items()
    )


def _mapping(zone: Mapping[str, Any]) -> dict[str, Any]:
    addresses = zone.get("LoadBalancerAddresses") or [{}]
    told = {name: addresses[0].get(name) for name in ("AllocationId", "IPv6Address", "PrivateIPv4Address")}
    return {"SubnetId": zone["SubnetId"], **{name: value for name, value in told.items() if value}}


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (LoadBalancer(),)}
