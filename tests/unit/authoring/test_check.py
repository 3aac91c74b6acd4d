"""`plangate policy check`: every problem at once, warnings that nobody refuses, words for people and programs."""

import json
from pathlib import Path

import jsonschema
import pytest

from plangate.authoring import scaffold
from plangate.authoring.check import PAGE, check, document
from plangate.policy.base import PolicySource
from plangate.policy.load import shipped_policies
from tests.command_line import run
from tests.tools import ROOT
from tests.unit.policy.builders import a_policy

SCHEMA = json.loads((ROOT / "src/plangate/schemas/policy-check.v1.json").read_text())


def remarks(root: Path, files: dict[str, str]) -> list[tuple[str, str, int]]:
    """Level, code and line of every problem."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    report = check([PolicySource(root=root, name="custom")])
    jsonschema.validate(document(report), SCHEMA)
    return [(item.level.value, item.code, item.line) for item in report.remarks]


def quiet(body: str) -> dict[str, str]:
    """A policy that nothing else is to be said of."""
    text = a_policy(body).replace("# custom:", "# related_resources: [https://example.org/]\n# custom:")
    test = "package policies.test.no_bad_test\n\nimport data.policies.test.no_bad\n\ntest_x if no_bad.deny == set() with input as {}\n"
    return {"p.rego": text, "p_test.rego": test}


BAD = """
deny contains lib.finding(r, "bad") if {
	some r in lib.of_kind("compute.instance")
	LINES
}
"""


def test_the_shipped_policies_have_no_problem() -> None:
    assert check([shipped_policies()]).remarks == ()


def test_what_is_new_has_no_error_and_only_lacks_its_links(tmp_path: Path) -> None:
    scaffold.write(tmp_path, scaffold.files(scaffold.request("storage/mine", "", "")))
    assert remarks(tmp_path, {}) == [("warning", "no-references", 1)]


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    bad = a_policy(
        BAD.replace("LINES", "r.facts.publc_ip == true\n\tr.actoin"), extra="kinds: [vm]\nenforcment: x"
    )
    files = {
        "a/one.rego": bad,
        "b/two.rego": "package policies.b.two\nx := ",
        "c/three.rego": "package elsewhere\n",
        "stray.bak": "",
        "data.json": "[]",
        "fixtures/x/q.rego": "",
    }
    found = remarks(tmp_path, files)
    assert [item for item in found if item[0] == "error"] == [
        ("error", "metadata", 9),
        ("error", "metadata", 10),
        ("error", "unknown-fact", 17),
        ("error", "unknown-field", 18),
        ("error", "syntax", 2),
        ("error", "unclaimed", 1),
        ("error", "data", 0),
        ("error", "unclaimed", 0),
        ("error", "unclaimed", 0),
    ]


FORGETS = """r.facts.public_ip == true
	r.after.size > 1
}

undetermined contains lib.finding(r, "?") if {
	some r in lib.of_kind("compute.instance")
	r.facts.public_ip == "unknown\""""

WARNINGS = {
    "never-holds": 'r.type == "a"\n\tr.type == "b"',
    "unused-rule": "r.existing\n}\n\nspare(x) := x if {\n\tx > 1",
    "undetermined-gap": FORGETS,
}


@pytest.mark.parametrize("code", WARNINGS)
def test_warns_of(code: str, tmp_path: Path) -> None:
    found = remarks(tmp_path, quiet(BAD.replace("LINES", WARNINGS[code])))
    assert [item[:2] for item in found] == [("warning", code)]


def test_a_forgotten_unknown_is_named_where_deny_reads_it(tmp_path: Path) -> None:
    files = quiet(BAD.replace("LINES", FORGETS))
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (remark,) = check([PolicySource(root=tmp_path, name="custom")]).remarks
    assert files["p.rego"].splitlines()[remark.line - 1][remark.column - 1 :] == "size > 1"
    assert remark.message.startswith("deny reads after.size, and undetermined does not")
    assert remark.hint == 'in undetermined, look at `lib.is_unknown(resource, "/size")`'


@pytest.mark.parametrize(
    "asked", ['lib.is_unknown(r, "/size")', 'lib.is_unknown(r, "")', '"/size" in r.unknown']
)
def test_an_unknown_that_is_asked_for_is_not_forgotten(asked: str, tmp_path: Path) -> None:
    lines = f'r.after.size > 1\n}}\n\nundetermined contains lib.finding(r, "?") if {{\n\tsome r in lib.of_kind("compute.instance")\n\t{asked}'
    assert remarks(tmp_path, quiet(BAD.replace("LINES", lines))) == []


def test_tests_links_and_imports_are_missed(tmp_path: Path) -> None:
    text = a_policy().replace(
        "import data.plangate.lib\n", "import data.plangate.lib\nimport input.resources as rs\n"
    )
    assert {item[1] for item in remarks(tmp_path, {"p.rego": text})} == {
        "no-references",
        "no-tests",
        "unused-import",
    }


def test_every_code_is_documented() -> None:
    text = (ROOT / PAGE).read_text()
    headed = {line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")}
    used = set()
    for folder in ("policy", "authoring"):
        for path in (ROOT / "src/plangate" / folder).glob("*.py"):
            source = path.read_text()
            used |= {code for code in headed if f'"{code}"' in source}
    assert headed == used


def test_exit_codes_and_formats(tmp_path: Path) -> None:
    scaffold.write(tmp_path / "p", scaffold.files(scaffold.request("storage/mine", "", "")))
    assert run("policy", "check", "p", cwd=tmp_path).code == 0
    assert run("policy", "check", "--strict", "p", cwd=tmp_path).code == 1
    assert run("policy", "check", "nowhere", cwd=tmp_path).code == 3
    assert run("policy", "check", cwd=tmp_path).code == 2
    (tmp_path / "p" / "stray.bak").write_text("")
    ran = run("policy", "check", "--format", "json", "p", cwd=tmp_path)
    printed = json.loads(ran.out)
    jsonschema.validate(printed, SCHEMA)
    assert (ran.code, printed["result"], printed["errors"]) == (1, "refused", 1)
