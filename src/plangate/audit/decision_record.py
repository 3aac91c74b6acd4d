"""The record of a decision: a summary that fits, and the digest of the document that does not.

A decision may hold 100,000 outcomes. Its record holds what an auditor asks first (what was judged, by which
rules, with which result and because of what), bounded lists, and ``decision_sha256``, by which the whole
document can be recognized later.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from plangate.audit.base import MAX_RECORD_BYTES
from plangate.audit.record import (
    Record,
    RecordType,
    Stamp,
    build,
    canonical,
    one_of,
    sha256_hex,
    text,
)
from plangate.errors import AuditError

STATUSES: Final = ("pass", "fail", "unknown", "error", "not_applicable")
ACTIONS: Final = ("create", "update", "delete", "replace", "read", "no-op", "forget", "import")
_LISTS: Final = (
    "reasons",
    "determining",
    "obligations",
    "waivers",
    "approvals",
    "errored",
    "unmodelled",
    "sources",
)
_LIMITS: Final = (100, 50, 25, 12, 6, 3, 1, 0)
"""How many items of each list are kept, tried in this order until the record fits."""
_TEXT_LIMITS: Final = (1_024, 256, 64)
"""How many characters of each text are kept; shortening texts comes after shortening lists."""
_ENVELOPE_BYTES: Final = 8_192
"""Room for everything of a record but its body: one text of 1,024 characters, and short ones."""
_DIGEST: Final = 64
"""Characters of a SHA-256, and the most of a name."""
_ENGINE_DECISIONS: Final = 20
_OUTCOME_FIELDS: Final = (
    "rule",
    "address",
    "outcome",
    "effect",
    "enforcement",
    "severity",
    "message",
    "path",
)


def decision_record(at: Stamp, document: Mapping[str, Any], *, decision_sha256: str | None = None) -> Record:
    """The record of a decision document (``plangate.dev/decision/v1``).

    Args:
        at: When, by whom, and the record's id.
        document: The decision. Its ``log`` member, which is only known afterwards, is left out of everything.
        decision_sha256: Hex digest of the document's canonical JSON without ``log``, when the caller has it
            already: making it takes a second for 50,000 outcomes.

    Returns:
        A record of at most 64 KiB, the same for the same arguments. Its key is ``decision:<decision_id>``.

    Raises:
        AuditError: The document lacks what a decision must have.
    """
    try:
        digest = sha256_hex(decision_sha256) if decision_sha256 is not None else document_sha256(document)
        whole = _summary(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AuditError(f"audit record: not a decision document: {error!r}") from error
    for text_limit in _TEXT_LIMITS:
        for list_limit in _LIMITS:
            body = _shortened(whole, list_limit, text_limit) | {"decision_sha256": digest}
            encoded = canonical(body)
            if len(encoded) + _ENVELOPE_BYTES <= MAX_RECORD_BYTES:
                return build(at, RecordType.DECISION, f"decision:{whole['decision_id']}", body, encoded)
    raise AuditError("audit record: the decision does not fit, however much is left out")


def document_sha256(document: Mapping[str, Any]) -> str:
    """The digest of a decision document: SHA-256 of its canonical JSON without ``log``, in hex."""
    return hashlib.sha256(canonical({k: v for k, v in document.items() if k != "log"})).hexdigest()


def _summary(document: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that may go into the record, before anything is cut."""
    result = one_of("result", document["result"], ("allow", "deny", "error"))
    subject = document["subject"]
    plan = document.get("plan")
    rules = document["rules"]
    policy = document["policy"]
    outcomes: Sequence[Mapping[str, Any]] = document["outcomes"]
    determining = list(_determining(outcomes))
    if result == "allow" and (plan is None or determining or document["reasons"] or not rules["evaluated"]):
        raise AuditError("audit record: an allow that its own decision document speaks against")
    asked = {name: document[name] for name in ("mode", "request") if name in document}
    return asked | {
        "decision_id": _identifier(document["decision_id"]),
        "decided": text(document["time"], 64),
        "result": result,
        "environment": document["environment"] or "",
        "subject": {
            "name": subject["name"],
            "sha256": sha256_hex(subject["sha256"]),
            "media_type": subject.get("media_type") or "",
            "size": int(subject.get("size") or 0),
        },
        "plan": None
        if plan is None
        else {
            "format": plan["format"],
            "tool": plan["tool"],
            "resources": int(plan["resources"]),
            "changes": {action: int(plan["changes"].get(action, 0)) for action in ACTIONS},
        },
        "rules": {
            "loaded": int(rules["loaded"]),
            "evaluated": int(rules["evaluated"]),
            "matched_nothing": len(rules["matched_nothing"]),
            "errored": len(rules["errored"]),
        },
        "outcomes": _counts(outcomes),
        "reasons": [str(item) for item in document["reasons"]],
        "determining": determining,
        "obligations": [_flat(item) for item in document["obligations"]],
        "waivers": [_flat(item) for item in document["waivers"]],
        "approvals": [_flat(item) for item in document["approvals"]],
        "errored": [str(item) for item in rules["errored"]],
        "unmodelled": [str(item) for item in document["unmodelled"]],
        "sources": [str(item) for item in policy.get("sources") or ()],
        "policy": {
            "sha256": sha256_hex(policy["sha256"]),
            "engine": policy["engine"],
            "settings_sha256": sha256_hex(policy["settings_sha256"]),
            **_engine_decisions(policy),
        },
    }


