"""The normalized plan as a document: what Rego policies get as ``input``, fact for fact what built-in rules get.

Published as ``plangate.dev/plan/v1``. In facts, and in outputs, an unknown leaf is the text ``"unknown"``; in
``after`` an unknown value is missing and its JSON Pointer is listed in ``unknown`` (``""`` is the whole resource).
"""

from collections.abc import Callable, Mapping
from typing import Any

from plangate.model.address import patterns
from plangate.model.plan import PLAN_SCHEMA, Plan, Resource
from plangate.model.values import UNKNOWN, Unknown

Mask = Callable[[Any, tuple[str, ...]], Any]
"""Values and the JSON Pointers of what is sensitive in them → the values to show."""


def plan_document(plan: Plan, mask: Mask | None = None) -> dict[str, Any]:
    """The plan as JSON-like values; leaves may be ``Decimal``, or `UNKNOWN` for which there is `unknown_as_text`.

    Args:
        plan: The plan.
        mask: Replaces sensitive values; without it they stand in clear, which is for judging only.
    """
    source = plan.source
    return {
        "schema": PLAN_SCHEMA,
        "source": {
            "format": source.format,
            "format_version": source.format_version,
            "tool": source.tool,
            "sha256": source.sha256,
            "environment": plan.environment,
        },
        "context": {"time": plan.time or None},
        "complete": plan.complete,
        "errored": plan.errored,
        "applyable": plan.applyable,
        "resources": [_resource(resource, mask) for resource in plan.resources],
        "drift": [
            {
                "address": drift.address,
                "type": drift.type,
                "action": drift.action.value,
                "before": mask(drift.before, drift.sensitive) if mask else drift.before,
                "after": mask(drift.after, drift.sensitive) if mask else drift.after,
            }
            for drift in plan.drift
        ],
        "outputs": [
            {
                "name": output.name,
                "action": output.action.value,
                "before": mask(output.before, ("",)) if mask and output.sensitive else output.before,
                "after": mask(output.after, ("",)) if mask and output.sensitive else output.after,
                "sensitive": output.sensitive,
            }
            for output in plan.outputs
        ],
        "checks": [
            {
                "address": check.address,
                "kind": check.kind,
                "status": check.status,
                "problems": list(check.problems),
            }
            for check in plan.checks
        ],
        "provisioners": [
            {"address": provisioner.address, "type": provisioner.type, "runs": provisioner.runs}
            for provisioner in plan.provisioners
        ],
        "providers": list(plan.providers),
        "opaque": list(plan.opaque),
        "unmodelled": list(plan.unmodelled),
    }


def unknown_as_text(value: object) -> Any:
    """Encoder hook: what JSON has no word for."""
    if isinstance(value, Unknown):
        return "unknown"
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in a plan document")


def _resource(resource: Resource, mask: Mask | None) -> dict[str, Any]:
    location = resource.location
    return {
        "address": resource.address,
        "type": resource.type,
        "name": resource.name,
        "mode": resource.mode,
        "provider": resource.provider,
        "cloud": resource.cloud or None,
        "region": "unknown" if resource.region is UNKNOWN else resource.region or None,
        "kind": resource.kind or None,
        "action": resource.action.value,
        "replace_order": resource.replace_order.value if resource.replace_order else None,
        "reason": resource.reason or None,
        "previous_address": resource.previous_address or None,
        "importing": resource.importing,
        "deposed": resource.deposed or None,
        "existing": resource.existing,
        "module": resource.module_address or None,
        "index": resource.index,
        "before": mask(resource.before, resource.sensitive) if mask else resource.before,
        "after": mask(resource.after, resource.sensitive) if mask else resource.after,
        "unknown": resource.unknown,
        "sensitive": resource.sensitive,
        "replace_paths": resource.replace_paths,
        "references": [
            {"at": edge.at, "address": edge.address, "exact": edge.exact, "attribute": edge.attribute or None}
            for edge in resource.references
        ],
        "unresolved": resource.unresolved,
        "patterns": patterns(resource.address)[1:],
        "facts": resource.facts,
        "location": {"file": location.file, "line": location.line} if location else None,
    }
