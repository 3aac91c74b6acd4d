"""Conftest policies on the whole road, and the same report as the real conftest gives, byte for byte."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import ALLOWED, DENIED, Ran, run
from tests.tools import require_tool

POLICY = r"""package main

deny contains msg if {
	some item in input.items
	item.size > 5
	msg := sprintf("%s has the size %v", [item.name, item.size])
}

deny contains {"msg": "two words", "_loc": {"file": "main.tf", "line": 12}, "id": "A-1", "tags": {"b", "a"}} if input.rich

violation_odd contains "<a&b> \u2028 \u0007 é \"q\" \\ \t" if input.odd

warn contains "be careful" if input.careful

warn_file contains data.conftest.file.name if input.named

deny_lifted contains "this is lifted" if input.lifted

exception contains ["lifted", "odd"] if input.excused
"""
OTHER = """package other.part

deny contains "other" if input.other

warn contains "never" if input.nothing
"""
TOGETHER = """package together

deny contains msg if {
	some file in input
	count({other.path | some other in input; other.contents.name == file.contents.name}) > 1
	msg := sprintf("%s is in more than one file", [file.contents.name])
}
"""
DOCUMENTS = {
    "pass": '{"items": []}',
    "warn": '{"careful": true}',
    "fail": '{"items": [{"name": "a", "size": 9}, {"name": "b", "size": 1}, {"name": "c", "size": 7.5}]}',
    "metadata": '{"rich": true}',
    "odd": '{"odd": true}',
    "exception": '{"lifted": true, "odd": true, "excused": true}',
    "excused in vain": '{"excused": true, "careful": true}',
    "file": '{"named": true}',
    "list": '[{"careful": true}, {"items": [{"name": "a", "size": 9}]}, {}]',
    "nothing to read": '"text"',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy" / "lib").mkdir(parents=True)
    (tmp_path / "policy" / "main.rego").write_text(POLICY)
    (tmp_path / "policy" / "other.rego").write_text(OTHER)
    (tmp_path / "policy" / "lib" / "together.rego").write_text(TOGETHER)
    (tmp_path / "policy" / "main_test.rego").write_text(
        'package main\n\ntest_warns if warn["be careful"] with input as {"careful": true}\n'
    )
    return tmp_path


def check(folder: Path, *arguments: str, stdin: bytes = b"") -> Ran:
    return run(
        "check", *arguments, "--no-receipt", "--state-dir", str(folder / "state"), cwd=folder, stdin=stdin
    )


def of_conftest(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    program = require_tool("conftest")
    done = subprocess.run(
        [str(program), "test", "--output", "json", *arguments],
        cwd=folder, input=stdin, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    return done.stdout


def same(folder: Path, *arguments: str, stdin: bytes = b"") -> Any:
    """Conftest's report, once it was found to be ours as well."""
    ours = check(folder, *arguments, "--conftest", "policy", "--format", "conftest-json", stdin=stdin)
    assert ours.out.encode() == of_conftest(folder, *arguments, stdin=stdin), ours.err
    return json.loads(ours.out)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_report_is_conftests_byte_for_byte(folder: Path, name: str) -> None:
    (folder / "in put.json").write_text(DOCUMENTS[name])
    (report,) = same(folder, "in put.json")
    assert (report["filename"], report["namespace"]) == ("in put.json", "main")


@pytest.mark.parametrize(
    ("name", "stdin"),
    [
        ("yaml", b"careful: on\nodd: yes\n"),
        ("json", b'{"careful": true}'),
        ("list", b"- careful: true\n- odd: true\n"),
    ],
)
def test_the_report_on_standard_input_is_the_same(folder: Path, name: str, stdin: bytes) -> None:
    del name
    (report,) = same(folder, "-", stdin=stdin)
    assert report["filename"] == ""


def test_the_report_on_a_stream_of_documents_is_the_same(folder: Path) -> None:
    (folder / "all.yaml").write_text("---\ncareful: true\n---\nitems: [{name: x, size: 6}]\n---\n# nothing\n")
    (report,) = same(folder, "all.yaml")
    assert (report["successes"], len(report["warnings"]), len(report["failures"])) == (16, 1, 1)


def test_the_report_on_namespaces_is_the_same(folder: Path) -> None:
    (folder / "a.json").write_text('{"other": true, "careful": true}')
    reports = same(folder, "a.json", "--namespace", "other.part", "--namespace", "main")
    assert [each["namespace"] for each in reports] == ["other.part", "main"]


