"""An examination for programs: a versioned JSON document, and JUnit's XML as CI systems read it."""

import json
import re
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from plangate.authoring.examination import Examination
from plangate.authoring.examination_text import case_name, demand_lines, percent, reasons, summary
from plangate.authoring.testing import TestResult, Verdict

SCHEMA: Final = "plangate.dev/policy-test/v1"

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, not even escaped."""


def render_json(found: Examination) -> str:
    """The document as text."""
    return json.dumps(document(found), indent=2, ensure_ascii=False) + "\n"


def document(found: Examination) -> dict[str, Any]:
    """What `render_json` writes."""
    why = reasons(found)
    return {
        "schema": SCHEMA,
        "passed": found.passed,
        "summary": summary(found),
        "tests": [
            {
                "name": result.name,
                "file": result.file,
                "line": result.line,
                "verdict": result.verdict.value,
                "problem": result.problem,
                "cases": [{"name": list(case.name), "verdict": case.verdict.value} for case in result.cases],
                "why": why.get(result.name, []),
                "prints": list(result.prints),
                "seconds": round(result.seconds, 6),
            }
            for result in found.run.results
        ],
        "demand": None
        if found.unseen is None
        else [
            {"rule": unseen.rule, "file": unseen.file, "missing": [sight.value for sight in unseen.missing]}
            for unseen in found.unseen
        ],
        "no_demand": found.no_demand,
        "coverage": None
        if found.coverage is None
        else {
            "percent": found.coverage.percent,
            "threshold": found.threshold,
            "files": [
                {
                    "file": file.file,
                    "percent": file.percent,
                    "covered": sorted(file.covered),
                    "missed": sorted(file.missed),
                }
                for file in found.coverage.files
            ],
        },
    }


def render_junit(found: Examination) -> str:
    """One suite per file of tests; a case of a test with cases is a case here. What else is demanded is a suite too."""
    why = reasons(found)
    suites: dict[str, list[tuple[str, float, str]]] = {}
    for result in found.run.results:
        cases = suites.setdefault(result.file, [])
        cases += _cases(result, why.get(result.name, []))
    for unseen in found.unseen or ():
        first, *others = demand_lines(unseen)
        body = _problem("failure", first, others)
        suites.setdefault("plangate demand", []).append(
            (_case(unseen.rule, "demand", unseen.file, 1, 0, body), 0, "failure")
        )
    if found.coverage is not None and found.threshold is not None:
        said = f"coverage {percent(found.coverage.percent)} %, expected {found.threshold:g} %"
        body = "" if found.covers_enough else _problem("failure", said, [])
        kind = "" if found.covers_enough else "failure"
        suites["plangate coverage"] = [(_case("threshold", "coverage", "", 0, 0, body), 0, kind)]
    total = [case for cases in suites.values() for case in cases]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{_counts(total)}>"]
    for name, cases in suites.items():
        lines += [
            f"<testsuite name={_attribute(name)}{_counts(cases)}>",
            *(text for text, _, _ in cases),
            "</testsuite>",
        ]
    return "\n".join((*lines, "</testsuites>")) + "\n"


def _cases(result: TestResult, why: list[str]) -> list[tuple[str, float, str]]:
    package, _, name = result.name.rpartition(".")
    out = f"<system-out>{_text(chr(10).join(result.prints))}</system-out>" if result.prints else ""
    if not result.cases:
        body, kind = _body(result.verdict, result.problem, why)
        return [
            (_case(name, package, result.file, result.line, result.seconds, body + out), result.seconds, kind)
        ]
    found = []
    for number, case in enumerate(result.cases):
        body, kind = _body(case.verdict, result.problem, why)
        seconds = result.seconds if number == 0 else 0.0
        label = f"{name}[{case_name(case.name)}]"
        said = out if number == 0 else ""
        found.append((_case(label, package, result.file, result.line, seconds, body + said), seconds, kind))
    return found


def _body(verdict: Verdict, problem: str, why: list[str]) -> tuple[str, str]:
    match verdict:
        case Verdict.FAILED:
            return _problem("failure", problem, why), "failure"
        case Verdict.ERROR:
            return _problem("error", problem, why), "error"
        case Verdict.SKIPPED:
            return "<skipped/>", "skipped"
        case Verdict.PASSED:
            return "", ""


def _case(name: str, package: str, file: str, line: int, seconds: float, body: str) -> str:
    head = (
        f"<testcase name={_attribute(name)} classname={_attribute(package)} file={_attribute(file)} "
        f'line="{line}" time="{seconds:.6f}"'
    )
    return f"{head}>{body}</testcase>" if body else f"{head}/>"


def _problem(tag: str, message: str, lines: list[str]) -> str:
    return f"<{tag} message={_attribute(message)}>{_text(chr(10).join((message, *lines)))}</{tag}>"


def _counts(cases: list[tuple[str, float, str]]) -> str:
    kinds = [kind for _, _, kind in cases]
    return (
        f' tests="{len(cases)}" failures="{kinds.count("failure")}" errors="{kinds.count("error")}" '
        f'skipped="{kinds.count("skipped")}" time="{sum(seconds for _, seconds, _ in cases):.6f}"'
    )


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("�", text))


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("�", text))
