"""Policies and tests to mutate, and the shortest way to what became of their mutants."""

import json
from pathlib import Path

import jsonschema

from plangate.authoring.mutation.report import render_json
from plangate.authoring.mutation.run import Mutation, Options, Verdict, mutate
from plangate.policy.base import PolicySource
from plangate.policy.files import PolicyFile
from plangate.policy.parse import parse_modules
from plangate.policy.syntax import Module
from tests.tools import ROOT
from tests.unit.policy.builders import a_policy, write

SCHEMA = json.loads((ROOT / "src/plangate/schemas/mutation.v1.json").read_text(encoding="utf-8"))

SIZE_LIMIT = """
deny contains lib.finding(disk, sprintf("%v", [disk.after.size])) if {
	some disk in lib.of_kind("disk.volume")
	disk.after.size > 100
}
"""
"""A rule whose mutants the tests below notice, all of them."""

WHOLE_TESTS = """package policies.test.no_bad_test

import data.policies.test.no_bad

disk(size) := {"resources": [{
	"address": "d", "kind": "disk.volume", "mode": "managed", "action": "create", "deposed": null,
	"after": {"size": size},
}]}

test_fail_large if no_bad.deny == {{"address": "d", "message": "101"}} with input as disk(101)

test_pass_limit if no_bad.deny == set() with input as disk(100)
"""

WEAK_TESTS = """package policies.test.no_bad_test

import data.policies.test.no_bad

test_absent_resources if no_bad.deny == set() with input as {"resources": []}
"""


def parsed(text: str, file: str = "p.rego") -> Module:
    """One module."""
    (module,) = parse_modules([PolicyFile(name=file, text=text, source="", path=Path(file))])
    return module


def limit(slug: str = "no_bad") -> str:
    """A policy about the size of disks."""
    return a_policy(SIZE_LIMIT, slug=slug, extra="kinds: [disk.volume]")


def folder(root: Path, tests: str = WHOLE_TESTS, **others: str) -> PolicySource:
    """The policy with tests, and other files by name without their ending."""
    files = {"limit.rego": limit(), "limit_test.rego": tests}
    return write(root, files | {f"{name}.rego": text for name, text in others.items()})


def mutated(source: PolicySource, **options: object) -> Mutation:
    """All mutants of a folder, tried in one process unless said otherwise. The report keeps to its schema."""
    asked: dict[str, object] = {"jobs": 1} | options
    found = mutate([source], Options(**asked))  # type: ignore[arg-type]
    for threshold in (None, 90.0):
        jsonschema.validate(json.loads(render_json(found, threshold)), SCHEMA)
    return found


def verdicts(found: Mutation) -> dict[str, Verdict]:
    """What became of each mutant, by its name."""
    return {each.mutant.name: each.verdict for subject in found.subjects for each in subject.tried}
