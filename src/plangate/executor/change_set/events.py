"""What a stack tells while it is changed, for the log: each event once, in order, without property values.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from plangate.executor.base import ExecutionEvent, Scrub
from plangate.executor.change_set.calls import MAX_PAGES, CallError, Client, call

STACK_TYPE: Final = "AWS::CloudFormation::Stack"
MAX_MESSAGE_CHARS: Final = 500
_ENDS: Final[Mapping[str, str]] = {
    "IN_PROGRESS": "start",
    "COMPLETE": "complete",
    "FAILED": "errored",
    "SKIPPED": "skipped",
}
WITHHELD: Final = "the reason stands in CloudFormation only, since the resource has a NoEcho parameter"
_ROLLBACK: Final = "ROLLBACK"


class Failure(Struct, frozen=True, kw_only=True):
    """A resource whose change failed.

    Attributes:
        address: Logical id.
        identifier: Physical id; empty before it has one.
        status: E.g. ``CREATE_FAILED``.
        reason: CloudFormation's sentence, redacted; may be empty.
    """

    address: str
    identifier: str
    status: str
    reason: str

    def __str__(self) -> str:
        said = f"failed: {self.address} ({self.status})"
        return f"{said}: {self.reason}" if self.reason else said


class Events:
    """Reads the events of one stack that come after now.

    Args:
        client: CloudFormation's.
        stack_id: ARN.
        tokens: Client tokens of what we do to the stack.
        scrub: Applied to every text.
        confided: Logical ids of resources that were told a secret which we do not know.
    """

    def __init__(
        self,
        client: Client,
        stack_id: str,
        *,
        tokens: frozenset[str],
        scrub: Scrub,
        confided: frozenset[str] = frozenset(),
    ) -> None:
        self._client = client
        self._stack_id = stack_id
        self._tokens = tokens
        self._scrub = scrub
        self._confided = confided
        self._seen: set[str] = set()
        self._begun: set[tuple[str, str]] = set()
        self._undoing = False
        self._last: dict[tuple[str, str], str] = {}
        self._failed: list[Failure] = []
        self.counted: Counter[str] = Counter()
        self.stack_status = ""
        """Of the last event about the stack itself."""
        self.others: set[str] = set()
        """Client tokens of what somebody else does to the stack."""

    def skip(self) -> None:
        """Everything until now is not ours.

        Raises:
            CallError: AWS does not say.
        """
        self._seen.update(str(raw["EventId"]) for raw in self._new())

    def heard(self) -> Iterator[ExecutionEvent]:
        """Everything that is new, oldest first.

        Raises:
            CallError: AWS does not say.
        """
        for raw in reversed(self._new()):
            self._seen.add(str(raw["EventId"]))
            token = raw.get("ClientRequestToken")
            if token and token not in self._tokens:
                self.others.add(str(token))
            event = self._event(raw)
            self.counted[event.type] += 1
            yield event

    def failures(self, *, all_of_them: bool) -> list[Failure]:
        """What failed: everything, or only what was not made good since (a deletion that is tried again)."""
        return [
            failure
            for failure in dict.fromkeys(self._failed)
            if all_of_them or self._last.get((failure.address, failure.identifier)) == failure.status
        ]

    def _new(self) -> list[Mapping[str, Any]]:
        """Events that were not seen, newest first, as AWS gives them."""
        found: dict[str, Mapping[str, Any]] = {}
        token: str | None = None
        for _ in range(MAX_PAGES):
            more = {"NextToken": token} if token else {}
            page = call(self._client, "describe_stack_events", StackName=self._stack_id, **more)
            events = page.get("StackEvents") or []
            found.update({str(raw["EventId"]): raw for raw in events if raw["EventId"] not in self._seen})
            token = page.get("NextToken")
            if not token or any(raw["EventId"] in self._seen for raw in events):
                return list(found.values())
        raise CallError("describe_stack_events", "", f"more than {MAX_PAGES} pages", refused=False)

    def _event(self, raw: Mapping[str, Any]) -> ExecutionEvent:
        status = str(raw.get("ResourceStatus") or "")
        address = str(raw.get("LogicalResourceId") or "")
        reason = self._scrub(str(raw.get("ResourceStatusReason") or raw.get("HookStatusReason") or ""))
        if reason and address in self._confided:
            # The service may repeat the value in its sentence, and only CloudFormation knows the value.
            reason = WITHHELD
        message = reason[:MAX_MESSAGE_CHARS]
        if raw.get("PhysicalResourceId") == self._stack_id and raw.get("ResourceType") == STACK_TYPE:
            self.stack_status = status
            self._undoing = self._undoing or _ROLLBACK in status
            text = f"{status}: {message}" if message else status
            return ExecutionEvent(type="stack_status", message=text[:MAX_MESSAGE_CHARS])
        if raw.get("HookType"):
            said = f"{raw.get('HookType')} {raw.get('HookStatus')} {message}"
            return ExecutionEvent(
                type="hook", address=self._scrub(address), message=self._scrub(said)[:MAX_MESSAGE_CHARS]
            )
        identifier = str(raw.get("PhysicalResourceId") or "")
        self._last[address, identifier] = status
        if status.endswith("_FAILED"):
            self._failed.append(Failure(address=address, identifier=identifier, status=status, reason=reason))
        word, _, _ = status.partition("_")
        end = next((kind for ending, kind in _ENDS.items() if status.endswith(ending)), "progress")
        if end == "start":
            # CloudFormation says it a second time when the resource has its physical id.
            if (address, word) in self._begun:
                end = "progress"
            self._begun.add((address, word))
        else:
            self._begun.discard((address, word))
        return ExecutionEvent(
            type=f"{'rollback' if self._undoing else 'apply'}_{end}",
            address=self._scrub(address),
            action=word.lower(),
            message=message,
        )
