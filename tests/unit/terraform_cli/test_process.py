"""Processes run for real: there is no pure half of this."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.terraform_cli import Ending, Finished, process, run
from plangate.terraform_cli.process import MAX_LINE_BYTES, OnLine
from tests.terraform_project import hearing_signals

ENVIRONMENT = {"PATH": os.defpath}


def python(
    script: str,
    *,
    timeout_s: float = 30.0,
    max_stdout_bytes: int = 1000,
    stop_grace_s: float = 0.0,
    on_line: OnLine | None = None,
) -> Finished:
    return run(
        Path(sys.executable),
        ["-S", "-c", f"import os, signal, sys, time\n{script}"],
        environment=ENVIRONMENT,
        timeout_s=timeout_s,
        max_stdout_bytes=max_stdout_bytes,
        stop_grace_s=stop_grace_s,
        on_line=on_line,
    )


def test_gives_both_outputs_and_the_exit_code() -> None:
    finished = python("print('out'); print('err', file=sys.stderr); sys.exit(3)")

    assert finished == Finished(
        ending=Ending.EXITED, exit_code=3, stdout=b"out\n", stderr=b"err\n", killed=False
    )


def test_nothing_is_inherited_and_nothing_is_on_standard_input() -> None:
    finished = python("print(sys.stdin.read(), sorted(k for k in os.environ if k != 'LC_CTYPE'))")

    assert finished.stdout == b" ['PATH']\n"


def test_a_program_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    finished = python(
        f"if os.fork() == 0: open({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)", timeout_s=1.0
    )

    assert (finished.ending, finished.exit_code, finished.killed) == (Ending.TIMED_OUT, -9, True)
    assert is_gone(int(pid.read_text()))


def test_a_program_that_may_change_things_is_asked_first() -> None:
    finished = python(
        "try: time.sleep(60)\nexcept KeyboardInterrupt: print('in order'); sys.exit(0)",
        timeout_s=1.0,
        stop_grace_s=30.0,
    )

    assert finished == Finished(
        ending=Ending.TIMED_OUT, exit_code=0, stdout=b"in order\n", stderr=b"", killed=False
    )
    assert not finished.ok


def test_output_beyond_the_limit_ends_the_program() -> None:
    finished = python("while True: print('x' * 100)", max_stdout_bytes=5000)

    assert (finished.ending, len(finished.stdout) <= 5000, finished.ok) == (Ending.TOO_MUCH, True, False)


def test_endless_errors_keep_the_last_ones_only() -> None:
    finished = python("sys.stderr.write('x' * 1_000_000 + 'end')")

    assert (finished.ok, len(finished.stderr), finished.stderr[-4:]) == (
        True,
        process.MAX_STDERR_BYTES,
        b"xend",
    )


def test_lines_are_given_one_by_one_and_long_ones_as_none() -> None:
    lines: list[bytes | None] = []

    def take(line: bytes | None) -> bool:
        lines.append(line)
        return True

    finished = python(
        f"print('a'); print('x' * {MAX_LINE_BYTES + 1}); print(); print('end', end='')", on_line=take
    )

    assert (finished.stdout, lines) == (b"", [b"a", None, b"", b"end"])


def test_the_reader_of_lines_can_stop_the_program() -> None:
    finished = python("print('a', flush=True); time.sleep(60)", on_line=lambda _: False)

    assert finished.ending is Ending.STOPPED


def test_a_failing_reader_leaves_nothing_running(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def fail(_line: bytes | None) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        python(
            f"open({str(pid)!r}, 'w').write(str(os.getpid())); print('a', flush=True); time.sleep(60)",
            on_line=fail,
        )
    assert is_gone(int(pid.read_text()))


def test_output_held_open_by_a_child_does_not_hold_us_up() -> None:
    started = time.monotonic()

    finished = python("print('a', flush=True)\nif os.fork() == 0: time.sleep(30)")

    assert (finished.stdout, finished.ending) == (b"a\n", Ending.EXITED)
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_stop_the_program_and_not_us(number: signal.Signals) -> None:
    with hearing_signals():
        before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
        finished = python(f"os.kill(os.getppid(), {int(number)}); time.sleep(60)")
        after = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]

    assert (finished.ending, finished.ok, after) == (Ending.INTERRUPTED, False, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_is_ignored_stays_ignored_and_still_reaches_the_program(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        undisturbed = python(f"os.kill(os.getppid(), {int(number)})")
        finished = python(f"os.kill(os.getpid(), {int(number)}); time.sleep(60)")
        after = signal.getsignal(number)
    finally:
        signal.signal(number, before)

    assert (undisturbed.ok, finished.ending, after) == (True, Ending.EXITED, signal.SIG_IGN)
    assert finished.exit_code == -number


def test_works_outside_of_the_main_thread() -> None:
    found: list[Finished] = []
    thread = threading.Thread(target=lambda: found.append(python("print('a')")))
    thread.start()
    thread.join()

    assert [f.stdout for f in found] == [b"a\n"]


def test_a_program_that_is_not_there_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        run(Path("/missing"), [], environment={}, timeout_s=1, max_stdout_bytes=1)


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_cutting_into_lines_does_not_depend_on_how_the_stream_arrives(chunks: list[bytes]) -> None:
    def lines_of(parts: list[bytes]) -> list[bytes | None]:
        seen: list[bytes | None] = []

        def take(line: bytes | None) -> bool:
            seen.append(line)
            return True

        lines = process._Lines(take)
        for part in parts:
            lines.take(part)
        lines.end()
        return seen

    whole = b"".join(chunks)
    expected = whole.split(b"\n")
    assert lines_of(chunks) == lines_of([whole]) == (expected if expected[-1] else expected[:-1])


def is_gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        stat = Path(f"/proc/{pid}/stat")
        # Killed, and not yet collected by its parent.
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False
