"""Verification finds whatever was done to a log behind the back of its triggers."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from plangate.audit import checkpoint as notes
from plangate.audit.anchor import FILE_NAME as ANCHOR
from plangate.audit.bundle import write_bundle
from plangate.audit.checkpoint import Checkpoint
from plangate.audit.decision_record import decision_record
from plangate.audit.merkle import Frontier, leaf_hash
from plangate.audit.record import canonical
from plangate.audit.sqlite import FILE_NAME
from plangate.audit.verify import MAX_PROBLEMS, Problem, Verification, verify_bundle, verify_log
from plangate.errors import AuditError
from tests.tools import ROOT
from tests.unit.audit.builders import (
    ORIGIN,
    a_decision,
    a_log,
    a_record,
    a_signer,
    a_stamp,
    behind_the_triggers,
    filled_log,
)

KEYS = frozenset({a_signer().public_key})


def verified(folder: Path, **more: object) -> Verification:
    return verify_log(folder, public_keys=KEYS, **more)  # type: ignore[arg-type]


def said(verification: Verification) -> list[str]:
    assert verification.ok is (not verification.problems)
    return [str(problem) for problem in verification.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return filled_log(tmp_path / "log")


def test_a_log_that_nobody_touched_verifies(folder: Path) -> None:
    verification = verified(folder, origin=ORIGIN)
    note = (folder / ANCHOR).read_text()
    checkpoint = notes.parse(note)
    assert verification == Verification(
        size=5, root=checkpoint.root, checkpoint=checkpoint, types=(("decision", 5),), problems=()
    )
    assert verification.ok
    verification.require()


def test_an_empty_log_verifies(tmp_path: Path) -> None:
    a_log(tmp_path / "log").close()
    assert said(verified(tmp_path / "log")) == []


def test_verifying_writes_nothing(folder: Path) -> None:
    def state() -> dict[str, tuple[int, bytes]]:
        return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}

    before = state()
    verified(folder)
    assert state() == before


def test_a_log_verifies_while_it_is_being_written(tmp_path: Path) -> None:
    filled_log(tmp_path / "log")
    with a_log(tmp_path / "log") as log:
        for number in range(5, 15):
            record = decision_record(a_stamp(), a_decision(decision_id=f"decision-{number}"))
            log.append(record.encode(), idempotency_key=record.idempotency_key)
            verification = verified(tmp_path / "log")
            assert (said(verification), verification.size) == ([], number + 1)


def _flip(db: sqlite3.Connection) -> None:
    (record,) = db.execute("SELECT record FROM entry WHERE leaf_index = 2").fetchone()
    flipped = record.replace(b'"environment":"prod"', b'"environment":"qrod"')
    assert flipped != record
    db.execute("UPDATE entry SET record = ? WHERE leaf_index = 2", (flipped,))


def _swap(db: sqlite3.Connection) -> None:
    db.execute("UPDATE entry SET leaf_index = 99 WHERE leaf_index = 1")
    db.execute("UPDATE entry SET leaf_index = 1 WHERE leaf_index = 3")
    db.execute("UPDATE entry SET leaf_index = 3 WHERE leaf_index = 99")


def _swap_contents(db: sqlite3.Connection) -> None:
    rows = dict(db.execute("SELECT leaf_index, record FROM entry"))
    db.execute("UPDATE entry SET record = ? WHERE leaf_index = 1", (rows[3],))
    db.execute("UPDATE entry SET record = ? WHERE leaf_index = 3", (rows[1],))


def _close_ranks(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM entry WHERE leaf_index = 2")
    db.execute("UPDATE entry SET leaf_index = leaf_index - 1 WHERE leaf_index > 2")


def _rehash(db: sqlite3.Connection) -> None:
    """Recompute every stored hash, as the log itself would have written them."""
    frontier = Frontier()
    for index, record in db.execute("SELECT leaf_index, record FROM entry ORDER BY leaf_index").fetchall():
        frontier, nodes = frontier.append(leaf_hash(record))
        db.execute("UPDATE entry SET hashes = ? WHERE leaf_index = ?", (b"".join(nodes), index))


def _flip_and_rehash(db: sqlite3.Connection) -> None:
    _flip(db)
    _rehash(db)


TAMPERED: dict[str, tuple[Callable[[sqlite3.Connection], object], list[str]]] = {
    "a byte of a record": (
        _flip,
        [
            "record 2: its content and its stored hash do not belong together",
            "record 3: its stored hashes of earlier records do not fit those records",
            "the first 5 records are not those that the checkpoint was signed over",
        ],
    ),
    "the last record removed": (
        lambda db: db.execute("DELETE FROM entry WHERE leaf_index = 4"),
        ["the checkpoint was signed over 5 records, 1 are missing"],
    ),
    "the last records removed": (
        lambda db: db.execute("DELETE FROM entry WHERE leaf_index > 1"),
        ["the checkpoint was signed over 5 records, 3 are missing"],
    ),
    "every record removed": (
        lambda db: db.execute("DELETE FROM entry"),
        ["the checkpoint was signed over 5 records, 5 are missing"],
    ),
    "a middle record removed": (
        lambda db: db.execute("DELETE FROM entry WHERE leaf_index = 2"),
        [
            "record 2: expected record 2 here, found 3",
            "record 2: its stored hashes of earlier records do not fit those records",
            "record 3: expected record 3 here, found 4",
            "record 3: its stored hashes of earlier records do not fit those records",
            "the checkpoint was signed over 5 records, 1 are missing",
        ],
    ),
    "a middle record removed and the rest moved up": (
        _close_ranks,
        [
            "record 2: its stored hashes of earlier records do not fit those records",
            "record 3: its stored hashes of earlier records do not fit those records",
            "the checkpoint was signed over 5 records, 1 are missing",
        ],
    ),
    "two records swapped": (
        _swap,
        [
            "record 1: its stored hashes of earlier records do not fit those records",
            "record 3: its stored hashes of earlier records do not fit those records",
            "the first 5 records are not those that the checkpoint was signed over",
        ],
    ),
    "the contents of two records swapped": (
        _swap_contents,
        [
            "record 1: its content and its stored hash do not belong together",
            "record 1: stored under another idempotency key than its own",
            "record 3: its content and its stored hash do not belong together",
            "record 3: stored under another idempotency key than its own",
            "the first 5 records are not those that the checkpoint was signed over",
        ],
    ),
    "a record changed and every hash made anew": (
        _flip_and_rehash,
        ["the first 5 records are not those that the checkpoint was signed over"],
    ),
    "a stored hash changed": (
        lambda db: db.execute("UPDATE entry SET hashes = zeroblob(32) WHERE leaf_index = 2"),
        ["record 2: its content and its stored hash do not belong together"],
    ),
    "a stored node left out": (
        lambda db: db.execute("UPDATE entry SET hashes = substr(hashes, 1, 32) WHERE leaf_index = 3"),
        ["record 3: its stored hashes of earlier records do not fit those records"],
    ),
    "an idempotency key changed": (
        lambda db: db.execute("UPDATE entry SET idempotency_key = 'free again' WHERE leaf_index = 1"),
        ["record 1: stored under another idempotency key than its own"],
    ),
}


@pytest.mark.parametrize(("change", "problems"), TAMPERED.values(), ids=TAMPERED)
def test_whatever_was_changed_is_found(
    folder: Path, change: Callable[[sqlite3.Connection], object], problems: list[str]
) -> None:
    behind_the_triggers(folder, change)
    verification = verified(folder)
    assert said(verification) == problems
    with pytest.raises(AuditError, match="does not verify"):
        verification.require()


@pytest.mark.parametrize(
    "change",
    [
        TAMPERED["the last record removed"][0],
        TAMPERED["every record removed"][0],
        TAMPERED["a middle record removed and the rest moved up"][0],
        _flip_and_rehash,
        lambda db: db.execute("UPDATE entry SET hashes = zeroblob(96) WHERE leaf_index = 3"),
    ],
)
def test_what_can_be_seen_without_reading_everything_is_refused_on_opening(
    folder: Path, change: Callable[[sqlite3.Connection], object]
) -> None:
    behind_the_triggers(folder, change)
    with pytest.raises(AuditError, match=r"missing|not those"):
        a_log(folder)


def test_a_log_that_is_too_short_says_how_many_records_there_were(folder: Path) -> None:
    behind_the_triggers(folder, TAMPERED["the last records removed"][0])
    with pytest.raises(
        AuditError, match="2 records, but its checkpoint was signed over 5: records are missing"
    ):
        a_log(folder)


def test_a_record_that_was_changed_is_never_read_as_if_it_were_genuine(folder: Path) -> None:
    behind_the_triggers(folder, _flip)
    with a_log(folder) as log, pytest.raises(AuditError, match="record 2 was changed"):
        list(log.entries())
    with a_log(folder) as log, pytest.raises(AuditError, match="record 2 was changed"):
        log.find("decision:decision-2")


def test_a_log_that_was_written_anew_with_another_key_does_not_verify(tmp_path: Path) -> None:
    forged = filled_log(tmp_path / "forged")
    behind_the_triggers(forged, _flip_and_rehash)
    with closing(sqlite3.connect(forged / FILE_NAME)) as db:
        frontier = Frontier()
        for (record,) in db.execute("SELECT record FROM entry ORDER BY leaf_index"):
            frontier, _ = frontier.append(leaf_hash(record))
    note = notes.sign(Checkpoint(origin=ORIGIN, size=5, root=frontier.root()), a_signer(66))
    (forged / ANCHOR).write_text(note)
    assert said(verify_log(forged, public_keys={a_signer(66).public_key})) == []
    verification = verified(forged)
    assert [str(problem) for problem in verification.problems] == [
        "the checkpoint: checkpoint: not signed by a trusted key"
    ]
    assert not verification.ok
    with pytest.raises(AuditError, match="not signed by a trusted key"):
        a_log(forged)


def test_a_checkpoint_that_is_gone_is_missed(folder: Path) -> None:
    (folder / ANCHOR).unlink()
    verification = verified(folder)
    assert [str(problem) for problem in verification.problems] == ["the signed checkpoint is missing"]
    assert (verification.ok, verification.checkpoint) == (False, None)


@pytest.mark.parametrize("content", [b"", b"\xff", b"x" * 20_000, b"plangate.dev/log/test\n5\n"])
def test_a_checkpoint_that_is_none_is_no_checkpoint(folder: Path, content: bytes) -> None:
    (folder / ANCHOR).write_bytes(content)
    verification = verified(folder)
    assert not verification.ok
    assert len(verification.problems) == 1


def test_a_log_of_another_name_does_not_verify(folder: Path) -> None:
    assert not verified(folder, origin="plangate.dev/log/other").ok


def test_no_key_verifies_nothing(folder: Path) -> None:
    assert not verify_log(folder, public_keys=()).ok


def test_growth_from_an_older_checkpoint_verifies_and_another_history_does_not(
    folder: Path, tmp_path: Path
) -> None:
    old = (folder / ANCHOR).read_text()
    with a_log(folder) as log:
        record = decision_record(a_stamp(), a_decision(decision_id="one more"))
        log.append(record.encode(), idempotency_key=record.idempotency_key)
    assert said(verified(folder, old_checkpoint=old)) == []
    with a_log(tmp_path / "other") as log:
        record = decision_record(a_stamp(), a_decision(decision_id="another start"))
        log.append(record.encode(), idempotency_key=record.idempotency_key)
    assert said(verified(tmp_path / "other", old_checkpoint=old)) == [
        "the older checkpoint was signed over 5 records, 4 are missing"
    ]
    another_history = filled_log(tmp_path / "another history", 6)
    assert said(verified(another_history, old_checkpoint=old)) == [
        "the first 5 records are not those that the older checkpoint was signed over"
    ]


def test_a_log_put_back_whole_is_only_shown_by_a_checkpoint_kept_elsewhere(tmp_path: Path) -> None:
    folder = filled_log(tmp_path / "log", 3)
    early = {path.name: path.read_bytes() for path in folder.iterdir()}
    with a_log(folder) as log:
        record = decision_record(a_stamp(), a_decision(decision_id="regretted"))
        log.append(record.encode(), idempotency_key=record.idempotency_key)
        kept_elsewhere = log.checkpoint()
    for name, content in early.items():
        (folder / name).write_bytes(content)
    assert said(verified(folder)) == []
    assert said(verified(folder, old_checkpoint=kept_elsewhere)) == [
        "the older checkpoint was signed over 4 records, 1 are missing"
    ]


def test_an_older_checkpoint_of_another_key_or_log_proves_nothing(folder: Path) -> None:
    checkpoint = notes.parse((folder / ANCHOR).read_text())
    strangers = notes.sign(checkpoint, a_signer(9))
    renamed = Checkpoint(origin="another/log", size=5, root=checkpoint.root)
    assert said(verified(folder, old_checkpoint=strangers)) == [
        "the older checkpoint: checkpoint: not signed by a trusted key"
    ]
    assert said(verified(folder, old_checkpoint=notes.sign(renamed, a_signer()))) == [
        "the older checkpoint is of another log"
    ]


def test_records_that_are_none_are_named(tmp_path: Path) -> None:
    with a_log(tmp_path / "log") as log:
        good = decision_record(a_stamp(), a_decision()).encode()
        log.append(good, idempotency_key=f"decision:{a_decision()['decision_id']}")
        for number, record in enumerate(
            (
                good.replace(b",", b", ", 1),
                good.replace(b'"type":"decision"', b'"type":"decisions"'),
                good.replace(b'"engine":', b'"motor":'),
                good[:-1] + b',"type":"decision"}',
                canonical([]),
                b"\xff",
            )
        ):
            log.append(record, idempotency_key=f"bad-{number}")
    lines = said(verified(tmp_path / "log"))
    assert lines == [
        "record 1: not canonical JSON",
        "record 1: stored under another idempotency key than its own",
        f"record 1: the idempotency key 'decision:{a_decision()['decision_id']}' is there twice",
        "record 2: /type: does not fit the record schema",
        "record 3: /body/policy: does not fit the record schema",
        "record 4: the key 'type' is there twice",
        "record 5: /: does not fit the record schema",
        "record 6: not UTF-8",
    ]


def test_what_no_store_would_have_taken_is_named(folder: Path) -> None:
    def replace_table(db: sqlite3.Connection) -> None:
        rows = db.execute("SELECT * FROM entry ORDER BY leaf_index").fetchall()
        db.execute("DROP TABLE entry")
        db.execute("CREATE TABLE entry (leaf_index, idempotency_key, hashes, record)")
        for index, key, hashes, record in rows:
            wrong = {1: b"x" * 70_000, 2: "a text"}
            db.execute(
                "INSERT INTO entry VALUES (?, ?, ?, ?)", (index, key, hashes, wrong.get(index, record))
            )

    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as db:
        replace_table(db)
    assert [line.removeprefix(str(folder)) for line in said(verified(folder))] == [
        f"/{FILE_NAME}: the audit log's table or triggers were changed",
        "record 1: its content and its stored hash do not belong together",
        "record 1: 70000 bytes (at most 65536)",
        "record 2: not bytes",
        "the checkpoint was signed over 5 records, 3 are missing",
    ]


def test_problems_beyond_the_first_hundred_are_counted(tmp_path: Path) -> None:
    with a_log(tmp_path / "log") as log:
        for number in range(MAX_PROBLEMS + 20):
            log.append(a_record(str(number)), idempotency_key=str(number))
    verification = verified(tmp_path / "log")
    assert (len(verification.problems), verification.more_problems) == (MAX_PROBLEMS, 20)
    with pytest.raises(AuditError, match=r"\(120 problems\)"):
        verification.require()


def test_triggers_that_are_gone_are_missed(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        db.execute("DROP TRIGGER entry_stays")
    (problem,) = said(verified(folder))
    assert problem.endswith("the audit log's table or triggers were changed")
    with pytest.raises(AuditError, match="triggers were changed"):
        a_log(folder)


def test_an_index_that_hides_a_key_is_found(folder: Path) -> None:
    """The unique index is what makes a key good for once: a copy that lacks it must not pass."""
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE type = 'index'").fetchone()
        (page_size,) = db.execute("PRAGMA page_size").fetchone()
    with (folder / FILE_NAME).open("r+b") as file:
        file.seek((page - 1) * page_size)
        file.write(b"\x0a" + bytes(4) + page_size.to_bytes(2) + bytes(1))  # an index page without entries
    assert any("the file is damaged" in problem for problem in said(verified(folder)))


def test_every_broken_byte_is_found_or_harmless(folder: Path) -> None:
    """Break bytes all over the file: verification says so, or every record is exactly what was signed."""
    content = (folder / FILE_NAME).read_bytes()
    records = _records(folder)
    for at in range(0, len(content), 497):
        broken = bytearray(content)
        broken[at] ^= 0xFF
        (folder / FILE_NAME).write_bytes(bytes(broken))
        if verified(folder).ok:
            assert _records(folder) == records


def _records(folder: Path) -> list[tuple[bytes]]:
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        return db.execute("SELECT record FROM entry ORDER BY leaf_index").fetchall()


@pytest.mark.parametrize("content", [None, b"", b"not a database, but long enough to be looked at" * 100])
def test_a_file_that_is_no_log_does_not_verify(tmp_path: Path, content: bytes | None) -> None:
    folder = filled_log(tmp_path / "log")
    (folder / FILE_NAME).unlink()
    if content is not None:
        (folder / FILE_NAME).write_bytes(content)
        (folder / FILE_NAME).chmod(0o600)
    verification = verified(folder)
    assert not verification.ok
    assert verification.size == 0
    with pytest.raises(AuditError):
        a_log(folder)


def test_losing_the_write_ahead_log_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    program = """if True:
        import os, sys
        from pathlib import Path
        from tests.unit.audit.builders import a_log, a_record
        log = a_log(Path(sys.argv[1]))
        for number in range(5):
            log.append(a_record(str(number)), idempotency_key=str(number))
        log._write_anchor()
        os._exit(0)  # without closing, the last records are in the write-ahead log
    """
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    subprocess.run([sys.executable, "-c", program, folder], check=True, cwd=ROOT, env=environment)
    assert stat.S_IMODE((folder / f"{FILE_NAME}-wal").stat().st_mode) == 0o600
    (folder / f"{FILE_NAME}-wal").unlink()
    assert not verified(folder).ok
    with pytest.raises(AuditError):
        a_log(folder)


def a_bundle(folder: Path, path: Path) -> Path:
    with a_log(folder) as log, path.open("wb") as file:
        assert write_bundle(log, file) == log.size()
    return path


def test_an_exported_log_verifies_like_the_log_itself(folder: Path, tmp_path: Path) -> None:
    bundle = a_bundle(folder, tmp_path / "export")
    assert verify_bundle(bundle, public_keys=KEYS, origin=ORIGIN) == verified(folder)


BUNDLES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a record removed": (
        lambda lines: lines[:3] + lines[4:],
        "the checkpoint was signed over 5 records, 1 are missing",
    ),
    "the last record removed": (
        lambda lines: lines[:-1],
        "the checkpoint was signed over 5 records, 1 are missing",
    ),
    "a byte changed": (
        lambda lines: [*lines[:2], lines[2].replace(b"prod", b"qrod"), *lines[3:]],
        "the first 5 records are not those that the checkpoint was signed over",
    ),
    "two records swapped": (
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        "the first 5 records are not those that the checkpoint was signed over",
    ),
    "a record added": (
        lambda lines: [*lines, lines[1].replace(b"decision-0", b"decision-9")],
        "1 records are not covered by the checkpoint",
    ),
    "another first line": (lambda lines: [b"{}\n", *lines[1:]], "not an exported audit log"),
    "no checkpoint": (
        lambda lines: [b'{"schema":"plangate.dev/log-bundle/v1"}\n', *lines[1:]],
        "no checkpoint",
    ),
    "nothing": (lambda _: [], "not JSON"),
    "cut off": (lambda lines: [*lines[:-1], lines[-1][:-20]], "was cut off"),
    "a line without end": (lambda lines: [*lines, b"x" * 70_000], "too long or was cut off"),
}


@pytest.mark.parametrize(("change", "problem"), BUNDLES.values(), ids=BUNDLES)
def test_whatever_was_changed_in_an_export_is_found(
    folder: Path, tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], problem: str
) -> None:
    path = a_bundle(folder, tmp_path / "export")
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    verification = verify_bundle(path, public_keys=KEYS)
    assert not verification.ok
    assert problem in str(verification.problems[-1])


def test_an_export_that_is_not_there_does_not_verify(tmp_path: Path) -> None:
    assert not verify_bundle(tmp_path / "none", public_keys=KEYS).ok


def test_a_problem_says_which_record_it_is_about() -> None:
    assert str(Problem(index=3, what="gone")) == "record 3: gone"
    assert str(Problem(index=None, what="gone")) == "gone"
