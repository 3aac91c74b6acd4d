"""Audit records: what is written, in which words, and never more than 64 KiB of it.

The rules this module keeps:

1. A record is canonical JSON (RFC 8785), so its bytes and its meaning are one thing.
2. Time and randomness come in as values.
3. A record that would be too big is shortened the same way every time, says in ``truncated`` how much was
   left out, and is never dropped. The digest of the whole decision document is always in it.
4. What does not fit the schema (``plangate/schemas/record.v1.json``) is an `AuditError`, and so no decision.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.audit.base import MAX_KEY_CHARACTERS, MAX_RECORD_BYTES
from plangate.errors import AuditError

RECORD_SCHEMA: Final = "plangate.dev/record/v1"
MAX_TEXT: Final = 1_024
"""Characters of one text in a record; a longer one is cut and ends in an ellipsis."""
_RANDOM_BYTES: Final = 10
_MAX_MS: Final = 2**48 - 1
_MAX_EXACT: Final = 2**53 - 1
_PLAIN: Final = msgspec.json.Encoder(order="sorted")
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")


class RecordType(StrEnum):
    """Everything that the log can hold."""

    DECISION = "decision"
    APPROVAL = "approval"
    WAIVER_CHANGED = "waiver.changed"
    POLICY_ACTIVATED = "policy.activated"
    EXECUTION_STARTED = "execution.started"
    EXECUTION_EVENT = "execution.event"
    EXECUTION_FINISHED = "execution.finished"
    OBLIGATION_CHECKED = "obligation.checked"
    KEY_ROTATED = "key.rotated"
    QUERY_ANSWERED = "query.answered"
    GAP = "gap"


class ActorKind(StrEnum):
    """How the actor is known."""

    USER = "user"
    SERVICE = "service"
    SYSTEM = "system"


class Actor(Struct, frozen=True, kw_only=True):
    """Who or what caused a record.

    Attributes:
        kind: How the actor is known.
        name: Account name, certificate subject, or the program's own name.
    """

    kind: ActorKind
    name: str


class Stamp(Struct, frozen=True, kw_only=True):
    """When and by whom a record is made, and its id.

    Attributes:
        id: UUIDv7, lower case with dashes.
        now: Aware time.
        actor: Who caused it.
    """

    id: str
    now: datetime
    actor: Actor


class Record(Struct, frozen=True, kw_only=True):
    """One record before it is written.

    Attributes:
        id: UUIDv7.
        type: What happened.
        time: RFC 3339 in UTC with milliseconds.
        actor: Who caused it.
        idempotency_key: One per thing that happened: writing it again changes nothing.
        body: What the type asks for, JSON values.
        encoded_body: Its canonical JSON, when that was made before; empty when not.
    """

    id: str
    type: RecordType
    time: str
    actor: Actor
    idempotency_key: str
    body: Mapping[str, Any]
    encoded_body: bytes = b""

    def encode(self) -> bytes:
        """The bytes that are written.

        Raises:
            AuditError: Not JSON, or too big.
        """
        document = {
            "schema": RECORD_SCHEMA,
            "id": self.id,
            "type": self.type.value,
            "time": self.time,
            "actor": {"kind": self.actor.kind.value, "name": text(self.actor.name)},
            "idempotency_key": self.idempotency_key,
            "body": self.body,
        }
        if not 0 < len(self.idempotency_key) <= MAX_KEY_CHARACTERS:
            raise AuditError(f"audit record {self.id}: idempotency key is empty or too long")
        encoded = canonical(document, self.encoded_body)
        if len(encoded) > MAX_RECORD_BYTES:
            raise AuditError(f"audit record {self.id}: {len(encoded)} bytes (at most {MAX_RECORD_BYTES})")
        return encoded


def uuid7(now: datetime, random: bytes) -> str:
    """A UUIDv7 of this time.

    Args:
        now: Aware time; milliseconds count.
        random: 10 bytes; 74 bits of them are used.

    Raises:
        ValueError: A naive time, one that cannot be written, or another number of bytes.

    Source: RFC 9562 section 5.7.
    """
    if now.tzinfo is None or len(random) != _RANDOM_BYTES:
        raise ValueError("uuid7: an aware time and 10 random bytes are needed")
    milliseconds = _milliseconds(now)
    if not 0 <= milliseconds <= _MAX_MS:
        raise ValueError(f"uuid7: {now} cannot be written")
    value = milliseconds << 80 | int.from_bytes(random)
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def stamp(now: datetime, random: bytes, actor: Actor) -> Stamp:
    """A stamp with a fresh id. See `uuid7` for the arguments."""
    return Stamp(id=uuid7(now, random), now=now, actor=actor)


def timestamp(now: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: ``2026-01-31T23:59:59.123Z``.

    Raises:
        ValueError: ``now`` is naive.
    """
    if now.tzinfo is None:
        raise ValueError("timestamp: an aware time is needed")
    return now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def canonical(document: object, encoded_body: bytes = b"") -> bytes:
    """Canonical JSON of a document.

    Args:
        document: What to write.
        encoded_body: What this function gave for its member ``body``, so that it is not made again.

    Raises:
        AuditError: Something in it is not JSON, or not the same in every reader (an integer beyond 2**53,
            say).

    Source: RFC 8785.
    """
    try:
        if encoded_body and isinstance(document, dict):
            rest = {**document, "body": None}
            if _is_plain(rest):
                return _PLAIN.encode({**rest, "body": msgspec.Raw(encoded_body)})
        elif _is_plain(document):
            return _PLAIN.encode(document)
    except (RecursionError, UnicodeEncodeError, msgspec.EncodeError):
        pass  # the one below says what is wrong
    import rfc8785  # noqa: PLC0415  (reading a log does not need it)

    try:
        return rfc8785.dumps(document)  # type: ignore[arg-type]  # the function checks it all
    except (rfc8785.CanonicalizationError, ValueError, TypeError, RecursionError) as error:
        raise AuditError(f"audit record: cannot be written as canonical JSON: {error}") from error


