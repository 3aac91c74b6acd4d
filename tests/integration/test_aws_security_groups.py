"""Whose rules a security group has, against a double of AWS."""

from typing import Any

import pytest

from plangate.errors import ExecutionError
from plangate.executor.aws.base import Found, Mark, Owner, token_of
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers.security_groups import GroupIngress, SecurityGroup
from tests.aws_cases.network import new_vpc
from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws
OWNER = Owner(environment="prod", stack="shop")
TLS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
GROUP = SecurityGroup()


@pytest.fixture
def aws(aws_account: AwsServer) -> Aws:
    return aws_account.aws()


def _mark(name: str) -> Mark:
    return Mark(owner=OWNER, logical_id=name, token=token_of(name))


def _group(aws: Aws, *ingress: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    properties = {"GroupDescription": "web", "VpcId": new_vpc(aws), "SecurityGroupIngress": list(ingress)}
    identifier = GROUP.create(aws, properties, _mark("Web"))
    _put(aws, identifier, properties)
    return identifier, properties


def _read(aws: Aws, identifier: str) -> Found:
    return GROUP.read(aws, [identifier])[identifier]


def _put(aws: Aws, identifier: str, properties: dict[str, Any]) -> None:
    GROUP.update(aws, _read(aws, identifier), properties, frozenset({"SecurityGroupIngress"}))


def _by_hand(aws: Aws, identifier: str, tags: dict[str, str]) -> None:
    given = [{"Key": key, "Value": value} for key, value in tags.items()]
    aws.client("ec2").authorize_security_group_ingress(
        GroupId=identifier,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ],
        TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": given}] if given else [],
    )


@pytest.mark.parametrize(
    "tags",
    [{}, {"owner": "me"}, {"plangate:resource": "Ssh"}, OWNER.tags],
    ids=["none", "other", "one", "two"],
)
def test_a_port_opened_by_hand_is_seen_and_closed_also_with_some_of_our_marks(
    aws: Aws, tags: dict[str, str]
) -> None:
    identifier, properties = _group(aws, TLS)
    _by_hand(aws, identifier, tags)
    assert _read(aws, identifier).properties["SecurityGroupIngress"] == [SSH, TLS]
    _put(aws, identifier, properties)
    assert _read(aws, identifier).properties["SecurityGroupIngress"] == [TLS]


def test_a_rule_of_another_resource_is_not_the_groups_and_stays(aws: Aws) -> None:
    identifier, properties = _group(aws, TLS)
    rule = GroupIngress()
    made = rule.create(aws, {"GroupId": identifier, **SSH}, _mark("Ssh"))
    assert _read(aws, identifier).properties["SecurityGroupIngress"] == [TLS]
    _put(aws, identifier, {**properties, "SecurityGroupIngress": []})
    assert _read(aws, identifier).properties["SecurityGroupIngress"] == []
    assert set(rule.read(aws, [made])) == {made}


def test_a_rule_is_not_taken_from_the_resource_that_made_it(aws: Aws) -> None:
    identifier, properties = _group(aws)
    GroupIngress().create(aws, {"GroupId": identifier, **TLS}, _mark("Tls"))
    with pytest.raises(ExecutionError, match=r"tcp 443-443 for 10\.0\.0\.0/8 belongs to another resource"):
        _put(aws, identifier, {**properties, "SecurityGroupIngress": [TLS]})


def test_a_group_whose_egress_rule_somebody_took_away_differs_from_a_new_one(aws: Aws) -> None:
    identifier, properties = _group(aws)
    found = _read(aws, identifier)
    GROUP.update(aws, found, {**properties, "SecurityGroupEgress": []}, frozenset({"SecurityGroupEgress"}))
    assert _read(aws, identifier).properties["SecurityGroupEgress"] == []
    GROUP.update(aws, found, properties, frozenset({"SecurityGroupEgress"}))
    assert _read(aws, identifier).properties["SecurityGroupEgress"] == [
        {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
    ]


def test_a_group_in_the_same_owners_other_stack_is_nobody_elses_find(aws: Aws) -> None:
    identifier, properties = _group(aws)
    assert GROUP.find(aws, properties, _mark("Web")) == identifier
    other = Mark(owner=Owner(environment="prod", stack="sh*"), logical_id="Web", token=token_of("Web"))
    assert GROUP.find(aws, properties, other) is None
    assert GROUP.owned(aws, Owner(environment="*", stack="*")) == []
