"""The result of mutation testing, for people and for programs."""

import difflib
import json
import math
from collections.abc import Iterator
from typing import Any, Final

from plangate.authoring.mutation.run import Mutation, Subject, Tried, Verdict
from plangate.report.base import CONTROL, Style, one_line

SCHEMA: Final = "plangate.dev/mutation/v1"
_COLOURS: Final = {"-": "31", "+": "32", "@": "36"}


def render_text(found: Mutation, threshold: float | None, style: Style) -> str:
    """Survivors as diffs, a line for each policy, and one that sums up."""
    lines: list[str] = []
    for subject in found.subjects:
        for each in subject.tried:
            if each.verdict is Verdict.SURVIVED:
                lines += [*_survivor(subject, each, style), ""]
    lines += _table(found, threshold, style)
    for file, line, problem in found.stale:
        lines.append(_paint(f"{one_line(file)}:{line}: # SURVIVORS: {one_line(problem)}", "31", style))
    return "\n".join([*lines, summary(found, threshold)]) + "\n"


def summary(found: Mutation, threshold: float | None) -> str:
    """The last line: what was tried, how it ended, and whether that is enough."""
    made = sum(len(subject.tried) for subject in found.subjects)
    not_run = _count(found, Verdict.NOT_RUN)
    parts = [
        f"{_count(found, Verdict.KILLED, Verdict.TIMED_OUT)} killed"
        + _some(_count(found, Verdict.TIMED_OUT), " ({} timed out)"),
        f"{_count(found, Verdict.SURVIVED)} survived"
        + _some(
            sum(bool(each.reason) for subject in found.subjects for each in subject.tried), " ({} explained)"
        ),
        f"{_count(found, Verdict.INVALID)} invalid",
        *([f"{not_run} not run"] if not_run else []),
    ]
    policies = f"{len(found.subjects)} {'policy' if len(found.subjects) == 1 else 'policies'}"
    text = f"{made} mutants of {policies}: {', '.join(parts)}; {found.seconds:.1f} s"
    if threshold is None:
        return text
    if found.passes(threshold):
        return f"passed: {text}"
    below = sum(not subject.reaches(threshold) for subject in found.subjects)
    why = [
        f"{below} of {policies} {'does' if below == 1 else 'do'} not reach {threshold:g} %" if below else "",
        f"{len(found.stale)} explanations out of date" if found.stale else "",
        "no policies" if not found.subjects else "",
    ]
    return f"failed: {', '.join(filter(None, why))}: {text}"


def score(subject: Subject) -> float | None:
    """Killed mutants in percent of those that were tried and are valid, or ``None`` without any.

    Rounded down to one decimal: 89.96 must not read as 90.
    """
    return math.floor(subject.killed * 1000 / subject.counted) / 10 if subject.counted else None


def difference(subject: Subject, tried: Tried) -> list[str]:
    """What a mutant changes, as the lines of a unified diff below its file names."""
    before = subject.text.split("\n")
    after = tried.mutant.apply(subject.text).split("\n")
    lines = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
    return [line.translate(CONTROL) for line in lines]


def render_json(found: Mutation, threshold: float | None) -> str:
    """The whole result as a versioned document."""
    return json.dumps(document(found, threshold), indent=2, ensure_ascii=False) + "\n"


def document(found: Mutation, threshold: float | None) -> dict[str, Any]:
    """What `render_json` writes."""
    return {
        "schema": SCHEMA,
        "seed": found.options.seed,
        "budget_s": found.options.budget_s,
        "seconds": round(found.seconds, 3),
        "complete": not _count(found, Verdict.NOT_RUN),
        "threshold": threshold,
        "passed": None if threshold is None else found.passes(threshold),
        "policies": [_policy(subject) for subject in found.subjects],
        "stale": [{"file": file, "line": line, "problem": problem} for file, line, problem in found.stale],
    }


def _policy(subject: Subject) -> dict[str, Any]:
    return {
        "name": subject.name,
        "file": subject.file,
        "tests": subject.tests,
        "score": score(subject),
        "mutants": len(subject.tried),
        "killed": subject.killed,
        "survived": subject.count(Verdict.SURVIVED),
        "timed_out": subject.count(Verdict.TIMED_OUT),
        "invalid": subject.count(Verdict.INVALID),
        "not_run": subject.count(Verdict.NOT_RUN),
        "tried": [
            {
                "line": each.mutant.line,
                "column": each.mutant.column,
                "operator": each.mutant.operator.value,
                "definition": each.mutant.rule,
                "diff": difference(subject, each),
                "verdict": each.verdict.value,
                "test": each.test,
                "problem": each.problem,
                "reason": each.reason,
            }
            for each in subject.tried
        ],
    }


def _survivor(subject: Subject, each: Tried, style: Style) -> Iterator[str]:
    mutant = each.mutant
    place = f"{one_line(subject.file)}:{mutant.line}:{mutant.column}"
    no_tests = "" if subject.tests else ", and no test leads to this policy"
    said = _paint("survived", "33", style)
    yield f"{place}: {said}: {mutant.operator} in {one_line(mutant.rule)}{no_tests}"
    for line in difference(subject, each):
        yield "  " + _paint(line, _COLOURS.get(line[:1], ""), style)
    if each.reason:
        yield f"  explained: {one_line(each.reason)}"


def _table(found: Mutation, threshold: float | None, style: Style) -> Iterator[str]:
    width = max((len(one_line(subject.name)) for subject in found.subjects), default=0)
    for subject in found.subjects:
        value = score(subject)
        said = "no mutants" if value is None else f"{value:.1f} %"
        row = f"{one_line(subject.name):<{width}}  {said:>10}  {subject.killed} of {subject.counted} killed"
        if not_run := subject.count(Verdict.NOT_RUN):
            row += f", {not_run} of {len(subject.tried)} not run"
        if threshold is not None and not subject.reaches(threshold):
            row = _paint(row, "31", style)
        yield row


def _count(found: Mutation, *verdicts: Verdict) -> int:
    return sum(subject.count(*verdicts) for subject in found.subjects)


def _some(count: int, text: str) -> str:
    return text.format(count) if count else ""


def _paint(text: str, colour: str, style: Style) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if style.colour and colour else text