def _is_plain(value: Any) -> bool:
    """Nothing is in it of which only the whole algorithm knows the canonical form: no fractions, no unusual keys.

    Then sorted compact JSON is canonical, and ten times faster to make.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-_MAX_EXACT <= value <= _MAX_EXACT)
    if kind is dict:
        for name, item in value.items():
            if type(name) is not str or not name.isascii():
                return False
            # Texts are nearly all that there is: a call for each of them would cost more than the rest.
            if type(item) is not str and not _is_plain(item):
                return False
        return True
    return kind is list and all(type(item) is str or _is_plain(item) for item in value)


def text(value: object, limit: int = MAX_TEXT) -> str:
    """Any value as text that can be written: no lone surrogates, cut to ``limit`` characters."""
    whole = str(value)
    if not whole.isascii():
        whole = whole.encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def sha256_hex(value: object) -> str:
    """``value`` when it is a SHA-256 in lower-case hex.

    Raises:
        AuditError: It is not.
    """
    if not isinstance(value, str) or not _SHA256.match(value):
        raise AuditError(f"audit record: not a SHA-256 in hex: {text(value, 80)!r}")
    return value


def one_of(name: str, value: object, words: Sequence[str]) -> str:
    """``value`` when it is one of ``words``.

    Raises:
        AuditError: It is not.
    """
    if not isinstance(value, str) or value not in words:
        raise AuditError(f"audit record: {name} is {text(value, 80)!r} (expected one of {', '.join(words)})")
    return value


def build(
    at: Stamp, kind: RecordType, idempotency_key: str, body: Mapping[str, Any], encoded_body: bytes = b""
) -> Record:
    """A record of any type from its parts."""
    return Record(
        id=at.id,
        type=kind,
        time=timestamp(at.now),
        actor=at.actor,
        idempotency_key=idempotency_key,
        body=body,
        encoded_body=encoded_body,
    )


def _milliseconds(now: datetime) -> int:
    # Whole numbers all the way: a float of this size is off by a fraction of a microsecond, which can be a
    # millisecond.
    since = now - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000
