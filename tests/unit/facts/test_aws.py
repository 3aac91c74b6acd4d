"""What fixtures do not show: types without a rule of their own, and turns that the real provider does not take."""

from typing import Any

import pytest

from plangate.facts.registry import ADAPTER_ERROR, ADAPTERS, with_facts
from plangate.facts.traffic import entry
from plangate.model.plan import Action
from plangate.model.values import UNKNOWN, AllUnknown
from tests.builders import a_reference, a_resource, facts_of


def fact(address: str, values: dict[str, Any], name: str, **changes: Any) -> Any:
    return facts_of(a_resource(address, values, **changes))[name]


@pytest.mark.parametrize(
    ("action", "before", "saved"),
    [
        (Action.DELETE, {"skip_final_snapshot": False}, True),
        (Action.DELETE, {"skip_final_snapshot": True}, False),
        (Action.DELETE, {"skip_final_snapshot": None}, False),
        (Action.DELETE, {}, False),
        (Action.DELETE, {"skip_final_snapshot": UNKNOWN}, UNKNOWN),
        (Action.DELETE, {"skip_final_snapshot": "no"}, UNKNOWN),
        (Action.REPLACE, {"skip_final_snapshot": True}, False),
        (Action.REPLACE, {"skip_final_snapshot": False}, True),
        (Action.UPDATE, {"skip_final_snapshot": True}, None),
        (Action.FORGET, {"skip_final_snapshot": True}, None),
        (Action.CREATE, None, None),
    ],
)
def test_a_database_leaves_a_snapshot_as_was_applied_last(action: Action, before: Any, saved: object) -> None:
    """What a replacement plans for the new one says nothing of the old one."""
    found = fact(
        "aws_db_instance.d", {"skip_final_snapshot": False}, "final_snapshot", action=action, before=before
    )
    assert found is saved


@pytest.mark.parametrize(
    ("kind", "open_to_all"), [("NONE", True), ("AWS_IAM", False), (UNKNOWN, UNKNOWN), (None, True)]
)
def test_a_function_is_public_when_its_url_asks_for_no_identity(kind: object, open_to_all: object) -> None:
    url = a_resource(
        "aws_lambda_function_url.api",
        {"function_name": UNKNOWN, "authorization_type": kind},
        references=(a_reference("/function_name", "aws_lambda_function.api", attribute="function_name"),),
    )
    assert facts_of(url)["public"] is open_to_all
    function = a_resource("aws_lambda_function.api", {"function_name": "api"})
    named = a_resource("aws_lambda_function_url.api", {"function_name": "api", "authorization_type": kind})
    assert facts_of(function, named)["public"] is open_to_all
    assert facts_of(function)["public"] is False


def test_a_registry_says_whether_tags_move_and_images_are_scanned() -> None:
    plain = facts_of(a_resource("aws_ecr_repository.app", {"image_scanning_configuration": []}))
    assert (plain["immutable_tags"], plain["scan_on_push"]) == (False, False)
    scanned = {"image_tag_mutability": "IMMUTABLE", "image_scanning_configuration": [{"scan_on_push": True}]}
    strict = facts_of(a_resource("aws_ecr_repository.app", scanned))
    assert (strict["immutable_tags"], strict["scan_on_push"]) == (True, True)


def test_a_log_group_without_days_keeps_logs_for_ever() -> None:
    facts = facts_of(
        a_resource("aws_cloudwatch_log_group.app", {"kms_key_id": UNKNOWN, "retention_in_days": None})
    )
    assert (facts["encrypted"], facts["retention_days"]) == (UNKNOWN, 0)


def test_a_copy_of_a_snapshot_follows_its_source_when_left_open() -> None:
    assert fact("aws_ebs_snapshot_copy.c", {}, "encrypted") is UNKNOWN
    assert fact("aws_ebs_snapshot_copy.c", {"encrypted": True}, "encrypted") is True


def test_a_member_of_a_graph_cluster_is_private_by_default() -> None:
    assert fact("aws_neptune_cluster_instance.m", {"cluster_identifier": "graph"}, "public") is False


def test_secrets_of_a_cluster_are_encrypted_when_it_says_so() -> None:
    assert fact("aws_eks_cluster.c", {"encryption_config": []}, "secrets_encrypted") is False
    with_key = {"encryption_config": [{"resources": ["secrets"]}]}
    assert fact("aws_eks_cluster.c", with_key, "secrets_encrypted") is True


def test_the_default_network_is_the_default_one() -> None:
    assert (fact("aws_default_vpc.d", {}, "default"), fact("aws_vpc.v", {}, "default")) == (True, False)


