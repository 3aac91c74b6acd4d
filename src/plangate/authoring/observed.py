"""An input of a test as the plan that it would be: then judging says what a rule's answer to it means."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from plangate.model.plan import Action, Check, OutputChange, Plan, Resource, Source
from plangate.model.values import UNKNOWN

_NEEDED: Final = ("address", "mode", "kind", "action", "deposed", "after")
"""What an entry must say to be taken for a resource: without it the library overlooks it."""


def observed_plan(document: Any) -> Plan | None:
    """The plan, as far as outcomes depend on it; ``None`` for an input that is none.

    An entry that does not say what every resource of a real plan says is left out: that a rule is silent about it
    proves nothing.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("resources"), Sequence):
        return None
    resources = tuple(
        resource for entry in document["resources"] if (resource := _resource(entry)) is not None
    )
    return Plan(source=_SOURCE, resources=resources, outputs=_outputs(document), checks=_checks(document))


def _resource(entry: Any) -> Resource | None:
    if not isinstance(entry, Mapping) or any(field not in entry for field in _NEEDED):
        return None
    try:
        action = Action(entry["action"])
    except ValueError:
        return None
    after = entry["after"]
    facts = entry.get("facts")
    region = entry.get("region")
    return Resource(
        address=str(entry["address"]),
        type=str(entry.get("type", "")),
        name=str(entry.get("name", "")),
        mode=str(entry["mode"]),
        region=UNKNOWN if region == "unknown" else str(region or ""),
        kind=str(entry["kind"] or ""),
        action=action,
        deposed=str(entry["deposed"] or ""),
        after=after if isinstance(after, Mapping) else None,
        unknown=tuple(pointer for pointer in _items(entry.get("unknown")) if isinstance(pointer, str)),
        facts={name: _fact(value) for name, value in facts.items()} if isinstance(facts, Mapping) else {},
    )


def _fact(value: Any) -> Any:
    if value == "unknown":
        return UNKNOWN
    if isinstance(value, Mapping):
        return {key: _fact(item) for key, item in value.items()}
    return tuple(map(_fact, value)) if isinstance(value, list) else value


def _outputs(document: Mapping[str, Any]) -> tuple[OutputChange, ...]:
    return tuple(
        OutputChange(name=str(entry.get("name", "")), action=Action.CREATE, after=_fact(entry.get("after")))
        for entry in _items(document.get("outputs"))
        if isinstance(entry, Mapping)
    )


def _checks(document: Mapping[str, Any]) -> tuple[Check, ...]:
    return tuple(
        Check(
            address=str(entry.get("address", "")),
            kind=str(entry.get("kind", "")),
            status=str(entry.get("status", "")),
        )
        for entry in _items(document.get("checks"))
        if isinstance(entry, Mapping)
    )


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


_SOURCE: Final = Source(
    name="test", format="", format_version="", tool="", sha256="", size=0, media_type="application/json"
)
