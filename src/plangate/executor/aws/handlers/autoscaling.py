"""Auto Scaling groups.

A group is ready when it exists: its instances come and go without us. What a change of its launch template means for
instances that run is the group's business, too: new ones get the new version.

Sources: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html,
API_UpdateAutoScalingGroup.html and API_DeleteAutoScalingGroup.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.base import (
    MARKS,
    REF,
    BaseHandler,
    Condition,
    Found,
    Handler,
    Mark,
    Owner,
    Properties,
)
from plangate.executor.aws.calls import call
from plangate.executor.aws.clients import Aws, code_of
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.tags import as_mapping, marks_of, tag_list

_NAME_LENGTH: Final = 255
_AT_ONCE: Final = 50
"""Groups that one call asks for."""
_KIND: Final = "auto-scaling-group"
_AS_THEY_ARE: Final[tuple[str, ...]] = (
    "AvailabilityZones", "CapacityRebalance", "DefaultInstanceWarmup", "DesiredCapacity", "HealthCheckGracePeriod",
    "HealthCheckType", "LaunchTemplate", "MaxInstanceLifetime", "MaxSize", "MinSize", "MixedInstancesPolicy",
    "NewInstancesProtectedFromScaleIn", "TerminationPolicies",
)  # fmt: skip
"""Properties that AWS takes and tells by their names."""
_TARGETS_AT_ONCE: Final = 10


class AutoScalingGroup(BaseHandler):
    """``AWS::AutoScaling::AutoScalingGroup`` with a launch template.

    A desired capacity that the template leaves out is the business of scaling policies.
    """

    type: ClassVar[str] = "AWS::AutoScaling::AutoScalingGroup"
    supported: ClassVar[frozenset[str]] = frozenset({
        *_AS_THEY_ARE, "AutoScalingGroupName", "Cooldown", "Tags", "TargetGroupARNs", "VPCZoneIdentifier",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = supported - {"AutoScalingGroupName"}
    defaults: ClassVar[Properties] = {"Tags": [], "TargetGroupARNs": []}
    names: ClassVar[frozenset[str]] = frozenset({"AutoScalingGroupName"})
    patience_s: ClassVar[float] = 1800.0

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for fifty."""
        items = [
            item
            for start in range(0, len(identifiers), _AT_ONCE)
            for item in _groups(aws, AutoScalingGroupNames=list(identifiers[start : start + _AT_ONCE]))
        ]
        return {str(item["AutoScalingGroupName"]): _found(item) for item in items}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags."""
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in owner.tags.items()]
        found = [_found(item) for item in _groups(aws, Filters=filters)]
        return [each for each in found if owner.tags.items() <= each.marks.items()]

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call."""
        name = _name(properties, mark)
        targets = (
            {"TargetGroupARNs": list(properties["TargetGroupARNs"])}
            if properties.get("TargetGroupARNs")
            else {}
        )
        call(
            aws,
            "autoscaling",
            "CreateAutoScalingGroup",
            AutoScalingGroupName=name,
            Tags=[*_asked_tags(name, properties.get("Tags")), *_asked_tags(name, _mark_tags(mark))],
            **_arguments(properties, frozenset(properties)),
            **targets,
        )
        return name

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """The group of this name, if it carries the mark."""
        name = _name(properties, mark)
        found = self.read(aws, [name]).get(name)
        return name if found is not None and mark.matches(found.marks) else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for what the group is, one each for target groups and tags that come or go."""
        name = found.identifier
        arguments = _arguments(properties, changed)
        if arguments:
            call(aws, "autoscaling", "UpdateAutoScalingGroup", AutoScalingGroupName=name, **arguments)
        if "TargetGroupARNs" in changed:
            # Asked for again: attaching or detaching twice is an error.
            there = _groups(aws, AutoScalingGroupNames=[name])
            before = set(there[0].get("TargetGroupARNs") or ()) if there else set()
            after = set(properties.get("TargetGroupARNs", ()))
            _targets(aws, "AttachLoadBalancerTargetGroups", name, sorted(after - before))
            _targets(aws, "DetachLoadBalancerTargetGroups", name, sorted(before - after))
        if "Tags" in changed:
            wanted = properties.get("Tags") or ()
            gone = set(as_mapping(found.properties.get("Tags"))) - set(as_mapping(wanted)) - MARKS
            if wanted:
                call(aws, "autoscaling", "CreateOrUpdateTags", Tags=_asked_tags(name, wanted))
            if gone:
                keys = [{"Key": key, "Value": ""} for key in sorted(gone)]
                call(aws, "autoscaling", "DeleteTags", Tags=_asked_tags(name, keys))

    def delete(self, aws: Aws, found: Found) -> None:
        """A group with instances is told to end them; AWS refuses its deletion until they are gone, for a while."""
        name = found.identifier
        groups = _groups(aws, AutoScalingGroupNames=[name])
        if not groups or _is_leaving(groups[0]):
            return
        if any(groups[0].get(each) for each in ("MinSize", "MaxSize", "DesiredCapacity")):
            call(
                aws,
                "autoscaling",
                "UpdateAutoScalingGroup",
                AutoScalingGroupName=name,
                MinSize=0,
                MaxSize=0,
                DesiredCapacity=0,
            )
        try:
            call(aws, "autoscaling", "DeleteAutoScalingGroup", AutoScalingGroupName=name)
        except Exception as error:
            # It says so when the group went in between.
            if code_of(error) != "ValidationError" or _groups(aws, AutoScalingGroupNames=[name]):
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Sets of zones, subnets and target groups; a launch template under the name that the template uses."""
        if name in ("AvailabilityZones", "TargetGroupARNs", "VPCZoneIdentifier"):
            return sorted(map(str, wanted)) == sorted(map(str, actual))
        return None


