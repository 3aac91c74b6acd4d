"""Everything that is wrong, or looks wrong, with folders of policies.

*Errors* are what the gate refuses: they come out of the very check that the gate makes when it loads policies
(`plangate.policy.load.gather`, `plangate.policy.check.examine_files`), which stops at none of them here. *Warnings* are
about policies that the gate takes and that still may not do what their author believes.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from plangate.authoring.lints import lint
from plangate.decision.conditions import CONDITIONS
from plangate.errors import PolicyLoadError
from plangate.policy.base import PolicySource
from plangate.policy.check import Examined, examine_files
from plangate.policy.files import LoadLimits
from plangate.policy.load import gather
from plangate.policy.problems import Problems
from plangate.rules.registry import RULES

SCHEMA: Final = "plangate.dev/policy-check/v1"

PAGE: Final = "docs/reference/policy-check.md"
"""Where every code is explained, each below a heading of its name."""


class Level(StrEnum):
    """What a problem means to the gate."""

    ERROR = "error"
    """The gate refuses these policies."""
    WARNING = "warning"
    """The gate takes them."""


class Remark(Struct, frozen=True, kw_only=True):
    """One problem.

    Attributes:
        level: What it means to the gate.
        code: What kind of problem it is; a heading of `PAGE`.
        file: The file's name as people know it.
        line: From 1; 0 for the whole file.
        column: In characters from 1; 0 for the whole line.
        message: What is wrong.
        hint: What to do, or an empty string.
    """

    level: Level
    code: str
    file: str
    line: int
    column: int
    message: str
    hint: str


class Report(Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        rules: How many rules there are in the folders that were asked about.
        remarks: Sorted by file, place and code.
    """

    rules: int
    remarks: tuple[Remark, ...]

    @property
    def errors(self) -> int:
        """How many problems make the gate refuse these policies."""
        return sum(remark.level is Level.ERROR for remark in self.remarks)

    @property
    def warnings(self) -> int:
        """How many other problems there are."""
        return len(self.remarks) - self.errors


def check(
    sources: Sequence[PolicySource], beside: Sequence[PolicySource] = (), data: Sequence[Path] = ()
) -> Report:
    """All problems of these folders.

    Args:
        sources: The folders.
        beside: Folders that are loaded with them and are not asked about, e.g. the shipped policies.
        data: Data documents that the gate would load.

    Raises:
        PolicyLoadError: One of the folders is not there.
    """
    for source in sources:
        if not source.root.is_dir():
            raise PolicyLoadError(str(source.root), "no such folder")
    problems = Problems()
    files = gather((*beside, *sources), LoadLimits(), data, problems)
    examined = examine_files(files, problems)
    _taken_ids(examined, problems)
    remarks = [_remark(Level.ERROR, error) for error in problems.errors]
    asked = {source.name for source in sources}
    own = frozenset(file.name for file in (*files.modules, *files.tests) if file.source in asked)
    remarks += [
        _remark(Level.WARNING, error)
        for error in lint(sources, files, examined, own, sound=not problems.errors)
    ]
    return Report(
        rules=sum(rule.module.file in own for rule in examined.registered),
        remarks=tuple(sorted(remarks, key=lambda item: (item.file, item.line, item.column, item.code))),
    )


def _taken_ids(examined: Examined, problems: Problems) -> None:
    for rule in examined.registered:
        if rule.spec.id in RULES or rule.spec.id in CONDITIONS:
            problem = f'"{rule.spec.id}" is the id of a built-in rule'
            problems.note(rule.module.error(rule.module.package_start, problem), "id")


def _remark(level: Level, error: PolicyLoadError) -> Remark:
    return Remark(
        level=level,
        code=error.code or "other",
        file=error.file,
        line=error.line,
        column=error.column,
        message=error.problem,
        hint=error.hint,
    )


# --- For people and programs ----------------------------------------------------------------------------------


def place(remark: Remark) -> str:
    """``file:line:column``, as far as it is known."""
    return ":".join([remark.file, *(str(number) for number in (remark.line, remark.column) if number)])


def text(report: Report) -> str:
    """For people: each problem with its place, and a line that sums up."""
    lines = [line(remark) for remark in report.remarks]
    refused = "refused: " if report.errors else ""
    lines.append(
        f"{refused}{_many(report.errors, 'error')}, {_many(report.warnings, 'warning')} "
        f"in {_many(report.rules, 'rule')}"
    )
    return "\n".join(lines) + "\n"


def line(remark: Remark) -> str:
    """A problem with its place and, below it, what to do."""
    said = _printable(f"{place(remark)}: {remark.level}: {remark.message} [{remark.code}]")
    return f"{said}\n  hint: {_printable(remark.hint)}" if remark.hint else said


def document(report: Report) -> Mapping[str, Any]:
    """For programs: ``schemas/policy-check.v1.json``."""
    return {
        "schema": SCHEMA,
        "result": "refused" if report.errors else "accepted",
        "rules": report.rules,
        "errors": report.errors,
        "warnings": report.warnings,
        "problems": [
            {
                "level": remark.level.value,
                "code": remark.code,
                "file": remark.file,
                "line": remark.line or None,
                "column": remark.column or None,
                "message": remark.message,
                "hint": remark.hint or None,
                "page": f"{PAGE}#{remark.code}",
            }
            for remark in report.remarks
        ],
    }


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _printable(line: str) -> str:
    """A policy's words cannot move the cursor or pass for other lines."""
    return "".join(
        char if char.isprintable() or char == " " else char.encode("unicode_escape").decode() for char in line
    )
