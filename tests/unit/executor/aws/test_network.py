"""What the double of AWS does not have, with botocore's Stubber: it checks the calls, and answers as the API reference
says that AWS does. No AWS is behind it."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from plangate.errors import ExecutionError
from plangate.executor.aws.base import REF, Condition, Found
from plangate.executor.aws.clients import Aws, Place
from plangate.executor.aws.handlers.gateways import NatGateway
from plangate.executor.aws.handlers.routes import Route
from plangate.executor.aws.handlers.security_group_rules import key_of, same_rules
from plangate.executor.aws.handlers.security_groups import GroupIngress
from tests.aws_server import ENVIRONMENT, REGION


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Aws(Place(region=REGION))


@pytest.fixture
def ec2(aws: Aws) -> Iterator[Stubber]:
    with Stubber(aws.client("ec2")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def _nat(state: str, **more: Any) -> dict[str, Any]:
    return {
        "NatGatewayId": "nat-1",
        "State": state,
        "SubnetId": "subnet-1",
        "NatGatewayAddresses": [],
        **more,
    }


@pytest.mark.parametrize(
    ("state", "condition"),
    [
        ("pending", Condition.BUSY),
        ("available", Condition.READY),
        ("deleting", Condition.BUSY),
        ("failed", Condition.FAILED),
    ],
)
def test_a_nat_gateway_is_as_its_state_says(aws: Aws, ec2: Stubber, state: str, condition: Condition) -> None:
    ec2.add_response("describe_nat_gateways", {"NatGateways": [_nat(state)]})
    assert NatGateway().read(aws, ["nat-1"])["nat-1"].condition is condition


def test_a_failed_nat_gateway_says_why(aws: Aws, ec2: Stubber) -> None:
    said = _nat("failed", FailureMessage="Network vpc-1 has no Internet gateway attached")
    ec2.add_response("describe_nat_gateways", {"NatGateways": [said]})
    found = NatGateway().read(aws, ["nat-1"])["nat-1"]
    assert found.detail == "failed: Network vpc-1 has no Internet gateway attached"


def test_a_deleted_nat_gateway_of_which_aws_still_tells_is_gone(aws: Aws, ec2: Stubber) -> None:
    ec2.add_response("describe_nat_gateways", {"NatGateways": [_nat("deleted")]})
    assert NatGateway().read(aws, ["nat-1"]) == {}


def test_a_route_to_an_endpoint_is_told_under_the_name_that_templates_use(aws: Aws, ec2: Stubber) -> None:
    told = {"DestinationCidrBlock": "10.9.0.0/16", "GatewayId": "vpce-1", "State": "active"}
    ec2.add_response("describe_route_tables", {"RouteTables": [{"RouteTableId": "rtb-1", "Routes": [told]}]})
    found = Route().read(aws, ["rtb-1|10.9.0.0/16"])["rtb-1|10.9.0.0/16"]
    assert found.properties == {
        "RouteTableId": "rtb-1",
        "DestinationCidrBlock": "10.9.0.0/16",
        "VpcEndpointId": "vpce-1",
    }


def test_a_route_goes_to_its_new_target_in_one_call(aws: Aws, ec2: Stubber) -> None:
    found = Found(
        identifier="rtb-1|0.0.0.0/0",
        properties={"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"},
        attributes={REF: "rtb-1|0.0.0.0/0"},
    )
    wanted = {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1"}
    ec2.add_response(
        "replace_route",
        {},
        {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1"},
    )
    Route().update(aws, found, wanted, frozenset({"TransitGatewayId"}))


def test_a_rule_loses_its_description_when_none_is_sent(aws: Aws, ec2: Stubber) -> None:
    rule = {
        "GroupId": "sg-1",
        "IpProtocol": "tcp",
        "FromPort": 1,
        "ToPort": 2,
        "SourceSecurityGroupId": "sg-2",
    }
    found = Found(identifier="sgr-1", properties={**rule, "Description": "old"}, attributes={REF: "sgr-1"})
    ec2.add_response(
        "update_security_group_rule_descriptions_ingress",
        {"Return": True},
        {
            "GroupId": "sg-1",
            "IpPermissions": [
                {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": "sg-2"}]}
            ],
        },
    )
    GroupIngress().update(aws, found, rule, frozenset({"Description"}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            {"IpProtocol": "6", "FromPort": "80", "ToPort": 80},
            {"IpProtocol": "TCP", "FromPort": 80, "ToPort": 80},
        ),
        ({"IpProtocol": -1, "FromPort": 0, "ToPort": 65535}, {"IpProtocol": "-1"}),
        ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1}, {"IpProtocol": "1"}),
        ({"IpProtocol": "50"}, {"IpProtocol": "50", "FromPort": -1, "ToPort": -1}),
    ],
)
def test_rules_that_mean_the_same_are_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert same_rules([{**one, "CidrIp": "10.1.2.3/8"}], [{**other, "CidrIp": "10.0.0.0/8"}])


@pytest.mark.parametrize(
    "other",
    [
        {"IpProtocol": "udp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8"},
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81, "CidrIp": "10.0.0.0/8"},
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/7"},
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8", "Description": "x"},
        {"IpProtocol": "-1", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8"},
    ],
)
def test_rules_that_differ_are_not_the_same(other: dict[str, Any]) -> None:
    one = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8"}
    assert not same_rules([one], [other])
    assert not same_rules([one], [])
    assert not same_rules([], [one])


@pytest.mark.parametrize("peer", [{}, {"SourceSecurityGroupName": "web"}], ids=["none", "by name"])
def test_a_rule_without_a_peer_that_ec2_tells_again_is_refused(peer: dict[str, Any]) -> None:
    with pytest.raises(ExecutionError, match="a rule of a security group"):
        key_of({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, **peer})


@pytest.mark.parametrize("port", ["ssh", "", True, 22.5, "1e3"])
def test_a_port_that_is_no_number_is_refused(port: Any) -> None:
    with pytest.raises(ExecutionError, match="FromPort that is no whole number"):
        key_of({"IpProtocol": "tcp", "FromPort": port, "ToPort": 22, "CidrIp": "10.0.0.0/8"})
