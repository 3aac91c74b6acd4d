"""Conftest policies for tests, and the whole way from their text to outcomes."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from plangate.decision.outcome import Outcome, Status
from plangate.policy.base import PolicySource
from plangate.policy.conftest.base import ConftestPolicies
from plangate.policy.conftest.engine import ConftestEngine
from plangate.policy.conftest.judge import File, Judged, judge
from plangate.policy.conftest.load import Wanted, load
from plangate.policy.embedded import EngineLimits
from plangate.policy.files import LoadLimits


def loaded(
    folder: Path,
    *,
    wanted: Wanted | None = None,
    data: Mapping[str, Any] | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
    **files: str,
) -> ConftestPolicies:
    """Policies from texts: ``name="package main …"`` is the file ``policy/name.rego``; so is ``more``."""
    root = folder / "policy"
    root.mkdir(exist_ok=True)
    for name, text in {**files, **more}.items():
        (root / f"{name}.rego").write_text(text)
    documents = []
    if data is not None:
        documents = [folder / "documents.json"]
        documents[0].write_text(json.dumps(data))
    return load([PolicySource(root=root, name="policy")], documents, wanted or Wanted(), LoadLimits())


def judged(policies: ConftestPolicies, *documents: Any, deadline_s: float = 20) -> Judged:
    """What the policies say of a file with these inputs."""
    inputs = [(document, json.dumps(document).encode()) for document in documents]
    file = File(name="plan.json", base="plan.json", folder="/work", inputs=inputs)
    with ConftestEngine(policies, EngineLimits()) as engine:
        return judge(policies, engine, file, None, deadline_s)


def said(found: Judged) -> dict[str, list[tuple[Status, str]]]:
    """Status and message of each rule's outcomes; without ``conftest.main.`` in front."""
    told: dict[str, list[tuple[Status, str]]] = {}
    for outcome in found.outcomes:
        told.setdefault(short(outcome), []).append((outcome.status, outcome.message))
    return told


def short(outcome: Outcome) -> str:
    """A rule's id without the usual beginning."""
    return outcome.rule.removeprefix("conftest.main.")
