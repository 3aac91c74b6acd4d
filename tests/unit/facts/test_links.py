"""Facts that come from other resources: exact links are believed, doubtful ones are not."""

from typing import Any

import pytest

from plangate.model.plan import Action, Resource
from plangate.model.values import UNKNOWN
from tests.builders import a_reference, a_resource, facts_of


def a_bucket(**values: Any) -> Resource:
    return a_resource("aws_s3_bucket.b", {"bucket": "b"} | values)


def an_encryption(algorithm: object, **changes: Any) -> Resource:
    rule = {"apply_server_side_encryption_by_default": [{"sse_algorithm": algorithm}]}
    values = {"bucket": changes.pop("bucket", "b"), "rule": [rule]}
    return a_resource("aws_s3_bucket_server_side_encryption_configuration.b", values, **changes)


def test_a_bucket_is_encrypted_as_the_resource_beside_it_says() -> None:
    assert facts_of(a_bucket(), an_encryption("aws:kms"))["encryption"] == "aws:kms"
    assert facts_of(a_bucket(), an_encryption("aws:kms", bucket="other"))["encryption"] == "AES256"


def test_encryption_that_may_be_of_another_bucket_is_unknown() -> None:
    doubtful = an_encryption(
        "aws:kms", bucket=UNKNOWN, references=(a_reference("/bucket", "aws_s3_bucket.b", attribute="region"),)
    )
    assert facts_of(a_bucket(), doubtful)["encryption"] is UNKNOWN


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(UNKNOWN, UNKNOWN), ([UNKNOWN], UNKNOWN), ([], "AES256"), ([{"bucket_key_enabled": True}], "AES256")],
)
def test_an_encryption_without_a_default_is_the_one_of_the_service(rule: object, expected: object) -> None:
    beside = a_resource("aws_s3_bucket_server_side_encryption_configuration.b", {"bucket": "b", "rule": rule})
    assert facts_of(a_bucket(), beside)["encryption"] == expected


def test_versioning_that_may_be_of_another_bucket_is_unknown_and_wins_over_no() -> None:
    values = {"bucket": UNKNOWN, "versioning_configuration": [{"status": "Enabled"}]}
    versioning = a_resource("aws_s3_bucket_versioning.b", values)
    assert facts_of(a_bucket(versioning=[]), versioning)["versioned"] is UNKNOWN
    unset = a_resource(
        "aws_s3_bucket_versioning.b", values, configured=frozenset({"versioning_configuration"})
    )
    assert facts_of(a_bucket(versioning=[]), unset)["versioned"] is False


def test_a_subnet_that_is_only_read_is_outside_of_the_plan() -> None:
    machine = a_resource(
        values={"subnet_id": UNKNOWN}, references=(a_reference("/subnet_id", "data.aws_subnet.s"),)
    )
    read = a_resource(
        "data.aws_subnet.s", {"map_public_ip_on_launch": False}, mode="data", action=Action.READ
    )
    assert facts_of(machine, read)["public_ip"] is UNKNOWN


def test_an_attribute_that_cannot_be_followed_points_anywhere() -> None:
    machine = a_resource(
        values={"subnet_id": UNKNOWN},
        references=(a_reference("/subnet_id", "aws_subnet.s"),),
        unresolved=("/subnet_id",),
    )
    private = a_resource("aws_subnet.s", {"map_public_ip_on_launch": False})
    assert facts_of(machine, private)["public_ip"] is UNKNOWN


def test_a_machine_with_an_address_keeps_it() -> None:
    machine = a_resource(values={"public_ip": "203.0.113.7", "subnet_id": "subnet-1"}, action=Action.UPDATE)
    assert (facts_of(machine)["public_ip"], facts_of(machine)["public_ip_from"]) == (
        True,
        "it has one already",
    )


