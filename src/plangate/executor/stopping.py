"""Requests to stop: SIGINT, SIGTERM and SIGHUP are noted while a change runs, and end nothing by themselves."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_TICK_S: Final = 0.1


class Requests:
    """How often somebody asked to stop."""

    def __init__(self) -> None:
        self.count = 0

    def wait(self, seconds: float) -> None:
        """Wait so long, or until somebody asks again."""
        before, end = self.count, time.monotonic() + seconds
        while self.count == before and (left := end - time.monotonic()) > 0:
            time.sleep(min(_TICK_S, left))


@contextmanager
def requests_to_stop(heard: Callable[[], None] = lambda: None) -> Iterator[Requests]:
    """Notes the signals that ask to stop. Only the main thread gets any; ignored ones stay ignored.

    Args:
        heard: Called after each, from a signal handler.
    """
    requests = Requests()
    if threading.current_thread() is not threading.main_thread():
        yield requests
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        requests.count += 1
        heard()

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, note)
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
