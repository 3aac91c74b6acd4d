"""The embedded log as a file on a disk: what it refuses to open, to change and to forget."""

import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from plangate.audit import checkpoint as notes
from plangate.audit import sqlite as store
from plangate.audit.anchor import FILE_NAME as ANCHOR
from plangate.audit.sqlite import FILE_NAME, SqliteLog
from plangate.audit.verify import verify_log
from plangate.errors import AuditError
from tests.tools import ROOT
from tests.unit.audit.builders import ORIGIN, a_log, a_record, a_signer, filled_log

WRITER: Final = """
import sys
from pathlib import Path
from plangate.audit.base import AlreadyRecordedError
from tests.unit.audit.builders import a_log, a_record
name, count = sys.argv[2], int(sys.argv[3])
with a_log(Path(sys.argv[1])) as log:
    for number in range(count):
        log.append(a_record(f"{name}-{number}"), idempotency_key=f"{name}-{number}")
    try:
        log.append(a_record(name), idempotency_key="once", must_be_new=True)
        print("first")
    except AlreadyRecordedError:
        print("too late")
"""


def in_python(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    records = [a_record(str(number)) for number in range(20)]
    for number, record in enumerate(records):
        with a_log(tmp_path / "log") as log:
            assert log.append(record, idempotency_key=str(number)).index == number
    with a_log(tmp_path / "log") as log:
        assert [entry.record for entry in log.entries()] == records
        assert log.path == tmp_path / "log" / FILE_NAME


def test_files_and_folder_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "log"
    old = os.umask(0)
    try:
        with a_log(folder) as log:
            log.append(a_record(), idempotency_key="1")
            everything = (folder.parent, *folder.parent.rglob("*"))
            found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in everything}
    finally:
        os.umask(old)
    files = (".gitignore", FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", ANCHOR)
    assert found == {"state": 0o700, "log": 0o700} | dict.fromkeys(files, 0o600)
    assert (folder.parent / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET record = x'00' WHERE leaf_index = 0",
        "UPDATE entry SET leaf_index = 9 WHERE leaf_index = 4",
        "DELETE FROM entry WHERE leaf_index = 4",
        "DELETE FROM entry",
        "INSERT INTO entry VALUES (6, 'gap', zeroblob(32), x'00')",
        "INSERT INTO entry VALUES (-1, 'before', zeroblob(32), x'00')",
        "INSERT OR REPLACE INTO entry VALUES (2, 'again', zeroblob(32), x'00')",
        "INSERT INTO entry VALUES (2, 'again', zeroblob(32), x'00') ON CONFLICT DO UPDATE SET record = x'00'",
        "INSERT INTO entry VALUES (5, 'text', 'not bytes', x'00')",
        "INSERT INTO entry VALUES (5, 'text', zeroblob(32), '')",
    ],
)
def test_the_table_itself_refuses_to_change_a_record(tmp_path: Path, statement: str) -> None:
    folder = filled_log(tmp_path / "log")
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        before = db.execute("SELECT * FROM entry").fetchall()
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(statement)
        assert db.execute("SELECT * FROM entry").fetchall() == before


def test_the_checkpoint_file_covers_everything_once_the_log_is_closed(tmp_path: Path) -> None:
    with a_log(tmp_path / "log") as log:
        for number in range(30):
            log.append(a_record(str(number)), idempotency_key=str(number))
        current = log.checkpoint()
    assert (tmp_path / "log" / ANCHOR).read_text() == current


def test_the_checkpoint_file_follows_by_itself_within_a_moment(tmp_path: Path) -> None:
    written = threading.Event()
    with a_log(tmp_path / "log") as log:
        for number in range(10):
            log.append(a_record(str(number)), idempotency_key=str(number))
        for _ in range(200):
            if notes.parse((tmp_path / "log" / ANCHOR).read_text()).size == 10:
                break
            written.wait(0.01)
        assert notes.parse((tmp_path / "log" / ANCHOR).read_text()).size == 10


