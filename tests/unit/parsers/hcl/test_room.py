"""Room to recurse in, whoever asks for it and from wherever."""

import sys
import threading

import pytest

from plangate.parsers.hcl.room import with_room


def depth(levels: int) -> int:
    return 0 if not levels else 1 + depth(levels - 1)


def test_there_is_room_for_thousands_of_calls_and_the_usual_limit_afterwards() -> None:
    usual = sys.getrecursionlimit()
    assert with_room(lambda: depth(10_000)) == 10_000
    assert sys.getrecursionlimit() == usual
    with pytest.raises(RecursionError):
        with_room(lambda: depth(30_000))
    assert sys.getrecursionlimit() == usual


def test_an_exception_is_raised_where_the_result_is_awaited() -> None:
    with pytest.raises(KeyError, match="x"):
        with_room(lambda: dict[str, int]()["x"])


def test_computations_beside_each_other_leave_each_other_their_room() -> None:
    usual = sys.getrecursionlimit()
    started, finished = threading.Event(), threading.Event()
    results: list[int] = []

    def slow() -> int:
        started.set()
        finished.wait(10)
        return depth(10_000)

    other = threading.Thread(target=lambda: results.append(with_room(slow)))
    other.start()
    started.wait(10)
    assert with_room(lambda: depth(5_000)) == 5_000
    finished.set()
    other.join()
    assert results == [10_000]
    assert sys.getrecursionlimit() == usual
