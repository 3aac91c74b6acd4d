"""Conftest policies in the embedded engine: the worker, the limits and the deadline of `plangate.policy.embedded`."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

from plangate.errors import EngineError
from plangate.policy import worker
from plangate.policy.answers import Reply
from plangate.policy.conftest.base import EXCEPTION, ConftestPolicies
from plangate.policy.embedded import REGORUS_VERSION, EngineLimits
from plangate.policy.exchange import Exchange
from plangate.policy.guarding import guarded
from plangate.policy.letters import has_odd_letters
from plangate.policy.numbers import as_whole_numbers, is_exact_input
from plangate.policy.process import Process, start_process


class ConftestEngine:
    """Asks every rule and every exception about one input. One evaluation at a time.

    Args:
        policies: What to load.
        limits: What the worker may use.
        start: Start the worker now, so that it loads while something else is done.
    """

    version = f"regorus {REGORUS_VERSION}"

    def __init__(self, policies: ConftestPolicies, limits: EngineLimits, *, start: bool = False) -> None:
        self._policies = policies
        self._limits = limits
        self._lock = threading.Lock()
        self._worker: Process | None = None
        queries = [
            (f"rule {rule.spec.id}", rule.query if rule.is_set else _if_any(rule.query))
            for rule in policies.rules
        ]
        queries += [
            (f"data.{name}.{EXCEPTION}", _if_any(f"data.{name}.{EXCEPTION}")) for name in policies.exceptions
        ]
        self._names = [name for name, _ in queries]
        self._setup: Mapping[str, Any] = {
            **guarded(policies.modules, policies.data, rego_v0=policies.rego_v0).setup(),
            "data": json.dumps(dict(policies.data)),
            "queries": [query for _, query in queries],
            "memory_bytes": limits.memory_bytes,
            "rego_v0": policies.rego_v0,
        }
        if start:
            self._started()

    def _started(self) -> Process:
        if self._worker is None:
            try:
                self._worker = start_process(self._setup)
            except OSError as problem:
                raise EngineError(
                    f"the policy engine cannot be started: {problem.strerror or problem}"
                ) from problem
        return self._worker

    def ask(self, document: bytes, file: Mapping[str, str], deadline_s: float) -> Sequence[Reply]:
        """One reply per rule, in their order, then one per namespace with exceptions.

        Args:
            document: The input as JSON.
            file: ``name`` and ``dir`` of the file it is from.
            deadline_s: Seconds for everything.

        Raises:
            EngineError: No replies, not in time, out of memory, or too few.
        """
        # Conftest's own parsers make doubles of all numbers, and of these whole numbers without a point.
        document = as_whole_numbers(document, "the input")
        if is_exact_input(document, "the input"):
            # It could be judged, but what a finding says of it would have other digits.
            raise EngineError(
                "the input holds an integer beyond 64 bits, which the embedded engine does not write exactly",
                hint="write it as a text",
            )
        with self._lock:
            until = time.monotonic() + deadline_s
            process = self._started()
            options: dict[str, Any] = {
                "deadline_s": deadline_s,
                "exact": False,
                "letters": has_odd_letters(document) or has_odd_letters(json.dumps(dict(file)).encode()),
            }
            if self._policies.asks_file:
                options["data"] = json.dumps({"conftest": {"file": dict(file)}})
            request = worker.frame(b"EVAL", json.dumps(options).encode() + b"\n" + document)
            answered = False
            try:
                exchange = Exchange(process, self._names, deadline_s, until, self._limits.max_answer_bytes)
                replies = exchange.run(request)
                answered = True
            finally:
                if not answered:
                    # It may be stuck, half-way, or out of step: nothing of it can be used again.
                    self.close()
        return replies

    def close(self) -> None:
        """End the worker. Another one is started when something is asked again."""
        process, self._worker = self._worker, None
        if process is not None:
            process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _if_any(query: str) -> str:
    """A query that has a value also where that one has none: a list of at most one."""
    return f"[x | x := {query}]"