@pytest.mark.parametrize(
    ("values", "public"),
    [
        ({"internal": True}, False),
        ({"internal": False}, True),
        ({}, True),
        ({"internal": UNKNOWN}, UNKNOWN),
        ({"load_balancer_type": "gateway"}, False),
    ],
)
def test_a_balancer_is_public_unless_it_is_internal(values: dict[str, Any], public: object) -> None:
    assert fact("aws_lb.web", values, "public") is public


def test_an_account_setting_of_another_region_does_not_count() -> None:
    volume = a_resource("aws_ebs_volume.v", {})
    for region, expected in (("eu-central-1", True), ("us-east-1", False)):
        default = a_resource(
            "aws_ebs_encryption_by_default.d",
            {"enabled": True},
            region=region,
            action=Action.NO_OP,
            before={"enabled": True},
        )
        assert facts_of(volume, default)["encrypted"] is expected


def test_a_volume_that_says_no_is_encrypted_all_the_same_where_the_account_says_so() -> None:
    default = a_resource("aws_ebs_encryption_by_default.d", {"enabled": True}, action=Action.NO_OP)
    assert facts_of(a_resource("aws_ebs_volume.v", {"encrypted": False}), default)["encrypted"] is True


def test_a_data_source_that_reads_a_setting_does_not_make_it() -> None:
    read = a_resource(
        "data.aws_ebs_encryption_by_default.d", {"enabled": True}, mode="data", action=Action.READ
    )
    assert facts_of(a_resource("aws_ebs_volume.v", {}), read)["encrypted"] is False


def test_a_block_that_goes_blocks_nothing() -> None:
    bucket = a_resource("aws_s3_bucket.b", {"bucket": "b"}, action=Action.NO_OP)
    four = dict.fromkeys(
        ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), True
    )
    block = a_resource(
        "aws_s3_bucket_public_access_block.b",
        {},
        action=Action.DELETE,
        after=None,
        before={"bucket": "b", **four},
    )
    assert facts_of(bucket, block)["public_access_blocked"] is False


@pytest.mark.parametrize(
    ("values", "public_acl"),
    [
        ({"acl": "public-read"}, True),
        ({"acl": "authenticated-read"}, True),
        ({"acl": "private", "grant": []}, False),
        ({"acl": UNKNOWN, "grant": []}, UNKNOWN),
        ({"grant": [{"uri": "http://acs.amazonaws.com/groups/global/AllUsers"}]}, True),
        ({"grant": [{"uri": UNKNOWN}]}, UNKNOWN),
        ({"grant": [{"id": "0a1b"}]}, False),
    ],
)
def test_an_acl_is_open_when_it_names_everyone(values: dict[str, Any], public_acl: object) -> None:
    assert fact("aws_s3_bucket.b", values, "public_acl") is public_acl


def test_an_access_control_policy_may_name_everyone() -> None:
    grant = {"grantee": [{"uri": "http://acs.amazonaws.com/groups/global/AllUsers"}]}
    acl = a_resource("aws_s3_bucket_acl.b", {"bucket": "b", "access_control_policy": [{"grant": [grant]}]})
    assert facts_of(a_resource("aws_s3_bucket.b", {"bucket": "b", "grant": []}), acl)["public_acl"] is True


def test_the_older_name_of_a_load_balancer_is_the_same_thing() -> None:
    assert ADAPTERS["aws_alb_listener"].adapt is ADAPTERS["aws_lb_listener"].adapt


def test_a_gateway_listener_has_no_protocol_and_passes_bytes_on() -> None:
    listener = a_resource(
        "aws_lb_listener.g",
        {"load_balancer_arn": UNKNOWN},
        references=(a_reference("/load_balancer_arn", "aws_lb.g"),),
    )
    balancer = a_resource("aws_lb.g", {"load_balancer_type": "gateway"})
    assert {k: facts_of(listener, balancer)[k] for k in ("tls", "protocol")} == {
        "tls": None,
        "protocol": "geneve",
    }


def test_a_security_group_shows_its_own_entries_and_those_of_its_rules() -> None:
    group = a_resource(
        "aws_security_group.web",
        {
            "id": "sg-1",
            "ingress": [{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["10.0.0.0/8"]}],
        },
    )
    rule = a_resource(
        "aws_vpc_security_group_ingress_rule.ssh",
        {
            "security_group_id": "sg-1",
            "ip_protocol": "TCP",
            "from_port": 22,
            "to_port": 22,
            "cidr_ipv4": "0.0.0.0/0",
        },
    )
    other = a_resource(
        "aws_security_group_rule.x", {"security_group_id": "sg-2", "type": "ingress", "protocol": "-1"}
    )
    assert facts_of(group, rule, other)["ingress"] == (
        entry(
            address="aws_security_group.web",
            path="/ingress/0/cidr_blocks",
            protocol="tcp",
            ports=(443, 443),
            cidrs=["10.0.0.0/8"],
        ),
        entry(
            address="aws_vpc_security_group_ingress_rule.ssh",
            path="/cidr_ipv4",
            protocol="tcp",
            ports=(22, 22),
            cidrs=["0.0.0.0/0"],
        ),
    )


