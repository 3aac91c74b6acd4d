"""The built-in rules judge what Pulumi, compose files and Azure templates say: open things fail, closed ones pass."""

from collections.abc import Mapping
from typing import Final

import pytest

from plangate.facts.registry import plan_with_facts
from plangate.model.plan import Plan
from plangate.parsers import azure_template, compose, pulumi_preview
from plangate.parsers.base import Format, Input, Limits, Options
from plangate.parsers.json_documents import read_json_document
from plangate.parsers.yaml_documents import read_yaml
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.tools import ROOT

FILES: Final[Mapping[str, tuple[str, Format]]] = {
    "pulumi": ("preview.json", pulumi_preview.FORMAT),
    "arm": ("main.json", azure_template.FORMAT),
    "compose": ("compose.yaml", compose.FORMAT),
}
JUDGED: Final[Mapping[str, frozenset[str]]] = {
    "pulumi": frozenset({
        "bucket-no-public-access", "bucket-versioned", "cluster-endpoint-private", "database-encrypted",
        "database-not-public", "iam-no-full-admin", "ingress-no-open-admin-ports", "instance-metadata-v2",
        "instance-no-public-ip", "key-rotation", "listener-tls", "volume-encrypted",
    }),
    "arm": frozenset({
        "bucket-no-public-access", "cluster-endpoint-private", "database-not-public", "ingress-no-open-admin-ports",
        "instance-no-public-ip", "key-rotation",
    }),
    "compose": frozenset({
        "image-pinned", "secret-not-in-env", "workload-drops-capabilities", "workload-no-host-namespaces",
        "workload-no-host-path", "workload-non-root", "workload-not-privileged", "workload-read-only-root",
        "workload-resource-limits",
    }),
}  # fmt: skip
"""Format → rules that find something in the open fixture, and nothing in the closed one."""


def plan_of(folder: str, side: str) -> Plan:
    name, form = FILES[folder]
    data = (ROOT / "fixtures" / folder / side / name).read_bytes()
    source = Input(name=name, data=data, sha256="0" * 64, size=len(data))
    documents = (read_yaml if name.endswith(".yaml") else read_json_document)(source, Limits())
    assert form.recognizes(documents.values)
    return plan_with_facts(form.parse(documents, Options(), Limits()))


def answers(plan: Plan) -> dict[str, set[str]]:
    """Rule → what it answered for the resources of a plan."""
    found: dict[str, set[str]] = {}
    for rule in RULES.values():
        outcomes, _ = evaluate(plan, {rule.spec.id: rule}, {rule.spec.id: {}})
        found[rule.spec.id] = {outcome.status.value for outcome in outcomes}
    return found


@pytest.mark.parametrize("folder", sorted(FILES))
def test_what_is_open_fails_and_what_is_closed_passes(folder: str) -> None:
    opened, closed = answers(plan_of(folder, "open")), answers(plan_of(folder, "closed"))
    assert {rule for rule, said in opened.items() if "fail" in said} >= JUDGED[folder]
    for rule in JUDGED[folder]:
        assert closed[rule] - {"not_applicable"} == {"pass"}, rule
    assert not any("error" in said for said in [*opened.values(), *closed.values()])
