"""Kubernetes admission: a ValidatingAdmissionWebhook that speaks ``admission.k8s.io/v1``.

The rules this module keeps:

1. Every review that can be read gets HTTP 200 and its own uid. When there is no decision, or it is not in the log, the
   answer is not allowed, so that ``failurePolicy: Ignore`` lets nothing through that got here.
2. What is judged, byte for byte, is the review.
3. The answer leaves before the API server stops waiting.
4. There is never a patch.

Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.routing import Route

from plangate.audit.record import MAX_TEXT
from plangate.errors import AuditError, UsageError
from plangate.server.endpoint import Endpoint, Guard
from plangate.server.exchange import Answer, Exchange, HttpProblem, json_answer
from plangate.server.front import Asked, Decided, Front
from plangate.server.told import Told, cut, is_about, one_line, told_if_any
from plangate.server_settings import DEFAULT_RULE_SET

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
PATH: Final = "/v1/kubernetes/admission"
FORMAT: Final = "kubernetes"
MAX_WARNING: Final = 120
"""Characters of one warning, as Kubernetes asks for."""
MAX_WARNINGS: Final = 20
MAX_MESSAGE: Final = 2_000
_MAX_UID: Final = 256
_MAX_TIMEOUT_S: Final = 60.0
_JUDGING: Final = 0.8
"""Share of the caller's time that judging gets."""
_EVERYTHING: Final = 0.95
"""Share of it after which there is an answer, whatever is not done."""
_DURATION: Final = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|m|h))+", re.ASCII)
_PART: Final = re.compile(r"([\d.]+)(ns|us|µs|ms|s|m|h)", re.ASCII)
_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class Resource(Struct, frozen=True):
    """What the request is about, in the plural."""

    group: str = ""
    version: str = ""
    resource: str = ""


class User(Struct, frozen=True):
    """Who asked the API server."""

    username: str = ""


class Request(Struct, frozen=True):
    """Of a review, what the answer and the record need; the parser reads the rest."""

    uid: str
    operation: str | None = None
    resource: Resource | None = None
    subResource: str | None = None  # noqa: N815 - as in the format
    name: str | None = None
    namespace: str | None = None
    userInfo: User | None = None  # noqa: N815 - as in the format
    dryRun: bool | None = None  # noqa: N815 - as in the format


class Review(Struct, frozen=True):
    """What the API server sends."""

    apiVersion: str  # noqa: N815 - as in the format
    kind: str
    request: Request


_DECODER: Final = msgspec.json.Decoder(Review)


class Admission:
    """The handler."""

    def __init__(self, front: Front, guard: Guard) -> None:
        self._front = front
        self._guard = guard

    async def review(self, exchange: Exchange) -> Answer:
        """``POST /v1/kubernetes/admission``, and below it one path for each rule set."""
        started = time.monotonic()
        timeout_s = _timeout(exchange.query.get("timeout", ""))
        request = _read(exchange.body)
        asked = Asked(
            data=exchange.body,
            name=_name(request),
            caller=exchange.caller,
            rule_set=exchange.parameters.get("rule_set", DEFAULT_RULE_SET),
            deadline_s=timeout_s * _JUDGING - (time.monotonic() - started),
            request=_asked(request),
        )
        try:
            async with asyncio.timeout(timeout_s * _EVERYTHING):
                decided = await self._front.decide(asked)
        except AuditError as error:
            self._front.metrics.record_failures.inc()
            self._guard.log.problem(exchange.request_id, error)
            return _refused(request, 503, "the decision could not be recorded, so there is none")
        except TimeoutError:
            return _refused(request, 504, f"there was no decision within {timeout_s:g} s")
        exchange.decision_id, exchange.result = decided.decision_id, decided.result
        if decided.allowed and not is_about(decided, FORMAT):
            return _refused(
                request, 500, f"what came was read as something else (decision {decided.decision_id})"
            )
        return _answered(request, decided)


