"""The ``plangate`` command: one file here per subcommand, one place that turns errors into exit codes.

Exit codes: 0 allowed, 1 denied, 2 usage, 3 could not decide, 4 execution failed, 130 interrupted. A Python traceback
would exit with 1, which means "denied", so that none ever gets out.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from plangate.errors import EXIT_CANNOT_DECIDE, EXIT_INTERRUPTED, EXIT_USAGE, PlangateError

COMMANDS: Final = ("check", "apply", "explain", "rules", "audit", "init", "schema")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; ``sys.argv`` by default.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in (["--version"], ["-V"]):
        from plangate import __version__

        return _finish(f"plangate {__version__}\n")
    try:
        return _run(given)
    except KeyboardInterrupt:
        sys.stderr.write("plangate: interrupted\n")
        return EXIT_INTERRUPTED
    except PlangateError as error:
        return complain(error)
    except BrokenPipeError:
        # The reader of our output went away. No answer was given, so none may be taken for an allow.
        _silence_stdout()
        return EXIT_CANNOT_DECIDE
    except Exception as error:  # noqa: BLE001 - the one place where nothing may get past
        return crash(error)


def _run(arguments: list[str]) -> int:
    import click

    from plangate.cli.app import command

    try:
        code = command(arguments[:1]).main(arguments, prog_name="plangate", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.Abort:
        sys.stderr.write("plangate: interrupted\n")
        return EXIT_INTERRUPTED
    except click.exceptions.ClickException as error:
        sys.stderr.write(f"plangate: {error.format_message()}\n")
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "plangate"
        sys.stderr.write(f"  hint: {path} --help\n")
        return EXIT_USAGE


def complain(error: PlangateError) -> int:
    """Say what is wrong and what to do next, on standard error; the error's exit code."""
    from plangate.model.redaction import Redactor
    from plangate.report.base import one_line

    clean = Redactor((), b"messages only, never stored").text
    sys.stderr.write(f"plangate: {clean(one_line(error))}\n")
    if error.hint:
        sys.stderr.write(f"  hint: {clean(one_line(error.hint))}\n")
    if error.exit_code == EXIT_CANNOT_DECIDE:
        sys.stderr.write("could not decide; nothing was executed\n")
    return error.exit_code


def crash(error: BaseException) -> int:
    """Say that no decision was made, and where the program broke; never values, which may be secret."""
    sys.stderr.write("plangate: could not decide: an internal error; nothing was allowed\n")
    frame = error.__traceback__
    places = []
    while frame is not None:
        code = frame.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{frame.tb_lineno} {code.co_name}")
        frame = frame.tb_next
    sys.stderr.write(f"  {type(error).__name__} at {' < '.join(reversed(places[-4:]))}\n")
    sys.stderr.write("  hint: this is a bug in plangate; please report the line above\n")
    return EXIT_CANNOT_DECIDE


def _finish(text: str) -> int:
    sys.stdout.write(text)
    return 0


def _silence_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    sys.exit(main())
