"""A proxy before the double of AWS that keeps calls which change something waiting until a test lets them go."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from tests.aws_crash import reads

_WAIT_S: Final = 60.0


class _Asked(Struct, frozen=True):
    """A request as `plangate`'s crash tests read one."""

    method: str
    headers: Any
    body: bytes


class Proxy:
    """A running proxy.

    Args:
        url: Where it listens.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._free = threading.Event()
        self._free.set()
        self._changed = threading.Condition()
        self._held = 0
        self._drop = False

    def hold(self) -> None:
        """Keep calls that change something waiting from now on."""
        self._free.clear()
        self._held = 0

    def let_go(self, *, drop: bool = False) -> None:
        """Send on all that comes, and what waits, unless that is to be dropped."""
        self._drop = drop
        self._free.set()

    def wait_until_idle(self) -> None:
        """Until nothing waits any more, and what waited was carried out."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._held == 0, _WAIT_S), self._held

    def wait_for(self, number: int) -> None:
        """Until so many calls wait."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._held >= number, _WAIT_S), self._held

    @contextmanager
    def passing(self) -> Iterator[bool]:
        """Wait, as a call that changes something; whether it is to be sent on."""
        if self._free.is_set():
            yield True
            return
        self._count(1)
        try:
            self._free.wait(_WAIT_S)
            yield not self._drop
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        with self._changed:
            self._held += more
            self._changed.notify_all()


@contextmanager
def proxy_before(url: str) -> Iterator[Proxy]:
    """Start one on a free port of the loopback interface."""
    to = urlsplit(url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if reads(_Asked(self.command, self.headers, body)):
                self._send_on(body)
                return
            with proxy.passing() as wanted:
                if wanted:
                    self._send_on(body)
                else:
                    self.close_connection = True

        def _send_on(self, body: bytes) -> None:
            connection = HTTPConnection(to.hostname or "", to.port, timeout=_WAIT_S)
            try:
                connection.request(self.command, self.path, body, dict(self.headers.items()))
                answer = connection.getresponse()
                data = answer.read()
            finally:
                connection.close()
            try:
                self._answer(answer.status, answer.getheaders(), data)
            except OSError:
                self.close_connection = True  # nobody hears it any more

        def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in {
                    "connection",
                    "content-length",
                    "date",
                    "server",
                    "transfer-encoding",
                }:
                    self.send_header(name, value)
            length = dict(headers).get("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815 - names of the standard library

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.let_go()
        server.shutdown()
        thread.join()
        server.server_close()
