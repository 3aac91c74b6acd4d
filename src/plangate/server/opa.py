"""OPA's REST API, so that its clients work unchanged: the Data API, health, and what can be read.

Policies come from this server's own folders and bundles only, so whatever would change them is refused. An undefined
decision is an answer without ``result``, as it is there; an evaluation that failed is never one.

Source: https://www.openpolicyagent.org/docs/rest-api
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from starlette.routing import Route

from plangate import __version__
from plangate.errors import PlanParseError
from plangate.parsers.base import Limits
from plangate.parsers.formats import read_documents
from plangate.server.endpoint import Endpoint, Guard
from plangate.server.exchange import Answer, Exchange, HttpProblem, json_answer
from plangate.server.front import Front
from plangate.server.health import Health
from plangate.server.queries import Answered, answer
from plangate.wiring.choices import limits_of
from plangate.wiring.documents import Document, input_of

_MAX_SEGMENTS: Final = 64
_TRUE: Final = frozenset({"", "true"})
_EXPLAIN: Final = frozenset({"off", "notes", "fails", "full", "debug"})
_YAML: Final = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})
_NO_INPUT: Final = {"code": "api_usage_warning", "message": "'input' key missing from the request"}
_CODES: Final = {
    400: "invalid_parameter",
    401: "unauthorized",
    403: "unauthorized",
    404: "resource_not_found",
    408: "invalid_parameter",
    413: "invalid_parameter",
    415: "invalid_parameter",
    501: "not_implemented",
}
_ENCODER: Final = msgspec.json.Encoder()
_MIN_GZIP_BYTES: Final = 1_024


def opa_problem(problem: HttpProblem) -> Answer:
    """A problem in OPA's words."""
    code = (
        problem.problem.code
        if problem.problem.code in _OWN_CODES
        else _CODES.get(problem.status, "internal_error")
    )
    body: dict[str, Any] = {"code": code, "message": problem.problem.message}
    if problem.problem.hint:
        body["errors"] = [{"code": problem.problem.hint, "message": problem.problem.message}]
    return json_answer(body, status=problem.status, headers=problem.headers)


_OWN_CODES: Final = frozenset({"undefined_document"})


