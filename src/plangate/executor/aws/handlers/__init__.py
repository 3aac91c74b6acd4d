"""Handlers by type; a file is imported when one of its types is asked for."""

from importlib import import_module
from typing import Final

from plangate.executor.aws.base import Handler
from plangate.executor.aws.cloud_control import cloud_control
from plangate.executor.aws.schemas import Schemas

_FILES: Final[dict[str, tuple[str, ...]]] = {
    "autoscaling": ("AWS::AutoScaling::AutoScalingGroup",),
    "bucket_policy": ("AWS::S3::BucketPolicy",),
    "dynamodb": ("AWS::DynamoDB::Table",),
    "flow_logs": ("AWS::EC2::FlowLog",),
    "gateways": (
        "AWS::EC2::EIP",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::NatGateway",
        "AWS::EC2::VPCGatewayAttachment",
    ),
    "iam_policy": ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"),
    "iam_role": ("AWS::IAM::InstanceProfile", "AWS::IAM::Role"),
    "instance": ("AWS::EC2::Instance",),
    "kms": ("AWS::KMS::Alias", "AWS::KMS::Key"),
    "lambda_function": ("AWS::Lambda::Function",),
    "launch_template": ("AWS::EC2::LaunchTemplate",),
    "listener": ("AWS::ElasticLoadBalancingV2::Listener",),
    "load_balancer": ("AWS::ElasticLoadBalancingV2::LoadBalancer",),
    "logs": ("AWS::Logs::LogGroup",),
    "rds": ("AWS::RDS::DBInstance",),
    "rds_groups": ("AWS::RDS::DBParameterGroup", "AWS::RDS::DBSubnetGroup"),
    "routes": ("AWS::EC2::Route", "AWS::EC2::RouteTable", "AWS::EC2::SubnetRouteTableAssociation"),
    "s3": ("AWS::S3::Bucket",),
    "scaling_policy": ("AWS::AutoScaling::ScalingPolicy",),
    "security_groups": (
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
    ),
    "subnet": ("AWS::EC2::Subnet",),
    "target_group": ("AWS::ElasticLoadBalancingV2::TargetGroup",),
    "volumes": ("AWS::EC2::Volume", "AWS::EC2::VolumeAttachment"),
    "vpc": ("AWS::EC2::VPC",),
}
"""File to the types that its ``HANDLERS`` have."""

_OF_TYPE: Final = {kind: file for file, kinds in _FILES.items() for kind in kinds}


def handler_for(type_name: str) -> Handler | None:
    """The handler that is written for a type; ``None`` when there is none."""
    file = _OF_TYPE.get(type_name)
    if file is None:
        return None
    found: dict[str, Handler] = import_module(f"plangate.executor.aws.handlers.{file}").HANDLERS
    return found[type_name]


def handler_of(type_name: str, schemas: Schemas) -> Handler | None:
    """The handler of a type, or one that goes through Cloud Control API; ``None`` when that does not know it."""
    own = handler_for(type_name)
    if own is not None:
        return own
    schema = schemas.of(type_name)
    return None if schema is None else cloud_control(schema)


def handled_types() -> frozenset[str]:
    """Every type that has a handler."""
    return frozenset(_OF_TYPE)
