"""Which resources of a change set are replaced, by the schemas of their types.

CloudFormation says so itself. Here it is computed a second time from what changes and what the type's schema calls
create-only, and the stricter of the two counts: "replaced" wins over "changed in place".

Source: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceTargetDefinition.html
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from plangate.model.plan import Action, Plan, ReplaceOrder, Resource
from plangate.model.values import at_pointer, pointer, pointer_tokens

CreateOnly = Callable[[str], frozenset[str] | None]
"""JSON Pointers of the properties of a type whose change replaces the resource, always or sometimes; ``None`` for a
type without a schema."""

REASON: Final = "a property that changes replaces it"


def with_schemas(plan: Plan, described: Mapping[str, Any], create_only: CreateOnly) -> Plan:
    """The plan with each change in place that the schemas call a replacement as one.

    Args:
        plan: Of this change set.
        described: The change set, as ``describe-change-set`` said it.
        create_only: The schemas.
    """
    entries = {
        change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"]
        for change in described["Changes"]
    }
    return replace(
        plan,
        resources=tuple(
            _stricter(resource, entries[resource.address], create_only)
            if resource.action is Action.UPDATE
            else resource
            for resource in plan.resources
        ),
    )


def _stricter(resource: Resource, entry: Mapping[str, Any], create_only: CreateOnly) -> Resource:
    pointers = create_only(resource.type)
    forcing = _said(entry) | (_forcing(entry, pointers) if pointers else set())
    if not forcing:
        return resource
    return replace(
        resource,
        action=Action.REPLACE,
        replace_order=ReplaceOrder.CREATE_FIRST,
        reason=REASON,
        replace_paths=tuple(sorted(forcing)),
    )


def _forcing(entry: Mapping[str, Any], pointers: frozenset[str]) -> set[str]:
    """Those of the pointers at which something changes; all of them when nobody says what changes."""
    named = _named(entry)
    before, after = _properties(entry, "BeforeContext"), _properties(entry, "AfterContext")
    found = {at for at in pointers if pointer_tokens(at)[0] in named}
    if before is not None and after is not None:
        # NOTE: as CloudFormation writes them. A hidden value ("****") is the same as itself; where one changes, the
        # details name it.
        found |= {at for at in pointers if _at(before, at) != _at(after, at)}
    elif not named:
        return set(pointers)
    return found


def _said(entry: Mapping[str, Any]) -> set[str]:
    """Properties of which a detail says that they replace, whatever the change as a whole is called."""
    return {
        pointer(target.get("Name") or "")
        for target in _targets(entry)
        if target.get("RequiresRecreation") not in (None, "Never")
    }


def _at(properties: Mapping[str, Any], at: str) -> object:
    # Inside of a list the whole list is compared.
    return at_pointer(properties, at.partition("/*")[0])


def _named(entry: Mapping[str, Any]) -> set[str]:
    """The top-level properties that the change set says are changed."""
    found: set[str] = set()
    for target in _targets(entry):
        name, path = target.get("Name"), target.get("Path")
        if isinstance(name, str) and name:
            found.add(name)
        tokens = pointer_tokens(path) if isinstance(path, str) and path.startswith("/") else ()
        if len(tokens) > 1 and tokens[0] == "Properties":
            found.add(tokens[1])
        if target.get("Attribute") == "Tags":
            found.add("Tags")
    return found


def _targets(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    details = entry.get("Details")
    for detail in details if isinstance(details, list) else ():
        target = detail.get("Target") if isinstance(detail, Mapping) else None
        if isinstance(target, Mapping):
            yield target


def _properties(entry: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Properties in a context that `plangate.parsers.cloudformation.change_set` has read already."""
    text = entry.get(name)
    if not text:
        return None
    properties = json.loads(text).get("Properties", {})
    return properties if isinstance(properties, Mapping) else None
