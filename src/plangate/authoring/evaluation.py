"""Evaluate many queries in a worker process: a query that hangs or crashes spoils no other.

Built on the worker that judges (`plangate.policy.worker`). A query that takes too long, or that ends the process, gets
an error; the others go on in a new process.
"""

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field

from plangate.errors import EngineError
from plangate.policy import worker
from plangate.policy.answers import AnswerError, Reply
from plangate.policy.embedded import EngineLimits
from plangate.policy.exchange import Exchange
from plangate.policy.guarding import guarded
from plangate.policy.letters import has_odd_letters
from plangate.policy.numbers import as_whole_numbers, is_exact_input
from plangate.policy.process import start_process

_MOST_RESTARTS: Final = 20
"""Processes that one evaluation may use up: a suite in which everything hangs must end some day."""

_BEGINS: Final = f"plangate begins {secrets.token_hex(16)}"


class TimeLimits(Struct, frozen=True, kw_only=True):
    """How long it may take.

    Attributes:
        each_s: Seconds for one query.
        all_s: Seconds for everything.
    """

    each_s: float = 5.0
    all_s: float = 300.0


class Query(Struct, frozen=True, kw_only=True):
    """One query.

    Attributes:
        name: What it is called in messages.
        text: Rego that gives one value.
        group: Queries of one group are tried together first, which is much faster; an empty one is asked by itself.
    """

    name: str
    text: str
    group: str = ""


class Answered(Struct, frozen=True, kw_only=True):
    """How one query went. ``undefined`` is neither a value nor an error."""

    value: Any = None
    undefined: bool = False
    error: str = ""
    seconds: float = 0.0
    prints: tuple[str, ...] = ()


class Evaluation(Struct, frozen=True, kw_only=True):
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
    """Ask every query: first those of a group together, then, where one of them spoils that, each by itself.

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
    setup = {
        **guarded(modules, data, rego_v0=v0).setup(),
        "data": json.dumps(dict(data)),
        "memory_bytes": EngineLimits().memory_bytes,
        "rego_v0": v0,
        "coverage": coverage,
    }
    asking = _Asking(setup, limits, document)
    groups: dict[str, list[int]] = {}
    for index, query in enumerate(queries):
        if query.group:
            groups.setdefault(query.group, []).append(index)
    answers: dict[int, Answered] = {}
    members = [found for found in groups.values() if len(found) > 1]
    grouped = {index for found in members for index in found}
    alone = [index for index in range(len(queries)) if index not in grouped]
    together = [_together([queries[index].text for index in found]) for found in members]
    asked = asking.ask([*together, *(queries[index] for index in alone)], first_tries=len(together))
    for found, answered in zip(members, asked[: len(members)], strict=True):
        answers |= _apart(found, answered)
    answers |= zip(alone, asked[len(members) :], strict=True)
    left = [index for index in range(len(queries)) if index not in answers]
    answers |= zip(left, asking.ask([queries[index] for index in left]), strict=True)
    return Evaluation(answers=tuple(answers[index] for index in range(len(queries))), covered=asking.covered)


def _together(texts: Sequence[str]) -> Query:
    """One query for several; each says that it begins, so that what is printed can be told apart."""
    parts = [
        f"[plangate_q | print({json.dumps(_BEGINS)}, {number}); plangate_q := {text}]"
        for number, text in enumerate(texts)
    ]
    return Query(name="several tests", text="[" + ",\n".join(parts) + "]")


def _apart(members: Sequence[int], answered: Answered) -> dict[int, Answered]:
    """The answers to the queries of a group; none when they could not be told apart, or one of them failed."""
    if answered.error or not isinstance(answered.value, list) or len(answered.value) != len(members):
        return {}
    prints: list[list[str]] = []
    for line in answered.prints:
        _, mark, number = line.partition(_BEGINS)
        if mark and number.strip() == str(len(prints)):
            prints.append([])
        elif mark or not prints:
            return {}
        else:
            prints[-1].append(line)
    if len(prints) != len(members):
        return {}
    return {
        index: Answered(
            value=values[0] if values else None,
            undefined=not values,
            seconds=answered.seconds / len(members),
            prints=tuple(said),
        )
        for index, values, said in zip(members, answered.value, prints, strict=True)
    }


class _Asking:
    """Queries in one worker after the other: one that hangs or crashes takes only itself along."""

    def __init__(self, setup: Mapping[str, Any], limits: TimeLimits, document: bytes) -> None:
        self.setup = setup
        self.limits = limits
        self.document = document
        self.until = time.monotonic() + limits.all_s
        self.restarts = 0
        self.covered: dict[str, frozenset[int]] = {}

    def ask(self, queries: Sequence[Query], *, first_tries: int = 0) -> list[Answered]:
        """The answers, in the order of the queries.

        Args:
            queries: What to ask.
            first_tries: How many of them, from the first, are only tries: a process that these use up does not count.
        """
        answers: dict[int, Answered] = {}
        left = list(range(len(queries)))
        while left:
            if why := self._given_up():
                answers |= {index: Answered(error=why) for index in left}
                break
            setup = {**self.setup, "queries": [f"[{queries[index].text}]" for index in left]}
            names = [queries[index].name for index in left]
            exchange = _exchange(setup, names, self.limits, self.until, self.document)
            for file, lines in exchange.covered.items():
                self.covered[file] = self.covered.get(file, frozenset()) | frozenset(lines)
            answers |= {left[index]: exchange.answered(index) for index in exchange.replies}
            if exchange.problem is not None:
                if exchange.current is None or not exchange.process.ready:
                    raise exchange.problem
                self.restarts += left[exchange.current] >= first_tries
                if exchange.current not in exchange.replies:
                    answers[left[exchange.current]] = Answered(
                        error=str(exchange.problem), seconds=exchange.seconds_of_current()
                    )
            left = [index for index in left if index not in answers]
        return [answers[index] for index in range(len(queries))]

    def _given_up(self) -> str:
        if time.monotonic() >= self.until:
            return f"not run: all together took longer than {self.limits.all_s:g} s"
        if self.restarts > _MOST_RESTARTS:
            return f"not run: {self.restarts} others before it hung or crashed"
        return ""


def _exchange(
    setup: Mapping[str, Any], names: Sequence[str], limits: TimeLimits, until: float, document: bytes
) -> "_Apart":
    process = start_process(setup)
    try:
        document = as_whole_numbers(document, "the input")
        options = json.dumps({
            "deadline_s": limits.all_s, "exact": is_exact_input(document, "the input"), "apart": True,
            "letters": has_odd_letters(document),
        }).encode()  # fmt: skip
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
