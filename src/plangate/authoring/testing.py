"""Run the tests of policies on the embedded engine, with the names and verdicts of ``opa test``.

Only a test that is *true* passes. One that is false, undefined, has another value, fails, takes too long, ends the
engine's process, or has cases none of which was tried does not. A run without any test is for the caller to refuse:
`TestRun.passed` is false for it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct, field

from plangate.authoring.cases import cases_rule, name_of
from plangate.authoring.evaluation import Answered, Evaluation, Query, TimeLimits, evaluate
from plangate.authoring.instrument import MARK, SEEN, Instrumented, modifiers, own_print, with_texts
from plangate.authoring.suite import Found, FoundTest, Suite, find_tests, reference

_MOST_SHOWN: Final = 200

Observe = Callable[[dict[str, Instrumented]], None]
"""Puts lines marked with `SEEN` into the texts of modules, by file name."""


class Verdict(StrEnum):
    """How a test, or one of its cases, went."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


class CaseResult(Struct, frozen=True, kw_only=True):
    """One case of a test with cases.

    Attributes:
        name: One word for each computed key.
        verdict: How it went.
        keys: The keys themselves; empty when only their names are known.
    """

    name: tuple[str, ...]
    verdict: Verdict
    keys: tuple[Any, ...] = ()


class TestResult(Struct, frozen=True, kw_only=True):
    """One test and how it went.

    Attributes:
        name: ``<package>.<rule>``.
        file: Where it is written.
        line: Of its definition.
        verdict: How it went.
        problem: Why it did not pass; empty for one that passed or was skipped.
        cases: Of a test with cases, sorted by name.
        prints: What it printed, a line each.
        seconds: How long it took; of tests that were run together, an equal share.
    """

    __test__ = False  # It is no test of ours, whatever pytest thinks of its name.

    name: str
    file: str
    line: int
    verdict: Verdict
    problem: str = ""
    cases: tuple[CaseResult, ...] = ()
    prints: tuple[str, ...] = ()
    seconds: float = 0.0


class TestRun(Struct, frozen=True, kw_only=True):
    """Every test that was selected, in the order of files and lines.

    Attributes:
        results: One per test.
        covered: File to the lines of it that were evaluated; empty unless it was asked for.
        observed: Name of a test that passed to what was observed in it; empty unless it was asked for.
    """

    __test__ = False

    results: tuple[TestResult, ...]
    covered: Mapping[str, frozenset[int]] = field(default_factory=dict)
    observed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """At least one test passed, and none failed."""
        verdicts = {result.verdict for result in self.results}
        return Verdict.PASSED in verdicts and verdicts <= {Verdict.PASSED, Verdict.SKIPPED}


def run_tests(
    suite: Suite,
    *,
    selected: Callable[[str], bool] | None = None,
    limits: TimeLimits | None = None,
    coverage: bool = False,
    observe: Observe | None = None,
) -> TestRun:
    """Every test of a suite and how it went.

    Args:
        suite: Modules, tests and data, in memory.
        selected: Says by its name whether a test is run; all are without it.
        limits: How long they may take.
        coverage: Find out which lines are evaluated.
        observe: Puts observations into the tests. Not together with coverage: what they evaluate would count.

    Raises:
        PolicyLoadError: A module is not Rego as the engine knows it.
        EngineError: The modules cannot be loaded together.
    """
    found = find_tests(suite)
    tests = [test for test in found.tests if selected is None or selected(test.name)]
    asked = [test for test in tests if not test.skipped and test.rule.form != "function"]
    asking = _Asking(suite, found, limits or TimeLimits())
    ran = asking.ask(asked, coverage=coverage, observe=observe)
    answers = dict(zip(map(id, asked), ran.answers, strict=True))
    results = {id(test): _result(test, answers.get(id(test))) for test in tests}
    if observe is not None:
        # An observation may take time or fail where its test does neither.
        again = [test for test in asked if results[id(test)].verdict is not Verdict.PASSED]
        alone = asking.ask(again).answers if again else ()
        results |= {id(test): _result(test, answer) for test, answer in zip(again, alone, strict=True)}
        for test in again:
            del answers[id(test)]
    return TestRun(
        results=tuple(results[id(test)] for test in tests),
        covered=ran.covered,
        observed={test.name: seen for test in asked if (seen := _seen(answers.get(id(test))))},
    )


def _seen(answered: Answered | None) -> tuple[str, ...]:
    """What was observed in a test."""
    lines = answered.prints if answered else ()
    return tuple(said for line in lines if (said := own_print(line, SEEN)) is not None)


