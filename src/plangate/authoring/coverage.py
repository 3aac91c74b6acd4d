"""Which lines of policies the tests made the engine evaluate, and which not.

What counts is what ``opa test --coverage`` counts: the first line of every rule's head, which is covered once a body of
the rule held, and the first line of every line of a body. Tests do not count, nor do files that are only there for
others. Two differences: a ``some x in …`` that was never reached counts as missed here, and lines of ``default`` do not
count.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from plangate.authoring.suite import Suite, parse_texts
from plangate.policy.syntax import Expr, Module, Rule, Statement, children, statements


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCoverage:
    """One policy.

    Attributes:
        file: Its name.
        text: Its text.
        covered: Line numbers, from 1.
        missed: Likewise.
    """

    file: str
    text: str
    covered: frozenset[int]
    missed: frozenset[int]

    @property
    def percent(self) -> float:
        """Of the lines that count; 100 for a file without any."""
        return percent(len(self.covered), len(self.missed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """All policies under test, sorted by file."""

    files: tuple[FileCoverage, ...]

    @property
    def percent(self) -> float:
        """Of the lines that count in all files together."""
        return percent(
            sum(len(file.covered) for file in self.files), sum(len(file.missed) for file in self.files)
        )


def percent(covered: int, missed: int) -> float:
    """How much of it is covered."""
    return 100.0 * covered / (covered + missed) if covered + missed else 100.0


def for_coverage(suite: Suite) -> Suite:
    """The same suite, so written that the engine tells of every rule whether a body of it held.

    It tells which expressions it evaluates, and a head without a value has none; so ``:= true`` is written out.
    """
    parsed = {module.file: module for module in _tested(suite)}
    return replace(
        suite,
        modules=tuple(
            (name, _with_values(parsed[name], suite.v0) if name in parsed else text)
            for name, text in suite.modules
        ),
    )


def coverage_of(suite: Suite, evaluated: Mapping[str, frozenset[int]]) -> Coverage:
    """What was covered, from the lines that the engine evaluated in a run of `for_coverage`.

    Args:
        suite: As it was before `for_coverage`.
        evaluated: File to line numbers.
    """
    found = []
    for module in _tested(suite):
        lines = evaluated.get(module.file, frozenset())
        points = list(_points(module))
        covered = {line for line, places in points if places & lines}
        missed = {line for line, _ in points} - covered
        found.append(
            FileCoverage(
                file=module.file, text=module.text, covered=frozenset(covered), missed=frozenset(missed)
            )
        )
    return Coverage(files=tuple(sorted(found, key=lambda file: file.file)))


def ranges(lines: Iterable[int]) -> str:
    """``3, 7-9`` for line numbers."""
    found: list[list[int]] = []
    for line in sorted(lines):
        if found and line == found[-1][1] + 1:
            found[-1][1] = line
        else:
            found.append([line, line])
    return ", ".join(f"{first}-{last}" if first != last else str(first) for first, last in found)


def _tested(suite: Suite) -> tuple[Module, ...]:
    return parse_texts([item for item in suite.modules if item[0] not in suite.foreign], suite.v0)


def _points(module: Module) -> Iterator[tuple[int, frozenset[int]]]:
    """Each line that counts, with the lines of which one must have been evaluated."""
    for rule in module.rules:
        if rule.form == "default":
            continue
        yield from _head(module, rule.start, rule.value or rule.ref)
        for body in rule.bodies:
            # Of a variable there, the engine does not tell.
            if body.is_else and body.value is not None and body.value.form != "var":
                yield from _head(module, body.start, body.value)
            yield from _lines(module, body.query)


def _head(module: Module, start: int, value: Expr) -> Iterator[tuple[int, frozenset[int]]]:
    """A head, covered once its value was evaluated, and the lines of comprehensions in that value."""
    first = module.position(start)[0]
    inner = [line for part in children(value) for line in _lines(module, part.body)]
    last = module.position(value.start)[0]
    yield first, frozenset(range(first, max(first, last) + 1)).union(line for line, _ in inner)
    yield from inner


def _lines(module: Module, query: tuple[Statement, ...]) -> Iterator[tuple[int, frozenset[int]]]:
    for statement in statements(query):
        if statement.form != "some":
            line = module.position(statement.start)[0]
            yield line, frozenset({line})


def _with_values(module: Module, v0: bool) -> str:
    content, sign = module.encoded, b" = true" if v0 else b" := true"
    for at in sorted(
        (at for rule in module.rules if (at := _head_end(module, rule)) is not None), reverse=True
    ):
        content = content[:at] + sign + content[at:]
    return content.decode()


def _head_end(module: Module, rule: Rule) -> int | None:
    """Where the value of a head would stand that has none."""
    if rule.value is not None or rule.form not in {"value", "function"}:
        return None
    if rule.form == "value":
        return rule.ref.end
    closing = module.encoded.find(b")", rule.args[-1].end)
    return closing + 1 if closing >= 0 else None
