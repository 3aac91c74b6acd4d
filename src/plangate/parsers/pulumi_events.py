"""Pulumi's stream of engine events (``--event-log``, ``pulumi preview --json`` while it streams), one a line.

Rules this module keeps:
1. A stream without its summary, one that was cancelled, and one where a step has no end is incomplete.
2. A kind of event that it does not know is refused: it might be another way to change something.

Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/events.go (``EngineEvent``)
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from plangate.errors import PlanParseError
from plangate.model.plan import Check, Plan
from plangate.parsers.base import Documents, Format, Limits, Options
from plangate.parsers.pulumi_plan import PulumiReader, Summary, read_config
from plangate.parsers.pulumi_resources import is_made_by_plugin
from plangate.parsers.pulumi_steps import Step, text_in

ID: Final = "pulumi-events"
_PRE: Final = "resourcePreEvent"
_POST: Final = "resOutputsEvent"
_FAILED: Final = "resOpFailedEvent"
_SILENT: Final = frozenset({
    "cancelEvent", "stdoutEvent", "policyLoadEvent", "policyAnalyzeSummaryEvent", "policyRemediateSummaryEvent",
    "policyAnalyzeStackSummaryEvent", "policyRemediationEvent", "startDebuggingEvent", "progressEvent",
})  # fmt: skip
"""Events that say nothing of the change. The engine also ends a stream that went well with a ``cancelEvent``."""
_KNOWN: Final = _SILENT | {
    _PRE, _POST, _FAILED, "diagnosticEvent", "errorEvent", "policyEvent", "preludeEvent", "summaryEvent",
}  # fmt: skip


def recognizes(values: Sequence[Any]) -> bool:
    """Whether these are engine events: the first one is, and the rest is refused if it is not."""
    first = values[0] if values else None
    return isinstance(first, dict) and "timestamp" in first and not _KNOWN.isdisjoint(first)


def parse(documents: Documents, _options: Options, limits: Limits) -> Plan:
    """Parse an event stream.

    Raises:
        PlanParseError: Not engine events, an operation or event that we do not know, or not consistent; says where.
    """
    try:
        return _Stream(PulumiReader(documents, limits)).plan(documents.values)
    except RecursionError as error:
        raise PlanParseError(documents.source.name, "nested too deeply to be read") from error


class _Stream(Struct):
    """Reads events in order."""

    reader: PulumiReader
    steps: dict[tuple[str, str, str], Step] = field(default_factory=dict)
    ended: set[tuple[str, str, str]] = field(default_factory=set)
    summary: Summary = field(default_factory=Summary)

    def plan(self, values: Sequence[Any]) -> Plan:
        for number, value in enumerate(values):
            at = f"{number}#"
            if not isinstance(value, dict):
                self.reader.refuse(at, "a line that is not an engine event")
            kinds = [key for key in value if key.endswith("Event") or key in _KNOWN]
            if len(kinds) != 1 or kinds[0] not in _KNOWN:
                self.reader.refuse(
                    at, f"not one engine event that is known: {', '.join(kinds)[:200] or 'none'}"
                )
            event = self.reader.object_of(value[kinds[0]], f"{at}/{kinds[0]}", "an event")
            self._event(kinds[0], event, f"{at}/{kinds[0]}")
        if any(key not in self.ended and self._is_real(step) for key, step in self.steps.items()):
            self.summary.complete = False
        return self.reader.plan(ID, list(self.steps.values()), self.summary)

    def _event(self, kind: str, event: dict[str, Any], at: str) -> None:
        if kind in (_PRE, _POST, _FAILED):
            self._step(kind, event, at)
        elif kind == "diagnosticEvent":
            self.summary.errored |= event.get("severity") == "error"
        elif kind == "errorEvent":
            self.summary.errored = True
        elif kind == "preludeEvent":
            self.summary.config = read_config(event.get("config"))
        elif kind == "policyEvent":
            self._policy(event)
        elif kind == "summaryEvent":
            self._summary(event, at)

    def _step(self, kind: str, event: dict[str, Any], at: str) -> None:
        step = self.reader.step(event.get("metadata"), f"{at}/metadata", old="old", new="new", keys="keys")
        key = step.op, step.urn, text_in(step.old, "id")
        if kind == _PRE:
            if key in self.steps and step.op != "refresh":
                self.reader.refuse(at, f"the step {step.op} of {step.urn[:200]} comes twice")
            self.steps[key] = step
            return
        if kind == _FAILED:
            self.summary.errored = True
            self.steps.setdefault(key, step)
            return
        # A refresh ends as what it found: nothing, or an update or deletion of what is remembered.
        refresh = "refresh", step.urn, text_in(step.old, "id")
        if key not in self.steps and refresh in self.steps:
            key, step = refresh, replace(step, op="refresh")
        self.steps[key] = step
        self.ended.add(key)

    def _policy(self, event: dict[str, Any]) -> None:
        level = event.get("enforcementLevel")
        message = event.get("message")
        self.summary.checks.append(
            Check(
                address=str(event.get("resourceUrn") or ""),
                kind="policy",
                status="fail",
                problems=(message,) if isinstance(message, str) else (),
            )
        )
        self.summary.errored |= level == "mandatory"

    def _summary(self, event: dict[str, Any], at: str) -> None:
        if self.summary.counts is not None:
            self.reader.refuse(at, "a second summary (expected the events of one operation)")
        self.summary.counts = self.reader.counts(event.get("resourceChanges"), f"{at}/resourceChanges")
        self.summary.done = event.get("isPreview") is False
        # Engines before 2026 do not say how it went.
        result = event.get("result", "succeeded")
        self.summary.errored |= result == "failed" or event.get("maybeCorrupt") not in (None, False)
        if result not in ("succeeded", "failed"):
            self.summary.complete = False

    @staticmethod
    def _is_real(step: Step) -> bool:
        """Components end when the program says so, and many never do."""
        return is_made_by_plugin(step.new if step.new is not None else step.old or {})


FORMAT: Final = Format(id=ID, title="Pulumi engine events", recognizes=recognizes, parse=parse)
