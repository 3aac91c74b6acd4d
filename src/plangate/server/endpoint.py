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
from plangate.server.telemetry import Telemetry

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

    def __init__(self, front: Front, log: RequestLog, telemetry: Telemetry | None = None) -> None:
        self.front = front
        self.log = log
        self.telemetry = telemetry or Telemetry()
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
        exchange = Exchange(scope, _request_id(scope))
        try:
            if guard.telemetry.is_on:
                with guard.telemetry.request(scope) as span:
                    answer = await self._whatever_happens(scope, receive, exchange)
                    span.answered(exchange, answer.status)
            else:
                answer = await self._whatever_happens(scope, receive, exchange)
        except GoneError:
            return
        seconds = time.perf_counter() - started
        guard.front.metrics.answered(exchange.method, answer.status, seconds)
        guard.log.answered(exchange, answer.status, seconds)
        await _send(send, answer, exchange.request_id, is_head=exchange.method == "HEAD")

    async def _whatever_happens(self, scope: Scope, receive: Receive, exchange: Exchange) -> Answer:
        """An answer, if only a problem.

        Raises:
            GoneError: There is nobody to answer.
        """
        try:
            return await self._answered(scope, receive, exchange)
        except (GoneError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - nothing of it may get out, and it is no allow
            return self._render(self._problem(exchange, error))

    async def _answered(self, scope: Scope, receive: Receive, exchange: Exchange) -> Answer:
        guard = self._guard
        caller = exchange.caller = guard.front.access.identify(scope)
        if self._permission:
            guard.front.access.require(caller, self._permission)
        if not self._limited:
            exchange.body = await read_body(scope, receive, guard.front.server.limits)
            return await self._handler(exchange)
        guard.enter(caller)
        try:
            exchange.body = await read_body(scope, receive, guard.front.server.limits)
            return await self._handler(exchange)
        finally:
            guard.leave(caller)

    def _problem(self, exchange: Exchange, error: Exception) -> HttpProblem:
        """What an error is to the caller. The log of requests has the rest."""
        guard = self._guard
        if isinstance(error, HttpProblem):
            guard.front.metrics.refused.labels(error.problem.code).inc()
            return error
        if isinstance(error, PlangateError):
            guard.log.problem(exchange.request_id, error)
        else:
            guard.log.crash(exchange.request_id, error)
        if isinstance(error, AuditError):
            guard.front.metrics.record_failures.inc()
            return HttpProblem(
                503, "not_recorded", "the decision could not be recorded, so there is none", headers=RETRY
            )
        if isinstance(error, CannotDecideError):
            return HttpProblem(503, "cannot_decide", str(error)[:1_000], headers=RETRY)
        return HttpProblem(500, "internal_error", "an internal error; nothing was allowed")


async def _send(send: Send, answer: Answer, request_id: str, *, is_head: bool) -> None:
    headers = [
        (b"content-type", answer.media_type.encode("latin-1")),
        (b"content-length", b"%d" % len(answer.body)),
        (b"x-request-id", request_id.encode("latin-1")),
        *SECURITY_HEADERS,
    ]
    if answer.headers:
        headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else answer.body})


def _request_id(scope: Mapping[str, Any]) -> str:
    """The caller's own id, if it can be repeated as it is."""
    given = header(scope, b"x-request-id")
    if not given:
        return uuid4().hex
    if len(given) <= _MAX_REQUEST_ID and all("!" <= character <= "~" for character in given):
        return given
    return uuid4().hex
