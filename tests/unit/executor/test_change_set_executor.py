"""What the executor of change sets does when AWS answers so or so. AWS is botocore's Stubber here: a double."""

import hashlib
import json
import os
import signal
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from plangate.decision.approved import approve_receipt
from plangate.decision.decide import Obligation
from plangate.decision.outcome import Status
from plangate.errors import ExecutionError, ReceiptError
from plangate.executor.base import ExecutionEvent, ExecutionReport, ExecutionStatus, Found, Standing
from plangate.executor.change_set.read_back import RealResources
from plangate.facts.registry import plan_with_facts
from plangate.parsers.base import Limits
from plangate.parsers.cloudformation.read_back import parse_read_back
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.change_sets import (
    ARN,
    GOOD_EVENTS,
    STACK,
    TEMPLATE,
    THEN,
    Script,
    a_stack,
    change,
    described,
    event,
    recorded,
)
from tests.terraform_project import SECRET, Told, an_approval, hearing_signals, scrub

ADD = change()
PLAN = recorded(ADD).encode()
DOING = event(2, "UPDATE_IN_PROGRESS")


def run(script: Script, plan: bytes = PLAN, told: Told | None = None, **settings: Any) -> ExecutionReport:
    """Apply, and see that everything was asked. What is asked beyond the script fails as an AWS out of reach does."""
    with hearing_signals():
        report = script.executor(**settings).apply(
            an_approval(plan), plan, observe=told or Told(), scrub=scrub
        )
    script.done()
    return report


