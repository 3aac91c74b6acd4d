"""Scaling policies of Auto Scaling groups.

Sources: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScalingPolicy.html and
API_DescribePolicies.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.errors import ExecutionError
from plangate.executor.aws.base import REF, BaseHandler, Found, Handler, Mark, Properties
from plangate.executor.aws.calls import call
from plangate.executor.aws.clients import Aws, code_of
from plangate.executor.aws.names import generated_name

_NAME_LENGTH: Final = 255
_GENERATED: Final = re.compile("-[0-9a-f]{12}")
_AT_ONCE: Final = 50
"""Policies that one call asks for."""
_CHANGED_IN_PLACE: Final = (
    "AdjustmentType", "Cooldown", "EstimatedInstanceWarmup", "MetricAggregationType", "MinAdjustmentMagnitude",
    "PolicyType", "ScalingAdjustment", "StepAdjustments", "TargetTrackingConfiguration",
)  # fmt: skip


class ScalingPolicy(BaseHandler):
    """``AWS::AutoScaling::ScalingPolicy``, except predictive ones. Its name is made from the creation's token."""

    type: ClassVar[str] = "AWS::AutoScaling::ScalingPolicy"
    supported: ClassVar[frozenset[str]] = frozenset({*_CHANGED_IN_PLACE, "AutoScalingGroupName"})
    updatable: ClassVar[frozenset[str]] = frozenset(_CHANGED_IN_PLACE)
    defaults: ClassVar[Properties] = {}
    part_of: ClassVar[str] = "AutoScalingGroupName"
    whole: ClassVar[str] = "AWS::AutoScaling::AutoScalingGroup"
    key: ClassVar[frozenset[str]] = frozenset({"AutoScalingGroupName"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for fifty."""
        names = sorted({_name_in(each) for each in identifiers})
        found = [
            _found(item)
            for start in range(0, len(names), _AT_ONCE)
            for item in _policies(aws, names[start : start + _AT_ONCE])
        ]
        return {each.identifier: each for each in found if each.identifier in identifiers}

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call, and one more if that says no ARN."""
        made = _put(aws, generated_name(mark, _NAME_LENGTH), properties) or self.find(aws, properties, mark)
        if not made:
            raise ExecutionError(f"{mark.logical_id}: AWS made a scaling policy and does not tell of it")
        return made

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """The one of this creation's name, in the same group."""
        for item in _policies(aws, [generated_name(mark, _NAME_LENGTH)]):
            if item["AutoScalingGroupName"] == properties["AutoScalingGroupName"]:
                return str(item["PolicyARN"])
        return None

    def within(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """The policy of this group whose name was made for this logical id, if there is one and no other."""
        group = str(properties["AutoScalingGroupName"])
        start = generated_name(mark, _NAME_LENGTH).rpartition("-")[0]
        found = [
            str(item["PolicyARN"])
            for item in aws.pages(
                "autoscaling", "describe_policies", "ScalingPolicies", AutoScalingGroupName=group
            )
            if _GENERATED.fullmatch(str(item["PolicyName"]).removeprefix(start))
        ]
        return found[0] if len(found) == 1 else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call, which says all of it again."""
        if changed:
            _put(aws, _name_in(found.identifier), properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        group, name = str(found.properties["AutoScalingGroupName"]), _name_in(found.identifier)
        try:
            call(aws, "autoscaling", "DeletePolicy", AutoScalingGroupName=group, PolicyName=name)
        except Exception as error:
            # It says so of a policy that is gone, also with its group.
            if code_of(error) != "ValidationError" or self.read(aws, [found.identifier]):
                raise


def _put(aws: Aws, name: str, properties: Properties) -> str:
    made = call(aws, "autoscaling", "PutScalingPolicy", PolicyName=name, **properties)
    return str(made.get("PolicyARN") or "")


def _policies(aws: Aws, names: Sequence[str]) -> list[Any]:
    if not names:
        return []  # no names mean every policy
    return aws.pages("autoscaling", "describe_policies", "ScalingPolicies", PolicyNames=list(names))


def _name_in(arn: str) -> str:
    return arn.rpartition(":policyName/")[2]


def _found(item: Mapping[str, Any]) -> Found:
    arn = str(item["PolicyARN"])
    told = {name: item[name] for name in _CHANGED_IN_PLACE if item.get(name) not in (None, "", [], {})}
    return Found(
        identifier=arn,
        properties={**told, "AutoScalingGroupName": item["AutoScalingGroupName"]},
        attributes={REF: arn, "Arn": arn, "PolicyName": item["PolicyName"]},
    )


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (ScalingPolicy(),)}
