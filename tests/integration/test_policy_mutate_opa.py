"""A mutant dies here exactly when ``opa test`` fails on it."""

import json
import random
import subprocess
from pathlib import Path

import pytest

from plangate.authoring.mutation.run import Mutation, Options, Tried, Verdict, mutate
from plangate.policy.base import PolicySource
from plangate.policy.files import LoadLimits, read_files
from plangate.policy.load import load, shipped_policies
from tests.tools import require_tool
from tests.unit.authoring.mutation.builders import WEAK_TESTS, limit
from tests.unit.policy.builders import write

SAMPLE = 12

BROAD = """
deny contains lib.finding(disk, "bad") if {
	some disk in lib.of_kind("disk.volume")
	count(problems(disk) & {"size", "name", "tags"}) >= 1
	not exempt(disk)
}

default exempt(_) := false

exempt(disk) if disk.after.tags.exempt == true

problems(disk) := {"size" | disk.after.size + 1 > 100} | ({"name" | startswith(disk.after.name, "tmp")} | tagless(disk))

tagless(disk) := {"tags"} if {
	every tag in disk.after.tags { tag == "" }
} else := set()
"""
"""Many constructs in few lines."""

BROAD_TESTS = """package policies.test.broad_test

import data.policies.test.broad

disk(after) := {"resources": [{
	"address": "d", "kind": "disk.volume", "mode": "managed", "action": "create", "deposed": null, "after": after,
}]}

test_fail_large if count(broad.deny) == 1 with input as disk({"size": 100, "name": "a", "tags": {"a": "b"}})

test_pass_small if broad.deny == set() with input as disk({"size": 98, "name": "a", "tags": {"a": "b"}})

test_fail_name if count(broad.deny) == 1 with input as disk({"size": 1, "name": "tmp1", "tags": {"a": "b"}})

test_exempt if broad.deny == set() with input as disk({"size": 200, "name": "a", "tags": {"exempt": true}})
"""


def opa_passes(opa: Path, folder: Path, source: PolicySource, tried: Tried) -> bool:
    """Whether real OPA's tests all pass on the mutant."""
    files = read_files([source], LoadLimits())
    policies = load([source])
    texts = dict(policies.modules) | {file.name: file.text for file in files.tests}
    texts[tried.mutant.file] = tried.mutant.apply(texts[tried.mutant.file])
    folder.mkdir(parents=True)
    for name, text in texts.items():
        path = folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "data.json").write_text(json.dumps(dict(policies.data)))
    done = subprocess.run([opa, "test", folder], capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def disagreements(found: Mutation, source: PolicySource, tmp_path: Path, most: int) -> list[str]:
    """Mutants that end otherwise with OPA, of a sample that holds survivors and killed ones."""
    opa = require_tool("opa")
    everything = [each for subject in found.subjects for each in subject.tried]
    chance = random.Random(13)  # noqa: S311 - a sample, not a secret
    survived = [each for each in everything if each.verdict is Verdict.SURVIVED]
    killed = [each for each in everything if each.verdict is Verdict.KILLED]
    sample = [
        *chance.sample(survived, min(most, len(survived))), *chance.sample(killed, min(most, len(killed)))
    ]  # fmt: skip
    assert sample
    return [
        f"{each.mutant.name}: {each.verdict}"
        for number, each in enumerate(sample)
        if opa_passes(opa, tmp_path / str(number), source, each) is not (each.verdict is Verdict.SURVIVED)
    ]


@pytest.mark.opa
@pytest.mark.slow
def test_mutants_of_the_shipped_policies_end_as_with_opa(tmp_path: Path) -> None:
    source = PolicySource(root=shipped_policies().root, name="policies")
    found = mutate([source], Options())
    assert disagreements(found, source, tmp_path, SAMPLE) == []


@pytest.mark.opa
def test_mutants_of_many_constructs_end_as_with_opa(tmp_path: Path) -> None:
    text = limit("broad").partition("\ndeny contains")[0] + BROAD
    source = write(tmp_path / "p", {"broad.rego": text, "broad_test.rego": BROAD_TESTS})
    found = mutate([source], Options())
    assert {each.verdict for subject in found.subjects for each in subject.tried} >= {
        Verdict.KILLED,
        Verdict.SURVIVED,
    }
    assert disagreements(found, source, tmp_path / "opa", 100) == []


@pytest.mark.opa
def test_mutants_without_tests_survive_as_with_opa(tmp_path: Path) -> None:
    source = write(tmp_path / "p", {"limit.rego": limit(), "limit_test.rego": WEAK_TESTS})
    assert disagreements(mutate([source], Options()), source, tmp_path / "opa", 100) == []


@pytest.mark.slow
def test_the_tests_of_every_shipped_policy_kill_nine_of_ten_mutants() -> None:
    found = mutate([shipped_policies()], Options())
    assert found.stale == ()
    assert [subject.name for subject in found.subjects if not subject.reaches(90)] == []