def test_executes_what_was_judged_by_its_arn_and_tells_each_event_once() -> None:
    told = Told()
    script = Script().before(ADD).executes()
    script.poll("UPDATE_COMPLETE", GOOD_EVENTS[0])  # right after the call the stack still looks as before
    script.poll("UPDATE_IN_PROGRESS", *GOOD_EVENTS[:3])
    script.poll("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", *GOOD_EVENTS[:6])
    script.poll("UPDATE_COMPLETE", *GOOD_EVENTS).after()

    report = run(script, told=told)

    assert (report.status, report.problems, report.converged) == (ExecutionStatus.SUCCEEDED, (), True)
    assert told.events == [
        ExecutionEvent(type="stack_status", message="UPDATE_IN_PROGRESS: User Initiated"),
        ExecutionEvent(type="apply_start", address="Topic", action="create"),
        ExecutionEvent(
            type="apply_progress", address="Topic", action="create", message="Resource creation Initiated"
        ),
        ExecutionEvent(type="apply_complete", address="Topic", action="create"),
        ExecutionEvent(type="stack_status", message="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ExecutionEvent(type="stack_status", message="UPDATE_COMPLETE"),
    ]


def test_nothing_runs_when_the_bytes_are_not_the_approved_ones() -> None:
    script = Script()
    with pytest.raises(ReceiptError, match="nothing ran"):
        script.executor().apply(an_approval(PLAN), PLAN + b" ", observe=Told(), scrub=scrub)


@pytest.mark.parametrize(
    "stack",
    [
        a_stack(ChangeSetId=f"{ARN}-another"),
        a_stack("UPDATE_ROLLBACK_COMPLETE"),
        a_stack(LastUpdatedTime="2026-01-03T00:00:00Z"),
        {key: value for key, value in a_stack().items() if key != "LastUpdatedTime"},
        a_stack(StackId=STACK.replace("/1", "/2")),
    ],
    ids=["another change set was executed", "status", "updated", "never updated", "another stack"],
)
def test_nothing_runs_on_a_stack_to_which_something_was_done(stack: Mapping[str, Any]) -> None:
    script = Script()
    script.says("describe_change_set", described(ADD))
    script.says("describe_stacks", {"Stacks": [stack]})
    script.says("get_template", {"TemplateBody": '{"Resources": {"Logs": {"Type": "AWS::S3::Bucket"}}}'})
    script.says("get_template", {"TemplateBody": _text(TEMPLATE)})
    with pytest.raises(ReceiptError, match="stack web is not as it was when the change set was made"):
        run(script)
    script.done()


def test_nothing_runs_on_a_stack_with_another_template_than_then() -> None:
    script = Script()
    script.says("describe_change_set", described(ADD))
    script.says("describe_stacks", {"Stacks": [a_stack()]})
    script.says("get_template", {"TemplateBody": "{}"})
    script.says("get_template", {"TemplateBody": _text(TEMPLATE)})
    with pytest.raises(ReceiptError, match="template_sha256"):
        run(script)


@pytest.mark.parametrize(
    ("script", "where"),
    [
        (lambda: Script().before(change("Remove")), "/described/Changes/0/ResourceChange/Action"),
        (lambda: Script().before(ADD, change(name="More")), "/described/Changes"),
        (lambda: Script().before(ADD, ExecutionStatus="OBSOLETE"), "/described/ExecutionStatus"),
        (lambda: Script().before(ADD, OnStackFailure="DELETE"), "/described/OnStackFailure"),
        (
            lambda: Script().before(ADD, template={"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}),
            "/template/Resources/Logs",
        ),
    ],
    ids=["action", "one more", "obsolete", "new field", "template"],
)
def test_nothing_runs_when_aws_says_anything_else_than_what_was_judged(
    script: Callable[[], Script], where: str
) -> None:
    asked = script()
    with pytest.raises(ReceiptError, match="not what was judged") as caught:
        run(asked)
    assert where in str(caught.value)
    asked.done()


def test_nothing_runs_for_a_file_that_was_written_in_another_way() -> None:
    plan = b" " + PLAN
    with pytest.raises(ReceiptError, match="the way it is written"):
        run(Script().before(ADD), plan)


def test_nothing_runs_when_the_change_set_was_not_available_when_it_was_judged() -> None:
    plan = recorded(ADD, ExecutionStatus="UNAVAILABLE").encode()
    with pytest.raises(ReceiptError, match="expected AVAILABLE"):
        run(Script().before(ADD, ExecutionStatus="UNAVAILABLE"), plan)


def test_nothing_runs_when_a_page_of_the_change_set_cannot_be_read() -> None:
    script = Script().says("describe_change_set", described(ADD, NextToken="more"))
    script.refuses("describe_change_set")
    with pytest.raises(ExecutionError, match=r"cannot be read again.*nothing ran"):
        run(script)


def test_all_pages_of_the_change_set_are_compared() -> None:
    more = change(name="Logs", kind="AWS::S3::Bucket", action="Modify", Replacement="False")
    plan = recorded(ADD, more).encode()
    script = Script()
    script.says("describe_change_set", described(ADD, NextToken="more"))
    script.says(
        "describe_change_set",
        described(more),
        ChangeSetName=ARN,
        IncludePropertyValues=True,
        NextToken="more",
    )
    script.says("describe_stacks", {"Stacks": [a_stack()]})
    script.says("get_template", {"TemplateBody": _text({"Resources": {"Logs": {"Type": "AWS::S3::Bucket"}}})})
    script.says("get_template", {"TemplateBody": _text(TEMPLATE)})
    script.executes().poll("UPDATE_COMPLETE", *GOOD_EVENTS).after()
    assert run(script, plan).status is ExecutionStatus.SUCCEEDED


def test_a_refused_execution_is_an_error_and_nothing_ran() -> None:
    script = Script().before(ADD).events().refuses("execute_change_set", "InvalidChangeSetStatus")
    script.says("describe_change_set", described(ADD))
    with pytest.raises(ExecutionError, match=r"refused the change set.*nothing ran"):
        run(script)
    script.done()


def test_an_execution_whose_answer_got_lost_is_followed_when_aws_began_it() -> None:
    script = Script().before(ADD).events(GOOD_EVENTS[0]).refuses("execute_change_set", "Internal", status=500)
    script.says("describe_change_set", described(ADD, ExecutionStatus="EXECUTE_IN_PROGRESS"))
    script.poll("UPDATE_COMPLETE", *GOOD_EVENTS).after()
    assert run(script).status is ExecutionStatus.SUCCEEDED


@pytest.mark.parametrize(("code", "status"), [("Internal", 500), ("InvalidChangeSetStatus", 400)])
def test_an_execution_of_which_nothing_is_known_is_no_success_and_no_claim_that_nothing_ran(
    code: str, status: int
) -> None:
    script = Script().before(ADD).events().refuses("execute_change_set", code, status=status)
    script.refuses("describe_change_set")
    report = run(script)
    assert report.status is ExecutionStatus.FAILED
    assert "whether the change set was executed is not known" in report.problems[0]


def test_a_failure_rolls_back_and_says_why_without_secrets() -> None:
    told = Told()
    failed = event(
        3, "CREATE_FAILED", "Topic", "AWS::SNS::Topic", ResourceStatusReason=f"denied for {SECRET}"
    )
    script = Script().before(ADD).executes()
    script.poll(
        "UPDATE_ROLLBACK_COMPLETE",
        event(1, "UPDATE_COMPLETE"),
        DOING,
        failed,
        event(4, "UPDATE_ROLLBACK_IN_PROGRESS"),
        event(5, "DELETE_IN_PROGRESS", "Topic", "AWS::SNS::Topic"),
        event(6, "DELETE_COMPLETE", "Topic", "AWS::SNS::Topic"),
        event(7, "UPDATE_ROLLBACK_COMPLETE"),
    )

    report = run(script, told=told)

    assert (report.status, report.converged, report.followup) == (ExecutionStatus.FAILED, None, None)
    assert report.problems == (
        "the stack ended as UPDATE_ROLLBACK_COMPLETE",
        "failed: Topic (CREATE_FAILED): denied for (redacted)",
    )
    assert [each.type for each in told.events] == [
        "stack_status",
        "apply_errored",
        "stack_status",
        "rollback_start",
        "rollback_complete",
        "stack_status",
        "found",
    ]
    assert told.events[-1] == ExecutionEvent(type="found", address="Topic", action="unknown")
    assert SECRET not in str(told.events)


def test_what_a_resource_with_a_secret_parameter_says_is_not_recorded() -> None:
    # The value is known to CloudFormation only, so that nothing could be taken out of the sentence.
    template = {**TEMPLATE, "Parameters": {"TopicKey": {"Type": "String", "NoEcho": True}}}
    template["Resources"] = {
        **TEMPLATE["Resources"],
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Sub": "x-${TopicKey}"}}},
    }
    plan = recorded(ADD, template=template).encode()
    told = Told()
    failed = event(3, "CREATE_FAILED", "Topic", "AWS::SNS::Topic", ResourceStatusReason="bad name x-hunter2")
    script = Script().before(ADD, template=template).executes()
    script.poll("UPDATE_FAILED", event(1, "UPDATE_COMPLETE"), DOING, failed, event(4, "UPDATE_FAILED"))
    report = run(script, plan, told)
    assert "hunter2" not in f"{told.events} {report.problems}"
    assert "the reason stands in CloudFormation only" in report.problems[1]


def test_a_resource_that_could_not_be_deleted_afterwards_is_no_success() -> None:
    left = event(5, "DELETE_FAILED", "Old", "AWS::SNS::Topic", ResourceStatusReason="in use")
    script = Script().before(ADD).executes()
    script.poll("UPDATE_COMPLETE", event(1, "UPDATE_COMPLETE"), DOING, left, event(6, "UPDATE_COMPLETE"))
    report = run(script)
    assert (report.status, report.problems) == (
        ExecutionStatus.FAILED,
        ("failed: Old (DELETE_FAILED): in use",),
    )


def test_a_deletion_that_worked_the_second_time_is_no_failure() -> None:
    old = ("Old", "AWS::SNS::Topic")
    script = Script().before(ADD).executes()
    script.poll(
        "UPDATE_COMPLETE",
        event(1, "UPDATE_COMPLETE"),
        DOING,
        event(5, "DELETE_FAILED", *old),
        event(6, "DELETE_COMPLETE", *old),
        event(7, "UPDATE_COMPLETE"),
    ).after()
    assert run(script).status is ExecutionStatus.SUCCEEDED


def test_somebody_else_at_the_stack_is_no_success() -> None:
    script = Script().before(ADD).executes()
    script.poll("UPDATE_COMPLETE", *GOOD_EVENTS[:6], event(7, "UPDATE_COMPLETE", ClientRequestToken="theirs"))
    assert run(script).problems == ("somebody else changed the stack at the same time",)


def test_an_event_that_cannot_be_recorded_cancels_the_update() -> None:
    told = Told("apply_start")
    script = Script().before(ADD).executes()
    script.poll("UPDATE_IN_PROGRESS", *GOOD_EVENTS[:3])
    script.says("cancel_update_stack", {}, StackName=STACK, ClientRequestToken=...)
    script.poll("UPDATE_ROLLBACK_COMPLETE", *GOOD_EVENTS[:3], event(8, "UPDATE_ROLLBACK_COMPLETE"))

    report = run(script, told=told)

    assert report.status is ExecutionStatus.FAILED
    assert report.problems[0] == "an event could not be recorded (OSError), so the update was cancelled"
    assert [each.type for each in told.events] == ["stack_status", "apply_start"]


def test_an_event_that_cannot_be_recorded_is_no_success_even_when_all_went_well() -> None:
    script = Script().before(ADD).executes().poll("UPDATE_COMPLETE", *GOOD_EVENTS)
    assert run(script, told=Told("apply_start")).problems == ("an event could not be recorded (OSError)",)


def test_sigint_cancels_the_update_once_and_the_end_is_awaited() -> None:
    told = Told("apply_start", then=lambda: os.kill(os.getpid(), signal.SIGINT))
    script = Script().before(ADD).executes()
    script.poll("UPDATE_IN_PROGRESS", *GOOD_EVENTS[:3])
    script.says("cancel_update_stack", {}, StackName=STACK, ClientRequestToken=...)
    script.poll("UPDATE_ROLLBACK_IN_PROGRESS", *GOOD_EVENTS[:3])
    script.poll("UPDATE_ROLLBACK_COMPLETE", *GOOD_EVENTS[:3], event(8, "UPDATE_ROLLBACK_COMPLETE"))

    report = run(script, told=told)

    assert (report.status, report.interrupted) == (ExecutionStatus.FAILED, True)
    assert report.problems == (
        "somebody asked to stop, so the update was cancelled",
        "the stack ended as UPDATE_ROLLBACK_COMPLETE",
    )


def test_a_creation_cannot_be_cancelled_and_a_second_sigint_leaves_it_alone() -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    script = Script().before(ADD).executes()
    script.poll("CREATE_IN_PROGRESS", *GOOD_EVENTS[:3])
    script.refuses("cancel_update_stack")
    script.poll("CREATE_IN_PROGRESS", *GOOD_EVENTS[:3])

    report = run(script, told=Told("apply_start", then=twice))

    assert (report.status, report.interrupted) == (ExecutionStatus.FAILED, True)
    assert report.problems == (
        "somebody asked to stop, and CloudFormation did not let the change of a stack that is CREATE_IN_PROGRESS be cancelled: ValidationError",
        "the stack was still CREATE_IN_PROGRESS when it was left alone",
    )


def test_a_change_that_takes_too_long_is_cancelled_and_then_left_alone() -> None:
    seconds = iter([0.0, 50.0, 50.0, 200.0])
    script = Script().before(ADD).executes()
    script.poll("UPDATE_IN_PROGRESS", event(1, "UPDATE_COMPLETE"), DOING)
    script.says("cancel_update_stack", {}, StackName=STACK, ClientRequestToken=...)
    script.poll("UPDATE_ROLLBACK_IN_PROGRESS", event(1, "UPDATE_COMPLETE"), DOING)

    report = run(script, timeout_s=10.0, stop_grace_s=100.0, clock=lambda: next(seconds))

    assert report.problems == (
        "it took longer than 10 s, so the update was cancelled",
        "the stack was still UPDATE_ROLLBACK_IN_PROGRESS when it was left alone",
    )


def test_an_aws_that_falls_silent_is_no_success() -> None:
    script = Script().before(ADD).executes()
    for _ in range(5):
        script.refuses("describe_stacks", "Throttling")
    assert run(script).problems == ("AWS no longer tells what becomes of the stack",)


def test_events_come_over_several_pages_up_to_the_first_that_was_seen() -> None:
    told = Told()
    script = Script().before(ADD).executes()
    script.says("describe_stacks", {"Stacks": [a_stack("UPDATE_COMPLETE")]})
    newest_first = list(reversed(GOOD_EVENTS))
    script.says("describe_stack_events", {"StackEvents": newest_first[:3], "NextToken": "a"})
    script.says(
        "describe_stack_events",
        {"StackEvents": newest_first[2:], "NextToken": "never asked for"},
        StackName=STACK,
        NextToken="a",
    )
    script.after()
    assert run(script, told=told).status is ExecutionStatus.SUCCEEDED
    assert len(told.events) == len(GOOD_EVENTS) - 1


def test_a_second_change_set_that_is_not_empty_is_no_success() -> None:
    script = Script().before(ADD).executes().poll("UPDATE_COMPLETE", *GOOD_EVENTS)
    script.says("describe_stacks", {"Stacks": [a_stack(ChangeSetId=ARN)]})
    script.says("get_template", {"TemplateBody": _text(TEMPLATE)})
    script.says("create_change_set", {"Id": f"{ARN}-after", "StackId": STACK})
    script.says("describe_change_set", described())
    script.says("describe_change_set", described(change("Modify")))
    script.says("delete_change_set", {})
    report = run(script)
    assert (report.status, report.converged) == (ExecutionStatus.NOT_CONVERGED, False)
    assert report.problems == ("still to do: Topic (Modify)",)


def test_another_template_or_change_set_in_the_stack_is_no_success() -> None:
    script = Script().before(ADD).executes().poll("UPDATE_COMPLETE", *GOOD_EVENTS)
    script.after(template={"Resources": {}}, stack=a_stack(ChangeSetId=f"{ARN}-another"))
    report = run(script)
    # The template of a stack without resources cannot be read either.
    assert report.status is ExecutionStatus.NOT_CONVERGED
    assert report.problems == (
        "the stack could not be read after it was changed: the template that AWS has: not a CloudFormation template",
    )


def test_a_second_change_set_that_cannot_be_made_is_no_success() -> None:
    script = Script().before(ADD).executes().poll("UPDATE_COMPLETE", *GOOD_EVENTS)
    script.says("describe_stacks", {"Stacks": [a_stack(ChangeSetId=f"{ARN}-another")]})
    script.says("get_template", {"TemplateBody": _text({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})})
    script.refuses("create_change_set", "LimitExceededException", "too many")
    report = run(script)
    assert (report.status, report.converged) == (ExecutionStatus.NOT_CONVERGED, None)
    assert report.problems == (
        "the template of the stack is not the one that was judged",
        "another change set was executed meanwhile",
        "no second change set could be made: create_change_set: LimitExceededException: too many",
    )


def _text(template: Mapping[str, Any]) -> str:
    return json.dumps(template)


def test_a_failure_of_which_the_end_cannot_be_recorded_says_so() -> None:
    script = Script().before(ADD).executes()
    script.poll("UPDATE_FAILED", event(1, "UPDATE_COMPLETE"), DOING, event(4, "UPDATE_FAILED"))
    assert run(script, told=Told("found")).problems == (
        "the stack ended as UPDATE_FAILED",
        "what exists could not be recorded (OSError)",
    )


def test_sigint_while_the_second_change_set_is_awaited_ends_the_waiting() -> None:
    script = Script().before(ADD).executes().poll("UPDATE_COMPLETE", *GOOD_EVENTS)
    script.says("describe_stacks", {"Stacks": [a_stack(ChangeSetId=ARN)]})
    script.says("get_template", {"TemplateBody": _text(TEMPLATE)})
    script.says("create_change_set", {"Id": f"{ARN}-after", "StackId": STACK})
    script.says("describe_change_set", described(Status="CREATE_PENDING"))
    script.says("delete_change_set", {})
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    report = run(script, poll_s=30.0, told=Told())
    assert (report.status, report.interrupted, report.converged) == (
        ExecutionStatus.NOT_CONVERGED,
        True,
        None,
    )
    assert report.problems == ("the second change set could not be read: interrupted",)


# --- what exists after a failure, and obligations ---


def listed(script: Script, *entries: Mapping[str, Any]) -> Script:
    return script.says(
        "list_stack_resources",
        {
            "StackResourceSummaries": [
                {"ResourceType": "AWS::SNS::Topic", "LastUpdatedTimestamp": THEN, **entry}
                for entry in entries
            ]
        },
        StackName=STACK,
    )


@pytest.mark.parametrize(
    ("entry", "standing"),
    [
        (None, Standing.ABSENT),
        ({"ResourceStatus": "DELETE_COMPLETE", "PhysicalResourceId": "x"}, Standing.ABSENT),
        ({"ResourceStatus": "CREATE_FAILED"}, Standing.ABSENT),
        ({"ResourceStatus": "CREATE_IN_PROGRESS"}, Standing.UNKNOWN),
        ({"ResourceStatus": "CREATE_FAILED", "PhysicalResourceId": "x"}, Standing.TAINTED),
        ({"ResourceStatus": "UPDATE_IN_PROGRESS", "PhysicalResourceId": "x"}, Standing.UNKNOWN),
        ({"ResourceStatus": "UPDATE_FAILED", "PhysicalResourceId": "x"}, Standing.EXISTS),
    ],
)
def test_after_a_failure_the_report_says_what_exists(
    entry: dict[str, Any] | None, standing: Standing
) -> None:
    script = Script().before(ADD).executes()
    failed = event(3, "CREATE_FAILED", "Topic", "AWS::SNS::Topic")
    script.poll("UPDATE_FAILED", event(1, "UPDATE_COMPLETE"), DOING, failed, event(4, "UPDATE_FAILED"))
    listed(script, *([] if entry is None else [{"LogicalResourceId": "Topic", **entry}]))
    report = run(script)
    assert report.found == (Found(address="Topic", standing=standing),)
    assert report.failed == ("Topic",)


def test_what_exists_is_unknown_when_the_stack_does_not_say() -> None:
    script = Script().before(ADD).executes()
    script.poll("UPDATE_FAILED", event(1, "UPDATE_COMPLETE"), DOING, event(4, "UPDATE_FAILED"))
    script.refuses("list_stack_resources")
    assert run(script).found == (Found(address="Topic", standing=Standing.UNKNOWN),)


BUCKET = {
    "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": {"Ref": "How"}}}}
}
HIDDEN = {"Resources": BUCKET, "Parameters": {"How": {"Type": "String", "NoEcho": True}}}
ADD_BUCKET = change(kind="AWS::S3::Bucket", name="Logs")
ENABLED = {"VersioningConfiguration": {"Status": "Enabled"}}


