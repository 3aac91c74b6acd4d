"""What a command says at the end, and its exit code.

Shared by ``plangate check``, ``plangate apply`` and ``plangate-hook``; the hook pays for no command line library, so
nothing here may import one.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from plangate.cli import streams

if TYPE_CHECKING:
    from plangate.gate import Decision
    from plangate.wiring import Session


def renderer(name: str) -> str:
    """A format's name, if there is such a format.

    Raises:
        UsageError: There is none.
    """
    from plangate.errors import UsageError
    from plangate.report.registry import FORMATS

    if name not in FORMATS:
        raise UsageError(f"--format: {name!r} (expected one of: {', '.join(FORMATS)})")
    return name


def announce_keys(session: "Session") -> None:
    """Say which keys were made and which bundles were met first, so that nobody has to find out later."""
    for path in session.state.made:
        streams.say(f"made a new key: {path}\n")
    for notice in session.notices:
        streams.say(f"{notice}\n")


def write_report(name: str, decision: "Decision", output: Path | None) -> None:
    """The decision in a format, to a file or standard output; why there is none, to standard error.

    Raises:
        UsageError: The file cannot be written.
    """
    from plangate.cli.main import complain
    from plangate.errors import UsageError
    from plangate.report.base import Style
    from plangate.report.registry import FORMATS

    if decision.problem is not None and name == "text":
        complain(decision.problem)
        return
    text = FORMATS[name](decision.document, Style(colour=output is None and wants_colour()))
    if output is None:
        streams.tell(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output}: the report cannot be written: {error.strerror}") from error


def wants_colour() -> bool:
    """Colours are for terminals that can show them, and for people who did not say no: https://no-color.org."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def exit_code(decision: "Decision") -> int:
    """0 for an allow, 1 for a denial, 3 for no decision."""
    from plangate.decision.decide import Result
    from plangate.errors import EXIT_ALLOW, EXIT_CANNOT_DECIDE, EXIT_DENY

    return {Result.ALLOW: EXIT_ALLOW, Result.DENY: EXIT_DENY, Result.ERROR: EXIT_CANNOT_DECIDE}[
        decision.judgement.result
    ]
