"""Versions of launch templates that somebody makes by hand, against a double of AWS."""

from typing import Any

import pytest

from plangate.executor.aws.base import Mark, Owner, token_of
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.difference import changed_properties
from plangate.executor.aws.handlers.launch_template import LaunchTemplate
from plangate.executor.aws.schemas import Schemas
from tests.aws_server import REGION, AwsServer

pytestmark = pytest.mark.aws
MARK = Mark(owner=Owner(environment="prod", stack="shop"), logical_id="Web", token=token_of("one"))
WANTED = {"LaunchTemplateData": {"InstanceType": "t3.micro", "MetadataOptions": {"HttpTokens": "required"}}}
HANDLER = LaunchTemplate()


@pytest.fixture
def aws(aws_account: AwsServer) -> Aws:
    return aws_account.aws()


def _by_hand(aws: Aws, identifier: str, data: dict[str, Any], *, default: bool) -> None:
    ec2 = aws.client("ec2")
    made = ec2.create_launch_template_version(LaunchTemplateId=identifier, LaunchTemplateData=data)
    if default:
        number = str(made["LaunchTemplateVersion"]["VersionNumber"])
        ec2.modify_launch_template(LaunchTemplateId=identifier, DefaultVersion=number)


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize(
    "data",
    [
        {"InstanceType": "t3.large", "MetadataOptions": {"HttpTokens": "required"}},
        {**WANTED["LaunchTemplateData"], "KeyName": "mine"},
        {"InstanceType": "t3.micro"},
    ],
    ids=["another value", "more", "less"],
)
def test_a_version_made_by_hand_is_seen_and_superseded(aws: Aws, data: dict[str, Any], default: bool) -> None:
    schema = Schemas(REGION).of(HANDLER.type)
    assert schema is not None
    identifier = HANDLER.create(aws, WANTED, MARK)
    _by_hand(aws, identifier, data, default=default)
    found = HANDLER.read(aws, [identifier])[identifier]
    changed = changed_properties(HANDLER, schema, found.properties, WANTED)
    assert changed == {"LaunchTemplateData"}
    HANDLER.update(aws, found, WANTED, changed)
    found = HANDLER.read(aws, [identifier])[identifier]
    assert changed_properties(HANDLER, schema, found.properties, WANTED) == frozenset()
    assert (found.attributes["LatestVersionNumber"], found.attributes["DefaultVersionNumber"]) == ("3", "3")


def test_a_version_that_only_is_not_the_default_becomes_it(aws: Aws) -> None:
    identifier = HANDLER.create(aws, WANTED, MARK)
    wanted = {"LaunchTemplateData": {"InstanceType": "t3.large"}}
    _by_hand(aws, identifier, wanted["LaunchTemplateData"], default=False)
    found = HANDLER.read(aws, [identifier])[identifier]
    HANDLER.update(aws, found, wanted, frozenset({"LaunchTemplateData"}))
    found = HANDLER.read(aws, [identifier])[identifier]
    assert (found.attributes["LatestVersionNumber"], found.attributes["DefaultVersionNumber"]) == ("2", "2")
