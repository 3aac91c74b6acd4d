"""All routes of one process that answers."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from plangate.server.approvals import Approvals
from plangate.server.authzen import authzen_routes
from plangate.server.contracts import contract_routes
from plangate.server.decisions import Decisions
from plangate.server.endpoint import SECURITY_HEADERS, Endpoint, Guard, Receive, Scope, Send
from plangate.server.exchange import Answer, Exchange, HttpProblem, plain_problem
from plangate.server.front import Front
from plangate.server.health import Health
from plangate.server.log_api import log_routes
from plangate.server.opa import opa_routes
from plangate.server.openapi import document

_WORDS = {404: ("not_found", "there is nothing here"), 405: ("method_not_allowed", "not with this method")}


def make_app(front: Front, guard: Guard) -> Starlette:
    """The application.

    Raises:
        UsageError: Settings of a contract make no sense.
    """
    approvals, health = Approvals(front), Health(front)
    decisions = Decisions(front, approvals)
    routes = [
        Route("/v1/decisions", Endpoint(guard, decisions.create, permission="ask"), methods=["POST"]),
        *contract_routes(front, guard),
        *opa_routes(front, guard, health),
        *authzen_routes(front, guard),
        *log_routes(front, guard),
        Route("/v1/openapi.json", Endpoint(guard, _openapi, limited=False), methods=["GET"]),
        Route("/v1/approvals", Endpoint(guard, approvals.create, permission="approve"), methods=["POST"]),
        Route(
            "/v1/decisions/{decision_id}", Endpoint(guard, decisions.read, permission="read"), methods=["GET"]
        ),
        Route("/livez", Endpoint(guard, health.live, limited=False), methods=["GET"]),
        Route("/readyz", Endpoint(guard, health.ready, limited=False), methods=["GET"]),
        Route("/metrics", Endpoint(guard, health.metrics, permission="read", limited=False), methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _no_route})
    app.router.redirect_slashes = False
    return app


class Direct:
    """The application, with a short way for what is asked all the time: a ``POST`` to a path without parameters.

    Starlette takes as long to find the handler as the handler itself does; for anything else it is asked.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._endpoints: dict[str, Endpoint] = {
            route.path: route.endpoint
            for route in app.routes
            if isinstance(route, Route)
            and isinstance(route.endpoint, Endpoint)
            and "POST" in (route.methods or ())
            and "{" not in route.path
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http" and scope["method"] == "POST":
            endpoint = self._endpoints.get(scope["path"])
            if endpoint is not None:
                await endpoint(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _openapi(exchange: Exchange) -> Answer:
    """``GET /v1/openapi.json``."""
    del exchange
    return Answer(body=document())


def _no_route(request: Request, error: Exception) -> Response:
    """What no route answers."""
    del request
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, message = _WORDS.get(status, ("error", "this cannot be answered"))
    answer = plain_problem(HttpProblem(status, code, message))
    headers = {name.decode(): value.decode() for name, value in SECURITY_HEADERS}
    if isinstance(error, HTTPException) and error.headers and "Allow" in error.headers:
        headers["allow"] = error.headers["Allow"]
    return Response(answer.body, status, headers, answer.media_type)
