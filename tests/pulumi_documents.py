"""Short ways to make what Pulumi's engine writes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from plangate.facts.registry import plan_with_facts
from plangate.model.plan import Plan
from plangate.parsers import pulumi_events, pulumi_preview
from plangate.parsers.base import Documents, Input, Limits, Options
from plangate.parsers.json_documents import read_json_document, read_json_lines

PREFIX: Final = "urn:pulumi:dev::shop::"
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
INSTANCE: Final = "aws:ec2/instance:Instance"
BUCKET: Final = "aws:s3/bucket:Bucket"


def urn(name: str, token: str = INSTANCE) -> str:
    """A resource's name in the stack of these tests."""
    return f"{PREFIX}{token}::{name}"


def a_state(name: str, inputs: Mapping[str, Any], token: str = INSTANCE, **more: Any) -> dict[str, Any]:
    """State of a resource that a provider makes."""
    return {"urn": urn(name, token), "custom": True, "type": token, "inputs": dict(inputs), **more}


def a_step(
    op: str, old: Mapping[str, Any] | None = None, new: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """One step of a preview."""
    state = new or old or {}
    step = {"op": op, "urn": state.get("urn"), "oldState": old, "newState": new, "detailedDiff": None}
    return {**{key: value for key, value in step.items() if value is not None}, **more}


def a_creation(name: str, inputs: Mapping[str, Any], token: str = INSTANCE, **more: Any) -> dict[str, Any]:
    """The step that makes a resource."""
    return a_step("create", new=a_state(name, inputs, token, **more))


def a_preview(*steps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A preview that counts what it lists."""
    counts: dict[str, int] = {}
    for step in steps:
        if step["op"] not in {"create-replacement", "delete-replaced"}:
            counts[step["op"]] = counts.get(step["op"], 0) + 1
    return {"steps": list(steps), "duration": 1, "changeSummary": counts, **more}


def an_event(kind: str, **payload: Any) -> dict[str, Any]:
    """One engine event."""
    return {"sequence": 0, "timestamp": 0, kind: payload}


def events_of(
    op: str, old: Mapping[str, Any] | None = None, new: Mapping[str, Any] | None = None, **more: Any
) -> list[dict[str, Any]]:
    """What the engine says when it begins and ends a step."""
    state = new or old or {}
    metadata = {"op": op, "urn": state.get("urn"), "type": state.get("type"), "old": old, "new": new, **more}
    return [
        an_event(kind, metadata=metadata, planning=True) for kind in ("resourcePreEvent", "resOutputsEvent")
    ]


def a_summary(preview: bool = True, **counts: int) -> dict[str, Any]:  # noqa: FBT002 - the engine's word
    """The event that ends a stream that went well."""
    return an_event("summaryEvent", resourceChanges=counts, isPreview=preview, result="succeeded")


def read_preview(document: Any, limits: Limits | None = None) -> Plan:
    """The plan of a preview, without facts."""
    bounds = limits or Limits()
    return pulumi_preview.parse(read_json_document(_input(json.dumps(document)), bounds), Options(), bounds)


def read_events(events: Sequence[Any], limits: Limits | None = None) -> Plan:
    """The plan of a stream, without facts."""
    bounds = limits or Limits()
    return pulumi_events.parse(lines(events, bounds), Options(), bounds)


def lines(events: Sequence[Any], limits: Limits) -> Documents:
    """Events as JSON Lines."""
    return read_json_lines(_input("\n".join(json.dumps(event) for event in events)), limits)


def facts_in(document: Any, name: str, token: str = INSTANCE) -> Mapping[str, Any]:
    """Facts of one resource of a preview."""
    address = urn(name, token).removeprefix(PREFIX)
    return next(r.facts for r in plan_with_facts(read_preview(document)).resources if r.address == address)


def _input(text: str) -> Input:
    data = text.encode()
    return Input(name="preview.json", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
