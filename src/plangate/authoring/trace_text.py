"""Traces for people: one line each, the one that did not hold with the values that it met."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from plangate.authoring.trace import LineTrace, State, Trace, Value, Way
from plangate.report.base import one_line

MOST_CHARS: Final = 140
"""Of a value that is shown; a resource is shown by its address."""
_MOST_VALUES: Final = 3
_MOST_VARIABLES: Final = 8
_MARKS: Final = {State.HOLDS: "✓", State.STOPS: "✗", State.UNREACHED: "·"}

Show = Callable[[Any], str]
"""How a value is shown, on one line."""
Note = Callable[[Way, Value], str]
"""What is said of a value besides."""


def no_note(way: Way, value: Value) -> str:
    """Nothing."""
    del way, value
    return ""


def show_value(value: Any) -> str:
    """A value as JSON, cut where it gets long; a resource of a plan by its address."""
    text = one_line(json.dumps(_short(value), ensure_ascii=False, default=str))
    return text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}…"


def is_resource(value: Any) -> bool:
    """It looks like an entry of ``input.resources``."""
    return isinstance(value, Mapping) and {"address", "after", "action"} <= value.keys()


def _short(value: Any) -> Any:
    if is_resource(value):
        return f"resource {value['address']}"
    if isinstance(value, Mapping):
        return {key: _short(item) for key, item in value.items()}
    return [_short(item) for item in value] if isinstance(value, list | tuple) else value


def failure(trace: Trace, show: Show = show_value) -> Iterator[str]:
    """The line of a test that did not hold, and why: for somebody who wants to know that and nothing else."""
    stopped = trace.stopped
    if stopped is None:
        for way in trace.given[:1]:
            yield from _values(way.values, show)
        return
    yield f"{trace.module.file}:{stopped.number}"
    yield from (f"    {line}" for line in source_lines(trace, stopped))
    for way in stopped.seen:
        yield from (f"      {name} = {show(value)}" for name, value in _of_interest(trace, stopped, way))
        yield from (f"      {line}" for line in _values(way.values, show))
        yield from (f"      {line}" for line in _difference(stopped, way, show))
        for value in way.values:
            if not any(_is_something(found) for found in value.values):
                yield from (f"      {line}" for line in _called(value, show))
    if stopped.ways > len(stopped.seen):
        yield f"      and {stopped.ways - len(stopped.seen)} more ways to get here"


def whole(
    trace: Trace, show: Show = show_value, note: Callable[[Way, Value], str] = lambda *_: ""
) -> Iterator[str]:
    """Every line of a body with what it met."""
    for line in trace.lines:
        first, *others = source_lines(trace, line)
        bound = ", ".join(f"{name} = {show(value)}" for name, value in line.bound.items())
        left = f"   ({line.ways} ways)" if line.state is State.HOLDS and line.ways > 1 else ""
        yield f"{line.number:>4} {_MARKS[line.state]} {first}{left}"
        yield from (f"       {other}" for other in others)
        if bound:
            yield f"         {bound}"
        if line.state is State.UNREACHED:
            continue
        stops = line.state is State.STOPS
        for number, way in enumerate(line.seen if stops else line.seen[:1]):
            if number:
                named = ", ".join(f"{name} = {show(value)}" for name, value in _of_interest(trace, line, way))
                yield f"         or with {named}"
            for value in way.values:
                if not stops and value.source in line.bound:
                    continue
                yield f"         {_value(value, show)}{note(way, value)}"
                if stops and not any(map(_is_something, value.values)):
                    yield from (f"         {inner}" for inner in _called(value, show, note))
        if stops and line.ways > len(line.seen):
            yield f"         and {line.ways - len(line.seen)} more ways to get here"


def source_lines(trace: Trace, line: LineTrace) -> list[str]:
    """The text of a line, without what it is indented by."""
    start, end = line.line.start, line.line.end
    text = trace.module.encoded[start:end].decode(errors="replace")
    return [one_line(part) for part in text.split("\n")] or [""]


def title(trace: Trace) -> str:
    """Which definition it is: its head and place."""
    module, rule = trace.module, trace.probe.rule
    number = module.position(rule.start)[0]
    name = ".".join(str(step.value) for step in (rule.ref.parts or (rule.ref,)))
    return f"{name}, {module.file}:{number}"


def _called(value: Value, show: Show, note: Note = no_note) -> Iterator[str]:
    """What an expression without a value worth the name led to: for each definition, how far it got."""
    for trace in value.traces:
        if trace.ways:
            continue
        yield f"{title(trace)}:"
        yield from (f"  {line}" for line in whole(trace, show, note))


def _values(values: Sequence[Value], show: Show) -> Iterator[str]:
    for value in values:
        yield _value(value, show)


def _value(value: Value, show: Show) -> str:
    if not value.values:
        return f"{value.source} is undefined"
    shown = ", ".join(show(found) for found in value.values[:_MOST_VALUES])
    more = len(value.values) - _MOST_VALUES
    if len(value.values) == 1:
        return f"{value.source} = {shown}"
    return f"{value.source} = one of {shown}{f' and {more} more' if more > 0 else ''}"


def _is_something(value: Any) -> bool:
    return not (value is False or (isinstance(value, list | dict) and not value))


def _of_interest(trace: Trace, line: LineTrace, way: Way) -> Iterator[tuple[str, Any]]:
    """Variables that have a value before a line, those that it names first."""
    text = trace.module.encoded[line.line.start : line.line.end].decode(errors="replace")
    named = [name for name in way.variables if name in text]
    others = [name for name in way.variables if name not in named][: max(0, _MOST_VARIABLES - len(named))]
    for name in (*named, *others):
        yield name, way.variables[name]


def _difference(line: LineTrace, way: Way, show: Show) -> Iterator[str]:
    """What only one side of ``==`` between two collections holds."""
    part = line.line.parts[0]
    if part.form != "operator" or part.value != "==" or line.line.form != "expr":
        return
    sides = [value for value in way.values if len(value.values) == 1 and isinstance(value.values[0], list)]
    if len(sides) != 2:  # noqa: PLR2004 - both
        return
    for mine, other in (sides, reversed(sides)):
        only = [item for item in mine.values[0] if item not in other.values[0]]
        if only and other.values[0]:
            yield f"only in {mine.source}: {', '.join(show(item) for item in only[:_MOST_VALUES])}"
