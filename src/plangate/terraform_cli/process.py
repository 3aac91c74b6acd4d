"""Runs one program to its end, its time-out, or a request to stop, whichever comes first.

Rules this module keeps:
1. No shell, nothing on standard input, a session of its own: the terminal's Ctrl-C reaches us, and we pass
   it on.
2. A program that may change things (``stop_grace_s``) is asked to stop with one SIGINT, sent to it alone so
   that it can end its own children in order; after the grace period, or a second request, its whole group is
   killed.
3. Memory is bounded: by ``max_stdout_bytes``, by ``MAX_LINE_BYTES`` for a line, by ``MAX_STDERR_BYTES``.
4. SIGINT, SIGTERM and SIGHUP are requests to stop while it runs, so nobody's half-done work is torn by an
   exception.
"""

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import IO, Final

from msgspec import Struct

MAX_LINE_BYTES: Final = 1024 * 1024
MAX_STDERR_BYTES: Final = 64 * 1024
_CHUNK: Final = 64 * 1024
_TICK_S: Final = 0.05
_DRAIN_S: Final = 1.0
"""How long output is still read when the program is gone, but something it started holds the pipe."""

OnLine = Callable[[bytes | None], bool]
"""Called for every line of standard output, ``None`` for one that is too long; False asks it to stop."""


