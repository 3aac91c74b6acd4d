"""The SQLite file itself: how it is made, what is in it, and how it is opened.

The triggers keep honest mistakes out; the tree and its signed checkpoint are what show dishonest ones.
"""

import sqlite3
from pathlib import Path
from typing import Final

from plangate.audit import private_files
from plangate.errors import AuditError

APPLICATION_ID: Final = 0x706C_6761  # "plga"
VERSION: Final = 1

ERRORS: Final = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged file raises: sqlite3 fails to decode its own message when that quotes damaged text."""

STATEMENTS: Final = (
    """CREATE TABLE entry (
    leaf_index INTEGER PRIMARY KEY CHECK (leaf_index >= 0),
    idempotency_key TEXT NOT NULL UNIQUE CHECK (typeof(idempotency_key) = 'text'),
    hashes BLOB NOT NULL CHECK (typeof(hashes) = 'blob' AND length(hashes) >= 32),
    record BLOB NOT NULL CHECK (typeof(record) = 'blob' AND length(record) > 0)
)""",
    """CREATE TRIGGER entry_is_next BEFORE INSERT ON entry
WHEN NEW.leaf_index IS NOT (SELECT coalesce(max(leaf_index) + 1, 0) FROM entry)
BEGIN SELECT RAISE(ABORT, 'records are numbered without gaps'); END""",
    """CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'records are never changed'); END""",
    """CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'records are never removed'); END""",
)


def connect(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the store for writing, making it when it is not there.

    Returns:
        A connection in autocommit mode that any thread may use, one at a time.

    Raises:
        AuditError: It cannot be opened, or is something else.
    """
    _prepare_file(path)
    try:
        db = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
        try:
            _set_up(db, path)
        except BaseException:
            db.close()
            raise
    except ERRORS as error:
        raise AuditError(f"{path}: cannot open the audit log: {error}") from error
    return db


def lenient_text(content: bytes) -> str:
    """Text from a file that may be damaged: what is not UTF-8 becomes something that matches nothing."""
    return content.decode("utf-8", "replace")


def check(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not a log, or whose table or triggers were changed.

    Raises:
        AuditError: As said.
        sqlite3.Error: It cannot be read; or another of `ERRORS`.
    """
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise AuditError(f"{path}: not an audit log")
    if version != VERSION:
        raise AuditError(f"{path}: an audit log of version {version} (supported: {VERSION})")
    found = {sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    if found != set(STATEMENTS):
        raise AuditError(f"{path}: the audit log's table or triggers were changed")


def _set_up(db: sqlite3.Connection, path: Path) -> None:
    db.text_factory = lenient_text
    db.execute("PRAGMA trusted_schema = OFF")
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise AuditError(f"{path}: no write-ahead log on this file system (got {mode})")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone leaves the data in the drive's cache
    # NOTE: the write-ahead log stays at SQLite's own 1,000 pages on purpose. Once it has been filled, commits
    # overwrite it in place, and an fsync that does not grow a file takes half the time.
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == 0:
        _create(db)
    check(db, path)


def _create(db: sqlite3.Connection) -> None:
    """Make the table in an empty file. Another process may be doing the same."""
    db.execute("BEGIN IMMEDIATE")
    try:
        (objects,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if objects == 0:
            for statement in STATEMENTS:
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def _prepare_file(path: Path) -> None:
    """Make the file with mode 0600 before SQLite makes it with another; its companions inherit the mode.

    NOTE: never open() a file that SQLite may have open in this process: closing it again would drop SQLite's
    locks, and another process could then remove the write-ahead log under us (sqlite.org/howtocorrupt.html,
    2.2).
    """
    if private_files.create(path, b""):
        return
    try:
        found = path.lstat()
    except OSError as error:
        raise AuditError(f"{path}: cannot open the audit log: {error.strerror}") from error
    private_files.check_regular(path, found)


def connect_reading(path: Path) -> sqlite3.Connection:
    """Open the store for reading only.

    Without a write-ahead log beside it nobody has the file open, and it is opened as immutable: nothing at
    all is written then. With one, SQLite may write its index of that log (``-shm``), never a record.
    """
    if not path.is_file():
        raise AuditError("no such file")
    wal = path.with_name(path.name + "-wal")
    mode = "mode=ro" if wal.exists() else "mode=ro&immutable=1"
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
    db.text_factory = lenient_text
    return db


def hint(error: Exception, busy_timeout_s: float) -> str:
    """What to do about an error of the store; empty when nobody knows."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_BUSY"):
        return f"another process held the log for {busy_timeout_s:.0f} s; try again"
    if name == "SQLITE_FULL":
        return "the disk is full: nothing can be decided until there is room for the record"
    return ""
