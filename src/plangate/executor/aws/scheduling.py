"""Runs steps that need each other: many at once, each when what it needs is done, in an order that is always the same.

Rules this module keeps:
1. Events are handed over in the caller's thread, one after the other, before the step that said them goes on.
2. A failure stops new steps; what has begun is finished.
3. The first interrupt does the same. The second one also ends all waiting.
"""

import queue
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from graphlib import TopologicalSorter

from msgspec import Struct, field

from plangate.executor.base import ExecutionEvent, Observe


class Step(Struct, frozen=True, kw_only=True):
    """One thing to do.

    Attributes:
        key: Its name; steps that could run are begun in the order of their names.
        needs: Names of the steps that have to be done before.
        act: Does it. Given a function that says an event, and one that waits for some seconds.
    """

    key: str
    needs: frozenset[str]
    act: Callable[["Say", "Pause"], None]


class CancelledError(Exception):
    """The user does not want to wait any longer."""


Say = Callable[[ExecutionEvent], None]
Pause = Callable[[float], None]


class Outcome(Struct, kw_only=True):
    """What became of the steps: names of those that are done, errors by name, names of those that were not begun."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, BaseException] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    interrupted: bool = False


class _Told(Struct, frozen=True):
    event: ExecutionEvent
    heard: "Future[None]"


class Scheduler:
    """Runs steps.

    Args:
        workers: Steps that run at once.
        observe: Told of every event, in the thread that calls `run`.
    """

    def __init__(self, workers: int, observe: Observe) -> None:
        self._workers = workers
        self._observe = observe
        self._heard: queue.SimpleQueue[_Told | Future[None] | None] = queue.SimpleQueue()
        self._cancelled = threading.Event()

    def run(self, steps: Sequence[Step]) -> Outcome:
        """Run them.

        Raises:
            CycleError: They need each other in a circle; none was begun.
        """
        by_key: Mapping[str, Step] = {step.key: step for step in steps}
        sorter = TopologicalSorter({step.key: sorted(step.needs & by_key.keys()) for step in steps})
        sorter.prepare()
        outcome = Outcome()
        ready: list[str] = []
        running: dict[Future[None], str] = {}
        with (
            self._interrupts(outcome),
            ThreadPoolExecutor(self._workers, thread_name_prefix="plangate") as pool,
        ):
            while True:
                ready = sorted([*ready, *sorter.get_ready()])
                while ready and len(running) < self._workers and not self._stopping(outcome):
                    key = ready.pop(0)
                    future = pool.submit(by_key[key].act, self._say, self._pause)
                    running[future] = key
                    future.add_done_callback(self._heard.put)
                if not running:
                    break
                heard = self._heard.get()
                if isinstance(heard, _Told):
                    self._hand_on(heard)
                elif heard is not None:
                    self._settle(heard, running.pop(heard), sorter, outcome)
        begun = {*outcome.done, *outcome.failed}
        outcome.left = sorted(key for key in by_key if key not in begun)
        return outcome

    @contextmanager
    def _interrupts(self, outcome: Outcome) -> Iterator[None]:
        """Interrupts are noted, instead of tearing whatever line they hit; signals reach the main thread only."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def noted(_signal: int, _frame: object) -> None:
            if outcome.interrupted:
                self._cancelled.set()
            outcome.interrupted = True
            self._heard.put(None)

        before = signal.signal(signal.SIGINT, noted)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _stopping(self, outcome: Outcome) -> bool:
        return outcome.interrupted or bool(outcome.failed)

    def _settle(
        self, future: "Future[None]", key: str, sorter: "TopologicalSorter[str]", outcome: Outcome
    ) -> None:
        error = future.exception()
        if error is None:
            outcome.done.append(key)
            sorter.done(key)
        else:
            outcome.failed[key] = error

    def _hand_on(self, told: _Told) -> None:
        try:
            self._observe(told.event)
        except Exception as error:  # noqa: BLE001 - the step that said it fails with it
            told.heard.set_exception(error)
        else:
            told.heard.set_result(None)

    def _say(self, event: ExecutionEvent) -> None:
        told = _Told(event, Future())
        self._heard.put(told)
        told.heard.result()

    def _pause(self, seconds: float) -> None:
        if self._cancelled.wait(seconds):
            raise CancelledError("stopped while waiting")