@pytest.mark.parametrize(
    ("real", "result"),
    [
        (ENABLED, Status.PASS),
        ({"VersioningConfiguration": {"Status": "Suspended"}}, Status.FAIL),
        ({"BucketName": "x"}, Status.UNKNOWN),
        (None, Status.UNKNOWN),
    ],
    ids=["as wanted", "not as wanted", "not told", "not read"],
)
def test_obligations_are_checked_on_what_the_stack_holds_then(
    real: Mapping[str, Any] | None, result: Status
) -> None:
    parameters: dict[str, Any] = {"Parameters": [{"ParameterKey": "How", "ParameterValue": "****"}]}
    plan = recorded(ADD_BUCKET, template=HIDDEN, **parameters).encode()
    obligation = Obligation(rule="bucket-versioned", address="Logs", path="", message="m")
    approved = approve_receipt(
        decision_id="0190a0a0-0000-7000-8000-000000000000",
        plan_sha256=hashlib.sha256(plan).hexdigest(),
        environment="test",
        expires=THEN + timedelta(hours=1),
        nonce="nonce",
        obligations=(obligation,),
        now=THEN,
    )
    asked: list[tuple[str, str]] = []

    def read(type_name: str, identifier: str) -> Mapping[str, Any] | None:
        asked.append((type_name, identifier))
        return real

    script = Script().before(ADD_BUCKET, template=HIDDEN, **parameters).executes()
    script.poll("UPDATE_COMPLETE", *GOOD_EVENTS).after(template=HIDDEN)
    entry = {"LogicalResourceId": "Logs", "PhysicalResourceId": "logs-1", "ResourceStatus": "CREATE_COMPLETE"}
    listed(
        listed(script, entry | {"ResourceType": "AWS::S3::Bucket"}),
        entry | {"ResourceType": "AWS::S3::Bucket"},
    )

    report = script.executor(read).apply(approved, plan, observe=Told(), scrub=scrub)

    assert report.followup is not None
    assert report.look_again is not None
    for data in (report.followup, report.look_again()):
        said = evaluate(plan_with_facts(parse_read_back(data or b"", Limits())), RULES, {})[0]
        assert {o.status for o in said if (o.rule, o.address) == ("bucket-versioned", "Logs")} == {result}
    assert asked == [("AWS::S3::Bucket", "logs-1")] * 2
    script.done()


def test_cloud_control_reads_what_it_can_and_nothing_is_known_of_the_rest() -> None:
    client = boto3.client(
        "cloudcontrol", region_name="eu-central-1", aws_access_key_id="t", aws_secret_access_key="t"
    )
    with Stubber(client) as stubber:
        ask = {"TypeName": "AWS::SNS::Topic", "Identifier": "x"}
        for properties in ('{"TopicName": "t"}', "[]", "not JSON"):
            answer = {
                "TypeName": "AWS::SNS::Topic",
                "ResourceDescription": {"Identifier": "x", "Properties": properties},
            }
            stubber.add_response("get_resource", answer, ask)
        stubber.add_response("get_resource", {}, ask)
        stubber.add_client_error("get_resource", "UnsupportedActionException")
        read = RealResources(_Only(client))  # type: ignore[arg-type] # the part that is used
        assert [read("AWS::SNS::Topic", "x") for _ in range(5)] == [
            {"TopicName": "t"},
            None,
            None,
            None,
            None,
        ]


class _Only:
    def __init__(self, client: Any) -> None:
        self._client = client

    def client(self, service: str) -> Any:
        assert service == "cloudcontrol"
        return self._client
