"""A double of S3 that writes conditionally in one step, as S3 does and moto does not. It keeps small objects in memory.

What it does, after https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html: a PUT with
``If-None-Match: *`` is written only if there is no such object, one with ``If-Match`` only over the object with that
entity tag; else 412 ``PreconditionFailed``. A write that comes while another one of the same object is under way is
answered with 409 ``ConditionalRequestConflict``. ``If-Match`` where there is no object is 404 ``NoSuchKey``.
"""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit

_UNDER_WAY_S: Final = 0.005


class Store:
    """The objects.

    Args:
        url: Where they are served.
    """

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.objects: dict[str, bytes] = {}
        self.answers: list[int] = []
        """Status of every answer to a PUT."""
        self.unheard: list[int] = []
        """How many of the next writes are carried out and answered with this status all the same."""
        self._lock = threading.Lock()
        self._written: set[str] = set()

    def put(self, path: str, body: bytes, if_match: str | None, if_none_match: str | None) -> tuple[int, str]:
        """Write if the conditions hold: status, and the entity tag or the error's code."""
        with self._lock:
            if path in self._written:
                return self._told(409, "ConditionalRequestConflict")
            there = self.objects.get(path)
            if if_none_match == "*" and there is not None:
                return self._told(412, "PreconditionFailed")
            if if_match is not None and there is None:
                return self._told(404, "NoSuchKey")
            if if_match is not None and there is not None and if_match.strip('"') != tag(there):
                return self._told(412, "PreconditionFailed")
            self._written.add(path)
        time.sleep(_UNDER_WAY_S)
        with self._lock:
            self.objects[path] = body
            self._written.discard(path)
            if self.unheard:
                return self._told(self.unheard.pop(), "InternalError")
            return self._told(200, tag(body))

    def delete(self, path: str) -> None:
        """Delete."""
        with self._lock:
            self.objects.pop(path, None)

    def _told(self, status: int, word: str) -> tuple[int, str]:
        self.answers.append(status)
        return status, word


def tag(body: bytes) -> str:
    """The entity tag of an object."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    store: ClassVar[Store]
    protocol_version = "HTTP/1.1"

    @property
    def _path(self) -> str:
        return unquote(urlsplit(self.path).path)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, word = self.store.put(
            self._path, body, self.headers.get("If-Match"), self.headers.get("If-None-Match")
        )
        self._answer(status, b"" if status == 200 else _error(word), word if status == 200 else "")

    def do_GET(self) -> None:
        found = self.store.objects.get(self._path)
        if found is None:
            self._answer(404, _error("NoSuchKey"), "")
        else:
            self._answer(200, found, tag(found))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.store.delete(self._path)
        self._answer(204, b"", "")

    def _answer(self, status: int, body: bytes, entity: str) -> None:
        self.send_response(status)
        if entity:
            self.send_header("ETag", f'"{entity}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def s3_double() -> Iterator[Store]:
    """Serve on a free port of the loopback interface."""
    store = Store()
    handler = type("Handler", (_Handler,), {"store": store})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    store.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
