"""The OpenAPI 3.1 document of our own interface, made from the types that it is decoded and encoded with."""

from functools import cache
from typing import Any, Final

import msgspec

from plangate import __version__
from plangate.server.approvals import ApprovalAnswer, ApprovalRequest
from plangate.server.authzen import EvaluationAnswer, EvaluationRequest, EvaluationsAnswer
from plangate.server.decisions import DecisionAnswer
from plangate.server.exchange import Problem

_REF: Final = "#/components/schemas/{name}"
_TYPES: Final = (
    ApprovalAnswer,
    ApprovalRequest,
    DecisionAnswer,
    EvaluationAnswer,
    EvaluationRequest,
    EvaluationsAnswer,
    Problem,
)
_PROBLEMS: Final = {
    "400": "It makes no sense.",
    "401": "Credentials are needed, or those are of nobody.",
    "403": "This caller may not.",
    "404": "There is no such thing.",
    "408": "The body did not arrive in time.",
    "413": "The body is too big.",
    "415": "The body is packed in an unknown way.",
    "429": "Too many requests of this caller at a time.",
    "503": "Busy, or the decision could not be recorded; then there is none.",
}
_OF_BODIES: Final = ("400", "401", "403", "404", "408", "413", "415", "429", "503")
_RULE_SET: Final = {
    "name": "rule_set",
    "in": "query",
    "description": "Under which name to ask.",
    "schema": {"type": "string", "default": "default"},
}


@cache
def document() -> bytes:
    """The document as JSON."""
    _, components = msgspec.json.schema_components(_TYPES, ref_template=_REF)
    # Raw JSON has no schema of its own: a decision has a published one, and a receipt is a DSSE envelope.
    decision = components["DecisionAnswer"]["properties"]
    decision["decision"] = {"type": "object", "description": "As schemas/decision.v1.json has it."}
    decision["receipt"] = {"type": ["object", "null"], "description": "A DSSE envelope."}
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Plangate",
                "version": __version__,
                "description": "Decisions about planned changes, and the log that has them.",
            },
            "security": [{"bearer": []}, {}],
            "paths": _paths(),
            "components": {
                "schemas": components,
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            },
        }
    )


def _paths() -> dict[str, Any]:
    return {
        "/v1/decisions": {
            "post": {
                "operationId": "decide",
                "summary": "Judge a document and record the decision.",
                "parameters": [
                    _RULE_SET,
                    _text("name", "What the document is called in messages."),
                    _text("reference", "The caller's own id for this; it stands in the record."),
                    _text("user", "For whom the caller asks; it stands in the record."),
                    {
                        "name": "receipt",
                        "in": "query",
                        "description": "Whether an allow comes with a receipt.",
                        "schema": {"enum": ["true", "false"], "default": "true"},
                    },
                ],
                "requestBody": {
                    "required": True,
                    "description": "A plan, a manifest or a template, byte for byte as it is going to be applied.",
                    "content": {"application/octet-stream": {}, "application/json": {}, "application/yaml": {}},
                },
                "responses": _answers("200", "DecisionAnswer", *_OF_BODIES),
            }
        },
        "/v1/decisions/{decision_id}": {
            "get": {
                "operationId": "readDecision",
                "summary": "The record of a decision, and its place in the log.",
                "parameters": [
                    {"name": "decision_id", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "responses": _plain("application/json", {"type": "object"}, "401", "403", "404", "503"),
            }
        },
        "/v1/approvals": {
            "post": {
                "operationId": "approve",
                "summary": "Approve overridable rules for one very plan.",
                "requestBody": _json("ApprovalRequest"),
                "responses": _answers("201", "ApprovalAnswer", *_OF_BODIES)
                | {"409": _problem("There are too many approvals of this plan.")},
            }
        },
        "/v1/log/checkpoint": {
            "get": {
                "operationId": "checkpoint",
                "summary": "A signed note over every record that is there.",
                "responses": _plain("text/plain; charset=utf-8", {"type": "string"}, "401", "403", "503"),
            }
        },
        "/v1/log/proof/inclusion": {
            "get": {
                "operationId": "proveInclusion",
                "summary": "The proof that a record is in the log.",
                "parameters": [_number("index", required=True), _number("size", required=False)],
                "responses": _plain("application/json", {"type": "object"}, "400", "401", "403", "404", "503"),
            }
        },
        "/v1/log/proof/consistency": {
            "get": {
                "operationId": "proveConsistency",
                "summary": "The proof that a smaller log is the beginning of a bigger one.",
                "parameters": [_number("old", required=True), _number("new", required=False)],
                "responses": _plain("application/json", {"type": "object"}, "400", "401", "403", "404", "503"),
            }
        },
        "/access/v1/evaluation": {
            "post": {
                "operationId": "evaluate",
                "summary": "AuthZEN: one evaluation.",
                "requestBody": _json("EvaluationRequest"),
                "responses": _authzen("EvaluationAnswer"),
            }
        },
        "/access/v1/evaluations": {
            "post": {
                "operationId": "evaluateMany",
                "summary": "AuthZEN: several evaluations.",
                "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": _authzen("EvaluationsAnswer", "EvaluationAnswer"),
            }
        },
        "/livez": {"get": _health("live", "This process answers.")},
        "/readyz": {
            "get": {**_health("ready", "It can decide."), "responses": {
                "200": {"description": "It can.", "content": {"application/json": {"schema": {"type": "object"}}}},
                "503": {"description": "It cannot.", "content": {"application/json": {"schema": {"type": "object"}}}},
            }}
        },
    }  # fmt: skip


def _text(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": {"type": "string", "maxLength": 1024},
    }


def _number(name: str, *, required: bool) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "schema": {"type": "integer", "minimum": 0, "maximum": 10**15 - 1},
    }


def _json(name: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}}


def _problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": _REF.format(name="Problem")}}},
    }


def _problems(*statuses: str) -> dict[str, Any]:
    return {status: _problem(_PROBLEMS[status]) for status in statuses}


def _answers(status: str, name: str, *problems: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}
    return {status: {"description": "The answer.", "content": content}, **_problems(*problems)}


def _plain(media_type: str, schema: dict[str, Any], *problems: str) -> dict[str, Any]:
    return {
        "200": {"description": "The answer.", "content": {media_type: {"schema": schema}}},
        **_problems(*problems),
    }


def _authzen(*names: str) -> dict[str, Any]:
    schema = {"anyOf": [{"$ref": _REF.format(name=name)} for name in names]}
    message = {"application/json": {"schema": {"type": "string"}}}
    return {
        "200": {"description": "The answer.", "content": {"application/json": {"schema": schema}}},
        **{
            status: {"description": _PROBLEMS[status], "content": message}
            for status in ("400", "401", "403", "413", "429", "503")
        },
    }


def _health(name: str, summary: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "security": [],
        "responses": {
            "200": {"description": summary, "content": {"application/json": {"schema": {"type": "object"}}}}
        },
    }
