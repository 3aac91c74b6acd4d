"""Judging many inputs on all cores. Each process has rules and an engine of its own."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from plangate.errors import CannotDecideError
from plangate.gate import JudgedInput, Judging, Run, judge_input
from plangate.settings import Settings
from plangate.wiring.choices import Choices
from plangate.wiring.judges import judges_for
from plangate.wiring.search import Found

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

MIN_INPUTS: Final = 24
"""Below that, starting processes costs more than it gains."""
_CHUNK: Final = 4
_PR_SET_PDEATHSIG: Final = 1

_MINE: dict[str, Any] = {}
"""What a judging process works with, once it has started."""


def processes_for(found: Sequence[Found]) -> int:
    """How many processes to judge with: as many as there are cores, or this one alone."""
    if len(found) < MIN_INPUTS or not hasattr(os, "fork"):
        return 1
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 16)


def pool_of(
    processes: int, judging: Judging, run: Run, settings: Settings, choices: Choices, stack: ExitStack
) -> Callable[[], Iterator[JudgedInput | None]]:
    """Judges the inputs in processes that are started here, before there are threads, and ended with ``stack``."""
    import multiprocessing  # noqa: PLC0415 - 30 ms that one plan need not pay
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    # By fork, so that the inputs need not be sent.
    executor = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("fork"),
        initializer=_begin,
        initargs=(judging, run, settings, choices),
    )
    stack.callback(_end, executor)
    count = len(judging.inputs)
    answers = executor.map(_judge, range(count), chunksize=_CHUNK)

    def judged() -> Iterator[JudgedInput | None]:
        from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

        try:
            for done, answer in enumerate(answers, start=1):
                judging.progress(f"judged {done} of {count} files")
                yield answer
        except BrokenProcessPool as error:
            raise CannotDecideError(
                "a judging process ended unexpectedly; was there memory enough?"
            ) from error

    return judged


def _begin(judging: Judging, run: Run, settings: Settings, choices: Choices) -> None:
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it ends us
    stack = ExitStack()
    judges, _, _ = judges_for(settings, choices, stack, start=False)
    _MINE.update(judging=replace(judging, judges=judges, progress=lambda _: None), run=run, stack=stack)


def _judge(index: int) -> JudgedInput | None:
    judging: Judging = _MINE["judging"]
    answer = judge_input(judging, judging.inputs[index], _MINE["run"])
    if answer is None:
        return None
    problem = answer.problem
    # An error of ours may hold what cannot be sent; its words can.
    sent = CannotDecideError(str(problem), hint=problem.hint) if problem is not None else None
    return replace(answer, plan=None, problem=sent)


def _end(executor: "ProcessPoolExecutor") -> None:
    # There is no other way before 3.14; `shutdown` forgets them.
    processes = list((executor._processes or {}).values())  # noqa: SLF001
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def _end_with_parent() -> None:
    """Ask the system to end this process with its parent, however that ends; Linux can."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
