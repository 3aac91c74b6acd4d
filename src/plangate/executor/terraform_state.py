"""The state that terraform keeps: read for what exists and for the results of check blocks, never written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from plangate.executor.terraform_json import ShownState
from plangate.terraform_cli import Ending, Tool, run

UNSAVED: Final = "errored.tfstate"
"""Where terraform leaves a state that it could not save.

Source: https://developer.hashicorp.com/terraform/cli/commands/state/push
"""


class Bounds(Struct, frozen=True, kw_only=True):
    """What asking terraform may cost.

    Attributes:
        plan_timeout_s: Seconds for the follow-up plan.
        show_timeout_s: Seconds for each ``show``.
        max_json_bytes: Of one ``show``.
        lock_timeout_s: Seconds to wait for the lock of the state.
    """

    plan_timeout_s: float
    show_timeout_s: float
    max_json_bytes: int
    lock_timeout_s: float

    @property
    def lock_argument(self) -> str:
        """For every command that takes the lock."""
        return f"-lock-timeout={self.lock_timeout_s:g}s"


class StateRead(Struct, frozen=True, kw_only=True):
    """What came of reading.

    Attributes:
        state: The state, or ``None``.
        interrupted: The user asked to stop.
    """

    state: ShownState | None
    interrupted: bool


def read_state(
    tool: Tool, working_dir: Path, *, environment: Mapping[str, str], bounds: Bounds, file: str = ""
) -> StateRead:
    """The state of the workspace. Takes no lock: it is there to be read, also by the way of one that was left.

    Args:
        tool: Which terraform.
        working_dir: Its folder.
        environment: With the credentials of the backend.
        bounds: What it may cost.
        file: A state file in the folder to read instead.
    """
    try:
        finished = run(
            tool.path,
            [f"-chdir={working_dir}", "show", "-json", "-no-color", *([file] if file else [])],
            environment=environment,
            timeout_s=bounds.show_timeout_s,
            max_stdout_bytes=bounds.max_json_bytes,
        )
        state = msgspec.json.decode(finished.stdout, type=ShownState) if finished.ok else None
    except (msgspec.DecodeError, OSError):
        return StateRead(state=None, interrupted=False)
    return StateRead(state=state, interrupted=finished.ending is Ending.INTERRUPTED)


class UnsavedState:
    """Notices a state that terraform could not save.

    Args:
        working_dir: Looked at now, and again when asked.
    """

    def __init__(self, working_dir: Path) -> None:
        self._path = working_dir / UNSAVED
        self._before = self._mark()

    def is_new(self) -> bool:
        """One was left here since."""
        return self._mark() not in {None, self._before}

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns
