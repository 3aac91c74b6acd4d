"""The audit log's interface. One file here per store; all of them pass the same contract suite.

The rules every store keeps:

1. When `Log.append` returns, the record survives a power cut. When it raises, nobody may act on the record.
2. Records are only ever added. Index, bytes and idempotency key of a record never change.
3. One idempotency key has one record, across threads and processes.
"""

from collections.abc import Iterator
from typing import Final, Protocol

from msgspec import Struct

from plangate.errors import AuditError

MAX_RECORD_BYTES: Final = 65_536
MAX_KEY_CHARACTERS: Final = 256


class AlreadyRecordedError(AuditError):
    """A record that had to be the first of its idempotency key is not."""


class Entry(Struct, frozen=True, kw_only=True):
    """Where a record is in the log.

    Attributes:
        index: Its number, from 0.
        size: The log's size right after it: ``index + 1``.
        root: The tree's root hash at that size, 32 bytes.
        leaf_hash: The record's own hash, 32 bytes.
    """

    index: int
    size: int
    root: bytes
    leaf_hash: bytes


class StoredRecord(Struct, frozen=True, kw_only=True):
    """One record as it was written.

    Attributes:
        index: Its number, from 0.
        record: The exact bytes.
    """

    index: int
    record: bytes


class Log(Protocol):
    """An append-only, verifiable sequence of records. Safe to share between threads."""

    @property
    def origin(self) -> str:
        """The log's name, as in its checkpoints."""

    def size(self) -> int:
        """Number of records, other processes' included."""

    def append(self, record: bytes, *, idempotency_key: str, must_be_new: bool = False) -> Entry:
        """Add a record, durably.

        The same key with the same bytes returns the first record's entry and writes nothing.

        Raises:
            AlreadyRecordedError: ``must_be_new`` and the key is there, with whatever bytes.
            AuditError: The key is there with other bytes, the record is too big, or it cannot be written.
        """

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[StoredRecord]:
        """Records with ``start <= index < stop`` in order; to the end when ``stop`` is not given."""

    def find(self, idempotency_key: str) -> StoredRecord | None:
        """The record of that key, if there is one."""

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The proof that record ``index`` is in the log of ``size`` records."""

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """The proof that the log of ``old`` records is the beginning of the log of ``new``."""

    def checkpoint(self) -> str:
        """A signed note over every record that is there now."""

    def close(self) -> None:
        """Write what is outstanding and let go. Closing twice is allowed."""


def check_append(record: bytes, idempotency_key: str) -> None:
    """Refuse what no store may take.

    Raises:
        AuditError: Empty or too big a record, or a key of no use.
    """
    if not 0 < len(record) <= MAX_RECORD_BYTES:
        raise AuditError(f"audit record: {len(record)} bytes (expected 1 to {MAX_RECORD_BYTES})")
    if not 0 < len(idempotency_key) <= MAX_KEY_CHARACTERS:
        raise AuditError(
            f"audit record: idempotency key of {len(idempotency_key)} characters "
            f"(expected 1 to {MAX_KEY_CHARACTERS})"
        )