def _name(properties: Properties, mark: Mark) -> str:
    return str(properties.get("AutoScalingGroupName") or generated_name(mark, _NAME_LENGTH))


def _groups(aws: Aws, **arguments: Any) -> list[Any]:
    return aws.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", **arguments)


def _arguments(properties: Properties, names: frozenset[str]) -> dict[str, Any]:
    """Those properties, as both creation and update take them."""
    found: dict[str, Any] = {
        name: properties[name] for name in _AS_THEY_ARE if name in names and name in properties
    }
    if "Cooldown" in names and "Cooldown" in properties:
        found["DefaultCooldown"] = properties["Cooldown"]
    if "VPCZoneIdentifier" in names and "VPCZoneIdentifier" in properties:
        found["VPCZoneIdentifier"] = ",".join(map(str, properties["VPCZoneIdentifier"]))
    return found


def _targets(aws: Aws, operation: str, name: str, arns: Sequence[str]) -> None:
    for start in range(0, len(arns), _TARGETS_AT_ONCE):
        some = list(arns[start : start + _TARGETS_AT_ONCE])
        call(aws, "autoscaling", operation, AutoScalingGroupName=name, TargetGroupARNs=some)


def _mark_tags(mark: Mark) -> list[dict[str, Any]]:
    # Not on its instances: they are the group's, and come and go without a plan.
    return [{**tag, "PropagateAtLaunch": False} for tag in tag_list(mark.tags)]


def _asked_tags(name: str, tags: Any) -> list[dict[str, Any]]:
    return [
        {
            "ResourceId": name,
            "ResourceType": _KIND,
            "Key": tag["Key"],
            "Value": tag["Value"],
            "PropagateAtLaunch": str(tag.get("PropagateAtLaunch", False)).lower() == "true",
        }
        for tag in tags or ()
    ]


def _is_leaving(item: Mapping[str, Any]) -> bool:
    return bool(item.get("Status"))


def _found(item: Mapping[str, Any]) -> Found:
    name = str(item["AutoScalingGroupName"])
    told = {key: item[key] for key in _AS_THEY_ARE if item.get(key) not in (None, "", [], {})}
    for number in ("DesiredCapacity", "MaxSize", "MinSize"):
        told[number] = str(item.get(number, 0))
    subnets = [each.strip() for each in str(item.get("VPCZoneIdentifier") or "").split(",") if each.strip()]
    tags = [
        {"Key": each["Key"], "Value": each["Value"], "PropagateAtLaunch": bool(each.get("PropagateAtLaunch"))}
        for each in sorted(item.get("Tags") or (), key=lambda each: str(each["Key"]))
        if each["Key"] not in MARKS and not str(each["Key"]).startswith("aws:")
    ]
    return Found(
        identifier=name,
        properties={
            **told,
            "AutoScalingGroupName": name,
            **({"VPCZoneIdentifier": sorted(subnets)} if subnets else {}),
            **({"Cooldown": str(item["DefaultCooldown"])} if "DefaultCooldown" in item else {}),
            "TargetGroupARNs": sorted(item.get("TargetGroupARNs") or ()),
            "Tags": tags,
        },
        attributes={REF: name, "AutoScalingGroupARN": str(item.get("AutoScalingGroupARN", ""))},
        condition=Condition.BUSY if _is_leaving(item) else Condition.READY,
        detail=str(item.get("Status") or ""),
        marks=marks_of(item.get("Tags")),
    )


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (AutoScalingGroup(),)}
