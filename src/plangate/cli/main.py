"""The ``plangate`` command: one file here per subcommand, one place that turns errors into exit codes.

Exit codes: 0 allowed, 1 denied, 2 usage, 3 could not decide, 4 execution failed, 130 interrupted. A Python traceback
would exit with 1, which means "denied", so that none ever gets out.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

from plangate.cli import streams
from plangate.errors import (
    EXIT_ALLOW,
    EXIT_CANNOT_DECIDE,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    CannotDecideError,
    PlangateError,
    UsageError,
)

_COLLECT_EVERY: Final = 100_000
"""New objects until a cyclic collection. At Python's own 700, a start makes dozens that find nothing."""


def entry() -> NoReturn:
    """The program ``plangate``."""
    gc.set_threshold(_COLLECT_EVERY)
    streams.leave(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; ``sys.argv`` by default.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    return guarded(lambda: _run(given))


def guarded(command: Callable[[], int]) -> int:
    """Run a command; the one place that turns whatever happens into an exit code.

    Args:
        command: Gives its exit code, or raises.
    """
    streams.claim()
    try:
        return _answered(command)
    except Exception as error:  # noqa: BLE001 - the one place where nothing may get past, nor out of a handler
        return crash(error)


def _answered(command: Callable[[], int]) -> int:
    try:
        code = command()
        streams.tell("")
    except KeyboardInterrupt:
        streams.say("plangate: interrupted\n")
        return EXIT_INTERRUPTED
    except streams.ReaderGoneError:
        # No answer was given, so none may be taken for an allow. Nobody is there to be told why.
        return EXIT_CANNOT_DECIDE
    except PlangateError as error:
        return complain(error)
    except OSError as error:
        # A full disk, too many open files: not a bug, and not a decision either.
        place = f"{error.filename}: " if error.filename else ""
        return complain(CannotDecideError(f"{place}{error.strerror or type(error).__name__}"))
    return code


def _run(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        from plangate import __version__

        streams.tell(f"plangate {__version__}\n")
        return EXIT_ALLOW
    import click

    from plangate.cli.app import command

    code: object = None
    try:
        code = command(arguments[:2]).main(arguments, prog_name="plangate", standalone_mode=False)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except SystemExit:
        # Only click itself would: with 1 for a broken pipe, for example, which is no denial.
        code = EXIT_CANNOT_DECIDE
    except click.exceptions.Abort as abort:
        raise KeyboardInterrupt from abort
    except click.exceptions.NoArgsIsHelpError as error:
        streams.say(error.format_message() + "\n")
        code = EXIT_USAGE
    except click.exceptions.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "plangate"
        raise UsageError(error.format_message(), hint=f"{path} --help") from error
    if code == EXIT_INTERRUPTED:
        raise KeyboardInterrupt  # typer makes a number of it, without a word
    if not isinstance(code, int):
        raise TypeError("a command without an exit code")  # never 0 by default
    return code


def complain(error: PlangateError) -> int:
    """Say what is wrong and what to do next, on standard error; the error's exit code."""
    from plangate.model.redaction import Redactor
    from plangate.report.base import one_line

    clean = Redactor((), b"messages only, never stored").text
    streams.say(f"plangate: {clean(one_line(error))}\n")
    if error.hint:
        streams.say(f"  hint: {clean(one_line(error.hint))}\n")
    if error.exit_code == EXIT_CANNOT_DECIDE:
        streams.say("could not decide; nothing was executed\n")
    return error.exit_code


def crash(error: BaseException) -> int:
    """Say that no decision was made, and where the program broke; never values, which may be secret."""
    streams.say("plangate: could not decide: an internal error; nothing was allowed\n")
    frame = error.__traceback__
    places = []
    while frame is not None:
        code = frame.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{frame.tb_lineno} {code.co_name}")
        frame = frame.tb_next
    streams.say(f"  {type(error).__name__} at {' < '.join(reversed(places[-4:]))}\n")
    streams.say("  hint: this is a bug in plangate; please report the line above\n")
    return EXIT_CANNOT_DECIDE


if __name__ == "__main__":
    sys.exit(main())
