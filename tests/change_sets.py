"""CloudFormation by script: botocore's Stubber, which checks every call and its arguments, with what AWS would answer.

For what moto cannot do: property values, replacements, pages, tokens, resource events, failures, cancelling.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import boto3
from botocore.stub import ANY, Stubber

from plangate.executor.change_set.creating import Waiting
from plangate.executor.change_set.describing import Describer
from plangate.executor.change_set.executor import ChangeSetExecutor
from plangate.executor.change_set.recorded import RecordedChangeSet, StackIdentity, digest, plain, record
from plangate.parsers.base import Limits
from plangate.wiring.change_sets import describer_for

REGION: Final = "eu-central-1"
STACK: Final = f"arn:aws:cloudformation:{REGION}:123456789012:stack/web/1"
ARN: Final = f"arn:aws:cloudformation:{REGION}:123456789012:changeSet/c/1"
THEN: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD_TEXT: Final = json.dumps({"Resources": {"Logs": {"Type": "AWS::S3::Bucket"}}})
TEMPLATE: Final[Mapping[str, Any]] = {
    "Resources": {
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "logs"}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}},
    }
}


def change(
    action: str = "Add", kind: str = "AWS::SNS::Topic", name: str = "Topic", **fields: Any
) -> dict[str, Any]:
    """A change; ``before`` and ``after`` are properties."""
    for side, context in (("before", "BeforeContext"), ("after", "AfterContext")):
        if side in fields:
            fields[context] = json.dumps({"Properties": fields.pop(side)})
    return {
        "Type": "Resource",
        "ResourceChange": {"Action": action, "LogicalResourceId": name, "ResourceType": kind, **fields},
    }


def described(*changes: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """What ``describe-change-set`` says of one that is ready."""
    return {
        "ChangeSetName": "c",
        "ChangeSetId": ARN,
        "StackId": STACK,
        "StackName": "web",
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "Changes": list(changes),
    } | fields


def a_stack(status: str = "UPDATE_COMPLETE", **fields: Any) -> dict[str, Any]:
    """What ``describe-stacks`` says."""
    return {
        "StackId": STACK,
        "StackName": "web",
        "StackStatus": status,
        "CreationTime": THEN,
        "LastUpdatedTime": THEN,
        "ChangeSetId": f"{ARN}-earlier",
    } | fields


def identity(**fields: Any) -> StackIdentity:
    """Of `a_stack`."""
    return StackIdentity(
        **{
            "id": STACK,
            "name": "web",
            "status": "UPDATE_COMPLETE",
            "created": "2026-01-02T03:04:05Z",
            "last_updated": "2026-01-02T03:04:05Z",
            "change_set": f"{ARN}-earlier",
            "template_sha256": digest(OLD_TEXT),
        }
        | fields
    )


def recorded(
    *changes: Mapping[str, Any],
    template: Mapping[str, Any] = TEMPLATE,
    stack: StackIdentity | None = None,
    **fields: Any,
) -> RecordedChangeSet:
    """A document as ``plangate change-set create`` writes it."""
    return record(
        environment="test",
        region=REGION,
        stack=stack or identity(),
        described=plain(described(*changes, **fields)),
        template=template,
    )


def event(
    number: int, status: str, name: str = "web", kind: str = "AWS::CloudFormation::Stack", **fields: Any
) -> dict[str, Any]:
    """What ``describe-stack-events`` says: about the stack itself, or a resource."""
    return {
        "StackId": STACK,
        "StackName": "web",
        "EventId": f"e{number}",
        "Timestamp": THEN,
        "LogicalResourceId": name,
        "PhysicalResourceId": STACK if kind == "AWS::CloudFormation::Stack" else f"{name}-id",
        "ResourceType": kind,
        "ResourceStatus": status,
    } | fields


class Script:
    """What AWS is asked, in order, and answers. `done` fails when something was not asked."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "cloudformation",
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        self._stubber = Stubber(self.client)
        self._stubber.activate()

    def says(self, operation: str, answer: Mapping[str, Any], **expected: Any) -> "Script":
        """One call; arguments that are not named may be any, if there are none named at all."""
        arguments = {key: ANY if value is ... else value for key, value in expected.items()}
        self._stubber.add_response(operation, dict(answer), arguments or None)
        return self

    def refuses(
        self, operation: str, code: str = "ValidationError", said: str = "no", status: int = 400
    ) -> "Script":
        """One call that fails."""
        self._stubber.add_client_error(operation, code, said, http_status_code=status)
        return self

    def events(self, *newest_last: Mapping[str, Any]) -> "Script":
        """All events, as AWS tells them: newest first."""
        return self.says("describe_stack_events", {"StackEvents": list(reversed(newest_last))})

    def poll(self, status: str, *newest_last: Mapping[str, Any], **stack: Any) -> "Script":
        """One look at the stack and its events."""
        return self.says("describe_stacks", {"Stacks": [a_stack(status, **stack)]}).events(*newest_last)

    def before(
        self,
        *changes: Mapping[str, Any],
        template: Mapping[str, Any] = TEMPLATE,
        stack: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> "Script":
        """Everything that is read again before the execution, up to the events that are not ours."""
        self.says(
            "describe_change_set",
            described(*changes, **fields),
            ChangeSetName=ARN,
            IncludePropertyValues=True,
        )
        self.says("describe_stacks", {"Stacks": [stack or a_stack()]}, StackName=STACK)
        self.says("get_template", {"TemplateBody": OLD_TEXT}, StackName=STACK, TemplateStage="Original")
        return self.says(
            "get_template",
            {"TemplateBody": json.dumps(template)},
            ChangeSetName=ARN,
            TemplateStage="Processed",
        )

    def executes(self) -> "Script":
        """The events until now, and the execution by ARN with a token."""
        self.events(event(1, "UPDATE_COMPLETE"))
        return self.says("execute_change_set", {}, ChangeSetName=ARN, ClientRequestToken=...)

    def after(
        self, template: Mapping[str, Any] = TEMPLATE, stack: Mapping[str, Any] | None = None
    ) -> "Script":
        """The stack has the template, and a second change set is empty."""
        self.says("describe_stacks", {"Stacks": [stack or a_stack(ChangeSetId=ARN)]})
        self.says(
            "get_template",
            {"TemplateBody": json.dumps(template)},
            StackName=STACK,
            TemplateStage="Processed",
        )
        self.says("create_change_set", {"Id": f"{ARN}-after", "StackId": STACK})
        self.says(
            "describe_change_set",
            described(
                Status="FAILED",
                ExecutionStatus="UNAVAILABLE",
                StatusReason="The submitted information didn't contain changes. Submit different information.",
            ),
        )
        return self.says("delete_change_set", {}, ChangeSetName=f"{ARN}-after")

    def describer(self) -> Describer:
        """Reads this AWS."""
        return describer_for(_Aws(self.client), "test", Limits())  # type: ignore[arg-type] # the part that is used

    def executor(
        self,
        read_back: Callable[[str, str], Mapping[str, Any] | None] = lambda _type, _id: None,
        **settings: Any,
    ) -> ChangeSetExecutor:
        """Executes in this AWS, without waiting."""
        waiting = Waiting(
            poll_s=settings.get("poll_s", 0.0),
            sleep=lambda _seconds: None,
            **{key: value for key, value in settings.items() if key in {"timeout_s", "clock"}},
        )
        return ChangeSetExecutor(
            describer=self.describer(),
            read_back=read_back,
            waiting=waiting,
            stop_grace_s=settings.get("stop_grace_s", 1800.0),
        )

    def done(self) -> None:
        """Everything was asked."""
        self._stubber.assert_no_pending_responses()


class _Aws:
    def __init__(self, client: Any) -> None:
        self._client = client
        self.place = _Place()

    def client(self, _service: str) -> Any:
        return self._client


class _Place:
    region = REGION


GOOD_EVENTS: Final[Sequence[Mapping[str, Any]]] = (
    event(1, "UPDATE_COMPLETE"),
    event(2, "UPDATE_IN_PROGRESS", ResourceStatusReason="User Initiated"),
    event(3, "CREATE_IN_PROGRESS", "Topic", "AWS::SNS::Topic"),
    event(
        4,
        "CREATE_IN_PROGRESS",
        "Topic",
        "AWS::SNS::Topic",
        ResourceStatusReason="Resource creation Initiated",
    ),
    event(5, "CREATE_COMPLETE", "Topic", "AWS::SNS::Topic"),
    event(6, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
    event(7, "UPDATE_COMPLETE"),
)
"""An update that adds a topic; the first one was there before."""
