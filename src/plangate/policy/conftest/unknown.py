"""Where a raw document lacks a value because it is known only after apply.

Terraform's plan JSON leaves such values out and says so elsewhere (``after_unknown``); Pulumi writes a placeholder. A
conftest policy cannot tell the first from an absent value, and the second from a real one.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from plangate.policy.program import Path
from plangate.policy.reads import ANY

_PLACEHOLDER: Final = re.compile(
    # Pulumi's placeholders for a text, a boolean, a number, a list, an object, an asset and an archive
    # (https://github.com/pulumi/pulumi, sdk/go/common/resource/plugin/rpc.go), and the words of its display.
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9|1c4a061d-8072-4f0a-a4cb-0ff528b18fe7|3eeb2bf0-c639-47a8-9e75-3b44932eb421|"
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2|dd056dcd-154b-4c76-9bd3-c8f88648b5ff|030794c1-ac77-496b-92df-f27374a8bd58|"
    r"e48ece36-62e2-4504-bad9-02848725956a|^\[unknown\]$|^computed<unknown>$|^output<[^<>]{0,100}>$|"
    # CloudFormation's, in a change set.
    r"\{\{changeSet:"
)
_UNKNOWN: Final = "unknown"


def unknown_paths(document: Any) -> frozenset[Path]:
    """Paths from the top of the document; ``*`` stands for a place in a list."""
    if isinstance(document, Mapping) and ("resource_changes" in document or "planned_values" in document):
        return frozenset(_of_plan(document))
    return frozenset(_placeholders(document, ()))


def _of_plan(plan: Mapping[str, Any]) -> Iterator[Path]:
    by_address: dict[str, list[Path]] = {}
    for name in ("resource_changes", "resource_drift"):
        for entry in _items(plan.get(name)):
            paths = list(_marked(_mapping(entry.get("change")).get("after_unknown"), ()))
            for path in paths:
                yield (name, ANY, "change", "after", *path)
            if name == "resource_changes":
                by_address.setdefault(str(entry.get("address")), []).extend(paths)
    for entry in _items(plan.get("deferred_changes")):
        inner = _mapping(entry.get("resource_change"))
        for path in _marked(_mapping(inner.get("change")).get("after_unknown"), ()):
            yield ("deferred_changes", ANY, "resource_change", "change", "after", *path)
    for name, change in _mapping(plan.get("output_changes")).items():
        for path in _marked(_mapping(change).get("after_unknown"), ()):
            yield ("output_changes", name, "after", *path)
            yield ("planned_values", "outputs", name, "value", *path)
    planned = _mapping(_mapping(plan.get("planned_values")).get("root_module"))
    yield from _of_module(planned, ("planned_values", "root_module"), by_address)
    yield from _of_checks(plan.get("checks"))


def _of_module(module: Mapping[str, Any], at: Path, by_address: Mapping[str, list[Path]]) -> Iterator[Path]:
    stack = [(module, at)]
    while stack:
        each, here = stack.pop()
        for resource in _items(each.get("resources")):
            for path in by_address.get(str(resource.get("address")), ()):
                yield (*here, "resources", ANY, "values", *path)
        stack += [(child, (*here, "child_modules", ANY)) for child in _items(each.get("child_modules"))]


def _of_checks(checks: Any) -> Iterator[Path]:
    """A check that waits for a value is neither passed nor failed."""
    for check in _items(checks):
        if check.get("status") == _UNKNOWN:
            yield ("checks", ANY, "status")
        for instance in _items(check.get("instances")):
            if instance.get("status") == _UNKNOWN:
                yield ("checks", ANY, "instances", ANY, "status")


def _marked(marks: Any, at: Path) -> Iterator[Path]:
    """Where the marks say true."""
    if marks is True:
        yield at
    elif isinstance(marks, Mapping):
        for key, inner in marks.items():
            yield from _marked(inner, (*at, key))
    elif isinstance(marks, list):
        for inner in marks:
            yield from _marked(inner, (*at, ANY))


def _placeholders(value: Any, at: Path) -> Iterator[Path]:
    if isinstance(value, str):
        if _PLACEHOLDER.search(value):
            yield at
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _placeholders(inner, (*at, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _placeholders(inner, (*at, ANY))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))
