"""Standard input, output and error, in whatever state the caller left them.

Three rules:

1. A closed descriptor is filled first of all, or the next file to be opened, the log say, would become "standard
   output" for every library.
2. An answer that could not be written was not given: `tell` raises, and no command then exits with 0.
3. What is only said to people on standard error never stops anything, least of all a change that is being applied.
"""

import contextlib
import os
import sys
from typing import Final, NoReturn

from plangate.errors import CannotDecideError


class ReaderGoneError(CannotDecideError):
    """Nobody reads standard output any more.

    Not an `OSError`: click turns a broken pipe into exit code 1, which here means "denied".
    """


_STANDARD: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def claim() -> None:
    """Give every closed standard stream something to stand on."""
    closed = [
        (number, name, mode) for number, (name, mode) in enumerate(_STANDARD) if getattr(sys, name) is None
    ]
    # The lowest free descriptor is taken each time, so that 0 to 2 are filled, whichever are closed.
    while closed and (taken := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - standard error
        pass
    if closed:
        os.close(taken)
    for number, name, mode in closed:
        if name == "stdout":
            # Nobody reads it, so writing to it fails, as it does for a reader that went away.
            reader, writer = os.pipe()
            os.close(reader)
            os.dup2(writer, number)
            os.close(writer)
        setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for good


def tell(text: str) -> None:
    """Write to standard output, now.

    Raises:
        ReaderGoneError: Nobody reads it any more.
        CannotDecideError: It cannot be written: a full disk, for example.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError as error:
        _abandon_stdout()
        raise ReaderGoneError("standard output: nobody reads it") from error
    except OSError as error:
        _abandon_stdout()
        raise CannotDecideError(f"standard output: cannot be written: {error.strerror}") from error


def say(text: str) -> None:
    """Write to standard error, if that can be done."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()


def leave(code: int) -> NoReturn:
    """End the process here and now.

    Whatever has to be closed was closed by whoever opened it. Taking the objects of a big plan apart one by one, as
    the interpreter does at exit, would cost as much as judging them.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _abandon_stdout() -> None:
    """Drop what standard output still holds, so that the interpreter does not stumble over it at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
