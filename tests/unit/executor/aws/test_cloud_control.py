"""Cloud Control API with botocore's Stubber: the double of AWS has no such service. It checks the calls, and answers as
the API reference says that AWS does. No AWS is behind it."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.stub import ANY, Stubber

from plangate.errors import ExecutionError
from plangate.executor.aws.base import REF, Condition, Found, Handler, Mark, Owner, token_of
from plangate.executor.aws.clients import Aws, NotYetError, Place, is_passing
from plangate.executor.aws.cloud_control import CloudControl, cloud_control
from plangate.executor.aws.difference import changed_properties
from plangate.executor.aws.handlers import handler_for, handler_of
from plangate.executor.aws.permissions import permissions_of
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


def _creation(stub: Stubber, kind: str = "AWS::SNS::Topic", **event: Any) -> None:
    """A request, and how it is."""
    asked = {"TypeName": kind, "DesiredState": ANY, "ClientToken": MARK.token}
    answer = {"ProgressEvent": {"RequestToken": "r-1", "OperationStatus": "PENDING"}}
    stub.add_response("create_resource", answer, asked)
    stub.add_response("get_resource_request_status", {"ProgressEvent": event}, {"RequestToken": "r-1"})


def _sent(aws: Aws) -> list[dict[str, Any]]:
    """What is sent to make something, as it is sent."""
    sent: list[dict[str, Any]] = []
    aws.client("cloudcontrol").meta.events.register(
        "provide-client-params.cloudcontrol.CreateResource",
        lambda params, **_: sent.append(json.loads(params["DesiredState"])),
    )
    return sent


def test_a_creation_carries_the_mark_and_gives_the_identifier(aws: Aws, stub: Stubber) -> None:
    sent = _sent(aws)
    _creation(stub, OperationStatus="SUCCESS", Identifier=TOPIC)
    assert _handler().create(aws, {"TopicName": "news"}, MARK) == TOPIC
    assert sent == [{"TopicName": "news", "Tags": MARKS}]


@pytest.mark.parametrize("status", ["PENDING", "IN_PROGRESS", "CANCEL_IN_PROGRESS"])
def test_a_creation_under_way_is_asked_for_again_as_the_same_one(
    aws: Aws, stub: Stubber, status: str
) -> None:
    _creation(stub, OperationStatus=status, Identifier=TOPIC)
    with pytest.raises(NotYetError) as error:
        _handler().create(aws, {"TopicName": "news"}, MARK)
    assert is_passing(error.value)
    assert _handler().find(aws, {"TopicName": "news"}, MARK) is None
    _creation(stub, OperationStatus="SUCCESS", Identifier=TOPIC)
    assert _handler().create(aws, {"TopicName": "news"}, MARK) == TOPIC


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"OperationStatus": "FAILED", "ErrorCode": "AlreadyExists", "StatusMessage": "there is one"}, "FAILED: AlreadyExists: there is one"),
        ({"OperationStatus": "FAILED", "ErrorCode": "NotStabilized", "Identifier": "t"}, "NotStabilized; look at t, which may be left of it"),
        ({"OperationStatus": "CANCEL_COMPLETE"}, "CANCEL_COMPLETE"),
        ({"OperationStatus": "SUCCESS"}, "SUCCESS"),
        ({"OperationStatus": "SOMETHING_NEW", "Identifier": "t"}, "SOMETHING_NEW"),
        ({}, "no status"),
    ],
)  # fmt: skip
def test_a_creation_is_done_only_when_aws_says_so_and_what(
    aws: Aws, stub: Stubber, event: dict[str, Any], said: str
) -> None:
    _creation(stub, **event)
    with pytest.raises(ExecutionError, match=re.escape(said)) as error:
        _handler().create(aws, {"TopicName": "news"}, MARK)
    assert not is_passing(error.value)


def test_a_resource_is_told_as_its_template_has_it(aws: Aws, stub: Stubber) -> None:
    _under_way(stub)
    tags = [*MARKS, {"Key": "owner", "Value": "web"}]
    _told(stub, "AWS::SNS::Topic", TOPIC, {"TopicName": "news", "TopicArn": TOPIC, "Tags": tags})
    assert _handler().read(aws, [TOPIC]) == {
        TOPIC: Found(
            identifier=TOPIC,
            properties={"TopicName": "news", "Tags": [{"Key": "owner", "Value": "web"}]},
            attributes={REF: TOPIC, "TopicArn": TOPIC},
            marks=dict(MARK.tags),
        )
    }


def test_tags_that_are_a_mapping_get_the_mark_as_one(aws: Aws, stub: Stubber) -> None:
    sent = _sent(aws)
    _creation(stub, "AWS::SSM::Parameter", OperationStatus="SUCCESS", Identifier="p")
    _handler("AWS::SSM::Parameter").create(aws, {"Value": "x", "Tags": {"a": "b"}}, MARK)
    assert sent == [{"Value": "x", "Tags": {"a": "b", **MARK.tags}}]


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


def test_a_type_has_its_own_handler_or_goes_through_cloud_control() -> None:
    schemas = Schemas(REGION)
    assert handler_of("AWS::EC2::VPC", schemas) is handler_for("AWS::EC2::VPC")
    through = handler_of("AWS::SNS::Topic", schemas)
    assert isinstance(through, CloudControl)
    assert through.type == "AWS::SNS::Topic"
    assert handler_of("AWS::None::Such", schemas) is None


def test_a_creation_through_cloud_control_needs_its_actions_and_those_of_the_type() -> None:
    needed = permissions_of("AWS::SNS::Topic", ("create",), Schemas(REGION))
    assert {
        "cloudformation:CreateResource",
        "cloudformation:GetResourceRequestStatus",
        "sns:CreateTopic",
    } <= needed
