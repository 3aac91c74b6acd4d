"""What the double of AWS does not have of instances, volumes, launch templates, groups and load balancers, with
botocore's Stubber: it checks the calls, and answers as the API reference says that AWS does. No AWS is behind it."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from plangate.errors import ExecutionError
from plangate.executor.aws.base import REF, Condition, Found, Mark, Owner, token_of
from plangate.executor.aws.clients import Aws, Place, is_passing
from plangate.executor.aws.handlers.autoscaling import AutoScalingGroup
from plangate.executor.aws.handlers.instance import Instance
from plangate.executor.aws.handlers.launch_template import LaunchTemplate
from plangate.executor.aws.handlers.load_balancer import LoadBalancer
from plangate.executor.aws.handlers.volumes import Volume
from tests.aws_server import ENVIRONMENT, REGION

MARK = Mark(owner=Owner(environment="prod", stack="shop"), logical_id="Web", token=token_of("one"))
BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/web/1"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Aws(Place(region=REGION))


@contextmanager
def _stubbed(aws: Aws, service: str) -> Iterator[Stubber]:
    with Stubber(aws.client(service)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def ec2(aws: Aws) -> Iterator[Stubber]:
    with _stubbed(aws, "ec2") as stubber:
        yield stubber


@pytest.fixture
def autoscaling(aws: Aws) -> Iterator[Stubber]:
    with _stubbed(aws, "autoscaling") as stubber:
        yield stubber


@pytest.fixture
def elbv2(aws: Aws) -> Iterator[Stubber]:
    with _stubbed(aws, "elbv2") as stubber:
        yield stubber


def _found(identifier: str, **properties: Any) -> Found:
    return Found(identifier=identifier, properties=properties, attributes={REF: identifier})


def _instance(ec2: Stubber, **item: Any) -> None:
    told = {"InstanceId": "i-1", "State": {"Name": "running"}, **item}
    ec2.add_response("describe_instances", {"Reservations": [{"Instances": [told]}]})
    if told["State"]["Name"] == "terminated":
        return
    ec2.add_response("describe_iam_instance_profile_associations", {"IamInstanceProfileAssociations": []})
    for name in ("disableApiTermination", "instanceInitiatedShutdownBehavior", "userData"):
        ec2.add_response("describe_instance_attribute", {}, {"InstanceId": "i-1", "Attribute": name})


# --- instances ---


@pytest.mark.parametrize(
    ("state", "condition"),
    [
        ("pending", Condition.BUSY),
        ("running", Condition.READY),
        ("stopping", Condition.BUSY),
        ("stopped", Condition.READY),
        ("shutting-down", Condition.BUSY),
    ],
)
def test_an_instance_is_as_its_state_says(aws: Aws, ec2: Stubber, state: str, condition: Condition) -> None:
    _instance(ec2, State={"Name": state})
    assert Instance().read(aws, ["i-1"])["i-1"].condition is condition


def test_a_terminated_instance_of_which_aws_still_tells_is_gone(aws: Aws, ec2: Stubber) -> None:
    _instance(ec2, State={"Name": "terminated"})
    assert Instance().read(aws, ["i-1"]) == {}


def test_user_data_is_handed_over_as_bytes_since_botocore_encodes_it(aws: Aws, ec2: Stubber) -> None:
    encoded = base64.b64encode(b"#!/bin/sh\n").decode()
    ec2.add_response(
        "run_instances",
        {"Instances": [{"InstanceId": "i-1"}]},
        {
            "ImageId": "ami-1",
            "UserData": b"#!/bin/sh\n",
            "MinCount": 1,
            "MaxCount": 1,
            "ClientToken": MARK.token,
            "TagSpecifications": ANY,
        },
    )
    assert Instance().create(aws, {"ImageId": "ami-1", "UserData": encoded}, MARK) == "i-1"


def test_user_data_that_is_not_base64_is_refused_and_not_shown(aws: Aws, ec2: Stubber) -> None:  # noqa: ARG001
    with pytest.raises(ExecutionError, match="UserData is not base64") as error:
        Instance().create(aws, {"ImageId": "ami-1", "UserData": "password=hunter2"}, MARK)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("wanted", "operation"), [("true", "monitor_instances"), (False, "unmonitor_instances")]
)
def test_monitoring_is_switched(aws: Aws, ec2: Stubber, wanted: Any, operation: str) -> None:
    ec2.add_response(operation, {"InstanceMonitorings": []}, {"InstanceIds": ["i-1"]})
    Instance().update(aws, _found("i-1"), {"Monitoring": wanted}, frozenset({"Monitoring"}))


@pytest.mark.parametrize(
    ("state", "association", "told"),
    [
        ("running", {}, False),
        ("running", {"IpOwnerId": "amazon"}, True),
        ("running", {"IpOwnerId": "123456789012"}, None),
        ("stopped", {}, None),
    ],
    ids=["none", "given at launch", "an address of ours", "stopped"],
)
def test_a_public_address_counts_only_when_the_launch_gave_it(
    aws: Aws, ec2: Stubber, state: str, association: dict[str, str], told: bool | None
) -> None:
    interface = {"Attachment": {"DeviceIndex": 0}, "Association": association, "SubnetId": "subnet-1"}
    _instance(ec2, State={"Name": state}, NetworkInterfaces=[interface])
    found = Instance().read(aws, ["i-1"])["i-1"].properties["NetworkInterfaces"]
    assert found[0].get("AssociatePublicIpAddress") is told


@pytest.mark.parametrize(
    ("name", "wanted", "actual", "same"),
    [
        ("ImageId", "resolve:ssm:/web/image", "ami-1", True),
        ("LaunchTemplate", {"LaunchTemplateId": "lt-1", "Version": "2"}, {"LaunchTemplateId": "lt-1", "Version": "2"}, True),
        ("LaunchTemplate", {"LaunchTemplateId": "lt-1", "Version": "3"}, {"LaunchTemplateId": "lt-1", "Version": "2"}, False),
        ("LaunchTemplate", {"LaunchTemplateId": "lt-2", "Version": "$Latest"}, {"LaunchTemplateId": "lt-1", "Version": "2"}, False),
        ("LaunchTemplate", {"LaunchTemplateId": "lt-1", "Version": "1"}, {}, False),
        (
            "BlockDeviceMappings",
            [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "KmsKeyId": "k"}}],
            [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "KmsKeyId": "arn:aws:kms:x:1:key/k"}}, {"DeviceName": "/dev/sdf", "Ebs": {}}],
            True,
        ),
        ("BlockDeviceMappings", [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}], [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": False}}], False),
        ("BlockDeviceMappings", [{"DeviceName": "/dev/xvda", "Ebs": {}}], [], False),
        ("NetworkInterfaces", [{"DeviceIndex": "0", "GroupSet": ["sg-1"]}], [{"DeviceIndex": "0", "GroupSet": ["sg-1", "sg-2"]}], False),
        ("NetworkInterfaces", [{"DeviceIndex": "0"}], [], False),
    ],
)  # fmt: skip
def test_what_instances_have_means_the_same_or_not(name: str, wanted: Any, actual: Any, same: bool) -> None:
    assert Instance().same(name, wanted, actual) is same


# --- launch templates ---


def test_tags_of_a_launch_template_are_changed(aws: Aws, ec2: Stubber) -> None:
    def tags(key: str) -> list[Any]:
        return [{"ResourceType": "launch-template", "Tags": [{"Key": key, "Value": "1"}]}]

    ec2.add_response("create_tags", {}, {"Resources": ["lt-1"], "Tags": [{"Key": "new", "Value": "1"}]})
    ec2.add_response("delete_tags", {}, {"Resources": ["lt-1"], "Tags": [{"Key": "old"}]})
    found = _found("lt-1", TagSpecifications=tags("old"))
    LaunchTemplate().update(aws, found, {"TagSpecifications": tags("new")}, frozenset({"TagSpecifications"}))


def test_one_launch_template_that_is_gone_does_not_hide_the_others(aws: Aws, ec2: Stubber) -> None:
    told = {"LaunchTemplateId": "lt-2", "LaunchTemplateName": "web"}
    version = {
        "LaunchTemplateId": "lt-2",
        "VersionNumber": 1,
        "DefaultVersion": True,
        "LaunchTemplateData": {},
    }
    ec2.add_client_error("describe_launch_templates", "InvalidLaunchTemplateId.NotFound")
    ec2.add_client_error("describe_launch_templates", "InvalidLaunchTemplateId.NotFound")
    ec2.add_response(
        "describe_launch_templates", {"LaunchTemplates": [told]}, {"LaunchTemplateIds": ["lt-2"]}
    )
    ec2.add_response("describe_launch_template_versions", {"LaunchTemplateVersions": [version]})
    assert set(LaunchTemplate().read(aws, ["lt-1", "lt-2"])) == {"lt-2"}


# --- volumes ---


def _volume(ec2: Stubber, state: str, *, size: int, modifying: bool = False) -> None:
    ec2.add_response("describe_volumes", {"Volumes": [{"VolumeId": "vol-1", "State": state, "Size": size}]})
    under_way = [{"VolumeId": "vol-1", "ModificationState": "modifying"}] if modifying else []
    ec2.add_response("describe_volumes_modifications", {"VolumesModifications": under_way})


def test_a_volume_is_busy_while_it_is_changed(aws: Aws, ec2: Stubber) -> None:
    _volume(ec2, "in-use", size=8, modifying=True)
    found = Volume().read(aws, ["vol-1"])["vol-1"]
    assert (found.condition, found.detail) == (Condition.BUSY, "modifying")


def test_a_volume_in_error_failed(aws: Aws, ec2: Stubber) -> None:
    _volume(ec2, "error", size=8)
    assert Volume().read(aws, ["vol-1"])["vol-1"].condition is Condition.FAILED


def test_a_volume_that_has_its_new_size_is_not_changed_again(aws: Aws, ec2: Stubber) -> None:
    _volume(ec2, "in-use", size=16)
    Volume().update(aws, _found("vol-1", Size=8), {"Size": "16"}, frozenset({"Size"}))


# --- groups ---


def test_a_group_changes_in_one_call(aws: Aws, autoscaling: Stubber) -> None:
    wanted = {
        "Cooldown": "60",
        "TerminationPolicies": ["OldestInstance"],
        "MaxInstanceLifetime": "86400",
        "CapacityRebalance": "true",
        "VPCZoneIdentifier": ["subnet-1", "subnet-2"],
    }
    autoscaling.add_response(
        "update_auto_scaling_group",
        {},
        {
            "AutoScalingGroupName": "web",
            "DefaultCooldown": 60,
            "TerminationPolicies": ["OldestInstance"],
            "MaxInstanceLifetime": 86400,
            "CapacityRebalance": True,
            "VPCZoneIdentifier": "subnet-1,subnet-2",
        },
    )
    AutoScalingGroup().update(aws, _found("web"), wanted, frozenset(wanted))


def _group(autoscaling: Stubber, **item: Any) -> None:
    told = {
        "AutoScalingGroupName": "web", "MinSize": 1, "MaxSize": 2, "DesiredCapacity": 1, "DefaultCooldown": 300,
        "AvailabilityZones": [], "HealthCheckType": "EC2", "CreatedTime": "2026-01-01T00:00:00Z", **item,
    }  # fmt: skip
    autoscaling.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": [told]})


def test_a_group_with_instances_ends_them_and_its_deletion_passes_later(
    aws: Aws, autoscaling: Stubber
) -> None:
    _group(autoscaling)
    autoscaling.add_response(
        "update_auto_scaling_group",
        {},
        {"AutoScalingGroupName": "web", "MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0},
    )
    autoscaling.add_client_error("delete_auto_scaling_group", "ResourceInUse")
    with pytest.raises(ClientError) as error:
        AutoScalingGroup().delete(aws, _found("web"))
    assert is_passing(error.value)


def test_a_group_that_is_being_deleted_is_busy_and_not_deleted_again(aws: Aws, autoscaling: Stubber) -> None:
    _group(autoscaling, Status="Delete in progress")
    assert AutoScalingGroup().read(aws, ["web"])["web"].condition is Condition.BUSY
    _group(autoscaling, Status="Delete in progress")
    AutoScalingGroup().delete(aws, _found("web"))


def test_a_group_that_cannot_be_deleted_says_so(aws: Aws, autoscaling: Stubber) -> None:
    _group(autoscaling, MinSize=0, MaxSize=0, DesiredCapacity=0)
    autoscaling.add_client_error("delete_auto_scaling_group", "ValidationError")
    _group(autoscaling, MinSize=0, MaxSize=0, DesiredCapacity=0)
    with pytest.raises(ClientError):
        AutoScalingGroup().delete(aws, _found("web"))


# --- load balancers ---


@pytest.mark.parametrize(
    ("code", "condition"),
    [
        ("provisioning", Condition.BUSY),
        ("active", Condition.READY),
        ("active_impaired", Condition.READY),
        ("failed", Condition.FAILED),
    ],
)
def test_a_load_balancer_is_as_its_state_says(
    aws: Aws, elbv2: Stubber, code: str, condition: Condition
) -> None:
    told = {"LoadBalancerArn": BALANCER, "LoadBalancerName": "web", "State": {"Code": code}}
    elbv2.add_response("describe_load_balancers", {"LoadBalancers": [told]})
    elbv2.add_response("describe_tags", {"TagDescriptions": []})
    elbv2.add_response("describe_load_balancer_attributes", {"Attributes": []})
    found = LoadBalancer().read(aws, [BALANCER])[BALANCER]
    assert (found.condition, found.detail) == (condition, code)
    assert found.attributes["LoadBalancerFullName"] == "net/web/1"


@pytest.mark.parametrize(
    ("name", "value", "operation"),
    [
        ("SecurityGroups", ["sg-1"], "set_security_groups"),
        ("Subnets", ["subnet-1", "subnet-2"], "set_subnets"),
        ("SubnetMappings", [{"SubnetId": "subnet-1"}], "set_subnets"),
        ("IpAddressType", "dualstack", "set_ip_address_type"),
    ],
)
def test_a_load_balancer_changes_by_a_call_for_each(
    aws: Aws, elbv2: Stubber, name: str, value: Any, operation: str
) -> None:
    answer = {"IpAddressType": "dualstack"} if name == "IpAddressType" else {}
    elbv2.add_response(operation, answer, {"LoadBalancerArn": BALANCER, name: value})
    LoadBalancer().update(aws, _found(BALANCER), {name: value}, frozenset({name}))


def test_addresses_of_a_load_balancer_are_compared_where_aws_tells_them() -> None:
    same = LoadBalancer().same
    wanted = [{"SubnetId": "subnet-1", "AllocationId": "eipalloc-1"}]
    assert same("SubnetMappings", wanted, [{"SubnetId": "subnet-1", "AllocationId": "eipalloc-1"}]) is True
    assert same("SubnetMappings", wanted, [{"SubnetId": "subnet-1", "AllocationId": "eipalloc-2"}]) is False
    assert same("SubnetMappings", wanted, [{"SubnetId": "subnet-2"}]) is False
    assert same("SubnetMappings", wanted, [*wanted, {"SubnetId": "subnet-2"}]) is False


def test_a_protected_load_balancer_is_not_deleted_by_force(aws: Aws, elbv2: Stubber) -> None:
    elbv2.add_client_error("delete_load_balancer", "OperationNotPermitted")
    with pytest.raises(ClientError):
        LoadBalancer().delete(aws, _found(BALANCER))
