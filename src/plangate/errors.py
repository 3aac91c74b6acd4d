"""Every error that Plangate raises on purpose, each with its exit code and a hint.

A denial is a result, not an exception: an exception here means that no decision was possible,
or that an allowed change failed while it ran.

    PlangateError                    .exit_code, .hint
    ├─ UsageError                2   bad flags or configuration
    ├─ CannotDecideError         3   nothing was executed
    │  ├─ PlanParseError             a plan we cannot read, or will not
    │  ├─ PolicyLoadError            a policy that must not be judged with
    │  ├─ EngineError                the policy engine failed, timed out or said nothing
    │  ├─ AuditError                 the log cannot be written or does not verify
    │  └─ ReceiptError               a receipt that proves nothing for this plan
    └─ ExecutionError            4   allowed and started, then failed

Message shape: subject, what is wrong, expected against found. Lower case, no trailing period,
nothing sensitive: ``plan.json: /format_version: unsupported version "3.0" (supported: 0.1 to 1.x)``.
"""

from typing import ClassVar, Final

EXIT_ALLOW: Final = 0
EXIT_DENY: Final = 1
EXIT_USAGE: Final = 2
EXIT_CANNOT_DECIDE: Final = 3
EXIT_EXECUTION_FAILED: Final = 4
EXIT_INTERRUPTED: Final = 130


class PlangateError(Exception):
    """The root: something a person has to read.

    Attributes:
        exit_code: What the process exits with when this reaches the top.
        hint: What the reader can do next, or an empty string.
    """

    exit_code: ClassVar[int] = EXIT_CANNOT_DECIDE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(PlangateError):
    """Flags or configuration that make no sense; nothing was judged."""

    exit_code = EXIT_USAGE


class CannotDecideError(PlangateError):
    """No decision was possible, so nothing was allowed and nothing ran."""


class PlanParseError(CannotDecideError):
    """A document that is not a plan we fully understand.

    Args:
        name: The input's name as the user gave it.
        problem: What is wrong, with expected against found.
        at: Where: a JSON Pointer, or ``line L column C``; empty for the whole document.
    """

    def __init__(self, name: str, problem: str, *, at: str = "", hint: str = "") -> None:
        super().__init__(f"{name}: {at}: {problem}" if at else f"{name}: {problem}", hint=hint)
        self.name = name
        self.at = at
        self.problem = problem


class NothingToJudgeError(CannotDecideError):
    """None of the files that were come across is a plan of any kind."""


class PolicyLoadError(CannotDecideError):
    """A policy that must not be judged with, at ``file:line:column``.

    Args:
        file: The file's name as people know it.
        problem: What is wrong, with expected against found.
        line: From 1; 0 for the whole file.
        column: In characters from 1; 0 for the whole line.
        code: What kind of problem it is: a word of docs/reference/policy-check.md.
    """

    def __init__(
        self, file: str, problem: str, *, line: int = 0, column: int = 0, hint: str = "", code: str = ""
    ) -> None:
        position = f"{file}:{line}:{column}" if column else f"{file}:{line}" if line else file
        super().__init__(f"{position}: {problem}", hint=hint)
        self.file = file
        self.line = line
        self.column = column
        self.problem = problem
        self.code = code


class EngineError(CannotDecideError):
    """The policy engine failed, ran out of time or memory, or returned nothing."""


class AuditError(CannotDecideError):
    """The audit log cannot be written, or does not verify."""


class ReceiptError(CannotDecideError):
    """A receipt that does not prove that this plan may run here and now."""


class ExecutionError(PlangateError):
    """The change was allowed and started, and then failed."""

    exit_code = EXIT_EXECUTION_FAILED
