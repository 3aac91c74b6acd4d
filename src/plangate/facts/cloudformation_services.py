"""Identities, load balancers, keys, clusters, functions, registries and logs of CloudFormation.

As the Terraform provider has them.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html and those of the other
services.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from plangate.facts.base import Raw, Values, text
from plangate.facts.cloudformation_shape import Attribute, Block, Coded, Part, Twin, member
from plangate.model.values import UNKNOWN

_INLINE: Final = Block("inline_policy", {"PolicyName": "name", "PolicyDocument": "policy"})
_ACTION: Final[Mapping[str, Attribute]] = {
    "Type": "type",
    "RedirectConfig": Block("redirect", {"Protocol": "protocol"}),
}


def _is_internal(scheme: Raw) -> Raw:
    """``internet-facing`` is the default.

    Source:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-loadbalancer.html
    """
    return scheme == "internal" if isinstance(scheme, str) else UNKNOWN


def _key_type(given: Values) -> str:
    """Only keys whose material KMS makes rotate; imported material does not, nor what a key store outside holds."""
    origin = member(given, "Origin")
    return "aws_kms_key" if origin in (None, "", "AWS_KMS", UNKNOWN) else "aws_kms_external_key"


def _key(given: Values, values: dict[str, Any]) -> None:
    if member(given, "Origin") is UNKNOWN:
        # It may turn out to be a key that cannot rotate.
        values["custom_key_store_id"] = UNKNOWN


def _permission_set(given: Values, values: dict[str, Any]) -> None:
    own = member(given, "InlinePolicy")
    if own is not None:
        values["inline_policy"] = [{"policy": own}]


def _function_parts(given: Values) -> Iterator[Part]:
    """A function of SAM with a URL of its own.

    Source:
    https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-functionurlconfig.html
    """
    config = member(given, "FunctionUrlConfig")
    if config is not None:
        kind = text(member(config, "AuthType"))
        yield Part("aws_lambda_function_url", "function_name", {"authorization_type": kind})


_POLICY: Final[Mapping[str, Attribute]] = {"PolicyDocument": "policy"}
_IDENTITY: Final = Twin(
    # The one type of the provider whose policies may be written into it: groups and users are judged like roles.
    type="aws_iam_role",
    members={"Policies": _INLINE, "ManagedPolicyArns": "managed_policy_arns"},
)
_BALANCER: Final[Mapping[str, Attribute]] = {"Scheme": Coded("internal", _is_internal)}

TWINS: Final[Mapping[str, Twin]] = {
    "AWS::IAM::ManagedPolicy": Twin(
        type="aws_iam_policy", members={**_POLICY, "ManagedPolicyName": "name"}, tags=""
    ),
    "AWS::IAM::Policy": Twin(type="aws_iam_role_policy", members=_POLICY, tags=""),
    "AWS::IAM::RolePolicy": Twin(type="aws_iam_role_policy", members=_POLICY, tags=""),
    "AWS::IAM::UserPolicy": Twin(type="aws_iam_user_policy", members=_POLICY, tags=""),
    "AWS::IAM::GroupPolicy": Twin(type="aws_iam_group_policy", members=_POLICY, tags=""),
    "AWS::IAM::Role": _IDENTITY,
    "AWS::IAM::User": _IDENTITY,
    "AWS::IAM::Group": Twin(type=_IDENTITY.type, members=_IDENTITY.members, tags=""),
    "AWS::SSO::PermissionSet": Twin(
        type="aws_iam_role",
        members={"ManagedPolicies": "managed_policy_arns"},
        adjust=_permission_set,
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Twin(
        type="aws_lb", members={**_BALANCER, "Type": "load_balancer_type", "Name": "name"}
    ),
    "AWS::ElasticLoadBalancingV2::Listener": Twin(
        type="aws_lb_listener",
        members={
            "LoadBalancerArn": "load_balancer_arn",
            "Protocol": "protocol",
            "DefaultActions": Block("default_action", _ACTION),
        },
        tags="",
    ),
    "AWS::ElasticLoadBalancingV2::ListenerRule": Twin(
        type="aws_lb_listener_rule",
        members={"ListenerArn": "listener_arn", "Actions": Block("action", _ACTION)},
        tags="",
    ),
    "AWS::ElasticLoadBalancing::LoadBalancer": Twin(
        type="aws_elb",
        members={**_BALANCER, "Listeners": Block("listener", {"Protocol": "lb_protocol"})},
    ),
    "AWS::KMS::Key": Twin(
        type=_key_type,
        members={
            "EnableKeyRotation": "enable_key_rotation",
            "KeySpec": "customer_master_key_spec",
            "KeyUsage": "key_usage",
        },
        adjust=_key,
    ),
    "AWS::KMS::ReplicaKey": Twin(type="aws_kms_replica_key"),
    "AWS::EKS::Cluster": Twin(
        type="aws_eks_cluster",
        members={
            "Name": "name",
            "ResourcesVpcConfig": Block(
                "vpc_config",
                {
                    "EndpointPublicAccess": "endpoint_public_access",
                    "PublicAccessCidrs": "public_access_cidrs",
                },
            ),
            "EncryptionConfig": Block("encryption_config", {"Resources": "resources"}),
        },
    ),
    "AWS::Lambda::Function": Twin(type="aws_lambda_function", members={"FunctionName": "function_name"}),
    "AWS::Serverless::Function": Twin(
        type="aws_lambda_function", members={"FunctionName": "function_name"}, parts=_function_parts
    ),
    "AWS::Lambda::Url": Twin(
        type="aws_lambda_function_url",
        members={"TargetFunctionArn": "function_name", "AuthType": "authorization_type"},
        tags="",
    ),
    "AWS::ECR::Repository": Twin(
        type="aws_ecr_repository",
        members={
            "ImageTagMutability": "image_tag_mutability",
            "ImageScanningConfiguration": Block(
                "image_scanning_configuration", {"ScanOnPush": "scan_on_push"}
            ),
        },
    ),
    "AWS::Logs::LogGroup": Twin(
        type="aws_cloudwatch_log_group",
        members={
            "LogGroupName": "name",
            "KmsKeyId": "kms_key_id",
            "RetentionInDays": "retention_in_days",
        },
    ),
}