@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        ({"associate_public_ip_address": "true"}, True),
        ({"associate_public_ip_address": "false"}, False),
        ({"associate_public_ip_address": UNKNOWN}, UNKNOWN),
        ({"associate_public_ip_address": "", "subnet_id": "subnet-1"}, True),
        ({"network_interface_id": "eni-1"}, False),
        ({"network_interface_id": "eni-2"}, UNKNOWN),
        ({}, None),
    ],
)
def test_a_template_says_yes_no_or_leaves_it_to_the_subnet(
    interface: dict[str, Any], expected: object
) -> None:
    template = a_resource("aws_launch_template.t", {"network_interfaces": [interface]})
    subnet = a_resource("aws_subnet.s", {"id": "subnet-1", "map_public_ip_on_launch": True})
    assert (
        facts_of(template, subnet, a_resource("aws_network_interface.n", {"id": "eni-1"}))["public_ip"]
        is expected
    )


def test_a_template_with_a_public_subnet_makes_public_machines() -> None:
    template = a_resource(
        "aws_launch_template.t", {"id": "lt-1", "network_interfaces": [{"subnet_id": "subnet-1"}]}
    )
    subnet = a_resource("aws_subnet.s", {"id": "subnet-1", "map_public_ip_on_launch": True})
    for values in (
        {"launch_template": [{"id": "lt-1"}]},
        {"launch_template": [{"id": "lt-1"}], "subnet_id": None},
    ):
        facts = facts_of(a_resource(values=values), template, subnet)
        assert facts["public_ip_from"] == "the subnet that its template names gives them"
    group = a_resource("aws_autoscaling_group.g", {"launch_template": [{"id": "lt-1"}]})
    assert facts_of(group, template, subnet)["public_ip"] is True


def test_a_group_whose_configuration_is_outside_of_the_plan_is_unknown_in_everything() -> None:
    facts = facts_of(a_resource("aws_autoscaling_group.g", {"launch_configuration": "web"}))
    assert [facts[name] for name in ("public_ip", "metadata_tokens_required", "disks_encrypted")] == [
        UNKNOWN
    ] * 3


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({"ebs": [{"encrypted": "true"}]}, True),
        ({"ebs": [{"encrypted": "false"}]}, False),
        ({"ebs": []}, False),
        ({"ebs": UNKNOWN}, UNKNOWN),
        ({"ebs": [{"encrypted": None, "snapshot_id": "snap-1"}]}, UNKNOWN),
        ({"virtual_name": "ephemeral0"}, False),
        ({"virtual_name": UNKNOWN, "ebs": [{"encrypted": "true"}]}, UNKNOWN),
    ],
)
def test_a_template_has_encrypted_disks_when_those_it_describes_are(
    mapping: dict[str, Any], expected: object
) -> None:
    template = a_resource("aws_launch_template.t", {"block_device_mappings": [mapping]})
    assert facts_of(template)["disks_encrypted"] is expected


def test_an_account_that_encrypts_everything_settles_every_disk() -> None:
    account = a_resource("aws_ebs_encryption_by_default.d", {"enabled": True}, action=Action.NO_OP)
    machine = a_resource(values={"root_block_device": [{"encrypted": False}]})
    template = a_resource("aws_launch_template.t", {"block_device_mappings": []})
    assert [facts_of(r, account)["disks_encrypted"] for r in (machine, template)] == [True, True]


def test_a_cache_that_joins_a_global_one_follows_it() -> None:
    cache = a_resource("aws_elasticache_replication_group.c", {"global_replication_group_id": "global"})
    assert facts_of(cache)["encrypted"] is UNKNOWN
    valkey = a_resource("aws_elasticache_replication_group.c", {"engine": "valkey"})
    assert facts_of(valkey)["encrypted"] is True


def test_a_policy_of_the_account_that_the_plan_reads_is_judged_by_its_text() -> None:
    attachment = a_resource("aws_iam_role_policy_attachment.a", {"policy_arn": "arn:aws:iam::1:policy/x"})
    text = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    values = {"arn": "arn:aws:iam::1:policy/x", "policy": text}
    read = a_resource("data.aws_iam_policy.x", values, mode="data", action=Action.READ)
    assert facts_of(attachment, read)["full_admin"] is True
