"""Says what is going on, when it takes longer than a second, on a terminal only."""

import contextlib
import sys
import threading
from types import TracebackType
from typing import Any, Final, Self

from plangate.cli import streams

DELAY_S: Final = 1.0


class Progress:
    """Call it with what is going on; it shows the last thing said, after a second, on standard error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._message = ""
        self._status: Any = None
        self._timer: threading.Timer | None = None
        self._active = sys.stderr.isatty()

    def __call__(self, message: str) -> None:
        """Remember what is going on now."""
        if not self._active:
            return
        with self._lock:
            self._message = message
            if self._status is not None:
                self._status.update(message)
            elif self._timer is None:
                # Started with the first message, which comes after the policy worker was forked.
                self._timer = threading.Timer(DELAY_S, self._show)
                self._timer.daemon = True
                self._timer.start()

    def say(self, line: str) -> None:
        """A whole line on standard error, above the moving one; never an exception."""
        with self._lock:
            if self._status is not None:
                with contextlib.suppress(OSError):
                    self._status.console.print(line, markup=False, highlight=False)
            else:
                streams.say(line + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._active = False
            if self._timer is not None:
                self._timer.cancel()
            if self._status is not None:
                self._status.stop()

    def _show(self) -> None:
        from rich.console import Console

        with self._lock:
            if self._active:
                self._status = Console(stderr=True).status(self._message)
                self._status.start()