def _read(body: bytes) -> Request:
    try:
        review = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpProblem(400, "invalid_request", f"not an AdmissionReview: {error}"[:500]) from error
    if (review.apiVersion, review.kind) != (API_VERSION, KIND):
        raise HttpProblem(
            400,
            "unsupported_version",
            f"expected {API_VERSION} {KIND}",
            hint=f'say admissionReviewVersions: ["{API_VERSION.rpartition("/")[2]}"] in the webhook configuration',
        )
    uid = review.request.uid
    if not 0 < len(uid) <= _MAX_UID or not uid.isprintable():
        raise HttpProblem(400, "invalid_request", "request.uid: expected 1 to 256 printable characters")
    return review.request


def _timeout(text: str) -> float:
    """Seconds of a Go duration; without one, longer than our own limits.

    Raises:
        HttpProblem: It is none.
    """
    if not text:
        return _MAX_TIMEOUT_S
    if not _DURATION.fullmatch(text):
        raise HttpProblem(400, "invalid_parameter", "timeout: expected a duration such as 10s")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return min(seconds, _MAX_TIMEOUT_S)


def _name(request: Request) -> str:
    """What messages call the review."""
    about = request.resource.resource if request.resource is not None else ""
    parts = [part for part in (about, request.namespace, request.name) if part]
    return cut(one_line("/".join(parts)), 300) or "admission review"


def _asked(request: Request) -> dict[str, str]:
    resource = request.resource or Resource()
    about = f"{resource.resource}.{resource.group}" if resource.group else resource.resource
    said = {
        "reference": request.uid,
        "user": request.userInfo.username if request.userInfo is not None else "",
        "operation": request.operation or "",
        "resource": f"{about}/{request.subResource}" if request.subResource else about,
        "dry_run": "true" if request.dryRun else "",
    }
    return {"interface": "kubernetes"} | {
        key: cut(one_line(text), MAX_TEXT) for key, text in said.items() if text
    }


def _answered(request: Request, decided: Decided) -> Answer:
    said = told_if_any(decided)
    response: dict[str, Any] = {"uid": request.uid, "allowed": decided.allowed}
    if not decided.allowed:
        response["status"] = _status(decided, said)
    if warnings := _warnings(decided, said):
        response["warnings"] = warnings
    response["auditAnnotations"] = {
        "decision-id": decided.decision_id,
        "policy-revision": decided.policy_sha256,
        "mode": "audit" if decided.mode == "warn" else "enforce",
    }
    return _review(response)


def _status(decided: Decided, said: Told) -> dict[str, Any]:
    tail = f" (decision {decided.decision_id})"
    summary = said.summary() or "no reason is known"
    if decided.result == "error":
        message = cut(f"could not decide: {summary}", MAX_MESSAGE - len(tail)) + tail
        return {"code": 500, "reason": "InternalError", "message": message}
    return {"code": 403, "reason": "Forbidden", "message": cut(summary, MAX_MESSAGE - len(tail)) + tail}


def _warnings(decided: Decided, said: Told) -> list[str]:
    found = [finding.sentence for finding in said.warning]
    if decided.allowed and decided.result != "allow":
        reasons = [one_line(reason) for reason in said.reasons]
        found = [
            f"would be denied: {text}" for text in (*reasons, *(f.sentence for f in said.holding))
        ] + found
    if len(found) > MAX_WARNINGS:
        found = [*found[: MAX_WARNINGS - 1], f"and {len(found) - MAX_WARNINGS + 1} more"]
    return [cut(text, MAX_WARNING) for text in found]


def _refused(request: Request, code: int, message: str) -> Answer:
    status = {"code": code, "reason": "InternalError", "message": message}
    return _review({"uid": request.uid, "allowed": False, "status": status})


def _review(response: Mapping[str, Any]) -> Answer:
    return json_answer({"apiVersion": API_VERSION, "kind": KIND, "response": response})


def routes(front: Front, guard: Guard, settings: Mapping[str, Any]) -> Sequence[Route]:
    """See `plangate.server.contracts.Contract`."""
    if settings:
        raise UsageError(
            "server.contracts.kubernetes: expected {}",
            hint=f"the rule set is part of the path: {PATH}/RULE_SET",
        )
    endpoint = Endpoint(guard, Admission(front, guard).review, permission="ask")
    return [Route(path, endpoint, methods=["POST"]) for path in (PATH, f"{PATH}/{{rule_set}}")]