def test_no_record_waits_while_the_checkpoint_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    with a_log(tmp_path / "log") as log:
        log.append(a_record("1"), idempotency_key="1")
        write = log._anchor.advance

        def slowly(note: str) -> None:
            begun.set()
            assert go_on.wait(30)
            write(note)

        monkeypatch.setattr(log._anchor, "advance", slowly)
        log.append(a_record("2"), idempotency_key="2")
        assert begun.wait(30)
        log._anchored_at = float("-inf")
        for number in ("3", "4"):
            log.append(a_record(number), idempotency_key=number)
        assert notes.parse((tmp_path / "log" / ANCHOR).read_text()).size == 1
        go_on.set()
        # What came meanwhile is covered without another record.
        for _ in range(500):
            if notes.parse((tmp_path / "log" / ANCHOR).read_text()).size == 4:
                break
            threading.Event().wait(0.01)
        assert notes.parse((tmp_path / "log" / ANCHOR).read_text()).size == 4


def test_a_log_that_is_longer_than_its_checkpoint_goes_on(tmp_path: Path) -> None:
    """A crash between the commit and the checkpoint file loses nothing and raises no alarm."""
    folder = filled_log(tmp_path / "log", 3)
    early = (folder / ANCHOR).read_bytes()
    with a_log(folder) as log:
        log.append(a_record("after"), idempotency_key="after")
    (folder / ANCHOR).write_bytes(early)
    with a_log(folder) as log:
        assert log.size() == 4
        log.append(a_record("then"), idempotency_key="then")
    assert notes.parse((folder / ANCHOR).read_text()).size == 5


def test_a_checkpoint_that_is_gone_is_never_made_again(tmp_path: Path) -> None:
    folder = filled_log(tmp_path / "log")
    (folder / ANCHOR).unlink()
    with pytest.raises(AuditError, match="checkpoint is gone") as caught:
        a_log(folder)
    assert "plangate audit verify" in caught.value.hint
    assert not (folder / ANCHOR).exists()


def test_a_checkpoint_that_goes_while_the_log_is_open_stops_the_log(tmp_path: Path) -> None:
    log = a_log(tmp_path / "log")
    log.append(a_record("1"), idempotency_key="1")
    (tmp_path / "log" / ANCHOR).unlink()
    log._anchored_at = float("-inf")
    with pytest.raises(AuditError, match="checkpoint is gone"):
        log.append(a_record("2"), idempotency_key="2")
    with pytest.raises(AuditError, match="checkpoint is gone"):
        log.append(a_record("3"), idempotency_key="3")
    log.close()
    assert not (tmp_path / "log" / ANCHOR).exists()


def test_a_checkpoint_that_cannot_be_written_in_the_background_stops_the_log(tmp_path: Path) -> None:
    log = a_log(tmp_path / "log")
    log.append(a_record("1"), idempotency_key="1")
    (tmp_path / "log" / ANCHOR).unlink()
    (tmp_path / "log" / ANCHOR).mkdir()
    log.append(a_record("2"), idempotency_key="2")  # within the moment that the checkpoint file may wait
    timer = log._timer
    assert timer is not None
    timer.join()
    with pytest.raises(AuditError, match="not a regular file"):
        log.append(a_record("3"), idempotency_key="3")
    log.close()


