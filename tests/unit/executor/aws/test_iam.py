"""Roles and the policies that others put on them, against the double."""

import json
from typing import Any, Final

import pytest

from plangate.errors import ExecutionError
from plangate.executor.aws.base import Found, Mark, Owner, token_of
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers.iam_policy import ManagedPolicy, Policy
from plangate.executor.aws.handlers.iam_role import Role
from tests.aws_server import AwsServer
from tests.aws_stub import stub_aws, stubbed

__all__ = ["stub_aws"]

pytestmark = pytest.mark.aws
MARK: Final = Mark(owner=Owner(environment="prod", stack="shop"), logical_id="It", token=token_of("one"))
DOCUMENT: Final[dict[str, Any]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"}],
}
TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@pytest.fixture
def aws(aws_account: AwsServer) -> Aws:
    return aws_account.aws()


def _role(aws: Aws) -> Found:
    name = Role().create(aws, {"RoleName": "web", "AssumeRolePolicyDocument": TRUST}, MARK)
    return Role().read(aws, [name])[name]


def test_a_policy_of_another_resource_is_not_the_roles_own(aws: Aws) -> None:
    _role(aws)
    wanted = {"PolicyName": "read", "PolicyDocument": DOCUMENT, "Roles": ["web"]}
    Policy().create(aws, wanted, MARK)
    managed = {"ManagedPolicyName": "read", "PolicyDocument": DOCUMENT, "Roles": ["web"]}
    arn = ManagedPolicy().create(aws, managed, MARK)
    ManagedPolicy().update(aws, ManagedPolicy().read(aws, [arn])[arn], managed, frozenset({"Roles"}))
    found = Role().read(aws, ["web"])["web"]
    assert (found.properties["Policies"], found.properties["ManagedPolicyArns"]) == ([], [])
    assert found.properties["Tags"] == []


def test_a_policy_that_was_put_on_a_role_by_hand_is_seen_and_taken_away(aws: Aws) -> None:
    _role(aws)
    aws.client("iam").put_role_policy(RoleName="web", PolicyName="mine", PolicyDocument=json.dumps(DOCUMENT))
    found = Role().read(aws, ["web"])["web"]
    assert found.properties["Policies"] == [{"PolicyName": "mine", "PolicyDocument": DOCUMENT}]
    Role().update(aws, found, {"AssumeRolePolicyDocument": TRUST}, frozenset({"Policies"}))
    assert Role().read(aws, ["web"])["web"].properties["Policies"] == []


def test_a_policy_with_a_name_that_a_role_has_already_is_refused(aws: Aws) -> None:
    _role(aws)
    aws.client("iam").put_role_policy(RoleName="web", PolicyName="read", PolicyDocument=json.dumps(DOCUMENT))
    wanted = {"PolicyName": "read", "PolicyDocument": DOCUMENT, "Roles": ["web"]}
    assert Policy().find(aws, wanted, MARK) is None
    with pytest.raises(ExecutionError, match="the role web has a policy named read already"):
        Policy().create(aws, wanted, MARK)


def test_a_policy_without_roles_is_refused(aws: Aws) -> None:
    with pytest.raises(ExecutionError, match="the policy read has no roles"):
        Policy().create(aws, {"PolicyName": "read", "PolicyDocument": DOCUMENT}, MARK)


def test_a_policy_that_was_widened_in_one_of_its_roles_by_hand_is_seen(aws: Aws) -> None:
    _role(aws)
    aws.client("iam").create_role(RoleName="batch", AssumeRolePolicyDocument=json.dumps(TRUST))
    wanted = {"PolicyName": "read", "PolicyDocument": DOCUMENT, "Roles": ["web", "batch"]}
    identifier = Policy().create(aws, wanted, MARK)
    wide = {**DOCUMENT, "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    aws.client("iam").put_role_policy(RoleName="web", PolicyName="read", PolicyDocument=json.dumps(wide))
    told = Policy().read(aws, [identifier])[identifier].properties["PolicyDocument"]
    assert Policy().same("PolicyDocument", DOCUMENT, told) is False
    assert wide["Statement"][0] in told["Statement"]


def test_a_role_that_is_in_a_profile_is_not_deleted(aws: Aws) -> None:
    found = _role(aws)
    client = aws.client("iam")
    client.create_instance_profile(InstanceProfileName="by-hand")
    client.add_role_to_instance_profile(InstanceProfileName="by-hand", RoleName="web")
    with pytest.raises(ExecutionError, match="the role web is not deleted: others use it"):
        Role().delete(aws, found)
    assert set(Role().read(aws, ["web"])) == {"web"}


def test_a_policy_that_others_attached_is_not_deleted(stub_aws: Aws) -> None:
    """By a stub: the double deletes it."""
    arn = "arn:aws:iam::111122223333:policy/read"
    found = Found(identifier=arn, properties={"Roles": []}, attributes={})
    with stubbed(stub_aws, "iam") as stub:
        stub.add_response("list_policy_versions", {"Versions": []})
        stub.add_client_error("delete_policy", "DeleteConflict")
        with pytest.raises(ExecutionError, match="is not deleted: others use it"):
            ManagedPolicy().delete(stub_aws, found)
