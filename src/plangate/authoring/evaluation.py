"""Evaluate many queries in a worker process, each by itself: a query that hangs or crashes spoils no other.

Built on the worker that judges (`plangate.policy.worker`). A query that takes too long, or that ends the process, gets
an error; the others go on in a new process.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from plangate.errors import EngineError
from plangate.policy import worker
from plangate.policy.answers import AnswerError, Reply
from plangate.policy.embedded import EngineLimits
from plangate.policy.exchange import Exchange
from plangate.policy.process import start_process

_MOST_RESTARTS: Final = 20
"""Processes that one evaluation may use up: a suite in which everything hangs must end some day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """How long it may take.

    Attributes:
        each_s: Seconds for one query.
        all_s: Seconds for everything.
    """

    each_s: float = 5.0
    all_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query: what it is called in messages, and its text, which gives one value."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How one query went. ``undefined`` is neither a value nor an error."""

    value: Any = None
    undefined: bool = False
    error: str = ""
    seconds: float = 0.0
    prints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Every answer, in the order of the queries, and the lines of each file that were evaluated."""

    answers: tuple[Answered, ...]
    covered: Mapping[str, frozenset[int]] = field(default_factory=dict)


def evaluate(
    modules: Sequence[tuple[str, str]],
    data: Mapping[str, Any],
    queries: Sequence[Query],
    limits: TimeLimits,
    *,
    document: bytes = b"{}",
    v0: bool = False,
    coverage: bool = False,
) -> Evaluation:
    """Ask every query by itself.

    Args:
        modules: ``(file name, text)`` of all modules.
        data: What is below ``data``.
        queries: What to ask.
        limits: How long it may take.
        document: The input, as JSON.
        v0: The modules are Rego v0, unless they say otherwise.
        coverage: Find out which lines are evaluated.

    Raises:
        EngineError: The modules cannot be loaded, or the engine does not answer as it should.
    """
    until = time.monotonic() + limits.all_s
    answers: dict[int, Answered] = {}
    covered: dict[str, frozenset[int]] = {}
    left = list(range(len(queries)))
    restarts = 0
    while left:
        setup = {
            "modules": tuple(modules),
            "data": json.dumps(dict(data)),
            "queries": [f"[{queries[index].text}]" for index in left],
            "memory_bytes": EngineLimits().memory_bytes,
            "v0": v0,
            "coverage": coverage,
        }
        exchange = _exchange(setup, [queries[index].name for index in left], limits, until, document)
        for index, lines in exchange.covered.items():
            covered[index] = covered.get(index, frozenset()) | frozenset(lines)
        answers |= {left[index]: exchange.answered(index) for index in exchange.replies}
        if exchange.problem is not None:
            if exchange.current is None or not exchange.process.ready:
                raise exchange.problem
            restarts += 1
            answers[left[exchange.current]] = Answered(
                error=str(exchange.problem), seconds=exchange.seconds_of_current()
            )
        left = [index for index in left if index not in answers]
        if left and (restarts > _MOST_RESTARTS or time.monotonic() >= until):
            why = (
                f"not run: all together took longer than {limits.all_s:g} s"
                if time.monotonic() >= until
                else f"not run: {restarts} others before it hung or crashed"
            )
            answers |= {index: Answered(error=why) for index in left}
            break
    return Evaluation(answers=tuple(answers[index] for index in range(len(queries))), covered=covered)


def _exchange(
    setup: Mapping[str, Any], names: Sequence[str], limits: TimeLimits, until: float, document: bytes
) -> "_Apart":
    process = start_process(setup)
    try:
        options = json.dumps({"deadline_s": limits.all_s, "exact": False, "apart": True}).encode()
        exchange = _Apart(process, names, limits.all_s, until, EngineLimits().max_answer_bytes)
        exchange.each_s = limits.each_s
        try:
            exchange.run(worker.frame(b"EVAL", options + b"\n" + document))
        except EngineError as problem:
            exchange.problem = problem
    finally:
        process.kill()
    return exchange


class _Apart(Exchange):
    """A request whose queries are told about one by one, each with a deadline of its own.

    What was answered before something went wrong is kept, and so is the problem.
    """

    each_s: float
    problem: EngineError | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.whole_until = self.until
        self.whole_s = self.deadline_s
        self.notes: dict[int, tuple[float, tuple[str, ...]]] = {}
        self.covered: dict[str, list[int]] = {}
        self.begun = 0.0

    def seconds_of_current(self) -> float:
        """How long the query that is under way has taken."""
        return time.monotonic() - self.begun

    def answered(self, index: int) -> Answered:
        """How a query went that was answered."""
        reply: Reply = self.replies[index]
        seconds, prints = self.notes.get(index, (0.0, ()))
        if reply.error == "it is undefined":
            return Answered(undefined=True, seconds=seconds, prints=prints)
        if reply.error:
            return Answered(error=reply.error, seconds=seconds, prints=prints)
        return Answered(value=reply.value[0], seconds=seconds, prints=prints)

    def _take(self, kind: bytes, body: bytes) -> bool:
        if kind == b"NOTE":
            number, _, text = body.partition(b"\n")
            try:
                note = json.loads(text)
                self.notes[int(number)] = (float(note["seconds"]), tuple(map(str, note["prints"])))
            except (ValueError, KeyError, TypeError) as problem:
                raise AnswerError("a note that cannot be read") from problem
            # The next query begins when this one ends; only between them nothing is under way.
            self.until, self.deadline_s = self.whole_until, self.whole_s
            return False
        if kind == b"COVR":
            try:
                self.covered = {str(file): list(map(int, lines)) for file, lines in json.loads(body).items()}
            except (ValueError, TypeError, AttributeError) as problem:
                raise AnswerError("coverage that cannot be read") from problem
            return False
        done = super()._take(kind, body)
        if kind == b"BEGN":
            self.begun = time.monotonic()
            own = self.begun + self.each_s
            if own < self.whole_until:
                self.until, self.deadline_s = own, self.each_s
        return done