def _engine_decisions(policy: Mapping[str, Any]) -> dict[str, list[str]]:
    """What the engine called its answers in a log of its own, if it keeps one; the first few."""
    found = [text(item, 100) for item in policy.get("engine_decision_ids") or ()]
    return {"engine_decision_ids": found[:_ENGINE_DECISIONS]} if found else {}


def _identifier(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 64:  # noqa: PLR2004  (a UUID has 36)
        raise AuditError(f"audit record: not a decision id: {text(value, 80)!r}")
    return text(value)


def _counts(outcomes: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counted = Counter(outcome["outcome"] for outcome in outcomes)
    unknown_words = set(counted) - set(STATUSES)
    if unknown_words:
        raise AuditError(f"audit record: not outcomes: {', '.join(sorted(map(str, unknown_words)))}")
    return {status: counted[status] for status in STATUSES}


def _determining(outcomes: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    """Outcomes that denied or made a decision impossible. One whose effect is not known counts as such."""
    for outcome in outcomes:
        if outcome["outcome"] in ("pass", "not_applicable"):
            continue
        if outcome.get("effect", "blocks") in ("denies", "blocks"):
            yield {name: outcome.get(name) or "" for name in _OUTCOME_FIELDS}


def _flat(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item with nothing nested: what is not a plain value becomes its canonical JSON."""
    plain = (str, int, type(None))  # bool is an int
    return {
        str(name): value if isinstance(value, plain) else canonical(value).decode()
        for name, value in item.items()
    }


def _shortened(whole: Mapping[str, Any], list_limit: int, text_limit: int) -> dict[str, Any]:
    cut = {name: value[:list_limit] if name in _LISTS else value for name, value in whole.items()}
    body = {
        name: value if _is_short(value, text_limit) else _cut(value, text_limit)
        for name, value in cut.items()
    }
    body["truncated"] = {
        name: len(whole[name]) - list_limit for name in _LISTS if len(whole[name]) > list_limit
    }
    return body


def _is_short(value: Any, text_limit: int) -> bool:
    """`_cut` would change nothing, as is the case nearly always."""
    kind = type(value)
    if kind is str:
        return len(value) <= text_limit and value.isascii()
    if kind is dict:
        for name, item in value.items():
            if type(name) is not str or len(name) > _DIGEST or not name.isascii():
                return False
            if type(item) is not int and not _is_short(item, text_limit):
                return False
        return True
    if kind is list:
        return all(_is_short(item, text_limit) for item in value)
    return kind is int or kind is bool or value is None


def _cut(value: object, text_limit: int) -> object:
    if isinstance(value, str):
        # A digest is never cut: half of one proves nothing.
        return text(value, max(text_limit, _DIGEST))
    if isinstance(value, Mapping):
        return {text(name, _DIGEST): _cut(item, text_limit) for name, item in value.items()}
    if isinstance(value, list):
        return [_cut(item, text_limit) for item in value]
    return value
