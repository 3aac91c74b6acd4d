"""A question by path, answered by a judge and recorded before the answer leaves."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from plangate.audit.event_records import query_answered
from plangate.audit.record import Stamp
from plangate.errors import CannotDecideError
from plangate.server.access import Caller
from plangate.server.front import Front
from plangate.wiring.choices import now
from plangate.wiring.serving import fresh_id

_NO_DIGEST: Final = "0" * 64


class Answered(Struct, frozen=True, kw_only=True):
    """An answer that is in the log.

    Attributes:
        query_id: Its id.
        value: JSON bytes; ``None`` when it is undefined, or there is an error.
        error: Why there is none; empty when there is one.
        seconds: How long evaluating took.
        decision: What the caller is told, when that is a yes or a no.
    """

    query_id: str
    value: bytes | None
    error: str
    seconds: float
    decision: bool | None = None


async def answer(
    front: Front,
    caller: Caller,
    *,
    interface: str,
    path: Sequence[str | int],
    document: bytes | None,
    request: Mapping[str, str] | None = None,
    decide: Callable[[bytes | None], bool] | None = None,
) -> Answered:
    """Evaluate a path and record what came of it.

    Args:
        front: Asks judges and the log.
        caller: Who asks.
        interface: Through which.
        path: Segments below ``data``.
        document: The input as JSON; ``None`` without one.
        request: What the caller says of its request.
        decide: Makes a yes or a no of the value. Never asked when there is an error: that is a no.

    Raises:
        AuditError: It could not be recorded, so there is no answer.
    """
    moment = now()
    query_id = fresh_id(moment)
    value: bytes | None = None
    error, seconds = "", 0.0
    try:
        said = await front.query(path, document, float("inf"))
        value, error, seconds = said.value if said.defined else None, said.error, said.seconds
    except CannotDecideError as problem:
        error = str(problem)
    if error:
        value = None
    decision = None if decide is None else not error and decide(value)
    record = query_answered(
        Stamp(id=query_id, now=moment, actor=caller.actor),
        interface=interface,
        path="/".join(map(str, path)),
        input_sha256=None if document is None else hashlib.sha256(document).hexdigest(),
        result_sha256=None if value is None else hashlib.sha256(value).hexdigest(),
        decision=decision,
        error=error,
        policy_sha256=front.judges.query_sha256 or _NO_DIGEST,
        request=request or {},
    )
    await front.recorded(record.encode(), record.idempotency_key)
    return Answered(query_id=query_id, value=value, error=error, seconds=seconds, decision=decision)
