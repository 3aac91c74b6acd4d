"""CloudFormation Lambda Hooks and Cloud Control, over HTTP: the hook's event in, the hook's answer out.

`plangate.server.lambda_handler` is the function that AWS calls; it sends the event here. The rules this module keeps:

1. ``SUCCESS`` is said of recorded decisions that let pass, and of nothing else. Everything that goes wrong is
   ``FAILED`` with ``InternalFailure``.
2. Of an event with two sides (a new template and the one before) both are judged: what will be there, and what goes.
3. A payload is fetched from Amazon S3 only, or from hosts that the settings list.

Source: https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks-create-lambda-function.html
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.routing import Route

from plangate.audit.record import MAX_TEXT
from plangate.errors import AuditError, CannotDecideError, UsageError
from plangate.server.contracts.hook_documents import (
    HookEvent,
    Payload,
    documents_of,
    read_event,
    read_payload,
)
from plangate.server.endpoint import Endpoint, Guard
from plangate.server.exchange import Answer, Exchange, HttpProblem, json_answer
from plangate.server.fetch import Fetcher, FetchFailedError, networks_of, read_url
from plangate.server.front import Asked, Decided, Front
from plangate.server.told import Finding, cut, is_about, one_line, told
from plangate.server_settings import DEFAULT_RULE_SET
from plangate.wiring.choices import limits_of

NAME: Final = "cloudformation-hooks"
PATH: Final = "/v1/cloudformation/hooks"
FORMATS: Final = ("cloudformation", "cloudformation-change-set")
DEADLINE_S: Final = 20.0
"""AWS waits for 30 seconds."""
MAX_MESSAGE: Final = 4_096
MAX_CONTROL_MESSAGE: Final = 1_024
MAX_ANNOTATIONS: Final = 100
_FETCH_S: Final = 10.0
_FETCH_TRIES: Final = 2
_MAX_ANNOTATION: Final = 1_000
_OK: Final = 200
_S3: Final = re.compile(
    r"(?:[a-z0-9.-]{1,100}\.)?s3(?:[.-][a-z0-9-]{1,40}){0,2}\.amazonaws\.com(?:\.cn)?", re.ASCII
)
_SEVERITIES: Final = {"critical": "CRITICAL", "high": "HIGH", "medium": "MEDIUM", "low": "LOW"}


class HookSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``server.contracts.cloudformation-hooks``; see docs/how-to/cloudformation-hooks.md."""

    payload_hosts: list[str] = []
    private_networks: list[str] = []
    ca_file: str = ""
    max_payload_bytes: int = 8 * 1024 * 1024


class Hooks:
    """The handler."""

    def __init__(self, front: Front, guard: Guard, settings: HookSettings) -> None:
        self._front = front
        self._log = guard.log
        self._settings = settings
        self._limits = limits_of(front.settings)
        ca_file = str(front.settings.folder / settings.ca_file) if settings.ca_file else ""
        self._fetcher = Fetcher(settings.private_networks, ca_file)

    async def hook(self, exchange: Exchange) -> Answer:
        """``POST /v1/cloudformation/hooks``, and below it one path for each rule set."""
        event = read_event(exchange.body)
        try:
            async with asyncio.timeout(DEADLINE_S):
                decided = await self._decided(exchange, event)
        except TimeoutError:
            return _failed(event, f"there was no decision within {DEADLINE_S:g} s")
        except AuditError as error:
            self._front.metrics.record_failures.inc()
            self._log.problem(exchange.request_id, error)
            return _failed(event, "the decision could not be recorded, so there is none")
        except CannotDecideError as error:
            self._log.problem(exchange.request_id, error)
            return _failed(event, one_line(str(error)))
        worst = next((each for each in decided if each.result == "error"), None)
        worst = worst or next((each for each in decided if each.result != "allow"), decided[0])
        exchange.decision_id, exchange.result = worst.decision_id, worst.result
        if any(each.allowed and not is_about(each, *FORMATS) for each in decided):
            return _failed(event, f"[{worst.decision_id}] what came was read as something else")
        return _answered(event, decided, worst)

    async def _decided(self, exchange: Exchange, event: HookEvent) -> list[Decided]:
        payload = await self._payload(event)
        documents = await asyncio.to_thread(documents_of, event, payload, self._limits)
        if not documents:
            raise CannotDecideError("the event has nothing to judge")
        return [
            await self._front.decide(
                Asked(
                    data=data,
                    name=cut(one_line(event.name), 300),
                    caller=exchange.caller,
                    rule_set=exchange.parameters.get("rule_set", DEFAULT_RULE_SET),
                    deadline_s=DEADLINE_S,
                    request=_asked(event, len(documents), number),
                )
            )
            for number, data in enumerate(documents, start=1)
        ]

    async def _payload(self, event: HookEvent) -> Payload | None:
        """What is behind the event's URL.

        Raises:
            CannotDecideError: It cannot be had.
        """
        if not event.has_payload:
            return None
        url = read_url(event.payload_url)
        hosts = self._settings.payload_hosts
        if url.place not in hosts if hosts else not _S3.fullmatch(url.place):
            raise CannotDecideError("the event's payload is at a host that is not listed")
        for attempt in range(1, _FETCH_TRIES + 1):
            try:
                found = await self._fetcher.send(
                    "GET",
                    url,
                    headers={},
                    max_bytes=self._settings.max_payload_bytes,
                    timeout_s=_FETCH_S / _FETCH_TRIES,
                )
                break
            except FetchFailedError:
                if attempt == _FETCH_TRIES:
                    raise
        if found.status != _OK:
            raise CannotDecideError(f"the event's payload: {url.place} answered {found.status}")
        return read_payload(found.body)


