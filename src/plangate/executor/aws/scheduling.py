"""Runs steps that need each other: many at once, each when what it needs is done, in an order that is always the same.

Rules this module keeps:
1. Events are handed over in the caller's thread, one after the other, before the step that said them goes on.
2. A failure stops new steps; what has begun is finished.
3. The first request to stop does the same. The second one ends all waiting: steps under way get two seconds to hear
   the answer of the call that they have sent, and are left then. A step that was left says and waits no more.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from graphlib import TopologicalSorter
from typing import Final

from msgspec import Struct, field

from plangate.errors import ExecutionError
from plangate.executor.base import ExecutionEvent, Observe
from plangate.executor.stopping import Requests, requests_to_stop

_ANSWER_S: Final = 2.0
_LOOK_S: Final = 0.5


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
    """What became of the steps.

    Attributes:
        done: Names of those that are done.
        failed: Errors by name.
        left: Names of those that were not begun.
        interrupted: Somebody asked to stop.
        cut_off: Somebody asked twice: nothing was waited for.
    """

    done: list[str] = field(default_factory=list)
    failed: dict[str, BaseException] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    interrupted: bool = False
    cut_off: bool = False


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
        self._left = threading.Event()

    def run(self, steps: Sequence[Step]) -> Outcome:
        """Run them.

        Raises:
            CycleError: They need each other in a circle; none was begun.
        """
        by_key: Mapping[str, Step] = {step.key: step for step in steps}
        sorter = TopologicalSorter({step.key: sorted(step.needs & by_key.keys()) for step in steps})
        sorter.prepare()
        outcome = Outcome()
        with requests_to_stop(lambda: self._heard.put(None)) as requests:
            try:
                self._work(by_key, sorter, outcome, requests)
            finally:
                self._left.set()
        begun = {*outcome.done, *outcome.failed}
        outcome.left = sorted(key for key in by_key if key not in begun)
        return outcome

    def _work(
        self,
        by_key: Mapping[str, Step],
        sorter: "TopologicalSorter[str]",
        outcome: Outcome,
        requests: Requests,
    ) -> None:
        """Begin and settle steps until none is left, or none may begin any more."""
        ready: list[str] = []
        running: dict[Future[None], str] = {}
        latest: float | None = None
        while True:
            outcome.interrupted = requests.count > 0
            if requests.count > 1 and latest is None:
                self._cancelled.set()
                outcome.cut_off = True
                latest = time.monotonic() + _ANSWER_S
            ready = sorted([*ready, *sorter.get_ready()])
            while ready and len(running) < self._workers and not (outcome.interrupted or outcome.failed):
                key = ready.pop(0)
                running[self._begun(by_key[key])] = key
            if not running:
                return
            try:
                heard = self._heard.get(
                    timeout=None if latest is None else max(0.0, latest - time.monotonic())
                )
            except queue.Empty:
                unheard = "stopped before AWS had answered; what it does about the last call is not known"
                outcome.failed |= {key: CancelledError(unheard) for key in running.values()}
                return
            if isinstance(heard, _Told):
                self._hand_on(heard)
            elif heard is not None:
                self._settle(heard, running.pop(heard), sorter, outcome)

    def _begun(self, step: Step) -> "Future[None]":
        """A step in a thread of its own, which keeps no process from ending."""
        future: Future[None] = Future()
        future.add_done_callback(self._heard.put)

        def act() -> None:
            try:
                step.act(self._say, self._pause)
            except BaseException as error:  # noqa: BLE001 - handed to whoever settles the step
                future.set_exception(error)
            else:
                future.set_result(None)

        threading.Thread(target=act, name=f"plangate {step.key}", daemon=True).start()
        return future

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
            unrecorded = ExecutionError(f"an event could not be recorded ({type(error).__name__})")
            unrecorded.__cause__ = error
            told.heard.set_exception(unrecorded)
        else:
            told.heard.set_result(None)

    def _say(self, event: ExecutionEvent) -> None:
        told = _Told(event, Future())
        self._heard.put(told)
        while True:
            try:
                told.heard.result(_LOOK_S)
            except TimeoutError:
                if self._left.is_set():
                    raise CancelledError("nobody listens any more") from None
            else:
                return

    def _pause(self, seconds: float) -> None:
        if self._left.is_set() or self._cancelled.wait(seconds):
            raise CancelledError("stopped while waiting")
