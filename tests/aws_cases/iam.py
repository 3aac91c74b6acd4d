"""Roles, policies and profiles."""

import json
from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case

_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}


def _document(*actions: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "arn:aws:s3:::shop-orders/*"}],
    }


def _managed(aws: Aws, name: str) -> str:
    made = aws.client("iam").create_policy(
        PolicyName=name, PolicyDocument=json.dumps(_document("s3:GetObject"))
    )
    return str(made["Policy"]["Arn"])


def _roles(aws: Aws, *names: str) -> list[str]:
    for name in names:
        aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))
    return list(names)


def _role(aws: Aws) -> dict[str, Any]:
    _managed(aws, "c")
    return {
        "RoleName": "web",
        "Path": "/shop/",
        "Description": "of the web tier",
        "AssumeRolePolicyDocument": _TRUST,
        "ManagedPolicyArns": [_managed(aws, "b"), _managed(aws, "a")],
        "MaxSessionDuration": "7200",
        "PermissionsBoundary": _managed(aws, "boundary"),
        "Policies": [
            {"PolicyName": "write", "PolicyDocument": _document("s3:PutObject")},
            {"PolicyName": "read", "PolicyDocument": json.dumps(_document("s3:GetObject"))},
        ],
        "Tags": [{"Key": "owner", "Value": "web"}],
    }


def _plain_role(_: Aws) -> dict[str, Any]:
    return {"AssumeRolePolicyDocument": _TRUST}


def _policy(aws: Aws) -> dict[str, Any]:
    return {
        "PolicyName": "read",
        "PolicyDocument": _document("s3:GetObject"),
        "Roles": _roles(aws, "web", "batch"),
    }


def _managed_policy(aws: Aws) -> dict[str, Any]:
    return {
        "ManagedPolicyName": "read",
        "Path": "/shop/",
        "PolicyDocument": _document("s3:GetObject"),
        "Roles": _roles(aws, "web"),
    }


def _profile(aws: Aws) -> dict[str, Any]:
    return {"InstanceProfileName": "web", "Path": "/shop/", "Roles": _roles(aws, "web")}


CASES: Final = (
    Case(
        type="AWS::IAM::InstanceProfile",
        prepare=_profile,
        many_calls=2,
        absent=("not-there",),
    ),
    Case(
        type="AWS::IAM::ManagedPolicy",
        prepare=_managed_policy,
        changes=(
            {"PolicyDocument": _document("s3:GetObject", "s3:ListBucket")},
            *({"PolicyDocument": _document(f"s3:Get{i}")} for i in range(5)),
            {"Roles": None},
        ),
        many_calls=None,
    ),
    Case(
        type="AWS::IAM::Policy",
        prepare=_policy,
        changes=({"PolicyDocument": _document("s3:GetObject", "s3:ListBucket")},),
        tagged=False,
        many_calls=None,
    ),
    Case(
        type="AWS::IAM::Role",
        prepare=_role,
        changes=(
            {"Policies": [{"PolicyName": "read", "PolicyDocument": _document("s3:Get*")}]},
            {"Policies": None, "ManagedPolicyArns": ["arn:aws:iam::123456789012:policy/c"]},
            {"ManagedPolicyArns": None},
            {"Description": None, "MaxSessionDuration": None},
            {"AssumeRolePolicyDocument": {**_TRUST, "Id": "other"}},
            {"Tags": [{"Key": "owner", "Value": "data"}]},
            {"Tags": None},
        ),
        many_calls=None,
    ),
    Case(type="AWS::IAM::Role", name="plain", prepare=_plain_role, many_calls=None),
)
