"""Makes a change set in AWS, waits until it is ready, and records what it is.

Rules this module keeps:
1. Nothing is executed here, and no stack is changed; a new stack is only begun, without resources.
2. The stack must be the same before and after: what happened to it meanwhile is in no change set.
3. AWS must have taken the template that was handed in.
4. What is not written: a change set that failed, one whose text holds the value of a ``NoEcho`` parameter.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final

from msgspec import Struct, field

from plangate.errors import CannotDecideError, UsageError
from plangate.executor.change_set.calls import CallError, call
from plangate.executor.change_set.describing import NEW_STACK, Describer
from plangate.executor.change_set.recorded import (
    RecordedChangeSet,
    StackIdentity,
    hidden_parameters,
    place_of_secret,
)
from plangate.executor.change_set.template_bucket import TemplateBucket

MAX_TEMPLATE_BYTES: Final = 51_200
"""Of a template that goes with the call:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
MAX_STORED_BYTES: Final = 1_000_000
"""Of a template in a bucket: 1 MB, by the same page."""
_PENDING: Final = frozenset({"CREATE_PENDING", "CREATE_IN_PROGRESS"})
_READY: Final = ("CREATE_COMPLETE", "AVAILABLE")
_UPDATABLE: Final = frozenset({
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
    "UPDATE_FAILED", "CREATE_FAILED",
})  # fmt: skip
_EMPTY: Final = ("didn't contain changes", "No updates are to be performed")


class Wanted(Struct, frozen=True, kw_only=True):
    """What the change set is asked for.

    Attributes:
        stack: Name.
        text: The template's text.
        template: The same, as a value.
        parameters: Values by name. One that is left out keeps the stack's value, or is the template's default.
        capabilities: E.g. ``CAPABILITY_IAM``.
        tags: Of the stack; none to leave its tags as they are.
        role: ARN of the role that CloudFormation works as; empty for the caller's own.
        token: Names the change set, and makes a repeated call the same call; letters, digits and hyphens.
    """

    stack: str
    text: str
    template: Mapping[str, Any]
    parameters: Mapping[str, str] = field(default_factory=dict)
    capabilities: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
    token: str


class Waiting(Struct, frozen=True, kw_only=True):
    """How AWS is waited for.

    Attributes:
        timeout_s: Seconds until giving up.
        poll_s: Seconds between two questions.
        clock: Seconds, rising.
        sleep: Waits for so many seconds.
    """

    timeout_s: float = 900.0
    poll_s: float = 2.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def is_empty(reason: str) -> bool:
    """Whether a change set failed because there is nothing to change."""
    return any(words in reason for words in _EMPTY)


def create(
    describer: Describer, wanted: Wanted, waiting: Waiting, bucket: TemplateBucket | None = None
) -> RecordedChangeSet | None:
    """Make a change set and record it; ``None`` when the stack is as the template wants it.

    Args:
        describer: Reads what AWS says.
        wanted: What is asked for.
        waiting: How AWS is waited for.
        bucket: Where a template goes that is too big to be sent.

    Raises:
        UsageError: The template or the parameters make no sense, or the stack cannot be updated now.
        CannotDecideError: AWS refused, or did not make it in time; there is nothing that could be judged.
    """
    size = len(wanted.text.encode())
    if size > MAX_STORED_BYTES:
        raise UsageError(f"the template has {size} bytes (limit of CloudFormation: {MAX_STORED_BYTES})")
    if size > MAX_TEMPLATE_BYTES and bucket is None:
        raise UsageError(
            f"the template has {size} bytes (limit of CloudFormation for a template that is sent:"
            f" {MAX_TEMPLATE_BYTES})",
            hint=f"--template-bucket BUCKET puts it into a bucket for that moment, up to {MAX_STORED_BYTES} bytes",
        )
    before = describer.stack(wanted.stack)
    is_new = before is None or before["StackStatus"] == NEW_STACK
    if before is not None and not is_new and before["StackStatus"] not in _UPDATABLE:
        raise UsageError(
            f"stack {wanted.stack}: its status is {before['StackStatus']}, so it cannot be updated"
        )
    identity = None if before is None or is_new else describer.identity(before["StackId"])
    arguments = _arguments(wanted, before, is_new=is_new)
    with ExitStack() as stack:
        if size > MAX_TEMPLATE_BYTES and bucket is not None:
            arguments["TemplateURL"] = stack.enter_context(bucket.holding(wanted.text, wanted.token))
        else:
            arguments["TemplateBody"] = wanted.text
        try:
            made = call(describer.client, "create_change_set", **arguments)
        except CallError as error:
            if error.refused and is_empty(error.said):
                return None
            raise
        arn = str(made["Id"])
        try:
            recorded = _recorded(describer, arn, wanted, waiting, identity)
        except CannotDecideError:
            _delete(describer, arn)
            raise
        if recorded is None:
            _delete(describer, arn)
        return recorded


