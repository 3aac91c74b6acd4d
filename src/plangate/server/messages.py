"""What the processes of a server say to each other: length-prefixed MessagePack over Unix sockets.

They trust each other as far as the user goes: every socket is one that the main process made, and nobody else can open
it. Even so a frame has a limit, and what is not a message ends the connection.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

MAX_FRAME_BYTES: Final = 512 << 20
_LENGTH_BYTES: Final = 4


class Ask(Struct, frozen=True, kw_only=True, tag="ask", array_like=True):
    """To a judge: judge this document.

    Attributes:
        number: Of the question, on this connection.
        name: What the document is called in messages.
        data: Its bytes.
        environment: Whose rules judge; empty for the settings' own.
        now: Time of the decision.
        decision_id: Its id.
        actor_kind: How the caller is known.
        actor_name: Who asks.
        mode: ``enforce`` or ``warn``.
        request: What the caller says of its request.
        approvals: Approvals of exactly these bytes: rule, approver, expiry.
    """

    number: int
    name: str
    data: bytes
    environment: str
    now: datetime
    decision_id: str
    actor_kind: str
    actor_name: str
    mode: str
    request: Mapping[str, str]
    approvals: Sequence[tuple[str, str, datetime]] = ()


class Query(Struct, frozen=True, kw_only=True, tag="query", array_like=True):
    """To a judge: evaluate a path of the query policies.

    Attributes:
        number: Of the question, on this connection.
        path: Segments below ``data``.
        input: JSON bytes; ``None`` for no input.
        deadline_s: Seconds.
    """

    number: int
    path: Sequence[str | int]
    input: bytes | None
    deadline_s: float


class Weighed(Struct, frozen=True, kw_only=True, tag="weighed", array_like=True):
    """From a judge: what becomes a decision once ``record`` is in the log.

    Attributes:
        number: Of the question.
        document: The decision document as JSON, without ``log``.
        record: The bytes to write.
        key: Their idempotency key.
        result: ``allow``, ``deny`` or ``error``.
        seconds: How long judging took.
    """

    number: int
    document: bytes
    record: bytes
    key: str
    result: str
    seconds: float


class Evaluated(Struct, frozen=True, kw_only=True, tag="evaluated", array_like=True):
    """From a judge: the answer to a query.

    Attributes:
        number: Of the question.
        defined: There is a value.
        value: The value as JSON bytes.
        error: Why there is no answer at all; empty when there is one.
        seconds: How long it took.
    """

    number: int
    defined: bool
    value: bytes
    error: str
    seconds: float


class Hello(Struct, frozen=True, kw_only=True, tag="hello", array_like=True):
    """From a judge, first of all: what it has loaded.

    Attributes:
        pid: Its process.
        generation: Which load of the policies it has.
        policies: By environment (empty for the settings' own): digest, engine, sources, settings' digest, bundles.
        query_sha256: Digest of the query policies; empty without any.
        query_modules: File name and text of the query policies.
        enforcements: By environment: rule id to enforcement.
    """

    pid: int
    generation: int
    policies: Mapping[str, Mapping[str, Any]]
    query_sha256: str = ""
    query_modules: Sequence[tuple[str, str]] = ()
    enforcements: Mapping[str, Mapping[str, str]] = {}


class Append(Struct, frozen=True, kw_only=True, tag="append", array_like=True):
    """To the log writer: write this record."""

    number: int
    record: bytes
    key: str
    must_be_new: bool = False


class Written(Struct, frozen=True, kw_only=True, tag="written", array_like=True):
    """From the log writer: the record is durable."""

    number: int
    index: int
    size: int
    root: bytes
    leaf_hash: bytes


class Call(Struct, frozen=True, kw_only=True, tag="call", array_like=True):
    """To the log writer: something else about the log, by name; see `plangate.server.log_writer`."""

    number: int
    name: str
    arguments: Mapping[str, Any]


class Returned(Struct, frozen=True, kw_only=True, tag="returned", array_like=True):
    """From the log writer: what a call gives."""

    number: int
    value: Any


class Refused(Struct, frozen=True, kw_only=True, tag="refused", array_like=True):
    """From the log writer: why a record was not written, or a call gives nothing."""

    number: int
    message: str
    hint: str = ""
    is_repeat: bool = False


class Control(Struct, frozen=True, kw_only=True, tag="control", array_like=True):
    """Between the main process and those that answer: see `plangate.server.supervisor`.

    Attributes:
        word: ``activate`` (from this generation on), ``reload-failed``, ``ready`` (has judges of this generation).
        generation: Which load of the policies.
        text: For people.
    """

    word: str
    generation: int
    text: str = ""


Message = Ask | Query | Weighed | Evaluated | Hello | Append | Written | Call | Returned | Refused | Control

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final[msgspec.msgpack.Decoder[Message]] = msgspec.msgpack.Decoder(Message)


class BadFrameError(ValueError):
    """What came is no message."""


def frame(message: Message) -> bytes:
    """One message as bytes."""
    body = _ENCODER.encode(message)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class Frames:
    """Takes bytes as they come and gives the messages that are whole."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes | memoryview) -> Iterator[Message]:
        """The messages that are whole now.

        Raises:
            BadFrameError: It is no message.
        """
        held = self._held
        held += data
        start = 0
        while len(held) - start >= _LENGTH_BYTES:
            body = start + _LENGTH_BYTES
            end = body + int.from_bytes(held[start:body], "big")
            if end - body > MAX_FRAME_BYTES:
                raise BadFrameError(f"a frame of {end - body} bytes (limit: {MAX_FRAME_BYTES})")
            if len(held) < end:
                break
            try:
                with memoryview(held)[body:end] as view:
                    message = _DECODER.decode(view)
            except msgspec.DecodeError as error:
                raise BadFrameError(str(error)) from error
            start = end
            yield message
        del held[:start]
