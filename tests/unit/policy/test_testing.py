"""Tests of policies run on the embedded engine."""

from pathlib import Path

import pytest

from plangate.errors import PolicyLoadError
from plangate.policy.load import shipped_policies
from plangate.policy.testing import PolicyTest, run_tests
from tests.unit.policy.builders import a_policy, write

TESTS = """package policies.test.no_bad_test

import data.policies.test.no_bad

plan(public) := {"resources": [{
	"address": "a.b",
	"kind": "compute.instance",
	"mode": "managed",
	"action": "create",
	"deposed": null,
	"facts": {"public_ip": public},
}]}

test_fail_public if count(no_bad.deny) == 1 with input as plan(true)

test_pass_private if count(no_bad.deny) == 0 with input as plan(false)

test_wrong if count(no_bad.deny) == 7 with input as plan(true)

test_value := 3

test_broken if count(1) == 1

helper := 1
"""


def test_says_how_each_test_went(tmp_path: Path) -> None:
    source = write(tmp_path, {"p.rego": a_policy(), "p_test.rego": TESTS})
    found = run_tests([source])
    assert [(test.name.rpartition(".")[2], test.line, test.passed, test.problem) for test in found] == [
        ("test_fail_public", 14, True, ""),
        ("test_pass_private", 16, True, ""),
        ("test_wrong", 18, False, "it is undefined"),
        ("test_value", 20, False, "it is 3, not true"),
        (
            "test_broken",
            22,
            False,
            "custom/p_test.rego:22:22: `count` requires array/object/set/string argument. Got `1`.",
        ),
    ]
    assert {test.file for test in found} == {"custom/p_test.rego"}


def test_refuses_two_tests_with_one_name(tmp_path: Path) -> None:
    source = write(tmp_path, {"p.rego": a_policy(), "p_test.rego": TESTS + "\ntest_value := true\n"})
    with pytest.raises(PolicyLoadError, match="two tests are called"):
        run_tests([source])


def test_no_tests_are_no_success(tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError, match="no tests"):
        run_tests([write(tmp_path, {"p.rego": a_policy()})])


def test_the_tests_of_the_shipped_policies_pass() -> None:
    found = run_tests([shipped_policies()])
    assert [test for test in found if not test.passed] == []
    files = {path.stem for path in shipped_policies().root.rglob("*.rego") if not path.stem.endswith("_test")}
    tested = {Path(test.file).stem.removesuffix("_test") for test in found}
    assert tested - {"builders"} == files
    assert isinstance(found[0], PolicyTest)