class Opa:
    """The handlers."""

    def __init__(self, front: Front, health: Health) -> None:
        self._front = front
        self._health = health
        self._limits = limits_of(front.settings)

    async def data(self, exchange: Exchange) -> Answer:
        """``POST`` or ``GET /v1/data/<path>``."""
        path = _path(exchange, "/v1/data")
        explain = exchange.query.get("explain", "off")
        if explain not in _EXPLAIN:
            raise HttpProblem(
                400, "invalid_parameter", "explain: expected one of: off, notes, fails, full, debug"
            )
        has_input, document = self._wrapped(exchange)
        answered = await self._answer(exchange, path, document if has_input else None)
        body: dict[str, Any] = {"decision_id": answered.query_id}
        if answered.value is not None:
            body["result"] = msgspec.Raw(answered.value)
        if not has_input:
            body["warning"] = _NO_INPUT
        if _is_true(exchange.query, "metrics") or _is_true(exchange.query, "instrument"):
            nanoseconds = int(answered.seconds * 1e9)
            body["metrics"] = {
                "timer_rego_query_eval_ns": nanoseconds,
                "timer_server_handler_ns": nanoseconds,
            }
        if _is_true(exchange.query, "provenance"):
            body["provenance"] = {
                "version": __version__,
                "build_commit": "",
                "build_timestamp": "",
                "build_host": "",
                "bundles": {"queries": {"revision": self._front.judges.query_sha256}},
            }
        if explain != "off":
            body["explanation"] = []
        return _packed(exchange, _rendered(exchange, body))

    async def data_v0(self, exchange: Exchange) -> Answer:
        """``POST /v0/data/<path>``: the body is the input, the answer the bare result."""
        return await self._bare(exchange, _path(exchange, "/v0/data"))

    async def main(self, exchange: Exchange) -> Answer:
        """``POST /``: the default decision."""
        main = self._front.server.queries.main
        return await self._bare(exchange, [segment for segment in main.split("/") if segment])

    async def health(self, exchange: Exchange) -> Answer:
        """``GET /health``, with whatever parameters."""
        del exchange
        found = await self._health.state()
        if found["ready"]:
            return json_answer({})
        return json_answer({"error": "no judge, or the log cannot be written"}, status=500)

    async def policies(self, exchange: Exchange) -> Answer:
        """``GET /v1/policies``."""
        del exchange
        listed = [{"id": name, "raw": text} for name, text in self._front.judges.query_modules]
        return json_answer({"result": listed})

    async def policy(self, exchange: Exchange) -> Answer:
        """``GET /v1/policies/<id>``."""
        wanted = unquote(exchange.raw_path.removeprefix("/v1/policies/"))
        for name, text in self._front.judges.query_modules:
            if name == wanted:
                return json_answer({"result": {"id": name, "raw": text}})
        raise HttpProblem(404, "resource_not_found", "there is no such policy")

    async def config(self, exchange: Exchange) -> Answer:
        """``GET /v1/config`` and ``/v1/status``: what may be known."""
        del exchange
        return json_answer({"result": {"labels": {"version": __version__, "id": "plangate"}}})

    async def refuse_change(self, exchange: Exchange) -> Answer:
        """Whatever would change policies or data."""
        del exchange
        raise HttpProblem(
            403, "unauthorized", "policies and data come from this server's own folders and bundles"
        )

    async def refuse_query(self, exchange: Exchange) -> Answer:
        """Queries that are sent along, and partial evaluation."""
        del exchange
        raise HttpProblem(501, "not_implemented", "queries of the caller's own are not evaluated here")

    async def _bare(self, exchange: Exchange, path: Sequence[str | int]) -> Answer:
        document = self._decoded(exchange)
        answered = await self._answer(exchange, path, document)
        if answered.value is None:
            raise HttpProblem(404, "undefined_document", "the decision is undefined")
        return _packed(exchange, Answer(body=answered.value))

    async def _answer(
        self, exchange: Exchange, path: Sequence[str | int], document: bytes | None
    ) -> Answered:
        answered = await answer(
            self._front,
            exchange.caller,
            interface="opa",
            path=path,
            document=document,
            request={"request_id": exchange.request_id},
        )
        exchange.decision_id, exchange.result = answered.query_id, "error" if answered.error else "answered"
        if answered.error:
            code = "eval_cancel_error" if "took longer than" in answered.error else "eval_error"
            raise HttpProblem(500, "internal_error", answered.error[:1_000], hint=code)
        return answered

    def _wrapped(self, exchange: Exchange) -> tuple[bool, bytes]:
        """Whether there is an input, and it as JSON."""
        if exchange.method == "GET":
            given = exchange.query.get("input")
            return (False, b"") if given is None else (True, self._checked(given.encode(), is_yaml=False))
        if not exchange.body:
            return False, b""
        whole = self._decoded(exchange)
        try:
            fields: dict[str, msgspec.Raw] = msgspec.json.decode(whole, type=dict[str, msgspec.Raw])
        except msgspec.DecodeError as error:
            raise HttpProblem(400, "invalid_parameter", "the body is not an object") from error
        return ("input" in fields, bytes(fields["input"]) if "input" in fields else b"")

    def _decoded(self, exchange: Exchange) -> bytes:
        kind = exchange.header(b"content-type").partition(";")[0].strip().lower()
        return self._checked(exchange.body, is_yaml=kind in _YAML)

    def _checked(self, data: bytes, *, is_yaml: bool) -> bytes:
        return checked_json(data, self._limits, is_yaml=is_yaml)


def checked_json(data: bytes, limits: Limits, *, is_yaml: bool = False) -> bytes:
    """A document as JSON within the parsers' limits: no duplicate keys, not too deep.

    Raises:
        HttpProblem: It is none.
    """
    from hashlib import sha256  # noqa: PLC0415

    document = Document(name="body", path=None, data=data, sha256=sha256(data).hexdigest())
    if not is_yaml and data[:1].strip() not in {b"{", b"["}:
        # A bare value: nothing in it can be deep or twice.
        try:
            msgspec.json.decode(data)
        except msgspec.DecodeError as error:
            raise HttpProblem(400, "invalid_parameter", "the body is not JSON") from error
        return data
    try:
        values = read_documents(input_of(document), limits).values
    except PlanParseError as error:
        raise HttpProblem(
            400, "invalid_parameter", f"the body cannot be read: {error.problem}"[:500]
        ) from error
    if len(values) != 1:
        raise HttpProblem(400, "invalid_parameter", "the body is not one document")
    return _ENCODER.encode(values[0]) if is_yaml else data


