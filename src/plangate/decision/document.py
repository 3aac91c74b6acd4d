"""The decision as a document, ``plangate.dev/decision/v1``: JSON output, what reports render, what the log digests.

It holds texts, whole numbers, booleans, lists and objects only, so that its canonical form is one thing everywhere.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from plangate.decision.decide import Effect, Judgement, Obligation
from plangate.decision.outcome import Outcome, RuleSpec, Status
from plangate.decision.waiver import Approval, Waiver

_WORDS: Final = {status: status.value for status in Status}
DECISION_SCHEMA: Final = "plangate.dev/decision/v1"


class Subject(Struct, frozen=True, kw_only=True):
    """What was judged: the bytes that were handed in."""

    name: str
    sha256: str
    size: int
    media_type: str


class PlanSummary(Struct, frozen=True, kw_only=True):
    """What the plan would do, in numbers."""

    format: str
    tool: str
    changes: Mapping[str, int]
    resources: int
    unmodelled: Sequence[str]


class InputRead(Struct, frozen=True, kw_only=True):
    """One input of a decision: its bytes, and what they were read as.

    Attributes:
        subject: The bytes.
        plan: What it would do; ``None`` when it could not be read.
        problem: Why it could not be read; empty when it could.
    """

    subject: Subject
    plan: PlanSummary | None
    problem: str = ""


class PolicyBundle(Struct, frozen=True, kw_only=True):
    """A bundle among the policies.

    Attributes:
        name: Its name.
        sha256: Hex digest of its file.
        revision: For people; may be empty.
        sequence: The number that only ever grows; ``None`` if it has none.
        key_id: Of the key that verified it; empty when no signature was asked for.
        monotonic: A sequence number below the highest that was seen is refused.
    """

    name: str
    sha256: str
    revision: str
    sequence: int | None
    key_id: str
    monotonic: bool


class PolicyUsed(Struct, frozen=True, kw_only=True):
    """What it was judged with.

    Attributes:
        sha256: Digest over policies, settings and built-in rules' versions.
        engine: Engine name and version.
        sources: Folders, bundles, or ``built-in``.
        settings_sha256: Digest of ``plangate.yaml``.
        bundles: The bundles among the sources.
        answered: Engine name and version, and the engine's own ids of its answers, once it has answered; for an
            engine that is a server, which can be another one tomorrow.
    """

    sha256: str
    engine: str
    sources: Sequence[str]
    settings_sha256: str
    bundles: Sequence[PolicyBundle] = ()
    answered: Callable[[], tuple[str, Sequence[str]]] | None = None


def decision_document(
    *,
    decision_id: str,
    time: datetime,
    environment: str,
    subject: Subject,
    inputs: Sequence[InputRead],
    outcomes: Iterable[Outcome],
    judgement: Judgement,
    rules: Mapping[str, RuleSpec],
    matched_nothing: Iterable[str],
    disabled: Iterable[str],
    weakened: Iterable[str],
    policy: PolicyUsed,
    timings_ms: Mapping[str, int],
    mode: str = "enforce",
    request: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The document, without ``log``, which is added once the decision is recorded.

    Outcomes that passed carry only rule, address and outcome. Outcomes are sorted by rule, then address. With several
    inputs ``plan`` adds them up, and every outcome names its input. ``mode`` is there when it is not ``enforce``, and
    ``request`` when the caller said anything.
    """
    plan = _together([each.plan for each in inputs if each.plan is not None])
    effects = dict(judgement.weighed)
    listed = sorted(outcomes, key=lambda o: (o.rule, o.input, o.address, o.path))
    counts = Counter(outcome.status for outcome in listed)
    document: dict[str, Any] = {
        "schema": DECISION_SCHEMA,
        "decision_id": decision_id,
        "time": timestamp(time),
        "result": judgement.result.value,
        "reasons": list(judgement.reasons),
        "environment": environment,
        "subject": _subject(subject),
        "inputs": [_input(each) for each in inputs],
        "plan": None
        if plan is None
        else {
            "format": plan.format,
            "tool": plan.tool,
            "changes": dict(plan.changes),
            "resources": plan.resources,
        },
        "counts": {status.value: counts.get(status, 0) for status in Status},
        "outcomes": [
            _outcome(
                outcome,
                rules.get(outcome.rule),
                None if outcome.status is Status.PASS else effects.get(outcome),
            )
            for outcome in listed
        ],
        "obligations": [obligation_document(obligation) for obligation in judgement.obligations],
        "waivers": [_waiver(waiver) for waiver in judgement.waivers],
        "approvals": [_approval(approval) for approval in judgement.approvals],
        "rules": {
            "loaded": len(rules),
            "evaluated": len(judgement.evaluated),
            "matched_nothing": sorted(matched_nothing),
            "errored": list(judgement.errored),
            "disabled": sorted(disabled),
            "weakened": sorted(weakened),
        },
        "unmodelled": [] if plan is None else list(plan.unmodelled),
        "policy": _policy(policy),
        "timings_ms": dict(timings_ms),
    }
    if mode != "enforce":
        document["mode"] = mode
    if request:
        document["request"] = dict(request)
    return document


