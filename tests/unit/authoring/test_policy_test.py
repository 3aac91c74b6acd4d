"""Tests of policies: verdicts, why they failed, what rules were seen to do, which lines were reached."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plangate.authoring.coverage import Coverage, FileCoverage, ranges
from plangate.authoring.coverage_files import lcov, pages
from plangate.authoring.demand import Sight
from plangate.authoring.diagnosis import diagnose
from plangate.authoring.evaluation import TimeLimits
from plangate.authoring.examination import Asked, Examination, examine
from plangate.authoring.examination_documents import document, render_json, render_junit
from plangate.authoring.examination_text import render_text, summary
from plangate.authoring.folders import read_suite
from plangate.authoring.selection import selection
from plangate.authoring.suite import Suite
from plangate.authoring.testing import TestResult, TestRun, Verdict, run_tests
from plangate.authoring.trace_text import failure
from plangate.authoring.watching import Watch
from plangate.errors import PolicyLoadError, UsageError
from plangate.policy.base import PolicySource
from plangate.policy.load import shipped_policies
from plangate.report.base import Style
from tests.tools import ROOT
from tests.unit.policy.builders import a_policy, write

SCHEMA = json.loads((ROOT / "src/plangate/schemas/policy-test.v1.json").read_text(encoding="utf-8"))

TESTS = """package policies.test.no_bad_test

import data.plangate.lib.builders_test as builders
import data.policies.test.no_bad as rule

instance(public) := builders.plan([{
	"address": "aws_instance.web",
	"kind": "compute.instance",
	"facts": {"public_ip": public},
}])

test_fail if count(rule.deny) == 1 with input as instance(true)

test_pass if rule.deny == set() with input as instance(false)

