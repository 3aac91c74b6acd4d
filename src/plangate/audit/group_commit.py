"""One writer at a time, many records a commit.

Callers queue. The first becomes the writer and commits what is queued, which at first is its own record;
while the disk is busy others queue up, and when it is done one of them is made the next writer and commits
them all at once. There is no writer thread: a lone caller pays for no hand-over, and a short command starts
and stops no thread.

The rules this module keeps:

1. At most one caller is the writer, and every queued record has one that will take it.
2. A caller leaves with an entry or an error; whatever happens to the writer, nobody is left waiting.
"""

import threading
from collections.abc import Callable

from msgspec import Struct, field

from plangate.audit.base import Entry
from plangate.errors import AuditError


class Pending(Struct, eq=False):
    """One caller's record on its way.

    Attributes:
        record: The bytes to write.
        idempotency_key: As in `plangate.audit.base.Log.append`.
        must_be_new: As in `plangate.audit.base.Log.append`.
        entry: Where it is, once it is durable.
        error: Why it is not written.
    """

    record: bytes
    idempotency_key: str
    must_be_new: bool
    entry: Entry | None = None
    error: AuditError | None = None
    _wake: threading.Event = field(default_factory=threading.Event)

    @property
    def done(self) -> bool:
        """It has an entry or an error."""
        return self.entry is not None or self.error is not None

    def wait(self) -> None:
        """Wait until this is done, or until its caller is to be the writer."""
        self._wake.wait()

    def wake(self) -> None:
        """Let the caller go on."""
        self._wake.set()


class GroupCommit:
    """The queue in front of a store."""

    def __init__(self, commit: Callable[[list[Pending]], None], fail: Callable[[str], None]) -> None:
        """Make an empty queue.

        Args:
            commit: Writes a batch durably and gives each item its entry or error. Never called twice at once.
            fail: Told that a write was broken off, so that the store takes no more.
        """
        self._commit = commit
        self._fail = fail
        self._lock = threading.Lock()
        self._queue: list[Pending] = []
        self._writing = False

    def submit(self, pending: Pending) -> Entry:
        """Write one record, with others when there are others.

        Raises:
            AuditError: It is not written, or it is not known whether it is.
        """
        answer = self.submit_all([pending])[0]
        if isinstance(answer, AuditError):
            raise answer
        return answer

    def submit_all(self, batch: list[Pending]) -> list[Entry | AuditError]:
        """Write these records in one commit, with others when there are others.

        Args:
            batch: At least one.

        Returns:
            Each one's entry, or why it is not written.
        """
        first = batch[0]
        try:
            with self._lock:
                self._queue += batch
                lead = not self._writing
                self._writing = True
            if not lead:
                # A queue is always taken whole, so what becomes of the first becomes of all.
                first.wait()
            if not first.done:
                self._write_batch()
        except BaseException:  # Ctrl-C, also while waiting: this caller may have been named the next writer
            self._give_up()
            raise
        return [
            each.entry or each.error or AuditError("audit log: the record was not written") for each in batch
        ]

    def _write_batch(self) -> None:
        """Commit everything that is queued, wake its callers and name the next writer."""
        with self._lock:
            batch, self._queue = self._queue, []
        try:
            self._commit(batch)
        finally:
            for pending in batch:
                if not pending.done:  # an interrupt, or an error that nobody foresaw
                    pending.error = AuditError("audit log: writing was broken off")
                    self._fail(str(pending.error))
            with self._lock:
                successor = self._queue[0] if self._queue else None
                self._writing = successor is not None
            if successor is not None:
                successor.wake()
            for pending in batch:
                pending.wake()

    def _give_up(self) -> None:
        """Fail everybody who waits."""
        error = AuditError("audit log: writing was broken off")
        self._fail(str(error))
        with self._lock:
            waiting, self._queue = self._queue, []
            self._writing = False
        for pending in waiting:
            pending.error = pending.error or error
            pending.wake()
