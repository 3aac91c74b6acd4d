"""What run tasks are called back with: a status, a message, and outcomes in Markdown.

Texts in a decision come from plans, and so from anybody: none of them may become markup.
"""

import re
from typing import Any, Final

import msgspec

from plangate.server.front import Decided
from plangate.server.told import Finding, Told, cut, one_line

MAX_OUTCOMES: Final = 100
MAX_MESSAGE: Final = 1_000
MAX_BODY: Final = 8_000
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:@$])")
_MAX_DESCRIPTION: Final = 200
_LEVELS: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "info"}
_STATUS: Final = {
    "denies": ("Denied", "error"),
    "blocks": ("Could not decide", "error"),
    "warns": ("Warning", "warning"),
}


def running_callback() -> bytes:
    """It is being worked on."""
    return _body({"status": "running", "message": "judging the plan"}, ())


def failed_callback(message: str, *, status: str = "failed") -> bytes:
    """There is no decision."""
    return _body({"status": status, "message": cut(message, MAX_MESSAGE)}, ())


def decided_callback(decided: Decided, said: Told, *, url: str, with_outcomes: bool) -> bytes:
    """What was decided."""
    head = f"[{decided.decision_id}] {said.counted()}"
    if decided.result != "allow":
        word = (
            "would be denied"
            if decided.allowed
            else "denied"
            if decided.result == "deny"
            else "could not decide"
        )
        head = f"{head}; {word}: {said.summary()}"
    attributes = {
        "status": "passed" if decided.allowed else "failed",
        "message": cut(head, MAX_MESSAGE),
    }
    if url:
        attributes["url"] = url
    findings = [*said.holding, *said.warning] if with_outcomes else []
    return _body(
        attributes, [_outcome(finding, number, url) for number, finding in enumerate(findings[:MAX_OUTCOMES])]
    )


def _body(attributes: dict[str, str], outcomes: Any) -> bytes:
    data: dict[str, Any] = {"type": "task-results", "attributes": attributes}
    if outcomes:
        data["relationships"] = {"outcomes": {"data": list(outcomes)}}
    return msgspec.json.encode({"data": data})


def _outcome(finding: Finding, number: int, url: str) -> dict[str, Any]:
    word, level = _STATUS.get(finding.effect, ("Note", "info"))
    severity = finding.severity or "low"
    attributes: dict[str, Any] = {
        "outcome-id": f"{finding.rule}-{number + 1}",
        "description": cut(
            one_line(f"{finding.address}: {finding.message or finding.title}"), _MAX_DESCRIPTION
        ),
        "tags": {
            "Status": [{"label": word, "level": level}],
            "Severity": [{"label": severity.capitalize(), "level": _LEVELS.get(severity, "none")}],
        },
        "body": cut(_markdown(finding), MAX_BODY),
    }
    if url:
        attributes["url"] = url
    return {"type": "task-result-outcomes", "attributes": attributes}


def _markdown(finding: Finding) -> str:
    parts = [f"# {escaped(finding.rule)}"]
    if finding.title:
        parts.append(escaped(finding.title))
    parts.append(f"**Resource:** {escaped(finding.address)}")
    if finding.message:
        parts.append(escaped(finding.message))
    if finding.remediation:
        parts.append(f"**What to do:** {escaped(finding.remediation)}")
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, in one line."""
    return _MARKUP.sub(r"\\\1", one_line(text))
