"""Trials in parallel, each in a process that is killed when it takes too long.

The processes are new interpreters and not forks: they start once and live for hundreds of trials, and a fork would
copy whatever threads the caller has.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from msgspec import Struct

from plangate.authoring.mutation import worker
from plangate.errors import EngineError

START_DEADLINE_S: Final = 60.0
"""For a process to load everything."""
END_DEADLINE_S: Final = 5.0
"""For a process that closed its pipe to be gone; then it is killed."""
MAX_ANSWER_BYTES: Final = 1 << 20
"""One answer: a verdict and a sentence."""
_CHUNK_BYTES: Final = 1 << 16


class Trial(Struct, frozen=True, kw_only=True):
    """One question to a worker; ``request`` is what `worker.Trials.run` takes."""

    id: int
    request: Mapping[str, Any]
    deadline_s: float


class Answer(Struct, frozen=True, kw_only=True):
    """How one trial ended.

    Attributes:
        verdict: ``survived``, ``killed``, ``invalid``, ``timed out``, or ``crashed`` with the process.
        test: The test that noticed.
        problem: What it said, or why the mutant is invalid.
        seconds: How long it took, as seen from here.
    """

    verdict: str
    test: str = ""
    problem: str = ""
    seconds: float = 0.0


class _Worker:
    def __init__(self, program: Sequence[str], env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter on our own file
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd="/", env=env, bufsize=0,
        )  # fmt: skip
        self.received = bytearray()
        self.ready = False
        self.trial: Trial | None = None
        self.since = time.monotonic()
        self.due = self.since + START_DEADLINE_S

    def send(self, message: Mapping[str, Any]) -> None:
        stdin = self.process.stdin
        assert stdin is not None  # noqa: S101 - asked for above
        waiting = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while waiting:
                waiting = waiting[stdin.write(waiting) or 0 :]
        except BrokenPipeError:
            return  # Its end of the other pipe tells.

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class Pool:
    """Worker processes with the same policies and tests loaded. Use it as a context manager.

    Args:
        setup: What `worker.Trials` takes.
        jobs: Processes at once.
    """

    def __init__(self, setup: Mapping[str, Any], jobs: int) -> None:
        self._setup: Final = setup
        self._jobs: Final = jobs
        self._workers: list[_Worker] = []
        self._selector: Final = selectors.DefaultSelector()
        program = (
            "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); import runpy; "
            f"runpy.run_module({worker.__name__!r}, run_name='__main__')"
        )
        self._program: Final = [sys.executable, "-I", "-c", program, json.dumps(sys.path)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in list(self._workers):
            self._end(each)
        self._selector.close()

    def run(
        self, trials: Iterable[Trial], until: float, done: Callable[[int], None] = lambda _: None
    ) -> dict[int, Answer]:
        """Run trials, begun in their order.

        Args:
            trials: With different ids.
            until: When to stop, on the monotonic clock; what is not done by then is missing from the answers.
            done: Told the number of answers so far.

        Raises:
            EngineError: A process could not be started, or a trial failed by a fault that is not the mutant's.
        """
        waiting = deque(trials)
        answers: dict[int, Answer] = {}
        while waiting or any(each.trial for each in self._workers):
            if time.monotonic() >= until:
                for each in [each for each in self._workers if each.trial]:
                    self._end(each)
                break
            self._hire(len(waiting))
            for each in self._workers:
                if each.ready and each.trial is None and waiting:
                    self._assign(each, waiting.popleft())
            busy = [each.due for each in self._workers if each.trial or not each.ready]
            for key, _ in self._selector.select(max(min([until, *busy]) - time.monotonic(), 0)):
                self._receive(key.data, answers)
                done(len(answers))
            self._overdue(answers)
        return answers

    def _hire(self, waiting: int) -> None:
        """As many processes as there is work for; all start before the first is told what to load."""
        idle = sum(each.trial is None for each in self._workers)
        new = min(self._jobs - len(self._workers), waiting - idle)
        env = {"RUST_BACKTRACE": "0", "RUST_LIB_BACKTRACE": "0", "PATH": os.defpath}
        try:
            hired = [_Worker(self._program, env) for _ in range(new)]
        except OSError as problem:
            raise EngineError(
                f"a process to try mutants in cannot be started: {problem.strerror}"
            ) from problem
        for each in hired:
            self._workers.append(each)
            self._selector.register(each.process.stdout, selectors.EVENT_READ, each)  # type: ignore[arg-type]
        for each in hired:
            each.send(self._setup)

    def _assign(self, each: _Worker, trial: Trial) -> None:
        each.trial = trial
        each.since = time.monotonic()
        each.due = each.since + trial.deadline_s
        each.send({"id": trial.id, "deadline_s": trial.deadline_s, **trial.request})

    def _receive(self, each: _Worker, answers: dict[int, Answer]) -> None:
        stdout = each.process.stdout
        assert stdout is not None  # noqa: S101 - asked for when it was started
        chunk = os.read(stdout.fileno(), _CHUNK_BYTES)
        if not chunk:
            self._gone(each, answers)
            return
        each.received += chunk
        if len(each.received) > MAX_ANSWER_BYTES:
            raise EngineError(f"a trial gave more than {MAX_ANSWER_BYTES} bytes (MAX_ANSWER_BYTES)")
        while b"\n" in each.received:
            line, _, rest = bytes(each.received).partition(b"\n")
            each.received[:] = rest
            self._take(each, line, answers)

    def _take(self, each: _Worker, line: bytes, answers: dict[int, Answer]) -> None:
        try:
            message = json.loads(line)
            if not each.ready and message == {"ready": True}:
                each.ready = True
                return
            number, verdict, test, said = (message[name] for name in ("id", "verdict", "test", "problem"))
        except (ValueError, TypeError, KeyError) as problem:
            raise EngineError(f"a trial gave garbage instead of an answer: {problem}") from problem
        trial = each.trial
        if trial is None or number != trial.id:
            raise EngineError("a trial gave an answer to no question")
        if verdict not in {"survived", "killed", "invalid", "crashed"}:
            raise EngineError(f"{trial.request['file']}: a mutant could not be tried: {said}")
        if verdict == "crashed":
            self._end(each)
        each.trial = None
        seconds = time.monotonic() - each.since
        answers[trial.id] = Answer(verdict=verdict, test=test, problem=said, seconds=seconds)

    def _gone(self, each: _Worker, answers: dict[int, Answer]) -> None:
        """A process ended by itself: with its trial, or for no reason that can be a mutant's."""
        trial = each.trial
        with contextlib.suppress(subprocess.TimeoutExpired):
            each.process.wait(END_DEADLINE_S)
        self._end(each)
        if not each.ready:
            raise EngineError(
                f"a process to try mutants in ended with status {each.process.returncode} while it loaded"
            )
        if trial is not None:
            used_up = each.process.returncode == -signal.SIGXCPU
            answers[trial.id] = (
                Answer(verdict="timed out", problem="processor time used up")
                if used_up
                else Answer(verdict="crashed", problem="the engine's process ended")
            )

    def _overdue(self, answers: dict[int, Answer]) -> None:
        now = time.monotonic()
        for each in [each for each in self._workers if each.due <= now]:
            if each.trial is not None:
                answers[each.trial.id] = Answer(
                    verdict="timed out", problem=f"longer than {each.trial.deadline_s:g} s"
                )
                self._end(each)
            elif not each.ready:
                raise EngineError(
                    f"loading the policies to try mutants took longer than {START_DEADLINE_S:g} s and was ended"
                )

    def _end(self, each: _Worker) -> None:
        self._workers.remove(each)
        if each.process.stdout is not None:
            self._selector.unregister(each.process.stdout)
        each.end()
