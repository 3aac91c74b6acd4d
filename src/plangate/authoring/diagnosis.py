"""Why tests did not hold: their traces, found in a run of their own after the verdicts are known."""

import json
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from plangate.authoring.cases import variables
from plangate.authoring.evaluation import Query, TimeLimits, evaluate
from plangate.authoring.instrument import with_texts
from plangate.authoring.probe import Conditions, Probe, Prober
from plangate.authoring.suite import Found, FoundTest, Suite, find_tests, parse_texts, reference
from plangate.authoring.testing import TestResult, TestRun, Verdict
from plangate.authoring.trace import Trace, read_trace
from plangate.errors import EngineError
from plangate.policy.program import Definition, Program

MOST_TRACED: Final = 20
"""Tests that are looked into; who has more failing ones reads the first."""
_MOST_CASES: Final = 3
_DEPTH: Final = 2


class Diagnosis(Struct, frozen=True, kw_only=True, eq=False):
    """Why one test, or one of its cases, did not hold.

    Attributes:
        test: The test's name.
        case: The case's; empty for a test without cases, or none of whose cases was tried.
        traces: One for each of its bodies.
    """

    test: str
    case: tuple[str, ...]
    traces: tuple[Trace, ...]


def diagnose(suite: Suite, run: TestRun, limits: TimeLimits | None = None) -> tuple[Diagnosis, ...]:
    """Why the first tests that failed did not hold, in their order.

    A test that cannot be traced is left out: what it is about is still its verdict.
    """
    failed = [result for result in run.results if result.verdict is Verdict.FAILED][:MOST_TRACED]
    if not failed:
        return ()
    found = find_tests(suite)
    program = Program(parse_texts(found.modules, v0=suite.v0), suite.data)
    tracing = _Tracing(suite, found, program, limits or TimeLimits())
    diagnoses = tracing.trace(failed)
    if diagnoses is None:
        # One of them spoils the text of all: then each by itself.
        diagnoses = [each for result in failed for each in tracing.trace([result]) or ()]
    return tuple(diagnoses)


class _Tracing:
    def __init__(self, suite: Suite, found: Found, program: Program, limits: TimeLimits) -> None:
        self.suite = suite
        self.found = found
        self.program = program
        self.limits = limits

    def trace(self, results: Sequence[TestResult]) -> list[Diagnosis] | None:
        """The diagnoses of these tests; ``None`` when the engine does not take the probes' text."""
        prober = Prober(program=self.program)
        modules = {module.file: module for module in self.program.modules}
        tests = {test.name: test for test in self.found.tests}
        asked: list[tuple[str, tuple[str, ...], tuple[Probe, ...]]] = []
        for result in results:
            test = tests[result.name]
            module = modules[test.module.file]
            rule = next(rule for rule in module.rules if rule.start == test.rule.start)
            definition = Definition(module=module, rule=rule)
            for name, conditions in _cases(result, test):
                asked.append((result.name, name, prober.definition(definition, _DEPTH, conditions)))
        texts = {file: "\n".join((modules[file].text, *rules, "")) for file, rules in prober.texts.items()}
        probes = [probe for _, _, found in asked for probe in found]
        queries = [Query(name="a trace", text=reference(probe.path)) for probe in probes]
        try:
            ran = evaluate(
                with_texts(self.found.modules, texts), self.suite.data, queries, self.limits, v0=self.suite.v0
            )
            answers = dict(zip(map(id, probes), ran.answers, strict=True))
            diagnoses = [
                Diagnosis(
                    test=test, case=case,
                    traces=tuple(
                        read_trace(probe, answer.value)
                        for probe in found
                        if not (answer := answers[id(probe)]).error and not answer.undefined
                    ),
                )
                for test, case, found in asked
            ]  # fmt: skip
        except EngineError:
            return None
        return [diagnosis for diagnosis in diagnoses if diagnosis.traces]


def _cases(result: TestResult, test: FoundTest) -> list[tuple[tuple[str, ...], Conditions]]:
    """What to trace of a test: the first cases that do not hold, each with what makes it that case."""
    found: list[tuple[tuple[str, ...], Conditions]] = []
    for case in result.cases:
        if case.verdict is Verdict.FAILED and len(case.keys) == len(test.keys) and len(found) < _MOST_CASES:
            conditions = [
                (
                    frozenset(variables(key)),
                    f"{test.module.encoded[key.start : key.end].decode()} == {json.dumps(value)}",
                )
                for key, value in zip(test.keys, case.keys, strict=True)
            ]
            found.append((case.name, conditions))
    return found or [((), ())]
