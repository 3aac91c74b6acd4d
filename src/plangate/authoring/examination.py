"""Everything that ``plangate policy test`` finds out about policies and their tests, and whether that is enough."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from plangate.authoring.coverage import Coverage, coverage_of, for_coverage
from plangate.authoring.demand import Unseen, unmet_demand
from plangate.authoring.diagnosis import Diagnosis, diagnose
from plangate.authoring.evaluation import TimeLimits
from plangate.authoring.folders import read_plain, read_suite
from plangate.authoring.selection import Select
from plangate.authoring.suite import Suite
from plangate.authoring.testing import TestRun, Verdict, run_tests
from plangate.authoring.trial import try_fixtures
from plangate.authoring.watching import Watch
from plangate.errors import PolicyLoadError, UsageError
from plangate.policy.base import PolicySource


class Asked(Struct, frozen=True, kw_only=True):
    """What to find out.

    Attributes:
        data: Data documents besides those in the folders.
        fixtures: Folders with the plans of each rule in ``<slug>/``, besides those in the folders.
        plain: The folders hold Rego of any kind, not rules of plangate.
        v0: It is Rego v0; goes with ``plain``.
        select: Which tests to run; all without it.
        coverage: Which lines they reach.
        threshold: Percent of the lines that they must reach, or ``None``.
        demand: Whether every rule must be seen to pass, to fail and to meet an unknown.
        limits: How long it may take.
    """

    data: tuple[Path, ...] = ()
    fixtures: tuple[Path, ...] = ()
    plain: bool = False
    v0: bool = False
    select: Select | None = None
    coverage: bool = False
    threshold: float | None = None
    demand: bool = True
    limits: TimeLimits = field(default_factory=TimeLimits)


class Examination(Struct, frozen=True, kw_only=True):
    """What was found out.

    Attributes:
        run: How every test went, and after them every case of the fixtures.
        diagnoses: Why the first ones that failed did.
        coverage: Which lines were reached; ``None`` when nobody asked.
        threshold: Percent that had to be reached, or ``None``.
        unseen: What rules were not seen to do; ``None`` when it was not looked at.
        rules: Rules under test.
        no_demand: Why it was not looked at, for people; empty when it was.
    """

    run: TestRun
    diagnoses: tuple[Diagnosis, ...]
    coverage: Coverage | None
    threshold: float | None
    unseen: tuple[Unseen, ...] | None
    rules: int
    no_demand: str

    @property
    def covers_enough(self) -> bool:
        """The threshold is reached, if there is one."""
        if self.threshold is None:
            return True
        return self.coverage is not None and self.coverage.percent >= self.threshold

    @property
    def passed(self) -> bool:
        """Tests passed and none failed, enough lines were reached, and every rule was seen to do what it must."""
        return self.run.passed and self.covers_enough and not self.unseen


def examine(sources: Sequence[PolicySource], asked: Asked) -> Examination:
    """Run the tests below the folders, try the policies on their fixtures, and find out what was asked.

    Raises:
        PolicyLoadError: A policy or a test must not be judged with, or there are no tests.
        EngineError: They cannot be run.
        UsageError: No test is selected.
    """
    limits = asked.limits
    if asked.plain:
        suite, policies = read_plain(sources, asked.data, v0=asked.v0), None
    else:
        suite, policies = read_suite(sources, asked.data)
    rules = len(policies.rules) if policies is not None else 0
    no_demand = _no_demand(asked, rules)
    watch = None if no_demand or policies is None else Watch(suite, policies)
    wants_coverage = asked.coverage or asked.threshold is not None
    run = run_tests(
        for_coverage(suite) if wants_coverage else suite,
        selected=asked.select, limits=limits, coverage=wants_coverage,
        observe=None if watch is None or wants_coverage else watch.put_into,
    )  # fmt: skip
    cases = (
        ()
        if policies is None
        else try_fixtures(sources, policies, fixtures=asked.fixtures, selected=asked.select, limits=limits)
    )
    if not run.results and not cases:
        if asked.select is not None:
            raise UsageError("-k selects no test")
        raise PolicyLoadError(", ".join(source.name for source in sources), "no tests")
    failed = any(result.verdict is Verdict.FAILED for result in run.results)
    return Examination(
        run=replace(run, results=(*run.results, *cases)),
        diagnoses=diagnose(suite, run, limits) if failed else (),
        coverage=coverage_of(suite, run.covered) if wants_coverage else None,
        threshold=asked.threshold,
        unseen=None
        if watch is None or policies is None
        else unmet_demand(
            suite, policies, watch, _watched(suite, run, watch, limits) if wants_coverage else run
        ),
        rules=rules,
        no_demand=no_demand,
    )


def _watched(suite: Suite, run: TestRun, watch: Watch, limits: TimeLimits) -> TestRun:
    """The tests that passed once more, watched: lines that only an observation evaluates are not covered."""
    passed = {result.name for result in run.results if result.verdict is Verdict.PASSED}
    return run_tests(suite, selected=passed.__contains__, limits=limits, observe=watch.put_into)


def _no_demand(asked: Asked, rules: int) -> str:
    if not asked.demand:
        return "--no-demand"
    if asked.select is not None:
        return "not all tests were run (-k)"
    return "" if rules else "there are no rules of plangate here"
