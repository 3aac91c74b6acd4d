"""What the check said of the shipped policies, so that a run with just those need not check them again.

``shipped_index.json`` stands beside this file and is made by ``scripts/shipped_index.py``; it is as trustworthy as
the code, being part of the same package. It counts only while the digest of what was read is the one it was made
for: a changed byte in any policy, or any policy besides them, and everything is checked as if it were not there. A
test makes it again and compares.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.policy.base import RuleScope
from plangate.policy.reads import Read, Reads

INDEX: Final = Path(__file__).resolve().parent / "shipped_index.json"


class Checked(Struct, frozen=True, kw_only=True):
    """One rule after its check; see `plangate.policy.base.PolicySet`."""

    spec: RuleSpec
    scope: RuleScope
    package: str
    reads: Reads
    handles_unknowns: bool
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def known_check(sha256: str) -> tuple[Checked, ...] | None:
    """The rules of the policies with this digest, if it is that of the shipped ones."""
    document = _index(INDEX)
    if document.get("sha256") != sha256:
        return None
    return tuple(map(_checked, document["rules"]))


def is_recorded(settings: Mapping[str, Any]) -> bool:
    """Whether these are, word for word, the settings of a shipped policy, which were found good when it was made.

    Asked where policies beside the shipped ones are loaded: what validates schemas takes longer to import than all of
    them take to read, so it is left alone unless one of those has settings.
    """
    return json.dumps(settings) in _recorded_settings(INDEX)


@cache
def _index(index: Path) -> dict[str, Any]:
    try:
        document = json.loads(index.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


@cache
def _recorded_settings(index: Path) -> frozenset[str]:
    try:
        return frozenset(json.dumps(rule["settings"]) for rule in _index(index)["rules"])
    except (TypeError, KeyError):
        return frozenset()


def known_edits(text: str) -> tuple[tuple[int, int, str], ...] | None:
    """Where the guards of a shipped module go (`plangate.policy.guarding`), by its text; ``None`` for any other."""
    found = _index(INDEX).get("guards", {}).get(text_digest(text))
    return None if found is None else tuple((start, end, kind) for start, end, kind in found)


def text_digest(text: str) -> str:
    """What a module is known by."""
    return hashlib.sha256(text.encode()).hexdigest()


def index_document(
    sha256: str, rules: Iterable[Checked], guards: Mapping[str, Iterable[tuple[int, int, str]]]
) -> dict[str, Any]:
    """What ``shipped_index.json`` holds for these; ``guards`` are by digest of a module's text."""
    return {
        "sha256": sha256,
        "rules": [_document(rule) for rule in rules],
        "guards": {digest: [list(edit) for edit in edits] for digest, edits in sorted(guards.items())},
    }


def _document(rule: Checked) -> dict[str, Any]:
    spec = rule.spec
    return {
        "id": spec.id,
        "title": spec.title,
        "description": spec.description,
        "severity": spec.severity.value,
        "enforcement": spec.enforcement.value,
        "on_unknown": spec.on_unknown.value,
        "kinds": list(spec.kinds),
        "types": list(spec.types),
        "remediation": spec.remediation,
        "frameworks": [[name, list(controls)] for name, controls in spec.frameworks],
        "source": spec.source,
        "scope": rule.scope.value,
        "package": rule.package,
        "handles_unknowns": rule.handles_unknowns,
        "own": _reads(rule.reads.own),
        "others": [[kind, _reads(found)] for kind, found in rule.reads.others],
        "plan": rule.reads.plan,
        "settings": dict(rule.settings),
    }


def _reads(found: Iterable[Read]) -> list[list[Any]]:
    return sorted([list(read.path), read.deep] for read in found)


def _checked(item: dict[str, Any]) -> Checked:
    spec = RuleSpec(
        id=item["id"],
        title=item["title"],
        description=item["description"],
        severity=Severity(item["severity"]),
        enforcement=Enforcement(item["enforcement"]),
        on_unknown=OnUnknown(item["on_unknown"]),
        kinds=tuple(item["kinds"]),
        types=tuple(item["types"]),
        remediation=item["remediation"],
        frameworks=tuple((name, tuple(controls)) for name, controls in item["frameworks"]),
        source=item["source"],
    )
    reads = Reads(
        own=_read_set(item["own"]),
        others=tuple((kind, _read_set(found)) for kind, found in item["others"]),
        plan=item["plan"],
    )
    return Checked(
        spec=spec,
        scope=RuleScope(item["scope"]),
        package=item["package"],
        reads=reads,
        handles_unknowns=item["handles_unknowns"],
        settings=item["settings"],
    )


def _read_set(found: Iterable[tuple[list[str], bool]]) -> frozenset[Read]:
    return frozenset(Read(path=tuple(path), deep=deep) for path, deep in found)