class Ending(StrEnum):
    """Why it ended."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    """``on_line`` asked for it."""
    TOO_MUCH = "wrote too much"


class Finished(Struct, frozen=True, kw_only=True):
    """What became of it.

    Attributes:
        ending: Why it ended.
        exit_code: Negative for a signal.
        stdout: Empty when lines were given to ``on_line``.
        stderr: The last `MAX_STDERR_BYTES`.
        killed: Its group was killed before it had ended by itself.
    """

    ending: Ending
    exit_code: int
    stdout: bytes
    stderr: bytes
    killed: bool

    @property
    def ok(self) -> bool:
        """It ended by itself, with exit code 0."""
        return self.ending is Ending.EXITED and self.exit_code == 0


def run(
    program: Path,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    timeout_s: float,
    max_stdout_bytes: int,
    stop_grace_s: float = 0.0,
    on_line: OnLine | None = None,
    pass_fds: Sequence[int] = (),
) -> Finished:
    """Run a program and wait for it.

    Args:
        program: Absolute path.
        arguments: Without the program itself.
        environment: All of it; nothing is inherited.
        timeout_s: After this many seconds it is stopped.
        max_stdout_bytes: More than this on standard output stops it; not counted when ``on_line`` is given.
        stop_grace_s: Seconds between SIGINT and the end of the whole group; 0 kills at once.
        on_line: Gets standard output instead of ``Finished.stdout``.
        pass_fds: File descriptors that it inherits.

    Raises:
        OSError: It could not be started.
    """
    with _requests_to_stop() as requests:
        process = subprocess.Popen(  # noqa: S603 - no shell, and the program is one that `find_terraform` found
            [str(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )
        watch = _Watch(
            process, requests, max_stdout_bytes=max_stdout_bytes, grace_s=stop_grace_s, on_line=on_line
        )
        try:
            return watch.to_the_end(timeout_s)
        finally:
            watch.close()


@contextmanager
def _requests_to_stop() -> Iterator[list[int]]:
    """A list that grows by one for every signal that asks us to stop. Only the main thread gets signals."""
    requests: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield requests
        return

    def note(number: int, _frame: FrameType | None) -> None:
        requests.append(number)

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """An ignored signal stays ignored: that is how nohup and background jobs work.

        NOTE: a handler and not SIG_IGN, which the program would inherit: our own SIGINT could not stop it then.
        """

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            ignored = signal.getsignal(number) is signal.SIG_IGN
            before[number] = signal.signal(number, ignore if ignored else note)
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


class _Watch:
    """Reads a running program's output and decides when it has to go."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        requests: Sequence[int],
        *,
        max_stdout_bytes: int,
        grace_s: float,
        on_line: OnLine | None,
    ) -> None:
        self._process = process
        self._requests = requests
        self._max_stdout = max_stdout_bytes
        self._grace_s = grace_s
        self._lines = _Lines(on_line) if on_line else None
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._ending = Ending.EXITED
        self._kill_at = self._give_up = float("inf")
        self._killed = False
        self._reaped = False

    def to_the_end(self, timeout_s: float) -> Finished:
        """Read until it is gone and its output is read."""
        deadline = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe is not None:
                    os.set_blocking(pipe.fileno(), False)
                    selector.register(pipe, selectors.EVENT_READ)
            while not self._over(selector):
                if selector.get_map():
                    for key, _ in selector.select(_TICK_S):
                        self._read(selector, key.fileobj)  # type: ignore[arg-type]  # pipes, as registered above
                else:
                    time.sleep(_TICK_S / 5)
                self._consider_stopping(deadline)
        if self._lines:
            self._lines.end()
        return Finished(
            ending=self._ending,
            exit_code=self._reap(),
            stdout=bytes(self._stdout),
            stderr=bytes(self._stderr),
            killed=self._killed,
        )

    def close(self) -> None:
        """Leave nothing behind when reading failed."""
        if not self._reaped:
            self._kill()
            self._reap()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _over(self, selector: selectors.BaseSelector) -> bool:
        if not self._gone():
            return False
        if not selector.get_map():
            return True
        self._give_up = min(self._give_up, time.monotonic() + _DRAIN_S)
        return time.monotonic() >= self._give_up

    def _consider_stopping(self, deadline: float) -> None:
        if self._gone():
            return
        now = time.monotonic()
        if self._requests:
            self._stop(Ending.INTERRUPTED, now)
        if now >= deadline:
            self._stop(Ending.TIMED_OUT, now)
        if now >= self._kill_at or len(self._requests) > 1:
            self._kill()

    def _read(self, selector: selectors.BaseSelector, pipe: IO[bytes]) -> None:
        try:
            chunk = os.read(pipe.fileno(), _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            selector.unregister(pipe)
        elif pipe is self._process.stderr:
            self._stderr += chunk
            del self._stderr[:-MAX_STDERR_BYTES]
        elif self._lines:
            if not self._lines.take(chunk):
                self._stop(Ending.STOPPED, time.monotonic())
        elif len(self._stdout) + len(chunk) > self._max_stdout:
            self._stop(Ending.TOO_MUCH, time.monotonic())
        else:
            self._stdout += chunk

    def _stop(self, why: Ending, now: float) -> None:
        """Ask it to end, once; the first reason is kept."""
        if self._ending is not Ending.EXITED:
            return
        self._ending = why
        self._kill_at = now + self._grace_s
        if self._grace_s and not self._gone():
            self._process.send_signal(signal.SIGINT)

    def _kill(self) -> None:
        """End the whole group. It is not reaped yet, so the number is still its group's and nobody else's."""
        self._killed = self._killed or not self._gone()
        with suppress(ProcessLookupError, PermissionError):  # all gone already
            os.killpg(self._process.pid, signal.SIGKILL)

    def _gone(self) -> bool:
        """It has ended. It is not reaped here, so that its group can still be named."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return self._reaped or os.waitid(os.P_PID, self._process.pid, flags) is not None

    def _reap(self) -> int:
        if not self._reaped:
            # What a provisioner left running on purpose after a whole apply stays; anything else goes.
            if not self._grace_s or self._ending is not Ending.EXITED:
                self._kill()
            self._reaped = True
        return self._process.wait()


class _Lines:
    """Cuts a stream into lines and never holds more than one, nor more than `MAX_LINE_BYTES` of it."""

    def __init__(self, on_line: OnLine) -> None:
        self._on_line = on_line
        self._rest = bytearray()
        self._too_long = False

    def take(self, chunk: bytes) -> bool:
        """False once the reader wants no more."""
        wanted = True
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            self._add(part)
            wanted = self._give() and wanted
        self._add(rest)
        return wanted

    def end(self) -> None:
        """The stream is over: what is left is a line too."""
        if self._rest or self._too_long:
            self._give()

    def _add(self, part: bytes) -> None:
        if self._too_long or len(self._rest) + len(part) > MAX_LINE_BYTES:
            self._too_long = True
            self._rest.clear()
        else:
            self._rest += part

    def _give(self) -> bool:
        line = None if self._too_long else bytes(self._rest)
        self._rest.clear()
        self._too_long = False
        return self._on_line(line)
