import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from plangate.audit.reading import read_records
from plangate.audit.sqlite import FILE_NAME, SqliteLog
from plangate.errors import AuditError
from tests.unit.audit.builders import ORIGIN, a_signer


def a_log_with(folder: Path, *records: bytes) -> None:
    with SqliteLog(folder, signer=a_signer(), origin=ORIGIN) as log:
        for number, record in enumerate(records):
            log.append(record, idempotency_key=f"key-{number}")


def test_records_of_a_copy_are_read_without_keys_and_without_writing(tmp_path: Path) -> None:
    a_log_with(tmp_path / "log", b'{"body":{},"type":"gap"}')
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / FILE_NAME).write_bytes((tmp_path / "log" / FILE_NAME).read_bytes())
    assert list(read_records(copy)) == [(0, {"body": {}, "type": "gap"})]
    assert [path.name for path in copy.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("record", [b"\xff", b"[]", b"{}", b'{"body":1}'])
def test_a_damaged_record_is_named(tmp_path: Path, record: bytes) -> None:
    a_log_with(tmp_path, b'{"body":{}}', record)
    with pytest.raises(AuditError, match="record 1 is damaged"):
        list(read_records(tmp_path))


def test_a_file_that_is_no_database_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all, and longer than a header" * 30)
    with pytest.raises(AuditError, match="cannot be read"):
        list(read_records(tmp_path))


def test_a_record_that_is_no_bytes_is_damaged(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        db.execute("CREATE TABLE entry (leaf_index INTEGER, record)")
        db.execute("INSERT INTO entry VALUES (0, 7)")
        db.commit()
    with pytest.raises(AuditError, match="record 0 is damaged"):
        list(read_records(tmp_path))
