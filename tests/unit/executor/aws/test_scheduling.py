"""Steps run when what they need is done, in the same order each time, and stop as they are told to."""

import os
import signal
import threading
import time
from graphlib import CycleError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.executor.aws.scheduling import CancelledError, Pause, Say, Scheduler, Step
from plangate.executor.base import ExecutionEvent


def _nothing(_event: ExecutionEvent) -> None:
    return


class Recorded:
    """Steps that write down when they began and ended."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.ended: list[str] = []
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def step(self, key: str, *needs: str, fails: bool = False, takes_s: float = 0.0) -> Step:
        def act(_say: Say, _pause: Pause) -> None:
            with self._lock:
                self.began.append(key)
                assert set(needs) <= set(self.ended)
                self._now += 1
                self.most = max(self.most, self._now)
            time.sleep(takes_s)
            with self._lock:
                self._now -= 1
                self.ended.append(key)
            if fails:
                raise ValueError(key)

        return Step(key=key, needs=frozenset(needs), act=act)


def test_one_worker_takes_steps_by_name_as_they_become_ready() -> None:
    run = Recorded()
    steps = [run.step("c"), run.step("b", "c"), run.step("a", "b"), run.step("d")]
    outcome = Scheduler(1, _nothing).run(steps)
    assert run.began == ["c", "b", "a", "d"]
    assert (outcome.done, outcome.failed, outcome.left) == (["c", "b", "a", "d"], {}, [])


def test_no_more_steps_than_workers_run_at_once() -> None:
    run = Recorded()
    Scheduler(3, _nothing).run([run.step(f"s{number}", takes_s=0.02) for number in range(12)])
    assert run.most == 3


def test_after_a_failure_nothing_new_begins_and_what_has_begun_is_finished() -> None:
    run = Recorded()
    steps = [
        run.step("a", fails=True),
        run.step("b", takes_s=0.1),
        run.step("c", "a"),
        run.step("d", "b"),
    ]
    outcome = Scheduler(2, _nothing).run(steps)
    assert (sorted(run.began), outcome.done) == (["a", "b"], ["b"])
    assert (list(outcome.failed), outcome.left, outcome.interrupted) == (["a"], ["c", "d"], False)


def test_a_circle_is_refused_before_anything_begins() -> None:
    run = Recorded()
    with pytest.raises(CycleError):
        Scheduler(2, _nothing).run([run.step("a", "b"), run.step("b", "a"), run.step("c")])
    assert run.began == []


def test_a_need_of_something_that_is_no_step_is_met() -> None:
    run = Recorded()
    assert Scheduler(1, _nothing).run([run.step("a", "elsewhere")]).failed.keys() == {"a"}, (
        "the test's own check"
    )


def test_events_are_told_in_the_callers_thread_before_the_step_goes_on() -> None:
    told: list[tuple[str, int]] = []

    def act(say: Say, _pause: Pause) -> None:
        say(ExecutionEvent(type="one"))
        assert told == [("one", here)]

    here = threading.get_ident()
    step = Step(key="a", needs=frozenset(), act=act)
    outcome = Scheduler(1, lambda event: told.append((event.type, threading.get_ident()))).run([step])
    assert outcome.failed == {}


def test_a_step_fails_with_the_error_of_whoever_records_its_events() -> None:
    def refuse(_event: ExecutionEvent) -> None:
        raise OSError("the log is full")

    def act(say: Say, _pause: Pause) -> None:
        say(ExecutionEvent(type="one"))

    outcome = Scheduler(1, refuse).run([Step(key="a", needs=frozenset(), act=act)])
    assert str(outcome.failed["a"]) == "an event could not be recorded (OSError)"


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_interrupt_lets_what_has_begun_finish() -> None:
    run = Recorded()

    def act(_say: Say, pause: Pause) -> None:
        _interrupt()
        pause(0.2)

    steps = [Step(key="a", needs=frozenset(), act=act), run.step("b", "a")]
    outcome = Scheduler(1, _nothing).run(steps)
    assert (outcome.done, outcome.failed, outcome.left, outcome.interrupted) == (["a"], {}, ["b"], True)
    assert run.began == []


def test_the_second_interrupt_ends_waiting() -> None:
    began = time.monotonic()

    def act(_say: Say, pause: Pause) -> None:
        _interrupt()
        pause(0.2)
        _interrupt()
        pause(60)

    outcome = Scheduler(1, _nothing).run([Step(key="a", needs=frozenset(), act=act)])
    assert isinstance(outcome.failed["a"], CancelledError)
    assert outcome.interrupted
    assert time.monotonic() - began < 30


def test_afterwards_an_interrupt_is_an_interrupt_again() -> None:
    before = signal.getsignal(signal.SIGINT)
    Scheduler(1, _nothing).run([])
    assert signal.getsignal(signal.SIGINT) is before


@given(
    st.lists(st.sets(st.integers(0, 9), max_size=3), min_size=1, max_size=10),
    st.integers(1, 4),
    st.sets(st.integers(0, 9), max_size=2),
)
def test_every_step_runs_once_or_is_told_as_left(
    needs: list[set[int]], workers: int, failing: set[int]
) -> None:
    run = Recorded()
    steps = [
        run.step(f"s{index}", *(f"s{each}" for each in needed if each < index), fails=index in failing)
        for index, needed in enumerate(needs)
    ]
    outcome = Scheduler(workers, _nothing).run(steps)
    assert sorted([*outcome.done, *outcome.failed, *outcome.left]) == sorted(step.key for step in steps)
    assert sorted(run.began) == sorted([*outcome.done, *outcome.failed])
    assert bool(outcome.left) <= bool(outcome.failed)
