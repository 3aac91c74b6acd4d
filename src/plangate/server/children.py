"""Starting processes by fork, and seeing to it that none outlives the one that started it."""

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_SIGNALS: Final = (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP)
CRASHED: Final = 70


def start(
    work: Callable[[], int], close: Sequence[int] = (), *, name: str, death_signal: int = signal.SIGKILL
) -> int:
    """Run a function in a process of its own, whose exit code is what the function gives.

    The process is in a group of its own, so that Ctrl-C reaches the main process alone, and ends with its parent.

    Args:
        work: What to do.
        close: Descriptors of the parent that the child has no use for.
        name: What the system calls it, e.g. in ``top``; at most 15 characters.
        death_signal: Sent to the child when its parent ends.

    Returns:
        The process id.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    # A signal that comes before the child has handlers of its own would be taken by a copy of ours, and so be lost:
    # it waits until then.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        pid = os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid
    code = CRASHED
    try:
        os.setpgid(0, 0)
        for descriptor in close:
            os.close(descriptor)
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        end_with_parent(death_signal)
        _call_it(name)
        if os.getppid() == parent:
            code = work()
    except KeyboardInterrupt:
        code = 0
    except BaseException as error:  # noqa: BLE001 - a child has nobody above it who could say this
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"  # noqa: PTH119
        os.write(2, f"plangate: a process of the server failed: {type(error).__name__} at {place}\n".encode())
    finally:
        # No exit handlers: this is a copy of a process that has its own to run.
        os._exit(code)


def settle() -> None:
    """Take what has been loaded out of garbage collection: it stays, so there is no use in walking it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _call_it(name: str) -> None:
    """Give this process a name of its own: all others of a server have the same command line."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_bytes(name.encode())


def end_with_parent(death_signal: int) -> None:
    """Ask the system to send this process a signal when its parent ends, however that ends; Linux can."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