def test_the_report_on_combined_files_is_the_same(folder: Path) -> None:
    (folder / "a.json").write_text('{"name": "x"}')
    (folder / "b.yaml").write_text("name: x\n---\nname: y\n")
    reports = same(folder, "b.yaml", "a.json", "--combine", "--namespace", "together")
    assert [each["filename"] for each in reports] == ["Combined"]
    assert reports[0]["failures"][0]["msg"] == "x is in more than one file"


def test_the_report_on_a_terraform_plan_is_the_same(folder: Path) -> None:
    (folder / "policy" / "main.rego").write_text(
        "package main\n\ndeny contains address if address := input.resource_changes[_].address\n"
    )
    (folder / "policy" / "main_test.rego").unlink()
    (folder / "plan.json").write_bytes(DENIED.read_bytes())
    assert same(folder, "plan.json")[0]["failures"]


def test_the_report_on_many_files_is_the_same_in_the_order_of_their_names(folder: Path) -> None:
    # Conftest goes through files and namespaces in an order that is another one each time.
    for index in range(30):
        (folder / f"{index:02}.json").write_text(json.dumps({"careful": index % 2 == 0}))
    names = [f"{index:02}.json" for index in range(30)]
    ours = check(
        folder, *names, "--conftest", "policy", "--all-namespaces", "--format", "conftest-json"
    )  # fmt: skip
    theirs = json.loads(of_conftest(folder, *names, "--all-namespaces"))
    theirs.sort(key=lambda each: (each["namespace"], each["filename"]))
    assert json.loads(ours.out) == theirs


def test_the_old_syntax_is_judged_the_same(folder: Path) -> None:
    (folder / "policy" / "main.rego").write_text('package main\n\ndeny[msg] { input.x; msg = "no" }\n')
    for other in ("other.rego", "main_test.rego", "lib/together.rego"):
        (folder / "policy" / other).unlink()
    (folder / "a.json").write_text('{"x": true}')
    assert same(folder, "a.json", "--rego-version", "v0")[0]["failures"][0]["msg"] == "no"


def test_data_documents_are_where_conftest_has_them(folder: Path) -> None:
    (folder / "facts" / "sizes").mkdir(parents=True)
    (folder / "facts" / "sizes" / "any name.yaml").write_text("most: [3, 4]\n")
    (folder / "policy" / "main.rego").write_text(
        'package main\n\ndeny contains sprintf("%v", [data.sizes.most]) if input.x in data.sizes.most\n'
    )
    (folder / "policy" / "main_test.rego").unlink()
    (folder / "a.json").write_text('{"x": 4}')
    assert same(folder, "a.json", "--data", "facts")[0]["failures"][0]["msg"] == "[3, 4]"


def test_conftest_policies_judge_a_plan_besides_the_rules(folder: Path) -> None:
    (folder / "policy" / "main.rego").write_text(
        'package main\n\ndeny contains "no plans today" if input.format_version\n'
    )
    (folder / "plan.json").write_bytes(ALLOWED.read_bytes())
    alone, both = check(folder, "plan.json"), check(folder, "plan.json", "--conftest", "policy")
    assert (alone.code, both.code) == (0, 1)
    assert "conftest.main.deny (high, mandatory)" in both.out
    assert "no plans today" in both.out


def test_what_other_rules_say_still_counts_when_the_report_is_conftests(folder: Path) -> None:
    (folder / "plan.json").write_bytes(DENIED.read_bytes())
    ran = check(folder, "plan.json", "--conftest", "policy", "--format", "conftest-json")
    assert (ran.code, "failures" in json.loads(ran.out)[0]) == (1, False)
    assert ran.err.splitlines()[-1].startswith("denied: ")


def test_a_document_that_is_no_plan_is_judged_by_conftest_policies_alone(folder: Path) -> None:
    (folder / "a.json").write_text('{"items": []}')
    assert check(folder, "a.json").code == 3
    assert check(folder, "a.json", "--conftest", "policy").code == 0


def test_a_plan_that_is_broken_is_no_document(folder: Path) -> None:
    plan = json.loads(ALLOWED.read_text())
    (folder / "plan.json").write_text(json.dumps(plan | {"format_version": "9.9"}))
    ran = check(folder, "plan.json", "--conftest", "policy")
    assert (ran.code, "unsupported version" in ran.err) == (3, True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('deny contains "x" if to_number(trim_space(input.word)) > 1', "could not parse string as number"),
        ("deny contains input.word2 if true", "neither a text nor has a msg"),
    ],
)
def test_a_rule_that_fails_is_no_report_and_no_decision(folder: Path, text: str, problem: str) -> None:
    # Conftest swallows the first, and leaves out the second.
    (folder / "policy" / "main.rego").write_text(f"package main\n\n{text}\n")
    (folder / "policy" / "main_test.rego").unlink()
    (folder / "a.json").write_text('{"word": "many", "word2": 2}')
    assert json.loads(of_conftest(folder, "a.json"))[0] == {
        "filename": "a.json", "namespace": "main", "successes": 1,
    }  # fmt: skip
    ran = check(folder, "a.json", "--conftest", "policy", "--format", "conftest-json")
    assert (ran.code, ran.out) == (3, "")
    assert problem in ran.err


