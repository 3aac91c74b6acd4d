"""`plangate-hook`, as pre-commit calls it: file names in, the worst answer out. tests/integration/test_pre_commit.py
runs it through the real framework."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import ALLOWED, DENIED, Ran, environment
from tests.command_line import run as run_command

POLICY = """# METADATA
# title: Machines have names
# description: A policy of somebody who uses the hook.
# custom:
#   id: machine-named
#   severity: low
#   enforcement: advisory
#   remediation: Name it.
package policies.team.machine_named

import data.plangate.lib

deny contains lib.finding(resource, "has no name") if {
	some resource in input.resources
	object.get(resource.after, "tags", null) == null
}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "allowed.json").write_bytes(ALLOWED.read_bytes())
    (tmp_path / "denied.json").write_bytes(DENIED.read_bytes())
    (tmp_path / "broken.json").write_text('{"format_version": "1.2"')
    (tmp_path / "policies" / "team").mkdir(parents=True)
    (tmp_path / "policies" / "team" / "machine_named.rego").write_text(POLICY)
    return tmp_path


def hook(*arguments: str, cwd: Path) -> Ran:
    return run_command(*arguments, cwd=cwd, module="plangate.cli.hook")


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (["allowed.json"], 0),
        (["denied.json"], 1),
        (["broken.json"], 3),
        (["missing.json"], 2),
        (["allowed.json", "denied.json"], 1),
        (["denied.json", "allowed.json"], 1),
        (["allowed.json", "broken.json", "denied.json"], 3),
        (["allowed.json", "missing.json", "denied.json"], 3),
        (["policies/team/machine_named.rego"], 0),
        (["policies/team/machine_named.rego", "denied.json"], 1),
    ],
)
def test_the_worst_answer_is_the_hooks_answer(repository: Path, files: list[str], code: int) -> None:
    assert hook(*files, cwd=repository).code == code


def test_every_file_is_answered_for_also_after_one_that_fails(repository: Path) -> None:
    ran = hook("broken.json", "missing.json", "denied.json", "allowed.json", cwd=repository)
    assert ran.code == 3
    lines = ran.out.splitlines()
    assert lines[0].startswith("COULD NOT DECIDE  4 inputs")
    assert "  read: 2 terraform-plan; 2 could not be read" in lines
    unread = lines[lines.index("Could not be judged") : lines.index("Denied")]
    assert [line.split(":")[0].strip() for line in unread if ".json:" in line] == [
        "broken.json",
        "missing.json",
    ]
    assert any("in denied.json" in line for line in lines[lines.index("Denied") :])


def test_the_hook_says_what_check_says(repository: Path) -> None:
    checked = run_command("check", "--no-receipt", "denied.json", cwd=repository)
    hooked = hook("denied.json", cwd=repository)
    assert (hooked.code, hooked.out) == (checked.code, checked.out)


def test_no_file_names_are_no_allow(repository: Path) -> None:
    ran = hook(cwd=repository)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("plangate: no file names, so nothing was judged\n")


def test_settings_that_make_no_sense_are_said_once_and_allow_nothing(repository: Path) -> None:
    (repository / "plangate.yaml").write_text("version: 1\nprofil: strict\n")
    ran = hook("allowed.json", "denied.json", cwd=repository)
    assert (ran.code, ran.out, ran.err.count("profil")) == (2, "", 1)


def test_the_hook_leaves_no_receipt(repository: Path) -> None:
    before = {path.name for path in repository.iterdir()}
    assert hook("allowed.json", cwd=repository).code == 0
    assert {path.name for path in repository.iterdir()} - before == {".plangate"}


def test_a_policy_that_must_not_be_judged_with_is_refused_with_its_place(repository: Path) -> None:
    policy = repository / "policies" / "team" / "machine_named.rego"
    policy.write_text(POLICY.replace("deny contains", "denny contains"))
    ran = hook("policies/team/machine_named.rego", cwd=repository)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("plangate: policies/team/machine_named.rego:")


def test_a_policy_of_the_settings_is_loaded_with_its_whole_folder(repository: Path) -> None:
    (repository / "plangate.yaml").write_text("version: 1\npolicies: [policies]\n")
    (repository / "policies" / "team" / "stray.txt.bak").write_text("what is this")
    ran = hook("policies/team/machine_named.rego", cwd=repository)
    assert (ran.code, "no rule claims this file" in ran.err) == (3, True)


def test_options_reach_the_gate(repository: Path) -> None:
    assert hook("--profile", "strict", "allowed.json", cwd=repository).code == 1
    assert hook("--policy", "policies", "--environment", "prod", "allowed.json", cwd=repository).code == 0
    shown = run_command("audit", "list", "--type", "decision", "--format", "json", cwd=repository)
    assert [record["body"]["environment"] for record in json.loads(shown.out)] == ["default", "prod"]


def test_an_unknown_option_is_a_usage_error(repository: Path) -> None:
    assert hook("--shrug", "allowed.json", cwd=repository).code == 2


def test_the_hook_imports_no_command_line_or_terminal_library(repository: Path) -> None:
    script = (
        "import sys\n"
        "from plangate.cli.hook import main\n"
        "code = main(sys.argv[1:])\n"
        "heavy = {'typer', 'click', 'rich', 'boto3', 'asyncio', 'jsonschema'}\n"
        "print(code, sorted(heavy & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "denied.json", "policies/team/machine_named.rego"],
        cwd=repository,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "1 []"


def test_files_that_nobody_chose_are_judged_when_they_are_plans_and_left_alone_otherwise(
    repository: Path,
) -> None:
    (repository / "package.json").write_text('{"name": "web"}')
    assert hook("package.json", cwd=repository).code == 3
    alone = hook("--any", "package.json", cwd=repository)
    assert (alone.code, alone.out) == (0, "")
    assert alone.err.endswith("plangate: none of these files is a plan of any kind\n")
    assert hook("--any", "package.json", "allowed.json", cwd=repository).code == 0
    assert hook("--any", "package.json", "denied.json", cwd=repository).code == 1
    assert hook("--any", "package.json", "broken.json", cwd=repository).code == 3