class _Asking:
    """Tests as queries to the engine."""

    def __init__(self, suite: Suite, found: Found, limits: TimeLimits) -> None:
        self.suite = suite
        self.found = found
        self.limits = limits

    def ask(
        self, tests: Sequence[FoundTest], *, coverage: bool = False, observe: Observe | None = None
    ) -> Evaluation:
        """How the engine answers each of them."""
        instrumented = _with_doubts(self.found)
        if observe is not None:
            observe(instrumented)
        texts = {name: text.text() for name, text in instrumented.items()}
        queries = []
        for number, test in enumerate(tests):
            text, file = reference(test.path), test.module.file
            if test.keys:
                rule = f"plangate_cases_{number}"
                texts[file] = f"{texts.get(file, test.module.text)}\n{rule} := {cases_rule(test)}\n"
                text = f"[[tests | tests := {text}], {reference((*test.module.package, rule))}]"
            queries.append(Query(name=f"test {test.name}", text=text, group=file))
        modules = with_texts(self.found.modules, texts)
        suite = self.suite
        return evaluate(modules, suite.data, queries, self.limits, v0=suite.v0, coverage=coverage)


def _with_doubts(found: Found) -> dict[str, Instrumented]:
    """The modules with a ``not`` that may differ from OPA's; they say when it does."""
    texts: dict[str, Instrumented] = {}
    for doubt in found.doubts:
        module = doubt.module
        part = module.encoded[doubt.part.start : doubt.part.end].decode()
        said = json.dumps(
            f"{MARK}{module.file}:{module.position(doubt.part.start)[0]}: {module.source(doubt.part)}"
        )
        line = (
            f"count([1 | count([plangate_part | plangate_part := {part}]) == 0; print({said})]) >= 0"
            f"{modifiers(module, doubt.statement)}"
        )
        texts.setdefault(module.file, Instrumented(module)).before(doubt.statement, line)
    return texts


def _result(  # noqa: PLR0911 - one for each way in which a test can go
    test: FoundTest, answered: Answered | None
) -> TestResult:
    def result(verdict: Verdict, problem: str = "", cases: tuple[CaseResult, ...] = ()) -> TestResult:
        return TestResult(
            name=test.name, file=test.module.file, line=test.line, verdict=verdict, problem=problem, cases=cases,
            prints=tuple(line for line in prints if own_print(line) is None and own_print(line, SEEN) is None),
            seconds=answered.seconds if answered else 0.0,
        )  # fmt: skip

    prints = answered.prints if answered else ()
    if test.skipped:
        return result(Verdict.SKIPPED)
    if answered is None:
        return result(Verdict.ERROR, "a test takes no arguments")
    if answered.error:
        return result(Verdict.ERROR, answered.error)
    if differs := [said for line in prints if (said := own_print(line)) is not None]:
        return result(
            Verdict.ERROR,
            f"{differs[0]} is undefined below a `not`: OPA drops that line, the embedded engine makes it true",
        )
    if answered.undefined:
        return result(Verdict.FAILED, "it is undefined")
    if test.keys:
        return _with_cases(result, answered.value)
    if answered.value is True:
        return result(Verdict.PASSED)
    return result(Verdict.FAILED, f"it is {_shown(answered.value)}, not true")


def _with_cases(result: Callable[..., TestResult], answer: Sequence[Any]) -> TestResult:
    """A test with cases passes if there are some and each of them is true."""
    values, tried = answer
    held: dict[tuple[str, ...], bool] = {}
    keys = {tuple(map(name_of, found)): tuple(found) for found in tried}
    held |= dict.fromkeys(keys, False)
    for value in values:
        _leaves(value, (), held)
    cases = tuple(
        CaseResult(name=name, verdict=Verdict.PASSED if good else Verdict.FAILED, keys=keys.get(name, ()))
        for name, good in sorted(held.items())
    )
    failed = [case for case in cases if case.verdict is Verdict.FAILED]
    if not cases:
        return result(Verdict.FAILED, "it has cases, and none was tried", cases)
    if failed:
        return result(Verdict.FAILED, f"{len(failed)} of {len(cases)} cases do not hold", cases)
    return result(Verdict.PASSED, "", cases)


def _leaves(value: Any, name: tuple[str, ...], held: dict[tuple[str, ...], bool]) -> None:
    if isinstance(value, dict) and (value or not name):
        for key, inner in value.items():
            _leaves(inner, (*name, key), held)
    else:
        held[name] = value is True


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
