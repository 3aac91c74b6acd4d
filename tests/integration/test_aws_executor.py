"""Plans for AWS are run as they were judged, or not at all: against a double of AWS over HTTP, in this process."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from plangate.errors import ExecutionError, ReceiptError
from plangate.executor.aws.base import Owner
from plangate.executor.aws.iam_names import policy_tag
from plangate.executor.aws.journal import Journal
from plangate.executor.aws.locks import FileLock
from plangate.executor.aws.rollback import rollback_changes
from plangate.executor.base import ExecutionEvent
from plangate.model.aws_plan import AwsPlan, Template, encode_plan
from tests.aws_faults import without_pauses
from tests.aws_server import AwsServer
from tests.aws_stack import SMALL, Hook, Stack, approval, census, kit, mutating, small

pytestmark = pytest.mark.aws


@pytest.fixture
def stack(aws_account: AwsServer, tmp_path: Path) -> Stack:
    return Stack(aws_account, tmp_path)


@pytest.fixture
def up(stack: Stack) -> Stack:
    """A stack that is there."""
    report = stack.up(small())
    assert (report.status, report.problems) == ("succeeded", ())
    return stack


_OTHER_POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}'
)


def _log(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Logs::LogGroup", "Properties": properties}


def _subnet(block: str) -> dict[str, Any]:
    return {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Net"}, "CidrBlock": block}}


def _identifier(stack: Stack, name: str) -> str:
    with Journal(stack.folder) as journal:
        return next(
            k.identifier for k in journal.known(stack.owner) if k.logical_id == name and not k.leaving
        )


def _refused(stack: Stack, plan: AwsPlan, match: str, **options: Any) -> None:
    """It is refused, and nothing was changed."""
    aws = stack.aws()
    with pytest.raises(ExecutionError, match=match):
        stack.apply(plan, aws=aws, **options)
    assert mutating(aws.calls).total() == 0


# --- The life of a stack ----------------------------------------------------------------------------------------


def test_twenty_applies_change_something_once(up: Stack) -> None:
    aws = up.aws()
    for _ in range(20):
        plan = up.plan(small(), aws)
        assert up.told(plan) == {}
        assert up.apply(plan, aws=aws).status == "succeeded"
    assert mutating(aws.calls).total() == 0
    assert census(aws) == SMALL


def test_a_change_in_place_is_made_and_nothing_else(up: Stack) -> None:
    plan = up.plan(small(Log=_log(RetentionInDays=60)))
    assert up.told(plan) == {"Log": "update"}
    aws = up.aws()
    assert up.apply(plan, aws=aws).status == "succeeded"
    assert mutating(aws.calls) == {"cloudwatch-logs:PutRetentionPolicy": 1}


def test_what_cannot_be_changed_is_replaced_with_what_depends_on_it(up: Stack) -> None:
    before = _identifier(up, "Sub")
    plan = up.plan(small(Sub=_subnet("10.9.2.0/24")))
    assert up.told(plan) == {"Sub": "replace", "Joined": "replace"}
    assert up.apply(plan).status == "succeeded"
    assert census(up.aws()) == SMALL
    assert _identifier(up, "Sub") != before


def test_what_leaves_the_template_is_deleted_and_the_whole_stack_can_go(up: Stack) -> None:
    assert up.told(up.plan(small(Log=None))) == {"Log": "delete"}
    assert up.up(small(Log=None)).status == "succeeded"
    assert +census(up.aws()) == SMALL - Counter(logs=1)
    assert up.up(None).status == "succeeded"
    assert census(up.aws()).total() == 0
    with Journal(up.folder) as journal:
        assert journal.known(up.owner) == []


def test_what_is_to_stay_is_let_go_and_never_touched_again(stack: Stack) -> None:
    kept = _log(RetentionInDays=30) | {"DeletionPolicy": "Retain"}
    assert stack.up(small(Log=kept)).status == "succeeded"
    plan = stack.plan(small(Log=None))
    assert stack.told(plan) == {"Log": "forget"}
    aws = stack.aws()
    assert stack.apply(plan, aws=aws).status == "succeeded"
    assert mutating(aws.calls).total() == 0
    assert stack.told(stack.plan(small(Log=None))) == {}
    assert stack.up(None).status == "succeeded"
    assert census(aws)["logs"] == 1


def test_what_was_deleted_by_hand_comes_back_and_an_open_port_is_closed(up: Stack) -> None:
    ec2 = up.aws().client("ec2")
    up.aws().client("logs").delete_log_group(logGroupName=_identifier(up, "Log"))
    ec2.authorize_security_group_ingress(
        GroupId=_identifier(up, "Group"), IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    plan = up.plan(small())
    assert up.told(plan) == {"Log": "create", "Group": "update"}
    assert up.apply(plan).status == "succeeded"
    assert census(up.aws()) == SMALL


def test_without_its_journal_a_stack_is_known_by_its_tags(up: Stack, tmp_path: Path) -> None:
    """Types without tags are known by what they are a part of."""
    elsewhere = Stack(up.server, tmp_path / "elsewhere")
    plan = elsewhere.plan(small())
    assert elsewhere.told(plan) == {}
    assert elsewhere.apply(plan).status == "succeeded"
    assert elsewhere.up(None).status == "succeeded"
    assert census(elsewhere.aws()).total() == 0


def test_without_its_journal_a_part_that_was_changed_by_hand_is_put_right(up: Stack, tmp_path: Path) -> None:
    iam = up.aws().client("iam")
    iam.put_role_policy(RoleName=_identifier(up, "Role"), PolicyName="may", PolicyDocument=_OTHER_POLICY)
    elsewhere = Stack(up.server, tmp_path / "elsewhere")
    plan = elsewhere.plan(small())
    assert elsewhere.told(plan) == {"May": "update"}
    assert elsewhere.apply(plan).status == "succeeded"
    assert census(elsewhere.aws()) == SMALL


def test_a_run_that_was_cut_off_is_made_good_without_its_journal(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _failed(stack, monkeypatch, "AuthorizeSecurityGroupIngress", "Group")
    elsewhere = Stack(stack.server, tmp_path / "elsewhere")
    assert elsewhere.up(small()).status == "succeeded"
    assert census(elsewhere.aws()) == SMALL


def test_a_part_of_what_is_not_ours_is_never_taken_over(up: Stack, tmp_path: Path) -> None:
    """The role has the tags of another stack by now, or none: its policy is not ours either."""
    iam = up.aws().client("iam")
    iam.untag_role(RoleName=_identifier(up, "Role"), TagKeys=["plangate:stack"])
    elsewhere = Stack(up.server, tmp_path / "elsewhere")
    assert elsewhere.told(elsewhere.plan(small())) == {"Role": "create", "May": "create"}


def test_a_policy_that_somebody_wrote_into_our_role_is_not_taken_over(up: Stack, tmp_path: Path) -> None:
    role = _identifier(up, "Role")
    up.aws().client("iam").untag_role(RoleName=role, TagKeys=[policy_tag("may")])
    elsewhere = Stack(up.server, tmp_path / "elsewhere")
    plan = elsewhere.plan(small())
    assert elsewhere.told(plan) == {"Role": "update", "May": "create"}, "it goes with the role's own ones"
    assert elsewhere.apply(plan).status == "succeeded"
    assert census(elsewhere.aws()) == SMALL


def test_what_others_put_into_a_network_that_is_not_ours_is_never_taken_over(stack: Stack) -> None:
    """A subnet of ours is in it, and tells its name: that makes it nobody's of ours."""
    ec2 = stack.aws().client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnet = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": vpc, "CidrBlock": "10.1.1.0/24"}}
    ours = {
        "Type": "AWS::EC2::VPCGatewayAttachment",
        "Properties": {"VpcId": vpc, "InternetGatewayId": gateway},
    }
    assert stack.up({"Resources": {"Sub": subnet}}).status == "succeeded"
    plan = stack.plan({"Resources": {"Sub": subnet, "Attached": ours}})
    assert stack.told(plan) == {"Attached": "create"}


