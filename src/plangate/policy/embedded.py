"""The embedded engine: regorus, in a worker process of its own that can be killed.

The worker is started before the plan is read, loads the policies while the plan is parsed, and answers over pipes
with a deadline that this side keeps. Whatever goes wrong (too slow, out of memory, a crash, a panic, an answer that
is cut short, garbled or leaves a rule out) is an `EngineError`, and the next evaluation gets a new worker.
See docs/adr/0004-embedded-rego.md.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from msgspec import Struct

from plangate.errors import EngineError
from plangate.policy import worker
from plangate.policy.answers import rule_answers
from plangate.policy.base import Doubt, PolicySet, RuleAnswer
from plangate.policy.exchange import Exchange
from plangate.policy.guarding import guarded
from plangate.policy.letters import has_odd_letters
from plangate.policy.numbers import is_exact_input
from plangate.policy.process import Process, start_process

REGORUS_VERSION: Final = "0.13.0"


class EngineLimits(Struct, frozen=True, kw_only=True):
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

    @property
    def decision_ids(self) -> tuple[str, ...]:
        """None: it keeps no log of its own."""
        return ()

    def start(self, policies: PolicySet) -> None:
        """Start a worker that loads these policies, unless there is one. Does not wait for it."""
        self._started(policies)

    def _started(self, policies: PolicySet) -> Process:
        if self._worker is not None and self._loaded is not None and self._loaded.sha256 == policies.sha256:
            return self._worker
        self.close()
        try:
            process = start_process(setup_of(policies, self._limits))
        except OSError as problem:
            raise EngineError(
                f"the policy engine cannot be started: {problem.strerror or problem}"
            ) from problem
        self._worker, self._loaded = process, policies
        return process

    def evaluate(self, policies: PolicySet, document: bytes, deadline_s: float) -> Sequence[RuleAnswer]:
        """Evaluate every rule of the set on a plan document, and wait for the answers. See `begin`."""
        return self.begin(policies, document, deadline_s)()

    def begin(
        self, policies: PolicySet, document: bytes, deadline_s: float
    ) -> Callable[[], Sequence[RuleAnswer]]:
        """Begin to evaluate every rule of the set on a plan document (JSON bytes).

        What is returned waits for the answers, and has to be called exactly once, by the same thread.

        Args:
            policies: The rules; a worker that holds other ones is replaced.
            document: The normalized plan.
            deadline_s: Seconds for everything: loading that is not done yet, handing over, evaluating.

        Returns:
            Gives exactly one answer per rule of the set, in its order.

        Raises:
            EngineError: Also what the wait raises: no answer, not in time, out of memory, or a rule is left out.
        """
        if not policies.rules:
            return tuple
        self._lock.acquire()
        exchange: Exchange | None = None
        try:
            exchange = self._begun(policies, document, deadline_s)
        finally:
            if exchange is None:
                self._lock.release()

        def answers() -> Sequence[RuleAnswer]:
            answered = False
            try:
                replies = exchange.finish()
                found = rule_answers(policies.rules, policies.handles_unknowns, replies)
                answered = True
            finally:
                if not answered:
                    # It may be stuck, half-way, or out of step: nothing of it can be used again.
                    self.close()
                self._lock.release()
            return found

        return answers

    def _begun(self, policies: PolicySet, document: bytes, deadline_s: float) -> Exchange:
        until = time.monotonic() + deadline_s
        exact = is_exact_input(document, "the plan")
        process = self._started(policies)
        odd = has_odd_letters(document)
        options = json.dumps({"deadline_s": deadline_s, "exact": exact, "letters": odd}).encode()
        request = worker.frame(b"EVAL", options + b"\n" + document)
        names = [f"rule {rule.id}" for rule in policies.rules]
        exchange = Exchange(process, names, deadline_s, until, self._limits.max_answer_bytes)
        begun = False
        try:
            exchange.begin(request)
            begun = True
        finally:
            if not begun:
                self.close()
        return exchange

    def settle(
        self, policies: PolicySet, doubts: Sequence[Doubt], document: bytes, deadline_s: float
    ) -> Mapping[Doubt, tuple[tuple[str, ...], ...]]:
        """Nothing: it has no partial evaluation."""
        del policies, doubts, document, deadline_s
        return {}

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


def setup_of(policies: PolicySet, limits: EngineLimits) -> dict[str, Any]:
    """What a worker is told at its start."""
    return {
        **guarded(policies.modules, policies.data).setup(),
        "data": json.dumps(dict(policies.data)),
        "queries": rule_queries(policies),
        "memory_bytes": limits.memory_bytes,
        "as_rule": True,
    }
