"""What the wiring adds to recorded change sets: the schemas of the types, the environment, the region."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from plangate.errors import PlanParseError, UsageError
from plangate.model.plan import Action, Plan
from plangate.wiring.choices import Choices, limits_of, settings_for
from plangate.wiring.documents import Document, parse_document, read_document
from plangate.wiring.run_change_set import fits
from tests.change_sets import change, recorded
from tests.command_line import run


def modified(kind: str, name: str) -> bytes:
    """A change of one property, of which CloudFormation says that it replaces nothing."""
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": "Never"}
    entry = change("Modify", kind, "X", Replacement="False", Details=[{"Target": target}])
    return recorded(entry, template={"Resources": {"X": {"Type": kind, "Properties": {name: "x"}}}}).encode()


def parsed(data: bytes, folder: Path, environment: str = "test") -> Plan:
    path = folder / "cs.json"
    path.write_bytes(data)
    choices = Choices(environment=environment)
    settings = settings_for(choices)
    limits = limits_of(settings)
    return parse_document(read_document(str(path), limits), settings, choices, limits)


@pytest.mark.parametrize(
    ("kind", "name", "action"),
    [
        ("AWS::S3::Bucket", "BucketName", Action.REPLACE),
        ("AWS::S3::Bucket", "VersioningConfiguration", Action.UPDATE),
        ("AWS::EC2::Instance", "UserData", Action.REPLACE),
        ("AWS::RDS::DBInstance", "DBSubnetGroupName", Action.REPLACE),
        ("Custom::Thing", "Name", Action.UPDATE),
    ],
    ids=["create-only", "in place", "sometimes create-only", "database", "no schema"],
)
def test_replacements_are_computed_from_the_published_schemas(
    kind: str, name: str, action: Action, tmp_path: Path
) -> None:
    assert parsed(modified(kind, name), tmp_path).resources[0].action is action


def test_without_the_schemas_nothing_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)
    with pytest.raises(PlanParseError, match="schemas") as caught:
        parsed(modified("AWS::S3::Bucket", "BucketName"), tmp_path)
    assert caught.value.hint == "pip install 'plangate[aws]'"


@pytest.mark.parametrize("region", ["", "nowhere-1", "../../etc", None])
def test_a_region_without_schemas_is_not_judged(region: Any, tmp_path: Path) -> None:
    document = json.loads(modified("AWS::S3::Bucket", "BucketName")) | {"region": region}
    with pytest.raises(PlanParseError, match="not one that the resource schemas know"):
        parsed(json.dumps(document).encode(), tmp_path)


def test_it_is_judged_for_the_environment_it_was_made_for_only(tmp_path: Path) -> None:
    with pytest.raises(PlanParseError, match="made for the environment 'test', judged for 'prod'"):
        parsed(modified("AWS::S3::Bucket", "BucketName"), tmp_path, "prod")


def test_the_command_denies_a_replacement_that_only_the_schema_knows_of(tmp_path: Path) -> None:
    (tmp_path / "cs.json").write_bytes(modified("AWS::S3::Bucket", "BucketName"))
    ran = run("check", "cs.json", "-e", "test", cwd=tmp_path)
    assert (ran.code, "no-stateful-destroy" in ran.out) == (1, True), ran


def test_what_is_not_in_the_region_that_it_names_is_not_run(tmp_path: Path) -> None:
    document = json.loads(recorded(change()).encode()) | {"region": "us-east-1"}
    (tmp_path / "cs.json").write_text(json.dumps(document, sort_keys=True))
    ran = run("apply", "cs.json", "-e", "test", cwd=tmp_path)
    assert (ran.code, "not in the region that the document names" in ran.err) == (2, True), ran


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"change_set":"x"', True),
        (b'{\n  "change_set": "x"', True),
        (b'{"described":', False),
        (b"PK\x03\x04", False),
        (b"", False),
    ],
)
def test_the_executor_is_told_by_the_first_bytes(data: bytes, expected: bool) -> None:
    assert fits(Document(name="x", path=None, data=data, sha256="")) is expected


def test_a_document_that_only_begins_like_one_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "cs.json").write_text('{"change_set": 1}')
    ran = run("apply", "cs.json", "-e", "test", cwd=tmp_path)
    assert (ran.code, "not a recorded change set" in ran.err) == (2, True), ran
    assert UsageError.exit_code == ran.code
