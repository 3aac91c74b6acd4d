"""What was not known when a plan was judged is checked on what was made: against a double of AWS."""

import json
from pathlib import Path
from typing import Any

import pytest

from plangate.cli.main import main
from plangate.executor.aws.clients import Aws
from tests.aws_cases.network import new_vpc
from tests.aws_server import AwsServer
from tests.aws_stack import connection

pytestmark = pytest.mark.aws
RULE = "ingress-no-open-admin-ports"


def _template(vpc: str) -> dict[str, Any]:
    """A port for an address that AWS gives out, and something that is made afterwards."""
    from_one = {
        "Description": "from one", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "CidrIp": {"Fn::Sub": "${Address}/32"},
    }  # fmt: skip
    out = {"Description": "out", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}
    return {
        "Resources": {
            "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
            "Group": {
                "Type": "AWS::EC2::SecurityGroup",
                "Properties": {
                    "GroupDescription": "web",
                    "VpcId": vpc,
                    "SecurityGroupIngress": [from_one],
                    "SecurityGroupEgress": [out],
                },
            },
            "Later": {"Type": "AWS::EC2::EIP", "DependsOn": "Group", "Properties": {"Domain": "vpc"}},
        }
    }


@pytest.fixture
def aws(aws_account: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A folder with a plan whose obligation is about the group."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_account.url)
    monkeypatch.chdir(tmp_path)
    aws = connection(aws_account.url)
    (tmp_path / "web.json").write_text(json.dumps(_template(new_vpc(aws))))
    settings = f"version: 1\nlimits: {{obligation_timeout_s: 1}}\nrules:\n  {RULE}: {{quarantine: true}}\n"
    (tmp_path / "plangate.yaml").write_text(settings)
    assert main(["plan", "web.json", "-e", "prod", "-o", "p.json"]) == 0
    return aws


def _group(aws: Aws) -> Any:
    found = aws.client("ec2").describe_security_groups(
        Filters=[{"Name": "tag:plangate:resource", "Values": ["Group"]}]
    )
    return found["SecurityGroups"][0]


def _let_in(group: Any) -> list[str]:
    return [each["CidrIp"] for rule in group["IpPermissions"] for each in rule["IpRanges"]]


def test_an_obligation_that_is_met_is_told(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "p.json", "-e", "prod"]) == 0
    assert f"✓ obligation met: {RULE} at Group" in capsys.readouterr().out
    assert [each.endswith("/32") for each in _let_in(_group(aws))] == [True]


def test_a_broken_obligation_fails_the_run_and_what_breaks_it_is_shut_off(
    aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody opens the port to everybody when the group is done and the run is not."""
    count = Aws._count
    asked: list[str] = []

    def counting(self: Aws, event_name: str, **details: object) -> None:
        count(self, event_name, **details)
        if self is not aws and event_name.endswith(".AllocateAddress"):
            asked.append(event_name)
            if len(asked) == 2:
                aws.client("ec2").authorize_security_group_ingress(
                    GroupId=_group(aws)["GroupId"],
                    IpProtocol="tcp",
                    FromPort=22,
                    ToPort=22,
                    CidrIp="0.0.0.0/0",
                )

    monkeypatch.setattr(Aws, "_count", counting)
    assert main(["apply", "p.json", "-e", "prod"]) == 4
    assert f"✗ obligation broken: {RULE} at Group" in capsys.readouterr().out
    assert [each.endswith("/32") for each in _let_in(_group(aws))] == [True]
    assert main(["audit", "verify"]) == 0


def test_a_failed_run_is_rolled_back_by_the_command_line(
    aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second address is refused for good; what was made by then goes, as a plan of its own."""
    count = Aws._count
    asked: list[str] = []

    def counting(self: Aws, event_name: str, **details: object) -> None:
        count(self, event_name, **details)
        if event_name.endswith(".AllocateAddress"):
            asked.append(event_name)
            if len(asked) == 2:
                raise ValueError("no more addresses")

    monkeypatch.setattr(Aws, "_count", counting)
    assert main(["apply", "p.json", "-e", "prod", "--on-failure", "rollback"]) == 4
    told = capsys.readouterr()
    assert "rolling back what the failed run made" in told.err
    assert "create Later: no more addresses" in told.out
    assert "aws-plan by plangate" in told.out.partition("execution failed")[2], "the rollback is judged too"
    ec2 = aws.client("ec2")
    assert ec2.describe_addresses()["Addresses"] == []
    groups = ec2.describe_security_groups(Filters=[{"Name": "tag-key", "Values": ["plangate:stack"]}])
    assert groups["SecurityGroups"] == []
    assert main(["audit", "verify"]) == 0