def _bundle(bundle: PolicyBundle) -> dict[str, Any]:
    return {
        "name": bundle.name,
        "sha256": bundle.sha256,
        "revision": bundle.revision,
        "sequence": bundle.sequence,
        "key_id": bundle.key_id or None,
        "monotonic": bundle.monotonic,
    }


def _policy(policy: PolicyUsed) -> dict[str, Any]:
    engine, answers = (policy.engine, ()) if policy.answered is None else policy.answered()
    document: dict[str, Any] = {
        "sha256": policy.sha256,
        "engine": engine,
        "sources": list(policy.sources),
        "settings_sha256": policy.settings_sha256,
    }
    if policy.bundles:
        document["bundles"] = [_bundle(bundle) for bundle in policy.bundles]
    return document | ({"engine_decision_ids": list(answers)} if answers else {})


def _together(plans: Sequence[PlanSummary]) -> PlanSummary | None:
    if len(plans) <= 1:
        return plans[0] if plans else None
    changes: Counter[str] = Counter()
    for plan in plans:
        changes.update(plan.changes)
    return PlanSummary(
        format=", ".join(sorted({plan.format for plan in plans})),
        tool=", ".join(sorted({plan.tool for plan in plans if plan.tool})),
        changes=changes,
        resources=sum(plan.resources for plan in plans),
        unmodelled=sorted({name for plan in plans for name in plan.unmodelled}),
    )


def _subject(subject: Subject) -> dict[str, Any]:
    return {
        "name": subject.name,
        "sha256": subject.sha256,
        "media_type": subject.media_type,
        "size": subject.size,
    }


def _input(each: InputRead) -> dict[str, Any]:
    plan = each.plan
    return _subject(each.subject) | {
        "format": plan.format if plan is not None else None,
        "resources": plan.resources if plan is not None else 0,
        "problem": each.problem or None,
    }


def obligation_document(obligation: Obligation) -> dict[str, str]:
    """An obligation as it stands in documents and receipts."""
    document = {
        "rule": obligation.rule,
        "address": obligation.address,
        "message": obligation.message,
        "path": obligation.path,
    }
    return document | ({"input": obligation.input} if obligation.input else {})


def obligation_from(document: Mapping[str, str]) -> Obligation:
    """The inverse of `obligation_document`."""
    return Obligation(
        rule=document["rule"],
        address=document["address"],
        message=document.get("message", ""),
        path=document.get("path", ""),
        input=document.get("input", ""),
    )


def timestamp(time: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, from an aware time."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _outcome(outcome: Outcome, spec: RuleSpec | None, effect: Effect | None) -> dict[str, Any]:
    short: dict[str, Any] = {
        "rule": outcome.rule,
        "address": outcome.address,
        "outcome": _WORDS[outcome.status],
    }
    if outcome.input:
        short["input"] = outcome.input
    if outcome.existing:
        short["existing"] = True
    if outcome.status is Status.PASS:
        return short
    if outcome.message:
        short["message"] = outcome.message
    if spec is None or effect is None:
        return short
    location = outcome.location
    return short | {
        "effect": effect.value,
        "enforcement": spec.enforcement.value,
        "severity": spec.severity.value,
        "title": spec.title,
        "path": outcome.path,
        "location": {"file": location.file, "line": location.line} if location else None,
        "remediation": spec.remediation,
    }


def _waiver(waiver: Waiver) -> dict[str, str]:
    return ({"input": waiver.input} if waiver.input else {}) | {
        "rule": waiver.rule,
        "address": waiver.address,
        "owner": waiver.owner,
        "reason": waiver.reason,
        "expires": timestamp(waiver.expires),
    }


def _approval(approval: Approval) -> dict[str, str]:
    return {
        "rule": approval.rule,
        "plan_sha256": approval.plan_sha256,
        "approver": approval.approver,
        "expires": timestamp(approval.expires),
    }
