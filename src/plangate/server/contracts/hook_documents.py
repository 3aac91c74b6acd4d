"""What a hook's event asks about, as documents that the parsers read: change sets and templates.

A resource becomes a change set with one change, a stack its template, and what a new template leaves out becomes a
change set that removes it. Action words and targets that are not known here are refused.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.errors import CannotDecideError, ExecutionError, PlanParseError, UsageError
from plangate.model.values import at_pointer
from plangate.parsers.base import Limits
from plangate.parsers.formats import read_documents
from plangate.server.exchange import HttpProblem
from plangate.wiring.change_sets import create_only_of
from plangate.wiring.documents import Document, input_of

STACK: Final = "STACK"
CHANGE_SET: Final = "CHANGE_SET"
_POINTS: Final = {
    "CREATE_PRE_PROVISION": "Add",
    "UPDATE_PRE_PROVISION": "Modify",
    "DELETE_PRE_PROVISION": "Remove",
}
_ACTIONS: Final = {"CREATE": "Add", "UPDATE": "Modify", "DELETE": "Remove"}
_MAX_TOKEN: Final = 1_024
MAX_TEMPLATE_BYTES: Final = 1 << 20
"""CloudFormation takes no bigger ones."""

_MAX_REGIONS: Final = 64
_REGION_AT: Final = 3

CreateOnly = Callable[[str], frozenset[str] | None]


class _TargetModel(Struct, frozen=True, rename="camel"):
    resource_properties: dict[str, Any] | None = None
    previous_resource_properties: dict[str, Any] | None = None


class _RequestData(Struct, frozen=True, rename="camel"):
    target_name: str
    target_type: str = ""
    target_logical_id: str = ""
    target_model: _TargetModel | None = None
    payload: str | None = None


class _HookModel(Struct, frozen=True):
    LambdaFunction: str = ""


class _Event(Struct, frozen=True, rename="camel"):
    request_data: _RequestData
    action_invocation_point: str
    aws_account_id: str | None = None
    change_set_id: str | None = None
    hook_model: _HookModel | None = None


class ChangedResource(Struct, frozen=True, rename="camel"):
    """One change of a change set's payload."""

    logical_resource_id: str
    resource_type: str
    action: str
    before_context: str | None = None
    after_context: str | None = None


class Payload(Struct, frozen=True, rename="camel"):
    """What is behind the URL of an event about a stack or a change set."""

    template: str | None = None
    previous_template: str | None = None
    changed_resources: list[ChangedResource] | None = None


class HookEvent(Struct, frozen=True, kw_only=True):
    """An event, as we use it.

    Attributes:
        token: Goes back as it came.
        account: Of AWS.
        stack: ARN; empty for Cloud Control.
        change_set: ARN; empty without one.
        point: Before what it is.
        region: Where; empty when that is not known.
        data: What it is about.
    """

    token: str
    account: str
    stack: str
    change_set: str
    point: str
    region: str
    data: _RequestData

    @property
    def target_name(self) -> str:
        """Resource type, or ``STACK``, or ``CHANGE_SET``."""
        return self.data.target_name

    @property
    def target_id(self) -> str:
        """Logical id, or ARN."""
        return self.data.target_logical_id

    @property
    def has_payload(self) -> bool:
        """It is about a stack or a change set."""
        return self.target_name in {STACK, CHANGE_SET}

    @property
    def payload_url(self) -> str:
        """Where the payload is."""
        return self.data.payload or ""

    @property
    def is_cloud_control(self) -> bool:
        """There is no stack."""
        return not self.stack

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.target_name} {self.target_id}".strip() or "hook"


def read_event(body: bytes) -> HookEvent:
    """An event from its bytes. Names that are spelled in several ways are read in any.

    Raises:
        HttpProblem: It is none, or of a kind that is not known here.
    """
    try:
        event = msgspec.json.decode(body, type=_Event)
        fields = {
            name.lower(): value for name, value in msgspec.json.decode(body, type=dict[str, Any]).items()
        }
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpProblem(400, "invalid_request", f"not the event of a hook: {error}"[:300]) from error
    if event.action_invocation_point not in _POINTS:
        raise HttpProblem(
            400, "invalid_request", f"actionInvocationPoint: expected one of: {', '.join(_POINTS)}"
        )
    token, stack = fields.get("clientrequesttoken", ""), fields.get("stackid") or ""
    if not isinstance(token, str) or len(token) > _MAX_TOKEN or not isinstance(stack, str):
        raise HttpProblem(400, "invalid_request", "clientRequestToken and stackId: expected texts")
    return HookEvent(
        token=token,
        account=event.aws_account_id or "",
        stack=stack,
        change_set=event.change_set_id or "",
        point=event.action_invocation_point,
        region=_region(stack) or _region(event.hook_model.LambdaFunction if event.hook_model else ""),
        data=event.request_data,
    )


def _region(arn: str) -> str:
    parts = arn.split(":")
    return parts[_REGION_AT] if len(parts) > _REGION_AT else ""


