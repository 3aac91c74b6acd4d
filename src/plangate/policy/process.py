"""Start a worker process, end it, and say how it ended.

By fork where that is safe and by a new interpreter elsewhere; see `start_process`.
"""

import contextlib
import fcntl
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plangate.policy import worker

if TYPE_CHECKING:
    import subprocess

_PIPE_BYTES: Final = 1 << 20
"""What a pipe may hold: a big plan then goes over in fewer turns."""


class Process:
    """A started worker: its pid and our ends of its two pipes."""

    def __init__(
        self, pid: int, requests: int, answers: int, popen: "subprocess.Popen[bytes] | None"
    ) -> None:
        self.pid = pid
        self.requests = requests
        self.answers = answers
        self.unsent = b""
        self.ready = False
        self._popen = popen
        self._status: int | None = None

    def kill(self) -> int | None:
        """End it for certain, and say how it ended (as `os.waitpid` does), or ``None`` when nobody knows."""
        if self._status is not None:
            return self._status
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return self.reap()

    def reap(self) -> int | None:
        """Wait for the end that is certain to come, and close the pipes."""
        for descriptor in (self.requests, self.answers):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        try:
            self._status = os.waitpid(self.pid, 0)[1]
        except ChildProcessError:
            self._status = -1
        if self._popen is not None:
            self._popen.returncode = os.waitstatus_to_exitcode(self._status) if self._status >= 0 else -1
        return self._status


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are above the standard streams, also when those are closed."""
    ends = os.pipe()
    # Not on every system, and not more than a user may have: then it is only slower.
    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends)
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


def start_process(setup: Mapping[str, Any]) -> Process:
    """A new worker, by fork where that is safe.

    A fork costs 2 ms and a new interpreter 40 ms, which counts when a whole check may take 300. But a fork
    copies only the calling thread: a lock that another one holds stays locked for ever in the copy. So it is used
    on Linux, and only while the process has exactly one thread, counted by the kernel, which knows of all.
    """
    request_read, request_write = _pipe()
    answer_read, answer_write = _pipe()
    popen: subprocess.Popen[bytes] | None = None
    try:
        if _single_threaded():
            pid = os.fork()
            if pid == 0:
                worker.child(request_read, answer_write, setup)
        else:
            popen = _spawn(request_read, answer_write)
            pid = popen.pid
    except BaseException:
        for end in (request_write, answer_read):
            os.close(end)
        raise
    finally:
        for end in (request_read, answer_write):
            os.close(end)
    os.set_blocking(request_write, False)
    process = Process(pid, request_write, answer_read, popen)
    if popen is not None:
        process.unsent = worker.frame(b"LOAD", json.dumps(setup).encode())
    return process


def _single_threaded() -> bool:
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:
        return False


def _spawn(request_read: int, answer_write: int) -> "subprocess.Popen[bytes]":
    """A worker in a fresh interpreter, which finds the engine where we found it."""
    program = (
        "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); import runpy; "
        "runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    )
    import subprocess  # noqa: PLC0415 - 10 ms that a fork does not need

    ends = (request_read, answer_write)
    return subprocess.Popen(  # noqa: S603 - our own interpreter on our own file
        [sys.executable, "-I", "-c", program, json.dumps(sys.path), worker.__file__, *map(str, ends)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        pass_fds=ends, cwd="/", env={"RUST_BACKTRACE": "0", "RUST_LIB_BACKTRACE": "0"},
    )  # fmt: skip


def ending(status: int | None) -> str:
    """How a worker ended, for people."""
    if status is None or status < 0:
        return "its process ended"
    if os.WIFEXITED(status):
        return f"its process ended with status {os.WEXITSTATUS(status)}"
    number = os.WTERMSIG(status)
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"its process was ended by {name}{_REASONS.get(number, '')}"


_REASONS: Final[Mapping[int, str]] = {
    signal.SIGABRT: " (out of memory, or a fault in the engine)",
    signal.SIGSEGV: " (nested too deeply, or a fault in the engine)",
    signal.SIGXCPU: " (processor time used up)",
    signal.SIGKILL: " (killed by the system, which may be out of memory)",
}
