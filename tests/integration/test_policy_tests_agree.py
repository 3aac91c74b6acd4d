"""``plangate policy test`` and ``opa test`` run the same tests, with the same verdicts, and reach the same lines."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from plangate.authoring.coverage import coverage_of, for_coverage
from plangate.authoring.folders import read_plain, read_suite
from plangate.authoring.suite import Suite
from plangate.authoring.testing import TestRun, run_tests
from plangate.policy.base import PolicySource
from tests.tools import ROOT, require_tool

pytestmark = pytest.mark.opa

V1 = ROOT / "fixtures" / "rego-tests" / "v1"
V0 = ROOT / "fixtures" / "rego-tests" / "v0"

DIFFERENT = {
    # Nothing was tried, so nothing was shown.
    "cases_test.test_no_cases": ("passed", "failed"),
    "cases_test.test_late": ("passed", "failed"),
    # OPA makes the failure of a builtin undefined; here it is an error, which is no pass either.
    "cases_test.test_err2": ("failed", "error"),
    # OPA drops a `not` over something undefined; the embedded engine makes it true, which is found out.
    "cases_test.test_err_ok": ("failed", "error"),
}
"""Test to OPA's verdict and ours. None of them passes here."""


def plain(folder: Path, *, v0: bool = False) -> Suite:
    return read_plain([PolicySource(root=folder, name=str(folder))], v0=v0)


def shipped() -> Suite:
    return read_suite([PolicySource(root=ROOT / "policies", name=str(ROOT / "policies"))])[0]


def opa_test(suite: Suite, folder: Path, tmp_path: Path, *options: str) -> Any:
    """What ``opa test`` says, with the data that the suite has."""
    data = tmp_path / "data.json"
    data.write_text(json.dumps(dict(suite.data)), encoding="utf-8")
    files = map(str, (*sorted(folder.rglob("*.rego")), data))
    command = [str(require_tool("opa")), "test", "--format", "json", *options, *files]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    return json.loads(done.stdout)


def cases(found: Any, name: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    leaves: dict[tuple[str, ...], str] = {}
    for key, item in (found or {}).items():
        inner = cases(item.get("sub_results"), (*name, key))
        leaves |= inner or {(*name, key): "failed" if item.get("fail") else "passed"}
    return leaves


def verdicts_of_opa(found: Any) -> dict[str, tuple[str, dict[tuple[str, ...], str]]]:
    return {
        f"{test['package'].removeprefix('data.')}.{test['name']}": (
            "skipped" if test.get("skip") else "error" if test.get("error") else "failed" if test.get("fail") else "passed",
            cases(test.get("sub_results")),
        )
        for test in found
    }  # fmt: skip


def verdicts(run: TestRun) -> dict[str, tuple[str, dict[tuple[str, ...], str]]]:
    return {
        result.name: (result.verdict.value, {case.name: case.verdict.value for case in result.cases})
        for result in run.results
    }


@pytest.mark.parametrize(("folder", "v0"), [(V1, False), (V0, True)], ids=["v1", "v0"])
def test_names_verdicts_and_cases_are_those_of_opa(folder: Path, v0: bool, tmp_path: Path) -> None:
    suite = plain(folder, v0=v0)
    theirs = verdicts_of_opa(opa_test(suite, folder, tmp_path, *(["--v0-compatible"] if v0 else [])))
    ours = verdicts(run_tests(suite))
    assert theirs.keys() == ours.keys()
    different = {name: (theirs[name][0], ours[name][0]) for name in ours if theirs[name] != ours[name]}
    assert different == ({} if v0 else DIFFERENT)
    assert "passed" not in {ours for _, ours in DIFFERENT.values()}


def test_the_tests_of_the_shipped_policies_pass_in_both(tmp_path: Path) -> None:
    suite = shipped()
    theirs = verdicts_of_opa(opa_test(suite, ROOT / "policies", tmp_path))
    ours = verdicts(run_tests(suite))
    assert ours == theirs
    assert {verdict for verdict, _ in ours.values()} == {"passed"}


def test_the_tests_reach_the_lines_of_shipped_policies_that_opa_says(tmp_path: Path) -> None:
    suite = shipped()
    theirs = opa_test(suite, ROOT / "policies", tmp_path, "--coverage")["files"]
    coverage = coverage_of(suite, run_tests(for_coverage(suite), coverage=True).covered)
    for file in coverage.files:
        of_opa = theirs[file.file]
        reached, missed = lines(of_opa.get("covered")), lines(of_opa.get("not_covered"))
        # OPA also counts the later lines of one that it had to take apart.
        assert file.covered <= reached, file.file
        assert not missed & file.covered, file.file
        assert missed <= file.missed, file.file
    assert coverage.percent == 100.0


def lines(ranges: Any) -> set[int]:
    return {line for each in ranges or () for line in range(each["start"]["row"], each["end"]["row"] + 1)}
