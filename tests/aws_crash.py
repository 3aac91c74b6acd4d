"""Ends the process at one of its calls of AWS: before it is sent, or once it was answered and before anybody hears it.

As a program it runs the command line with such an end: ``python -m tests.aws_crash WHERE NUMBER COMMAND…``.
"""

import os
import sys
import threading
from typing import Any, Final, NoReturn

CRASHED: Final = 137
"""Exit code, as of a process that was killed."""
BEFORE: Final = "before"
AFTER: Final = "after"


def crash_at(where: str, number: int, *, changes_only: bool = False) -> None:
    """Let this process end at its n-th call, the first of which is 1. It cannot be taken back.

    Args:
        where: `BEFORE` or `AFTER`.
        number: Which call.
        changes_only: Reading calls do not count.
    """
    from botocore.endpoint import Endpoint  # noqa: PLC0415 - the command line starts without it

    send = Endpoint._send
    lock = threading.Lock()
    left = number

    def sending(self: Any, request: Any) -> Any:
        nonlocal left
        with lock:
            if not (changes_only and reads(request)):
                left -= 1
            now = left == 0
            if now:
                left = -1
                if where == AFTER:
                    send(self, request)
                os._exit(CRASHED)
        return send(self, request)

    Endpoint._send = sending


def reads(request: Any) -> bool:
    """Whether a request only asks, as far as its own text tells."""
    target = request.headers.get("X-Amz-Target", b"")
    name = target.decode() if isinstance(target, bytes) else target
    body = request.body or b""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    operation = name.rpartition(".")[2] or text.partition("Action=")[2].partition("&")[0]
    if not operation:
        return bool(request.method in {"GET", "HEAD"})
    return operation.startswith(("Describe", "Get", "List", "Search"))


def main() -> NoReturn:
    """Run a command, which ends at the call."""
    where, number, *command = sys.argv[1:]
    crash_at(where, int(number), changes_only=True)
    from plangate.cli.main import entry  # noqa: PLC0415

    sys.argv = ["plangate", *command]
    entry()


if __name__ == "__main__":
    main()
