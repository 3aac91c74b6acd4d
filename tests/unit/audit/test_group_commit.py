"""Nobody is left waiting, whatever happens to the writer."""

import threading
import time
from collections.abc import Callable

import pytest

from plangate.audit.base import Entry
from plangate.audit.group_commit import GroupCommit, Pending
from plangate.errors import AuditError

ENTRY = Entry(index=0, size=1, root=bytes(32), leaf_hash=bytes(32))


def a_pending(key: str = "key") -> Pending:
    return Pending(record=b"x", idempotency_key=key, must_be_new=False)


def accept(batch: list[Pending]) -> None:
    for pending in batch:
        pending.entry = ENTRY


class Store:
    """Commits as told, and holds every commit until the gate is open."""

    def __init__(self, commit: Callable[[list[Pending]], None] = accept) -> None:
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.batches: list[list[str]] = []
        self.failures: list[str] = []
        self._commit = commit
        self._busy = threading.Lock()
        self.writers = GroupCommit(self.commit, self.failures.append)

    def commit(self, batch: list[Pending]) -> None:
        assert self._busy.acquire(blocking=False), "two writers at once"
        try:
            self.batches.append([pending.idempotency_key for pending in batch])
            self.entered.set()
            assert self.gate.wait(10)
            self._commit(batch)
        finally:
            self._busy.release()


def submit_in_threads(store: Store, keys: list[str]) -> tuple[list[threading.Thread], dict[str, object]]:
    results: dict[str, object] = {}

    def run(key: str) -> None:
        try:
            results[key] = store.writers.submit(a_pending(key))
        except (AuditError, KeyboardInterrupt) as error:
            results[key] = type(error)

    threads = [threading.Thread(target=run, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    return threads, results


def queued(store: Store, count: int) -> None:
    deadline = time.monotonic() + 10
    while len(store.writers._queue) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_lone_caller_commits_its_own_record() -> None:
    store = Store()
    store.gate.set()
    assert store.writers.submit(a_pending()) is ENTRY
    assert store.batches == [["key"]]


def test_what_queues_while_the_disk_is_busy_is_committed_together() -> None:
    store = Store()
    first, results = submit_in_threads(store, ["first"])
    assert store.entered.wait(10)
    others, more = submit_in_threads(store, [f"k{n}" for n in range(10)])
    queued(store, 10)
    store.gate.set()
    for thread in first + others:
        thread.join(10)
    assert results | more == dict.fromkeys(["first", *(f"k{n}" for n in range(10))], ENTRY)
    assert [sorted(batch) for batch in store.batches] == [["first"], sorted(f"k{n}" for n in range(10))]


@pytest.mark.parametrize("problem", [KeyboardInterrupt, MemoryError, OSError])
def test_when_a_writer_is_broken_off_nobody_waits_and_nobody_has_an_entry(
    problem: type[BaseException],
) -> None:
    def break_off(_: list[Pending]) -> None:
        raise problem

    store = Store(break_off)
    results: dict[str, object] = {}

    def run() -> None:
        try:
            store.writers.submit(a_pending("first"))
        except BaseException as error:  # noqa: BLE001  (whatever it is, it must not be an entry)
            results["first"] = type(error)

    first = threading.Thread(target=run)
    first.start()
    assert store.entered.wait(10)
    others, more = submit_in_threads(store, ["second", "third"])
    queued(store, 2)
    store.gate.set()
    for thread in (first, *others):
        thread.join(10)
        assert not thread.is_alive()
    assert results == {"first": problem}
    assert all(isinstance(result, type) and issubclass(result, BaseException) for result in more.values())
    assert set(more) == {"second", "third"}
    assert store.failures


def test_a_writer_that_forgets_a_record_has_not_written_it() -> None:
    store = Store(lambda _: None)
    store.gate.set()
    with pytest.raises(AuditError, match="broken off"):
        store.writers.submit(a_pending())
    assert store.failures == ["audit log: writing was broken off"]
