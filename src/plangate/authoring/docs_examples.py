"""Examples for the pages about a rule: of the plans in its fixtures, what the rule reads and no more."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from plangate.authoring.fixtures import CASES, SETTINGS, folder_of, read_cases, read_json
from plangate.errors import PolicyLoadError
from plangate.model.values import pointer_tokens
from plangate.policy.reads import ANY, Read, Reads

MAX_RESOURCES: Final = 20
"""Resources that one example shows; of more it says how many there are."""

SENSITIVE: Final = "(sensitive)"

_ALWAYS: Final = ("address", "type", "action")
_GOING: Final = ("delete", "replace", "forget")


class Example(Struct, frozen=True, kw_only=True):
    """One case.

    Attributes:
        case: Its name; empty for one that is no case, of a built-in rule.
        address: What the outcome is about; empty for the plan as a whole.
        text: JSON of what the rule reads of it; of a built-in rule, source.
        settings: JSON of the settings that it was judged with, or an empty string for the defaults.
    """

    case: str
    address: str
    text: str
    settings: str = ""


class Examples(Struct, frozen=True, kw_only=True):
    """What a rule's fixtures show: a failure, a pass, and every case with address and outcome."""

    bad: Example | None = None
    good: Example | None = None
    cases: tuple[tuple[str, str, str], ...] = ()


def examples(folders: Sequence[Path], slug: str, reads: Reads, *, whole_plan: bool) -> Examples:
    """The examples of one rule; none if there is no ``cases.json`` for it.

    Args:
        folders: Where ``<slug>/cases.json`` may be; the first that has it counts.
        slug: The rule's.
        reads: What it reads of a plan.
        whole_plan: It judges the plan, not its resources.

    Raises:
        PolicyLoadError: A file of the fixtures is not what it has to be.
    """
    folder = folder_of(folders, slug)
    if folder is None:
        return Examples()
    found = read_cases(folder / CASES)
    cases = tuple((case, at, said) for case, outcomes in found.items() for at, said in outcomes.items())
    settings = read_json(folder / SETTINGS) if (folder / SETTINGS).is_file() else None
    bad = next(((case, at) for case, at, said in cases if case.startswith("fail_") and said == "fail"), None)
    passes = [(case, at) for case, at, said in cases if case.startswith("pass_") and said == "pass"]
    # The same resource in both is easier to compare.
    good = next((item for item in passes if bad and item[1] == bad[1]), passes[0] if passes else None)

    def shown(found: tuple[str, str] | None) -> Example | None:
        if found is None:
            return None
        plan = read_json(folder / f"{found[0]}.json")
        return Example(
            case=found[0],
            address=found[1],
            text=to_json(_excerpt(plan, found[1], reads, folder / f"{found[0]}.json", whole_plan=whole_plan)),
            settings="" if settings is None else to_json(settings),
        )

    return Examples(bad=shown(bad), good=shown(good), cases=cases)


def to_json(value: Any) -> str:
    """JSON for people; what does not print is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "".join(char if char == "\n" or char.isprintable() else json.dumps(char)[1:-1] for char in text)


def _excerpt(plan: Any, address: str, reads: Reads, file: Path, *, whole_plan: bool) -> Any:
    """What the rule reads of the resource and, if it reads others, of those."""
    entries = plan.get("resources") if isinstance(plan, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PolicyLoadError(str(file), "is not a plan document", code="fixtures")
    if address and not any(entry.get("address") == address for entry in entries):
        raise PolicyLoadError(str(file), f"has no resource {address}", code="fixtures")
    found = []
    for entry in entries:
        own = reads.own if entry.get("address") == address else frozenset[Read]()
        others = [item for kind, items in reads.others if kind in ("", entry.get("kind")) for item in items]
        if own or others or whole_plan or entry.get("address") == address:
            found.append(_narrow(entry, [*own, *others]) | _references(entry, together=bool(reads.others)))
    shown: list[Any] = found[:MAX_RESOURCES]
    if len(found) > MAX_RESOURCES:
        shown.append(f"… {len(found) - MAX_RESOURCES} more")
    if not whole_plan:
        return shown[0] if len(shown) == 1 else shown
    context = plan.get("context")
    drift = plan.get("drift")
    return (
        ({"context": context} if isinstance(context, dict) and context.get("time") else {})
        | {"resources": shown}
        | ({"drift": [_narrow(entry, ()) for entry in drift[:MAX_RESOURCES]]} if drift else {})
    )


def _narrow(entry: Mapping[str, Any], reads: Sequence[Read]) -> dict[str, Any]:
    """Of one resource, the fields, facts and attributes that are read.

    A rule that names some of them and may also look at the resource as a whole is shown with those that it names.
    What is read of the state before is not known, so of a resource that goes all of it is shown.
    """
    wanted: dict[str, set[str]] = {}
    named = [read.path for read in reads if read.path]
    for path in named or [(name,) for name in ("facts", "after") if reads]:
        wanted.setdefault(path[0], set()).add(path[1] if len(path) > 1 else ANY)
    if entry.get("action") in _GOING:
        wanted["before"] = {ANY}
    hidden = [pointer_tokens(text) for text in entry.get("sensitive", ()) if isinstance(text, str)]
    narrowed = {name: entry.get(name) for name in _ALWAYS}
    if entry.get("replace_order"):
        narrowed["replace_order"] = entry["replace_order"]
    for name in sorted(wanted):
        value = entry.get(name)
        if name in _ALWAYS or value in (None, [], {}):
            continue
        if name in ("after", "before"):
            value = _without(value, hidden)
        if isinstance(value, dict) and ANY not in wanted[name]:
            value = {key: value[key] for key in sorted(wanted[name]) if key in value}
        if value or name != "facts":
            narrowed[name] = value
    return narrowed


def _references(entry: Mapping[str, Any], *, together: bool) -> dict[str, Any]:
    """Where a rule looks at several resources, how they hang together matters."""
    references = entry.get("references")
    if not together or not isinstance(references, list):
        return {}
    found = [item.get("address") for item in references if isinstance(item, dict)]
    return {"references": list(dict.fromkeys(found))} if found else {}


def _without(value: Any, hidden: Sequence[Sequence[str]]) -> Any:
    """A copy in which what these paths lead to is not told."""
    if any(not path for path in hidden):
        return SENSITIVE
    if isinstance(value, dict):
        items = value.items()
        return {key: _without(item, [path[1:] for path in hidden if path[0] == key]) for key, item in items}
    if isinstance(value, list):
        return [
            _without(item, [path[1:] for path in hidden if path[0] == str(index)])
            for index, item in enumerate(value)
        ]
    return value
