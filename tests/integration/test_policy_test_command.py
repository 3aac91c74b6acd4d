"""``plangate policy test`` and ``plangate policy explain`` as commands: exit codes, files, watching."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command_line import ALLOWED, environment, run
from tests.tools import ROOT
from tests.unit.authoring.test_policy_test import TESTS
from tests.unit.policy.builders import a_policy, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "policies", {"no_bad.rego": a_policy(), "no_bad_test.rego": TESTS})
    return tmp_path


def test_passing_tests_give_0_and_one_line(folder: Path) -> None:
    done = run("policy", "test", "policies", cwd=folder)
    assert (done.code, done.out) == (0, "passed: 3 passed; 1 rule seen to pass, fail and meet an unknown\n")


@pytest.mark.parametrize(
    ("arguments", "code", "last"),
    [
        (["-k", "fail"], 0, "passed: 1 passed"),
        (["-k", "nothing"], 2, ""),
        (["-k", "("], 2, ""),
        (["--threshold", "100"], 0, "passed: 3 passed; 1 rule seen to pass, fail and meet an unknown; coverage 100.0 %"),
        (["--threshold", "101"], 2, ""),
        (["--timeout", "0"], 2, ""),
        (["--format", "xml"], 2, ""),
        (["--v0"], 3, ""),
        (["--no-demand"], 0, "passed: 3 passed"),
    ],
)  # fmt: skip
def test_exit_codes(folder: Path, arguments: list[str], code: int, last: str) -> None:
    done = run("policy", "test", "policies", *arguments, cwd=folder)
    assert (done.code, done.last) == (code, last)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("== 1 with", "== 2 with"), 1),
        (('instance("unknown")', "instance(false)"), 1),
        (("test_", "todo_test_"), 1),
        (("test_", "check_"), 3),
        (("deny == set()", "dney == set()"), 3),
        (("import data.policies", "import data.policy"), 3),
    ],
)
def test_what_shows_too_little_or_cannot_be_run_is_no_success(
    folder: Path, change: tuple[str, str], code: int
) -> None:
    (folder / "policies" / "no_bad_test.rego").write_text(TESTS.replace(*change), encoding="utf-8")
    assert run("policy", "test", "policies", cwd=folder).code == code


def test_reports_go_to_files(folder: Path) -> None:
    done = run(
        "policy", "test", "policies", "--format", "json", "--output", "out/tests.json", "--lcov", "out/lcov.info",
        "--html", "out/html", cwd=folder,
    )  # fmt: skip
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("passed: 3 passed")
    assert json.loads((folder / "out" / "tests.json").read_text())["passed"] is True
    assert (folder / "out" / "lcov.info").read_text().startswith("TN:\nSF:policies/no_bad.rego\nDA:14,1\n")
    assert sorted(path.name for path in (folder / "out" / "html").iterdir()) == [
        "000-policies-no_bad.rego.html", "index.html",
    ]  # fmt: skip


def test_watching_runs_again_after_a_change_and_ends_with_130(folder: Path) -> None:
    command = [sys.executable, "-m", "plangate.cli.main", "policy", "test", "policies", "--watch"]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert b"passed: 3 passed" in _read(process.stdout.fileno(), b"\n")
        tests = folder / "policies" / "no_bad_test.rego"
        tests.write_text(TESTS.replace("== 1 with", "== 2 with"), encoding="utf-8")
        assert b"failed: 2 passed, 1 failed" in _read(process.stdout.fileno(), b"unknown\n")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130


def _read(stream: int, until: bytes) -> bytes:
    found, deadline = b"", time.monotonic() + 60
    while not found.endswith(until):
        ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(stream, 65536) if ready else b""
        assert chunk, found
        found += chunk
    return found


def test_plain_rego_needs_no_rules_of_plangate(tmp_path: Path) -> None:
    old = run("policy", "test", "--v0", ROOT / "fixtures" / "rego-tests" / "v0", cwd=tmp_path)
    assert (old.code, old.last) == (1, "failed: 3 passed, 1 failed, 1 skipped")
    assert "not looked at, what rules were seen to do: there are no rules of plangate here\n" in old.out


def test_explains_a_rule_on_a_resource(folder: Path) -> None:
    (folder / "plan.json").write_bytes(ALLOWED.read_bytes())
    (folder / "policies" / "no_bad.rego").write_text(
        a_policy().replace("compute.instance", "storage.bucket").replace("public_ip", "encrypted"),
        encoding="utf-8",
    )
    done = run(
        "policy", "explain", "plan.json", "no-bad", "aws_s3_bucket.site", "--policy", "policies", cwd=folder
    )
    assert (done.code, done.out.splitlines()) == (
        0,
        [
            "no-bad on aws_s3_bucket.site: fail: it is public",
            "",
            "deny, policies/no_bad.rego:14 holds",
            '    15 ✓ some instance in lib.of_kind("storage.bucket")',
            '           instance = "resource aws_s3_bucket.site"',
            '           lib.of_kind("storage.bucket") = ["resource aws_s3_bucket.site"]',
            "    16 ✓ instance.facts.encrypted == true",
            "           instance.facts.encrypted = true",
            '       finding: {"address": "aws_s3_bucket.site", "message": "it is public"}',
        ],
    )


@pytest.mark.parametrize(
    ("rule", "address", "said"),
    [
        ("bucket-encrypted", "aws_s3_bucket.site", "is a built-in rule, not written in Rego"),
        ("log-retentoin", "aws_s3_bucket.site", "did you mean log-retention?"),
        ("log-retention", "aws_s3_bucket.sight", "did you mean aws_s3_bucket.site?"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_a_way_out(
    folder: Path, rule: str, address: str, said: str
) -> None:
    (folder / "plan.json").write_bytes(ALLOWED.read_bytes())
    done = run("policy", "explain", "plan.json", rule, address, cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
