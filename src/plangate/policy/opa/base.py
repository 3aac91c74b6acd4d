"""What the parts of the OPA engine share: where a server is, how long there is, and what can go wrong.

Nothing here imports the client, which takes a fifth of a second and may be missing.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from plangate.errors import EngineError


class UnavailableError(EngineError):
    """Nobody answers, or OPA says that it is not ready: nothing was judged, so asking again does no harm."""


class RefusedError(EngineError):
    """OPA understood the request and will not do it: a policy that does not compile, for example."""


class RuleFailedError(EngineError):
    """Evaluation itself failed: a builtin got what it cannot work with, or two rules contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where an OPA is, and how to prove who we are.

    Attributes:
        name: For messages.
        socket_file: A Unix socket; then the fields below do not count.
        host: Host name or address.
        port: TCP port.
        tls: Speak TLS.
        ca_file: Authorities to believe instead of the usual ones.
        client_cert: Certificate and key that we show.
        token: Bearer token. Never part of a message.
    """

    name: str
    socket_file: Path | None = None
    host: str = "opa"
    port: int = 80
    tls: bool = False
    ca_file: Path | None = None
    client_cert: tuple[Path, Path] | None = None
    token: str = field(default="", repr=False)


class Deadline:
    """When everything has to be done.

    Args:
        seconds: From now on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds: Final = seconds
        self._until: Final = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; may be negative."""
        return self._until - time.monotonic()

    def error(self, doing: str) -> EngineError:
        """What to raise when it has passed."""
        return EngineError(f"{doing} took longer than {self.seconds:g} s and was given up (policy_timeout_s)")
