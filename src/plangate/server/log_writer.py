"""The one process that writes the log, for all that answer.

Many processes on one SQLite file wait for each other's locks; one that takes what all of them send writes everything
that waits in one commit. What the log cannot take is told to whoever sent it; a log that failed is opened again, and
so held against its checkpoint, before anything else is written.
"""

import contextlib
import os
import selectors
import socket
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from plangate.audit.base import AlreadyRecordedError, Entry
from plangate.audit.event_records import policy_activated
from plangate.audit.receipt import make_receipt
from plangate.audit.record import Actor, ActorKind
from plangate.decision.document import PolicyBundle
from plangate.errors import AuditError, CannotDecideError, PlangateError
from plangate.server import children
from plangate.server.messages import (
    Append,
    BadFrameError,
    Call,
    Frames,
    Message,
    Refused,
    Returned,
    Written,
    frame,
)
from plangate.wiring.bundles import last_activation, remember
from plangate.wiring.state import State, fresh_stamp, open_state

_CHUNK_BYTES: Final = 1 << 20
_REOPEN_S: Final = 0.5
"""Seconds between attempts to open a log that failed."""
_MAX_BATCH: Final = 512
_MAX_RECORDS: Final = 256
"""Records that one call gives."""


class LogWriter:
    """Serves the log on a listening Unix socket until told to stop.

    Args:
        folder: The state folder.
        listener: Listening socket; connections on it are our own processes'.
    """

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        self._folder = folder
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._stack = contextlib.ExitStack()
        self._state: State | None = None
        self._problem = "the log is not open"
        self._retry_at = 0.0
        self._stopping = False
        self._room = memoryview(bytearray(_CHUNK_BYTES))

    def stop(self) -> None:
        """Finish what has arrived, then leave `run`."""
        self._stopping = True

    def run(self) -> None:
        """Serve until `stop`, then close the log."""
        self._listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        try:
            self._open()
            children.settle()
            while True:
                events = self._selector.select(0.2)
                self._turn([key.data for key, _ in events if key.data is not None])
                if any(key.data is None for key, _ in events):
                    self._accept()
                if self._stopping and not events:
                    return
        finally:
            self._stack.close()

    # --- the log

    def _open(self) -> State | None:
        if self._state is None and time.monotonic() >= self._retry_at:
            self._retry_at = time.monotonic() + _REOPEN_S
            try:
                self._state = self._stack.enter_context(open_state(self._folder))
            except (PlangateError, OSError) as error:
                self._problem = str(error)
        return self._state

    def _drop(self, error: Exception) -> None:
        """Let go of a log that failed; the next use opens it again."""
        self._problem = str(error)
        self._state = None
        with contextlib.suppress(PlangateError, OSError):
            self._stack.close()
        self._stack = contextlib.ExitStack()

    # --- connections

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            self._selector.register(connection, selectors.EVENT_READ, _Peer(connection))

    def _turn(self, ready: list["_Peer"]) -> None:
        """Take what has come from everybody, write it in one commit, answer everybody."""
        appends: list[tuple[_Peer, Append]] = []
        calls: list[tuple[_Peer, Call]] = []
        for peer in ready:
            for message in self._read(peer):
                if isinstance(message, Append):
                    appends.append((peer, message))
                elif isinstance(message, Call):
                    calls.append((peer, message))
        for start in range(0, len(appends), _MAX_BATCH):
            self._append(appends[start : start + _MAX_BATCH])
        for peer, call in calls:
            peer.answers.append(frame(self._call(call)))
        for peer in {id(peer): peer for peer, _ in (*appends, *calls)}.values():
            if not peer.flush():
                self._forget(peer)

    def _read(self, peer: "_Peer") -> list[Message]:
        try:
            if size := peer.connection.recv_into(self._room):
                return list(peer.frames.feed(self._room[:size]))
        except (OSError, BadFrameError):
            pass
        self._forget(peer)
        return []

    def _forget(self, peer: "_Peer") -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(peer.connection)
        peer.connection.close()

    # --- what is asked

    def _append(self, batch: list[tuple["_Peer", Append]]) -> None:
        state = self._open()
        if state is None:
            answers: list[Entry | AuditError] = [AuditError(self._problem)] * len(batch)
        else:
            answers = list(
                state.log.append_all([(item.record, item.key, item.must_be_new) for _, item in batch])
            )
            if (failed := state.log.failure) is not None:
                self._drop(failed)
        for (peer, item), answer in zip(batch, answers, strict=True):
            peer.answers.append(frame(_answer(item.number, answer)))

    def _call(self, call: Call) -> Message:
        state = self._open()
        if state is None:
            return Refused(number=call.number, message=self._problem)
        try:
            value = _CALLS[call.name](state, call.arguments)
        except PlangateError as error:
            return Refused(number=call.number, message=str(error), hint=error.hint)
        except Exception as error:  # noqa: BLE001 - whatever broke, the caller gets no answer to act on
            return Refused(number=call.number, message=f"the log writer failed ({type(error).__name__})")
        return Returned(number=call.number, value=value)


