"""`make demo` shows what it says, and fails when Plangate does not do it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.command_line import command_folder, environment
from tests.tools import ROOT, require_tool


def demo(commands: Path, **env: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(ROOT / "scripts" / "demo")],
        cwd=commands.parent,
        env=environment(DEMO_BIN=str(commands), **env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout


def exits(output: str) -> list[tuple[str, str]]:
    """Each command that was shown, with the exit code that was shown after it."""
    return re.findall(r"^\$ (plangate .*?)$.*?^\[exit (\d+)\]$", output, flags=re.MULTILINE | re.DOTALL)


JSON_PART = [("plangate check denied.json", "1"), ("plangate check allowed.json", "0")]
LIVE_PART = [
    ("plangate apply tfplan", "1"),
    ("plangate check tfplan", "0"),
    ("plangate apply tampered --receipt tfplan.receipt.json", "3"),
    ("plangate apply tfplan --receipt tfplan.receipt.json", "0"),
    ("plangate apply tfplan --receipt tfplan.receipt.json", "3"),
]
LOG_PART = [
    ("plangate audit list", "0"),
    ("plangate audit verify", "0"),
    ("plangate audit verify --state-dir forged", "3"),
]


@pytest.mark.terraform
def test_the_demo_shows_the_main_job_on_real_plans(tmp_path: Path) -> None:
    require_tool("terraform")
    code, output = demo(command_folder(tmp_path / "bin"))
    assert (code, exits(output)) == (0, JSON_PART + LIVE_PART + LOG_PART), output
    for sentence in (
        "aws_instance.web\n        it gets a public address",
        "The file it-ran is not there: nothing ran.",
        "applied: 2 changes made, a new plan finds nothing left to do",
        "receipt: used already",
        "✗ record 2: ",
        "That was the main job: denied with reasons, allowed with a receipt, applied once, logged, verified.",
    ):
        assert sentence in output


def test_without_terraform_the_demo_says_what_it_skips(tmp_path: Path) -> None:
    # Everything that PATH has but terraform and tofu.
    tools = command_folder(tmp_path / "bin")
    plain = tmp_path / "plain"
    plain.mkdir()
    for folder in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(folder).iterdir() if Path(folder).is_dir() else ():
            link = plain / program.name
            if program.name not in {"terraform", "tofu"}:
                link.unlink(missing_ok=True)
                link.symlink_to(program)
    code, output = demo(tools, PATH=str(plain))
    assert (code, exits(output)) == (0, JSON_PART + LOG_PART), output
    assert "== 3. Skipped: applying a plan\n   There is no terraform or tofu on PATH." in output
    assert output.splitlines()[-1].endswith("Applying was skipped.")


def test_a_gate_that_allows_everything_makes_the_demo_fail(tmp_path: Path) -> None:
    commands = command_folder(tmp_path / "bin")
    # A stand-in for a broken build: it says yes to whatever it is asked.
    (commands / "plangate").write_text("#!/bin/sh\nexit 0\n")
    code, output = demo(commands)
    assert (code, output.splitlines()[-1]) == (1, "the demo went wrong: expected exit 1")
