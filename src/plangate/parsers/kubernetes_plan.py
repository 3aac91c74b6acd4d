"""The plan that is made for applying manifests to a cluster: each object before and after, as the API server says it.

What is judged is ``after``: defaults and webhooks are in it. What is sent is not looked at here; the executor runs a
plan only while the server still makes ``after`` of it.

Source: docs/adr/0021-kubernetes-apply.md
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from plangate.model.plan import Action, Location, Plan, Resource, Source
from plangate.model.values import UNKNOWN, pointer_tokens
from plangate.parsers.base import Documents, Format, Limits, Options
from plangate.parsers.kubernetes import PROVIDER, Reader
from plangate.parsers.kubernetes_objects import Complaints, Entry, is_object

ID: Final = "kubernetes-plan"
SCHEMA: Final = "plangate.dev/kubernetes-plan/v1"
MAX_UNKNOWN: Final = 1_000
"""Unknown values of one object; each costs a copy of what holds it."""
_MAX_INDEX_DIGITS: Final = 9
_ACTIONS: Final = {"create": Action.CREATE, "update": Action.UPDATE, "no-op": Action.NO_OP}


def recognizes(values: Sequence[Any]) -> bool:
    """Whether it is one document with the schema's name."""
    return len(values) == 1 and isinstance(values[0], dict) and values[0].get("schema") == SCHEMA


def parse(documents: Documents, _options: Options, limits: Limits) -> Plan:
    """The plan, with the objects in the order in which they are applied.

    Raises:
        PlanParseError: It is not fully understood; names the place.
    """
    complaints = Complaints(documents)
    document = documents.values[0]
    listed = document.get("objects")
    if not isinstance(listed, list):
        complaints.refuse(0, "/objects", "not a list of objects")
    if len(listed) > limits.max_resources:
        complaints.refuse(0, "/objects", f"more than {limits.max_resources} objects")
    found = [_entry(each, f"/objects/{index}", complaints) for index, each in enumerate(listed)]
    reader = Reader(documents, found)
    resources = tuple(
        _resource(reader.resource(entry), each, f"/objects/{index}", complaints)
        for index, (entry, each) in enumerate(zip(found, listed, strict=True))
    )
    source, version = documents.source, document.get("server_version")
    return Plan(
        source=Source(
            name=source.name,
            format=ID,
            format_version="v1",
            tool=f"kubernetes {version}" if isinstance(version, str) and version else "kubernetes",
            sha256=source.sha256,
            size=source.size,
            media_type=source.media_type,
        ),
        resources=resources,
        providers=(PROVIDER,) if resources else (),
        opaque=tuple(reader.opaque),
        secrets=frozenset(reader.secrets),
    )


FORMAT: Final = Format(id=ID, title="Kubernetes plan of plangate", recognizes=recognizes, parse=parse)


def _entry(each: Any, at: str, complaints: Complaints) -> Entry:
    """One object. What it says of the change has to be what its two sides say."""
    if not isinstance(each, dict):
        complaints.refuse(0, at, "not an object")
    change, before, after = each.get("change"), each.get("before"), each.get("after")
    action = _ACTIONS.get(change) if isinstance(change, str) else None
    if action is None:
        complaints.refuse(0, f"{at}/change", f"unknown change {change!r:.40} (known: {', '.join(_ACTIONS)})")
    if not is_object(after):
        complaints.refuse(0, f"{at}/after", "not a Kubernetes object")
    if before is not None and not is_object(before):
        complaints.refuse(0, f"{at}/before", "not a Kubernetes object")
    if (before is None) != (action is Action.CREATE):
        complaints.refuse(
            0, f"{at}/change", f"{change}, with {'no' if before is None else 'an'} object before"
        )
    if action is Action.NO_OP and before != after:
        complaints.refuse(0, f"{at}/change", "no-op, and before and after are not the same")
    return Entry(action=action, before=before, after=after, document=0, at=f"{at}/after")


def _resource(found: Resource, each: Mapping[str, Any], at: str, complaints: Complaints) -> Resource:
    """With what is unknown, and with the place where it is written."""
    listed = each.get("unknown")
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        complaints.refuse(0, f"{at}/unknown", "not a list of JSON Pointers")
    if len(listed) > MAX_UNKNOWN:
        complaints.refuse(0, f"{at}/unknown", f"more than {MAX_UNKNOWN} unknown values")
    planned: Any = found.planned
    for item in listed:
        tokens = pointer_tokens(item)
        if not tokens or item[0] != "/":
            complaints.refuse(0, f"{at}/unknown", f"not a JSON Pointer of a member: {item!r:.80}")
        planned = _with_unknown(planned, tokens)
        if planned is None:
            complaints.refuse(0, f"{at}/unknown", f"{item!r:.80} is no member of an object, or is there")
    file, line = each.get("file"), each.get("line")
    location = found.location
    if isinstance(file, str) and isinstance(line, int):
        location = Location(file=file, line=line)
    return replace(found, planned=planned, unknown=tuple(sorted(listed)), location=location, places={})


def _with_unknown(value: Any, tokens: Sequence[str]) -> Any:
    """A copy with `UNKNOWN` where these tokens lead; ``None`` when that is no place for a member."""
    (first, *others) = tokens
    if isinstance(value, Mapping):
        if not others:
            return None if first in value else {**value, first: UNKNOWN}
        below = _with_unknown(value.get(first), others)
        return None if below is None else {**value, first: below}
    index = int(first) if first.isdecimal() and len(first) <= _MAX_INDEX_DIGITS else -1
    if isinstance(value, list) and others and 0 <= index < len(value):
        below = _with_unknown(value[index], others)
        return None if below is None else [*value[:index], below, *value[index + 1 :]]
    return None
