"""Which lines of policies the tests made the engine evaluate, and which not.

What counts is what ``opa test --coverage`` counts: the first line of every rule's head, which is covered once a body of
the rule held, and the first line of every line of a body. Tests do not count, nor do files that are only there for
others. The differences: a ``some x in …`` that was never reached counts as missed here; ``default`` and ``else`` do
not count by themselves, as the engine does not tell of them (the lines in the brackets of an ``else`` do); OPA leaves
out lines that an index of rules, or an answer that it has already, spares it. A rule that no test names, not even by
way of other rules, is not reached, although the engine evaluates it together with its package.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from plangate.authoring.suite import Suite, is_test, parse_texts
from plangate.policy.program import Definition, Program
from plangate.policy.scopes import UseFinder
from plangate.policy.syntax import Expr, Module, Rule, Statement, children, statements


class FileCoverage(Struct, frozen=True, kw_only=True):
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


class Coverage(Struct, frozen=True, kw_only=True):
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

    It tells which expressions it evaluates. A head without a value has none, so ``:= true`` is written out.
    """
    parsed = {module.file: module for module in _tested(suite)}
    return replace(
        suite,
        modules=tuple(
            (name, _with_values(parsed[name], v0=suite.v0) if name in parsed else text)
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
    tested = _tested(suite)
    named = _named_by_tests(suite)
    for module in tested:
        lines = evaluated.get(module.file, frozenset())
        points = [
            (line, places if id(rule) in named else frozenset[int]())
            for rule in module.rules
            for line, places in _points(module, rule)
        ]
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
    return parse_texts([item for item in suite.modules if item[0] not in suite.foreign], v0=suite.v0)


def _named_by_tests(suite: Suite) -> frozenset[int]:
    """Identities of the rules that tests name, and those that these name, and so on.

    Whichever rule of a package is asked for, the engine evaluates all of them. That is no test of those that nobody
    names.
    """
    program = Program(parse_texts((*suite.modules, *suite.tests), v0=suite.v0), suite.data)
    files = {name for name, _ in suite.tests}
    todo = [
        Definition(module=module, rule=rule)
        for module in program.modules
        for rule in module.rules
        if module.file in files or is_test(rule)
    ]
    done: set[int] = set()
    while todo:
        definition = todo.pop()
        if id(definition.rule) in done:
            continue
        done.add(id(definition.rule))
        for use in UseFinder(program, definition.module).rule(definition.rule):
            if use.path[0] != "data":
                continue
            target = program.target(use.path[1:])
            todo += target.definitions
            if target.kind == "package":
                todo += (
                    each
                    for path, definitions in program.rules.items()
                    if path[: len(target.path)] == target.path
                    for each in definitions
                )
    return frozenset(done)


def _points(module: Module, rule: Rule) -> Iterator[tuple[int, frozenset[int]]]:
    """Each line of a rule that counts, with the lines of which one must have been evaluated."""
    if rule.form == "default":
        return
    yield from _head(module, rule.start, rule.value or rule.ref)
    for body in rule.bodies:
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


def _with_values(module: Module, *, v0: bool) -> str:
    content, sign = module.encoded, b" = true" if v0 else b" := true"
    ends = (at for rule in module.rules if (at := _head_end(module, rule)) is not None)
    for at in sorted(ends, reverse=True):
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
