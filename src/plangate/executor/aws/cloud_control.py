"""Any type that has no handler of its own, through Cloud Control API, as its schema describes it.

Rules this module keeps:
1. A request runs at AWS by itself. The same creation twice is one request, by the client token, for 36 hours: so
   `CloudControl.create` asks for it again and again until it is done, as does whoever goes on after a crash, and
   there is nothing to find. Until then it says that AWS is not ready yet.
2. While a change or a deletion is under way the resource is busy: `CloudControl.read` asks for all requests under way
   in one call.
3. What AWS never tells again has to go along with every change: AWS would take it away otherwise.

Sources: https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ProgressEvent.html, API_CreateResource.html
and https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations-update.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, cast

import msgspec

from plangate.errors import ExecutionError
from plangate.executor.aws.base import REF, BaseHandler, Condition, Found, Handler, Mark, Properties
from plangate.executor.aws.calls import call
from plangate.executor.aws.clients import Aws, NotYetError, is_gone
from plangate.executor.aws.schemas import Schema
from plangate.executor.aws.tags import as_mapping, marks_of, tag_list, template_tags

_UNDER_WAY: Final = ("PENDING", "IN_PROGRESS", "CANCEL_IN_PROGRESS")
_DONE: Final = "SUCCESS"
_NEEDED: Final = ("create", "read", "delete")
_LONGEST_DETAIL: Final = 300
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class CloudControl(BaseHandler):
    """One type; `cloud_control` makes the class for it.

    What carries our marks cannot be listed: a resource of such a type is known by the journal alone.

    Attributes:
        schema: Of the type.
        tag_property: Name of the property that has its tags; empty for none.
    """

    schema: ClassVar[Schema]
    tag_property: ClassVar[str]
    type: ClassVar[str]
    supported: ClassVar[frozenset[str]]
    patience_s: ClassVar[float] = 3600.0
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "create": frozenset({"cloudformation:CreateResource", "cloudformation:GetResourceRequestStatus"}),
        "read": frozenset({"cloudformation:GetResource", "cloudformation:ListResourceRequests"}),
        "update": frozenset({"cloudformation:UpdateResource"}),
        "delete": frozenset({"cloudformation:DeleteResource"}),
    }  # fmt: skip
    """Cloud Control's actions are those of CloudFormation; the type's own are in its schema."""

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for what is under way, and one for each."""
        busy = self._under_way(aws) if identifiers else {}
        found = {each: self._resource(aws, each, busy.get(each, "")) for each in identifiers}
        return {identifier: each for identifier, each in found.items() if each is not None}

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """Two calls: the request, and how it is.

        Raises:
            NotYetError: It is under way.
            ExecutionError: AWS gave up.
        """
        state = dict(properties)
        if self.tag_property:
            state[self.tag_property] = self._tags(
                as_mapping(properties.get(self.tag_property)) | dict(mark.tags)
            )
        made = call(
            aws,
            "cloudcontrol",
            "CreateResource",
            TypeName=self.type,
            DesiredState=_encoder.encode(state).decode(),
            ClientToken=mark.token,
        )
        token = made["ProgressEvent"]["RequestToken"]
        event = call(aws, "cloudcontrol", "GetResourceRequestStatus", RequestToken=token)["ProgressEvent"]
        status, identifier = str(event.get("OperationStatus", "")), str(event.get("Identifier") or "")
        if status == _DONE and identifier:
            return identifier
        if status in _UNDER_WAY:
            raise NotYetError(f"{self.type} is still being made")
        reason = ": ".join(str(event[key]) for key in ("ErrorCode", "StatusMessage") if event.get(key))
        left = f"; look at {identifier}, which may be left of it" if identifier else ""
        raise ExecutionError(
            f"AWS did not make {mark.logical_id} ({self.type}): {status or 'no status'}: "
            f"{reason[:_LONGEST_DETAIL]}{left}",
            hint="a new plan tries it anew",
        )

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """Nothing: the same creation again is no second one, see above."""
        return None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call with a JSON patch; without a client token, as the same change may be needed twice in a day."""
        untold = self.schema.top(self.schema.write_only) & self.supported
        names = sorted(changed | {name for name in untold if name in properties})
        operations = (self._operation(name, found, properties) for name in names)
        patch = [each for each in operations if each is not None]
        if patch:
            call(
                aws,
                "cloudcontrol",
                "UpdateResource",
                TypeName=self.type,
                Identifier=found.identifier,
                PatchDocument=_encoder.encode(patch).decode(),
            )

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        try:
            call(aws, "cloudcontrol", "DeleteResource", TypeName=self.type, Identifier=found.identifier)
        except Exception as error:
            if not is_gone(error):
                raise

    def _under_way(self, aws: Aws) -> dict[str, str]:
        told = aws.pages(
            "cloudcontrol",
            "list_resource_requests",
            "ResourceRequestStatusSummaries",
            ResourceRequestStatusFilter={"OperationStatuses": list(_UNDER_WAY)},
        )
        return {
            str(each["Identifier"]): f"{each.get('Operation', '')} {each.get('OperationStatus', '')}".strip()
            for each in told
            if each.get("TypeName") == self.type and each.get("Identifier")
        }

    def _resource(self, aws: Aws, identifier: str, busy: str) -> Found | None:
        try:
            told = call(aws, "cloudcontrol", "GetResource", TypeName=self.type, Identifier=identifier)
        except Exception as error:
            if not is_gone(error):
                raise
            if not busy:
                return None
            return Found(
                identifier=identifier,
                properties={},
                attributes={REF: identifier},
                condition=Condition.BUSY,
                detail=busy,
            )
        every: dict[str, Any] = msgspec.json.decode(told["ResourceDescription"]["Properties"])
        properties, _ = self.schema.without_read_only(every)
        marks: dict[str, str] = {}
        if self.tag_property:
            tags = every.get(self.tag_property)
            marks = marks_of(tags)
            properties = {**properties, self.tag_property: self._tags(as_mapping(template_tags(tags)))}
        return Found(
            identifier=identifier,
            properties=properties,
            attributes={REF: identifier, **self._attributes(every)},
            condition=Condition.BUSY if busy else Condition.READY,
            detail=busy,
            marks=marks,
        )

    def _attributes(self, every: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self.schema.attributes:
            value: Any = every
            for part in name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            if value is not None:
                found[name] = value
        return found

    def _operation(self, name: str, found: Found, properties: Properties) -> dict[str, Any] | None:
        path = "/" + name.replace("~", "~0").replace("/", "~1")
        if name == self.tag_property:
            tags = as_mapping(properties.get(name)) | dict(found.marks)
            return {"op": "add", "path": path, "value": self._tags(tags)}
        if name in properties:
            return {"op": "add", "path": path, "value": properties[name]}
        # Removing what is not there fails the whole patch.
        return {"op": "remove", "path": path} if name in found.properties else None

    def _tags(self, tags: Mapping[str, str]) -> Any:
        kind = self.schema.document["properties"][self.tag_property].get("type")
        return dict(tags) if kind == "object" else tag_list(tags)


def cloud_control(schema: Schema) -> Handler | None:
    """A handler of this type; ``None`` when Cloud Control API cannot create, read and delete it."""
    handlers = schema.document.get("handlers", {})
    if not all(name in handlers for name in _NEEDED):
        return None
    tagged = _tagged(schema)
    supported = frozenset(schema.document["properties"]) - frozenset(
        at[1:] for at in schema.read_only if at.count("/") == 1
    )
    fixed = frozenset(at[1:] for at in schema.create_only if at.count("/") == 1)
    updatable = supported - fixed if "update" in handlers else frozenset()
    empty: Any = {} if tagged and schema.document["properties"][tagged].get("type") == "object" else []
    members = {
        "__doc__": f"``{schema.type}``, through Cloud Control API.",
        "schema": schema,
        "tag_property": tagged,
        "type": schema.type,
        "supported": supported,
        "updatable": updatable,
        "defaults": {tagged: empty} if tagged in updatable else {},
    }
    made = type("CloudControlOfType", (CloudControl,), members)
    return cast("Handler", made())


def _tagged(schema: Schema) -> str:
    tagging = schema.document.get("tagging") or {}
    if not tagging.get("taggable", False) or not tagging.get("tagOnCreate", True):
        return ""
    name = str(tagging.get("tagProperty", "/properties/Tags")).rpartition("/")[2]
    shape = schema.document["properties"].get(name, {})
    if shape.get("type") == "object":
        return name
    item = shape.get("items") or {}
    if "$ref" in item:
        item = schema.document.get("definitions", {}).get(str(item["$ref"]).rpartition("/")[2], {})
    # Some types have tags of another shape: without marks rather than with wrong ones.
    return name if {"Key", "Value"} <= set(item.get("properties") or ()) else ""
