"""What an executor is: it runs an approved plan, exactly as judged, once. One file here per way to do so."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct

from plangate.decision.approved import ApprovedPlan


class ExecutionStatus(StrEnum):
    """How an execution ended."""

    SUCCEEDED = "succeeded"
    """Applied, checks hold, and a new plan finds nothing left to do."""
    FAILED = "failed"
    """The tool reported a failure; part of the change may be in place."""
    CHECKS_FAILED = "checks_failed"
    """Applied, but a check block says that the result is not as wanted."""
    NOT_CONVERGED = "not_converged"
    """Applied, but a new plan wants further changes, or could not be made."""


class ExecutionEvent(Struct, frozen=True, kw_only=True):
    """One thing that happened while executing, fit for the log: no values of attributes, redacted texts.

    Attributes:
        type: ``apply_start``, ``apply_complete``, ``apply_errored``, ``provision_start``, ``diagnostic``, …
        address: Resource address, or empty.
        action: Action word, or empty.
        message: Redacted, at most 500 characters.
        elapsed_s: Seconds, when the tool says so.
    """

    type: str
    address: str = ""
    action: str = ""
    message: str = ""
    elapsed_s: float | None = None


class Standing(StrEnum):
    """How a resource stands after an execution that did not end well."""

    EXISTS = "exists"
    """It is there, before or after its change."""
    TAINTED = "tainted"
    """It is there, and its creation did not end well."""
    DEPOSED = "deposed"
    """It is there, and so is the one that it replaces and that was to go."""
    ABSENT = "absent"
    """It is not there."""
    UNRECORDED = "unrecorded"
    """Its change was done, and what keeps account of resources does not show it."""
    UNKNOWN = "unknown"
    """Nobody can say: a change of it was begun, and how that ended was never told."""


class Found(Struct, frozen=True, kw_only=True):
    """How one resource of the plan stands.

    Attributes:
        address: Its address, redacted.
        standing: How it stands.
    """

    address: str
    standing: Standing


class ExecutionReport(Struct, frozen=True, kw_only=True):
    """What became of the change.

    Attributes:
        status: How it ended.
        problems: Sentences for people, redacted; empty when it succeeded.
        events: Number of events by type.
        tool: Program and version.
        followup: JSON of the plan made after apply (``show -json``), for checking obligations; ``None`` if
            there is none. Holds values in clear, so it is not part of the report's text.
        converged: Whether a plan made after apply wants nothing more; ``None`` when there is no such plan.
        interrupted: The user asked to stop while it ran; the rest says what had become of it by then.
        failed: Addresses of the resources whose change failed, redacted.
        found: How every resource stands that the plan was to change, when it did not end well; empty otherwise.
        look_again: Makes a fresh ``followup``, for what could not be told by the first one; ``None`` when it cannot be
            asked again. May take as long as the first one did.
    """

    status: ExecutionStatus
    problems: tuple[str, ...]
    events: Mapping[str, int]
    tool: str
    followup: bytes | None
    converged: bool | None = None
    interrupted: bool = False
    failed: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    look_again: Callable[[], bytes | None] | None = None

    def what_is_there(self) -> Mapping[str, tuple[str, ...]]:
        """The addresses that stand in each way, in the order of the ways; empty when it ended well."""
        grouped = {s.value: tuple(f.address for f in self.found if f.standing is s) for s in Standing}
        return {standing: addresses for standing, addresses in grouped.items() if addresses}

    def __repr__(self) -> str:
        """Without ``followup``."""
        return f"ExecutionReport(status={self.status!r}, problems={self.problems!r}, tool={self.tool!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("status", self.status), ("problems", self.problems), ("tool", self.tool)]


Observe = Callable[[ExecutionEvent], None]
"""Called for every event, in order, before the next one is read. An exception from it stops the execution."""

Scrub = Callable[[str], str]
"""Removes what is secret from a text."""


class Executor(Protocol):
    """Runs approved plans of one kind."""

    def apply(
        self, approved: ApprovedPlan, plan: bytes, *, observe: Observe, scrub: Scrub
    ) -> ExecutionReport:
        """Run the plan. The caller has recorded the start durably before.

        Args:
            approved: Leave to run; its digest is checked against ``plan`` again.
            plan: The bytes that were judged.
            observe: Told of every event.
            scrub: Applied to every text before it leaves.

        Raises:
            ReceiptError: ``plan`` is not what was approved; nothing ran.
            ExecutionError: It could not be started; nothing ran.
        """
