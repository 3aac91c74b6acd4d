"""Files that only their owner may touch: how they are made, replaced and read.

The rules this module keeps:

1. A folder is made with mode 0700, a file with 0600, and neither through a symbolic link.
2. What is written is on the disk when the call returns; a reader sees the old content or the new, never half
   of it.
3. A secret that its group or others can read is refused, not repaired: who read it already is not known.
4. A folder that is made here keeps itself out of git: it often stands in a work tree, and holds private keys.
"""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from plangate.errors import AuditError

_SHARED_WRITE: Final = 0o022
_SHARED_ANY: Final = 0o077


def make_folder(folder: Path) -> None:
    """Make sure that a private folder is there; folders above it that are missing are made private as well.

    Raises:
        AuditError: It cannot be made, is not a folder, or others can write to it.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        for path in reversed(made):  # not mkdir(parents=True), which leaves the mode of parents to the umask
            path.mkdir(mode=0o700, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise AuditError(f"{folder}: cannot make this folder: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise AuditError(f"{folder}: not a folder")
    if found.st_mode & _SHARED_WRITE:
        raise AuditError(
            f"{folder}: others can write to this folder (mode {stat.S_IMODE(found.st_mode):04o})",
            hint=f"chmod 700 {folder}",
        )
    if made:
        create(made[-1] / ".gitignore", b"*\n")


def create(path: Path, content: bytes, *, mode: int = 0o600) -> bool:
    """Make a file that is not there yet, whole and durable.

    Several processes may try at once: one of them wins, and nobody sees a file that is half written.

    Returns:
        Whether this call made it. ``False`` leaves the existing file alone.

    Raises:
        AuditError: It cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        try:
            _write(temporary, content, mode)
            # link() is what makes this exclusive: it fails when the name is taken, even by a dangling link.
            os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise AuditError(f"{path}: cannot write: {error.strerror}") from error
    return True


def replace(path: Path, content: bytes) -> None:
    """Put new content in place of a file's old content.

    Raises:
        AuditError: It cannot be written; the old content is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        try:
            _write(temporary, content, 0o600)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise AuditError(f"{path}: cannot write: {error.strerror}") from error


def read(path: Path, *, max_bytes: int, secret: bool = False) -> bytes | None:
    """A file's content.

    Args:
        path: The file; a symbolic link is refused.
        max_bytes: Refuse more than this.
        secret: Refuse a file that group or others can do anything with.

    Returns:
        ``None`` when there is no such file.

    Raises:
        AuditError: It cannot be read or must not be trusted.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        what = "is a symbolic link" if path.is_symlink() else f"cannot read: {error.strerror}"
        raise AuditError(f"{path}: {what}") from error
    try:
        found = os.fstat(descriptor)
        check_regular(path, found)
        if secret and found.st_mode & _SHARED_ANY:
            raise AuditError(
                f"{path}: others can read this key (mode {stat.S_IMODE(found.st_mode):04o})",
                hint=f"take it as known to them: move it away, and a new one is made; or chmod 600 {path}",
            )
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise AuditError(f"{path}: cannot read: {error.strerror}") from error
    finally:
        os.close(descriptor)
    if len(content) > max_bytes:
        raise AuditError(f"{path}: more than {max_bytes} bytes")
    return content


def check_regular(path: Path, found: os.stat_result) -> None:
    """Refuse what is not a plain file, or what others can write to.

    Raises:
        AuditError: As said.
    """
    if stat.S_ISLNK(found.st_mode):
        raise AuditError(f"{path}: is a symbolic link")
    if not stat.S_ISREG(found.st_mode):
        raise AuditError(f"{path}: not a regular file")
    if found.st_mode & _SHARED_WRITE:
        raise AuditError(
            f"{path}: others can write to this file (mode {stat.S_IMODE(found.st_mode):04o})",
            hint=f"find out who did, then chmod 600 {path}",
        )


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for the same folder waiting.

    Raises:
        AuditError: The folder cannot be locked.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise AuditError(f"{folder}: cannot open: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise AuditError(f"{folder}: cannot lock: {error.strerror}") from error
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
