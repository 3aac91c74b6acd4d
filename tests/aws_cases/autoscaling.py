"""Auto Scaling groups."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case
from tests.aws_cases.network import image, new_subnet, new_vpc


def new_target_group(aws: Aws, vpc: str, name: str) -> str:
    """A target group's ARN."""
    made = aws.client("elbv2").create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def _template(aws: Aws) -> dict[str, str]:
    ec2 = aws.client("ec2")
    data = {"ImageId": image(aws), "InstanceType": "t3.micro"}
    made = ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    identifier = str(made["LaunchTemplate"]["LaunchTemplateId"])
    ec2.create_launch_template_version(LaunchTemplateId=identifier, LaunchTemplateData=data)
    return {"LaunchTemplateId": identifier, "Version": "1"}


def _web(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    return {
        "AutoScalingGroupName": "web",
        "MinSize": "1",
        "MaxSize": "3",
        "DesiredCapacity": 2,
        "Cooldown": "120",
        "HealthCheckType": "ELB",
        "HealthCheckGracePeriod": "60",
        "LaunchTemplate": _template(aws),
        "VPCZoneIdentifier": [
            new_subnet(aws, vpc, 2, "eu-central-1b"),
            new_subnet(aws, vpc, 1, "eu-central-1a"),
        ],
        "TargetGroupARNs": [new_target_group(aws, vpc, "one")],
        "Tags": [{"Key": "owner", "Value": "web", "PropagateAtLaunch": "true"}],
    }


def _small(aws: Aws) -> dict[str, Any]:
    return {
        "MinSize": "0",
        "MaxSize": "1",
        "LaunchTemplate": _template(aws),
        "VPCZoneIdentifier": [new_subnet(aws, new_vpc(aws))],
    }


CASES: Final = (
    Case(
        type="AWS::AutoScaling::AutoScalingGroup",
        name="web",
        prepare=_web,
        changes=(
            {"MaxSize": "4", "DesiredCapacity": "3"},
            {"HealthCheckGracePeriod": 90},
            {"Tags": [{"Key": "owner", "Value": "web", "PropagateAtLaunch": False}]},
            {"Tags": [{"Key": "tier", "Value": "1", "PropagateAtLaunch": True}]},
            {"TargetGroupARNs": None},
            {"Tags": None},
        ),
        absent=("missing",),
    ),
    Case(type="AWS::AutoScaling::AutoScalingGroup", name="without a name", prepare=_small),
)