def test_a_part_that_exists_since_the_plan_is_refused(stack: Stack) -> None:
    report = stack.up(small(May=None))
    assert report.status == "succeeded"
    plan = stack.plan(small())
    assert stack.told(plan) == {"May": "create"}
    iam, role = stack.aws().client("iam"), _identifier(stack, "Role")
    iam.tag_role(RoleName=role, Tags=[{"Key": policy_tag("may"), "Value": "x"}])
    iam.put_role_policy(RoleName=role, PolicyName="may", PolicyDocument=_OTHER_POLICY)
    _refused(stack, plan, "May exists since then; nothing ran")


def test_a_plan_that_claims_a_part_of_something_else_is_refused(up: Stack, tmp_path: Path) -> None:
    elsewhere = Stack(up.server, tmp_path / "elsewhere")
    plan = elsewhere.plan(small())
    iam = up.aws().client("iam")
    iam.untag_role(RoleName=_identifier(up, "Role"), TagKeys=["plangate:stack"])
    _refused(elsewhere, plan, "May: may|.* is not known as this stack's")


def test_another_environment_with_the_same_template_is_another_stack(up: Stack, tmp_path: Path) -> None:
    other = Stack(up.server, tmp_path, Owner(environment="test", stack="shop"))
    assert set(other.told(other.plan(small())).values()) == {"create"}


