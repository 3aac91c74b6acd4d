"""HTTP/1.1 of uvicorn and httptools, with what they leave out: slow and endless heads, connection limits, certificates.

uvicorn closes a connection that is idle after an answer. It waits for ever for the first request, for the rest of a
head, however long that gets, and for answers to be taken; slow clients could hold every connection that there is.
"""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from plangate.server.body import WHOLE
from plangate.server_settings import ServerLimitSettings

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
)
_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_MAX_NAMES = 16


class Protocol(HttpToolsProtocol):
    """One connection."""

    limits: ClassVar[ServerLimitSettings] = ServerLimitSettings()
    """Set once per process, before it listens."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_bytes = 0
        self._in_head = True
        self._deadline: asyncio.TimerHandle | None = None
        self._taken_by: asyncio.TimerHandle | None = None
        self._tls: dict[str, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        # Whatever cannot be sent at once is waited for: see `pause_writing`.
        transport.set_write_buffer_limits(0)
        if len(self.connections) > self.limits.max_connections:
            transport.write(_FULL)
            transport.close()
            return
        certificate = transport.get_extra_info("peercert")
        if certificate:
            self._tls = {"client_names": client_names(certificate)}
        self._deadline = self.loop.call_later(self.limits.header_timeout_s, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._stop_clock()
        self._stop_waiting()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not take its answer as fast as it is written."""
        super().pause_writing()
        if self._taken_by is None:
            self._taken_by = self.loop.call_later(self.limits.write_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken all that was written."""
        self._stop_waiting()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self.transport.is_closing():
            return
        if self._in_head:
            # What comes after the head in the same piece is counted with it: a limit, not an account.
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.max_header_bytes and len(data) <= self.limits.max_header_bytes:
                self._refuse(_TOO_LARGE)
                return
        super().data_received(data)
        if self._in_head and self._head_bytes > self.limits.max_header_bytes and self.parser is not None:
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A request starts."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        if self._tls is not None:
            self.scope["extensions"] = {"tls": self._tls}  # type: ignore[dict-item]  # more of it than it says
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.limits.header_timeout_s, self._too_slow)

    def on_headers_complete(self) -> None:
        """The head of a request is whole."""
        self._in_head = False
        self._head_bytes = 0
        self._stop_clock()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is whole."""
        super().on_message_complete()
        self.scope[WHOLE] = True  # type: ignore[typeddict-unknown-key]  # as above

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_waiting(self) -> None:
        if self._taken_by is not None:
            self._taken_by.cancel()
            self._taken_by = None

    def _too_slow(self) -> None:
        self._deadline = None
        self._refuse(_TIMEOUT)

    def _refuse(self, answer: bytes) -> None:
        self._stop_clock()
        if self.transport.is_closing():
            return
        if getattr(self.cycle, "response_complete", True):
            self.transport.write(answer)
        self.transport.close()


def client_names(certificate: dict[str, Any]) -> tuple[str, ...]:
    """The names in a certificate that was verified: alternative names first, then the common name."""
    kinds = {"DNS": "dns", "URI": "uri", "email": "email"}
    names = [
        f"{kinds[kind]}:{value}" for kind, value in certificate.get("subjectAltName", ()) if kind in kinds
    ]
    names += [
        f"cn:{value}" for part in certificate.get("subject", ()) for key, value in part if key == "commonName"
    ]
    return tuple(names[:_MAX_NAMES])