test_unknown if rule.deny == set() with input as instance("unknown")
"""


def suite(tests: str, policy: str = "package p\n") -> Suite:
    return Suite(
        modules=(("p.rego", policy),), tests=(("p_test.rego", "package p_test\n\nimport data.p\n\n" + tests),)
    )


def only(tests: str, policy: str = "package p\n", limits: TimeLimits | None = None) -> TestResult:
    (result,) = run_tests(suite(tests, policy), limits=limits).results
    return result


def examined(folder: Path, tests: str, policy: str | None = None, asked: Asked | None = None) -> Examination:
    source = write(folder, {"no_bad.rego": policy or a_policy(), "no_bad_test.rego": tests})
    return checked(examine([source], asked or Asked()))


def checked(found: Examination) -> Examination:
    """The same; its document keeps to the schema."""
    jsonschema.validate(json.loads(render_json(found)), SCHEMA)
    return found


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ("test_x := false", "it is false, not true"),
        ("test_x if 1 == 2", "it is undefined"),
        ("test_x := 3", "it is 3, not true"),
        ("test_x contains 1", "it is [1], not true"),
        ('test_x["a"] := true', 'it is {"a": true}, not true'),
        ("test_x[n] if some n in []", "it has cases, and none was tried"),
        ("test_x[n] if { some n in [1, 2]; n == 1 }", "1 of 2 cases do not hold"),
    ],
)
def test_what_is_not_true_does_not_pass(test: str, problem: str) -> None:
    result = only(test)
    assert (result.verdict, result.problem) == (Verdict.FAILED, problem)


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ("test_x(a) := a", "a test takes no arguments"),
        ("test_x if 1 / (count([]) * 1) == 1", "p_test.rego:5:13: divide by zero"),
        ("test_x := n if some n in [1, 2]", "p_test.rego:5:1: rules must not produce multiple outputs"),
        (
            "test_x if not count(input.xs) == 2",
            "p_test.rego:5: input.xs is undefined below a `not`: OPA drops that line, the embedded engine makes it true",
        ),
    ],
)
def test_what_has_no_verdict_is_an_error(test: str, problem: str) -> None:
    result = only(test)
    assert (result.verdict, result.problem) == (Verdict.ERROR, problem)


def test_a_second_definition_is_a_test_of_its_own() -> None:
    results = run_tests(suite("test_x if 1 == 1\n\ntest_x if 1 == 2\n")).results
    assert [(result.name, result.line, result.verdict) for result in results] == [
        ("p_test.test_x", 5, Verdict.PASSED),
        ("p_test.test_x#01", 7, Verdict.FAILED),
    ]


def test_one_that_takes_too_long_is_an_error_and_the_others_run() -> None:
    slow = (
        "test_slow if count([1 | some a in numbers.range(1, 20000); some b in numbers.range(1, 20000)]) == 0"
    )
    results = run_tests(
        suite(f"test_a if 1 == 1\n\n{slow}\n\ntest_z if 1 == 1\n"), limits=TimeLimits(each_s=0.5)
    ).results
    assert [(result.name, result.verdict) for result in results] == [
        ("p_test.test_a", Verdict.PASSED),
        ("p_test.test_slow", Verdict.ERROR),
        ("p_test.test_z", Verdict.PASSED),
    ]
    assert results[1].problem == "evaluating test p_test.test_slow took longer than 0.5 s and was ended"


def test_what_a_test_prints_is_its_own() -> None:
    results = run_tests(
        suite('test_a if print("one", input.x)\n\ntest_b if { print("two"); 1 == 2 }\n')
    ).results
    assert [result.prints for result in results] == [
        ("p_test.rego:5: one <undefined>",),
        ("p_test.rego:7: two",),
    ]


def test_a_run_in_which_nothing_passed_is_no_success() -> None:
    skipped = run_tests(suite("todo_test_x if 1 == 1"))
    assert [result.verdict for result in skipped.results] == [Verdict.SKIPPED]
    assert not skipped.passed
    assert not TestRun(results=()).passed


def test_no_tests_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError, match="no tests"):
        examine([write(tmp_path, {"p.rego": a_policy()})], Asked())


def test_says_why_a_test_does_not_hold(tmp_path: Path) -> None:
    wrong = TESTS.replace(
        "count(rule.deny) == 1 with input as instance(true)",
        "count(rule.deny) == 1 with input as instance(false)",
    )
    found = examined(tmp_path, wrong)
    text = render_text(found, Style())
    assert text.split("\n\n")[0].splitlines() == [
        "FAIL policies.test.no_bad_test.test_fail  custom/no_bad_test.rego:12",
        "  it is undefined",
        "  custom/no_bad_test.rego:12",
        "      count(rule.deny) == 1 with input as instance(false)",
        "        rule.deny = []",
        "        count(rule.deny) = 0",
        "        deny, custom/no_bad.rego:14:",
        '            15 ✓ some instance in lib.of_kind("compute.instance")',
        '                   instance = "resource aws_instance.web"',
        '                   lib.of_kind("compute.instance") = ["resource aws_instance.web"]',
        "            16 ✗ instance.facts.public_ip == true",
        "                   instance.facts.public_ip = false",
    ]  # fmt: skip
    assert not found.passed


def test_shows_the_case_that_does_not_hold() -> None:
    tests = 'test_x[n] if { some n, tc in {"a": [1], "b": [2, 3]}; made := array.concat(tc, [9]); made == [1, 9] }'
    run = run_tests(suite(tests))
    (diagnosis,) = diagnose(suite(tests), run)
    assert diagnosis.case == ("b",)
    assert [line.strip() for trace in diagnosis.traces for line in failure(trace)] == [
        "p_test.rego:5",
        "made == [1, 9]",
        "made = [2, 3, 9]",
        'n = "b"',
        "tc = [2, 3]",
    ]


def test_a_rule_that_was_seen_at_work_is_enough(tmp_path: Path) -> None:
    found = examined(tmp_path, TESTS)
    assert (found.passed, found.unseen) == (True, ())
    assert summary(found) == "passed: 3 passed; 1 rule seen to pass, fail and meet an unknown"


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        # The name promises what the input does not hold.
        ('instance("unknown")', "instance(false)", (Sight.UNKNOWN,)),
        ("instance(false)", "instance(true)", (Sight.PASS,)),
        ("== 1 with input as instance(true)", "== 0 with input as instance(false)", (Sight.FAIL,)),
        # An input without a resource in scope shows nothing.
        ('"kind": "compute.instance"', '"kind": "log.group"', (Sight.PASS, Sight.FAIL, Sight.UNKNOWN)),
        # Nor does a rule that was replaced.
        ("instance(true)\n", "instance(false) with rule.deny as {{}}\n", (Sight.FAIL,)),
        ("instance(true)\n", "instance(false) with data.policies as {}\n", (Sight.FAIL,)),
    ],
)  # fmt: skip
def test_what_no_passing_test_shows_is_demanded(
    tmp_path: Path, old: str, new: str, missing: tuple[Sight, ...]
) -> None:
    tests = TESTS.replace(old, new)
    assert tests != TESTS
    tests = tests.replace(
        "rule.deny == set() with input as instance(true)",
        "count(rule.deny) == 1 with input as instance(true)",
    )
    found = examined(tmp_path, tests)
    assert not found.passed
    assert [unseen.missing for unseen in found.unseen or ()] == [missing]


def test_every_shipped_rule_was_seen_at_work_and_its_lines_were_reached() -> None:
    found = checked(examine([shipped_policies()], Asked(threshold=100)))
    assert found.coverage is not None
    assert (found.unseen, {file.file: file.missed for file in found.coverage.files if file.missed}) == (
        (),
        {},
    )
    assert found.passed


def test_entries_that_no_plan_has_show_nothing(tmp_path: Path) -> None:
    policy = a_policy(
        '\ndeny contains lib.finding(x, "bad") if {\n\tsome x in input.resources\n\tx.facts.public_ip == true\n}\n'
    )
    bare = (
        TESTS.replace("builders.plan([{", '{"resources": [{')
        .replace("}])", "}]}")
        .replace("import data.plangate.lib.builders_test as builders\n", "")
    )
    found = examined(tmp_path, bare, policy)
    assert found.run.passed
    assert [unseen.missing for unseen in found.unseen or ()] == [(Sight.PASS, Sight.FAIL, Sight.UNKNOWN)]


def test_says_when_the_demand_was_not_looked_at(tmp_path: Path) -> None:
    found = examined(tmp_path, TESTS, asked=Asked(select=selection("fail")))
    assert (len(found.run.results), found.unseen, found.no_demand) == (1, None, "not all tests were run (-k)")
    switched_off = examine([PolicySource(root=tmp_path, name="custom")], Asked(demand=False))
    assert "not looked at, what rules were seen to do: --no-demand\n" in render_text(switched_off, Style())


def test_a_threshold_that_is_not_reached_fails_and_names_the_lines(tmp_path: Path) -> None:
    policy = a_policy() + "\nunused(x) if {\n\tx == 1\n}\n"
    found = examined(tmp_path, TESTS, policy, Asked(threshold=90))
    assert not found.passed
    text = render_text(found, Style())
    assert "custom/no_bad.rego: 60.0 %, not reached: 19-20\n" in text
    assert text.endswith("coverage 60.0 % is below 90 %\n")
    assert examined(tmp_path / "same", TESTS, policy, Asked(threshold=60)).passed


def test_a_rule_that_nobody_names_is_not_reached(tmp_path: Path) -> None:
    policy = a_policy() + "\nunused if input.q == 5\n"
    found = examined(tmp_path, TESTS, policy, Asked(coverage=True))
    assert found.coverage is not None
    assert [file.missed for file in found.coverage.files] == [frozenset({19})]


def test_junit_is_well_formed_whatever_tests_are_called(tmp_path: Path) -> None:
    tests = TESTS + '\ntest_odd[n] if {\n\tsome n in ["<&>\\"", "\\u0001", "ok"]\n\tn == "ok"\n}\n'
    found = examined(tmp_path, tests)
    root = ET.fromstring(render_junit(found))  # noqa: S314 - our own
    assert root.attrib["tests"] == "6"
    assert root.attrib["failures"] == "2"
    names = {case.attrib["name"]: [child.tag for child in case] for case in root.iter("testcase")}
    assert names == {
        "test_fail": [],
        "test_pass": [],
        "test_unknown": [],
        'test_odd[<&>"]': ["failure"],
        "test_odd[]": ["failure"],
        "test_odd[ok]": [],
    }


def test_the_document_holds_every_test(tmp_path: Path) -> None:
    found = document(examined(tmp_path, TESTS))
    assert found["schema"] == "plangate.dev/policy-test/v1"
    assert [(test["name"], test["verdict"]) for test in found["tests"]] == [
        ("policies.test.no_bad_test.test_fail", "passed"),
        ("policies.test.no_bad_test.test_pass", "passed"),
        ("policies.test.no_bad_test.test_unknown", "passed"),
    ]
    assert (found["passed"], found["demand"], found["coverage"]) == (True, [], None)


def test_coverage_files_escape_what_policies_say() -> None:
    file = FileCoverage(
        file="a/<b>.rego",
        text="package a\n# </pre><script>\nx := 1\n",
        covered=frozenset({3}),
        missed=frozenset({1}),
    )
    coverage = Coverage(files=(file,))
    assert lcov(coverage) == "TN:\nSF:a/<b>.rego\nDA:1,0\nDA:3,1\nLF:2\nLH:1\nend_of_record\n"
    found = pages(coverage)
    assert sorted(found) == ["000-a-b-.rego.html", "index.html"]
    assert "&lt;/pre&gt;&lt;script&gt;" in found["000-a-b-.rego.html"]
    assert all("<script" not in page for page in found.values())


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        ("fail", {"a.test_fail_public", "a.test_fail_absent"}),
        ("FAIL and not public", {"a.test_fail_absent"}),
        ("pass or (fail and absent)", {"a.test_pass", "a.test_fail_absent"}),
        ("not fail and not pass", set[str]()),
    ],
)
def test_words_select_tests(expression: str, selected: set[str]) -> None:
    select = selection(expression)
    names = {"a.test_pass", "a.test_fail_public", "a.test_fail_absent"}
    assert {name for name in names if select(name)} == selected


@pytest.mark.parametrize(
    "expression", ["", "and", "a and", "(a", "a)", "a b", "not", "(" * 100 + "a" + ")" * 100]
)
def test_an_expression_that_makes_no_sense_is_refused(expression: str) -> None:
    with pytest.raises(UsageError, match="-k"):
        selection(expression)


@given(st.sets(st.integers(1, 60)))
@settings(max_examples=50)
def test_ranges_name_exactly_these_lines(lines: set[int]) -> None:
    found = set[int]()
    for part in filter(None, ranges(lines).split(", ")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    assert found == lines


def test_many_files_that_hang_do_not_keep_others_from_being_run() -> None:
    slow = "test_slow if count([1 | some a in numbers.range(1, 20000); some b in numbers.range(1, 20000)]) == 0\n"
    files = tuple(
        (
            f"p{number}_test.rego",
            f"package p{number}_test\n\ntest_quick if 1 == 1\n\n{slow if number < 3 else ''}",
        )
        for number in range(5)
    )
    results = run_tests(Suite(modules=(), tests=files), limits=TimeLimits(each_s=0.3)).results
    assert {result.name: result.verdict for result in results} == {
        **{f"p{number}_test.test_quick": Verdict.PASSED for number in range(5)},
        **{f"p{number}_test.test_slow": Verdict.ERROR for number in range(3)},
    }


def test_a_test_cannot_pretend_to_have_shown_something(tmp_path: Path) -> None:
    forged = '{\\"input\\":[{\\"resources\\":[]}],\\"rules\\":{\\"no-bad\\":[[]]}}'
    tests = TESTS.replace(
        'test_unknown if rule.deny == set() with input as instance("unknown")',
        f'test_unknown if {{\n\tprint("plangate\\u001f", "{forged}")\n\tprint("plangate begins", 0)\n}}',
    )
    found = examined(tmp_path, tests)
    assert found.run.passed
    assert [unseen.missing for unseen in found.unseen or ()] == [(Sight.UNKNOWN,)]


def test_a_rule_that_a_test_asks_in_the_head_of_another_rule_was_seen(tmp_path: Path) -> None:
    tests = TESTS.replace(
        'test_unknown if rule.deny == set() with input as instance("unknown")',
        'denied := [found | found := rule.deny with input as instance("unknown")]\n\ntest_unknown if denied == [set()]',
    )
    assert examined(tmp_path, tests).passed


def test_a_doubtful_not_in_a_head_is_found_too() -> None:
    result = only("found := [1 | not count(input.xs) == 2]\n\ntest_x if found == [1]")
    assert result.verdict is Verdict.ERROR


def verdicts(run: TestRun) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(result.name, result.verdict.value, result.problem, result.prints) for result in run.results]


def test_to_be_observed_changes_nothing_for_a_test(tmp_path: Path) -> None:
    others = """
