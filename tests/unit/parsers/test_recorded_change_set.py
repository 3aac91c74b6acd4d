"""Recorded change sets as plans: change set and template together, replacements by schema, and what is read back."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from plangate.errors import PlanParseError
from plangate.executor.change_set.read_back import SCHEMA as READ_BACK
from plangate.executor.change_set.recorded import RecordedChangeSet
from plangate.facts.registry import plan_with_facts
from plangate.model.plan import Action, Plan, ReplaceOrder, Resource
from plangate.model.values import UNKNOWN, AllUnknown
from plangate.parsers import formats
from plangate.parsers.base import Input, Limits, Options
from plangate.parsers.cloudformation.read_back import parse_read_back
from plangate.parsers.cloudformation.replacements import with_schemas
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.change_sets import STACK, change, identity, recorded

NEW = identity(status="REVIEW_IN_PROGRESS", template_sha256=None)


def read(document: RecordedChangeSet | Mapping[str, Any]) -> Plan:
    """The plan, found by what it holds as any other."""
    data = document.encode() if isinstance(document, RecordedChangeSet) else json.dumps(document).encode()
    source = Input(name="cs.json", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    plan = formats.parse(formats.read_documents(source, Limits()), Options(), Limits())
    assert plan is not None
    return plan


def bucket(plan: Plan) -> Resource:
    return next(resource for resource in plan.resources if resource.address == "Logs")


def template(properties: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
    return {"Resources": {"Logs": {"Type": "AWS::S3::Bucket", "Properties": properties}}, **sections}


def modified(**fields: Any) -> dict[str, Any]:
    return change("Modify", "AWS::S3::Bucket", "Logs", **fields)


def test_what_happens_is_the_change_sets_word_and_what_it_will_be_is_the_templates() -> None:
    plan = read(recorded(change(), change("Remove", "AWS::SQS::Queue", "Old", PhysicalResourceId="q")))
    assert [(r.address, r.action, r.before, r.after) for r in plan.resources] == [
        ("Topic", Action.CREATE, None, {"TopicName": "t"}),
        ("Old", Action.DELETE, {"PhysicalResourceId": "q"}, None),
        ("Logs", Action.NO_OP, {"BucketName": "logs"}, {"BucketName": "logs"}),
    ]
    assert bucket(plan).existing
    assert (plan.complete, plan.errored, plan.opaque) == (True, False, ())
    assert (plan.source.format, bucket(plan).region) == ("cloudformation-recorded-change-set", "eu-central-1")


def test_built_in_rules_judge_it_as_they_judge_a_template() -> None:
    plan = plan_with_facts(read(recorded(change("Add", "AWS::S3::Bucket", "Logs"), template=template({}))))
    assert bucket(plan).kind == "storage.bucket"
    said = {
        outcome.rule: outcome.status.value
        for outcome in evaluate(plan, RULES, {})[0]
        if outcome.address == "Logs"
    }
    assert said["bucket-versioned"] == "fail"


def test_parameters_have_the_values_that_the_change_set_tells() -> None:
    plan = read(
        recorded(
            modified(Replacement="False"),
            template=template(
                {"BucketName": {"Fn::Sub": "${Name}-${AWS::Region}-${AWS::AccountId}-${AWS::StackName}"}},
                Parameters={"Name": {"Type": "String", "Default": "other"}},
            ),
            Parameters=[{"ParameterKey": "Name", "ParameterValue": "logs"}],
        )
    )
    assert bucket(plan).after == {"BucketName": "logs-eu-central-1-123456789012-web"}


@pytest.mark.parametrize(
    "told",
    [{"ParameterValue": "****"}, {"UsePreviousValue": True}],
    ids=["hidden", "not told"],
)
def test_a_parameter_whose_value_is_not_told_is_unknown_and_never_its_default(told: dict[str, Any]) -> None:
    plan = read(
        recorded(
            modified(Replacement="False"),
            template=template(
                {"BucketName": {"Ref": "Name"}}, Parameters={"Name": {"Type": "String", "Default": "good"}}
            ),
            Parameters=[{"ParameterKey": "Name", **told}],
        )
    )
    assert (bucket(plan).planned, bucket(plan).unknown) == ({"BucketName": UNKNOWN}, ("/BucketName",))


def test_each_of_the_two_fills_in_what_the_other_does_not_know() -> None:
    plan = read(
        recorded(
            change(
                "Add",
                "AWS::S3::Bucket",
                "Logs",
                after={
                    "BucketName": "logs",
                    "Tags": [{"Key": "a", "Value": "{{changeSet:KNOWN_AFTER_APPLY}}"}],
                    "ObjectLockEnabled": "true",
                },
            ),
            template=template(
                {
                    "BucketName": {"Ref": "Name"},
                    "Tags": [{"Key": "a", "Value": "b"}],
                    "ObjectLockEnabled": True,
                },
                Parameters={"Name": {"Type": "String"}},
            ),
            stack=NEW,
        )
    )
    assert bucket(plan).planned == {
        "BucketName": "logs",
        "Tags": [{"Key": "a", "Value": "b"}],
        "ObjectLockEnabled": True,
    }
    assert plan.opaque == ()


@pytest.mark.parametrize(
    ("written", "shown", "place", "planned"),
    [
        ({"BucketName": "a"}, {"BucketName": "b"}, "/BucketName", {"BucketName": UNKNOWN}),
        ({"BucketName": "a"}, {}, "/BucketName", {"BucketName": UNKNOWN}),
        ({"Tags": [{"Key": "a", "Value": "1"}]}, {"Tags": []}, "/Tags", {"Tags": UNKNOWN}),
        (
            {"VersioningConfiguration": {"Status": "Enabled"}},
            {"VersioningConfiguration": {"Status": "Suspended"}},
            "/VersioningConfiguration/Status",
            {"VersioningConfiguration": {"Status": UNKNOWN}},
        ),
    ],
)
def test_where_they_contradict_each_other_the_value_is_unknown_and_the_plan_is_not_fully_read(
    written: dict[str, Any], shown: dict[str, Any], place: str, planned: dict[str, Any]
) -> None:
    plan = read(recorded(change("Add", "AWS::S3::Bucket", "Logs", after=shown), template=template(written)))
    assert bucket(plan).planned == planned
    assert plan.opaque == (f"Logs: template and change set contradict each other at {place}",)


def test_a_resource_of_a_new_stack_that_is_not_added_is_judged_and_said() -> None:
    plan = read(recorded(change(), stack=NEW))
    assert bucket(plan).action is Action.CREATE
    assert plan.opaque == ("Logs is in the template of a new stack, and the change set does not add it",)


def test_a_changed_resource_without_a_place_in_the_template_is_said() -> None:
    plan = read(recorded(change(name="Ghost")))
    assert plan.opaque == ("Ghost is changed, and the template has no such resource",)
    assert isinstance(next(r for r in plan.resources if r.address == "Ghost").planned, AllUnknown)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"stack": None}, "/stack: expected an object"),
        ({"described": []}, "/described: expected an object"),
        ({"template": "text"}, "/template: expected an object"),
        ({"change_set": "another"}, "not the one that is named"),
        ({"template": {"Resources": {}}}, "without resources"),
    ],
)
def test_a_document_whose_parts_do_not_belong_together_is_refused(
    broken: dict[str, Any], message: str
) -> None:
    document = json.loads(recorded(change()).encode()) | broken
    with pytest.raises(PlanParseError, match=message):
        read(document)


def test_a_change_of_another_type_than_the_templates_is_refused() -> None:
    with pytest.raises(PlanParseError, match="resource Topic is a AWS::SQS::Queue in the change set"):
        read(recorded(change(kind="AWS::SQS::Queue")))


def test_a_document_that_is_a_change_set_as_well_is_refused() -> None:
    document = json.loads(recorded(change()).encode()) | {"Changes": [], "StackId": STACK}
    with pytest.raises(PlanParseError, match="at once"):
        read(document)


def test_resources_have_no_places_and_complaints_have_one() -> None:
    assert {resource.location for resource in read(recorded(change())).resources} == {None}
    with pytest.raises(PlanParseError, match=r"line 1 column \d+: unknown action 'Explode'"):
        read(recorded(change("Explode")))


# --- replacements by the schemas ---


def stricter(entry: dict[str, Any], pointers: frozenset[str] | None = frozenset({"/BucketName"})) -> Resource:
    document = recorded(entry, template=template({"BucketName": "logs"}))
    plan = read(document)
    plan = replace(plan, opaque=())
    return bucket(with_schemas(plan, document.described, lambda _type: pointers))


@pytest.mark.parametrize(
    "fields",
    [
        {"before": {"BucketName": "old"}, "after": {"BucketName": "logs"}},
        {"before": {}, "after": {"BucketName": "logs"}},
        {"before": {"BucketName": "old"}, "after": {"BucketName": "{{changeSet:KNOWN_AFTER_APPLY}}"}},
        {
            "Details": [
                {"Target": {"Attribute": "Properties", "Name": "BucketName", "RequiresRecreation": "Never"}}
            ]
        },
        {"Details": [{"Target": {"Attribute": "Properties", "Path": "/Properties/BucketName/x"}}]},
        {},
    ],
    ids=["changed", "added", "to be known later", "named", "named by path", "nobody says what changes"],
)
def test_a_change_that_the_schema_calls_a_replacement_is_one_whatever_the_change_set_says(
    fields: dict[str, Any],
) -> None:
    resource = stricter(modified(Replacement="False", **fields))
    assert (resource.action, resource.replace_order) == (Action.REPLACE, ReplaceOrder.CREATE_FIRST)
    assert (resource.replace_paths, resource.reason) == (
        ("/BucketName",),
        "a property that changes replaces it",
    )


@pytest.mark.parametrize("word", ["Always", "Conditionally", "SomethingNew"])
def test_a_detail_that_says_so_makes_a_replacement_also_without_a_schema(word: str) -> None:
    target = {"Attribute": "Properties", "Name": "BucketName", "RequiresRecreation": word}
    resource = stricter(modified(Replacement="False", Details=[{"Target": target}]), None)
    assert (resource.action, resource.replace_paths) == (Action.REPLACE, ("/BucketName",))


@pytest.mark.parametrize("said", ["True", "Conditional", None])
def test_a_replacement_that_the_change_set_says_stays_one_whatever_the_schema_says(said: str | None) -> None:
    fields = {} if said is None else {"Replacement": said}
    same = {"BucketName": "logs"}
    assert stricter(modified(before=same, after=same, **fields), frozenset()).action is Action.REPLACE


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({"before": {"BucketName": "logs"}, "after": {"BucketName": "logs", "Tags": []}}, {"/BucketName"}),
        ({"before": {"BucketName": "****"}, "after": {"BucketName": "****"}}, {"/BucketName"}),
        ({"Details": [{"Target": {"Attribute": "Tags"}}, "nonsense"]}, {"/BucketName"}),
        ({}, set()),
        ({}, None),
    ],
    ids=["same", "hidden, and not named", "something else is named", "nothing is create-only", "no schema"],
)
def test_a_change_in_place_stays_one_when_nothing_create_only_changes(
    fields: dict[str, Any], pointers: set[str] | None
) -> None:
    resource = stricter(
        modified(Replacement="False", **fields), None if pointers is None else frozenset(pointers)
    )
    assert resource.action is Action.UPDATE


def test_inside_of_a_list_the_whole_list_is_compared() -> None:
    entry = modified(
        Replacement="False",
        before={"BucketName": "logs", "Rules": [{"Id": "a"}]},
        after={"BucketName": "logs", "Rules": [{"Id": "b"}]},
    )
    assert stricter(entry, frozenset({"/Rules/*/Id"})).replace_paths == ("/Rules/*/Id",)


# --- what is read back ---


def back(resources: Mapping[str, Any], document: RecordedChangeSet | None = None) -> Plan:
    judged = json.loads((document or recorded(change())).encode())
    data = json.dumps({"schema": READ_BACK, "judged": judged, "resources": resources}).encode()
    return plan_with_facts(parse_read_back(data, Limits()))


def test_a_resource_that_was_read_back_has_what_aws_tells_and_what_it_does_not_tell_is_unknown() -> None:
    there = {"Topic": {"type": "AWS::SNS::Topic", "id": "x", "properties": {"DisplayName": "d"}}}
    (topic,) = back(there).resources
    assert topic.planned == {"DisplayName": "d", "TopicName": UNKNOWN}
    assert (topic.action, topic.unknown) == (Action.NO_OP, ("/TopicName",))


@pytest.mark.parametrize("entry", [{"properties": None}, {}, None, {"properties": "text"}])
def test_a_resource_that_could_not_be_read_is_unknown_as_a_whole(entry: Any) -> None:
    plan = back({"Logs": entry})
    said = {
        outcome.status.value for outcome in evaluate(plan, RULES, {})[0] if outcome.rule == "bucket-versioned"
    }
    assert (isinstance(plan.resources[0].planned, AllUnknown), said) == (True, {"unknown"})


def test_a_resource_that_is_not_there_is_none() -> None:
    assert back({}).resources == ()


@pytest.mark.parametrize("data", [b"{}", b"[]", b'{"schema": "plangate.dev/stack-read-back/v1"}', b"x", b""])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(PlanParseError):
        parse_read_back(data, Limits())
