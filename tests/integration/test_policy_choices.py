"""What a settings file and flags choose for a Rego policy reaches the policy, on the whole way from the command line."""

import json
from pathlib import Path

import pytest

from tests.command_line import run
from tests.unit.policy.builders import metadata

BODY = """package policies.test.regions

import data.plangate.lib

deny contains lib.finding(bucket, sprintf("more than %v tags are needed", [most])) if {
	some bucket in lib.of_kind("storage.bucket")
	most := data.plangate.settings.regions.tags
	count(object.get(bucket.after, "tags", {})) < most
}

deny contains lib.finding(bucket, "it is on the list") if {
	some bucket in lib.of_kind("storage.bucket")
	bucket.address in data.lists.bad
}
"""
SETTING = "kinds: [storage.bucket]\nsettings:\n  tags: {description: How many., type: integer, default: 0}"
CHOSEN = """
version: 1
shipped_policies: false
policies: [mine]
data: [lists.json]
environment: dev
environments:
  prod: {rules: {regions: {settings: {tags: 9}}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "regions.rego").write_text(metadata("regions", SETTING) + BODY)
    (tmp_path / "lists.json").write_text('{"lists": {"bad": []}}')
    (tmp_path / "bucket.tf").write_text(
        'resource "aws_s3_bucket" "a" {\n  bucket = "b"\n  tags = { x = "y" }\n}\n'
    )
    (tmp_path / "plangate.yaml").write_text(CHOSEN)
    return tmp_path


def said(folder: Path, *arguments: str) -> tuple[list[str], str]:
    """What the policy said of the bucket, and the digest of all policies."""
    ran = run("check", "bucket.tf", "--format", "json", *arguments, cwd=folder)
    document = json.loads(ran.out)
    found = [
        f"{outcome['outcome']} {outcome.get('message', '')}".strip()
        for outcome in document["outcomes"]
        if outcome["rule"] == "regions"
    ]
    return found, document["policy"]["sha256"]


def test_an_environment_has_its_own_settings_of_a_policy(folder: Path) -> None:
    here, here_digest = said(folder)
    there, there_digest = said(folder, "--environment", "prod")
    assert (here, there) == (["pass"], ["fail more than 9 tags are needed"])
    assert here_digest != there_digest


def test_data_of_the_command_line_joins_that_of_the_settings(folder: Path) -> None:
    (folder / "lists.json").write_text('{"other": 1}')
    (folder / "more" / "lists").mkdir(parents=True)
    (folder / "more" / "lists" / "x.yaml").write_text("bad: [aws_s3_bucket.a]\n")
    assert said(folder, "--data", "more")[0] == ["fail it is on the list"]


def test_without_its_data_a_policy_gives_no_decision(folder: Path) -> None:
    (folder / "lists.json").write_text('{"other": 1}')
    ran = run("check", "bucket.tf", cwd=folder)
    assert (ran.code, "nothing is loaded as data.lists.bad" in ran.err) == (3, True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (CHOSEN.replace("9", "x"), "rules.regions.settings.tags: 'x' is not of type 'integer'"),
        (
            CHOSEN.replace("tags: 9", "tgas: 9"),
            "rules.regions.settings.tgas: this policy has no such setting",
        ),
        (CHOSEN.replace("{regions:", "{region:"), "no rule 'region'"),
        (CHOSEN.replace("lists.json", "list.json"), "list.json"),
    ],
)
def test_a_choice_that_reaches_nobody_is_no_decision(text: str, problem: str, folder: Path) -> None:
    (folder / "plangate.yaml").write_text(text)
    ran = run("check", "bucket.tf", "--environment", "prod", cwd=folder)
    assert (ran.code in {2, 3}, problem in ran.err, ran.out) == (True, True, ""), ran.err


def test_rules_show_has_the_settings_of_a_policy(folder: Path) -> None:
    ran = run("rules", "show", "regions", cwd=folder)
    assert "Settings (rules.regions.settings in plangate.yaml):" in ran.out
    assert '"default": 0' in ran.out
