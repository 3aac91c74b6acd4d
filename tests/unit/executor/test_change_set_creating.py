"""How a change set is made and recorded. AWS is botocore's Stubber here: a double."""

import hashlib
import itertools
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from plangate.errors import CannotDecideError, PlanParseError, UsageError
from plangate.executor.change_set.calls import CallError, call
from plangate.executor.change_set.creating import MAX_TEMPLATE_BYTES, Waiting, Wanted, create
from plangate.executor.change_set.recorded import (
    RecordedChangeSet,
    StackIdentity,
    decode,
    differences,
    place_of_secret,
    record,
    without_secrets,
)
from plangate.executor.change_set.template_bucket import TemplateBucket
from tests.change_sets import (
    ARN,
    OLD_TEXT,
    STACK,
    TEMPLATE,
    Script,
    a_stack,
    change,
    described,
    identity,
    recorded,
)
from tests.tools import ROOT

SECRET = "swordfish"
NO_STACK = "Stack with id web does not exist"


def wanted(template: Mapping[str, Any] = TEMPLATE, **fields: Any) -> Wanted:
    return Wanted(stack="web", text=json.dumps(template), template=template, token="plangate-1", **fields)


def waiting(**fields: Any) -> Waiting:
    return Waiting(poll_s=0.0, sleep=lambda _seconds: None, **fields)


def make(script: Script, asked: Wanted | None = None, **fields: Any) -> RecordedChangeSet | None:
    made = create(script.describer(), asked or wanted(), waiting(**fields))
    script.done()
    return made


def ready(script: Script, template: Mapping[str, Any] = TEMPLATE, **fields: Any) -> Script:
    """Ready at the second look; then it is recorded."""
    script.says("describe_change_set", described(Status="CREATE_PENDING", ExecutionStatus="UNAVAILABLE"))
    script.says("describe_change_set", described())
    script.before(change(), template=template, **fields)
    return script.says(
        "get_template",
        {"TemplateBody": json.dumps(template)},
        ChangeSetName=ARN,
        TemplateStage="Original",
    )


def existing(script: Script, **fields: Any) -> Script:
    """The stack is there, and its identity is read before anything is made."""
    script.says("describe_stacks", {"Stacks": [a_stack(**fields)]}, StackName="web")
    script.says("describe_stacks", {"Stacks": [a_stack(**fields)]}, StackName=STACK)
    return script.says("get_template", {"TemplateBody": OLD_TEXT}, StackName=STACK, TemplateStage="Original")


def test_records_the_change_set_of_a_stack_with_all_that_aws_says() -> None:
    script = existing(Script())
    script.says(
        "create_change_set",
        {"Id": ARN, "StackId": STACK},
        StackName="web",
        ChangeSetName="plangate-1",
        ClientToken="plangate-1",
        ChangeSetType="UPDATE",
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[],
        Capabilities=["CAPABILITY_IAM"],
        Description="made to be judged by plangate",
        Tags=[{"Key": "a", "Value": "b"}],
        RoleARN="arn:aws:iam::123456789012:role/deploy",
    )
    made = make(
        ready(script),
        wanted(
            capabilities=("CAPABILITY_IAM",), tags={"a": "b"}, role="arn:aws:iam::123456789012:role/deploy"
        ),
    )
    assert made == RecordedChangeSet(
        environment="test",
        region="eu-central-1",
        change_set=ARN,
        stack=identity(),
        described=described(change()),
        template=dict(TEMPLATE),
    )
    assert decode(made.encode()) == made


