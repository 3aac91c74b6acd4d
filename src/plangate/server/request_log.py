"""The log of requests: one JSON object a line on standard error, with decision ids, and never a body or a token.

It is for operators; what was decided is in the audit log. Lines are written a few times a second, all at once.
"""

import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from plangate.server.exchange import Exchange

_ENCODER: Final = msgspec.json.Encoder()
_MAX_LINES: Final = 10_000
"""Lines that wait; beyond that they are counted and dropped, so that a reader that stands still stops nothing."""


class RequestLog:
    """Collects lines, and writes them when `flush` is called.

    Args:
        requests: Write a line for every request, not only for problems.
    """

    def __init__(self, *, requests: bool = True) -> None:
        self._requests = requests
        self._lines: list[bytes] = []
        self._dropped = 0

    def answered(self, exchange: Exchange, status: int, seconds: float) -> None:
        """A request was answered."""
        if not self._requests:
            return
        line: dict[str, Any] = {
            "event": "request",
            "method": exchange.method,
            "path": exchange.path[:500],
            "status": status,
            "ms": round(seconds * 1000, 3),
            "client": exchange.client,
            "request_id": exchange.request_id,
            "caller": exchange.caller.identity,
        }
        if exchange.decision_id:
            line["decision_id"] = exchange.decision_id
            line["result"] = exchange.result
        self.say("info", line)

    def problem(self, request_id: str, error: Exception) -> None:
        """Something that people have to look at."""
        self.say("error", {"event": "problem", "request_id": request_id, "message": str(error)[:1_000]})

    def crash(self, request_id: str, error: BaseException) -> None:
        """A bug: where it is, never its values."""
        places = []
        frame = error.__traceback__
        while frame is not None:
            code = frame.tb_frame.f_code
            places.append(f"{Path(code.co_filename).name}:{frame.tb_lineno} {code.co_name}")
            frame = frame.tb_next
        self.say(
            "error",
            {
                "event": "crash",
                "request_id": request_id,
                "error": type(error).__name__,
                "at": " < ".join(reversed(places[-4:])),
            },
        )

    def say(self, level: str, fields: Mapping[str, Any]) -> None:
        """Any other line."""
        if len(self._lines) >= _MAX_LINES:
            self._dropped += 1
            return
        time_text = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._lines.append(_ENCODER.encode({"time": time_text, "level": level, "pid": os.getpid(), **fields}))

    def flush(self) -> None:
        """Write what waits."""
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self.say("warning", {"event": "dropped", "lines": dropped})
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        data = b"\n".join(lines) + b"\n"
        until = time.monotonic() + 0.5
        while data and time.monotonic() < until:
            try:
                data = data[os.write(sys.stderr.fileno(), data) :]
            except BlockingIOError:
                time.sleep(0.01)
            except (OSError, ValueError):
                return
