"""Our own interface: ask for a decision about any document, and read decisions again."""

import hashlib
import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.errors import AuditError
from plangate.server.approvals import Approvals
from plangate.server.exchange import Answer, Exchange, HttpProblem
from plangate.server.front import Asked, Decided, Front
from plangate.server_settings import DEFAULT_RULE_SET

MAX_TEXT: Final = 1_024
AUDIENCE: Final = "terraform"
"""The executor that receipts are made out to."""
_DECISION_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class DecisionAnswer(Struct, frozen=True, kw_only=True):
    """What ``POST /v1/decisions`` answers.

    Attributes:
        decision_id: The decision's id.
        result: ``allow``, ``deny`` or ``error``.
        allowed: The caller may go on. In mode ``warn`` also after a denial.
        mode: ``enforce`` or ``warn``.
        decision: The decision document, as its schema has it.
        receipt: For an allow, the proof of it, when it was asked for: a DSSE envelope.
    """

    decision_id: str
    result: str
    allowed: bool
    mode: str
    decision: msgspec.Raw
    receipt: msgspec.Raw | None = None


class Decisions:
    """The handlers."""

    def __init__(self, front: Front, approvals: Approvals) -> None:
        self._front = front
        self._approvals = approvals

    async def create(self, exchange: Exchange) -> Answer:
        """``POST /v1/decisions``: the body is what is judged, byte for byte."""
        if not exchange.body:
            raise HttpProblem(400, "invalid_request", "the body is empty", hint="send the plan's bytes")
        query = exchange.query
        name = _text(query.get("name", "request"), "name")
        request = {key: _text(value, key) for key in ("reference", "user") if (value := query.get(key, ""))}
        rule_set = query.get("rule_set", DEFAULT_RULE_SET)
        asked = Asked(
            data=exchange.body,
            name=name,
            caller=exchange.caller,
            rule_set=rule_set,
            request={"interface": "decisions", **request},
            approvals=lambda: self._approvals.of(hashlib.sha256(exchange.body).hexdigest(), rule_set),
        )
        decided = await self._front.decide(asked)
        exchange.decision_id, exchange.result = decided.decision_id, decided.result
        wants_receipt = query.get("receipt", "true") != "false"
        receipt = await self._receipt(decided) if wants_receipt and decided.result == "allow" else None
        answer = DecisionAnswer(
            decision_id=decided.decision_id,
            result=decided.result,
            allowed=decided.allowed,
            mode=decided.mode,
            decision=msgspec.Raw(decided.whole()),
            receipt=None if receipt is None else msgspec.Raw(receipt),
        )
        return Answer(body=msgspec.json.encode(answer))

    async def read(self, exchange: Exchange) -> Answer:
        """``GET /v1/decisions/{id}``: the record of a decision as it is in the log, with its place."""
        decision_id: str = exchange.parameters["decision_id"]
        if not _DECISION_ID.fullmatch(decision_id):
            raise HttpProblem(404, "not_found", "there is no such decision")
        found = await self._front.log.call("find", key=f"decision:{decision_id}")
        if found is None:
            raise HttpProblem(404, "not_found", "there is no such decision")
        index, record = found
        size = await self._front.log.call("size")
        return Answer(body=b'{"index":%d,"size":%d,"record":%s}' % (index, size, record))

    async def _receipt(self, decided: Decided) -> bytes:
        content = decided.content()
        receipt: Any = await self._front.log.call(
            "receipt",
            index=decided.entry.index,
            size=decided.entry.size,
            root=decided.entry.root,
            leaf_hash=decided.entry.leaf_hash,
            record=decided.record,
            audience=AUDIENCE,
            issued=decided.time.isoformat(),
            valid_minutes=self._front.settings.values.receipt_valid_minutes,
            obligations=content["obligations"],
        )
        if not isinstance(receipt, bytes):
            raise AuditError("the log gave something that is no receipt")
        return receipt


def _text(value: str, name: str) -> str:
    if len(value) > MAX_TEXT or not value.isprintable():
        raise HttpProblem(
            400, "invalid_parameter", f"{name}: expected at most {MAX_TEXT} printable characters"
        )
    return value
