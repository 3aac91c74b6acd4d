"""What tests make rules give: observations put into the tests, so that the run of the tests tells it as well.

A line is put before every line of a test that gives an input (``… with input as …``), under the same ``with``; it
tells the input and what ``deny`` and ``undetermined`` of the rules that the test's file names give there. It always
holds, so it cannot change how the test goes; where it makes a test fail or hang, the test is run again without it.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from plangate.authoring.instrument import SEEN, Instrumented, modifiers
from plangate.authoring.suite import FoundTest, Suite, find_tests, parse_texts, reference
from plangate.policy.base import PolicySet
from plangate.policy.program import Definition, Path, Program
from plangate.policy.scopes import UseFinder
from plangate.policy.syntax import Module, Statement, rule_statements, static_path


class Watch:
    """Which lines of tests to watch, and which rules there.

    Args:
        suite: Policies and tests.
        policies: The same policies as the gate loads them.
    """

    def __init__(self, suite: Suite, policies: PolicySet) -> None:
        found = find_tests(suite)
        self.policies = policies
        self.packages: Final = {
            tuple(package.split(".")): rule for rule, package in policies.packages.items()
        }
        self.modules = found.parsed
        self.program = Program(parse_texts(found.modules, v0=suite.v0), suite.data)

        # Most suites replace nothing but inputs; then no test has to be followed.
        self._some_replace: Final = any(
            not _is_harmless(static_path(target))
            for module in self.modules.values()
            for line in _lines(module)
            for target, _ in line.mods
        )

    def put_into(self, texts: dict[str, Instrumented]) -> None:
        """Add an observation before every line that gives an input, to these texts by file name."""
        named = {file: self._named(module) for file, module in self.modules.items()}
        for file, module in self.modules.items():
            rules = frozenset(named[file]).union(*(named[other] for other in self._imported(module)))
            watched = [
                line for line in _lines(module) if any(_gives_input(target) for target, _ in line.mods)
            ]
            for line in watched if rules else ():
                texts.setdefault(file, Instrumented(module)).before(
                    line, self._observation(module, line, sorted(rules))
                )

    def replaced(self, test: FoundTest) -> frozenset[str]:
        """Rules that a test does not show as they are: it replaces something in them, or below them."""
        found: set[str] = set()
        for line in _reached(self.program, test) if self._some_replace else ():
            for target, _ in line.mods:
                path = static_path(target)
                if _is_harmless(path):
                    continue
                if path is None or path[0] != "data" or _meets(path[1:], ("plangate", "lib")):
                    return frozenset(self.policies.packages)
                found |= {rule for package, rule in self.packages.items() if _meets(path[1:], package)}
        return frozenset(found)

    def _named(self, module: Module) -> set[str]:
        """Rules that a module names; all of them when it computes a name."""
        paths = [item.path for item in module.imports if item.path[0] == "data"]
        finder = UseFinder(self.program, module)
        paths += [use.path for rule in module.rules for use in finder.rule(rule) if use.path[0] == "data"]
        return {
            rule
            for package, rule in self.packages.items()
            if any(path[1:][: len(package)] == package[: len(path) - 1] and len(path) > 1 for path in paths)
        }

    def _imported(self, module: Module) -> Iterator[str]:
        """Other modules of tests that a module imports."""
        wanted = {item.path[1:] for item in module.imports if item.path[0] == "data"}
        for file, other in self.modules.items():
            if any(path[: len(other.package)] == other.package for path in wanted):
                yield file

    def _observation(self, module: Module, line: Statement, rules: Iterable[str]) -> str:
        answers = []
        for rule in rules:
            package = reference(self.policies.packages[rule].split("."))
            sets = [f"{package}.deny"]
            if rule in self.policies.handles_unknowns:
                sets.append(f"{package}.undetermined")
            answers.append(f"{json.dumps(rule)}: [{', '.join(sets)}]")
        value = f'{{"input": [plangate_i | plangate_i := input], "rules": {{{", ".join(answers)}}}}}'
        said = f"print({json.dumps(SEEN)}, json.marshal({value}))"
        return f"count([1 | {said}]) >= 0{modifiers(module, line)}"


def _lines(module: Module) -> Iterator[Statement]:
    for rule in module.rules:
        yield from rule_statements(rule)


def _is_harmless(path: Path | None) -> bool:
    """What a ``with`` may replace while a rule still shows itself as it is."""
    return path is not None and (path[0] == "input" or path[:3] == ("data", "plangate", "settings"))


def _gives_input(target: Any) -> bool:
    path = static_path(target)
    return path is None or path[0] == "input"


def _meets(path: Path, other: Path) -> bool:
    """One is the other, or above or below it."""
    return path[: len(other)] == other[: len(path)]


def _reached(program: Program, test: FoundTest) -> Iterator[Statement]:
    """The lines of a test, and of everything that it calls."""
    todo, done = [Definition(module=test.module, rule=test.rule)], set[int]()
    while todo:
        definition = todo.pop()
        if id(definition.rule) in done:
            continue
        done.add(id(definition.rule))
        yield from rule_statements(definition.rule)
        finder = UseFinder(program, definition.module)
        for use in finder.rule(definition.rule):
            if use.path[0] == "data":
                todo += program.target(use.path[1:]).definitions
