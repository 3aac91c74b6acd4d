"""Room to recurse in: as much for every caller, so that the depth at which one stands does not change what is read.

An expression in a chain of locals, outputs and modules is a dozen calls deep for each link. Python's usual thousand
are too few for real sources, and what is left of them depends on who calls.
"""

import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

_STACK_BYTES: Final = 256 * 1024 * 1024
"""Address space; only what is used is ever memory. A frame that C code calls takes less than 10 KB."""
_FRAMES: Final = 20_000

_Result = TypeVar("_Result")
_lock: Final = threading.Lock()
_usual: list[int] = []
"""The limit to go back to, once for every computation that is under way: the last one out restores it."""


def with_room(compute: Callable[[], _Result]) -> _Result:
    """What a computation gives, computed on a thread with a big stack; its exceptions are raised here.

    Raises:
        RecursionError: Deeper than `_FRAMES` calls.
    """
    results: list[_Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(compute())
        except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, name="plangate-evaluate", daemon=True)
    with _lock:
        _usual.append(_usual[0] if _usual else sys.getrecursionlimit())
        sys.setrecursionlimit(max(_usual[0], _FRAMES))
        stack = threading.stack_size(_STACK_BYTES)
        try:
            thread.start()
        finally:
            threading.stack_size(stack)
    try:
        thread.join()
    finally:
        with _lock:
            usual = _usual.pop()
            if not _usual:
                sys.setrecursionlimit(usual)
    if errors:
        raise errors[0]
    return results[0]
