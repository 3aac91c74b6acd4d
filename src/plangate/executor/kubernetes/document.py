"""The plan of what is applied to a cluster: ``plangate.dev/kubernetes-plan/v1``, and what counts as a difference.

It holds the manifests, the live objects and what the server says that it would store, with the values of secrets: as
sensitive as a saved plan of terraform. `plangate.parsers.kubernetes_plan` reads it for judging.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.model.values import pointer

SCHEMA: Final = "plangate.dev/kubernetes-plan/v1"
_VOLATILE: Final = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)
"""Metadata that the server keeps, and that differs from one moment to the next without a change of the object."""
_NOBODY: Final = "before-first-apply"
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class PlannedObject(Struct, frozen=True, kw_only=True):
    """One object of a plan.

    Attributes:
        address: As in the judged plan, for people.
        path: Below the server's URL.
        file: Where it is written.
        line: From 1; 0 when not known.
        manifest: What is sent.
        uid: Of the live object; empty when there is none.
        resource_version: Of the live object when it was read.
        before: The live object without what is volatile; ``None`` when there is none.
        after: The object as the server would store it, without what is volatile and without what is unknown.
        unknown: JSON Pointers of what is known only after apply.
        change: ``create``, ``update`` or ``no-op``.
        ownership: Field managers would change, if nothing else.
    """

    address: str
    path: str
    file: str
    line: int
    manifest: dict[str, Any]
    uid: str
    resource_version: str
    before: dict[str, Any] | None
    after: dict[str, Any]
    unknown: tuple[str, ...]
    change: str
    ownership: bool


class ClusterPlan(Struct, frozen=True, kw_only=True):
    """A whole plan.

    Attributes:
        schema: `SCHEMA`.
        id: Random, so that two plans that want the same are two plans, each good for one execution.
        server: URL of the server that foresaw it.
        server_version: As it says.
        cluster: Its identity; empty when it could not be read.
        field_manager: Whose fields they become.
        objects: In the order in which they are applied.
    """

    schema: str
    id: str
    server: str
    server_version: str
    cluster: str
    field_manager: str
    objects: tuple[PlannedObject, ...]


def encode(plan: ClusterPlan) -> bytes:
    """The document's bytes. They begin with the schema."""
    return _ENCODER.encode(plan)


def decode(data: bytes) -> ClusterPlan:
    """The plan in a document.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    plan = msgspec.json.decode(data, type=ClusterPlan)
    if plan.schema != SCHEMA:
        raise msgspec.ValidationError(f"the schema is {plan.schema!r:.60}, expected {SCHEMA}")
    return plan


def settled(found: Mapping[str, Any]) -> dict[str, Any]:
    """An object of the API without its status and without what is volatile."""
    kept = {key: value for key, value in found.items() if key != "status"}
    metadata = found.get("metadata")
    if isinstance(metadata, Mapping):
        kept["metadata"] = {key: value for key, value in metadata.items() if key not in _VOLATILE}
    return kept


def owners(found: Mapping[str, Any]) -> list[Any]:
    """Who manages which fields of an object, without when.

    What the API makes up for objects without managers is left out: it makes it up each time until there is one. So is
    the status, which says nothing of what is judged.
    """
    metadata = found.get("metadata")
    listed = metadata.get("managedFields") if isinstance(metadata, Mapping) else None
    if not isinstance(listed, list):
        return []
    kept = [
        {key: value for key, value in each.items() if key != "time"}
        for each in listed
        if isinstance(each, dict)
    ]
    kept = [e for e in kept if e.get("subresource") != "status" and e.get("manager") != _NOBODY]
    return sorted(kept, key=lambda each: msgspec.json.encode(each, order="sorted"))


def differences(first: Any, second: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths of what differs: whole members of objects, and lists as a whole when their lengths differ."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        for key in sorted(first.keys() | second.keys()):
            if key not in first or key not in second:
                yield (*at, key)
            else:
                yield from differences(first[key], second[key], (*at, key))
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for index, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from differences(one, other, (*at, index))
    elif type(first) is not type(second) or first != second:
        yield at


def members(paths: Sequence[tuple[str | int, ...]]) -> tuple[str, ...]:
    """JSON Pointers of paths, each cut back to a member of an object: an item of a list cannot be left out."""
    found = set()
    for path in paths:
        cut = path
        while cut and isinstance(cut[-1], int):
            cut = cut[:-1]
        found.add(pointer(*cut))
    return tuple(sorted(found))


def without(value: Any, pointers: Sequence[str]) -> Any:
    """A copy of a value without the members at these JSON Pointers."""
    cut = frozenset(pointers)
    return _without(value, cut, "") if cut else value


def _without(value: Any, cut: frozenset[str], at: str) -> Any:
    if isinstance(value, Mapping):
        kept = {}
        for key, item in value.items():
            here = at + pointer(key)
            if here not in cut:
                kept[key] = _without(item, cut, here)
        return kept
    if isinstance(value, list):
        return [_without(item, cut, f"{at}/{index}") for index, item in enumerate(value)]
    return value