def _path(exchange: Exchange, root: str) -> list[str | int]:
    """The segments of a path, percent-decoded one by one, whole numbers as such."""
    raw = exchange.raw_path.removeprefix(root).removeprefix("/").removesuffix("/")
    if not raw:
        raise HttpProblem(403, "unauthorized", "the whole of data is not given to anybody")
    parts = raw.split("/")
    if len(parts) > _MAX_SEGMENTS or not all(parts):
        raise HttpProblem(400, "invalid_parameter", f"expected a path of 1 to {_MAX_SEGMENTS} segments")
    try:
        segments = [unquote(part, errors="strict") for part in parts]
    except UnicodeDecodeError as error:
        raise HttpProblem(400, "invalid_parameter", "the path is not UTF-8") from error
    return [int(each) if each.isascii() and each.isdigit() and len(each) < 10 else each for each in segments]  # noqa: PLR2004


def _is_true(query: Mapping[str, str], name: str) -> bool:
    return query.get(name) in _TRUE


def _rendered(exchange: Exchange, body: Mapping[str, Any]) -> Answer:
    encoded = _ENCODER.encode(body)
    return Answer(
        body=msgspec.json.format(encoded, indent=2) if _is_true(exchange.query, "pretty") else encoded
    )


def _packed(exchange: Exchange, plain: Answer) -> Answer:
    if len(plain.body) < _MIN_GZIP_BYTES or "gzip" not in exchange.header(b"accept-encoding"):
        return plain
    pack = zlib.compressobj(wbits=31)
    body = pack.compress(plain.body) + pack.flush()
    return Answer(body=body, status=plain.status, headers=(*plain.headers, ("content-encoding", "gzip")))


def opa_routes(front: Front, guard: Guard, health: Health) -> list[Route]:
    """The routes."""
    opa = Opa(front, health)

    def endpoint(handler: Any, permission: str = "ask", *, limited: bool = True) -> Endpoint:
        return Endpoint(guard, handler, permission=permission, render=opa_problem, limited=limited)

    changes = ["PUT", "PATCH", "DELETE"]
    return [
        Route("/v1/data/{path:path}", endpoint(opa.data), methods=["POST", "GET"]),
        Route("/v1/data", endpoint(opa.data), methods=["POST", "GET"]),
        Route("/v0/data/{path:path}", endpoint(opa.data_v0), methods=["POST"]),
        Route("/", endpoint(opa.main), methods=["POST"]),
        Route("/health", endpoint(opa.health, "", limited=False), methods=["GET"]),
        Route("/health/live", endpoint(health.live, "", limited=False), methods=["GET"]),
        Route("/health/ready", endpoint(opa.health, "", limited=False), methods=["GET"]),
        Route("/v1/policies", endpoint(opa.policies, "read"), methods=["GET"]),
        Route("/v1/policies/", endpoint(opa.policies, "read"), methods=["GET"]),
        Route("/v1/policies/{path:path}", endpoint(opa.policy, "read"), methods=["GET"]),
        Route("/v1/config", endpoint(opa.config, "read"), methods=["GET"]),
        Route("/v1/status", endpoint(opa.config, "read"), methods=["GET"]),
        Route("/v1/data/{path:path}", endpoint(opa.refuse_change), methods=changes),
        Route("/v1/data", endpoint(opa.refuse_change), methods=changes),
        Route("/v1/policies/{path:path}", endpoint(opa.refuse_change), methods=changes),
        Route("/v1/query", endpoint(opa.refuse_query), methods=["POST", "GET"]),
        Route("/v1/compile", endpoint(opa.refuse_query), methods=["POST"]),
    ]
