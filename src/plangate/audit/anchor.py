"""The last signed checkpoint, in a file of its own beside the store.

It is what the store is held against: a store that is shorter than this file says, or different, has been
tampered with or put back from an old copy. So the file only ever moves forward, and one that has gone is
never made again.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from plangate.audit import checkpoint as notes
from plangate.audit import private_files
from plangate.audit.checkpoint import Checkpoint
from plangate.errors import AuditError

FILE_NAME: Final = "checkpoint"


class Anchor:
    """The checkpoint file of one log folder."""

    def __init__(self, folder: Path, *, origin: str, public_keys: Collection[bytes]) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        self._origin = origin
        self._public_keys = public_keys

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def read(self) -> Checkpoint | None:
        """The checkpoint in the file, verified; ``None`` when there is no file.

        Raises:
            AuditError: Unreadable, of another log, or not signed by a trusted key.
        """
        note = read_note(self._path)
        if note is None:
            return None
        try:
            return notes.verify(note, public_keys=self._public_keys, origin=self._origin)
        except AuditError as error:
            raise AuditError(f"{self._path}: {error}", hint=error.hint) from error

    def begin(self, note: str) -> None:
        """Make the file for a log that has no records yet; leave one that is there alone."""
        private_files.create(self._path, note.encode())

    def advance(self, note: str) -> None:
        """Put ``note`` into the file unless another process has written a later one.

        Raises:
            AuditError: The file is gone or no longer ours, or cannot be written.
        """
        with private_files.locked(self._folder):
            current = self.read()
            if current is None:
                raise missing(self._path)
            if notes.parse(note).size > current.size:
                private_files.replace(self._path, note.encode())


def read_note(path: Path) -> str | None:
    """A checkpoint file's text, unverified; ``None`` when there is no file.

    Raises:
        AuditError: Unreadable.
    """
    content = private_files.read(path, max_bytes=notes.MAX_NOTE_BYTES)
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise AuditError(f"{path}: not text") from error


def missing(path: Path) -> AuditError:
    """The error for a log with records whose checkpoint has gone."""
    return AuditError(
        f"{path}: the log has records but its signed checkpoint is gone",
        hint="put the file back from a copy, then run: plangate audit verify",
    )
