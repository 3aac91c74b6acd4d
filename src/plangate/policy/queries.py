"""Rego that is asked by path, as OPA's Data API does it, for questions that are not about plans.

Nothing here judges a plan. The policies are read and checked like conftest policies, and evaluated in a worker process
with a deadline, like all others.
"""

import hashlib
import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.errors import EngineError
from plangate.policy import worker
from plangate.policy.answers import Reply
from plangate.policy.base import PolicySource
from plangate.policy.conftest.files import read_files
from plangate.policy.embedded import EngineLimits
from plangate.policy.exchange import Exchange
from plangate.policy.files import LoadLimits
from plangate.policy.guarding import guarded
from plangate.policy.hazards import check_program
from plangate.policy.letters import has_odd_letters
from plangate.policy.numbers import InexactNumberError, needs_exact_input, with_whole_numbers
from plangate.policy.parse import parse_modules, prepare
from plangate.policy.problems import Problems
from plangate.policy.process import Process, start_process
from plangate.policy.program import Program

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class QueryPolicies(Struct, frozen=True, kw_only=True):
    """Policies that can be asked by path.

    Attributes:
        modules: ``(file name, text)``, sorted by name.
        data: Documents below ``data``.
        rego_v0: They are written in Rego v0.
        sha256: Hex digest over all of it.
    """

    modules: tuple[tuple[str, str], ...]
    data: Mapping[str, Any]
    rego_v0: bool
    sha256: str


def load(
    policies: Sequence[PolicySource],
    data: Sequence[Path],
    *,
    rego_v0: bool = False,
    limits: LoadLimits | None = None,
) -> QueryPolicies:
    """Read and check policies.

    Args:
        policies: Folders, or files; their tests are not loaded.
        data: Documents, or folders of them.
        rego_v0: They are written in Rego v0.
        limits: What the folders may hold.

    Raises:
        PolicyLoadError: The first thing that is wrong, at its place.
    """
    files = read_files(policies, data, limits or LoadLimits())
    modules = parse_modules(files.modules, rego_v0=rego_v0)
    problems = Problems()
    check_program(Program(modules, files.data), problems, rego_v0=rego_v0)
    problems.raise_first()
    prepare(modules, rego_v0=rego_v0)
    texts = tuple((file.name, file.text) for file in files.modules)
    whole = json.dumps([texts, files.data, rego_v0], sort_keys=True).encode()
    return QueryPolicies(
        modules=texts,
        data=MappingProxyType(files.data),
        rego_v0=rego_v0,
        sha256=hashlib.sha256(whole).hexdigest(),
    )


class _Expression(Struct):
    value: msgspec.Raw


class _Result(Struct):
    expressions: list[_Expression]


class _Answer(Struct):
    result: list[_Result] = []


class QueryEngine:
    """Evaluates paths. One evaluation at a time; close it at the end."""

    def __init__(self, policies: QueryPolicies, limits: EngineLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._worker: Process | None = None
        self._setup = {
            **guarded(policies.modules, policies.data, rego_v0=policies.rego_v0).setup(),
            "data": json.dumps(dict(policies.data)),
            "queries": [],
            "memory_bytes": limits.memory_bytes,
            "rego_v0": policies.rego_v0,
        }

    def evaluate(self, path: Sequence[str | int], document: bytes | None, deadline_s: float) -> bytes | None:
        """The value at a path below ``data``, as JSON bytes.

        Args:
            path: Segments; none for a question whose answer does not matter, to see that the policies load.
            document: The input as JSON; ``None`` to leave it undefined.
            deadline_s: Seconds for everything.

        Returns:
            ``None`` when it is undefined.

        Raises:
            EngineError: There is no answer, or the evaluation failed.
        """
        try:
            if document is not None and with_whole_numbers(document) != document:
                raise EngineError(
                    "the input holds a whole number that is written as a decimal, which OPA tells apart",
                    hint="write 1 for 1.0 and 1000 for 1e3",
                )
            if document is not None and needs_exact_input(document):
                raise EngineError("the input holds a number that the embedded engine cannot hold exactly")
        except InexactNumberError as problem:
            raise EngineError(
                f"the input holds the number {problem}, which the embedded engine cannot hold exactly"
            ) from problem
        options: dict[str, Any] = {
            "deadline_s": deadline_s,
            "exact": False,
            "letters": document is not None and has_odd_letters(document),
            "query": query_text(path),
        }
        if document is None:
            options["no_input"] = True
        request = worker.frame(b"EVAL", json.dumps(options).encode() + b"\n" + (document or b""))
        with self._lock:
            return self._asked(request, deadline_s)

    def _asked(self, request: bytes, deadline_s: float) -> bytes | None:
        until = time.monotonic() + deadline_s
        answered = False
        try:
            if self._worker is None:
                self._worker = start_process(self._setup)
            exchange = _Raw(self._worker, ["the query"], deadline_s, until, self._limits.max_answer_bytes)
            exchange.begin(request)
            exchange.finish()
            answered = True
        except OSError as problem:
            raise EngineError(
                f"the policy engine cannot be started: {problem.strerror or problem}"
            ) from problem
        finally:
            if not answered:
                self.close()
        if exchange.failure:
            raise EngineError(exchange.failure)
        try:
            results = msgspec.json.decode(exchange.answer, type=_Answer).result
        except msgspec.DecodeError as problem:
            raise EngineError("the policy engine gave garbage instead of an answer") from problem
        if not results:
            return None
        return bytes(results[0].expressions[0].value)

    def close(self) -> None:
        """End the worker. The next evaluation gets a new one."""
        process, self._worker = self._worker, None
        if process is not None:
            process.kill()


class _Raw(Exchange):
    """An exchange that keeps the answer as it is: undefined is an answer here, and numbers stay as written."""

    answer = b""
    failure = ""

    def _take(self, kind: bytes, body: bytes) -> bool:
        if kind == b"ANSW":
            number, _, self.answer = body.partition(b"\n")
            self.replies[self._index(number)] = Reply()
            return False
        if kind == b"FAIL":
            self.failure = body.partition(b"\n")[2].decode(errors="replace") or "it failed without a word"
        return super()._take(kind, body)


def query_text(path: Sequence[str | int]) -> str:
    """The Rego expression for a path below ``data``; ``true`` for none."""
    if not path:
        return "true"
    steps = [
        f".{step}"
        if isinstance(step, str) and _NAME.fullmatch(step) and step not in _KEYWORDS
        else f"[{json.dumps(step)}]"
        for step in path
    ]
    return f"data{''.join(steps)}"


_KEYWORDS: Final = frozenset({
    "as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null", "package", "set",
    "some", "true", "with",
})  # fmt: skip
