"""What every log does, the real one and the double alike."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plangate.audit import checkpoint as notes
from plangate.audit.base import (
    MAX_KEY_CHARACTERS,
    MAX_RECORD_BYTES,
    AlreadyRecordedError,
    Entry,
    Log,
    StoredRecord,
)
from plangate.audit.memory import InMemoryLog
from plangate.audit.merkle import Tree, leaf_hash, verify_consistency, verify_inclusion
from plangate.audit.sqlite import SqliteLog
from plangate.errors import AuditError
from tests.unit.audit.builders import ORIGIN, a_record, a_signer

LOGS: dict[str, Callable[[Path], Log]] = {
    "sqlite": lambda folder: SqliteLog(folder / "log", signer=a_signer(), origin=ORIGIN),
    "memory": lambda _: InMemoryLog(signer=a_signer(), origin=ORIGIN),
}


@pytest.fixture(params=LOGS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    made = LOGS[request.param](tmp_path)
    yield made
    made.close()


def fill(log: Log, count: int) -> Tree:
    tree = Tree()
    for number in range(count):
        record = a_record(str(number))
        log.append(record, idempotency_key=f"key-{number}")
        tree.append(leaf_hash(record))
    return tree


def test_entries_say_where_a_record_is_and_what_the_tree_was_then(log: Log) -> None:
    tree = Tree()
    for number in range(9):
        record = a_record(str(number))
        tree.append(leaf_hash(record))
        assert log.append(record, idempotency_key=f"key-{number}") == Entry(
            index=number, size=number + 1, root=tree.root(), leaf_hash=leaf_hash(record)
        )
    assert log.size() == 9


def test_records_come_back_in_order_and_as_they_were(log: Log) -> None:
    fill(log, 600)
    everything = [StoredRecord(index=number, record=a_record(str(number))) for number in range(600)]
    assert list(log.entries()) == everything
    assert list(log.entries(3, 5)) == everything[3:5]
    assert list(log.entries(599)) == everything[599:]
    assert list(log.entries(600)) == []
    assert list(log.entries(5, 3)) == []


def test_a_record_is_found_by_its_key(log: Log) -> None:
    fill(log, 3)
    assert log.find("key-1") == StoredRecord(index=1, record=a_record("1"))
    assert log.find("key-9") is None


def test_writing_the_same_again_changes_nothing_and_says_where_it_is(log: Log) -> None:
    first = log.append(a_record("first"), idempotency_key="first")
    fill(log, 5)
    assert log.append(a_record("first"), idempotency_key="first") == first
    assert log.size() == 6


def test_writing_something_else_under_the_same_key_is_refused(log: Log) -> None:
    fill(log, 2)
    with pytest.raises(AuditError, match="already in the log with other content, at index 1"):
        log.append(a_record("other"), idempotency_key="key-1")
    assert [entry.record for entry in log.entries()] == [a_record("0"), a_record("1")]


def test_a_record_that_must_be_new_is_refused_the_second_time_even_if_it_is_the_same(log: Log) -> None:
    entry = log.append(a_record("once"), idempotency_key="once", must_be_new=True)
    for record in (a_record("once"), a_record("twice")):
        with pytest.raises(AlreadyRecordedError):
            log.append(record, idempotency_key="once", must_be_new=True)
    assert (entry.index, log.size()) == (0, 1)


def test_after_a_refusal_the_log_takes_the_next_record(log: Log) -> None:
    tree = fill(log, 2)
    with pytest.raises(AuditError):
        log.append(a_record("other"), idempotency_key="key-1")
    tree.append(leaf_hash(a_record("next")))
    assert log.append(a_record("next"), idempotency_key="next").root == tree.root()


def test_of_many_callers_with_one_key_one_is_the_first(log: Log) -> None:
    outcomes: list[object] = []

    def claim(number: int) -> None:
        try:
            outcomes.append(log.append(a_record(str(number)), idempotency_key="once", must_be_new=True).index)
        except AlreadyRecordedError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == sorted(map(str, [0, *[AlreadyRecordedError] * 15]))


def test_many_callers_get_one_place_each_in_one_tree(log: Log) -> None:
    entries: dict[str, Entry] = {}

    def write(name: int) -> None:
        for number in range(25):
            key = f"{name}-{number}"
            entries[key] = log.append(a_record(key), idempotency_key=key)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tree = Tree()
    for entry in log.entries():
        tree.append(leaf_hash(entry.record))
    assert sorted(entry.index for entry in entries.values()) == list(range(200))
    assert {key: log.find(key) for key in entries} == {
        key: StoredRecord(index=entry.index, record=a_record(key)) for key, entry in entries.items()
    }
    assert all(entry.root == tree.root(entry.size) for entry in entries.values())


def test_its_proofs_and_checkpoints_fit_together(log: Log) -> None:
    tree = fill(log, 11)
    old = notes.verify(log.checkpoint(), public_keys=[a_signer().public_key], origin=ORIGIN)
    log.append(a_record("last"), idempotency_key="last")
    new = notes.verify(log.checkpoint(), public_keys=[a_signer().public_key], origin=ORIGIN)
    assert (old.size, old.root, new.size) == (11, tree.root(), 12)
    for index, entry in enumerate(log.entries()):
        verify_inclusion(
            leaf=leaf_hash(entry.record),
            index=index,
            size=12,
            proof=log.inclusion(index, 12),
            root=new.root,
        )
    verify_consistency(old=11, new=12, old_root=old.root, new_root=new.root, proof=log.consistency(11, 12))


def test_an_empty_log_signs_that_it_is_empty(log: Log) -> None:
    checkpoint = notes.verify(log.checkpoint(), public_keys=[a_signer().public_key])
    assert (checkpoint.origin, checkpoint.size) == (log.origin, log.size()) == (ORIGIN, 0)


def test_it_proves_nothing_about_what_is_not_there(log: Log) -> None:
    fill(log, 3)
    for index, size in ((3, 3), (0, 4)):
        with pytest.raises(AuditError):
            log.inclusion(index, size)
    for old, new in ((1, 4), (3, 2)):
        with pytest.raises(AuditError):
            log.consistency(old, new)


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (b"", "key"),
        (b"x" * (MAX_RECORD_BYTES + 1), "key"),
        (b"x", ""),
        (b"x", "k" * (MAX_KEY_CHARACTERS + 1)),
    ],
)
def test_what_no_log_may_take_is_refused(log: Log, record: bytes, key: str) -> None:
    with pytest.raises(AuditError):
        log.append(record, idempotency_key=key)
    assert log.size() == 0


def test_the_largest_record_is_taken(log: Log) -> None:
    record = b"x" * MAX_RECORD_BYTES
    log.append(record, idempotency_key="k" * MAX_KEY_CHARACTERS)
    assert [entry.record for entry in log.entries()] == [record]


def test_a_closed_log_does_nothing_more_and_closes_again(log: Log) -> None:
    fill(log, 1)
    log.close()
    log.close()
    uses: tuple[Callable[[], object], ...] = (
        lambda: log.append(a_record(), idempotency_key="key"),
        log.size,
        lambda: list(log.entries()),
        lambda: log.find("key"),
        log.checkpoint,
        lambda: log.inclusion(0, 1),
        lambda: log.consistency(0, 1),
    )
    for use in uses:
        with pytest.raises(AuditError, match="the log is closed"):
            use()


def test_every_log_module_is_under_this_contract() -> None:
    folder = Path(__file__).parents[2] / "src" / "plangate" / "audit"
    stores = {path.stem for path in folder.glob("*.py") if "def consistency(" in path.read_text("utf-8")}
    assert stores == {"base", *LOGS}