def test_a_stack_that_is_not_there_is_begun_and_the_secret_parameter_is_not_written() -> None:
    template = {
        **TEMPLATE,
        "Parameters": {
            "Password": {"Type": "String", "NoEcho": "true", "Default": "changeme"},
            "Name": {"Type": "String", "Default": "n"},
        },
    }
    new = {
        "StackId": STACK,
        "StackName": "web",
        "StackStatus": "REVIEW_IN_PROGRESS",
        "CreationTime": "2026-01-02",
    }
    script = Script().refuses("describe_stacks", said=NO_STACK)
    script.says(
        "create_change_set",
        {"Id": ARN, "StackId": STACK},
        StackName="web",
        ChangeSetName="plangate-1",
        ClientToken="plangate-1",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": "Password", "ParameterValue": SECRET}],
        Capabilities=[],
        Description="made to be judged by plangate",
    )
    script.says("describe_change_set", described())
    # moto tells a NoEcho value; CloudFormation writes ****. Neither is written.
    parameters = [{"ParameterKey": "Password", "ParameterValue": SECRET, "ResolvedValue": SECRET}]
    script.says("describe_change_set", described(change(), Parameters=parameters))
    script.says("describe_stacks", {"Stacks": [new | {"CreationTime": a_stack()["CreationTime"]}]})
    script.says("get_template", {"TemplateBody": json.dumps(template)})
    script.says("get_template", {"TemplateBody": json.dumps(template)})

    made = make(script, wanted(template, parameters={"Password": SECRET}))

    assert made is not None
    assert SECRET.encode() not in made.encode()
    assert b"changeme" not in made.encode()
    assert (made.hidden, made.stack.template_sha256) == (frozenset({"Password"}), None)
    assert made.template["Parameters"]["Name"] == {"Type": "String", "Default": "n"}


def test_parameters_that_are_not_given_keep_the_stacks_value() -> None:
    template = {**TEMPLATE, "Parameters": {name: {"Type": "String"} for name in ("A", "B", "C")}}
    has = [{"ParameterKey": name, "ParameterValue": "x"} for name in ("A", "B", "Gone")]
    script = existing(Script(), Parameters=has)
    script.says(
        "create_change_set",
        {"Id": ARN, "StackId": STACK},
        StackName=...,
        ChangeSetName=...,
        ClientToken=...,
        ChangeSetType="UPDATE",
        TemplateBody=...,
        Parameters=[
            {"ParameterKey": "A", "ParameterValue": "new"},
            {"ParameterKey": "B", "UsePreviousValue": True},
        ],
        Capabilities=[],
        Description=...,
    )
    assert make(ready(script, template), wanted(template, parameters={"A": "new"})) is not None


@pytest.mark.parametrize("how", ["refused", "failed"])
def test_a_stack_that_is_so_already_has_no_change_set(how: str) -> None:
    script = existing(Script())
    if how == "refused":
        script.refuses("create_change_set", said="No updates are to be performed.")
    else:
        script.says("create_change_set", {"Id": ARN, "StackId": STACK})
        reason = "The submitted information didn't contain changes."
        script.says("describe_change_set", described(Status="FAILED", StatusReason=reason))
        script.says("delete_change_set", {}, ChangeSetName=ARN)
    assert make(script) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Status": "FAILED", "StatusReason": "Requires capabilities"}, "FAILED.*Requires capabilities"),
        ({"ExecutionStatus": "UNAVAILABLE"}, "CREATE_COMPLETE, UNAVAILABLE"),
        ({"ExecutionStatus": "OBSOLETE"}, "OBSOLETE"),
        ({"Status": "DELETE_COMPLETE"}, "DELETE_COMPLETE"),
    ],
)
def test_a_change_set_that_cannot_be_executed_is_not_written(fields: dict[str, Any], message: str) -> None:
    script = existing(Script()).says("create_change_set", {"Id": ARN, "StackId": STACK})
    script.says("describe_change_set", described(**fields))
    with pytest.raises(CannotDecideError, match=message):
        make(script)


def test_a_change_set_that_is_not_ready_in_time_is_not_written() -> None:
    script = existing(Script()).says("create_change_set", {"Id": ARN, "StackId": STACK})
    script.says("describe_change_set", described(Status="CREATE_IN_PROGRESS"))
    ticks = itertools.count(0.0, 10.0)
    with pytest.raises(CannotDecideError, match="still CREATE_IN_PROGRESS after 5 s"):
        make(script, timeout_s=5.0, clock=lambda: next(ticks))


def test_a_stack_that_changes_meanwhile_is_seen() -> None:
    script = existing(Script()).says("create_change_set", {"Id": ARN, "StackId": STACK})
    ready(script, stack=a_stack(ChangeSetId=f"{ARN}-another"))
    script.says("delete_change_set", {}, ChangeSetName=ARN)
    with pytest.raises(CannotDecideError, match="it changed while the change set was made"):
        create(script.describer(), wanted(), waiting())


