"""What every rule must have been seen to do in its tests: pass, fail, and meet an unknown value.

Not by the names of tests, but by what the rule gave. A line is put before every line of a test that gives an input
(``… with input as …``), under the same ``with``; it tells the input and what ``deny`` and ``undetermined`` of the
rules that the test's file names give there. From these follow outcomes, as for a real plan
(`plangate.policy.outcomes`). Only tests that pass count, and none that replaces a part of the rule or of the library.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct, structs

from plangate.authoring.evaluation import Query, TimeLimits, evaluate
from plangate.authoring.instrument import MARK, Instrumented, modifiers, own_print, with_texts
from plangate.authoring.observed import observed_plan
from plangate.authoring.suite import Found, FoundTest, Suite, find_tests, parse_texts
from plangate.authoring.testing import TestRun, Verdict, reference
from plangate.decision.outcome import RuleSpec, Status
from plangate.errors import EngineError
from plangate.policy.answers import Reply, rule_answers
from plangate.policy.base import PolicySet, RuleScope
from plangate.policy.outcomes import PlanView, judge
from plangate.policy.program import Definition, Path, Program
from plangate.policy.reads import Reads
from plangate.policy.scopes import UseFinder
from plangate.policy.syntax import Module, Statement, rule_statements, static_path


class Sight(StrEnum):
    """What a rule can be seen to do."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "unknown"


class Unseen(Struct, frozen=True, kw_only=True):
    """A rule that was not seen to do all it must.

    Attributes:
        rule: Its id.
        file: Its policy.
        missing: What it was not seen to do, in the order pass, fail, unknown.
        reads: What it can read, so what an unknown value could be.
        kinds: What it judges; empty for a rule on every kind, or on the plan as a whole.
    """

    rule: str
    file: str
    missing: tuple[Sight, ...]
    reads: tuple[str, ...]
    kinds: tuple[str, ...]


def unmet_demand(
    suite: Suite, policies: PolicySet, run: TestRun, limits: TimeLimits | None = None
) -> tuple[Unseen, ...]:
    """The rules under test that were not seen to pass, to fail and to meet an unknown; sorted by id.

    Args:
        suite: Policies and tests.
        policies: The same policies as the gate loads them.
        run: How the tests went.
        limits: How long it may take.

    Raises:
        EngineError: The tests cannot be evaluated once more.
    """
    seen = _observe(suite, policies, run, limits or TimeLimits())
    return tuple(
        Unseen(
            rule=rule.id, file=rule.source, missing=missing, reads=policies.reads[rule.id].describe(),
            kinds=(*rule.kinds, *rule.types),
        )
        for rule in policies.rules
        if (
            missing := tuple(
                sight
                for sight in Sight
                if sight not in seen[rule.id]
                and (sight is not Sight.UNKNOWN or _can_meet_unknown(policies.reads[rule.id]))
            )
        )
    )  # fmt: skip


def _can_meet_unknown(reads: Reads) -> bool:
    """It reads something that may be unknown; an action or an address never is."""
    return bool(reads.own or reads.others or reads.plan)


def _observe(suite: Suite, policies: PolicySet, run: TestRun, limits: TimeLimits) -> Mapping[str, set[Sight]]:
    seen: dict[str, set[Sight]] = defaultdict(set)
    found = find_tests(suite)
    passed = {result.name for result in run.results if result.verdict is Verdict.PASSED}
    tests = [test for test in found.tests if test.name in passed]
    watch = _Watch(found, policies, suite)
    texts = watch.texts()
    if not texts or not tests:
        return seen
    queries = [
        Query(name=f"test {test.name}", text=reference(test.path), group=test.module.file) for test in tests
    ]
    ran = evaluate(with_texts(found.modules, texts), suite.data, queries, limits, v0=suite.v0)
    known: dict[str, tuple[tuple[str, Sight], ...]] = {}
    for test, answered in zip(tests, ran.answers, strict=True):
        replaced = watch.replaced(test)
        for line in answered.prints:
            said = own_print(line)
            if said is None:
                continue
            if said not in known:
                known[said] = tuple(_sights(said, policies))
            for rule, sight in known[said]:
                if rule not in replaced:
                    seen[rule].add(sight)
    return seen


def _sights(said: str, policies: PolicySet) -> Iterator[tuple[str, Sight]]:
    """What one observation shows of each rule in it."""
    try:
        observed = json.loads(said)
        document, answers = observed["input"], observed["rules"]
    except (ValueError, KeyError, TypeError) as problem:
        raise EngineError("an observation of a test cannot be read") from problem
    plan = observed_plan(document[0]) if document else None
    if plan is None:
        return
    view = PlanView(plan)
    for rule in policies.rules:
        if rule.id in answers:
            yield from ((rule.id, sight) for sight in _of_rule(rule, policies, answers[rule.id], view))


def _of_rule(rule: RuleSpec, policies: PolicySet, value: Any, view: PlanView) -> set[Sight]:
    alone = structs.replace(policies, rules=(rule,))
    answers = rule_answers((rule,), policies.handles_unknowns, (Reply(value=value),))
    statuses = {outcome.status for outcome in judge(alone, answers, view).outcomes}
    found = set()
    if Status.FAIL in statuses:
        found.add(Sight.FAIL)
    if Status.PASS in statuses and (policies.scopes[rule.id] is not RuleScope.PLAN or view.plan.resources):
        found.add(Sight.PASS)
    reads = policies.reads[rule.id]
    if Status.UNKNOWN in statuses and (view.own_unknowns(reads) or view.shared_unknowns(reads)):
        found.add(Sight.UNKNOWN)
    return found


class _Watch:
    """Which lines of tests to watch, and which rules there."""

    def __init__(self, found: Found, policies: PolicySet, suite: Suite) -> None:
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

    def texts(self) -> dict[str, str]:
        """File name to its text with an observation before every line that gives an input."""
        named = {file: self._named(module) for file, module in self.modules.items()}
        texts = {}
        for file, module in self.modules.items():
            rules = frozenset(named[file]).union(*(named[other] for other in self._imported(module)))
            watched = [
                line for line in _lines(module) if any(_gives_input(target) for target, _ in line.mods)
            ]
            if not rules or not watched:
                continue
            instrumented = Instrumented(module)
            for line in watched:
                instrumented.before(line, self._observation(module, line, sorted(rules)))
            texts[file] = instrumented.text()
        return texts

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
        return f"print({json.dumps(MARK)}, json.marshal({value})){modifiers(module, line)}"


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
