"""Policies tried on the plans of their fixtures: each as the gate judges, against what ``cases.json`` says.

A case is a test, ``<package>.fixtures.<case>``. What cannot be read, is no plan, takes too long or is a plan that no
case is about is an error and not left out: a case that nobody tries looks like one that holds.
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import jsonschema
from msgspec import Struct

from plangate.authoring.evaluation import TimeLimits
from plangate.authoring.fixtures import CASES, SETTINGS, read_cases, read_content, read_json, stray
from plangate.authoring.observed import observed_plan
from plangate.authoring.testing import TestResult, Verdict
from plangate.decision.outcome import RuleSpec
from plangate.errors import EngineError, PlangateError, PolicyLoadError
from plangate.policy.base import PolicySet, PolicySource, RuleAnswer
from plangate.policy.embedded import EmbeddedEngine
from plangate.policy.files import FIXTURES
from plangate.policy.outcomes import PlanView, judge
from plangate.policy.rule_settings import with_settings

_LOADING_S: Final = 20.0
"""What a new process of the engine may take until it has the policies."""

_EMPTY: Final = b'{"resources": []}'

_MOST_SHOWN: Final = 5
_SCHEMA: Final = Path(__file__).parent.parent / "schemas" / "plan.v1.json"


class _Case(Struct, frozen=True, kw_only=True):
    """One case, or what is wrong with it."""

    name: str
    file: Path
    shown: str
    rule: str = ""
    settings: Path | None = None
    expected: Mapping[str, str]
    problem: str = ""


def try_fixtures(
    sources: Sequence[PolicySource],
    policies: PolicySet,
    *,
    fixtures: Sequence[Path] = (),
    selected: Callable[[str], bool] | None = None,
    limits: TimeLimits | None = None,
) -> tuple[TestResult, ...]:
    """How every case of the fixtures went, in the order of rules and names.

    Args:
        sources: Folders of policies; their ``fixtures/<slug>`` are tried.
        policies: All policies in them, as the gate loads them.
        fixtures: More folders with ``<slug>/``; here a slug may be that of no rule.
        selected: Says by its name whether a case is tried; all are without it.
        limits: How long it may take.
    """
    cases = [
        case
        for case in _cases(sources, policies, fixtures)
        if selected is None or selected(case.name)
    ]  # fmt: skip
    if not cases:
        return ()
    with EmbeddedEngine() as engine:
        trial = _Trial(engine, policies, limits or TimeLimits())
        # Other settings need another process.
        ordered = sorted(cases, key=lambda case: str(case.settings or ""))
        results = {id(case): trial.result(case) for case in ordered}
    return tuple(results[id(case)] for case in cases)


def _cases(sources: Sequence[PolicySource], policies: PolicySet, fixtures: Sequence[Path]) -> Iterator[_Case]:
    names = {source.root / FIXTURES: f"{source.name.rstrip('/')}/{FIXTURES}" for source in sources}
    tops = {**{folder: str(folder) for folder in fixtures}, **names}
    slugs = {package.rpartition(".")[2] for package in policies.packages.values()}
    for rule in policies.rules:
        package = policies.packages[rule.id]
        slug = package.rpartition(".")[2]
        for top, name in tops.items():
            if (top / slug).is_dir():
                yield from _of_folder(rule, f"{package}.{FIXTURES}", top / slug, f"{name}/{slug}")
    for top, name in names.items():
        for folder in sorted(top.iterdir()) if top.is_dir() else ():
            if folder.is_dir() and folder.name not in slugs:
                yield _Case(
                    name=f"{FIXTURES}.{folder.name}", file=folder, shown=f"{name}/{folder.name}", expected={},
                    problem="there is no such rule, so nothing was tried",
                )  # fmt: skip


def _of_folder(rule: RuleSpec, prefix: str, folder: Path, shown: str) -> Iterator[_Case]:
    def wrong(name: str, problem: str) -> _Case:
        file = folder / name
        return _Case(
            name=f"{prefix}.{file.stem}", file=file, shown=f"{shown}/{name}", expected={}, problem=problem
        )

    try:
        cases = read_cases(folder / CASES)
    except PolicyLoadError as problem:
        yield wrong(CASES, problem.problem)
        return
    if not cases:
        yield wrong(CASES, "it has no cases")
    settings = folder / SETTINGS
    for name, expected in cases.items():
        yield _Case(
            name=f"{prefix}.{name}", file=folder / f"{name}.json", shown=f"{shown}/{name}.json", rule=rule.id,
            settings=settings if settings.is_file() else None, expected=expected,
        )  # fmt: skip
    for name in stray(folder, cases):
        yield wrong(f"{name}.json", f"it is not in {CASES}, so nothing was tried")


class _Trial:
    """Cases, one after the other, on one engine."""

    def __init__(self, engine: EmbeddedEngine, policies: PolicySet, limits: TimeLimits) -> None:
        self._engine = engine
        self._policies = policies
        self._limits = limits
        self._loaded = ""
        self._until = time.monotonic() + limits.all_s
        self._schema = jsonschema.Draft202012Validator(json.loads(_SCHEMA.read_text(encoding="utf-8")))

    def result(self, case: _Case) -> TestResult:
        """How a case went."""
        begun = time.monotonic()
        try:
            if case.problem:
                verdict, problem = Verdict.ERROR, case.problem
            else:
                problem = _difference(case.expected, self._outcomes(case))
                verdict = Verdict.FAILED if problem else Verdict.PASSED
        except PolicyLoadError as error:
            verdict, problem = Verdict.ERROR, error.problem
        except PlangateError as error:
            verdict, problem = Verdict.ERROR, str(error)
        return TestResult(
            name=case.name, file=case.shown, line=1, verdict=verdict, problem=problem,
            seconds=time.monotonic() - begun,
        )  # fmt: skip

    def _outcomes(self, case: _Case) -> Mapping[str, str]:
        """Address to what the rule says of it."""
        if (left := self._until - time.monotonic()) <= 0:
            raise EngineError(f"not run: all together took longer than {self._limits.all_s:g} s")
        policies = self._policies
        if case.settings is not None:
            chosen = read_json(case.settings)
            if not isinstance(chosen, dict):
                raise PolicyLoadError(str(case.settings), "must map names of settings to values")
            policies = with_settings(policies, {case.rule: chosen}, str(case.settings))
        document = read_json(case.file)
        if wrong := next(self._schema.iter_errors(document), None):
            raise PolicyLoadError(
                case.shown, f"is not a plan document: {wrong.json_path}: {_short(wrong.message)}"
            )
        plan = observed_plan(document)
        if plan is None or len(plan.resources) != len(document["resources"]):
            raise PolicyLoadError(case.shown, "is not a plan document")
        answers = self._answers(policies, read_content(case.file), left)
        said: dict[str, set[str]] = defaultdict(set)
        for outcome in judge(policies, answers, PlanView(plan)).outcomes:
            if outcome.rule == case.rule:
                said[outcome.address].add(outcome.status.value)
        return {address: " and ".join(sorted(found)) for address, found in said.items()}

    def _answers(self, policies: PolicySet, document: bytes, left_s: float) -> Sequence[RuleAnswer]:
        if self._loaded != policies.sha256:
            self._loaded = ""
            self._engine.evaluate(policies, _EMPTY, min(_LOADING_S, left_s))
        self._loaded = ""
        answers = self._engine.evaluate(policies, document, min(self._limits.each_s, left_s))
        self._loaded = policies.sha256
        return answers


def _difference(expected: Mapping[str, str], found: Mapping[str, str]) -> str:
    """What is not as it should be, or an empty text."""
    differing = [
        f"{address or 'the plan'}: expected {expected.get(address, 'nothing')}, found {found.get(address, 'nothing')}"
        for address in sorted(expected.keys() | found.keys())
        if expected.get(address) != found.get(address)
    ]
    more = f"; {len(differing) - _MOST_SHOWN} more" if len(differing) > _MOST_SHOWN else ""
    return "; ".join(differing[:_MOST_SHOWN]) + more


def _short(text: Any) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004 - of a message