def test_another_template_than_the_one_handed_in_is_seen() -> None:
    script = existing(Script()).says("create_change_set", {"Id": ARN, "StackId": STACK})
    ready(script, {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
    with pytest.raises(CannotDecideError, match="not the one that was handed in"):
        create(script.describer(), wanted(), waiting())


@pytest.mark.parametrize("place", ["context", "key", "literal"])
def test_a_secret_value_that_aws_or_the_template_shows_is_never_written(place: str) -> None:
    extra = {"Metadata": {"note": f"it is {SECRET}"}} if place == "literal" else {}
    template = {**TEMPLATE, "Parameters": {"Password": {"Type": "String", "NoEcho": True}}, **extra}
    shown = {"context": {"Tags": f"x{SECRET}y"}, "key": {SECRET: 1}, "literal": {}}[place]
    script = existing(Script()).says("create_change_set", {"Id": ARN, "StackId": STACK})
    script.says("describe_change_set", described())
    script.before(change(after=shown), template=template)
    script.says("get_template", {"TemplateBody": json.dumps(template)})
    with pytest.raises(CannotDecideError, match="stands in clear") as caught:
        make(script, wanted(template, parameters={"Password": SECRET}))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_FAILED", "NEW_WORD"])
def test_a_stack_that_cannot_be_updated_now_is_left_alone(status: str) -> None:
    script = Script().says("describe_stacks", {"Stacks": [a_stack(status)]})
    with pytest.raises(UsageError, match=f"status is {status}"):
        make(script)


def test_a_parameter_that_the_template_does_not_have_is_refused() -> None:
    script = Script().refuses("describe_stacks", said=NO_STACK)
    with pytest.raises(UsageError, match="--parameters Typo: the template has no such parameter"):
        make(script, wanted(parameters={"Typo": "x"}))


def test_a_template_beyond_the_limit_is_refused_before_anything_is_asked() -> None:
    big = {**TEMPLATE, "Description": "x" * MAX_TEMPLATE_BYTES}
    with pytest.raises(UsageError, match="limit of CloudFormation"):
        make(Script(), wanted(big))


class _S3:
    """A bucket that keeps what was asked of it; a double."""

    def __init__(self, *refused: str) -> None:
        self.asked: list[tuple[str, str]] = []
        self.stored: dict[str, bytes] = {}
        self._refused = refused
        self.meta = SimpleNamespace(endpoint_url="https://s3.eu-central-1.amazonaws.com")

    def put_object(self, **given: Any) -> dict[str, Any]:
        return self._done("put_object", given, {given["Key"]: given["Body"]})

    def delete_object(self, **given: Any) -> dict[str, Any]:
        return self._done("delete_object", given, {})

    def _done(self, name: str, given: dict[str, Any], stored: dict[str, bytes]) -> dict[str, Any]:
        assert (given["Bucket"], given["ExpectedBucketOwner"]) == ("templates", "123456789012")
        self.asked.append((name, given["Key"]))
        if name in self._refused:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, name)
        self.stored = stored
        return {}


def _stored(s3: _S3, notices: list[str]) -> TemplateBucket:
    return TemplateBucket(client=s3, name="templates", account="123456789012", notice=notices.append)


BIG = {**TEMPLATE, "Description": "x" * MAX_TEMPLATE_BYTES}


@pytest.mark.parametrize("refused", [(), ("delete_object",)])
def test_a_template_in_a_bucket_is_named_by_its_digest_and_deleted_also_after_a_refusal(
    refused: tuple[str, ...],
) -> None:
    s3, notices = _S3(*refused), list[str]()
    text = wanted(BIG).text
    key = f"plangate/templates/{hashlib.sha256(text.encode()).hexdigest()}/plangate-1"
    script = Script().says("describe_stacks", {"Stacks": [a_stack()]})
    script.says("describe_stacks", {"Stacks": [a_stack()]}).says("get_template", {"TemplateBody": OLD_TEXT})
    script.refuses("create_change_set", said="no")
    with pytest.raises(CallError, match="create_change_set"):
        create(script.describer(), wanted(BIG), waiting(), _stored(s3, notices))
    script.done()
    assert s3.asked == [("put_object", key), ("delete_object", key)]
    told = f"the template is still in s3://templates/{key}: delete_object: AccessDenied: not you"
    assert notices == ([told] if refused else [])


def test_a_template_that_cannot_be_put_there_is_refused_and_nothing_is_asked() -> None:
    s3, notices = _S3("put_object"), list[str]()
    script = Script().says("describe_stacks", {"Stacks": [a_stack()]})
    script.says("describe_stacks", {"Stacks": [a_stack()]}).says("get_template", {"TemplateBody": OLD_TEXT})
    with pytest.raises(CallError, match="put_object: AccessDenied"):
        create(script.describer(), wanted(BIG), waiting(), _stored(s3, notices))
    script.done()


def test_a_template_that_can_be_sent_goes_into_no_bucket() -> None:
    s3 = _S3()
    script = Script().says("describe_stacks", {"Stacks": [a_stack()]})
    script.says("describe_stacks", {"Stacks": [a_stack()]}).says("get_template", {"TemplateBody": OLD_TEXT})
    script.refuses("create_change_set", said="no")
    with pytest.raises(CallError):
        create(script.describer(), wanted(), waiting(), _stored(s3, []))
    assert s3.asked == []


def test_a_stack_of_which_aws_does_not_tell_is_no_new_one() -> None:
    with pytest.raises(CallError, match="AccessDenied"):
        make(Script().refuses("describe_stacks", "AccessDenied", "not you"))


def test_a_template_of_aws_is_read_exactly() -> None:
    script = Script().says(
        "get_template", {"TemplateBody": '{"Resources": {"A": {"Type": "A::B"}}, "Resources": {}}'}
    )
    with pytest.raises(PlanParseError, match="duplicate key"):
        script.describer().stack_template(STACK)


def test_an_aws_that_cannot_be_reached_may_have_done_it() -> None:
    class Client:
        def execute(self) -> None:
            raise EndpointConnectionError(endpoint_url="http://x")

    with pytest.raises(CallError) as caught:
        call(Client(), "execute")
    assert (caught.value.refused, caught.value.code) == (False, "")


# --- the document ---


@pytest.mark.parametrize(
    "stack", [identity(), identity(template_sha256=None, last_updated=None, change_set=None)]
)
def test_it_fits_its_published_schema(stack: StackIdentity) -> None:
    schema = json.loads((ROOT / "src/plangate/schemas/change-set.v1.json").read_text())
    document = json.loads(recorded(change(), stack=stack).encode())
    jsonschema.Draft202012Validator(schema).validate(document)
    assert set(schema["properties"]) == set(document)
    assert set(schema["properties"]["stack"]["properties"]) == set(document["stack"])


def test_it_has_one_way_to_be_written_whatever_the_order() -> None:
    one = record(
        environment="e",
        region="r",
        stack=identity(),
        described={"ChangeSetId": "a", "Z": 1, "B": 2},
        template={},
    )
    other = record(
        environment="e",
        region="r",
        stack=identity(),
        described={"B": 2, "Z": 1, "ChangeSetId": "a"},
        template={},
    )
    assert one.encode() == other.encode()


@pytest.mark.parametrize(
    "section", [None, [], {"Password": "text"}, {"Password": {"NoEcho": False, "Default": "x"}}]
)
def test_a_template_without_secret_parameters_stays_as_it_is(section: Any) -> None:
    assert without_secrets({"Parameters": section}) == {"Parameters": section}


def test_places_of_differences_are_told_and_never_values() -> None:
    assert differences({"a": [1, {"b": "x"}], "c": 1}, {"a": [1, {"b": "y"}], "d": 1}) == [
        "/a/1/b",
        "/c",
        "/d",
    ]
    assert differences({"a": [1]}, {"a": []}) == ["/a"]
    assert len(differences(list(range(50)), list(range(1, 51)), limit=3)) == 3


def test_short_secrets_are_not_looked_for_and_numbers_are() -> None:
    assert place_of_secret({"a": ["abc"]}, frozenset({"abc"})) is None
    assert place_of_secret({"a": [True, 12345]}, frozenset({"2345"})) == "/a/1"


def test_the_place_of_a_secret_does_not_repeat_it() -> None:
    assert place_of_secret({"a": {SECRET: 1}}, frozenset({SECRET})) == "/a"
