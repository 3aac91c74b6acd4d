"""What ``terraform apply -json`` says, one JSON object a line, turned into events that are fit for the log.

Rules this module keeps:
1. No value of an attribute leaves: texts of resource events are made here, from the action alone; what a
   provisioner wrote and the values that a diagnostic quotes from the source are left out.
2. Every other text is scrubbed first, then cleaned of control characters, then cut.
3. A line that is not understood is counted, never trusted: it cannot make an apply look better.

Source: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from plangate.executor.base import ExecutionEvent, Scrub

MAX_MESSAGE: Final = 500
MAX_ADDRESS: Final = 1000
_MAX_WORD: Final = 40
NOT_JSON: Final = "not_json"
TOO_LONG: Final = "too_long"
OTHER: Final = "other"
CHECK_FAILED: Final = "Check block assertion failed"

_STEPS: Final = ("apply_", "provision_", "ephemeral_op_", "action_")
"""Prefixes of the types of events that tell of a step."""
_APPLY_ENDED: Final = frozenset({"apply_complete", "apply_errored"})
_QUIET: Final = frozenset(
    {
        "log",
        "outputs",
        "planned_change",
        "provision_progress",
        "refresh_complete",
        "refresh_start",
        "resource_drift",
        "version",
    }
)
"""Counted, and not told: they repeat the plan, or are nothing without the values that they hold."""
_VALUES: Final = ": was cty."
"""Where terraform begins to quote values when a provider's answer is not what was planned."""
_WITHHELD: Final = "(withheld: it could not be redacted)"


class Heard(Struct, kw_only=True):
    """What the stream has said so far.

    Attributes:
        events: Number of lines by type.
        completed: Number of completed steps by (address, action), unscrubbed; for comparison only.
        started: Number of steps begun by address, unscrubbed; for comparison only.
        ended: Number of steps that ended, well or not, by address, unscrubbed; for comparison only.
        failed: Addresses of resources whose step failed, unscrubbed; for comparison only.
        explained: Addresses that an error was told of, unscrubbed; for comparison only.
        errored: Addresses of resources and provisioners that failed, scrubbed.
        summary: The counts of the final summary, or ``None``.
        errors: Error diagnostics, scrubbed.
        failed_checks: Messages of failed check blocks, scrubbed.
    """

    events: Counter[str] = field(default_factory=Counter)
    completed: Counter[tuple[str, str]] = field(default_factory=Counter)
    started: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    failed: set[str] = field(default_factory=set)
    explained: set[str] = field(default_factory=set)
    errored: list[str] = field(default_factory=list)
    summary: Mapping[str, int] | None = None
    errors: list[str] = field(default_factory=list)
    failed_checks: list[str] = field(default_factory=list)

    @property
    def unanswered(self) -> set[str]:
        """Addresses whose provider broke off: a step failed, and no error names the resource.

        What a provider says of a resource comes with its address. What terraform says of a provider that is gone does
        not.
        """
        return self.failed - self.explained

    @property
    def refused(self) -> bool:
        """Terraform said who it is and why not, and nothing else: it had not even listed what it would do.

        Steps like imports are done without a word, so silence after the list of changes proves nothing. Before that
        list it may wait for the lock of the state, and say that it was asked to stop.
        """
        said = self.events.keys() - {"state_lock_acquire", "log"}
        return bool(self.errors) and said == {"version", "diagnostic"}


