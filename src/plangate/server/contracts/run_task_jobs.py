"""Run tasks that are to be worked on, as files: they outlive every process, and each is worked on by one at a time.

A file in ``waiting`` is a job; one in ``done`` says what became of it, and keeps a trigger that comes again from being
worked on again. What came with the trigger, the token in it most of all, is sealed with AES-256-GCM under a key of this
folder, and is gone once the job is done.
"""

import base64
import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from plangate.audit import private_files
from plangate.errors import AuditError, CannotDecideError

MAX_WAITING: Final = 1_000
DONE_KEPT_S: Final = 7 * 86_400.0
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_MAX_FILE_BYTES: Final = 16 << 20
_ID_CHARACTERS: Final = 40


class Job(Struct, frozen=True, kw_only=True):
    """One trigger.

    Attributes:
        id: Names its files.
        task: Which task of the settings it came for.
        since: When it came, in seconds of the system's clock.
        body: The trigger as it came.
        final: What the last callback says, once that is settled.
        decision_id: The decision that it says, if there is one.
    """

    id: str
    task: str
    since: float
    body: bytes
    final: bytes = b""
    decision_id: str = ""


class _Stored(Struct, frozen=True, kw_only=True):
    """A job as it is in its file."""

    task: str
    since: float
    sealed: str


class Jobs:
    """The files.

    Args:
        folder: Theirs; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._waiting = folder / "waiting"
        self._done = folder / "done"
        self._locks = folder / "locks"
        for each in (self._waiting, self._done, self._locks):
            private_files.make_folder(each)
        private_files.create(folder / "seal.key", os.urandom(_KEY_BYTES).hex().encode())
        content = private_files.read(folder / "seal.key", max_bytes=1_024, secret=True) or b""
        try:
            self._cipher = AESGCM(bytes.fromhex(content.decode("ascii").strip()))
        except ValueError as error:
            raise AuditError(f"{folder / 'seal.key'}: not {_KEY_BYTES} bytes in hex") from error

    def add(self, task: str, result_id: str, body: bytes) -> bool:
        """Store a trigger, durably.

        Args:
            task: Its name in the settings.
            result_id: The other side's id of what it wants to know.
            body: As it came.

        Returns:
            Whether it is new.

        Raises:
            AuditError: It cannot be stored.
            CannotDecideError: Too many wait.
        """
        job_id = hashlib.sha256(f"{task}\0{result_id}".encode("utf-8", "backslashreplace")).hexdigest()
        job = Job(id=job_id[:_ID_CHARACTERS], task=task, since=time.time(), body=body)
        if (self._done / job.id).exists() or (self._waiting / job.id).exists():
            return False
        if len(self.waiting()) >= MAX_WAITING:
            raise CannotDecideError(f"more than {MAX_WAITING} run tasks wait")
        return private_files.create(self._waiting / job.id, self._sealed(job))

    def waiting(self) -> list[str]:
        """Ids of the jobs that are not done, in no order."""
        return [entry.name for entry in os.scandir(self._waiting) if not entry.name.startswith(".")]

    @contextlib.contextmanager
    def taken(self, job_id: str) -> Iterator[Job | None]:
        """A job that nobody else works on meanwhile; ``None`` when somebody does, or it is done.

        Raises:
            AuditError: It cannot be read.
        """
        with (self._locks / job_id).open("ab") as lock:
            try:
                # The system lets go of it when this process ends, however that happens.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield None
                return
            if (self._done / job_id).exists():
                (self._waiting / job_id).unlink(missing_ok=True)
            yield self._read(job_id)

    def settle(self, job: Job) -> None:
        """Write down what the last callback will say, so that it is the same after a restart.

        Raises:
            AuditError: It cannot be written.
        """
        private_files.replace(self._waiting / job.id, self._sealed(job))

    def finish(self, job: Job, outcome: str) -> None:
        """Forget the trigger, and remember that it was worked on.

        Raises:
            AuditError: It cannot be written.
        """
        said: dict[str, Any] = {"task": job.task, "outcome": outcome, "decision_id": job.decision_id}
        private_files.create(self._done / job.id, msgspec.json.encode(said))
        (self._waiting / job.id).unlink(missing_ok=True)

    def prune(self) -> None:
        """Remove what was done long ago."""
        until = time.time() - DONE_KEPT_S
        for entry in os.scandir(self._done):
            if entry.name.startswith("."):
                continue
            with contextlib.suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < until:
                    (self._done / entry.name).unlink(missing_ok=True)
                    (self._locks / entry.name).unlink(missing_ok=True)

    def _sealed(self, job: Job) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, msgspec.msgpack.encode(job), job.id.encode())
        stored = _Stored(task=job.task, since=job.since, sealed=base64.b64encode(sealed).decode())
        return msgspec.json.encode(stored)

    def _read(self, job_id: str) -> Job | None:
        content = private_files.read(self._waiting / job_id, max_bytes=_MAX_FILE_BYTES)
        if content is None:
            return None
        try:
            sealed = base64.b64decode(msgspec.json.decode(content, type=_Stored).sealed)
            nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return msgspec.msgpack.decode(self._cipher.decrypt(nonce, rest, job_id.encode()), type=Job)
        except (ValueError, InvalidTag) as error:
            # It will never be readable: say so once.
            private_files.create(self._done / job_id, b'{"outcome":"unreadable"}')
            (self._waiting / job_id).unlink(missing_ok=True)
            raise AuditError(f"{self._waiting / job_id}: not a run task that was sealed here") from error
