"""Many records in one commit, and the fast way to canonical JSON: the same as one by one, and as the whole algorithm."""

import threading
from pathlib import Path

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from plangate.audit.base import AlreadyRecordedError, Entry
from plangate.audit.keys import signing_key
from plangate.audit.record import canonical
from plangate.audit.sqlite import SqliteLog
from plangate.audit.verify import verify_log
from plangate.errors import AuditError

VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.text(st.characters(exclude_categories=["Cs"]))
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=20,
)  # fmt: skip


def log_in(folder: Path) -> SqliteLog:
    key = signing_key(folder, "log")
    return SqliteLog(folder, signer=key, origin=key.name)


@given(document=VALUES)
def test_the_fast_way_gives_the_canonical_form(document: object) -> None:
    try:
        expected = rfc8785.dumps(document)  # type: ignore[arg-type]  # values of JSON
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return
    assert canonical(document) == expected


def test_a_batch_is_what_its_records_would_be_one_by_one(tmp_path: Path) -> None:
    records = [(b"{%d}" % number, f"key-{number % 5}", False) for number in range(8)]
    with log_in(tmp_path / "one") as one:
        expected: list[Entry | str] = []
        for record, key, _ in records:
            try:
                expected.append(one.append(record, idempotency_key=key))
            except AuditError as error:
                expected.append(type(error).__name__)
    with log_in(tmp_path / "many") as many:
        found = [
            answer if isinstance(answer, Entry) else type(answer).__name__
            for answer in many.append_all(records)
        ]
        assert found == expected
        assert many.failure is None
        assert many.size() == 5


def test_one_that_is_refused_spoils_no_other(tmp_path: Path) -> None:
    with log_in(tmp_path) as log:
        first, empty, again, long_key, last = log.append_all(
            [(b"{1}", "a", True), (b"", "b", False), (b"{1}", "a", True), (b"{2}", "k" * 257, False), (b"{3}", "c", True)]
        )  # fmt: skip
        assert isinstance(first, Entry)
        assert isinstance(last, Entry)
        assert (first.index, last.index) == (0, 1)
        assert isinstance(again, AlreadyRecordedError)
        assert isinstance(empty, AuditError)
        assert isinstance(long_key, AuditError)
        assert log.append_all([]) == []


def test_batches_and_single_records_of_many_threads_make_one_log(tmp_path: Path) -> None:
    entries: list[Entry | AuditError] = []
    with log_in(tmp_path) as log:

        def batches(name: int) -> None:
            for number in range(10):
                entries.extend(
                    log.append_all(
                        [(b"{%d%d%d}" % (name, number, n), f"{name}-{number}-{n}", True) for n in range(3)]
                    )
                )
                entries.append(log.append(b"{%d%d}" % (name, number), idempotency_key=f"{name}-{number}"))

        threads = [threading.Thread(target=batches, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(entry.index for entry in entries if isinstance(entry, Entry)) == list(range(160))
        public = signing_key(tmp_path, "log").public_key
    problems = verify_log(tmp_path, public_keys=[public]).problems
    assert not [problem for problem in problems if "tree" in str(problem) or "hash" in str(problem)]


def test_a_log_that_failed_says_so_to_every_record_of_a_batch(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.close()
    answers = log.append_all([(b"{1}", "a", False), (b"{2}", "b", False)])
    assert all(isinstance(answer, AuditError) for answer in answers)
    assert log.failure is not None
