"""The policy for a plan: what it allows, how long it is, and that patterns never take in a whole service."""

import json
import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import UsageError
from plangate.executor.aws.permissions import (
    MAX_SESSION_POLICY_CHARS,
    actions_of,
    compact,
    permissions_of,
    policy_document,
)
from plangate.executor.aws.schemas import Schemas
from plangate.model.aws_plan import Change
from plangate.wiring import AwsChoices, Choices
from plangate.wiring.aws import needed_policy
from tests.aws_server import REGION
from tests.tools import ROOT

SCHEMAS = Schemas(REGION)
_VERBS = ("Create", "Delete", "Describe", "Get", "List", "Modify", "Put", "Tag", "Update")
_THINGS = ("Bucket", "Group", "Network", "Policy", "Role", "Route", "Table", "Tags", "Vpc", "VpcAttribute")
ACTIONS = st.builds(
    lambda service, verb, thing: f"{service}:{verb}{thing}",
    st.sampled_from(["ec2", "iam", "s3", "rds"]),
    st.sampled_from(_VERBS),
    st.sampled_from(_THINGS),
)


def _allows(document: object, action: str) -> bool:
    patterns = [each for s in document["Statement"] for each in s["Action"]]  # type: ignore[index]
    return any(re.fullmatch(each.replace("*", ".*"), action) for each in patterns)


def test_a_policy_has_the_actions_of_a_region_and_those_of_no_region() -> None:
    assert policy_document(["ec2:CreateVpc", "iam:GetRole"], "eu-central-1") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["ec2:CreateVpc"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}},
            },
            {"Effect": "Allow", "Action": ["iam:GetRole"], "Resource": "*"},
        ],
    }


@given(st.sets(ACTIONS, min_size=1, max_size=120), st.integers(300, 3000))
def test_a_short_policy_allows_every_action_and_never_a_whole_service(actions: set[str], most: int) -> None:
    try:
        document = policy_document(actions, REGION, most)
    except UsageError:
        return
    assert len(compact(document)) <= most
    assert all(_allows(document, action) for action in actions)
    patterns = [each for statement in document["Statement"] for each in statement["Action"]]
    assert not [each for each in patterns if re.fullmatch(r"[^:]+:\*|\*", each)]
    asked = {action.partition(":")[0] for action in actions}
    assert {each.partition(":")[0] for each in patterns} == asked


@given(st.sets(ACTIONS, min_size=1, max_size=120))
def test_a_policy_without_a_limit_allows_nothing_else(actions: set[str]) -> None:
    document = policy_document(actions)
    assert {each for statement in document["Statement"] for each in statement["Action"]} == actions


def test_a_policy_that_cannot_be_short_enough_is_refused() -> None:
    many = [f"service{number}:DoThing" for number in range(200)]
    with pytest.raises(UsageError, match="more than 2048 characters however it is written"):
        policy_document(many, REGION, MAX_SESSION_POLICY_CHARS)


def test_a_plan_needs_what_its_changes_do_and_no_more() -> None:
    def change(action: str) -> Change:
        return Change(logical_id="Net", type="AWS::EC2::VPC", action=action)

    created = actions_of([change("create")], SCHEMAS)
    deleted = actions_of([change("delete")], SCHEMAS)
    looked = actions_of([change("no-op")], SCHEMAS)
    assert ("ec2:CreateVpc" in created, "ec2:DeleteVpc" in created) == (True, False)
    assert ("ec2:CreateVpc" in deleted, "ec2:DeleteVpc" in deleted) == (False, True)
    assert not {each for each in looked if re.search(r":(Create|Delete|Modify|Put)", each)}
    assert "sts:GetCallerIdentity" in created & deleted & looked


def test_what_a_handler_calls_besides_is_allowed() -> None:
    assert "iam:ListRoleTags" in permissions_of("AWS::IAM::Role", ["read"], SCHEMAS)
    assert "iam:ListInstanceProfiles" in permissions_of("AWS::IAM::InstanceProfile", ["read"], SCHEMAS)


def test_a_type_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="the region has no type AWS::EC2::Nothing"):
        permissions_of("AWS::EC2::Nothing", ["read"], SCHEMAS)


def test_the_compact_form_is_what_aws_counts() -> None:
    document = policy_document(["ec2:CreateVpc"])
    assert json.loads(compact(document)) == document
    assert " " not in compact(document)


def test_three_tiers_fit_into_a_session_policy() -> None:
    template = str(ROOT / "fixtures" / "stacks" / "three-tier.yaml")
    choices = Choices(aws=AwsChoices(region=REGION))
    whole, short = (needed_policy(template, choices, session=session) for session in (False, True))
    assert len(compact(short)) <= MAX_SESSION_POLICY_CHARS < len(compact(whole))
    patterns = [action for statement in short["Statement"] for action in statement["Action"]]
    exact = [action for statement in whole["Statement"] for action in statement["Action"]]
    assert [action for action in exact if not any(fnmatchcase(action, pattern) for pattern in patterns)] == []
    assert not [pattern for pattern in patterns if pattern.endswith(":*")], "never a whole service"


def test_what_no_handler_sets_is_not_allowed() -> None:
    allowed = permissions_of("AWS::S3::Bucket", ("create", "read", "update", "delete"), SCHEMAS)
    assert "s3:PutBucketPublicAccessBlock" in allowed
    assert not {"s3:PutObject", "s3:DeleteObject", "s3:PutBucketWebsite", "s3tables:CreateTable"} & allowed