def test_an_unknown_direction_may_be_ingress() -> None:
    rule = a_resource(
        "aws_security_group_rule.x", {"type": UNKNOWN, "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}
    )
    assert facts_of(rule)["ingress"][0]["any_source"] is True


def test_a_template_of_an_older_version_is_out_of_sight() -> None:
    machine = a_resource(
        values={"launch_template": [{"id": "lt-1", "version": "3"}], "subnet_id": "subnet-1"}
    )
    values = {"id": "lt-1", "network_interfaces": [{"associate_public_ip_address": "false"}]}
    kept = a_resource("aws_launch_template.t", values, action=Action.UPDATE)
    assert facts_of(machine, kept)["public_ip"] is UNKNOWN
    newest = a_resource(
        values={"launch_template": [{"id": "lt-1", "version": "$Latest"}], "subnet_id": "subnet-1"}
    )
    assert facts_of(newest, kept)["public_ip"] is False


def test_an_adapter_that_fails_leaves_an_error_and_no_facts_of_its_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("plangate.facts.registry.ADAPTERS", {"aws_kms_key": _Broken()})
    key = with_facts([a_resource("aws_kms_key.k", {"enable_key_rotation": True})])[0]
    assert (key.kind, key.facts[ADAPTER_ERROR], "rotation" in key.facts) == (
        "crypto.key",
        "ZeroDivisionError",
        False,
    )


class _Broken:
    kind = "crypto.key"

    def adapt(self, _native: object) -> dict[str, Any]:
        return {"rotation": 1 // 0 == 0}


def test_a_resource_of_which_nothing_is_known_has_unknown_tags() -> None:
    facts = with_facts([a_resource("aws_kms_key.k", {}, planned=AllUnknown())])[0].facts
    assert (facts["tags"], facts["tags_complete"]) == (UNKNOWN, False)


@pytest.mark.parametrize(
    ("values", "tags", "complete"),
    [
        ({"tags": {"a": "1"}, "tags_all": {"a": "1", "b": "2"}}, {"a": "1", "b": "2"}, True),
        ({"tags": {"a": "1"}, "tags_all": UNKNOWN}, {"a": "1"}, False),
        ({"tags": None, "tags_all": UNKNOWN}, {}, True),
        ({"tags": UNKNOWN, "tags_all": UNKNOWN}, UNKNOWN, False),
        ({"tags": {"a": UNKNOWN}, "tags_all": {"a": UNKNOWN}}, {"a": UNKNOWN}, True),
        ({"labels": {"a": "1"}}, {"a": "1"}, True),
        ({"tag": [{"key": "a", "value": "1"}, UNKNOWN]}, {"a": "1"}, False),
        ({"tag": UNKNOWN}, UNKNOWN, False),
        ({"name": "x"}, None, True),
    ],
)
def test_tags_are_those_that_the_resource_will_have(
    values: dict[str, Any], tags: object, *, complete: bool
) -> None:
    facts = facts_of(a_resource("aws_sqs_queue.q", values))
    assert (facts["tags"], facts["tags_complete"]) == (tags, complete)


@pytest.mark.parametrize(
    ("native_type", "cloud", "stateful"),
    [
        ("aws_db_instance", "aws", True),
        ("aws_security_group", "aws", False),
        ("aws_s3_bucket_policy", "aws", False),
        ("aws_new_kind_of_table", "aws", UNKNOWN),
        ("google_sql_database_instance", "google", True),
        ("google_new_thing", "google", UNKNOWN),
        ("random_password", "", False),
        ("terraform_data", "", False),
        ("acme_account", "", UNKNOWN),
        ("azurerm_managed_disk", "azure", True),
    ],
)
def test_a_type_holds_data_does_not_or_nobody_knows(native_type: str, cloud: str, stateful: object) -> None:
    assert fact(f"{native_type}.x", {}, "stateful", cloud=cloud) is stateful


@pytest.mark.parametrize(
    ("native_type", "cloud", "regional"),
    [
        ("aws_sqs_queue", "aws", True),
        ("aws_iam_role", "aws", False),
        ("google_x", "google", UNKNOWN),
        ("random_id", "", False),
    ],
)
def test_a_resource_lives_in_a_region_does_not_or_nobody_knows(
    native_type: str, cloud: str, regional: object
) -> None:
    assert fact(f"{native_type}.x", {}, "regional", cloud=cloud) is regional
