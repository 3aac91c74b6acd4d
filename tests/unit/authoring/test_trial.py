"""Policies on their fixtures: a case holds only if the gate would say exactly what ``cases.json`` says."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plangate.authoring.check import check
from plangate.authoring.evaluation import TimeLimits
from plangate.authoring.examination import Asked, Examination, examine
from plangate.authoring.examination_documents import document, render_junit
from plangate.authoring.examination_text import render_text, summary
from plangate.authoring.fixtures import MAX_FIXTURE_BYTES
from plangate.authoring.selection import selection
from plangate.authoring.testing import Verdict
from plangate.authoring.trial import try_fixtures
from plangate.policy.base import PolicySource
from plangate.policy.load import load, shipped_policies
from plangate.report.base import Style
from tests.tools import ROOT
from tests.unit.authoring.test_policy_test import TESTS, checked
from tests.unit.policy.builders import a_plan, a_policy, a_resource, write
from tests.unit.policy.builders import document as plan_bytes

Change = Callable[[Path], object]

PREFIX = "policies.test.no_bad.fixtures"
ADDRESS = "aws_instance.web"
SETTING = """kinds: [compute.instance]
settings:
  limit: {type: integer, default: 0, description: How many.}
"""
BY_SETTING = """
deny contains lib.finding(instance, "too many") if {
	some instance in lib.of_kind("compute.instance")
	instance.facts.public_ip == true
	data.plangate.settings.no_bad.limit == 0
}
"""


def of(*, public: Any) -> bytes:
    return plan_bytes(a_plan(a_resource(facts={"public_ip": public})))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, {"no_bad.rego": a_policy(), "no_bad_test.rego": TESTS})
    folder = tmp_path / "fixtures" / "no_bad"
    folder.mkdir(parents=True)
    (folder / "fail_public.json").write_bytes(of(public=True))
    (folder / "pass_private.json").write_bytes(of(public=False))
    (folder / "unknown_public.json").write_bytes(of(public="unknown"))
    said = {"fail_public": "fail", "pass_private": "pass", "unknown_public": "unknown"}
    change(tmp_path, {name: {ADDRESS: outcome} for name, outcome in said.items()})
    return tmp_path


def change(root: Path, cases: Any) -> None:
    (root / "fixtures" / "no_bad" / "cases.json").write_text(json.dumps(cases), encoding="utf-8")


def examined(root: Path, **asked: Any) -> Examination:
    return checked(examine([PolicySource(root=root, name="custom")], Asked(**asked)))


def cases(found: Examination) -> dict[str, tuple[str, str]]:
    return {
        result.name.removeprefix(f"{PREFIX}."): (result.verdict.value, result.problem)
        for result in found.run.results
        if "fixtures." in result.name
    }


def test_cases_that_hold_are_tests_that_pass(root: Path) -> None:
    found = examined(root)
    assert cases(found) == dict.fromkeys(("fail_public", "pass_private", "unknown_public"), ("passed", ""))
    assert summary(found) == "passed: 6 passed; 1 rule seen to pass, fail and meet an unknown"


def test_every_case_of_the_shipped_policies_holds() -> None:
    source = shipped_policies()
    results = try_fixtures([source], load([source]), fixtures=[ROOT / "fixtures" / "policies"])
    counted = sum(
        len(json.loads(path.read_text())) for path in (ROOT / "fixtures" / "policies").glob("*/cases.json")
    )
    assert [result for result in results if result.verdict is not Verdict.PASSED] == []
    assert len(results) == counted > 0


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        ({ADDRESS: "pass"}, f"{ADDRESS}: expected pass, found fail"),
        ({ADDRESS: "unknown"}, f"{ADDRESS}: expected unknown, found fail"),
        ({ADDRESS: None}, f"{ADDRESS}: expected None, found fail"),
        ({}, f"{ADDRESS}: expected nothing, found fail"),
        ({ADDRESS: "fail", "x.y": "pass"}, "x.y: expected pass, found nothing"),
        ({"": "fail"}, f"the plan: expected fail, found nothing; {ADDRESS}: expected nothing, found fail"),
    ],
)
def test_a_case_whose_outcome_differs_is_a_failed_test(
    root: Path, expected: dict[str, str], problem: str
) -> None:
    change(root, {"fail_public": expected, "pass_private": {ADDRESS: "pass"}, "unknown_public": {}})
    found = examined(root)
    assert not found.passed
    assert cases(found)["fail_public"] == ("failed", problem)
    file = "custom/fixtures/no_bad/fail_public.json"
    assert f"FAIL {PREFIX}.fail_public  {file}:1\n  {problem}\n" in render_text(found, Style())
    (test,) = (test for test in document(found)["tests"] if test["name"] == f"{PREFIX}.fail_public")
    assert (test["verdict"], test["problem"], test["file"]) == ("failed", problem, file)
    junit = render_junit(found)
    assert f'<testcase name="fail_public" classname="{PREFIX}" file="{file}" line="1"' in junit
    assert f'<failure message="{problem}">' in junit


def _replaced(name: str, content: bytes) -> Change:
    return lambda root: (root / "fixtures" / "no_bad" / name).write_bytes(content)


def _moved(old: str, new: str) -> Change:
    return lambda root: (root / "fixtures" / old).rename(root / "fixtures" / new)


@pytest.mark.parametrize(
    ("spoil", "name", "problem"),
    [
        (_replaced("cases.json", b"{"), "cases", "is not JSON: "),
        (_replaced("cases.json", b"{}"), "cases", "it has no cases"),
        (_replaced("cases.json", b"[]"), "cases", "must map names of cases"),
        (_replaced("cases.json", b'{"fail_public": {}, "fail_public": {}}'), "cases", "a key is there twice"),
        (_replaced("cases.json", b'{"../a": {}}'), "cases", "must map names of cases"),
        (_replaced("cases.json", b'{"fail_gone": {}}'), "fail_gone", "cannot be read: No such file"),
        (_replaced("pass_more.json", b"{}"), "pass_more", "it is not in cases.json, so nothing was tried"),
        (_replaced("fail_public.json", b""), "fail_public", "is not JSON: "),
        (_replaced("fail_public.json", b"{}"), "fail_public", "is not a plan document: $: "),
        (_replaced("fail_public.json", b" " * (MAX_FIXTURE_BYTES + 1)), "fail_public", "has more than"),
        (_replaced("fail_public.json", of(public=True) + b"}"), "fail_public", "is not JSON: "),
        (_replaced("settings.json", b'{"limit": 1}'), "fail_public", "this policy has no such setting"),
        (_replaced("settings.json", b"[]"), "fail_public", "must map names of settings to values"),
        (lambda root: (root / "fixtures/no_bad/cases.json").unlink(), "cases", "cannot be read: No such file"),
        (lambda root: (root / "fixtures/no_bda").mkdir(), "fixtures.no_bda", "there is no such rule"),
        (_moved("no_bad", "no_bda"), "fixtures.no_bda", "there is no such rule, so nothing was tried"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_an_error(root: Path, spoil: Change, name: str, problem: str) -> None:
    spoil(root)
    found = examined(root)
    assert not found.passed
    verdict, said = cases(found)[name]
    assert (verdict, problem in said) == ("error", True), said


def test_a_case_is_judged_with_the_settings_of_its_folder(root: Path) -> None:
    (root / "no_bad.rego").write_text(a_policy(BY_SETTING, extra=SETTING), encoding="utf-8")
    assert cases(examined(root))["fail_public"] == ("passed", "")
    (root / "fixtures" / "no_bad" / "settings.json").write_text('{"limit": 1}')
    assert cases(examined(root))["fail_public"] == ("failed", f"{ADDRESS}: expected fail, found pass")
    remarks = check([PolicySource(root=root, name="custom")]).remarks
    assert [remark for remark in remarks if remark.code == "fixtures"] == []


def test_words_select_cases(root: Path) -> None:
    found = examined(root, select=selection("fixtures and fail"))
    assert [result.name for result in found.run.results] == [f"{PREFIX}.fail_public"]


def test_cases_alone_do_not_show_what_tests_must_show(root: Path) -> None:
    (root / "no_bad_test.rego").unlink()
    found = examined(root)
    assert (found.run.passed, found.passed, len(found.unseen or ())) == (True, False, 1)


def test_no_time_left_is_an_error_of_every_case(root: Path) -> None:
    source = PolicySource(root=root, name="custom")
    results = try_fixtures([source], load([source]), limits=TimeLimits(all_s=0.0))
    assert {(result.verdict, result.problem) for result in results} == {
        (Verdict.ERROR, "not run: all together took longer than 0 s")
    }


def test_a_policy_that_hangs_on_one_plan_keeps_no_other_from_being_tried(root: Path) -> None:
    slow = """
