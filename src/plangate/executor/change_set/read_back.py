"""The real resources of a stack, read for the obligations: what AWS says they are, not what the template says.

A resource that cannot be read has ``null``; what is not known of it stays unknown, and an unknown obligation is not
met.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers import handler_for
from plangate.executor.change_set.calls import CallError, Client, call, pages
from plangate.executor.change_set.recorded import RecordedChangeSet

SCHEMA: Final = "plangate.dev/stack-read-back/v1"
MAX_RESOURCES: Final = 500
"""CloudFormation's own limit for a stack."""
_ENCODER: Final = msgspec.json.Encoder(order="sorted", decimal_format="number")
_GONE: Final = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})


ReadBack = Callable[[str, str], Mapping[str, Any] | None]
"""Type and identifier of a resource to its properties, with the names of its CloudFormation schema; ``None`` when they
cannot be read."""


class CloudControl:
    """Reads any type that Cloud Control knows."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def __call__(self, type_name: str, identifier: str) -> Mapping[str, Any] | None:
        """See `ReadBack`."""
        try:
            answer = call(
                self._aws.client("cloudcontrol"), "get_resource", TypeName=type_name, Identifier=identifier
            )
            properties = json.loads(answer["ResourceDescription"]["Properties"])
        except (CallError, KeyError, TypeError, ValueError):
            return None
        return properties if isinstance(properties, Mapping) else None


class RealResources:
    """Reads a resource by the handler of its type where there is one, else through Cloud Control."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._cloud_control = CloudControl(aws)

    def __call__(self, type_name: str, identifier: str) -> Mapping[str, Any] | None:
        """See `ReadBack`."""
        handler = handler_for(type_name)
        if handler is not None:
            try:
                found = handler.read(self._aws, [identifier]).get(identifier)
            except Exception:  # noqa: BLE001 - whatever it was: nothing is known then, and unknown is not met
                found = None
            if found is not None:
                return found.properties
        return self._cloud_control(type_name, identifier)


def resources_of(client: Client, recorded: RecordedChangeSet, read: ReadBack) -> bytes:
    """The document for `plangate.parsers.cloudformation.read_back`: the judged change set, and what is there now.

    Args:
        client: CloudFormation's.
        recorded: What was judged.
        read: Reads one resource.

    Raises:
        CallError: AWS does not say which resources the stack has.
    """
    _, listed = pages(client, "list_stack_resources", "StackResourceSummaries", StackName=recorded.stack.id)
    found: dict[str, Any] = {}
    for entry in listed[:MAX_RESOURCES]:
        name, identifier = entry.get("LogicalResourceId"), entry.get("PhysicalResourceId")
        if not name or entry.get("ResourceStatus") in _GONE:
            continue
        found[name] = {
            "type": entry.get("ResourceType"),
            "id": identifier,
            "properties": read(str(entry.get("ResourceType")), identifier) if identifier else None,
        }
    return _ENCODER.encode({"schema": SCHEMA, "judged": recorded, "resources": found})
