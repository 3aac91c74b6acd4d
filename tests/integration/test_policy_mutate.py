"""``plangate policy mutate`` from the command line: what it prints, and which exit code a result has."""

import json
from pathlib import Path

import pytest

from tests.command_line import run
from tests.unit.policy.builders import a_policy

BODY = """
deny contains lib.finding(instance, "it is large") if {
	some instance in lib.of_kind("compute.instance")
	instance.after.size > 3
}
"""
WEAK = """package policies.test.no_bad_test

import data.plangate.lib.builders_test as builders
import data.policies.test.no_bad as rule

sized(size) := builders.plan([{"address": "a.b", "kind": "compute.instance", "after": {"size": size}}])

test_fail_large if count(rule.deny) == 1 with input as sized(9)

test_pass_small if count(rule.deny) == 0 with input as sized(1)
"""
STRONG = f"""{WEAK}
test_pass_at_the_limit if count(rule.deny) == 0 with input as sized(3)

test_fail_above_the_limit if count(rule.deny) == 1 with input as sized(4)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "no_bad.rego").write_text(a_policy(BODY))
    return tmp_path


def write_tests(folder: Path, text: str) -> None:
    (folder / "p" / "no_bad_test.rego").write_text(text)


def test_a_survivor_is_shown_as_a_diff_at_its_place(folder: Path) -> None:
    write_tests(folder, WEAK)
    ran = run("policy", "mutate", "p", cwd=folder)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("p/no_bad.rego:16:22: survived: boundary in deny\n")
    assert "  -\tinstance.after.size > 3\n  +\tinstance.after.size >= 3\n" in ran.out
    assert "5 of 7 killed\n7 mutants of 1 policy: 5 killed, 2 survived, 0 invalid; " in ran.out


@pytest.mark.parametrize(("text", "code", "word"), [(WEAK, 1, "failed: "), (STRONG, 0, "passed: ")])
def test_a_threshold_is_met_or_it_is_exit_1(folder: Path, text: str, code: int, word: str) -> None:
    write_tests(folder, text)
    ran = run("policy", "mutate", "p", "--threshold", "90", cwd=folder)
    assert (ran.code, ran.out.splitlines()[-1].startswith(word)) == (code, True), ran.out


def test_a_program_gets_every_mutant_with_its_verdict(folder: Path) -> None:
    write_tests(folder, STRONG)
    ran = run("policy", "mutate", "p", "--threshold", "90", "--format", "json", cwd=folder)
    document = json.loads(ran.out)
    (policy,) = document["policies"]
    assert (document["passed"], document["complete"], policy["score"]) == (True, True, 100)
    assert {tried["verdict"] for tried in policy["tried"]} == {"killed"}
    assert len(policy["tried"]) == policy["mutants"] == policy["killed"] == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no tests"),
        (WEAK.replace("== 1", "== 2"), "tests fail before anything is changed"),
        (WEAK.replace("count", "cuont"), "cuont"),
    ],
)
def test_without_passing_tests_nothing_was_found_out(folder: Path, text: str, said: str) -> None:
    if text:
        write_tests(folder, text)
    ran = run("policy", "mutate", "p", cwd=folder)
    assert (ran.code, ran.out, said in ran.err) == (3, "", True), ran.err


@pytest.mark.parametrize(
    "flags",
    [
        ("--threshold", "0"),
        ("--threshold", "101"),
        ("--budget", "0s"),
        ("--budget", "soon"),
        ("--budget", "-1"),
        ("--jobs", "-1"),
        ("--rule", "nobody"),
        ("--format", "xml"),
    ],
)
def test_a_flag_that_makes_no_sense_is_refused(folder: Path, flags: tuple[str, str]) -> None:
    write_tests(folder, STRONG)
    ran = run("policy", "mutate", "p", *flags, cwd=folder)
    assert (ran.code, ran.out) == (2, "")


def test_an_explanation_that_fits_no_survivor_is_exit_1(folder: Path) -> None:
    stale = (
        "# SURVIVORS\n# - operator: boundary\n#   line: instance.after.size > 3\n#   reason: Nobody minds.\n"
    )
    write_tests(folder, stale + STRONG)
    ran = run("policy", "mutate", "p", cwd=folder)
    assert (ran.code, "p/no_bad_test.rego:" in ran.out) == (1, True), ran.out
