"""Processes of the server: what they are told reaches them, however early it comes."""

import subprocess
import sys

_EARLY = """
import os, signal, time
from plangate.server import children

signal.signal(signal.SIGTERM, lambda *_: None)  # as the main process has it
at_fork, in_child = os.pipe()

def slow():
    os.write(in_child, b"x")
    time.sleep(0.5)

os.register_at_fork(after_in_child=slow)  # what measures coverage takes its time here, say
pid = children.start(lambda: time.sleep(20) or 0, name="early")
os.read(at_fork, 1)
os.kill(pid, signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_signal_that_comes_before_a_process_has_its_own_handlers_is_not_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _EARLY], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["-15"], "")


_JUDGES = """
import os, signal, threading, time
from plangate.server import children, loader

started = []

def judge():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.write(theirs, b"x")
    time.sleep(60)
    return 0

def start(path):
    started.append(children.start(judge, name="judge"))
    return started[-1]

ours, theirs = os.pipe()
main = children.start(lambda: loader._keep(start, ["one", "two"]) or len(started) - 2, name="loader")
os.read(ours, 1), os.read(ours, 1)
os.kill(main, signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(main, 0)[1]))
"""


def test_judges_end_when_they_are_told_and_are_not_started_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _JUDGES], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["0"], "")
