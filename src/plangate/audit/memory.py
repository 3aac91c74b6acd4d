"""A log for tests that lasts as long as the process. It proves everything and keeps nothing."""

import threading
from collections.abc import Iterator

from plangate.audit import checkpoint as notes
from plangate.audit.base import AlreadyRecordedError, Entry, StoredRecord, check_append
from plangate.audit.checkpoint import Checkpoint, Signer
from plangate.audit.merkle import Tree, leaf_hash
from plangate.errors import AuditError


class InMemoryLog:
    """A `plangate.audit.base.Log` without a disk, for tests only: nothing survives the process."""

    def __init__(self, *, signer: Signer, origin: str) -> None:
        self._signer = signer
        self._origin = origin
        self._lock = threading.Lock()
        self._tree = Tree()
        self._records: list[bytes] = []
        self._by_key: dict[str, int] = {}
        self._closed = False

    @property
    def origin(self) -> str:
        """The log's name, as in its checkpoints."""
        return self._origin

    def size(self) -> int:
        """Number of records."""
        self._check_open()
        return self._tree.size

    def append(self, record: bytes, *, idempotency_key: str, must_be_new: bool = False) -> Entry:
        """See `plangate.audit.base.Log.append`."""
        self._check_open()
        check_append(record, idempotency_key)
        leaf = leaf_hash(record)
        with self._lock:
            index = self._by_key.get(idempotency_key)
            if index is None:
                index = self._tree.append(leaf)
                self._records.append(record)
                self._by_key[idempotency_key] = index
            elif must_be_new:
                raise AlreadyRecordedError(
                    f"audit record {idempotency_key}: already in the log, at index {index}"
                )
            elif self._records[index] != record:
                raise AuditError(
                    f"audit record {idempotency_key}: already in the log with other content, at index {index}"
                )
            return Entry(index=index, size=index + 1, root=self._tree.root(index + 1), leaf_hash=leaf)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[StoredRecord]:
        """See `plangate.audit.base.Log.entries`."""
        self._check_open()
        for index, record in enumerate(self._records[start:stop], start):
            yield StoredRecord(index=index, record=record)

    def find(self, idempotency_key: str) -> StoredRecord | None:
        """See `plangate.audit.base.Log.find`."""
        self._check_open()
        index = self._by_key.get(idempotency_key)
        return None if index is None else StoredRecord(index=index, record=self._records[index])

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """See `plangate.audit.base.Log.inclusion`."""
        self._check_open()
        return self._tree.inclusion_proof(index, size)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """See `plangate.audit.base.Log.consistency`."""
        self._check_open()
        return self._tree.consistency_proof(old, new)

    def checkpoint(self) -> str:
        """See `plangate.audit.base.Log.checkpoint`."""
        self._check_open()
        with self._lock:
            checkpoint = Checkpoint(origin=self._origin, size=self._tree.size, root=self._tree.root())
        return notes.sign(checkpoint, self._signer)

    def close(self) -> None:
        """See `plangate.audit.base.Log.close`."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise AuditError("in-memory log: the log is closed")
