"""A second reading of a plan document: slow, plain, and written from Terraform's documentation rather than from ours.

It knows nothing of the parser's shortcuts, so what both agree on is unlikely to be wrong in both.
"""

from collections.abc import Iterator
from typing import Any

from plangate.model.values import UNKNOWN

_WORDS = {
    ("delete", "create"): ("replace", "destroy-first"),
    ("create", "delete"): ("replace", "create-first"),
}


def pointers(shadow: Any) -> Iterator[tuple[str | int, ...]]:
    """Places that a shadow marks."""
    if shadow is True:
        yield ()
    if isinstance(shadow, dict):
        for key in shadow:
            yield from ((key, *rest) for rest in pointers(shadow[key]))
    if isinstance(shadow, list):
        for index in range(len(shadow)):
            yield from ((index, *rest) for rest in pointers(shadow[index]))


def written(place: tuple[str | int, ...]) -> str:
    """RFC 6901."""
    return "".join(["/" + str(token).replace("~", "~0").replace("/", "~1") for token in place])


def put_unknown(value: Any, place: tuple[str | int, ...]) -> Any:
    """A copy of a value with `UNKNOWN` at one place."""
    if not place:
        return UNKNOWN
    first, rest = place[0], place[1:]
    if isinstance(first, int):
        items = [] if value is None else list(value)
        while len(items) <= first:
            items.append(None)
        items[first] = put_unknown(items[first], rest)
        return items
    members = {} if value is None else dict(value)
    members[first] = put_unknown(members.get(first), rest)
    return members


def expected(entry: dict[str, Any]) -> dict[str, Any]:
    """What a resource must say that comes from this entry."""
    change = entry["change"]
    words = tuple(change["actions"])
    action, order = _WORDS.get(words, (words[0], None))
    after, shadow = change.get("after"), change.get("after_unknown")
    unknown = sorted(set(pointers(shadow)), key=written)
    planned = after
    for place in unknown:
        planned = put_unknown(planned, place)
    nothing_known = after is None and action not in {"delete", "forget", "no-op"}
    vanished = after is None and not nothing_known
    marked = {*pointers(change.get("before_sensitive")), *pointers(change.get("after_sensitive"))}
    return {
        "address": entry["address"],
        "mode": entry["mode"],
        "type": entry["type"],
        "name": entry["name"],
        "index": entry.get("index"),
        "module_address": entry.get("module_address", ""),
        "deposed": entry.get("deposed", ""),
        "previous_address": entry.get("previous_address", ""),
        "reason": entry.get("action_reason", ""),
        "action": action,
        "replace_order": order,
        "importing": change.get("importing"),
        "before": change.get("before"),
        "after": {} if nothing_known else after,
        "planned": {} if nothing_known or vanished else planned,
        "unknown": [""] if nothing_known else [] if vanished else [written(place) for place in unknown],
        "sensitive": sorted(written(place) for place in marked),
    }


def found(resource: Any) -> dict[str, Any]:
    """What the parser's resource says, in the oracle's words."""
    return {
        "address": resource.address,
        "mode": resource.mode,
        "type": resource.type,
        "name": resource.name,
        "index": resource.index,
        "module_address": resource.module_address,
        "deposed": resource.deposed,
        "previous_address": resource.previous_address,
        "reason": resource.reason,
        "action": resource.action.value,
        "replace_order": resource.replace_order.value if resource.replace_order else None,
        "importing": resource.importing,
        "before": resource.before,
        "after": resource.after,
        "planned": dict(resource.planned),
        "unknown": list(resource.unknown),
        "sensitive": list(resource.sensitive),
    }