def read_payload(body: bytes) -> Payload:
    """A payload from its bytes.

    Raises:
        CannotDecideError: It is none.
    """
    try:
        return msgspec.json.decode(body, type=Payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CannotDecideError(f"the event's payload cannot be read: {error}"[:300]) from error


def documents_of(event: HookEvent, payload: Payload | None, limits: Limits) -> list[bytes]:
    """What is to be judged, in order; all of it has to pass.

    Raises:
        CannotDecideError: The event and its payload do not fit.
    """
    if event.target_name == CHANGE_SET:
        changed = payload.changed_resources if payload is not None else None
        if changed is None:
            raise CannotDecideError("the event's payload has no changedResources")
        return [_change_set(event, [_changed(event, each) for each in changed])]
    if event.target_name == STACK:
        if payload is None or not payload.template:
            raise CannotDecideError("the event's payload has no template")
        return list(_stack(event, payload.template, payload.previous_template or "", limits))
    return [_change_set(event, [_resource(event)])]


def _resource(event: HookEvent) -> dict[str, Any]:
    model = event.data.target_model or _TargetModel()
    before, after = model.previous_resource_properties, model.resource_properties
    action = _POINTS[event.point]
    if action != "Remove" and after is None:
        raise CannotDecideError("the event has no resourceProperties")
    return _change(
        event,
        action,
        event.target_id or "Resource",
        event.target_name,
        None if action == "Add" else before,
        None if action == "Remove" else after,
    )


def _changed(event: HookEvent, each: ChangedResource) -> dict[str, Any]:
    action = _ACTIONS.get(each.action)
    if action is None:
        raise CannotDecideError(f"the event's payload: unknown action {each.action!r:.60}")
    before, after = _context(each.before_context), _context(each.after_context)
    return _change(event, action, each.logical_resource_id, each.resource_type, before, after)


def _context(text: str | None) -> Mapping[str, Any] | None:
    """The properties in a context; ``None`` without one."""
    if not text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CannotDecideError("the event's payload: a context that is not JSON") from error
    if not isinstance(found, dict):
        raise CannotDecideError("the event's payload: a context that is not an object")
    properties = found.get("Properties")
    return properties if isinstance(properties, dict) else found


def _change(
    event: HookEvent,
    action: str,
    name: str,
    type_name: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> dict[str, Any]:
    change: dict[str, Any] = {"Action": action, "LogicalResourceId": name, "ResourceType": type_name}
    for side, properties in (("BeforeContext", before), ("AfterContext", after)):
        if properties is not None:
            change[side] = json.dumps({"Properties": properties})
    if action == "Modify" and not _may_replace(event.region, type_name, before, after):
        change["Replacement"] = "False"
    return {"Type": "Resource", "ResourceChange": change}


def _may_replace(
    region: str, type_name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> bool:
    """Whether a change may replace the resource: hooks do not say. Without the type's schema it may."""
    pointers = _create_only(region, type_name)
    if pointers is None or before is None or after is None:
        return True
    # Inside of a list the whole list is compared.
    heads = {at.partition("/*")[0] for at in pointers}
    return any(at_pointer(before, at) != at_pointer(after, at) for at in heads)


def _create_only(region: str, type_name: str) -> frozenset[str] | None:
    try:
        return _schemas(region)(type_name)
    except (UsageError, ExecutionError):
        return None  # the resource may be replaced, then


@lru_cache(maxsize=_MAX_REGIONS)
def _schemas(region: str) -> CreateOnly:
    return create_only_of(region)


def _stack(event: HookEvent, template: str, previous: str, limits: Limits) -> Iterator[bytes]:
    if event.point == "DELETE_PRE_PROVISION":
        yield _removal(event, _resources(template, limits))
        return
    yield template.encode("utf-8", "surrogatepass")
    if previous:
        kept = _resources(template, limits)
        gone = {name: kind for name, kind in _resources(previous, limits).items() if kept.get(name) != kind}
        if gone:
            yield _removal(event, gone)


def _resources(template: str, limits: Limits) -> dict[str, str]:
    """Logical id to type."""
    data = template.encode("utf-8", "surrogatepass")
    if len(data) > MAX_TEMPLATE_BYTES:
        raise CannotDecideError(f"the event's template is bigger than {MAX_TEMPLATE_BYTES} bytes")
    document = Document(name="template", path=None, data=data, sha256=sha256(data).hexdigest())
    try:
        values: Sequence[Any] = read_documents(input_of(document), limits).values
    except PlanParseError as error:
        raise CannotDecideError(f"the event's template cannot be read: {error.problem}"[:300]) from error
    listed = values[0].get("Resources") if len(values) == 1 and isinstance(values[0], dict) else None
    if not isinstance(listed, dict):
        raise CannotDecideError("the event's template has no Resources")
    found = {}
    for name, resource in listed.items():
        kind = resource.get("Type") if isinstance(resource, dict) else None
        if not isinstance(kind, str):
            raise CannotDecideError("the event's template has a resource without a type")
        found[name] = kind
    return found


def _removal(event: HookEvent, gone: Mapping[str, str]) -> bytes:
    return _change_set(
        event, [_change(event, "Remove", name, kind, None, None) for name, kind in gone.items()]
    )


def _change_set(event: HookEvent, changes: Sequence[Mapping[str, Any]]) -> bytes:
    """The document that ``describe-change-set`` would give."""
    return json.dumps(
        {
            "ChangeSetName": "hook",
            "ChangeSetId": event.change_set,
            "StackId": event.stack,
            "Status": "CREATE_COMPLETE",
            "ExecutionStatus": "AVAILABLE",
            "Changes": changes,
        }
    ).encode("utf-8", "surrogatepass")
