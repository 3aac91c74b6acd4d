"""What the main process knows of those that it started."""

import hashlib
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from plangate.server.sockets import listen_privately, socket_path


class Slot:
    """What one process that answers leaves to the one that takes its place."""

    def __init__(self, number: int, listener: socket.socket, folder: Path) -> None:
        self.number = number
        self.listener = listener
        self.path = socket_path(folder, f"judges-{number}")
        self.judges = listen_privately(self.path)
        self.control: socket.socket | None = None
        self.heard = b""
        self.judge_counts: dict[int, int] = {}
        self.pid = 0


class Load(Struct, kw_only=True):
    """One load of the policies, on its way or in use.

    Attributes:
        generation: Its number.
        pid: Of its loader.
        until: When it has to be ready, on the monotonic clock.
        ready: Judges that are.
        policies: By environment, what was loaded.
        queries: Digest of the query policies; empty without any.
        problem: Why it is refused.
        hint: What to do about that.
    """

    generation: int
    pid: int
    until: float
    ready: int = 0
    policies: Mapping[str, Any] = {}
    queries: str = ""
    problem: str = ""
    hint: str = ""


def together(digests: Mapping[str, str]) -> str:
    """One digest over those of several environments."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
