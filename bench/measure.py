"""Runs one command in a process of its own and measures what a user waits for and what it takes.

Wall time is from start to exit, as seen from outside. Memory is the largest sum of the proportional set sizes
(PSS) of the command and everything it started, sampled in a run that is not timed: pages that processes share
count once, and no process is left out. The kernel's own maximum is not asked: a process that was forked has that of
the one that forked it, from before it became another program. Linux only.
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SAMPLE_S: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run.

    Attributes:
        seconds: Wall time.
        peak_bytes: Largest memory of the whole process tree; 0 when it was not asked for.
        exit_code: Of the command; negative for a signal, ``None`` when it ran out of time and was killed.
    """

    seconds: float
    peak_bytes: int
    exit_code: int | None


def run(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout_s: float, memory: bool, output: Path
) -> Run:
    """Run a command to its end, or kill it and all that it started after ``timeout_s``.

    Args:
        memory: Sample memory; the wall time of such a run is not a measurement.
        output: File that gets both its output streams, as a pipe that nobody reads would slow it down.
    """
    with output.open("wb") as sink:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        timer = _Deadline(process.pid, start + timeout_s)
        sampled = _sample(process.pid, timer) if memory else 0
        status = timer.wait()
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    return Run(
        seconds=seconds,
        peak_bytes=sampled,
        exit_code=None if timer.expired else process.returncode,
    )


class _Deadline:
    """Waits for one process without polling it, and kills its whole session when its time is up."""

    def __init__(self, pid: int, until: float) -> None:
        self._pid = pid
        self._until = until
        self._handle = os.pidfd_open(pid)
        self.expired = False

    def ended(self, wait_s: float) -> bool:
        """Whether it ended within ``wait_s`` seconds, or was killed because its time is up."""
        left = self._until - time.perf_counter()
        if left <= 0:
            self.expired = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
            return True
        ready, _, _ = select.select([self._handle], [], [], min(wait_s, left))
        return bool(ready)

    def wait(self) -> int:
        """Its wait status."""
        while not self.ended(3600):
            pass
        os.close(self._handle)
        return os.waitpid(self._pid, 0)[1]


def _sample(session: int, timer: _Deadline) -> int:
    """Largest sum of PSS over the processes of a session, in bytes, until its leader ends."""
    peak = 0
    ours = _words(os.getpid())
    while not timer.ended(_SAMPLE_S):
        peak = max(peak, sum(_pss(pid) for pid in _members(session) if _words(pid) != ours))
    return peak


def _members(session: int) -> list[int]:
    """Processes of a session, and those that one of them started in another session."""
    parents: dict[int, int] = {}
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # Fields after the command in parentheses: state, parent, group, session.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
                if int(fields[3]) == session:
                    found.add(int(entry.name))
    more = found
    while more:
        more = {pid for pid, parent in parents.items() if parent in more} - found
        found |= more
    return sorted(found)


def _words(pid: int) -> bytes:
    """Its command line. A child that has not become another program yet has ours, and our memory."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _pss(pid: int) -> int:
    """Proportional set size in bytes; 0 for a process that has gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
