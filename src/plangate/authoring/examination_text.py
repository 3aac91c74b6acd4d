"""An examination for people: what failed and why, what was not seen or reached, and one line that sums up."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from plangate.authoring.coverage import Coverage, ranges
from plangate.authoring.demand import Sight, Unseen
from plangate.authoring.examination import Examination
from plangate.authoring.testing import TestResult, Verdict
from plangate.authoring.trace_text import failure
from plangate.report.base import Style, one_line

_MOST_READS = 6
_WORDS = {
    Verdict.PASSED: ("PASS", "32"),
    Verdict.FAILED: ("FAIL", "31"),
    Verdict.ERROR: ("ERROR", "35"),
    Verdict.SKIPPED: ("SKIP", "33"),
}


def render_text(found: Examination, style: Style, *, verbose: bool = False) -> str:
    """Text with a final newline. ``verbose`` names the tests that passed as well."""
    why = reasons(found)
    lines: list[str] = []
    for result in found.run.results:
        if verbose or result.verdict not in {Verdict.PASSED, Verdict.SKIPPED}:
            lines += _result(result, why.get(result.name, []), style, verbose=verbose)
    if lines and not verbose:
        lines.append("")
    lines += (line for unseen in found.unseen or () for line in demand_lines(unseen))
    if found.coverage is not None:
        lines += _coverage(found.coverage)
    if found.no_demand:
        lines.append(f"not looked at, what rules were seen to do: {found.no_demand}")
    return "\n".join((*lines, summary(found))) + "\n"


def reasons(found: Examination) -> dict[str, list[str]]:
    """Test name to the lines that say why it did not hold."""
    why: dict[str, list[str]] = defaultdict(list)
    for diagnosis in found.diagnoses:
        if diagnosis.case:
            why[diagnosis.test].append(f"case {case_name(diagnosis.case)}")
        why[diagnosis.test] += [line for trace in diagnosis.traces for line in failure(trace)]
    return dict(why)


def case_name(name: tuple[str, ...]) -> str:
    """A case's name on one line."""
    return one_line(" / ".join(name))


def summary(found: Examination) -> str:
    """The last line: ``failed: 3 passed, 1 failed; coverage 80.0 % is below 90 %``."""
    counts = Counter(result.verdict for result in found.run.results)
    parts = [
        ", ".join(
            f"{counts[verdict]} {word}"
            for verdict, word in (
                (Verdict.PASSED, "passed"),
                (Verdict.FAILED, "failed"),
                (Verdict.ERROR, "could not be evaluated"),
                (Verdict.SKIPPED, "skipped"),
            )
            if counts[verdict] or verdict is Verdict.PASSED
        )
    ]
    if found.unseen:
        parts.append(f"{len(found.unseen)} of {found.rules} rules not seen to pass, fail and meet an unknown")
    elif found.unseen is not None:
        parts.append(
            f"{found.rules} {'rule' if found.rules == 1 else 'rules'} seen to pass, fail and meet an unknown"
        )
    if found.coverage is not None:
        reached = f"coverage {percent(found.coverage.percent)} %"
        below = f" is below {found.threshold:g} %" if not found.covers_enough else ""
        parts.append(f"{reached}{below}")
    return f"{'passed' if found.passed else 'failed'}: {'; '.join(parts)}"


def percent(value: float) -> str:
    """One decimal, rounded down: 89.96 must not read as 90."""
    return f"{int(value * 10) / 10:.1f}"


def demand_lines(unseen: Unseen) -> Iterator[str]:
    """What one rule was not seen to do, and what a test would have to show."""
    words = {Sight.PASS: "pass", Sight.FAIL: "fail", Sight.UNKNOWN: "meet an unknown"}
    yield f"{one_line(unseen.file)}: {unseen.rule} was not seen to {_joined([words[s] for s in unseen.missing])}"
    of = f" of kind {' or '.join(unseen.kinds)}" if unseen.kinds else ""
    if Sight.PASS in unseen.missing:
        yield f"    no passing test gives an input with a resource{of} that it has nothing against"
    if Sight.FAIL in unseen.missing:
        yield "    no passing test gives an input for which deny has a finding"
    if Sight.UNKNOWN in unseen.missing:
        reads = ", ".join(unseen.reads[:_MOST_READS]) or "nothing"
        more = f" and {len(unseen.reads) - _MOST_READS} more" if len(unseen.reads) > _MOST_READS else ""
        yield f"    no passing test gives an input in which what it reads is unknown: {reads}{more}"


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _result(result: TestResult, why: list[str], style: Style, *, verbose: bool) -> Iterator[str]:
    word, colour = _WORDS[result.verdict]
    seconds = f"  {result.seconds * 1000:.1f} ms" if verbose and result.verdict is not Verdict.SKIPPED else ""
    yield f"{_paint(word, colour, style)} {one_line(result.name)}  {one_line(result.file)}:{result.line}{seconds}"
    if result.problem:
        yield f"  {one_line(result.problem)}"
    for case in result.cases:
        if verbose or case.verdict is not Verdict.PASSED:
            yield f"  {_WORDS[case.verdict][0].lower()} case {case_name(case.name)}"
    yield from (f"  {line}" for line in why)
    yield from (f"  printed {one_line(line)}" for line in result.prints)


def _coverage(coverage: Coverage) -> Iterator[str]:
    for file in coverage.files:
        if file.missed:
            yield f"{one_line(file.file)}: {percent(file.percent)} %, not reached: {ranges(file.missed)}"


def _paint(text: str, colour: str, style: Style) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if style.colour else text
