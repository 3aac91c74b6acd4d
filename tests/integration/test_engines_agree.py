"""The shipped policies give the same findings on the embedded engine and on OPA itself."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from plangate.facts.registry import with_facts
from plangate.gate import encode_plan
from plangate.parsers import terraform_plan
from plangate.parsers.base import Input, Limits
from plangate.policy import load
from plangate.policy.base import Finding, PolicySet
from plangate.policy.embedded import EmbeddedEngine
from tests.tools import require_tool

ROOT = Path(__file__).parents[2]
FIXTURES = sorted((ROOT / "fixtures").rglob("*.json"))
PLANS = [path for path in FIXTURES if b'"resource_changes"' in path.read_bytes()]


def a_document(path: Path) -> bytes:
    data = path.read_bytes()
    source = Input(name=path.name, data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    plan = terraform_plan.parse(source, Limits())
    return encode_plan(replace(plan, resources=with_facts(plan.resources)))


def as_sets(findings: tuple[Finding, ...]) -> set[tuple[str, str, str]]:
    return {(found.address, found.message, found.path) for found in findings}


def of_opa(
    opa: Path, document: bytes, policies: PolicySet, folder: Path
) -> dict[str, list[set[tuple[str, ...]]]]:
    (folder / "input.json").write_bytes(document)
    (folder / "settings.json").write_text(json.dumps(dict(policies.data)))
    command = [opa, "eval", "--data", ROOT / "policies", "--ignore", "*_test.rego", "--input", "input.json"]
    command += ["--data", "settings.json"]
    answer = subprocess.run(
        [*map(str, command), "--format", "json", "data.policies"],
        cwd=folder, capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    tree = json.loads(answer)["result"][0]["expressions"][0]["value"]
    found: dict[str, list[set[tuple[str, ...]]]] = {}
    for rule, package in policies.packages.items():
        node: Any = tree
        for step in package.split(".")[1:]:
            node = node[step]
        found[rule] = [
            {(item["address"], item["message"], item.get("path", "")) for item in node.get(name, [])}
            for name in ("deny", "undetermined")
        ]
    return found


@pytest.mark.opa
@pytest.mark.parametrize("path", PLANS[:: max(1, len(PLANS) // 24)], ids=lambda path: path.stem)
def test_both_engines_find_the_same(path: Path, tmp_path: Path) -> None:
    opa = require_tool("opa")
    policies = load.load([load.shipped_policies()])
    document = a_document(path)
    with EmbeddedEngine(policies) as engine:
        answers = engine.evaluate(policies, document, 60)
    embedded = {answer.rule: [as_sets(answer.deny), as_sets(answer.undetermined)] for answer in answers}
    assert [answer.error for answer in answers] == [""] * len(policies.rules)
    assert embedded == of_opa(opa, document, policies, tmp_path)


@pytest.mark.opa
def test_the_policies_own_tests_pass_on_opa(tmp_path: Path) -> None:
    opa = require_tool("opa")
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps(dict(load.load([load.shipped_policies()]).data)))
    done = subprocess.run(
        [str(opa), "test", "policies", str(settings)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip().splitlines()[-1][:4]) == (0, "PASS")
