"""Approvals: somebody's yes to overridable rules for one very plan, recorded in the log and looked up from there."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.audit.base import AlreadyRecordedError
from plangate.audit.event_records import approval_given, approval_key
from plangate.audit.record import Stamp
from plangate.errors import AuditError
from plangate.server.exchange import Answer, Exchange, HttpProblem, json_answer
from plangate.server.front import Front
from plangate.server_settings import DEFAULT_RULE_SET
from plangate.wiring.choices import now
from plangate.wiring.serving import fresh_id

MAX_VALID: Final = timedelta(days=7)
MAX_APPROVALS: Final = 64
"""Approvals of one plan in one environment."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MAX_TEXT: Final = 1_024
_MAX_RULES: Final = 100


class ApprovalRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """What ``POST /v1/approvals`` takes.

    Attributes:
        plan_sha256: Hex digest of the plan's bytes.
        rules: Ids of the overridable rules.
        reason: For people.
        valid_minutes: How long it counts.
        rule_set: Under which name the plan is asked for.
    """

    plan_sha256: str
    rules: list[str]
    reason: str
    valid_minutes: int = 60
    rule_set: str = DEFAULT_RULE_SET


class ApprovalAnswer(Struct, frozen=True, kw_only=True):
    """What it answers: the approval as it is in the log."""

    approval_id: str
    plan_sha256: str
    environment: str
    rules: list[str]
    approver: str
    expires: str


class Approvals:
    """The handlers, and the look-up."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def create(self, exchange: Exchange) -> Answer:
        """``POST /v1/approvals``."""
        try:
            asked = msgspec.json.decode(exchange.body, type=ApprovalRequest)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HttpProblem(400, "invalid_request", str(error)[:500]) from error
        self._front.access.require(exchange.caller, "approve", asked.rule_set)
        environment = self._checked(asked)
        moment = now()
        expires = moment + timedelta(minutes=asked.valid_minutes)
        stamp = Stamp(id=fresh_id(moment), now=moment, actor=exchange.caller.actor)
        for number in range(len(await self._found(asked.plan_sha256, environment)) + 1, MAX_APPROVALS + 1):
            record = approval_given(
                stamp,
                number=number,
                plan_sha256=asked.plan_sha256,
                environment=environment,
                rules=asked.rules,
                reason=asked.reason,
                expires=expires,
            )
            try:
                await self._front.log.append(record.encode(), record.idempotency_key, must_be_new=True)
            except AlreadyRecordedError:
                continue  # somebody else approved it at the same time
            return json_answer(
                ApprovalAnswer(
                    approval_id=record.id,
                    plan_sha256=asked.plan_sha256,
                    environment=environment,
                    rules=asked.rules,
                    approver=exchange.caller.identity,
                    expires=record.body["expires"],
                ),
                status=201,
            )
        raise HttpProblem(409, "too_many", f"this plan has {MAX_APPROVALS} approvals already")

    def _checked(self, asked: ApprovalRequest) -> str:
        """The environment of a request that makes sense."""
        rule_set = self._front.rule_set(asked.rule_set)
        if not _SHA256.fullmatch(asked.plan_sha256):
            raise HttpProblem(400, "invalid_request", "plan_sha256: expected 64 digits in lower-case hex")
        if not 1 <= len(asked.rules) <= _MAX_RULES or len(set(asked.rules)) != len(asked.rules):
            raise HttpProblem(400, "invalid_request", f"rules: expected 1 to {_MAX_RULES} ids, each once")
        if not 1 <= asked.valid_minutes <= MAX_VALID // timedelta(minutes=1):
            raise HttpProblem(400, "invalid_request", "valid_minutes: expected 1 to 10080")
        if not asked.reason.strip() or len(asked.reason) > _MAX_TEXT:
            raise HttpProblem(400, "invalid_request", f"reason: expected 1 to {_MAX_TEXT} characters")
        enforcements = self._front.judges.enforcements.get(rule_set.environment, {})
        for rule in asked.rules:
            if enforcements.get(rule) != "overridable":
                raise HttpProblem(
                    400, "invalid_request", "rules: expected ids of overridable rules that are loaded"
                )
        return rule_set.environment or self._front.settings.values.environment

    async def of(self, plan_sha256: str, rule_set: str) -> Sequence[tuple[str, str, datetime]]:
        """The approvals of a plan that still count, for asking under a rule set.

        Raises:
            AuditError: The log cannot be asked.
        """
        environment = self._front.rule_set(rule_set).environment or self._front.settings.values.environment
        moment = now()
        return [
            (rule, record["actor"]["name"], expires)
            for record in await self._found(plan_sha256, environment)
            for expires in (_time(record["body"]["expires"]),)
            if moment < expires
            for rule in record["body"]["rules"]
        ]

    async def _found(self, plan_sha256: str, environment: str) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        for number in range(1, MAX_APPROVALS + 1):
            found = await self._front.log.call("find", key=approval_key(plan_sha256, environment, number))
            if found is None:
                break
            try:
                records.append(msgspec.json.decode(found[1]))
            except msgspec.DecodeError as error:
                raise AuditError("an approval in the log cannot be read") from error
        return records


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
