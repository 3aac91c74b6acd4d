"""Why tests did not hold: their traces, found in a run of their own after the verdicts are known."""

from collections.abc import Mapping, Sequence

from plangate.authoring.evaluation import Query, TimeLimits, evaluate
from plangate.authoring.instrument import with_texts
from plangate.authoring.probe import Probe, Prober
from plangate.authoring.suite import Found, FoundTest, Suite, find_tests, parse_texts
from plangate.authoring.testing import TestRun, Verdict, reference
from plangate.authoring.trace import Trace, read_trace
from plangate.errors import EngineError
from plangate.policy.program import Definition, Program

MOST_TRACED = 20
"""Tests that are looked into; who has more failing ones reads the first."""
_DEPTH = 2


def diagnose(suite: Suite, run: TestRun, limits: TimeLimits | None = None) -> Mapping[str, tuple[Trace, ...]]:
    """Test name to the traces of its bodies, for the first tests that failed.

    A test that cannot be traced is left out: what it is about is still its verdict.
    """
    failed = {result.name for result in run.results if result.verdict is Verdict.FAILED}
    found = find_tests(suite)
    tests = [test for test in found.tests if test.name in failed][:MOST_TRACED]
    if not tests:
        return {}
    modules = parse_texts(found.modules, suite.v0)
    program = Program(modules, suite.data)
    traced = _traced(suite, found, program, tests, limits or TimeLimits())
    if traced is None:
        # One of them spoils the text of all: then each by itself.
        traced = {}
        for test in tests:
            traced |= _traced(suite, found, program, [test], limits or TimeLimits()) or {}
    return traced


def _traced(
    suite: Suite, found: Found, program: Program, tests: Sequence[FoundTest], limits: TimeLimits
) -> dict[str, tuple[Trace, ...]] | None:
    prober = Prober(program=program)
    by_file = {module.file: module for module in program.modules}
    probes: list[tuple[str, Probe]] = []
    for test in tests:
        module = by_file[test.module.file]
        rule = next(rule for rule in module.rules if rule.start == test.rule.start)
        probes += [
            (test.name, probe)
            for probe in prober.definition(Definition(module=module, rule=rule), _DEPTH)
        ]
    texts = {file: "\n".join((by_file[file].text, *rules, "")) for file, rules in prober.texts.items()}
    queries = [Query(name=f"the trace of {name}", text=reference(probe.path)) for name, probe in probes]
    try:
        ran = evaluate(with_texts(found.modules, texts), suite.data, queries, limits, v0=suite.v0)
        traces: dict[str, tuple[Trace, ...]] = {}
        for (name, probe), answer in zip(probes, ran.answers, strict=True):
            if not answer.error and not answer.undefined:
                traces[name] = (*traces.get(name, ()), read_trace(probe, answer.value))
    except EngineError:
        return None
    return traces