test_false if count(rule.deny) == 2 with input as instance(true)

test_none if {
	every plan in [instance(true)] { print("a"); count(rule.deny) == 0 with input as plan }
}

test_hidden if count([1 | rule.deny == set() with input as instance(true)]) == 0

test_not if not count(rule.deny) == 2 with input as instance(true)

test_case[public] if { some public in [true, false]; count(rule.deny) == 1 with input as instance(public) }

todo_test_later if rule.deny == set() with input as instance(true)
"""
    source = write(tmp_path, {"no_bad.rego": a_policy(), "no_bad_test.rego": TESTS + others})
    for sources in ([source], [shipped_policies()]):
        whole, policies = read_suite(sources)
        watched = run_tests(whole, observe=Watch(whole, policies).put_into)
        alone = run_tests(whole)
        assert verdicts(watched) == verdicts(alone)
        assert watched.observed.keys() <= {
            result.name for result in watched.results if result.verdict is Verdict.PASSED
        }
        assert (len(watched.observed) > 0, alone.observed) == (True, {})


BREAKS = """
deny contains lib.finding(instance, "it is public") if {
	some instance in lib.of_kind("compute.instance")
	1 / (count(instance.after.disks) * 1) == 1
}
"""


def test_what_only_an_observation_cannot_evaluate_fails_no_test(tmp_path: Path) -> None:
    tests = """
