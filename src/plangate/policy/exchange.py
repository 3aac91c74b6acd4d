"""One request to a worker and its replies, with a deadline over all of it.

Every way in which this can end without a reply to every query is an `EngineError` that says what happened.
"""

import os
import re
import select
import time
from collections.abc import Sequence
from typing import Final

from plangate.errors import EngineError
from plangate.policy.answers import AnswerError, Reply, query_values
from plangate.policy.process import Process, ending
from plangate.policy.worker import HEADER_BYTES

_CHUNK_BYTES: Final = 1 << 20
_INDEX: Final = re.compile(rb"[0-9]{1,6}")


class Exchange:
    """One request.

    Args:
        process: The worker.
        names: What each query is called in messages, in the worker's order.
        deadline_s: Seconds, for messages.
        until: When to give up, on the monotonic clock.
        max_answer_bytes: All replies together.
    """

    def __init__(
        self, process: Process, names: Sequence[str], deadline_s: float, until: float, max_answer_bytes: int
    ) -> None:
        self.process = process
        self.names = names
        self.deadline_s = deadline_s
        self.until = until
        self.max_answer_bytes = max_answer_bytes
        self.received = bytearray()
        self.total = 0
        self.replies: dict[int, Reply] = {}
        self.current: int | None = None
        self._pending = memoryview(b"")

    def run(self, request: bytes) -> tuple[Reply, ...]:
        """Send, receive until DONE, and insist on a reply to every query.

        Raises:
            EngineError: There will be no such replies; the worker is of no more use.
        """
        self.begin(request)
        return self.finish()

    def begin(self, request: bytes) -> None:
        """Send as much as the pipe takes now, so that the worker can begin."""
        whole = memoryview(self.process.unsent + request if self.process.unsent else request)
        self.process.unsent = b""
        self._pending = self._send(whole)

    def finish(self) -> tuple[Reply, ...]:
        """The rest of `run`, after `begin`."""
        pending = self._pending
        poll = select.poll()
        poll.register(self.process.answers, select.POLLIN)
        if pending:
            poll.register(self.process.requests, select.POLLOUT)
        done = False
        while not done:
            left = self.until - time.monotonic()
            if left <= 0 or not (events := poll.poll(left * 1000)):
                self.process.kill()
                raise EngineError(f"{self._activity()} took longer than {self.deadline_s:g} s and was ended")
            for descriptor, _ in events:
                if descriptor == self.process.requests:
                    pending = self._send(pending)
                    if not pending:
                        poll.unregister(self.process.requests)
                else:
                    done = self._receive()
        missing = [name for index, name in enumerate(self.names) if index not in self.replies]
        if missing:
            raise EngineError(f"the policy engine did not answer for {', '.join(missing)}")
        return tuple(self.replies[index] for index in range(len(self.names)))

    def _send(self, pending: memoryview) -> memoryview:
        try:
            return pending[os.write(self.process.requests, pending[:_CHUNK_BYTES]) :]
        except BlockingIOError:
            return pending
        except BrokenPipeError:
            # It is gone; what it still said, or the end of its answers, tells why.
            return pending[len(pending) :]

    def _receive(self) -> bool:
        """Take what there is; true once everything was answered."""
        chunk = os.read(self.process.answers, _CHUNK_BYTES)
        if not chunk:
            raise EngineError(f"{self._activity()} failed: {ending(self.process.reap())}")
        self.received += chunk
        self.total += len(chunk)
        if self.total > self.max_answer_bytes:
            raise EngineError(
                f"{self._activity()} gave more than {self.max_answer_bytes} bytes (max_answer_bytes)"
            )
        while len(self.received) >= HEADER_BYTES:
            end = HEADER_BYTES + int.from_bytes(self.received[4:HEADER_BYTES], "big")
            if end > self.max_answer_bytes:
                raise EngineError("the policy engine gave garbage instead of an answer")
            if len(self.received) < end:
                break
            kind, body = bytes(self.received[:4]), bytes(self.received[HEADER_BYTES:end])
            del self.received[:end]
            try:
                done = self._take(kind, body)
            except AnswerError as problem:
                raise EngineError(
                    f"the policy engine gave garbage instead of an answer: {problem}"
                ) from problem
            if done:
                if self.received:
                    raise EngineError("the policy engine said more than was asked")
                return True
        return False

    def _take(self, kind: bytes, body: bytes) -> bool:
        """One frame; true for the last one."""
        match kind:
            case b"REDY":
                self.process.ready = True
            case b"ALLA":
                values = query_values(body, len(self.names))
                self.replies = {index: Reply(value=value) for index, value in enumerate(values)}
            case b"BEGN":
                self.current = self._index(body)
            case b"ANSW":
                number, _, answer = body.partition(b"\n")
                index = self._index(number)
                undefined = answer.strip() == b"{}"
                self.replies[index] = (
                    Reply(error="it is undefined") if undefined else Reply(value=query_values(answer, 1)[0])
                )
            case b"FAIL":
                number, _, message = body.partition(b"\n")
                said = message.decode(errors="replace") or "it failed without a word"
                self.replies[self._index(number)] = Reply(error=said)
            case b"DONE":
                return True
            case b"DEAD":
                raise EngineError(f"{self._activity()} failed: {body.decode(errors='replace')}")
            case _:
                raise AnswerError("an unknown word")
        return False

    def _index(self, text: bytes) -> int:
        index = int(text) if _INDEX.fullmatch(text) else -1
        if not 0 <= index < len(self.names) or index in self.replies:
            raise AnswerError("an answer to no question")
        return index

    def _activity(self) -> str:
        if not self.process.ready:
            return "loading the policies"
        if self.current is None or self.current in self.replies:
            return "evaluating the policies"
        return f"evaluating {self.names[self.current]}"
