"""What probes saw, line by line: which line of a body did not hold, and what it met."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from plangate.authoring.probe import Probe
from plangate.errors import EngineError
from plangate.policy.syntax import Module, Statement


class State(StrEnum):
    """How far a line got."""

    HOLDS = "holds"
    STOPS = "stops"
    """The first line that does not hold."""
    UNREACHED = "unreached"


class Value(Struct, frozen=True, kw_only=True, eq=False):
    """An expression and what it gave: one value, several for one that iterates, or none when it is undefined."""

    source: str
    values: tuple[Any, ...]
    traces: "tuple[Trace, ...]" = ()


class Way(Struct, frozen=True, kw_only=True, eq=False):
    """One way in which the lines before hold: variables, and what the line names."""

    variables: Mapping[str, Any]
    values: tuple[Value, ...]


class LineTrace(Struct, frozen=True, kw_only=True, eq=False):
    """One line of a body.

    Attributes:
        line: The line.
        number: Of its first line in the file.
        state: How far it got.
        ways: Of a line that stops: in how many ways the lines before it hold. Of one that holds: how many are left.
        seen: The first of those ways.
        bound: Variables that have a value since this line, of one that holds.
    """

    line: Statement
    number: int
    state: State
    ways: int
    seen: tuple[Way, ...]
    bound: Mapping[str, Any]


class Trace(Struct, frozen=True, kw_only=True, eq=False):
    """One body of one definition.

    Attributes:
        probe: What was asked.
        lines: Its lines in the order in which they were looked at.
        ways: In how many ways the whole body holds; 0: it does not.
        given: What the head gave, for the first of them.
    """

    probe: Probe
    lines: tuple[LineTrace, ...]
    ways: int
    given: tuple[Way, ...]

    @property
    def module(self) -> Module:
        """Where it is written."""
        return self.probe.module

    @property
    def stopped(self) -> LineTrace | None:
        """The line that did not hold."""
        return next((line for line in self.lines if line.state is State.STOPS), None)


def read_trace(probe: Probe, value: Any) -> Trace:
    """The trace of a probe from its value.

    Raises:
        EngineError: The value is not what such a probe gives.
    """
    try:
        return _trace(probe, value)
    except (KeyError, TypeError, ValueError, IndexError) as problem:
        raise EngineError(f"a probe gave garbage instead of an answer: {problem}") from problem


def _trace(probe: Probe, value: Any) -> Trace:
    places = [place for (place,) in value]
    if len(places) != len(probe.lines) + 1:
        raise ValueError(f"{len(places)} places for {len(probe.lines)} lines")
    lines = []
    for index, line in enumerate(probe.lines):
        before, after = places[index], places[index + 1]
        state = State.UNREACHED if not before["n"] else State.HOLDS if after["n"] else State.STOPS
        ways = tuple(_ways(probe, index, before["s"]))
        bound: dict[str, Any] = {}
        if state is State.HOLDS:
            first = after["s"][0]["v"]
            ways = tuple(way for way in ways if _is_part(way.variables, first)) or ways[:0]
            bound = {name: first[name] for name in first if name not in (before["s"][0]["v"])}
        lines.append(
            LineTrace(
                line=line, number=probe.module.position(line.start)[0], state=state,
                ways=before["n"] if state is State.STOPS else after["n"], seen=ways, bound=bound,
            )
        )  # fmt: skip
    last = places[-1]
    return Trace(
        probe=probe,
        lines=tuple(lines),
        ways=last["n"],
        given=tuple(_ways(probe, len(probe.lines), last["s"])),
    )


def _ways(probe: Probe, index: int, found: Sequence[Mapping[str, Any]]) -> Iterator[Way]:
    for way in found:
        values = []
        for seen, values_of, traces in zip(probe.seen[index], way["e"], way["t"], strict=True):
            inner = tuple(_inner(seen.probes, traces))
            values.append(Value(source=seen.source, values=tuple(values_of), traces=inner))
        yield Way(variables=way["v"], values=tuple(values))


def _inner(probes: Iterable[Probe], values: Sequence[Sequence[Any]]) -> Iterator[Trace]:
    for probe, found in zip(probes, values, strict=True):
        # None at all: the arguments do not fit the definition's parameters.
        if found:
            yield _trace(probe, found[0])


def _is_part(variables: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    return all(name in others and others[name] == value for name, value in variables.items())
