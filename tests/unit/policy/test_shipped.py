"""The shipped policies: each with its fixtures, and the record of their check up to date."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from plangate.policy.base import PolicySet
from plangate.policy.files import LoadLimits, read_files
from plangate.policy.guard_edits import module_edits
from plangate.policy.index import INDEX, index_document, text_digest
from plangate.policy.letters import has_odd_letters, makes_letters
from plangate.policy.load import check, digest, load, shipped_policies
from plangate.policy.metadata import package_block, parse_block
from plangate.policy.reads import EVERYTHING
from plangate.policy.rule_settings import with_settings
from tests.tools import ROOT
from tests.unit.policy.builders import judged, plan_of

FIXTURES = ROOT / "fixtures" / "policies"
CASES = [
    pytest.param(folder.name, name, expected, id=f"{folder.name}-{name}")
    for folder in sorted(FIXTURES.iterdir())
    if folder.is_dir()
    for name, expected in json.loads((folder / "cases.json").read_text()).items()
]
PLAN_SCHEMA = json.loads((ROOT / "src" / "plangate" / "schemas" / "plan.v1.json").read_text())


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return load([shipped_policies()])


def test_the_record_of_their_check_is_what_the_check_says_now() -> None:
    files = read_files([shipped_policies()], LoadLimits())
    recorded = json.loads(INDEX.read_text())
    modules = [(file.name, file.text) for file in files.modules]
    edits = zip(modules, module_edits(modules), strict=True)
    guards = {text_digest(text): found for (_, text), found in edits}
    assert not any(has_odd_letters(text.encode()) or makes_letters(text) for _, text in modules)
    assert recorded == json.loads(json.dumps(index_document(digest(files), check(files), guards))), (
        "run: python scripts/shipped_index.py"
    )


def test_their_check_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_files: object) -> None:
        raise AssertionError("the shipped policies were checked again")

    monkeypatch.setattr("plangate.policy.load.check", never)
    assert load([shipped_policies()]).rules


def test_the_record_counts_for_nothing_else(tmp_path: Path, policies: PolicySet) -> None:
    for path in shipped_policies().root.rglob("*.rego"):
        copy = tmp_path / path.relative_to(shipped_policies().root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / "logging" / "log_retention.rego").write_text("package main\n")
    with pytest.raises(Exception, match="no rule claims this file"):
        load([type(shipped_policies())(root=tmp_path, name="shipped")])
    assert policies.rules


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"sha256": "x"}', "]"])
def test_a_damaged_record_counts_for_nothing(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policies: PolicySet
) -> None:
    index = tmp_path / "index.json"
    index.write_text(content)
    monkeypatch.setattr("plangate.policy.index.INDEX", index)
    assert load([shipped_policies()]) == policies


def test_no_shipped_policy_reads_everything(policies: PolicySet) -> None:
    assert [rule.id for rule in policies.rules if policies.reads[rule.id] == EVERYTHING] == []


def test_each_has_a_file_a_test_and_fixtures_of_its_name(policies: PolicySet) -> None:
    slugs = {package.rpartition(".")[2] for package in policies.packages.values()}
    root = shipped_policies().root
    files = {path.stem for path in root.rglob("*.rego") if path.parent.name != "lib"}
    assert files == slugs | {f"{slug}_test" for slug in slugs}
    assert {folder.name for folder in FIXTURES.iterdir() if folder.is_dir()} == slugs
    for rule_id, package in policies.packages.items():
        _, domain, slug = package.split(".")
        assert (root / domain / f"{slug}.rego").is_file(), rule_id


@pytest.mark.parametrize("word", ["pass", "fail", "absent", "unknown"])
def test_each_has_a_fixture_for(word: str, policies: PolicySet) -> None:
    for rule_id, package in policies.packages.items():
        folder = FIXTURES / package.rpartition(".")[2]
        cases = json.loads((folder / "cases.json").read_text())
        if word != "unknown" or can_be_unknown(rule_id, policies):
            assert [name for name in cases if name.startswith(f"{word}_")], folder.name
        assert {path.stem for path in folder.glob("*.json")} - {"cases", "settings"} == set(cases)


def can_be_unknown(rule_id: str, policies: PolicySet) -> bool:
    """What it reads may be known only after apply. Which entries a plan has, and what it does to them, never is."""
    reads = policies.reads[rule_id]
    return bool(rule_id in policies.handles_unknowns or reads.own or reads.others or reads.plan)


def test_what_only_counts_actions_can_not_be_unknown(policies: PolicySet) -> None:
    never = {rule.id for rule in policies.rules if not can_be_unknown(rule.id, policies)}
    assert never == {"change-size", "deletion-limit", "nothing-forgotten"}


def chosen(slug: str, policies: PolicySet) -> PolicySet:
    """The policies with the settings that the fixtures of one of them are judged with."""
    settings = FIXTURES / slug / "settings.json"
    if not settings.is_file():
        return policies
    return with_settings(policies, {slug.replace("_", "-"): json.loads(settings.read_text())}, str(settings))


@pytest.mark.parametrize(("slug", "name", "expected"), CASES)
def test_gives_the_outcomes_of_its_fixture(
    slug: str, name: str, expected: dict[str, str], policies: PolicySet
) -> None:
    document: dict[str, Any] = json.loads((FIXTURES / slug / f"{name}.json").read_text())
    jsonschema.validate(document, PLAN_SCHEMA)
    found = judged(chosen(slug, policies), plan_of(document)).outcomes
    rule = slug.replace("_", "-")
    assert {o.address: o.status.value for o in found if o.rule == rule} == expected
    word = re.match("[a-z]+", name)
    assert word is not None
    if word[0] != "absent":
        assert word[0] in expected.values()


def test_their_documentation_is_named(policies: PolicySet) -> None:
    for rule in policies.rules:
        text = dict(policies.modules)[rule.source]
        assert "# related_resources:" in text, rule.id
        assert rule.description, rule.id


UNSOURCED = frozenset(
    """database-final-snapshot database-not-in-public-subnet key-deletion-window log-retention
    network-apart-from-data security-group-one-tier""".split()  # noqa: SIM905 - a list of words
)
"""The first six name controls without a source. It must not grow."""


def test_frameworks_have_a_source_that_maps_to_them(policies: PolicySet) -> None:
    modules = dict(policies.modules)
    for rule in policies.rules:
        if rule.id in UNSOURCED or not rule.frameworks:
            continue
        block = package_block(modules[rule.source], len(modules[rule.source].split("\n")))
        assert block is not None
        related = parse_block(*block).get("related_resources", [])
        described = [entry.get("description", "") for entry in related if isinstance(entry, dict)]
        assert any("map" in text.split() or "maps" in text.lower().split() for text in described), rule.id
