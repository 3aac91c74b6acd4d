"""Described change sets as plans."""

import json
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.facts.registry import plan_with_facts
from plangate.model.plan import Action, Location, ReplaceOrder
from plangate.model.values import UNKNOWN, AllUnknown
from plangate.parsers.base import Limits
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.cloudformation import change_set

STACK = "arn:aws:cloudformation:eu-central-1:123456789012:stack/web/1"


def described(*changes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A change set that is ready."""
    return {
        "ChangeSetName": "c",
        "StackId": STACK,
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "Changes": list(changes),
    } | fields


def change(
    action: str = "Add", kind: str = "AWS::S3::Bucket", name: str = "Bucket", **fields: Any
) -> dict[str, Any]:
    """A change; ``before`` and ``after`` are properties."""
    for side, context in (("before", "BeforeContext"), ("after", "AfterContext")):
        if side in fields:
            fields[context] = json.dumps({"Properties": fields.pop(side)})
    return {
        "Type": "Resource",
        "ResourceChange": {"Action": action, "LogicalResourceId": name, "ResourceType": kind, **fields},
    }


@pytest.mark.parametrize(
    ("entry", "action"),
    [
        (change("Add"), Action.CREATE),
        (change("Modify", Replacement="False"), Action.UPDATE),
        (change("Modify", Replacement="True"), Action.REPLACE),
        (change("Modify", Replacement="Conditional"), Action.REPLACE),
        (change("Modify"), Action.REPLACE),
        (change("Remove"), Action.DELETE),
        (change("Remove", PolicyAction="Delete"), Action.DELETE),
        (change("Remove", PolicyAction="Snapshot"), Action.DELETE),
        (change("Remove", PolicyAction="Retain"), Action.FORGET),
        (change("Import", PhysicalResourceId="b"), Action.NO_OP),
        (change("SyncWithActual"), Action.NO_OP),
        (change("Dynamic"), Action.REPLACE),
    ],
)
def test_each_action_word_is_an_action(entry: dict[str, Any], action: Action) -> None:
    resource = change_set(described(entry)).resources[0]
    assert resource.action is action
    assert resource.replace_order is (ReplaceOrder.CREATE_FIRST if action is Action.REPLACE else None)
    assert resource.exists_after is (action not in {Action.DELETE, Action.FORGET})


@pytest.mark.parametrize(
    ("entry", "saved"),
    [
        (change("Remove", PolicyAction="Snapshot"), True),
        (change("Remove", PolicyAction="Delete"), False),
        (change("Remove", PolicyAction="Retain"), None),
        (change("Remove"), UNKNOWN),
        (change("Remove", PolicyAction="Keep"), UNKNOWN),
        (change("Remove", PolicyAction=["Snapshot"]), UNKNOWN),
        (change("Modify", Replacement="True", PolicyAction="ReplaceAndSnapshot"), True),
        (change("Modify", Replacement="True", PolicyAction="ReplaceAndRetain"), True),
        (change("Modify", Replacement="True", PolicyAction="ReplaceAndDelete"), False),
        (change("Modify", Replacement="True"), UNKNOWN),
        (change("Modify", Replacement="False"), None),
        (change("Add"), None),
    ],
)
def test_a_database_that_goes_leaves_a_snapshot_where_cloudformation_says_so(
    entry: dict[str, Any], saved: object
) -> None:
    entry["ResourceChange"]["ResourceType"] = "AWS::RDS::DBInstance"
    plan = plan_with_facts(change_set(described(entry)))
    assert plan.resources[0].fact("final_snapshot") is saved


def test_a_property_of_that_name_is_no_policy() -> None:
    lie = {"skip_final_snapshot": False, "SkipFinalSnapshot": False, "DeletionPolicy": "Snapshot"}
    entry = change("Remove", "AWS::RDS::DBInstance", PolicyAction="Delete", before=lie)
    assert plan_with_facts(change_set(described(entry))).resources[0].fact("final_snapshot") is False


def test_without_property_values_nothing_is_known_of_a_resource() -> None:
    resource = change_set(described(change("Add"))).resources[0]
    assert isinstance(resource.planned, AllUnknown)
    assert (resource.after, resource.unknown, resource.configured) == ({}, ("",), None)


def test_property_values_are_before_and_after_and_what_comes_later_is_unknown() -> None:
    entry = change(
        "Modify",
        "AWS::EC2::Instance",
        "Web",
        Replacement="True",
        PhysicalResourceId="i-1",
        before={"SubnetId": "subnet-1", "Tags": [{"Key": "a", "Value": "b"}]},
        after={
            "SubnetId": "{{changeSet:KNOWN_AFTER_APPLY}}",
            "KeyName": "****",
            "ImageId": "{{resolve:ssm:/a}}",
            "Tags": [{"Key": "a", "Value": "{{changeSet:KNOWN_AFTER_APPLY}}"}],
            "EbsOptimized": "true",
        },
        Details=[
            {"Target": {"Attribute": "Properties", "Name": "SubnetId", "RequiresRecreation": "Always"}},
            {"Target": {"Attribute": "Properties", "Name": "KeyName", "RequiresRecreation": "Conditionally"}},
            {"Target": {"Attribute": "Tags", "RequiresRecreation": "Never"}},
            "nonsense",
        ],
    )
    resource = change_set(described(entry)).resources[0]
    assert resource.planned == {
        "SubnetId": UNKNOWN,
        "KeyName": UNKNOWN,
        "ImageId": UNKNOWN,
        "Tags": [{"Key": "a", "Value": UNKNOWN}],
        "EbsOptimized": "true",
    }
    assert resource.after == {"Tags": [{"Key": "a"}], "EbsOptimized": "true"}
    assert resource.before == {
        "SubnetId": "subnet-1",
        "Tags": [{"Key": "a", "Value": "b"}],
        "PhysicalResourceId": "i-1",
    }
    assert resource.unknown == ("/ImageId", "/KeyName", "/SubnetId", "/Tags/0/Value")
    assert resource.unresolved == ("/ImageId", "/KeyName", "/SubnetId", "/Tags/Value")
    assert resource.configured == frozenset({"SubnetId", "KeyName", "ImageId", "Tags", "EbsOptimized"})
    assert resource.replace_paths == ("/KeyName", "/SubnetId")
    assert resource.facts["tags"] == {"a": UNKNOWN}
    assert resource.region == "eu-central-1"


def test_secrets_in_property_values_are_remembered_and_marked() -> None:
    plan = change_set(
        described(
            change(
                "Add", "AWS::RDS::DBInstance", "Db", after={"MasterUserPassword": "swordfish", "Port": "5432"}
            ),
            change("Remove", "AWS::RDS::DBInstance", "Old", before={"MasterUserPassword": "mackerel"}),
        )
    )
    assert plan.secrets == {"swordfish", "mackerel"}
    assert [resource.sensitive for resource in plan.resources] == [("/MasterUserPassword",)] * 2


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (True, False, True)),
        ({"NextToken": "x"}, (False, False, True)),
        ({"Status": "CREATE_IN_PROGRESS"}, (False, False, True)),
        ({"Status": None}, (False, False, True)),
        ({"Status": "FAILED", "ExecutionStatus": "UNAVAILABLE"}, (False, True, False)),
        ({"ExecutionStatus": "OBSOLETE"}, (True, False, False)),
        ({"ExecutionStatus": None}, (True, False, None)),
    ],
)
def test_a_change_set_says_whether_it_is_whole_and_can_be_executed(
    fields: dict[str, Any], expected: tuple[bool, bool, bool | None]
) -> None:
    plan = change_set(described(change(), **fields))
    assert (plan.complete, plan.errored, plan.applyable) == expected


def test_what_a_change_set_does_not_show_makes_the_plan_opaque() -> None:
    plan = change_set(
        described(change("Modify", "AWS::CloudFormation::Stack", "Inner"), change("Dynamic", name="Late"))
    )
    assert plan.opaque == (
        "Inner is a nested stack, whose template is not read",
        "what happens to Late depends on another change set",
    )


def test_a_replacement_of_a_database_that_only_may_be_is_one_for_the_rules() -> None:
    plan = change_set(
        described(
            change("Modify", "AWS::RDS::DBInstance", "Db", Replacement="Conditional"),
            change("Remove", "AWS::DynamoDB::Table", "Table"),
            change("Remove", "AWS::S3::Bucket", "Kept", PolicyAction="Retain"),
            change("Remove", "AWS::EC2::Route", "Route"),
            change("Remove", "AWS::SDB::Domain", "Domain"),
            change("Remove", "Custom::Database", "Custom"),
            change("Remove", "AWS::CloudFormation::Stack", "Stack"),
            change("Modify", "AWS::RDS::DBInstance", "Same", Replacement="False"),
        )
    )
    found, _ = evaluate(plan, {"no-stateful-destroy": RULES["no-stateful-destroy"]}, {})
    assert {outcome.address: outcome.status.value for outcome in found} == {
        "Db": "fail",
        "Table": "fail",
        "Kept": "not_applicable",
        "Route": "pass",
        "Domain": "unknown",
        "Custom": "unknown",
        "Stack": "unknown",
    }


def test_nothing_that_is_not_known_passes_a_rule_about_it() -> None:
    types = {
        "AWS::EC2::Instance": {"instance-no-public-ip", "instance-metadata-v2", "volume-encrypted"},
        "AWS::EC2::LaunchTemplate": {"instance-no-public-ip", "instance-metadata-v2", "volume-encrypted"},
        "AWS::AutoScaling::AutoScalingGroup": {
            "instance-no-public-ip",
            "instance-metadata-v2",
            "volume-encrypted",
        },
        "AWS::EC2::SecurityGroup": {"ingress-no-open-admin-ports", "ingress-no-open-all"},
        "AWS::EC2::SecurityGroupIngress": {"ingress-no-open-admin-ports", "ingress-no-open-all"},
        "AWS::S3::Bucket": {"bucket-no-public-access", "bucket-encrypted", "bucket-versioned"},
        "AWS::RDS::DBInstance": {"database-not-public", "database-encrypted"},
        "AWS::Redshift::Cluster": {"database-not-public", "database-encrypted"},
        "AWS::OpenSearchService::Domain": {"database-not-public", "database-encrypted"},
        "AWS::EC2::Volume": {"volume-encrypted"},
        "AWS::IAM::Role": {"iam-no-full-admin"},
        "AWS::IAM::Policy": {"iam-no-full-admin"},
        "AWS::ElasticLoadBalancingV2::Listener": {"listener-tls"},
        "AWS::ElasticLoadBalancing::LoadBalancer": {"listener-tls"},
        "AWS::KMS::Key": {"key-rotation"},
        "AWS::EKS::Cluster": {"cluster-endpoint-private"},
    }
    names = {f"X{index}": kind for index, kind in enumerate(types)}
    plan = change_set(described(*(change("Add", kind, name) for name, kind in names.items())))
    settings: dict[str, Any] = {"required-tags": {"tags": {"owner": []}}}
    found, _ = evaluate(plan, RULES, settings)
    unknown: dict[str, set[str]] = {kind: set() for kind in types}
    for outcome in found:
        if outcome.address:
            assert outcome.status.value in {"unknown", "not_applicable"}, outcome
            if outcome.status.value == "unknown" and outcome.rule != "required-tags":
                unknown[names[outcome.address]].add(outcome.rule)
    assert unknown == types


def test_a_policy_of_a_bucket_that_is_there_belongs_to_it_by_its_id() -> None:
    plan = change_set(
        described(
            change("Modify", Replacement="False", PhysicalResourceId="b-1", before={}, after={}),
            change(
                "Add",
                "AWS::S3::BucketPolicy",
                "Policy",
                after={
                    "Bucket": "b-1",
                    "PolicyDocument": {
                        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*"}]
                    },
                },
            ),
        )
    )
    assert plan.resources[0].facts["public_policy"] is True


def test_changes_know_where_they_are_written() -> None:
    resource = change_set(described(change())).resources[0]
    assert resource.location == Location(file="change-set.json", line=1, column=172)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["x"], 'expected a change of the type "Resource"'),
        ([{"Type": "Hook"}], 'expected a change of the type "Resource"'),
        ([{"Type": "Resource"}], "expected an object"),
        ([change("Explode")], "unknown action 'Explode'"),
        ([change(name="")], "expected text"),
        ([change(kind="")], "expected text"),
        ([change(), change()], "resource Bucket comes twice"),
        ([change(AfterContext="{")], "not JSON in a text"),
        ([change(AfterContext=1)], "expected JSON in a text"),
        ([change(AfterContext='{"Properties": []}')], "expected an object with properties"),
        ([change(AfterContext="[]")], "expected an object with properties"),
    ],
)
def test_a_change_that_is_not_fully_understood_is_refused(changes: list[Any], message: str) -> None:
    with pytest.raises(PlanParseError) as caught:
        change_set(described() | {"Changes": changes})
    assert message in str(caught.value)
    assert caught.value.at.startswith("line 1 column ")


def test_more_changes_than_the_limit_are_refused() -> None:
    with pytest.raises(PlanParseError, match=r"2 changes \(limit: 1\)"):
        change_set(described(change(name="A"), change(name="B")), Limits(max_resources=1))


def test_a_context_that_would_need_many_long_pointers_is_refused() -> None:
    entry = change("Add", after={"x" * 60_000: [1] * 1000})
    with pytest.raises(PlanParseError, match="evaluating it makes more than 100000 values"):
        change_set(described(entry), Limits(max_template_nodes=100_000))


def test_a_context_without_properties_is_a_resource_that_sets_nothing() -> None:
    assert change_set(described(change(AfterContext="{}"))).resources[0].planned == {}
