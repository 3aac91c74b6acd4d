"""Try every mutant of policies against their tests.

Nothing that was not tried counts as killed, and nothing is tried before the tests pass on the policies as they are.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct

from plangate.authoring.mutation.operators import Mutant, mutants
from plangate.authoring.mutation.pool import Answer, Pool, Trial
from plangate.authoring.mutation.reach import Reach, own_tests, reaches
from plangate.authoring.mutation.survivors import Explained, read_survivors, stale
from plangate.errors import CannotDecideError, EngineError, PolicyLoadError, UsageError
from plangate.policy.base import PolicySet, PolicySource
from plangate.policy.embedded import EngineLimits
from plangate.policy.files import LoadLimits, PolicyFile, read_files
from plangate.policy.load import load, with_builders
from plangate.policy.parse import parse_modules

BASELINE_DEADLINE_S: Final = 60.0
"""For the tests of one policy, before anything is changed."""
MIN_DEADLINE_S: Final = 5.0
"""A mutant gets this long at least: a busy machine must not look like a mutant that does not end."""
DEADLINE_FACTOR: Final = 20.0
"""A mutant may take this many times what the policy as it is took."""


class Verdict(StrEnum):
    """How a mutant ended."""

    KILLED = "killed"
    """A test failed, or could not be run any more."""
    SURVIVED = "survived"
    """Every test that leads to the policy passed."""
    TIMED_OUT = "timed out"
    """The tests did not end in time. Counts as killed."""
    INVALID = "invalid"
    """It would not be loaded, so no test is needed against it. Not counted."""
    NOT_RUN = "not run"
    """The time was up. Never counts as killed."""


_VERDICTS: Final = {
    "killed": Verdict.KILLED,
    "crashed": Verdict.KILLED,
    "survived": Verdict.SURVIVED,
    "invalid": Verdict.INVALID,
    "timed out": Verdict.TIMED_OUT,
}


class Options(Struct, frozen=True, kw_only=True):
    """What to try and how.

    Attributes:
        only: Rule ids or file names to restrict to; empty for everything.
        jobs: Processes at once; 0 for one per processor.
        budget_s: Seconds for everything; ``None`` for no limit.
        seed: Decides the order, which counts when the time is up before all is tried.
        messages: Also mutate what only words a finding.
        data: Documents for the policies besides those in their folders.
    """

    only: Collection[str] = ()
    jobs: int = 0
    budget_s: float | None = None
    seed: int = 0
    messages: bool = False
    data: tuple[Path, ...] = ()


class Tried(Struct, frozen=True, kw_only=True):
    """A mutant and how it ended.

    Attributes:
        test: The first test that noticed, ``<package>.<rule>``.
        problem: What that test said, or why the mutant is invalid.
        reason: Why it may survive, if the tests say so.
    """

    mutant: Mutant
    verdict: Verdict
    test: str = ""
    problem: str = ""
    reason: str = ""


class Subject(Struct, frozen=True, kw_only=True):
    """One policy file and its mutants, in the order of their places.

    Attributes:
        name: The rule's id, or the file's name for one of the library.
        file: The policy file, as people know it.
        text: What it says.
        tests: How many tests lead to it.
        tried: Every mutant.
    """

    name: str
    file: str
    text: str
    tests: int
    tried: tuple[Tried, ...]

    def count(self, *verdicts: Verdict) -> int:
        """How many mutants ended so."""
        return sum(each.verdict in verdicts for each in self.tried)

    @property
    def killed(self) -> int:
        """Mutants that the tests noticed, those included that did not end."""
        return self.count(Verdict.KILLED, Verdict.TIMED_OUT)

    @property
    def counted(self) -> int:
        """Mutants that were tried and are valid."""
        return self.killed + self.count(Verdict.SURVIVED)

    def reaches(self, threshold: float) -> bool:
        """Whether so many percent of all its mutants are killed. Without any, or with one not run: no."""
        complete = not self.count(Verdict.NOT_RUN) and self.counted > 0
        return complete and self.killed * 100 >= threshold * self.counted


class Mutation(Struct, frozen=True, kw_only=True):
    """The result.

    Attributes:
        subjects: Every policy file that was mutated, sorted by file.
        stale: What is wrong with entries that explain survivors: ``(file, line, problem)``.
        options: What was asked for.
        seconds: How long it took.
    """

    subjects: tuple[Subject, ...]
    stale: tuple[tuple[str, int, str], ...]
    options: Options
    seconds: float

    def passes(self, threshold: float) -> bool:
        """Whether every policy reaches the threshold, in percent, and no explanation is out of date."""
        return (
            bool(self.subjects) and not self.stale and all(each.reaches(threshold) for each in self.subjects)
        )


def mutate(
    sources: Sequence[PolicySource],
    options: Options,
    progress: Callable[[str], None] = lambda _: None,
) -> Mutation:
    """Mutate the policies below these folders and try each mutant against the tests there.

    Raises:
        PolicyLoadError: A policy or test must not be judged with, there are no tests, or a block of explained
            survivors cannot be read.
        UsageError: ``only`` names what is not there.
        CannotDecideError: A test fails before anything is changed.
        EngineError: The trials could not be run.
    """
    started = time.monotonic()
    until = started + options.budget_s if options.budget_s is not None else float("inf")
    policies = load(sources, data=options.data)
    files = read_files(sources, LoadLimits())
    if not files.tests:
        raise PolicyLoadError(
            ", ".join(source.name for source in sources), "no tests",
            hint="tests are rules `test_…` in files *_test.rego",
        )  # fmt: skip
    names = {rule.source: rule.id for rule in policies.rules}
    chosen = _chosen(files.modules, names, options.only)
    loaded = [_policy_file(name, text) for name, text in policies.modules]
    modules = {module.file: module for module in parse_modules(loaded)}
    tests = with_builders(files.tests)
    reach = reaches(tuple(modules.values()), parse_modules(tests))
    explained = _explained(files.tests, chosen)
    found = {file: mutants(modules[file], messages=options.messages) for file in chosen}
    with Pool(_setup(policies, tests), _jobs(options.jobs)) as pool:
        deadlines = _baseline(pool, [(reach[file], modules[file].text) for file in chosen], until)
        order = sorted(
            (mutant for file in deadlines for mutant in found[file]),
            key=lambda mutant: hashlib.sha256(f"{options.seed}\0{mutant.name}".encode()).digest(),
        )
        trials = (
            _trial(
                number, reach[mutant.file], mutant.apply(modules[mutant.file].text), deadlines[mutant.file]
            )
            for number, mutant in enumerate(order)
        )
        total = f"of {len(order)} mutants"
        answers = pool.run(trials, until, lambda done: progress(f"tried {done} {total}"))
    ended = {mutant: answers[number] for number, mutant in enumerate(order) if number in answers}
    subjects = tuple(
        Subject(
            name=names.get(file, file), file=file, text=modules[file].text,
            tests=sum(len(each.tests) for each in reach[file].tests),
            tried=tuple(
                _tried(mutant, ended.get(mutant), explained.get(file, ()), modules[file].text)
                for mutant in found[file]
            ),
        )
        for file in chosen
    )  # fmt: skip
    return Mutation(
        subjects=subjects,
        stale=tuple(problem for subject in subjects for problem in _stale(subject, explained)),
        options=options,
        seconds=time.monotonic() - started,
    )


def _chosen(files: Sequence[PolicyFile], names: Mapping[str, str], only: Collection[str]) -> tuple[str, ...]:
    known = [file.name for file in files]
    unknown = set(only) - {*known, *names.values()}
    if unknown:
        raise UsageError(
            f"no rule or policy file {', '.join(sorted(unknown))}",
            hint=f"there are: {', '.join(sorted({names.get(file, file) for file in known}))}",
        )
    return tuple(file for file in known if not only or file in only or names.get(file) in only)


def _policy_file(name: str, text: str) -> PolicyFile:
    return PolicyFile(name=name, text=text, source="", path=Path(name))


def _explained(tests: Sequence[PolicyFile], chosen: Sequence[str]) -> dict[str, tuple[Explained, ...]]:
    found = {file.name: read_survivors(file.name, file.text) for file in tests}
    policies = {own_tests(file): file for file in chosen}
    return {policies[name]: entries for name, entries in found.items() if entries and name in policies}


def _setup(policies: PolicySet, tests: Sequence[PolicyFile]) -> dict[str, object]:
    return {
        "policies": policies.modules,
        "tests": [(file.name, file.text) for file in tests],
        "data": json.dumps(dict(policies.data)),
        "memory_bytes": EngineLimits().memory_bytes,
    }


def _jobs(asked: int) -> int:
    if asked:
        return asked
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _trial(number: int, reach: Reach, text: str, deadline_s: float) -> Trial:
    request = {
        "file": reach.file, "text": text, "needed": reach.needed, "tests": [each.tests for each in reach.tests],
    }  # fmt: skip
    return Trial(id=number, request=request, deadline_s=deadline_s)


def _baseline(pool: Pool, unchanged: Sequence[tuple[Reach, str]], until: float) -> dict[str, float]:
    """Every policy as it is, through the same trial as its mutants: file to the deadline of one of these.

    Files for which there was no time are missing.
    """
    trials = [_trial(number, *each, BASELINE_DEADLINE_S) for number, each in enumerate(unchanged)]
    answers = pool.run(trials, until)
    deadlines = {}
    failed = {}
    for number, (reach, _) in enumerate(unchanged):
        if number not in answers:
            continue
        answer = answers[number]
        if answer.verdict == "killed":
            failed[answer.test] = answer.problem
        elif answer.verdict != "survived":
            raise EngineError(f"{reach.file}: its tests could not be run: {answer.problem or answer.verdict}")
        deadlines[reach.file] = max(MIN_DEADLINE_S, DEADLINE_FACTOR * answer.seconds)
    if failed:
        said = "; ".join(f"{test}: {problem}" for test, problem in sorted(failed.items()))
        raise CannotDecideError(
            f"tests fail before anything is changed: {said}", hint="see plangate policy test"
        )
    return deadlines


def _tried(mutant: Mutant, answer: Answer | None, explained: Sequence[Explained], text: str) -> Tried:
    if answer is None:
        return Tried(mutant=mutant, verdict=Verdict.NOT_RUN)
    verdict = _VERDICTS[answer.verdict]
    reason = ""
    if verdict is Verdict.SURVIVED:
        reason = next((entry.reason for entry in explained if entry.covers(mutant, text)), "")
    return Tried(mutant=mutant, verdict=verdict, test=answer.test, problem=answer.problem, reason=reason)


def _stale(subject: Subject, explained: Mapping[str, Sequence[Explained]]) -> list[tuple[str, int, str]]:
    if subject.count(Verdict.NOT_RUN):
        return []  # It may be among those.
    survivors = [each.mutant for each in subject.tried if each.verdict is Verdict.SURVIVED]
    found = ((entry, stale(entry, survivors, subject.text)) for entry in explained.get(subject.file, ()))
    return [(entry.file, entry.at, problem) for entry, problem in found if problem]
