"""Reading a request's body within its limits: bytes first, then time, then what it unpacks to."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from plangate.server.exchange import HttpProblem, header
from plangate.server_settings import ServerLimitSettings

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
_WITH_GZIP: Final = 16 + zlib.MAX_WBITS
WHOLE: Final = "plangate.whole"
"""Member of a scope: true once all of the request has come."""
CLOSE: Final = (("connection", "close"),)
"""After a body that was not read to its end, nothing else can come on the connection."""


class GoneError(Exception):
    """The caller hung up before the request was whole."""


async def read_body(scope: Mapping[str, Any], receive: Receive, limits: ServerLimitSettings) -> bytes:
    """The body, whole and unpacked.

    Raises:
        HttpProblem: Too big, too slow, or packed in another way than gzip.
        GoneError: The caller is gone.
    """
    length = header(scope, b"content-length")
    if length and (not length.isascii() or not length.isdigit()):
        raise HttpProblem(400, "invalid_request", "content-length is not a number", headers=CLOSE)
    if length and int(length[:20]) > limits.max_body_bytes:
        raise _too_big(limits)
    encoding = header(scope, b"content-encoding").strip().lower()
    if encoding not in {"", "identity", "gzip"}:
        raise HttpProblem(415, "invalid_request", "content-encoding is not gzip", headers=CLOSE)
    try:
        if scope.get(WHOLE, False):  # nothing has to be waited for
            body = await _all(receive, limits)
        else:
            async with asyncio.timeout(limits.body_timeout_s):
                body = await _all(receive, limits)
    except TimeoutError as error:
        raise HttpProblem(
            408, "timeout", f"the body did not arrive within {limits.body_timeout_s:g} s", headers=CLOSE
        ) from error
    return _unpacked(body, limits) if encoding == "gzip" else body


async def _all(receive: Receive, limits: ServerLimitSettings) -> bytes:
    message = await receive()
    if message["type"] != "http.request":
        raise GoneError
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limits.max_body_bytes:
            raise _too_big(limits)
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False):
        if size > limits.max_body_bytes:
            raise _too_big(limits)
        message = await receive()
        if message["type"] != "http.request":
            raise GoneError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if size > limits.max_body_bytes:
        raise _too_big(limits)
    return b"".join(parts)


def _unpacked(body: bytes, limits: ServerLimitSettings) -> bytes:
    unpack = zlib.decompressobj(_WITH_GZIP)
    try:
        data = unpack.decompress(body, limits.max_body_bytes + 1)
    except zlib.error as error:
        raise HttpProblem(400, "invalid_request", "the body is not gzip") from error
    if len(data) > limits.max_body_bytes:
        raise _too_big(limits)
    if not unpack.eof or unpack.unused_data:
        raise HttpProblem(400, "invalid_request", "the body is not one whole gzip stream")
    return data


def _too_big(limits: ServerLimitSettings) -> HttpProblem:
    return HttpProblem(
        413,
        "too_large",
        f"the body is bigger than {limits.max_body_bytes} bytes",
        hint="the limit is server.limits.max_body_bytes",
        headers=CLOSE,
    )