def test_a_file_that_cannot_be_read_is_missing_from_the_combined_ones(folder: Path) -> None:
    (folder / "a.json").write_text('{"name": "x"}')
    (folder / "b.json").write_text("{")
    ran = check(
        folder, "a.json", "b.json", "--conftest", "policy", "-n", "together", "--combine", "--format", "conftest-json"
    )  # fmt: skip
    assert (ran.code, ran.out) == (3, "")


def test_terraform_source_is_refused_by_conftest_policies(folder: Path) -> None:
    (folder / "source").mkdir()
    (folder / "source" / "main.tf").write_text('resource "aws_s3_bucket" "b" {}\n')
    ran = check(folder, "source", "--conftest", "policy")
    assert (ran.code, "this is a folder of source" in ran.err) == (3, True)


def test_an_exception_is_told_in_text(folder: Path) -> None:
    (folder / "a.json").write_text(DOCUMENTS["exception"])
    ran = check(folder, "a.json", "--conftest", "policy")
    assert ran.code == 0
    assert 'data.main.exception[_][_] == "lifted" lifts data.main.deny_lifted, which found 1' in ran.out


def test_settings_weigh_conftest_rules_and_the_decision_says_so(folder: Path) -> None:
    (folder / "a.json").write_text(DOCUMENTS["fail"])
    settings = folder / "plangate.yaml"
    settings.write_text("version: 1\nrules:\n  conftest.main.deny: {enforcement: advisory}\n")
    ran = check(folder, "a.json", "--conftest", "policy", "--format", "json")
    assert (ran.code, json.loads(ran.out)["rules"]["weakened"]) == (0, ["conftest.main.deny"])
    assert check(folder, str(ALLOWED)).code == 0
    for wrong in (
        "rules:\n  conftest.main.dney: {enforcement: advisory}",
        "unsafe_disabled_rules: [conftest.main.deny]",
    ):
        settings.write_text(f"version: 1\n{wrong}\n")
        assert check(folder, "a.json", "--conftest", "policy").code == 2


@pytest.mark.parametrize(
    "arguments",
    [("--namespace", "x"), ("--combine",), ("--all-namespaces",), ("--rego-version", "v0"), ("--format", "conftest-json"),
     ("--conftest", "policy", "--rego-version", "v2"), ("--conftest", "policy", "-n", "a", "--all-namespaces")],
)  # fmt: skip
def test_flags_that_make_no_sense_are_refused(folder: Path, arguments: tuple[str, ...]) -> None:
    assert check(folder, str(ALLOWED), *arguments).code == 2


def test_secrets_of_a_plan_are_in_no_report(folder: Path) -> None:
    plan = json.loads(ALLOWED.read_text())
    secret = "hunter2-and-much-longer"
    change = plan["resource_changes"][0]["change"]
    change["after"] = (change["after"] or {}) | {"password": secret}
    change["after_sensitive"] = {"password": True}
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "policy" / "main.rego").write_text(
        'package main\n\ndeny contains {"msg": change.password, "also": change.password, "_loc": {"file": change.password}}'
        " if change := input.resource_changes[0].change.after\n"
    )
    for form in ("conftest-json", "json", "text"):
        ran = check(folder, "plan.json", "--conftest", "policy", "--format", form)
        assert (ran.code, secret in ran.out + ran.err) == (1, False)
    assert not any(
        secret.encode() in file.read_bytes() for file in (folder / "state").rglob("*") if file.is_file()
    )


@pytest.mark.opa
def test_conftest_policies_run_in_the_embedded_engine_also_beside_opa(folder: Path) -> None:
    require_tool("opa")
    (folder / "plangate.yaml").write_text("version: 1\nengine: opa\n")
    (folder / "a.json").write_text(DOCUMENTS["fail"])
    ran = check(folder, "a.json", "--conftest", "policy", "--format", "json")
    assert ran.code == 1, ran.err
    engine = json.loads(ran.out)["policy"]["engine"]
    assert engine.startswith("opa ")
    assert engine.endswith("regorus 0.13.0 for conftest policies")
