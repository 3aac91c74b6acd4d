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
from plangate.server.endpoint import SECURITY_HEADERS, Endpoint, Guard
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
