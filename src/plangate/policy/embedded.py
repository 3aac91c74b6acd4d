"""The embedded engine: regorus, in a worker process of its own that can be killed.

The worker is started before the plan is read, loads the policies while the plan is parsed, and answers over pipes
with a deadline that this side keeps. Whatever goes wrong (too slow, out of memory, a crash, a panic, an answer that
is cut short, garbled or leaves a rule out) is an `EngineError`, and the next evaluation gets a new worker.
See docs/adr/0004-embedded-rego.md.
"""

import json
import os
import re
import select
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from plangate.errors import EngineError
from plangate.policy import worker
from plangate.policy.answers import AnswerError, combined_answers, rule_answer
from plangate.policy.base import PolicySet, RuleAnswer
from plangate.policy.numbers import InexactNumberError, needs_exact_input
from plangate.policy.process import Process, ending, start_process

REGORUS_VERSION: Final = "0.13.0"

_CHUNK_BYTES: Final = 1 << 20
_INDEX: Final = re.compile(rb"[0-9]{1,6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLimits:
    """What a worker may use.

    Attributes:
        memory_bytes: Address space beyond what the process starts with.
        max_answer_bytes: All answers of one evaluation together.
    """

    memory_bytes: int = 2 << 30
    max_answer_bytes: int = 64 << 20


class EmbeddedEngine:
    """Judges with regorus. One evaluation at a time; close it, or use it as a context manager.

    Args:
        policies: Start a worker with these now, so that it loads while something else is done.
    """

    def __init__(self, policies: PolicySet | None = None, limits: EngineLimits | None = None) -> None:
        self._limits = limits or EngineLimits()
        self._lock = threading.Lock()
        self._worker: Process | None = None
        self._loaded: PolicySet | None = None
        if policies is not None:
            self.start(policies)

    @property
    def version(self) -> str:
        """Engine name and version."""
        return f"regorus {REGORUS_VERSION}"

    def start(self, policies: PolicySet) -> None:
        """Start a worker that loads these policies, unless there is one. Does not wait for it."""
        self._started(policies)

    def _started(self, policies: PolicySet) -> Process:
        if self._worker is not None and self._loaded is not None and self._loaded.sha256 == policies.sha256:
            return self._worker
        self.close()
        try:
            process = start_process(_setup(policies, self._limits))
        except OSError as problem:
            raise EngineError(
                f"the policy engine cannot be started: {problem.strerror or problem}"
            ) from problem
        self._worker, self._loaded = process, policies
        return process

    def evaluate(self, policies: PolicySet, document: bytes, deadline_s: float) -> Sequence[RuleAnswer]:
        """Evaluate every rule of the set on a plan document (JSON bytes).

        Args:
            policies: The rules; a worker that holds other ones is replaced.
            document: The normalized plan.
            deadline_s: Seconds for everything: loading that is not done yet, handing over, evaluating.

        Returns:
            Exactly one answer per rule of the set, in its order.

        Raises:
            EngineError: No answer, not in time, out of memory, or one that leaves a rule out.
        """
        if not policies.rules:
            return ()
        with self._lock:
            until = time.monotonic() + deadline_s
            try:
                exact = needs_exact_input(document)
            except InexactNumberError as problem:
                raise EngineError(
                    f"the plan holds the number {problem}, which the embedded engine cannot hold exactly",
                    hint="judge this plan with `engine: opa`",
                ) from problem
            except ValueError as problem:
                raise EngineError(f"the plan document cannot be read: {problem}") from problem
            process = self._started(policies)
            answered = False
            try:
                options = json.dumps({"deadline_s": deadline_s, "exact": exact}).encode()
                request = worker.frame(b"EVAL", options + b"\n" + document)
                answers = _Exchange(process, policies, deadline_s, until, self._limits).run(request)
                answered = True
            finally:
                if not answered:
                    # It may be stuck, half-way, or out of step: nothing of it can be used again.
                    self.close()
        return answers

    def close(self) -> None:
        """End the worker. The engine can be used again afterwards, with a new one."""
        process, self._worker = self._worker, None
        if process is not None:
            process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def rule_queries(policies: PolicySet) -> tuple[str, ...]:
    """One query per rule, each an array: its findings, and its undetermined ones if it says."""
    return tuple(
        f"[data.{package}.deny, data.{package}.undetermined]"
        if rule.id in policies.handles_unknowns
        else f"[data.{package}.deny]"
        for rule in policies.rules
        for package in (policies.packages[rule.id],)
    )


def _setup(policies: PolicySet, limits: EngineLimits) -> dict[str, Any]:
    return {
        "modules": policies.modules,
        "data": json.dumps(dict(policies.data)),
        "queries": rule_queries(policies),
        "memory_bytes": limits.memory_bytes,
    }


class _Exchange:
    """One request and its answers, with a deadline over all of it."""

    def __init__(
        self, process: Process, policies: PolicySet, deadline_s: float, until: float, limits: EngineLimits
    ) -> None:
        self.process = process
        self.policies = policies
        self.deadline_s = deadline_s
        self.until = until
        self.limits = limits
        self.received = bytearray()
        self.total = 0
        self.answers: dict[int, RuleAnswer] = {}
        self.current: int | None = None

    def run(self, request: bytes) -> tuple[RuleAnswer, ...]:
        """Send, receive until DONE, and insist on an answer for every rule."""
        pending = memoryview(self.process.unsent + request)
        self.process.unsent = b""
        poll = select.poll()
        poll.register(self.process.answers, select.POLLIN)
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
        missing = [rule.id for index, rule in enumerate(self.policies.rules) if index not in self.answers]
        if missing:
            raise EngineError(f"the policy engine left out rules: {', '.join(missing)}")
        return tuple(self.answers[index] for index in range(len(self.policies.rules)))

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
        if self.total > self.limits.max_answer_bytes:
            raise EngineError(
                f"{self._activity()} gave more than {self.limits.max_answer_bytes} bytes (max_answer_bytes)"
            )
        while len(self.received) >= worker.HEADER_BYTES:
            end = worker.HEADER_BYTES + int.from_bytes(self.received[4 : worker.HEADER_BYTES], "big")
            if end > self.limits.max_answer_bytes:
                raise EngineError("the policy engine gave garbage instead of an answer")
            if len(self.received) < end:
                break
            kind, body = bytes(self.received[:4]), bytes(self.received[worker.HEADER_BYTES : end])
            del self.received[:end]
            if self._take(kind, body):
                if self.received:
                    raise EngineError("the policy engine said more than was asked")
                return True
        return False

    def _take(self, kind: bytes, body: bytes) -> bool:
        """One frame; true for the last one."""
        rules = self.policies.rules
        handles = self.policies.handles_unknowns
        try:
            match kind:
                case b"REDY":
                    self.process.ready = True
                case b"ALLA":
                    self.answers = dict(enumerate(combined_answers(rules, handles, body)))
                case b"BEGN":
                    self.current = self._index(body)
                case b"ANSW":
                    number, _, answer = body.partition(b"\n")
                    index = self._index(number)
                    self.answers[index] = rule_answer(rules[index], handles, answer)
                case b"FAIL":
                    number, _, message = body.partition(b"\n")
                    index = self._index(number)
                    said = message.decode(errors="replace") or "it failed without a word"
                    self.answers[index] = RuleAnswer(rule=rules[index].id, error=said)
                case b"DONE":
                    return True
                case b"DEAD":
                    raise EngineError(f"{self._activity()} failed: {body.decode(errors='replace')}")
                case _:
                    raise EngineError("the policy engine gave garbage instead of an answer: an unknown word")
        except AnswerError as problem:
            raise EngineError(f"the policy engine gave garbage instead of an answer: {problem}") from problem
        return False

    def _index(self, text: bytes) -> int:
        index = int(text) if _INDEX.fullmatch(text) else -1
        if not 0 <= index < len(self.policies.rules) or index in self.answers:
            raise AnswerError("an answer to no question")
        return index

    def _activity(self) -> str:
        if not self.process.ready:
            return "loading the policies"
        if self.current is None or self.current in self.answers:
            return "evaluating the policies"
        return f"evaluating rule {self.policies.rules[self.current].id}"
