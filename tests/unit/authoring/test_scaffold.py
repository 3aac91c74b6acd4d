"""`plangate policy new`: what it writes loads, passes its own tests, and judges its own plans as it says."""

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from plangate.authoring import scaffold
from plangate.authoring.examination import Asked, examine
from plangate.authoring.starters import STARTERS
from plangate.authoring.testing import Verdict
from plangate.errors import UsageError
from plangate.model.kinds import COMMON_FACTS, KINDS
from plangate.policy.base import PolicySource
from plangate.policy.embedded import EmbeddedEngine
from plangate.policy.load import load, shipped_library
from plangate.policy.outcomes import PlanView, judge
from tests.command_line import run
from tests.tools import ROOT, require_tool
from tests.unit.policy.builders import document, plan_of

SCHEMA = json.loads((ROOT / "src" / "plangate" / "schemas" / "plan.v1.json").read_text())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy folder with a new policy for every kind."""
    folder = tmp_path_factory.mktemp("policies")
    for kind in KINDS:
        domain, _, name = kind.partition(".")
        asked = scaffold.request(f"{domain}/{domain}_{name}_starter", kind, "")
        scaffold.write(folder, scaffold.files(asked))
    return folder


def test_every_kind_has_a_starter_about_a_fact_of_its_own() -> None:
    assert STARTERS.keys() == KINDS.keys()
    strange = {
        kind for kind, item in STARTERS.items() if item.fact not in KINDS[kind].keys() | COMMON_FACTS.keys()
    }
    assert strange == set()


def test_what_is_new_loads_and_passes_its_tests(root: Path) -> None:
    source = PolicySource(root=root, name="new")
    assert len(load([source]).rules) == len(KINDS)
    found = examine([source], Asked())
    assert [test for test in found.run.results if test.verdict is not Verdict.PASSED] == []
    assert len(found.run.results) == (5 + 4) * len(KINDS)  # tests, and plans to try it on
    assert found.unseen == ()


def test_what_is_new_judges_its_plans_as_its_cases_say(root: Path) -> None:
    policies = load([PolicySource(root=root, name="new")])
    judged, expected = {}, {}
    with EmbeddedEngine(policies) as engine:
        for cases in sorted(root.glob("fixtures/*/cases.json")):
            slug = cases.parent.name
            for name, outcomes in json.loads(cases.read_text()).items():
                entries = json.loads((cases.parent / f"{name}.json").read_text())
                jsonschema.validate(entries, SCHEMA)
                plan = plan_of(entries)
                answers = engine.evaluate(policies, document(plan), 20.0)
                found = judge(policies, answers, PlanView(plan)).outcomes
                expected[slug, name] = outcomes
                judged[slug, name] = {
                    outcome.address: outcome.status.value
                    for outcome in found
                    if outcome.rule == slug.replace("_", "-")
                }
    assert judged == expected
    words = {name.partition("_")[0] for _, name in expected}
    assert (words, len(expected)) == ({"pass", "fail", "absent", "unknown"}, 4 * len(KINDS))


@pytest.mark.opa
def test_what_is_new_passes_the_tests_and_the_format_of_opa(root: Path) -> None:
    opa = require_tool("opa")
    commands: list[list[str | Path]] = [
        ["test", "--ignore", "fixtures", shipped_library().root, root],
        ["fmt", "--fail", "--list", root],
        ["check", "--strict", "--ignore", "fixtures", shipped_library().root, root],
    ]
    for command in commands:
        ran = subprocess.run([opa, *command], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    made = scaffold.files(scaffold.request("storage/mine", "", ""))
    for relative in made:
        folder = tmp_path / relative.name
        (folder / relative).parent.mkdir(parents=True)
        (folder / relative).write_text("precious")
        with pytest.raises(UsageError, match=f"{relative.name} is already there"):
            scaffold.write(folder, made)
        assert [path for path in folder.rglob("*") if path.is_file()] == [folder / relative]
        assert (folder / relative).read_text() == "precious"


def test_a_link_to_nowhere_is_not_written_through(tmp_path: Path) -> None:
    made = scaffold.files(scaffold.request("storage/mine", "", ""))
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "mine.rego").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="already there"):
        scaffold.write(tmp_path, made)
    assert not (tmp_path / "elsewhere").exists()


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "fixtures").write_text("a file where a folder has to be")
    with pytest.raises(UsageError, match="cannot be written"):
        scaffold.write(tmp_path, scaffold.files(scaffold.request("storage/mine", "", "")))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["fixtures"]


@pytest.mark.parametrize(
    "name",
    ["", "storage", "a/b/c", "/b", "a/", "../x/y", "a/..", "Storage/x", "a/b_test", "a/1b", "a/b__c", "a/b_",
     "default/x", "a/some", "fixtures/x", "a/b c", "a/b\n", "a/é"],
)  # fmt: skip
def test_refuses_names_that_are_no_package(name: str) -> None:
    with pytest.raises(UsageError):
        scaffold.request(name, "", "")


def test_refuses_kinds_that_do_not_exist_with_the_closest() -> None:
    with pytest.raises(UsageError) as caught:
        scaffold.request("a/b", "storage.bukcet", "")
    assert (str(caught.value), caught.value.hint) == (
        "no kind is called 'storage.bukcet'",
        "did you mean storage.bucket?",
    )


@pytest.mark.parametrize("title", [" ", "two\nlines", "a\x1b[31m", "x\u2028# custom:"])
def test_refuses_titles_that_are_not_one_line_of_text(title: str) -> None:
    with pytest.raises(UsageError):
        scaffold.request("a/b", "", title)


@pytest.mark.parametrize(
    "title",
    [
        "Plain",
        "with: colon",
        "# hash",
        "- dash",
        "'quote",
        '"double',
        "yes",
        "007",
        "[x]",
        "ünï",
        "a #b",
        "{x",
    ],
)
def test_any_title_survives(title: str, tmp_path: Path) -> None:
    scaffold.write(tmp_path, scaffold.files(scaffold.request("a/titled", "", title)))
    (rule,) = load([PolicySource(root=tmp_path, name="new")]).rules
    assert rule.title == title


def test_the_command_says_what_it_wrote_and_refuses_to_write_it_again(tmp_path: Path) -> None:
    made = run("policy", "new", "network/entrance-guarded", "--kind", "network.listener", cwd=tmp_path)
    assert (made.code, made.out.splitlines()) == (
        0,
        [
            "policies/network/entrance_guarded.rego",
            "policies/network/entrance_guarded_test.rego",
            "policies/fixtures/entrance_guarded/cases.json",
            "policies/fixtures/entrance_guarded/fail_tls.json",
            "policies/fixtures/entrance_guarded/pass_tls.json",
            "policies/fixtures/entrance_guarded/absent_tls.json",
            "policies/fixtures/entrance_guarded/unknown_tls.json",
        ],
    )
    again = run("policy", "new", "network/entrance-guarded", cwd=tmp_path)
    assert (again.code, again.out) == (2, "")
    assert "policies/network/entrance_guarded.rego is already there" in again.err
    listed = run("rules", "list", "--policy", "policies", cwd=tmp_path)
    assert "entrance-guarded " in listed.out


@pytest.mark.parametrize("rule", ["bucket-versioned", "log-retention"])
def test_a_rule_that_is_there_already_is_not_started_again(rule: str, tmp_path: Path) -> None:
    ran = run("policy", "new", f"storage/{rule}", cwd=tmp_path)
    assert (ran.code, f"there is a rule {rule} already" in ran.err) == (2, True)
    assert list(tmp_path.iterdir()) == []
