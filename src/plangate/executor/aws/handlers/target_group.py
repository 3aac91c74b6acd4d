"""Target groups.

Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html,
API_ModifyTargetGroup.html and API_DescribeTargetHealth.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.base import REF, BaseHandler, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws, is_gone
from plangate.executor.aws.handlers import elbv2
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.tagged import owned_by_tag
from plangate.executor.aws.tags import marks_of, template_tags, wanted_tags

_LISTED: Final = ("describe_target_groups", "TargetGroups")
_CHECK: Final = (
    "HealthCheckEnabled", "HealthCheckIntervalSeconds", "HealthCheckPath", "HealthCheckPort", "HealthCheckProtocol",
    "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "Matcher", "UnhealthyThresholdCount",
)  # fmt: skip
_FIXED: Final = ("IpAddressType", "Port", "Protocol", "ProtocolVersion", "TargetType", "VpcId")
_INTO: Final = ":targetgroup/"
_LEAVING: Final = "draining"


class TargetGroup(BaseHandler):
    """``AWS::ElasticLoadBalancingV2::TargetGroup``.

    Attributes and targets that its template leaves out are nobody's business: groups of instances register their own.
    """

    type: ClassVar[str] = "AWS::ElasticLoadBalancingV2::TargetGroup"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {"read": frozenset({"tag:GetResources"})}
    supported: ClassVar[frozenset[str]] = frozenset({
        *_CHECK, *_FIXED, "Name", "Tags", "TargetGroupAttributes", "Targets",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = frozenset({*_CHECK, "Tags", "TargetGroupAttributes", "Targets"})
    names: ClassVar[frozenset[str]] = frozenset({"Name"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for twenty, one for their tags, and two for each: attributes and targets are told one by one."""
        items = elbv2.described(aws, *_LISTED, "TargetGroupArns", identifiers)
        tags = elbv2.tags_of(aws, [str(item["TargetGroupArn"]) for item in items])
        found = [self._found(aws, item, tags.get(str(item["TargetGroupArn"]), [])) for item in items]
        return {each.identifier: each for each in found if each is not None}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags."""
        return owned_by_tag(
            aws, self, "elasticloadbalancing", owner, lambda arn: arn if _INTO in arn else None
        )

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """Attributes and targets follow as an update: CreateTargetGroup does not take them."""
        made = elbv2.call(
            aws,
            "CreateTargetGroup",
            Name=_name(properties, mark),
            Tags=wanted_tags(properties, mark),
            **{name: properties[name] for name in (*_CHECK, *_FIXED) if name in properties},
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """The one of this name, if it carries the mark."""
        items = elbv2.described(aws, *_LISTED, "Names", [_name(properties, mark)])
        return elbv2.with_mark(aws, [str(item["TargetGroupArn"]) for item in items], mark)

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for the health check, one for attributes, two for targets."""
        arn = found.identifier
        check = {name: properties[name] for name in _CHECK if name in changed and name in properties}
        if check:
            elbv2.call(aws, "ModifyTargetGroup", TargetGroupArn=arn, **check)
        if "TargetGroupAttributes" in changed:
            asked = elbv2.asked_attributes(properties.get("TargetGroupAttributes", ()))
            elbv2.call(aws, "ModifyTargetGroupAttributes", TargetGroupArn=arn, Attributes=asked)
        if "Targets" in changed:
            self._set_targets(aws, found, properties)
        if "Tags" in changed:
            elbv2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call; AWS refuses while a listener uses the group."""
        elbv2.quietly_gone(aws, "DeleteTargetGroup", TargetGroupArn=found.identifier)

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Only those attributes that the template says; targets with the group's port where they say none."""
        if name == "TargetGroupAttributes":
            return elbv2.same_attributes(wanted, actual)
        if name == "Targets":
            asked, there = _by_id(wanted), _by_id(actual)
            return asked.keys() == there.keys() and all(
                port in ("", there[target]) for target, port in asked.items()
            )
        return None

    @staticmethod
    def _set_targets(aws: Aws, found: Found, properties: Properties) -> None:
        arn, wanted = found.identifier, list(properties.get("Targets", ()))
        asked, there = _by_id(wanted), _by_id(_targets(aws, arn))
        if wanted:
            elbv2.call(aws, "RegisterTargets", TargetGroupArn=arn, Targets=wanted)
        gone = [
            {"Id": target, "Port": port} if port else {"Id": target}
            for target, port in there.items()
            if target not in asked or asked[target] not in ("", port)
        ]
        if gone:
            elbv2.call(aws, "DeregisterTargets", TargetGroupArn=arn, Targets=gone)

    @staticmethod
    def _found(aws: Aws, item: Mapping[str, Any], tags: Sequence[Any]) -> Found | None:
        arn = str(item["TargetGroupArn"])
        try:
            attributes = elbv2.attributes_of(aws, "DescribeTargetGroupAttributes", "TargetGroupArn", arn)
            targets = _targets(aws, arn)
        except Exception as error:
            if is_gone(error):
                return None
            raise
        return Found(
            identifier=arn,
            properties={
                **{name: item[name] for name in (*_CHECK, *_FIXED) if item.get(name) not in (None, "", {})},
                "Name": item["TargetGroupName"],
                "TargetGroupAttributes": attributes,
                "Targets": sorted(targets, key=lambda each: str(each["Id"])),
                "Tags": template_tags(tags),
            },
            attributes={
                REF: arn,
                "TargetGroupArn": arn,
                "TargetGroupFullName": arn.rpartition(":")[2],
                "TargetGroupName": item["TargetGroupName"],
                "LoadBalancerArns": sorted(item.get("LoadBalancerArns") or ()),
            },
            marks=marks_of(tags),
        )


def _name(properties: Properties, mark: Mark) -> str:
    return str(properties.get("Name") or generated_name(mark, elbv2.NAME_LENGTH))


def _targets(aws: Aws, arn: str) -> list[dict[str, Any]]:
    told = elbv2.call(aws, "DescribeTargetHealth", TargetGroupArn=arn)
    return [
        {
            name: each["Target"][name]
            for name in ("AvailabilityZone", "Id", "Port")
            if each["Target"].get(name)
        }
        for each in told.get("TargetHealthDescriptions") or ()
        if (each.get("TargetHealth") or {}).get("State") != _LEAVING
    ]


def _by_id(targets: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {str(each["Id"]): str(each.get("Port", "")) for each in targets}


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (TargetGroup(),)}