class _Peer:
    """One process that is connected."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.frames = Frames()
        self.answers: list[bytes] = []
        connection.settimeout(2.0)

    def flush(self) -> bool:
        """Send what there is to say; false when the other side is gone or does not listen."""
        data, self.answers = b"".join(self.answers), []
        try:
            self.connection.sendall(data)
        except OSError:
            return False
        return True


def _answer(number: int, answer: Entry | AuditError) -> Message:
    if isinstance(answer, Entry):
        return Written(
            number=number,
            index=answer.index,
            size=answer.size,
            root=answer.root,
            leaf_hash=answer.leaf_hash,
        )
    return Refused(
        number=number,
        message=str(answer),
        hint=answer.hint,
        is_repeat=isinstance(answer, AlreadyRecordedError),
    )


def _size(state: State, _: Mapping[str, Any]) -> Any:
    return state.log.size()


def _checkpoint(state: State, _: Mapping[str, Any]) -> Any:
    return state.log.checkpoint()


def _status(state: State, _: Mapping[str, Any]) -> Any:
    """Size, and the seconds since the checkpoint file last covered everything."""
    return {"size": state.log.size(), "checkpoint_age_s": round(state.log.checkpoint_age_s(), 3)}


def _find(state: State, arguments: Mapping[str, Any]) -> Any:
    found = state.log.find(arguments["key"])
    return None if found is None else (found.index, found.record)


def _records(state: State, arguments: Mapping[str, Any]) -> Any:
    start, stop = int(arguments["start"]), int(arguments["stop"])
    stop = min(stop, start + _MAX_RECORDS, state.log.size())
    return [item.record for item in state.log.entries(start, stop)]


def _hashes(state: State, arguments: Mapping[str, Any]) -> Any:
    """Hashes of full tree nodes of one level, for tiles."""
    level, start, stop = int(arguments["level"]), int(arguments["start"]), int(arguments["stop"])
    return state.log.nodes(level, start, min(stop, start + _MAX_RECORDS))


def _inclusion(state: State, arguments: Mapping[str, Any]) -> Any:
    return list(state.log.inclusion(int(arguments["index"]), int(arguments["size"])))


def _consistency(state: State, arguments: Mapping[str, Any]) -> Any:
    return list(state.log.consistency(int(arguments["old"]), int(arguments["new"])))


def _public_keys(state: State, _: Mapping[str, Any]) -> Any:
    return {
        "log": state.log_key.public_key,
        "receipt": state.receipt_key.public_key,
        "origin": state.log.origin,
    }


def _receipt(state: State, arguments: Mapping[str, Any]) -> Any:
    issued: datetime = datetime.fromisoformat(arguments["issued"])
    return make_receipt(
        log=state.log,
        entry=Entry(
            index=arguments["index"],
            size=arguments["size"],
            root=arguments["root"],
            leaf_hash=arguments["leaf_hash"],
        ),
        record=arguments["record"],
        signer=state.receipt_key,
        audience=arguments["audience"],
        nonce=os.urandom(16).hex(),
        issued=issued,
        expires=issued + timedelta(minutes=arguments["valid_minutes"]),
        obligations=arguments["obligations"],
    )


def _activate(state: State, arguments: Mapping[str, Any]) -> Any:
    """Record that policies came into use, unless the last such record is of the same ones."""
    who = Actor(kind=ActorKind.SYSTEM, name="plangate serve")
    notices = remember(
        state.log, [PolicyBundle(**item) for item in arguments["bundles"]], lambda: fresh_stamp(who)
    )
    name, sha256 = str(arguments["name"]), str(arguments["sha256"])
    count, last = last_activation(state.log, name)
    if last is not None and last["sha256"] == sha256:
        return list(notices)
    number = count + 1
    record = policy_activated(
        fresh_stamp(who), number=number, name=name, sequence=number, revision="", sha256=sha256, key_id=""
    )
    try:
        state.log.append(record.encode(), idempotency_key=record.idempotency_key, must_be_new=True)
    except AlreadyRecordedError as error:
        raise CannotDecideError("policies were activated by somebody else at the same time") from error
    return list(notices)


_CALLS: Final[Mapping[str, Callable[[State, Mapping[str, Any]], Any]]] = {
    "activate": _activate,
    "checkpoint": _checkpoint,
    "consistency": _consistency,
    "find": _find,
    "hashes": _hashes,
    "inclusion": _inclusion,
    "public_keys": _public_keys,
    "receipt": _receipt,
    "records": _records,
    "size": _size,
    "status": _status,
}