def _recorded(
    describer: Describer, arn: str, wanted: Wanted, waiting: Waiting, identity: StackIdentity | None
) -> RecordedChangeSet | None:
    if not await_ready(describer, arn, waiting):
        return None
    recorded = describer.record(arn)
    if identity is not None and recorded.stack != identity:
        raise CannotDecideError(
            f"stack {wanted.stack}: it changed while the change set was made", hint="make it again"
        )
    if describer.template(change_set=arn, stage="Original") != wanted.template:
        raise CannotDecideError(
            f"stack {wanted.stack}: the template of the change set is not the one that was handed in"
        )
    _keep_secrets(recorded, wanted)
    return recorded


def await_ready(describer: Describer, arn: str, waiting: Waiting) -> bool:
    """Wait until a change set can be executed; False when there is nothing to change.

    Raises:
        CannotDecideError: It failed, or is not ready in time.
    """
    deadline = waiting.clock() + waiting.timeout_s
    while True:
        found = call(describer.client, "describe_change_set", ChangeSetName=arn)
        status, reason = found.get("Status"), str(found.get("StatusReason") or "")
        if (status, found.get("ExecutionStatus")) == _READY:
            return True
        if status == "FAILED" and is_empty(reason):
            return False
        if status not in _PENDING:
            raise CannotDecideError(
                f"the change set is {status}, {found.get('ExecutionStatus')}: {reason[:300]}"
            )
        if waiting.clock() >= deadline:
            raise CannotDecideError(f"the change set is still {status} after {waiting.timeout_s:g} s")
        waiting.sleep(waiting.poll_s)


def _arguments(wanted: Wanted, stack: Mapping[str, Any] | None, *, is_new: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "StackName": wanted.stack,
        "ChangeSetName": wanted.token,
        "ClientToken": wanted.token,
        "ChangeSetType": "CREATE" if is_new else "UPDATE",
        "Parameters": _parameters(wanted, () if is_new or stack is None else stack.get("Parameters") or ()),
        "Capabilities": list(wanted.capabilities),
        "Description": "made to be judged by plangate",
    }
    if wanted.tags:
        found["Tags"] = [{"Key": key, "Value": value} for key, value in sorted(wanted.tags.items())]
    if wanted.role:
        found["RoleARN"] = wanted.role
    return found


def _parameters(wanted: Wanted, existing: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    section = wanted.template.get("Parameters")
    declared = section if isinstance(section, Mapping) else {}
    if unknown := sorted(wanted.parameters.keys() - declared.keys()):
        raise UsageError(f"--parameters {unknown[0][:100]}: the template has no such parameter")
    found = [
        {"ParameterKey": name, "ParameterValue": value} for name, value in sorted(wanted.parameters.items())
    ]
    has = {str(each.get("ParameterKey")) for each in existing}
    kept = sorted((has & declared.keys()) - wanted.parameters.keys())
    return [*found, *({"ParameterKey": name, "UsePreviousValue": True} for name in kept)]


def _keep_secrets(recorded: RecordedChangeSet, wanted: Wanted) -> None:
    names = hidden_parameters(wanted.template)
    section = wanted.template.get("Parameters") or {}
    secrets = {wanted.parameters[name] for name in names if name in wanted.parameters}
    secrets |= {str(section[name]["Default"]) for name in names if "Default" in section[name]}
    place = place_of_secret(
        {"described": recorded.described, "template": recorded.template}, frozenset(secrets)
    )
    if place is not None:
        raise CannotDecideError(
            f"stack {recorded.stack.name}: the value of a NoEcho parameter stands in clear in the change set at"
            f" {place[:200]}, so it was not written",
            hint="CloudFormation hides NoEcho values in properties, not in Metadata, Outputs or literals",
        )


def _delete(describer: Describer, arn: str) -> None:
    """Leave no change set behind that cannot be executed. Whether that works changes nothing."""
    try:
        call(describer.client, "delete_change_set", ChangeSetName=arn)
    except CallError:
        return