deny contains lib.finding(instance, "slow") if {
	some instance in lib.of_kind("compute.instance")
	instance.facts.public_ip == true
	count([1 | some a in numbers.range(1, 20000); some b in numbers.range(1, 20000); a + b < 0]) == 0
}
"""
    (root / "no_bad.rego").write_text(a_policy(slow), encoding="utf-8")
    source = PolicySource(root=root, name="custom")
    results = try_fixtures([source], load([source]), limits=TimeLimits(each_s=1.0))
    assert [(result.verdict.value, result.problem) for result in results] == [
        ("error", "evaluating the policies took longer than 1 s and was ended"),
        ("passed", ""),
        ("passed", ""),
    ]


def test_fixtures_from_elsewhere_hide_none_of_the_folders_own(root: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("fixtures")
    shutil.copytree(root / "fixtures" / "no_bad", elsewhere / "no_bad")
    (elsewhere / "of_no_rule_here").mkdir()
    change(root, {"fail_public": {}, "pass_private": {ADDRESS: "pass"}, "unknown_public": {}})
    found = examined(root, fixtures=(elsewhere,))
    said = [result.verdict.value for result in found.run.results if "fixtures." in result.name]
    assert said == ["passed", "passed", "passed", "failed", "passed", "failed"]


@pytest.mark.parametrize("device", ["/dev/zero", ""])
def test_a_fixture_without_end_is_an_error_and_is_not_waited_for(root: Path, device: str) -> None:
    elsewhere = root.parent / f"{root.name}-more"
    (root / "fixtures" / "no_bad").rename(elsewhere)
    endless = elsewhere / "fail_public.json"
    endless.unlink()
    if device:
        endless.symlink_to(device)
    else:
        os.mkfifo(endless)
    folder = root.parent / f"{root.name}-fixtures"
    folder.mkdir()
    elsewhere.rename(folder / "no_bad")
    found = examined(root, fixtures=(folder,))
    assert cases(found)["fail_public"] == ("error", "is not a file")
    assert cases(found)["pass_private"] == ("passed", "")
