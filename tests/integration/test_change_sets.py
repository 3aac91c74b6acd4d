"""Change sets from template to end, with the command line as its users have it.

AWS is moto here, a double, over HTTP, with a change set's template added (tests/moto_with_change_set_templates.py).
What moto cannot do is in tests/unit/executor/test_change_set_*.py.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from tests.aws_server import ENVIRONMENT, REGION, AwsServer, aws_server
from tests.command_line import Ran, environment
from tests.command_line import run as command
from tests.tools import ROOT

pytestmark = pytest.mark.aws
SECRET: Final = "swordfish-one"
DEFAULT: Final = "mackerel-two"
BUCKET: Final = """\
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub '${Name}-logs'
      VersioningConfiguration: {Status: Enabled}
      PublicAccessBlockConfiguration:
        {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}
      BucketEncryption:
        ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]
"""
TOPIC: Final = "  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Name}}\n"
HEAD: Final = f"""\
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Name: {{Type: String, Default: acme}}
  Password: {{Type: String, NoEcho: true, Default: {DEFAULT}}}
Resources:
"""


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with aws_server((str(ROOT / "tests" / "moto_with_change_set_templates.py"),)) as running:
        yield running


class Account:
    """An empty account in the double, and a folder to work in."""

    def __init__(self, server: AwsServer, folder: Path) -> None:
        server.reset()
        self.folder = folder
        self._environment = environment(**ENVIRONMENT, AWS_ENDPOINT_URL=server.url)
        self._url = server.url

    def plangate(self, *arguments: str) -> Ran:
        return command(*arguments, cwd=self.folder, env=self._environment)

    def write(self, *resources: str, name: str = "t.yaml") -> str:
        (self.folder / name).write_text(HEAD + "".join(resources))
        return name

    def create(self, *resources: str, out: str = "cs.json", more: tuple[str, ...] = ()) -> Ran:
        template = self.write(*resources)
        return self.plangate(
            "change-set", "create", template, "--stack", "web", "-e", "prod", "--out", out, *more
        )

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self._url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def up(self, *resources: str, out: str = "cs.json") -> None:
        """Bring the stack up."""
        assert self.create(*resources, out=out).code == 0
        ran = self.plangate("apply", out, "-e", "prod")
        assert ran.code == 0, ran

    def everything_written(self) -> bytes:
        return b"".join(
            path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".yaml"
        )


@pytest.fixture
def account(server: AwsServer, tmp_path: Path) -> Account:
    return Account(server, tmp_path)


def test_a_stack_is_made_by_what_was_judged_once_and_no_secret_is_left(account: Account) -> None:
    (account.folder / "p.json").write_text(json.dumps({"Password": SECRET}))
    made = account.create(BUCKET, TOPIC, more=("--parameter-file", "p.json"))
    (account.folder / "p.json").unlink()
    assert (made.code, made.out) == (
        0,
        "cs.json: 2 changes of stack web in eu-central-1, for prod\nnext: plangate apply cs.json --environment prod\n",
    )
    assert (account.folder / "cs.json").stat().st_mode & 0o077 == 0

    checked = account.plangate("check", "cs.json", "-e", "prod")
    assert checked.code == 0, checked
    assert "2 create" in checked.out
    assert account.client("s3").list_buckets()["Buckets"] == []

    applied = account.plangate("apply", "cs.json", "-e", "prod", "--receipt", "cs.json.receipt.json")
    assert applied.code == 0, applied
    assert applied.last.startswith("applied: ")
    assert [bucket["Name"] for bucket in account.client("s3").list_buckets()["Buckets"]] == ["acme-logs"]

    again = account.plangate("apply", "cs.json", "-e", "prod", "--receipt", "cs.json.receipt.json")
    assert (again.code, "used already" in again.err) == (3, True)
    told = account.plangate("audit", "list").out
    assert "stack_status  CREATE_COMPLETE" in told
    written = account.everything_written()
    assert SECRET.encode() not in written
    assert DEFAULT.encode() not in written


def test_an_update_is_judged_with_what_is_there_and_a_destroyed_bucket_is_denied(account: Account) -> None:
    account.up(BUCKET, TOPIC)
    assert account.create(TOPIC, out="less.json").code == 0
    judged = account.plangate("check", "less.json", "-e", "prod")
    assert judged.code == 1
    assert "1 delete, 1 no-op" in judged.out
    assert "no-stateful-destroy" in judged.out
    denied = account.plangate("apply", "less.json", "-e", "prod")
    assert denied.code == 1
    assert len(account.client("s3").list_buckets()["Buckets"]) == 1


def test_the_same_template_again_has_nothing_to_change_and_writes_nothing(account: Account) -> None:
    account.up(TOPIC)
    ran = account.create(TOPIC, out="again.json")
    assert (ran.code, ran.out) == (0, "stack web: nothing to change, and nothing written\n")
    assert not (account.folder / "again.json").exists()


def test_a_change_set_is_refused_when_another_one_was_executed_meanwhile(account: Account) -> None:
    account.up(TOPIC)
    assert account.create(TOPIC, "  Two: {Type: AWS::SNS::Topic}\n", out="mine.json").code == 0
    assert account.plangate("check", "mine.json", "-e", "prod").code == 0
    account.up(TOPIC, "  Theirs: {Type: AWS::SNS::Topic}\n", out="theirs.json")
    before = account.client("sns").list_topics()["Topics"]

    ran = account.plangate("apply", "mine.json", "-e", "prod", "--receipt", "mine.json.receipt.json")

    assert ran.code == 3
    assert "stack web is not as it was when the change set was made" in ran.err
    assert "nothing ran" in ran.err
    assert account.client("sns").list_topics()["Topics"] == before


def test_a_change_set_that_is_gone_or_was_altered_is_refused(account: Account) -> None:
    assert account.create(TOPIC).code == 0
    path = account.folder / "cs.json"
    document = json.loads(path.read_bytes())
    altered = {**document, "described": {**document["described"], "Changes": []}}
    (account.folder / "altered.json").write_text(json.dumps(altered, sort_keys=True))
    ran = account.plangate("apply", "altered.json", "-e", "prod")
    assert ran.code != 0
    assert account.client("sns").list_topics()["Topics"] == []

    account.client("cloudformation").delete_change_set(ChangeSetName=document["change_set"])
    gone = account.plangate("apply", "cs.json", "-e", "prod")
    assert gone.code == 4
    assert "nothing ran" in gone.err


def test_it_counts_in_the_environment_it_was_made_for_only(account: Account) -> None:
    assert account.create(TOPIC).code == 0
    checked = account.plangate("check", "cs.json", "-e", "staging")
    assert (checked.code, "made for the environment 'prod'" in checked.err) == (3, True)
    applied = account.plangate("apply", "cs.json", "-e", "staging")
    assert (applied.code, "made for the environment 'prod'" in applied.err) == (2, True)


@pytest.mark.parametrize(
    ("written", "value", "code", "said"),
    [
        ("SSEAlgorithm: AES256", "aws:kms", 0, "obligation met: bucket-encrypted at Logs"),
        # moto makes buckets without versions, whatever the template says: so the real bucket is not as wanted.
        (
            "Status: Enabled",
            "Enabled",
            4,
            "obligation broken: bucket-versioned at Logs: still unknown after apply",
        ),
    ],
)
def test_what_was_not_known_is_checked_on_the_real_bucket(
    account: Account, written: str, value: str, code: int, said: str
) -> None:
    # The value is a secret parameter's, so that nobody knows it before.
    (account.folder / "plangate.yaml").write_text("version: 1\nlimits: {obligation_timeout_s: 1}\n")
    hidden = BUCKET.replace(written, f"{written.split(':', maxsplit=1)[0]}: !Ref Password")
    assert account.create(hidden, more=("--parameters", f"Password={value}")).code == 0
    checked = account.plangate("check", "cs.json", "-e", "prod")
    assert checked.code == 0, checked
    ran = account.plangate("apply", "cs.json", "-e", "prod", "--receipt", "cs.json.receipt.json")
    assert (ran.code, said in ran.out) == (code, True), ran


def test_nothing_that_is_there_is_written_over(account: Account) -> None:
    (account.folder / "cs.json").write_text("mine")
    ran = account.create(TOPIC)
    assert (ran.code, "there already" in ran.err) == (2, True)
    assert (account.folder / "cs.json").read_text() == "mine"


def test_what_could_not_be_written_is_not_made(account: Account) -> None:
    ran = account.create(TOPIC, out="missing/cs.json")
    assert (ran.code, "missing is no folder" in ran.err) == (2, True)
    (account.folder / "t16.yaml").write_bytes((HEAD + TOPIC).encode("utf-16"))
    ran = account.plangate(
        "change-set", "create", "t16.yaml", "--stack", "web", "-e", "prod", "--out", "x.json"
    )
    assert (ran.code, "not UTF-8" in ran.err) == (2, True), ran
    assert account.client("cloudformation").list_stacks()["StackSummaries"] == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--parameters", "Nothing=x"), "the template has no such parameter"),
        (("--parameters", "x"), "expected NAME=VALUE"),
        (("--parameter-file", "missing.json"), "missing.json: cannot be read"),
        (("--timeout", "nan"), "expected 1 to 86400 seconds"),
        (("--parameter-file", "t.yaml"), "expected an object of parameter names and texts"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(account: Account, more: tuple[str, ...], message: str) -> None:
    ran = account.create(TOPIC, more=more)
    assert (ran.code, message in ran.err) == (2, True), ran


def test_what_is_no_template_is_not_sent(account: Account) -> None:
    (account.folder / "plan.json").write_text("{}")
    ran = account.plangate(
        "change-set", "create", "plan.json", "--stack", "web", "-e", "prod", "--out", "x.json"
    )
    assert (ran.code, "not a CloudFormation template" in ran.err) == (3, True)
    assert account.client("cloudformation").list_stacks()["StackSummaries"] == []


def _big(number: int) -> str:
    """A topic with a description of so many bytes in its metadata."""
    return TOPIC.replace("Properties:", f"Metadata: {{Note: {'x' * number}}}, Properties:")


def test_a_big_template_goes_through_a_bucket_and_leaves_nothing_there(account: Account) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
    refused = account.create(BUCKET, _big(60_000))
    assert (refused.code, "--template-bucket BUCKET puts it" in refused.err) == (2, True), refused
    made = account.create(BUCKET, _big(60_000), more=("--template-bucket", "templates"))
    assert made.code == 0, made
    assert s3.list_objects_v2(Bucket="templates")["KeyCount"] == 0
    ran = account.plangate("apply", "cs.json", "-e", "prod")
    assert ran.code == 0, ran
    kept = account.client("cloudformation").get_template(StackName="web")["TemplateBody"]
    assert "x" * 60_000 in json.dumps(kept)


def test_of_a_versioned_bucket_no_version_is_left(account: Account) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="templates", VersioningConfiguration={"Status": "Enabled"})
    assert account.create(_big(60_000), more=("--template-bucket", "templates")).code == 0
    left = s3.list_object_versions(Bucket="templates")
    assert (left.get("Versions"), left.get("DeleteMarkers")) == (None, None)


def test_a_bucket_that_is_not_there_is_an_error_and_a_template_beyond_its_limit_is_refused(
    account: Account,
) -> None:
    made = account.create(_big(60_000), more=("--template-bucket", "nowhere"))
    assert (made.code, "put_object: NoSuchBucket" in made.err) == (3, True), made
    made = account.create(_big(1_000_000), more=("--template-bucket", "nowhere"))
    assert (made.code, "limit of CloudFormation: 1000000" in made.err) == (2, True), made
    assert not (account.folder / "cs.json").exists()