class Listener:
    """Reads lines one by one."""

    def __init__(self, scrub: Scrub) -> None:
        self.heard = Heard()
        self.told: Counter[str] = Counter()
        """Number of events by type that are ours and not terraform's."""
        self._scrub = scrub

    def hear(self, line: bytes | None) -> ExecutionEvent | None:
        """The event that a line stands for, or ``None`` when it is not one for the log.

        Args:
            line: Without its end; ``None`` for one that was too long to be kept.
        """
        if line is None:
            self.heard.events[TOO_LONG] += 1
            return None
        if not line.strip():
            return None
        try:
            said = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            said = None
        if not isinstance(said, dict):
            self.heard.events[NOT_JSON] += 1
            return None
        word = said.get("type")
        known = (
            isinstance(word, str)
            and 0 < len(word) <= _MAX_WORD
            and word.isascii()
            and word.replace("_", "").isalpha()
        )
        kind = str(word) if known else OTHER
        self.heard.events[kind] += 1
        return self._understand(kind, said)

    def tell(self, kind: str, *, address: str = "", action: str = "", message: str = "") -> ExecutionEvent:
        """An event of our own about the execution."""
        self.told[kind] += 1
        return ExecutionEvent(
            type=kind, address=self.clean(address, MAX_ADDRESS), action=action, message=self.clean(message)
        )

    def another(self) -> "Listener":
        """A listener for another stream, with the same redaction."""
        return Listener(self._scrub)

    def clean(self, text: str, limit: int = MAX_MESSAGE) -> str:
        """A text without secrets, control characters or excess."""
        try:
            scrubbed = self._scrub(text)
        except Exception:  # noqa: BLE001 - whatever it was: a text that could not be redacted must not leave
            return _WITHHELD
        plain = " ".join("".join(c if c.isprintable() else " " for c in scrubbed).split())
        return plain if len(plain) <= limit else plain[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"

    def _understand(self, kind: str, said: Mapping[str, Any]) -> ExecutionEvent | None:
        if kind in _QUIET:
            return None
        if kind.startswith(_STEPS):
            return self._hook(kind, _mapping(said.get("hook")))
        if kind == "diagnostic":
            return self._diagnostic(_mapping(said.get("diagnostic")))
        if kind == "change_summary":
            return self._summary(_mapping(said.get("changes")))
        return ExecutionEvent(type=kind)

    def _hook(self, kind: str, hook: Mapping[str, Any]) -> ExecutionEvent:
        raw = _text(_mapping(hook.get("resource") or hook.get("action")).get("addr"))
        action = _text(hook.get("action")) if isinstance(hook.get("action"), str) else ""
        address = self.clean(raw, MAX_ADDRESS)
        provisioner = _text(hook.get("provisioner"))
        elapsed = hook.get("elapsed_seconds")
        if kind == "apply_start":
            self.heard.started[raw] += 1
        elif kind == "apply_complete":
            self.heard.completed[raw, action] += 1
        elif kind == "apply_errored":
            self.heard.failed.add(raw)
        if kind in _APPLY_ENDED:
            self.heard.ended[raw] += 1
        if kind.endswith("_errored"):
            self.heard.errored.append(address)
        done = kind.rpartition("_")[2]
        what = f"provisioner {provisioner}" if provisioner else action or kind.rpartition("_")[0]
        return ExecutionEvent(
            type=kind,
            address=address,
            action=self.clean(action),
            message=self.clean(f"{what}: {done}"),
            elapsed_s=float(elapsed)
            if isinstance(elapsed, int | float) and not isinstance(elapsed, bool)
            else None,
        )

    def _diagnostic(self, diagnostic: Mapping[str, Any]) -> ExecutionEvent:
        summary, detail = _text(diagnostic.get("summary")), _text(diagnostic.get("detail"))
        severity = _text(diagnostic.get("severity"))
        address = self.clean(_text(diagnostic.get("address")), MAX_ADDRESS)
        if "provisioner" in summary:
            # The detail repeats the whole command and all that it wrote.
            detail = (
                detail.partition(" Output: ")[0].rpartition("': ")[2].strip(" .") if "': " in detail else ""
            )
        detail = detail.partition(_VALUES)[0]
        text = self.clean(f"{summary}: {detail}" if detail else summary)
        place = f"{address}: " if address else ""
        if severity == "error":
            self.heard.errors.append(place + text)
            self.heard.explained.add(_text(diagnostic.get("address")))
        elif summary == CHECK_FAILED:
            self.heard.failed_checks.append(self.clean(detail))
        return ExecutionEvent(type="diagnostic", address=address, action=self.clean(severity), message=text)

    def _summary(self, changes: Mapping[str, Any]) -> ExecutionEvent:
        counts = {word: n for word, n in changes.items() if isinstance(n, int) and not isinstance(n, bool)}
        if _text(changes.get("operation")) in {"apply", "destroy"}:
            self.heard.summary = counts
        words = ("import", "add", "change", "remove", "forget")
        return ExecutionEvent(
            type="change_summary",
            message=", ".join(f"{counts[word]} {word}" for word in words if word in counts),
        )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