def _asked(event: HookEvent, count: int, number: int) -> dict[str, str]:
    said = {
        "reference": event.token,
        "account": event.account,
        "stack": event.stack,
        "change_set": event.change_set,
        "point": event.point,
        "target": f"{event.target_name} {event.target_id}",
        "part": f"{number} of {count}" if count > 1 else "",
    }
    return {"interface": "cloudformation-hook"} | {
        key: cut(one_line(text), MAX_TEXT) for key, text in said.items() if text.strip()
    }


def _answered(event: HookEvent, decided: Sequence[Decided], worst: Decided) -> Answer:
    said = [told(each) for each in decided]
    findings = [finding for each in said for finding in (*each.holding, *each.warning)]
    answer: dict[str, Any] = {"hookStatus": "SUCCESS", "clientRequestToken": event.token}
    ids = " ".join(f"[{each.decision_id}]" for each in decided)
    if all(each.allowed for each in decided):
        words = "allowed" if worst.result == "allow" else f"would be denied: {told(worst).summary()}"
    else:
        answer["hookStatus"] = "FAILED"
        answer["errorCode"] = "InternalFailure" if worst.result == "error" else "NonCompliant"
        words = told(worst).summary() or "no reason is known"
    answer["message"] = _message(event, f"{ids} {words}")
    if findings:
        answer["annotations"] = [_annotation(finding) for finding in findings[:MAX_ANNOTATIONS]]
    return json_answer(answer)


def _annotation(finding: Finding) -> dict[str, str]:
    said = {
        "annotationName": finding.rule,
        "status": "FAILED",
        "statusMessage": one_line(f"{finding.address}: {finding.message or finding.title}"),
        "remediationMessage": one_line(finding.remediation),
        "severityLevel": _SEVERITIES.get(finding.severity, "INFORMATIONAL"),
    }
    return {key: cut(text, _MAX_ANNOTATION) for key, text in said.items() if text}


def _failed(event: HookEvent, message: str) -> Answer:
    return json_answer(
        {
            "hookStatus": "FAILED",
            "errorCode": "InternalFailure",
            "message": _message(event, f"could not decide: {message}"),
            "clientRequestToken": event.token,
        }
    )


def _message(event: HookEvent, text: str) -> str:
    return cut(text, MAX_CONTROL_MESSAGE if event.is_cloud_control else MAX_MESSAGE)


def hook_problem(problem: HttpProblem) -> Answer:
    """A problem as a failed hook, for callers that look at nothing else."""
    said = {"hookStatus": "FAILED", "errorCode": "InternalFailure", "message": problem.problem.message}
    return json_answer(
        {**said, "clientRequestToken": "", "code": problem.problem.code},
        status=problem.status,
        headers=problem.headers,
    )


def settings_of(settings: Mapping[str, Any]) -> HookSettings:
    """Settings, checked.

    Raises:
        UsageError: They make no sense.
    """
    try:
        found = msgspec.convert(dict(settings), HookSettings)
    except msgspec.ValidationError as error:
        raise UsageError(f"server.contracts.{NAME}: {error}") from error
    if any("/" in host or "*" in host for host in found.payload_hosts):
        raise UsageError(f"server.contracts.{NAME}.payload_hosts: expected names of hosts")
    if found.max_payload_bytes <= 0:
        raise UsageError(f"server.contracts.{NAME}.max_payload_bytes: expected more than 0")
    networks_of(found.private_networks)
    return found


def routes(front: Front, guard: Guard, settings: Mapping[str, Any]) -> Sequence[Route]:
    """See `plangate.server.contracts.Contract`."""
    hooks = Hooks(front, guard, settings_of(settings))
    endpoint = Endpoint(guard, hooks.hook, permission="ask", render=hook_problem)
    return [Route(path, endpoint, methods=["POST"]) for path in (PATH, f"{PATH}/{{rule_set}}")]
