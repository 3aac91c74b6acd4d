"""Scaling policies."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case
from tests.aws_cases.network import image, new_subnet, new_vpc


def _group(aws: Aws) -> str:
    made = aws.client("ec2").create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": image(aws), "InstanceType": "t3.micro"}
    )
    aws.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=0,
        MaxSize=1,
        LaunchTemplate={"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"},
        VPCZoneIdentifier=new_subnet(aws, new_vpc(aws)),
    )
    return "web"


def _tracking(target: Any, metric: str = "ASGAverageCPUUtilization") -> dict[str, Any]:
    return {"PredefinedMetricSpecification": {"PredefinedMetricType": metric}, "TargetValue": target}


def _target(aws: Aws) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": _group(aws),
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingConfiguration": _tracking("60"),
    }


def _simple(aws: Aws) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": _group(aws),
        "PolicyType": "SimpleScaling",
        "AdjustmentType": "ChangeInCapacity",
        "ScalingAdjustment": "1",
        "Cooldown": "60",
    }


CASES: Final = (
    Case(
        type="AWS::AutoScaling::ScalingPolicy",
        name="that tracks a target",
        prepare=_target,
        changes=({"TargetTrackingConfiguration": _tracking(75.5)},),
        tagged=False,
        absent=(
            "arn:aws:autoscaling:eu-central-1:123456789012:scalingPolicy:x:autoScalingGroupName/web:policyName/none",
        ),
    ),
    Case(
        type="AWS::AutoScaling::ScalingPolicy",
        name="simple",
        prepare=_simple,
        changes=({"ScalingAdjustment": 2, "Cooldown": "90"},),
        tagged=False,
    ),
)
