"""What exists of the resources of a change set whose execution did not end well."""

from collections.abc import Mapping
from typing import Any, Final

from plangate.executor.base import Found, Scrub, Standing
from plangate.executor.change_set.calls import CallError, Client, pages
from plangate.executor.change_set.recorded import RecordedChangeSet

_ABSENT: Final = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})


def how_they_stand(client: Client, recorded: RecordedChangeSet, scrub: Scrub) -> tuple[Found, ...]:
    """How each resource stands that the change set was to change, by what the stack lists now."""
    addresses = [
        str(change["ResourceChange"]["LogicalResourceId"]) for change in recorded.described["Changes"]
    ]
    listed: Mapping[str, Mapping[str, Any]] | None
    try:
        _, entries = pages(
            client, "list_stack_resources", "StackResourceSummaries", StackName=recorded.stack.id
        )
        listed = {entry.get("LogicalResourceId", ""): entry for entry in entries}
    except CallError:
        listed = None
    return tuple(
        Found(
            address=scrub(address),
            standing=Standing.UNKNOWN if listed is None else _standing(listed.get(address)),
        )
        for address in addresses
    )


def _standing(entry: Mapping[str, Any] | None) -> Standing:
    if entry is None or entry.get("ResourceStatus") in _ABSENT:
        return Standing.ABSENT
    status = str(entry.get("ResourceStatus"))
    if not entry.get("PhysicalResourceId"):
        # It was to be made, and never got as far as having an identifier.
        return Standing.UNKNOWN if status.endswith("_IN_PROGRESS") else Standing.ABSENT
    if status == "CREATE_FAILED":
        return Standing.TAINTED
    return Standing.UNKNOWN if status.endswith("_IN_PROGRESS") else Standing.EXISTS
