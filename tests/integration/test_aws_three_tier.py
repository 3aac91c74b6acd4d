"""The three-tier application comes up, changes, is repaired and goes: by the command line, in a double of AWS."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from plangate.executor.aws.clients import Aws
from tests.aws_crash import AFTER, CRASHED
from tests.aws_permissions import permission
from tests.aws_server import AwsServer
from tests.aws_three_tier import TEMPLATE, ThreeTier, everything

pytestmark = [pytest.mark.aws, pytest.mark.slow]
GOING = ("no-stateful-destroy", "blast-radius")
"""Rules that keep a whole stack from being taken down, unless somebody decides otherwise."""


@pytest.fixture
def stack(aws_account: AwsServer, tmp_path: Path) -> ThreeTier:
    return ThreeTier(aws_account, tmp_path)


def _applied(stack: ThreeTier, plan: str, *options: str) -> None:
    ran = stack.apply(plan, *options)
    assert ran.code == 0, ran.out + ran.err
    assert "a new plan finds nothing left to do" in ran.last


def _tagged(aws: Aws, operation: str, key: str, name: str) -> dict[str, str]:
    found = aws.pages("ec2", operation, key, Filters=[{"Name": "tag:plangate:resource", "Values": [name]}])
    only: dict[str, str] = found[0]
    return only


def _emptied(aws: Aws) -> None:
    """By hand: Plangate deletes no objects."""
    client = aws.client("s3")
    for bucket in aws.pages("s3", "list_buckets", "Buckets"):
        name = bucket["Name"]
        for each in aws.pages("s3", "list_object_versions", "Versions", Bucket=name):
            client.delete_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])


def test_the_three_tiers_live(stack: ThreeTier, aws_account: AwsServer) -> None:
    aws = aws_account.aws()
    empty = everything(aws)

    # It comes up, and once is enough.
    assert "50 to create, 0 as wanted" in stack.plan("p.json").out
    _applied(stack, "p.json")
    there = everything(aws)
    assert there["Subnets"] == 6
    ran = stack.apply("p.json")
    assert ran.code != 0, "the same plan again"
    assert "nothing to do, 50 as wanted" in stack.plan("again.json").out
    _applied(stack, "again.json")
    assert everything(aws) == there

    # It is scaled by its template.
    assert "  ~ update  WebServerGroup" in stack.plan("more.json", WebServers="3").out
    _applied(stack, "more.json")
    [group] = aws.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups")
    assert (group["MinSize"], group["DesiredCapacity"]) == (3, 3)

    # It is repaired: somebody deleted a policy and opened a port.
    [role] = [each["RoleName"] for each in aws.pages("iam", "list_roles", "Roles")]
    aws.client("iam").delete_role_policy(RoleName=role, PolicyName="web")
    web = _tagged(aws, "describe_security_groups", "SecurityGroups", "WebGroup")["GroupId"]
    aws.client("ec2").authorize_security_group_ingress(
        GroupId=web, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    drift = stack.run("drift", TEMPLATE, "-e", "prod", *stack.parameters(WebServers="3"))
    assert (drift.code, "  + create  WebPolicy" in drift.out, "  ~ update  WebGroup" in drift.out) == (
        1,
        True,
        True,
    )
    assert stack.plan("repair.json", WebServers="3").code == 0
    _applied(stack, "repair.json")
    assert everything(aws) == there
    assert stack.run("drift", TEMPLATE, "-e", "prod", *stack.parameters(WebServers="3")).code == 0

    # It goes only when somebody decided so.
    assert stack.run("plan", "-e", "prod", "--destroy", "--stack", "three-tier", "-o", "d.json").code == 0
    assert stack.apply("d.json").code == 1
    assert everything(aws) == there
    rules = "".join(f"  {rule}: {{enforcement: advisory}}\n" for rule in GOING)
    (stack.folder / "plangate.yaml").write_text(f"version: 1\nrules:\n{rules}")
    refused = stack.apply("d.json")
    assert (refused.code, "delete LogBucket: the bucket" in refused.out) == (4, True), "there are logs in it"
    _emptied(aws)
    assert stack.run("plan", "-e", "prod", "--destroy", "--stack", "three-tier", "-o", "e.json").code == 0
    _applied(stack, "e.json")
    assert everything(aws) == empty
    assert stack.run("status", "-e", "prod").out.startswith("three-tier: 0 resources")
    assert stack.run("audit", "verify").code == 0


def test_a_killed_command_says_how_to_go_on_and_does(stack: ThreeTier, aws_account: AwsServer) -> None:
    assert stack.plan("p.json").code == 0
    crash = stack.run(AFTER, "60", "apply", "p.json", "-e", "prod", module="tests.aws_crash")
    assert crash.code == CRASHED
    told = stack.run("status", "-e", "prod").out
    assert re.search(r"a run of the plan [0-9a-f]{16} was cut off: plangate apply PLAN --resume", told)
    refused = stack.apply("p.json")
    assert refused.code != 0
    _applied(stack, "p.json", "--resume")
    assert "nothing to do, 50 as wanted" in stack.plan("q.json").out
    assert everything(aws_account.aws())["Subnets"] == 6
    assert stack.run("audit", "verify").code == 0


def test_the_printed_policy_allows_every_call_of_the_plan(
    stack: ThreeTier, aws_account: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in this process; names of calls are not always names of permissions."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_account.url)
    monkeypatch.chdir(stack.folder)
    counted: Counter[str] = Counter()
    count = Aws._count

    def counting(self: Aws, event_name: str, **details: object) -> None:
        counted[event_name.split(".", 1)[1]] += 1
        count(self, event_name, **details)

    monkeypatch.setattr(Aws, "_count", counting)
    assert stack.plan("p.json").code == 0
    from plangate.cli.main import main  # noqa: PLC0415

    assert main(["apply", "p.json", "-e", "prod"]) == 0
    printed = json.loads(stack.run("iam", "p.json").out)
    allowed = {action for statement in printed["Statement"] for action in statement["Action"]}
    missing = {
        needed
        for call in counted
        for needed in [permission(*call.split("."))]
        if not any(re.fullmatch(each.replace("*", ".*"), needed) for each in allowed)
    }
    assert missing == set()


def test_a_killed_command_whose_state_folder_is_lost_is_made_good_by_a_new_plan(
    stack: ThreeTier, aws_account: AwsServer
) -> None:
    assert stack.plan("p.json").code == 0
    assert stack.run(AFTER, "60", "apply", "p.json", "-e", "prod", module="tests.aws_crash").code == CRASHED
    there = everything(aws_account.aws())
    shutil.rmtree(stack.folder / ".plangate")
    assert stack.plan("q.json").code == 0
    _applied(stack, "q.json")
    complete = everything(aws_account.aws())
    assert not there - complete
    shutil.rmtree(stack.folder / ".plangate")
    assert "nothing to do, 50 as wanted" in stack.plan("again.json").out
    aws_account.reset()
    fresh = ThreeTier(aws_account, stack.folder)
    shutil.rmtree(stack.folder / ".plangate")
    assert fresh.plan("clean.json").code == 0
    _applied(fresh, "clean.json")
    assert everything(aws_account.aws()) == complete, "nothing is there twice"
