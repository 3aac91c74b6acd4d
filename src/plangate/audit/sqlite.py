"""The embedded log: one SQLite file and one checkpoint file in a private folder.

The rules this module keeps, beside those of `plangate.audit.base`:

1. **One writer at a time, many records a commit**: see `plangate.audit.group_commit`.
2. **Processes take turns.** Size and tree are read again inside the write transaction whenever another
   process may have written, so the tree cannot fork.
3. **A log that failed stays failed.** After an error in a commit it is not known what is on the disk; every
   further call on this object raises until the log is opened, and so compared with its checkpoint, again.
4. **On opening, the store is held against its last signed checkpoint** and refused when it is shorter or
   different.

The row of record ``i`` also holds the hashes of every full tree node that it completed (its leaf, then level
1, 2, …), so a row is all there is to write, and the node at (level, position) is in row ``(position + 1 <<
level) - 1``.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from plangate.audit import checkpoint as notes
from plangate.audit import merkle, private_files, sqlite_schema
from plangate.audit.anchor import Anchor, missing
from plangate.audit.base import AlreadyRecordedError, Entry, StoredRecord, check_append
from plangate.audit.checkpoint import Checkpoint, Signer
from plangate.audit.group_commit import GroupCommit, Pending
from plangate.audit.merkle import HASH_SIZE, Frontier
from plangate.errors import AuditError

FILE_NAME: Final = "log.sqlite3"
ANCHOR_INTERVAL_S: Final = 0.1
"""Under load the checkpoint file is written this often at most; the records themselves never wait for it."""
BUSY_TIMEOUT_S: Final = 10.0
_PAGE_ROWS: Final = 256


class SqliteLog:
    """A `plangate.audit.base.Log` in a folder."""

    def __init__(self, folder: Path, *, signer: Signer, origin: str) -> None:
        """Open the log in ``folder``, or begin one.

        Raises:
            AuditError: It cannot be opened, or is not what its last checkpoint says.
        """
        self._path = folder / FILE_NAME
        self._origin = origin
        self._signer = signer
        self._anchor = Anchor(folder, origin=origin, public_keys=(signer.public_key,))
        self._process = os.getpid()
        self._store = threading.RLock()  # guards the connection, the frontier and the checkpoint file's state
        self._writers = GroupCommit(self._commit, self._fail)
        self._failure: str = ""
        self._frontier = Frontier()
        self._anchored_size = 0
        self._anchored_at = float("-inf")
        self._timer: threading.Timer | None = None
        private_files.make_folder(folder)
        self._db = sqlite_schema.connect(self._path, busy_timeout_s=BUSY_TIMEOUT_S)
        try:
            self._hold_against_checkpoint()
        except BaseException:
            self._db.close()
            raise

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self._path

    @property
    def origin(self) -> str:
        """The log's name, as in its checkpoints."""
        return self._origin

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def size(self) -> int:
        """Number of records, other processes' included."""
        with self._reading():
            return self._stored_size()

    def append(self, record: bytes, *, idempotency_key: str, must_be_new: bool = False) -> Entry:
        """See `plangate.audit.base.Log.append`."""
        check_append(record, idempotency_key)
        self._check_usable()
        return self._writers.submit(Pending(record, idempotency_key, must_be_new))

    def append_all(self, records: Sequence[tuple[bytes, str, bool]]) -> Sequence[Entry | AuditError]:
        """Add many records in one commit.

        Args:
            records: Bytes, idempotency key and ``must_be_new`` of each, as for `append`.

        Returns:
            Each one's entry, or why it is not written; one that is refused spoils no other.
        """
        answers: list[Entry | AuditError | None] = []
        batch: list[Pending] = []
        for record, key, must_be_new in records:
            try:
                check_append(record, key)
                self._check_usable()
            except AuditError as error:
                answers.append(error)
            else:
                answers.append(None)
                batch.append(Pending(record, key, must_be_new))
        written = iter(self._writers.submit_all(batch) if batch else ())
        return [next(written) if answer is None else answer for answer in answers]

    @property
    def failure(self) -> AuditError | None:
        """Why this object takes nothing more (rule 3); ``None`` while it does."""
        return AuditError(self._failure) if self._failure else None

    def checkpoint_age_s(self) -> float:
        """Seconds for which records have been there that the checkpoint file does not cover; 0 when it covers all."""
        with self._reading():
            is_behind = self._frontier.size > self._anchored_size
            return time.monotonic() - self._anchored_at if is_behind else 0.0

    def nodes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Hashes of full tree nodes: positions ``start`` to ``stop`` of a level, level 0 being the leaves.

        Raises:
            AuditError: Not all of them are there.
        """
        with self._reading():
            return [self._node(level, position) for position in range(start, stop)]

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[StoredRecord]:
        """See `plangate.audit.base.Log.entries`."""
        end = self.size() if stop is None else stop
        while start < end:
            with self._reading():
                rows = self._db.execute(
                    "SELECT leaf_index, record, hashes FROM entry WHERE leaf_index >= ? AND leaf_index < ? "
                    "ORDER BY leaf_index LIMIT ?",
                    (start, end, _PAGE_ROWS),
                ).fetchall()
            if not rows:
                return
            for index, record, hashes in rows:
                yield self._genuine(index, record, hashes)
            start = rows[-1][0] + 1

    def find(self, idempotency_key: str) -> StoredRecord | None:
        """See `plangate.audit.base.Log.find`."""
        with self._reading():
            row = self._row_of(idempotency_key)
        return None if row is None else self._genuine(*row)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """See `plangate.audit.base.Log.inclusion`."""
        with self._reading():
            self._check_size(size)
            return merkle.inclusion_proof(index, size, self._node)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """See `plangate.audit.base.Log.consistency`."""
        with self._reading():
            self._check_size(new)
            return merkle.consistency_proof(old, new, self._node)

    def checkpoint(self) -> str:
        """See `plangate.audit.base.Log.checkpoint`."""
        with self._reading():
            return self._signed(self._tip())

    def close(self) -> None:
        """See `plangate.audit.base.Log.close`."""
        if os.getpid() != self._process:
            return
        with self._store:
            if self._timer is not None:
                self._timer.cancel()
            try:
                if not self._failure:
                    self._write_anchor()
            finally:
                self._failure = self._failure or f"{self._path}: the log is closed"
                self._db.close()

    # --- writing

    def _fail(self, why: str) -> None:
        """Take nothing more: see rule 3."""
        self._failure = self._failure or f"{self._path}: {why}"

    def _commit(self, batch: list[Pending]) -> None:
        """Write a batch in one transaction. Results and errors go into the batch's items."""
        results: list[tuple[Pending, Entry | AuditError]] = []
        with self._store:
            try:
                self._check_usable()
                results = self._transact(batch)
                self._anchor_soon()
            except sqlite_schema.ERRORS as error:
                hint = sqlite_schema.hint(error, BUSY_TIMEOUT_S)
                failure = AuditError(f"{self._path}: cannot write the audit log: {error}", hint=hint)
                results = [(pending, failure) for pending in batch]
            except AuditError as error:
                results = [(pending, error) for pending in batch]
        for pending, result in results:
            if isinstance(result, Entry):
                pending.entry = result
            else:
                pending.error = result

    def _transact(self, batch: list[Pending]) -> list[tuple[Pending, Entry | AuditError]]:
        results: list[tuple[Pending, Entry | AuditError]] = []
        self._db.execute("BEGIN IMMEDIATE")
        try:
            frontier = self._tip()
            for pending in batch:
                frontier, result = self._insert(frontier, pending)
                results.append((pending, result))
            self._db.execute("COMMIT")
        except BaseException:
            self._fail("an earlier write failed")
            with contextlib.suppress(sqlite3.Error):
                self._db.rollback()
            raise
        self._frontier = frontier
        return results

    def _insert(self, frontier: Frontier, pending: Pending) -> tuple[Frontier, Entry | AuditError]:
        leaf = merkle.leaf_hash(pending.record)
        longer, nodes = frontier.append(leaf)
        written = self._db.execute(
            "INSERT INTO entry (leaf_index, idempotency_key, hashes, record) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (idempotency_key) DO NOTHING",
            (frontier.size, pending.idempotency_key, b"".join(nodes), pending.record),
        ).rowcount
        if written == 1:
            return longer, Entry(index=frontier.size, size=longer.size, root=longer.root(), leaf_hash=leaf)
        row = self._row_of(pending.idempotency_key)
        if row is None:
            raise AuditError(f"{self._path}: a record was neither written nor found")
        index, record = row[:2]
        if pending.must_be_new:
            return frontier, AlreadyRecordedError(
                f"audit record {pending.idempotency_key}: already in the log, at index {index}"
            )
        if record != pending.record:
            return frontier, AuditError(
                f"audit record {pending.idempotency_key}: already in the log with other content, "
                f"at index {index}"
            )
        root = merkle.root_at(index + 1, self._node)
        return frontier, Entry(index=index, size=index + 1, root=root, leaf_hash=leaf)

    # --- the checkpoint file

    def _anchor_soon(self) -> None:
        """Write the checkpoint file now, or shortly when it was written a moment ago."""
        wait_s = self._anchored_at + ANCHOR_INTERVAL_S - time.monotonic()
        if self._timer is not None:
            return  # it is about to be written, or is just being
        if wait_s <= 0:
            self._write_anchor()
        else:
            self._timer = threading.Timer(wait_s, self._write_anchor_later)
            self._timer.daemon = True
            self._timer.start()

    def _write_anchor_later(self) -> None:
        """In a thread of its own, and without the store, so that no commit waits for the file."""
        with self._store:
            size, note = self._frontier.size, self._signed(self._frontier)
        try:
            if not self._failure:
                self._anchor.advance(note)
        except Exception as error:  # noqa: BLE001 - nobody is waiting for this: the next caller is told
            self._fail(str(error))
        with self._store:
            self._timer, self._anchored_at = None, time.monotonic()
            if not self._failure:
                self._anchored_size = max(self._anchored_size, size)
                if self._frontier.size > size:
                    self._anchor_soon()

    def _write_anchor(self) -> None:
        if self._frontier.size > self._anchored_size:
            try:
                self._anchor.advance(self._signed(self._frontier))
            except AuditError as error:
                self._fail(str(error))
                raise
            self._anchored_size = self._frontier.size
        self._anchored_at = time.monotonic()

    def _hold_against_checkpoint(self) -> None:
        """Rule 4. Reads O(log n) rows: verifying every record is `plangate.audit.verify`'s work."""
        checkpoint = self._anchor.read()
        with self._reading():
            size = self._stored_size()
            if checkpoint is None and size:
                # Another process may have begun this log between the two reads.
                checkpoint = self._anchor.read()
            if checkpoint is None:
                if size:
                    raise missing(self._anchor.path)
                self._anchor.begin(self._signed(Frontier()))
                return
            if size < checkpoint.size:
                raise AuditError(
                    f"{self._path}: {size} records, but its checkpoint was signed over {checkpoint.size}: "
                    "records are missing",
                    hint="put the log back from a copy, then run: plangate audit verify",
                )
            if merkle.root_at(checkpoint.size, self._node) != checkpoint.root:
                raise AuditError(
                    f"{self._path}: the first {checkpoint.size} records are not those that its checkpoint "
                    "was signed over",
                    hint="run: plangate audit verify",
                )
            self._frontier = merkle.frontier_at(size, self._node)
            self._anchored_size = checkpoint.size

    def _signed(self, frontier: Frontier) -> str:
        return notes.sign(
            Checkpoint(origin=self._origin, size=frontier.size, root=frontier.root()), self._signer
        )

    # --- reading

    def _tip(self) -> Frontier:
        """The frontier of everything in the store; from memory when nobody else has written."""
        size = self._stored_size()
        if size != self._frontier.size:
            if size < self._frontier.size:
                raise AuditError(f"{self._path}: {size} records, but there were {self._frontier.size}")
            self._frontier = merkle.frontier_at(size, self._node)
        return self._frontier

    def _stored_size(self) -> int:
        (last,) = self._db.execute("SELECT max(leaf_index) FROM entry").fetchone()
        return 0 if last is None else int(last) + 1

    def _row_of(self, idempotency_key: str) -> tuple[int, bytes, bytes] | None:
        row: tuple[int, bytes, bytes] | None = self._db.execute(
            "SELECT leaf_index, record, hashes FROM entry WHERE idempotency_key = ?", (idempotency_key,)
        ).fetchone()
        return row

    def _genuine(self, index: int, record: object, hashes: object) -> StoredRecord:
        """A row as a record, if it is the one that the tree has."""
        if not (isinstance(record, bytes) and isinstance(hashes, bytes)) or (
            merkle.leaf_hash(record) != hashes[:HASH_SIZE]
        ):
            raise AuditError(f"{self._path}: record {index} was changed", hint="run: plangate audit verify")
        return StoredRecord(index=index, record=record)

    def _node(self, level: int, position: int) -> bytes:
        row = self._db.execute(
            "SELECT substr(hashes, ?, ?) FROM entry WHERE leaf_index = ?",
            (1 + level * HASH_SIZE, HASH_SIZE, ((position + 1) << level) - 1),
        ).fetchone()
        if row is None or not isinstance(row[0], bytes) or len(row[0]) != HASH_SIZE:
            raise AuditError(f"{self._path}: tree node {position} of level {level} is missing")
        return row[0]

    def _check_size(self, size: int) -> None:
        if size > self._stored_size():
            raise AuditError(f"{self._path}: no log of {size} records here")

    def _check_usable(self) -> None:
        if os.getpid() != self._process:
            raise AuditError(
                f"{self._path}: the log was opened by another process: open it again after a fork"
            )
        if self._failure:
            raise AuditError(self._failure)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        self._check_usable()
        with self._store:
            self._check_usable()
            try:
                yield
            except sqlite_schema.ERRORS as error:
                hint = sqlite_schema.hint(error, BUSY_TIMEOUT_S)
                raise AuditError(f"{self._path}: cannot read the audit log: {error}", hint=hint) from error