# --- What is refused --------------------------------------------------------------------------------------------


def test_drift_between_approval_and_apply_is_refused_before_the_first_change(up: Stack) -> None:
    plan = up.plan(small(Log=_log(RetentionInDays=60)))
    up.aws().client("ec2").authorize_security_group_ingress(
        GroupId=_identifier(up, "Group"), IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    _refused(up, plan, "Group: SecurityGroupIngress changed since then; nothing ran")


def test_a_plan_of_what_is_gone_by_now_is_refused(up: Stack) -> None:
    plan = up.plan(small(Log=_log(RetentionInDays=60)))
    up.aws().client("logs").delete_log_group(logGroupName=_identifier(up, "Log"))
    _refused(up, plan, "Log is not there any more; nothing ran")


def test_a_plan_that_creates_what_exists_by_now_is_refused(stack: Stack) -> None:
    plan = stack.plan(small())
    assert stack.apply(plan).status == "succeeded"
    _refused(stack, plan, "Net exists since then")


@pytest.mark.parametrize(
    ("field", "value", "match"),
    [
        ("account", "999999999999", "the plan is for the account 999999999999"),
        ("region", "us-east-1", "the plan is for us-east-1, not for eu-central-1"),
        ("environment", "test", "the plan is for test, and was approved for prod"),
    ],
)
def test_a_plan_for_another_place_is_refused(stack: Stack, field: str, value: str, match: str) -> None:
    _refused(stack, replace(stack.plan(small()), **{field: value}), match)


def test_other_bytes_than_the_approved_ones_are_refused(stack: Stack) -> None:
    plan = stack.plan(small())
    other = approval(encode_plan(plan).replace(b"10.9.0.0", b"10.8.0.0"))
    with pytest.raises(ReceiptError, match="not those that were approved"):
        stack.apply(plan, approved=other)
    assert census(stack.aws()).total() == 0


@pytest.mark.parametrize("action", ["delete", "replace", "update"])
def test_a_plan_that_names_somebody_elses_resource_is_refused(up: Stack, action: str) -> None:
    """Its values are right; it is not of this stack."""
    ec2 = up.aws().client("ec2")
    theirs = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    plan = up.plan(small() if action != "delete" else None)
    changes = [
        replace(change, identifier=theirs, action=action) if change.logical_id == "Net" else change
        for change in plan.changes
    ]
    if action == "replace":
        changes = [replace(c, replace_order="create-first") if c.action == action else c for c in changes]
    _refused(up, replace(plan, changes=tuple(changes)), "Net: .* is not known as this stack's")


def test_two_applies_at_once_are_one_and_a_refusal(stack: Stack) -> None:
    plan = stack.plan(small())
    with FileLock(stack.folder).held("prod", 0):
        _refused(stack, plan, "prod is being changed by process .*; nothing ran")
    assert stack.apply(plan).status == "succeeded"


def test_two_environments_do_not_wait_for_each_other(stack: Stack) -> None:
    with FileLock(stack.folder).held("test", 0):
        assert stack.up(small()).status == "succeeded"


def test_one_who_lost_the_lock_stops(stack: Stack) -> None:
    """Another one becomes the newest holder while the first one is at work."""
    plan = stack.plan(small())
    woken = threading.Event()

    def watch(event: ExecutionEvent) -> None:
        if event.type == "apply_complete" and not woken.is_set():
            woken.set()
            with Journal(stack.folder) as other:
                other.lease("prod")

    aws = stack.aws()
    with pytest.raises(ExecutionError, match="another run holds prod now"):
        stack.apply(plan, aws=aws, observe=watch, workers=1)
    assert woken.is_set()
    assert mutating(aws.calls).total() < 5


# --- Failures ---------------------------------------------------------------------------------------------------


class _Refusing:
    """AWS refuses one operation for good."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __call__(self, event_name: str, request: Any, **_: Any) -> Any:
        from tests.aws_faults import answer  # noqa: PLC0415

        if not event_name.endswith(f".{self._operation}"):
            return None
        error = "<Error><Code>UnauthorizedOperation</Code><Message>you may not</Message></Error>"
        return answer(request, 403, f"<Response><Errors>{error}</Errors></Response>".encode())


def _failed(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, operation: str = "CreateSubnet", name: str = "Sub"
) -> AwsPlan:
    without_pauses(monkeypatch)
    plan = stack.plan(small())
    monkeypatch.setattr(Hook, "before", _Refusing(operation))
    report = stack.apply(plan, workers=1)
    monkeypatch.setattr(Hook, "before", None)
    assert report.status == "failed"
    assert any("you may not" in problem for problem in report.problems)
    assert report.failed == (name,)
    return plan


def test_a_run_that_failed_is_gone_on_with(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = _failed(stack, monkeypatch)
    assert 0 < census(stack.aws()).total() < SMALL.total()
    assert stack.apply(plan, resume=True).status == "succeeded"
    assert census(stack.aws()) == SMALL


def test_a_run_that_failed_is_made_good_by_a_new_plan(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    _failed(stack, monkeypatch)
    assert stack.up(small()).status == "succeeded"
    assert census(stack.aws()) == SMALL


def test_a_refused_try_does_not_hide_the_run_that_was_cut_off(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = _failed(stack, monkeypatch)
    _refused(stack, plan, "exists since then.*nothing ran")
    assert stack.apply(plan, resume=True).status == "succeeded"
    assert census(stack.aws()) == SMALL


def test_there_is_nothing_to_go_on_with_when_nothing_was_cut_off(stack: Stack) -> None:
    plan = stack.plan(small())
    _refused(stack, plan, "there is no run of this plan that was cut off", resume=True)
    stack.apply(plan)
    _refused(stack, plan, "there is no run of this plan that was cut off", resume=True)


def test_a_rollback_takes_away_what_the_run_made_and_nothing_that_holds_data(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stack.up({"Resources": {"Before": _log(RetentionInDays=1)}}).status == "succeeded"
    both = small(Before=_log(RetentionInDays=1))
    without_pauses(monkeypatch)
    plan = stack.plan(both)
    monkeypatch.setattr(Hook, "before", _Refusing("AssociateRouteTable"))
    assert stack.apply(plan).status == "failed"
    monkeypatch.setattr(Hook, "before", None)
    from hashlib import sha256  # noqa: PLC0415

    with Journal(stack.folder) as journal:
        found = rollback_changes(plan, sha256(encode_plan(plan)).hexdigest(), journal, kit(stack.aws()))
    assert {change.action for change in found} == {"delete"}
    assert {change.logical_id for change in found} <= set(small()["Resources"]) - {"Log", "Joined"}
    empty = Template(name="", sha256=sha256(b"").hexdigest(), text="")
    back = replace(plan, changes=tuple(found), template=empty, parameters={}, rollback=True)
    report = stack.apply(back)
    assert (report.status, report.problems) == ("succeeded", ())
    there = +census(stack.aws())
    assert set(there) == {"logs"}
    assert there["logs"] in {1, 2}, "the log of this run stays, if it was made"


def test_after_a_failure_every_resource_is_told_as_it_stands(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_pauses(monkeypatch)
    plan = stack.plan(small())
    monkeypatch.setattr(Hook, "before", _Refusing("CreateSubnet"))
    report = stack.apply(plan, workers=1)
    standing = {each.address: each.standing.value for each in report.found}
    assert set(standing) == set(small()["Resources"])
    assert (standing["Net"], standing["Sub"], standing["Joined"]) == ("exists", "absent", "absent")