import data.policies.test.breaks as other

test_other if other.deny == set() with input as builders.plan([])

test_both if count(rule.deny) == 1 with input as builders.plan([{
	"address": "aws_instance.web",
	"kind": "compute.instance",
	"facts": {"public_ip": true}, "after": {"disks": []},
}])
"""
    source = write(
        tmp_path,
        {
            "no_bad.rego": a_policy(),
            "breaks.rego": a_policy(BREAKS, "breaks"),
            "no_bad_test.rego": TESTS.replace("\ninstance", tests + "\ninstance", 1),
        },
    )
    found = examine([source], Asked())
    assert [result.verdict for result in found.run.results] == [Verdict.PASSED] * 5
    assert "policies.test.no_bad_test.test_both" not in found.run.observed
    assert {unseen.rule: unseen.missing for unseen in found.unseen or ()} == {
        "breaks": (Sight.FAIL, Sight.UNKNOWN)
    }


def test_coverage_counts_no_line_that_only_an_observation_reaches(tmp_path: Path) -> None:
    tests = (
        TESTS.split("test_fail", maxsplit=1)[0] + "test_x if not rule.deny with input as builders.plan([])\n"
    )
    plain = examined(tmp_path, tests, asked=Asked(coverage=True, demand=False)).coverage
    watched = examined(tmp_path, tests, asked=Asked(coverage=True)).coverage
    assert plain == watched
