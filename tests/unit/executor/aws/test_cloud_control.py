"""Cloud Control API with botocore's Stubber: the double of AWS has no such service. It checks the calls, and answers as
the API reference says that AWS does. No AWS is behind it."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.stub import ANY, Stubber

from plangate.executor.aws.base import REF, Condition, Found, Handler, Mark, Owner, token_of
from plangate.executor.aws.clients import Aws, Place
from plangate.executor.aws.difference import changed_properties
from plangate.executor.aws.handlers.cloud_control import cloud_control
from plangate.executor.aws.schemas import Schema, Schemas
from tests.aws_server import ENVIRONMENT, REGION

MARK = Mark(owner=Owner(environment="prod", stack="shop"), logical_id="News", token=token_of("one"))
TOPIC: Final = "arn:aws:sns:eu-central-1:123456789012:news"
MARKS: Final = [{"Key": key, "Value": value} for key, value in sorted(MARK.tags.items())]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Aws(Place(region=REGION))


@pytest.fixture
def stub(aws: Aws) -> Iterator[Stubber]:
    with Stubber(aws.client("cloudcontrol")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def _schema(kind: str) -> Schema:
    found = Schemas(REGION).of(kind)
    assert found is not None
    return found


def _handler(kind: str = "AWS::SNS::Topic") -> Handler:
    found = cloud_control(_schema(kind))
    assert found is not None
    return found


def _under_way(stub: Stubber, *events: dict[str, Any]) -> None:
    asked = {
        "ResourceRequestStatusFilter": {"OperationStatuses": ["PENDING", "IN_PROGRESS", "CANCEL_IN_PROGRESS"]}
    }
    stub.add_response("list_resource_requests", {"ResourceRequestStatusSummaries": list(events)}, asked)


def _told(stub: Stubber, kind: str, identifier: str, properties: dict[str, Any]) -> None:
    description = {"Identifier": identifier, "Properties": json.dumps(properties)}
    asked = {"TypeName": kind, "Identifier": identifier}
    stub.add_response("get_resource", {"TypeName": kind, "ResourceDescription": description}, asked)


def _status(stub: Stubber, **event: Any) -> None:
    stub.add_response("get_resource_request_status", {"ProgressEvent": event}, {"RequestToken": "r-1"})


def test_a_creation_carries_mark_and_client_token_and_is_known_by_its_request(
    aws: Aws, stub: Stubber
) -> None:
    stub.add_response(
        "create_resource",
        {"ProgressEvent": {"RequestToken": "r-1", "OperationStatus": "PENDING"}},
        {
            "TypeName": "AWS::SNS::Topic",
            "DesiredState": json.dumps({"TopicName": "news", "Tags": MARKS}, separators=(",", ":")),
            "ClientToken": MARK.token,
        },
    )
    assert _handler().create(aws, {"TopicName": "news"}, MARK) == "request|r-1"


def test_tags_that_are_a_mapping_get_the_mark_as_one(aws: Aws, stub: Stubber) -> None:
    stub.add_response(
        "create_resource",
        {"ProgressEvent": {"RequestToken": "r-1"}},
        {"TypeName": "AWS::SSM::Parameter", "DesiredState": ANY, "ClientToken": MARK.token},
    )
    sent: list[dict[str, Any]] = []
    aws.client("cloudcontrol").meta.events.register(
        "provide-client-params.cloudcontrol.CreateResource", lambda params, **_: sent.append(params)
    )
    _handler("AWS::SSM::Parameter").create(aws, {"Value": "x", "Tags": {"a": "b"}}, MARK)
    assert json.loads(sent[0]["DesiredState"])["Tags"] == {"a": "b", **MARK.tags}


@pytest.mark.parametrize(
    ("event", "identifier", "condition", "detail"),
    [
        ({"OperationStatus": "PENDING"}, "request|r-1", Condition.BUSY, "PENDING"),
        ({"OperationStatus": "IN_PROGRESS", "Identifier": TOPIC}, TOPIC, Condition.BUSY, "IN_PROGRESS"),
        (
            {"OperationStatus": "FAILED", "ErrorCode": "AlreadyExists", "StatusMessage": "there is one"},
            "request|r-1",
            Condition.FAILED,
            "FAILED: AlreadyExists: there is one",
        ),
        ({"OperationStatus": "CANCEL_COMPLETE"}, "request|r-1", Condition.FAILED, "CANCEL_COMPLETE"),
        ({"OperationStatus": "SOMETHING_NEW"}, "request|r-1", Condition.FAILED, "SOMETHING_NEW"),
        ({}, "request|r-1", Condition.FAILED, ""),
    ],
)
def test_a_request_is_ready_only_when_aws_says_so(
    aws: Aws, stub: Stubber, event: dict[str, Any], identifier: str, condition: Condition, detail: str
) -> None:
    _under_way(stub)
    _status(stub, **event)
    assert _handler().read(aws, ["request|r-1"]) == {
        "request|r-1": Found(
            identifier=identifier,
            properties={},
            attributes={REF: identifier},
            condition=condition,
            detail=detail,
        )
    }


def test_a_request_that_is_done_is_the_resource_under_its_lasting_identifier(aws: Aws, stub: Stubber) -> None:
    _under_way(stub)
    _status(stub, OperationStatus="SUCCESS", Identifier=TOPIC)
    tags = [*MARKS, {"Key": "owner", "Value": "web"}]
    _told(stub, "AWS::SNS::Topic", TOPIC, {"TopicName": "news", "TopicArn": TOPIC, "Tags": tags})
    assert _handler().read(aws, ["request|r-1"]) == {
        "request|r-1": Found(
            identifier=TOPIC,
            properties={"TopicName": "news", "Tags": [{"Key": "owner", "Value": "web"}]},
            attributes={REF: TOPIC, "TopicArn": TOPIC},
            marks=dict(MARK.tags),
        )
    }


def test_a_request_that_aws_has_forgotten_is_nothing(aws: Aws, stub: Stubber) -> None:
    _under_way(stub)
    stub.add_client_error("get_resource_request_status", "RequestTokenNotFoundException")
    assert _handler().read(aws, ["request|r-1"]) == {}


def test_a_resource_is_busy_while_a_request_for_it_is_under_way(aws: Aws, stub: Stubber) -> None:
    event = {"Identifier": TOPIC, "Operation": "UPDATE", "OperationStatus": "IN_PROGRESS"}
    _under_way(stub, {"TypeName": "AWS::SQS::Queue", **event}, {"TypeName": "AWS::SNS::Topic", **event})
    _told(stub, "AWS::SNS::Topic", TOPIC, {"TopicName": "news"})
    found = _handler().read(aws, [TOPIC])[TOPIC]
    assert (found.condition, found.detail) == (Condition.BUSY, "UPDATE IN_PROGRESS")


def test_a_request_for_another_type_makes_nothing_busy(aws: Aws, stub: Stubber) -> None:
    _under_way(stub, {"TypeName": "AWS::SQS::Queue", "Identifier": TOPIC, "OperationStatus": "IN_PROGRESS"})
    _told(stub, "AWS::SNS::Topic", TOPIC, {"TopicName": "news"})
    assert _handler().read(aws, [TOPIC])[TOPIC].condition is Condition.READY


def test_what_is_not_there_is_left_out_and_what_is_being_made_is_busy(aws: Aws, stub: Stubber) -> None:
    event = {"TypeName": "AWS::SNS::Topic", "Operation": "CREATE", "OperationStatus": "IN_PROGRESS"}
    _under_way(stub, {**event, "Identifier": "b"})
    stub.add_client_error("get_resource", "ResourceNotFoundException")
    stub.add_client_error("get_resource", "ResourceNotFoundException")
    found = _handler().read(aws, ["a", "b"])
    assert {name: each.condition for name, each in found.items()} == {"b": Condition.BUSY}


def test_an_error_that_says_nothing_about_existence_is_not_absence(aws: Aws, stub: Stubber) -> None:
    _under_way(stub)
    stub.add_client_error("get_resource", "GeneralServiceException")
    with pytest.raises(aws.client("cloudcontrol").exceptions.GeneralServiceException):
        _handler().read(aws, [TOPIC])


def test_a_change_is_a_patch_that_keeps_the_marks(aws: Aws, stub: Stubber) -> None:
    found = Found(
        identifier=TOPIC,
        properties={"TopicName": "news", "DisplayName": "News", "Tags": []},
        attributes={REF: TOPIC},
        marks=dict(MARK.tags),
    )
    wanted = {"TopicName": "news", "KmsMasterKeyId": "alias/news", "Tags": [{"Key": "a", "Value": "b"}]}
    patch = [
        {"op": "remove", "path": "/DisplayName"},
        {"op": "add", "path": "/KmsMasterKeyId", "value": "alias/news"},
        {"op": "add", "path": "/Tags", "value": [{"Key": "a", "Value": "b"}, *MARKS]},
    ]
    stub.add_response(
        "update_resource",
        {"ProgressEvent": {"RequestToken": "r-2"}},
        {
            "TypeName": "AWS::SNS::Topic",
            "Identifier": TOPIC,
            "PatchDocument": json.dumps(patch, separators=(",", ":")),
        },
    )
    changed = frozenset({"DisplayName", "KmsMasterKeyId", "Tags", "FifoTopic"})
    _handler().update(aws, found, wanted, changed)


def test_what_aws_never_tells_goes_along_with_every_change(aws: Aws, stub: Stubber) -> None:
    found = Found(identifier="p", properties={"Value": "old", "Type": "String"}, attributes={REF: "p"})
    wanted = {"Value": "new", "Type": "String", "Description": "d"}
    patch = [
        {"op": "add", "path": "/Description", "value": "d"},
        {"op": "add", "path": "/Value", "value": "new"},
    ]
    stub.add_response(
        "update_resource",
        {"ProgressEvent": {"RequestToken": "r-2"}},
        {
            "TypeName": "AWS::SSM::Parameter",
            "Identifier": "p",
            "PatchDocument": json.dumps(patch, separators=(",", ":")),
        },
    )
    _handler("AWS::SSM::Parameter").update(aws, found, wanted, frozenset({"Value"}))


def test_what_is_deleted_twice_is_deleted(aws: Aws, stub: Stubber) -> None:
    found = Found(identifier=TOPIC, properties={}, attributes={REF: TOPIC})
    asked = {"TypeName": "AWS::SNS::Topic", "Identifier": TOPIC}
    stub.add_response("delete_resource", {"ProgressEvent": {"RequestToken": "r-3"}}, asked)
    stub.add_client_error("delete_resource", "ResourceNotFoundException")
    for _ in range(2):
        _handler().delete(aws, found)


def test_a_type_that_cannot_be_made_that_way_has_no_handler() -> None:
    document = dict(_schema("AWS::SNS::Topic").document)
    for missing in ("create", "read", "delete"):
        handlers = {name: value for name, value in document["handlers"].items() if name != missing}
        assert cloud_control(Schema({**document, "handlers": handlers})) is None
    assert cloud_control(Schema({**document, "handlers": {}})) is None


def test_a_type_that_cannot_be_changed_is_replaced() -> None:
    document = dict(_schema("AWS::SNS::Topic").document)
    handlers = {name: value for name, value in document["handlers"].items() if name != "update"}
    made = cloud_control(Schema({**document, "handlers": handlers}))
    assert made is not None
    assert (made.updatable, made.defaults) == (frozenset(), {})


def test_tags_of_a_shape_that_is_not_ours_get_no_marks() -> None:
    document = json.loads(json.dumps(_schema("AWS::SNS::Topic").document))
    document["definitions"]["Tag"]["properties"] = {"TagName": {"type": "string"}}
    made = cloud_control(Schema(document))
    assert made is not None
    assert made.defaults == {}


@pytest.mark.parametrize(
    "kind", ["AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::CloudWatch::Alarm", "AWS::SSM::Parameter"]
)
def test_a_handler_knows_what_can_be_set_and_what_can_be_changed(kind: str) -> None:
    schema, handler = _schema(kind), _handler(kind)
    assert not handler.supported & {at[1:] for at in schema.read_only}
    assert handler.updatable == handler.supported - {at[1:] for at in schema.create_only}
    assert changed_properties(handler, schema, dict(handler.defaults), {}) == frozenset()