def test_an_older_checkpoint_never_replaces_a_newer_one(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    with a_log(folder) as slow, a_log(folder) as fast:
        slow.append(a_record("1"), idempotency_key="1")
        early = slow.checkpoint()
        for number in range(2, 9):
            fast.append(a_record(str(number)), idempotency_key=str(number))
        fast.close()
        slow._anchor.advance(early)
        assert notes.parse((folder / ANCHOR).read_text()).size == 8


@pytest.mark.parametrize(("seed", "origin"), [(2, ORIGIN), (1, "plangate.dev/log/other")])
def test_a_log_of_another_key_or_name_is_refused(tmp_path: Path, seed: int, origin: str) -> None:
    folder = filled_log(tmp_path / "log")
    with pytest.raises(AuditError, match=r"not signed by a trusted key|of another log"):
        SqliteLog(folder, signer=a_signer(seed), origin=origin)


def _others_may_write(folder: Path) -> None:
    (folder / FILE_NAME).chmod(0o666)


def _link(folder: Path) -> None:
    (folder / FILE_NAME).rename(folder / "elsewhere")
    (folder / FILE_NAME).symlink_to(folder / "elsewhere")


def _dangling_link(folder: Path) -> None:
    (folder / FILE_NAME).unlink()
    (folder / FILE_NAME).symlink_to(folder / "nowhere")


def _folder_in_its_place(folder: Path) -> None:
    (folder / FILE_NAME).unlink()
    (folder / FILE_NAME).mkdir()


def _open_folder(folder: Path) -> None:
    folder.chmod(0o777)


def _another_version(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        db.execute("PRAGMA user_version = 2")


def _not_said_to_be_a_log(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        db.execute("PRAGMA application_id = 0")


def _another_program(folder: Path) -> None:
    (folder / FILE_NAME).unlink()
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        db.execute("PRAGMA user_version = 1")
    (folder / FILE_NAME).chmod(0o600)


def _another_table(folder: Path) -> None:
    (folder / FILE_NAME).unlink()
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        db.execute("CREATE TABLE things (name)")
    (folder / FILE_NAME).chmod(0o600)


@pytest.mark.parametrize(
    "spoil",
    [
        _others_may_write,
        _link,
        _dangling_link,
        _folder_in_its_place,
        _open_folder,
        _another_version,
        _not_said_to_be_a_log,
        _another_program,
        _another_table,
    ],
)
def test_what_is_not_a_private_log_is_not_opened(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    folder = filled_log(tmp_path / "log")
    spoil(folder)
    with pytest.raises(AuditError, match=re.escape(str(folder))):
        a_log(folder)


def test_a_log_is_not_used_on_the_other_side_of_a_fork(tmp_path: Path) -> None:
    with a_log(tmp_path / "log") as log:
        log.append(a_record("1"), idempotency_key="1")
        log._process += 1  # what a forked child sees
        for use in (log.size, log.checkpoint, lambda: log.append(a_record(), idempotency_key="2")):
            with pytest.raises(AuditError, match="open it again after a fork"):
                use()
        log.close()  # must not touch the parent's connection
        log._process -= 1
        assert log.size() == 1


def test_a_log_that_another_process_holds_says_so_and_can_be_used_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_TIMEOUT_S", 0.05)
    with a_log(tmp_path / "log") as log, closing(sqlite3.connect(log.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AuditError, match="database is locked") as caught:
            log.append(a_record(), idempotency_key="1")
        assert "another process held the log" in caught.value.hint
        other.execute("ROLLBACK")
        assert log.append(a_record(), idempotency_key="1").index == 0


def test_processes_that_write_at_once_share_one_tree_and_one_first(tmp_path: Path) -> None:
    names, count = ("a", "b", "c"), 40
    running = [in_python(WRITER, tmp_path / "log", name, count) for name in names]
    said = [process.communicate(timeout=60) for process in running]
    assert sorted(out for out, _ in said) == ["first\n", "too late\n", "too late\n"], said
    with a_log(tmp_path / "log") as log:
        found = {entry.record for entry in log.entries()}
        assert log.size() == len(names) * count + 1
    assert {a_record(f"{name}-{number}") for name in names for number in range(count)} < found
    verification = verify_log(tmp_path / "log", public_keys={a_signer().public_key})
    about_the_tree = [p for p in verification.problems if "schema" not in p.what and "key" not in p.what]
    assert about_the_tree == []
    assert verification.checkpoint is not None
    assert verification.checkpoint.size == len(names) * count + 1


def test_two_logs_in_one_process_see_each_others_records(tmp_path: Path) -> None:
    with a_log(tmp_path / "log") as one, a_log(tmp_path / "log") as two:
        for number in range(20):
            writer = (one, two)[number % 2]
            assert writer.append(a_record(str(number)), idempotency_key=str(number)).index == number
        assert one.checkpoint() == two.checkpoint()
        assert one.append(a_record("1"), idempotency_key="1") == two.append(
            a_record("1"), idempotency_key="1"
        )
