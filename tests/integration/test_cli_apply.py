"""`plangate apply` from end to end: saved plans of the real terraform or tofu, run once and exactly as judged."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec import Struct

from tests.command_line import Ran, environment, run, shell
from tests.integration.test_cli import on_a_terminal
from tests.tools import require_tool

pytestmark = pytest.mark.terraform

GREETING = """
resource "terraform_data" "greeting" {
  input = "hello"
}
"""
FAILING = """
resource "terraform_data" "first" {
  input = "made"
}

resource "terraform_data" "second" {
  input = terraform_data.first.output

  provisioner "local-exec" {
    command = "exit 7"
  }
}
"""


class Project(Struct, frozen=True):
    folder: Path
    program: Path

    def plan(self, configuration: str) -> None:
        (self.folder / "main.tf").write_text(configuration)
        for arguments in (["init", "-input=false"], ["plan", "-input=false", "-out=tfplan"]):
            subprocess.run(
                [str(self.program), *arguments],
                cwd=self.folder,
                env=environment(),
                capture_output=True,
                check=True,
                timeout=120,
            )

    def run(self, *arguments: str) -> Ran:
        return run(*arguments, cwd=self.folder)

    def state(self) -> set[str]:
        """Addresses that exist now."""
        file = self.folder / "terraform.tfstate"
        listed = json.loads(file.read_text())["resources"] if file.exists() else []
        return {f"{item['type']}.{item['name']}" for item in listed}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path, require_tool("terraform"))
    made.plan(GREETING)
    return made


def test_an_allowed_plan_is_applied_and_the_end_is_told(project: Project) -> None:
    ran = project.run("apply", "tfplan")
    assert (ran.code, project.state()) == (0, {"terraform_data.greeting"})
    assert ran.out.startswith("ALLOWED  tfplan")
    assert ran.last.startswith("applied: 1 change made, a new plan finds nothing left to do; log entry ")


def test_a_denied_plan_is_not_applied(project: Project) -> None:
    project.plan(FAILING)
    ran = project.run("apply", "tfplan")
    assert (ran.code, ran.last.endswith("; nothing was executed"), project.state()) == (1, True, set())


def test_a_failure_on_the_way_gets_4_and_says_where(project: Project) -> None:
    (project.folder / "plangate.yaml").write_text("version: 1\nunsafe_disabled_rules: [no-provisioners]\n")
    project.plan(FAILING)
    ran = project.run("apply", "tfplan")
    assert (ran.code, "terraform_data.first" in project.state()) == (4, True)
    assert "terraform_data.second" in ran.out
    assert ran.last.startswith("execution failed: failed, 1 change made; log entry ")
    listed = project.run("audit", "list", "--type", "execution.finished", "--format", "json")
    assert [record["body"]["result"] for record in json.loads(listed.out)] == ["failed"]


def test_a_receipt_is_good_for_its_plan_once(project: Project) -> None:
    assert project.run("check", "tfplan").code == 0
    plan = (project.folder / "tfplan").read_bytes()
    (project.folder / "tampered").write_bytes(plan + b"x")
    receipt = ("--receipt", "tfplan.receipt.json")
    tampered = project.run("apply", "tampered", *receipt)
    elsewhere = project.run("apply", "tfplan", *receipt, "--environment", "prod")
    assert (tampered.code, elsewhere.code, project.state()) == (3, 3, set())
    first, second = project.run("apply", "tfplan", *receipt), project.run("apply", "tfplan", *receipt)
    assert (first.code, second.code, project.state()) == (0, 3, {"terraform_data.greeting"})
    assert "used already" in second.err


def test_a_receipt_of_another_gate_counts_only_with_its_keys(project: Project) -> None:
    assert project.run("check", "tfplan", "--state-dir", "theirs").code == 0
    command = ("apply", "tfplan", "--receipt", "tfplan.receipt.json", "--state-dir", "ours")
    assert (project.run(*command).code, project.state()) == (3, set())
    keys = ("--trusted-key", "theirs/receipt.pub", "--trusted-key", "theirs/log.pub")
    assert (project.run(*command, *keys).code, project.state()) == (0, {"terraform_data.greeting"})


@pytest.mark.parametrize("content", [b"", b"{}", b"not a receipt", b"[" * 100_000])
def test_what_is_no_receipt_lets_nothing_run(project: Project, content: bytes) -> None:
    (project.folder / "receipt.json").write_bytes(content)
    ran = project.run("apply", "tfplan", "--receipt", "receipt.json")
    assert (ran.code, ran.out, "Traceback" in ran.err, project.state()) == (3, "", False, set())


def test_a_missing_receipt_lets_nothing_run(project: Project) -> None:
    ran = project.run("apply", "tfplan", "--receipt", "missing.json")
    assert (ran.code, ran.out, project.state()) == (2, "", set())


@pytest.mark.parametrize("output", [">&-", ">/dev/full"])
def test_an_allow_that_could_not_be_told_lets_nothing_run(project: Project, output: str) -> None:
    assert (shell(f"plangate apply tfplan {output}", cwd=project.folder).code, project.state()) == (3, set())


def test_readers_that_go_away_do_not_stop_what_was_begun(project: Project) -> None:
    assert project.run("check", "tfplan").code == 0
    # Standard error, where progress is told, and standard output have nobody who reads them.
    command = "plangate apply tfplan --receipt tfplan.receipt.json 2>/dev/full >/dev/full"
    assert (shell(command, cwd=project.folder).code, project.state()) == (0, {"terraform_data.greeting"})
    finished = project.run("audit", "list", "--type", "execution.finished", "--format", "json")
    assert [record["body"]["result"] for record in json.loads(finished.out)] == ["succeeded"]


def test_what_takes_longer_than_a_second_says_what_it_is_doing_on_a_terminal(project: Project) -> None:
    # A stand-in that is slow to start, and then the real program.
    slow = project.folder / "slow-terraform"
    slow.write_text(f'#!/bin/sh\n[ "$1" = version ] || sleep 2\nexec {project.program} "$@"\n')
    slow.chmod(0o755)
    code, output = on_a_terminal("check", "tfplan", cwd=project.folder, PLANGATE_TERRAFORM=str(slow))
    assert (code, "reading tfplan" in output) == (0, True)
    quiet = run("check", "tfplan", cwd=project.folder, env=environment(PLANGATE_TERRAFORM=str(slow)))
    assert (quiet.code, "reading tfplan" in quiet.err) == (0, False)


def test_without_terraform_a_saved_plan_cannot_be_judged(project: Project) -> None:
    tools = project.folder / "empty"
    tools.mkdir()
    env = environment() | {"PATH": str(tools)}
    ran = run("check", "tfplan", cwd=project.folder, env=env)
    assert (ran.code, ran.out, "Traceback" in ran.err) == (3, "", False)
    assert "hint: " in ran.err


def test_the_plan_on_disk_may_change_after_it_was_read(project: Project) -> None:
    """What was judged is what runs: the bytes come from memory, not from the file's name."""
    swapping = project.folder / "swapping-terraform"
    # A stand-in for somebody else on the machine: as soon as terraform starts, the file becomes something else.
    swapping.write_text(f'#!/bin/sh\necho swapped > tfplan\nexec {project.program} "$@"\n')
    swapping.chmod(0o755)
    env = environment(PLANGATE_TERRAFORM=str(swapping))
    ran = run("apply", "tfplan", cwd=project.folder, env=env)
    assert (ran.code, project.state()) == (0, {"terraform_data.greeting"})
    assert (project.folder / "tfplan").read_text() == "swapped\n"


def test_an_interrupted_check_gives_130_and_no_receipt(project: Project) -> None:
    # A stand-in that never answers.
    stuck = project.folder / "stuck-terraform"
    stuck.write_text(
        f'#!/bin/sh\n[ "$1" = version ] || {{ touch begun; sleep 60; }}\nexec {project.program} "$@"\n'
    )
    stuck.chmod(0o755)
    # The command hears SIGINT also where this run was started in the background, which ignores it.
    hearing = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-m", "plangate.cli.main", "check", "tfplan"]
    process = subprocess.Popen(
        [sys.executable, "-c", hearing, *command],
        cwd=project.folder,
        env=environment(PLANGATE_TERRAFORM=str(stuck)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (project.folder / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, "Traceback" in err) == (130, "", False)
    assert err.endswith("plangate: interrupted\n")
    assert not (project.folder / "tfplan.receipt.json").exists()
