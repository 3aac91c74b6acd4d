"""What stands between the socket and a handler: identity, limits, headers, and no way out for a traceback."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from uuid import uuid4

from plangate.errors import AuditError, CannotDecideError, PlangateError
from plangate.server.access import Caller
from plangate.server.body import GoneError, read_body
from plangate.server.exchange import Answer, Exchange, HttpProblem, header, plain_problem
from plangate.server.front import Front
from plangate.server.request_log import RequestLog

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[[Exchange], Awaitable[Answer]]
Renderer = Callable[[HttpProblem], Answer]

SECURITY_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
RETRY: Final = (("retry-after", "1"),)
_MAX_REQUEST_ID: Final = 128


class Guard:
    """Limits that all endpoints of this process share, and what they tell the log of requests."""

    def __init__(self, front: Front, log: RequestLog) -> None:
        self.front = front
        self.log = log
        self.running = 0
        self.by_caller: dict[str, int] = {}

    def enter(self, caller: Caller) -> None:
        """Take a place.

        Raises:
            HttpProblem: There is none.
        """
        if self.running >= self.front.server.limits.max_requests:
            raise HttpProblem(503, "busy", "too many requests at a time", headers=RETRY)
        mine = self.by_caller.get(caller.name, 0)
        if mine >= caller.max_requests:
            raise HttpProblem(429, "busy", "too many requests of this caller at a time", headers=RETRY)
        self.running += 1
        self.by_caller[caller.name] = mine + 1

    def leave(self, caller: Caller) -> None:
        """Give the place back."""
        self.running -= 1
        self.by_caller[caller.name] -= 1


class Endpoint:
    """One handler as an ASGI application.

    Args:
        guard: Shared limits.
        handler: Answers.
        permission: What the caller has to be allowed; empty for what everybody may see.
        render: How problems are said in this interface.
        limited: Counts among the requests at a time.
    """

    def __init__(
        self,
        guard: Guard,
        handler: Handler,
        *,
        permission: str = "",
        render: Renderer = plain_problem,
        limited: bool = True,
    ) -> None:
        self._guard = guard
        self._handler = handler
        self._permission = permission
        self._render = render
        self._limited = limited

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        started = time.perf_counter()
        guard = self._guard
        request_id = _request_id(scope)
        exchange: Exchange | None = None
        try:
            caller = guard.front.access.identify(scope)
            if self._permission:
                guard.front.access.require(caller, self._permission)
            if self._limited:
                guard.enter(caller)
            try:
                body = await read_body(scope, receive, guard.front.server.limits)
                exchange = Exchange(scope, caller, body, request_id)
                answer = await self._handler(exchange)
            finally:
                if self._limited:
                    guard.leave(caller)
        except HttpProblem as problem:
            guard.front.metrics.refused.labels(problem.problem.code).inc()
            answer = self._render(problem)
        except GoneError:
            return
        except AuditError as error:
            guard.front.metrics.record_failures.inc()
            guard.log.problem(request_id, error)
            answer = self._render(
                HttpProblem(
                    503, "not_recorded", "the decision could not be recorded, so there is none", headers=RETRY
                )
            )
        except PlangateError as error:
            guard.log.problem(request_id, error)
            answer = self._render(
                HttpProblem(
                    503 if isinstance(error, CannotDecideError) else 500, "cannot_decide", str(error)[:1_000]
                )
            )
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of it may get out, and it is no allow
            guard.log.crash(request_id, error)
            answer = self._render(
                HttpProblem(500, "internal_error", "an internal error; nothing was allowed")
            )
        seconds = time.perf_counter() - started
        guard.front.metrics.answered(scope["method"], answer.status, seconds)
        guard.log.answered(scope, exchange, request_id, answer.status, seconds)
        await _send(send, answer, request_id, is_head=scope["method"] == "HEAD")


async def _send(send: Send, answer: Answer, request_id: str, *, is_head: bool) -> None:
    headers = [
        (b"content-type", answer.media_type.encode("latin-1")),
        (b"content-length", str(len(answer.body)).encode()),
        (b"x-request-id", request_id.encode("latin-1")),
        *SECURITY_HEADERS,
        *((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else answer.body})


def _request_id(scope: Mapping[str, Any]) -> str:
    """The caller's own id, if it can be repeated as it is."""
    given = header(scope, b"x-request-id")
    if 0 < len(given) <= _MAX_REQUEST_ID and all("!" <= character <= "~" for character in given):
        return given
    return uuid4().hex
