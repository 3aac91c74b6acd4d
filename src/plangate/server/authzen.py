"""OpenID AuthZEN Authorization API 1.0: may a subject do an action on a resource.

A resource whose type is a kind of plan goes down the gate's own road, with its ``properties`` as the plan. Anything
else is asked of the query policies, at the path that the settings name; what is not exactly ``true`` there is a no.

Source: https://openid.net/specs/authorization-api-1_0.html
"""

from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.routing import Route

from plangate.server.endpoint import Endpoint, Guard
from plangate.server.exchange import Answer, Exchange, HttpProblem, json_answer
from plangate.server.front import Asked, Front
from plangate.server.opa import checked_json
from plangate.server.queries import answer
from plangate.wiring.choices import limits_of

PLANS: Final = frozenset({
    "terraform_plan", "kubernetes_object", "cloudformation_template", "cloudformation_change_set", "pulumi_plan",
    "arm_template", "compose_project", "plan",
})  # fmt: skip
"""Resource types that are plans."""
SEMANTICS: Final = ("execute_all", "deny_on_first_deny", "permit_on_first_permit")
MAX_EVALUATIONS: Final = 256
_MAX_TEXT: Final = 1_024
_KEYS: Final[tuple[str, ...]] = ("subject", "action", "resource", "context")


class Entity(Struct, frozen=True, kw_only=True):
    """A subject or a resource."""

    type: str
    id: str
    properties: dict[str, Any] = {}


class Action(Struct, frozen=True, kw_only=True):
    """What is to be done."""

    name: str
    properties: dict[str, Any] = {}


class EvaluationRequest(Struct, frozen=True, kw_only=True):
    """One question."""

    subject: Entity
    action: Action
    resource: Entity
    context: dict[str, Any] = {}


class EvaluationAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer."""

    decision: bool
    context: dict[str, Any] = {}


class EvaluationsAnswer(Struct, frozen=True, kw_only=True):
    """Answers to several questions, in their order."""

    evaluations: list[EvaluationAnswer]


def authzen_problem(problem: HttpProblem) -> Answer:
    """A problem as a message, with the statuses that the standard has."""
    status = 400 if problem.status in {408, 415, 422} else problem.status
    return json_answer(problem.problem.message, status=status, headers=problem.headers)


class AuthZen:
    """The handlers."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._limits = limits_of(front.settings)
        self._path = [segment for segment in front.server.queries.authzen.split("/") if segment]

    async def evaluation(self, exchange: Exchange) -> Answer:
        """``POST /access/v1/evaluation``."""
        return json_answer(await self._one(exchange, self._body(exchange)))

    async def evaluations(self, exchange: Exchange) -> Answer:
        """``POST /access/v1/evaluations``."""
        body = self._body(exchange)
        items = body.get("evaluations")
        if items is None or items == []:
            return json_answer(await self._one(exchange, body))
        if not isinstance(items, list) or len(items) > MAX_EVALUATIONS:
            raise HttpProblem(
                400, "invalid_request", f"evaluations: expected a list of at most {MAX_EVALUATIONS}"
            )
        options = body.get("options", {})
        semantic = options.get("evaluations_semantic", SEMANTICS[0]) if isinstance(options, dict) else None
        if semantic not in SEMANTICS:
            raise HttpProblem(
                400, "invalid_request", f"evaluations_semantic: expected one of: {', '.join(SEMANTICS)}"
            )
        defaults = {key: body[key] for key in _KEYS if key in body}
        answers: list[EvaluationAnswer] = []
        for item in items:
            try:
                # What is no object asks nothing, and so lacks everything.
                found = await self._one(exchange, {**defaults, **item} if isinstance(item, dict) else {})
            except HttpProblem as problem:
                error = {"status": problem.status, "message": problem.problem.message}
                found = EvaluationAnswer(decision=False, context={"error": error})
            answers.append(found)
            if found.decision is (semantic == SEMANTICS[2]) and semantic != SEMANTICS[0]:
                break
        return json_answer(EvaluationsAnswer(evaluations=answers))

    async def metadata(self, exchange: Exchange) -> Answer:
        """``GET /.well-known/authzen-configuration``."""
        host = exchange.header(b"host")
        base = f"https://{host}"
        return json_answer(
            {
                "policy_decision_point": base,
                "access_evaluation_endpoint": f"{base}/access/v1/evaluation",
                "access_evaluations_endpoint": f"{base}/access/v1/evaluations",
            }
        )

    def _body(self, exchange: Exchange) -> dict[str, Any]:
        kind = exchange.header(b"content-type").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise HttpProblem(400, "invalid_request", "content-type: expected application/json")
        if not exchange.body:
            raise HttpProblem(400, "invalid_request", "the body is empty")
        found = msgspec.json.decode(checked_json(exchange.body, self._limits))
        if not isinstance(found, dict):
            raise HttpProblem(400, "invalid_request", "the body is not an object")
        return found

    async def _one(self, exchange: Exchange, body: dict[str, Any]) -> EvaluationAnswer:
        try:
            asked = msgspec.convert({key: body[key] for key in _KEYS if key in body}, EvaluationRequest)
        except msgspec.ValidationError as error:
            raise HttpProblem(400, "invalid_request", str(error)[:500]) from error
        request = {
            "interface": "authzen",
            "subject": f"{asked.subject.type}:{asked.subject.id}"[:_MAX_TEXT],
            "action": asked.action.name[:_MAX_TEXT],
            "resource": f"{asked.resource.type}:{asked.resource.id}"[:_MAX_TEXT],
        }
        if asked.resource.type in PLANS:
            return await self._plan(exchange, asked, request)
        if not self._path:
            raise HttpProblem(
                400,
                "invalid_request",
                "resource.type: not a kind of plan, and server.queries.authzen is not set",
            )
        document = msgspec.json.encode({key: body[key] for key in _KEYS if key in body})
        answered = await answer(
            self._front,
            exchange.caller,
            interface="authzen",
            path=self._path,
            document=document,
            request=request,
            decide=lambda value: value is not None and value.strip() == b"true",
        )
        exchange.decision_id, exchange.result = answered.query_id, str(answered.decision).lower()
        context: dict[str, Any] = {"id": answered.query_id}
        if answered.error:
            context["error"] = {"status": 500, "message": "the policy could not be evaluated"}
        return EvaluationAnswer(decision=answered.decision is True, context=context)

    async def _plan(
        self, exchange: Exchange, asked: EvaluationRequest, request: dict[str, str]
    ) -> EvaluationAnswer:
        decided = await self._front.decide(
            Asked(
                data=msgspec.json.encode(asked.resource.properties),
                name=asked.resource.id[:_MAX_TEXT],
                caller=exchange.caller,
                request=request,
            )
        )
        exchange.decision_id, exchange.result = decided.decision_id, decided.result
        context: dict[str, Any] = {"id": decided.decision_id}
        if not decided.allowed:
            context["reason_admin"] = {"en": why(decided.content())}
        return EvaluationAnswer(decision=decided.allowed, context=context)


def why(document: dict[str, Any]) -> str:
    """What denied, in a line."""
    rules = sorted({o["rule"] for o in document["outcomes"] if o.get("effect") in {"denies", "blocks"}})
    return "; ".join([*document["reasons"], *rules])[:1_000]


def authzen_routes(front: Front, guard: Guard) -> list[Route]:
    """The routes."""
    authzen = AuthZen(front)

    def endpoint(handler: Any, permission: str = "ask") -> Endpoint:
        return Endpoint(guard, handler, permission=permission, render=authzen_problem)

    return [
        Route("/access/v1/evaluation", endpoint(authzen.evaluation), methods=["POST"]),
        Route("/access/v1/evaluations", endpoint(authzen.evaluations), methods=["POST"]),
        Route("/.well-known/authzen-configuration", endpoint(authzen.metadata, ""), methods=["GET"]),
    ]
