"""A saved plan's bytes where only terraform can read them and nobody can change them.

Linux gives *sealed memory*: a file without a name whose seals, once set, no process can lift, not even ours.
Where it is missing, the copy is a file with mode 0400 in a folder with mode 0700, hashed again before and
after use.

A plan is read in a private folder that holds nothing but the plan's own lock file: the folder that it was made in
lends its installed providers, and only those run whose checksums the plan names.
"""

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from plangate.terraform_cli.environment import providers_folder, reading_environment
from plangate.terraform_cli.process import Finished, run
from plangate.terraform_cli.tool import Tool

try:
    import fcntl

    _SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
except (ImportError, AttributeError):  # not Linux
    _SEALS = 0


LOCK_FILE: Final = ".terraform.lock.hcl"
MAX_LOCK_BYTES: Final = 1024 * 1024
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
"""All that zipfile raises on damaged or unusual archives, and on those without the member."""


class PlanCopy(Struct, frozen=True, kw_only=True):
    """A private copy of a plan.

    Attributes:
        path: What terraform is told to open.
        pass_fds: Descriptors that terraform must inherit for this.
        sealed: It is in sealed memory.
    """

    path: str
    pass_fds: tuple[int, ...]
    sealed: bool

    def sha256(self) -> str:
        """Lower-case hex digest of what terraform finds there now."""
        with open(self.path, "rb") as stream:  # noqa: PTH123 - /proc/self/fd/N, as terraform opens it
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def lock_file(self) -> bytes | None:
        """The dependency lock file in the plan: the providers that it was made with, and their checksums.

        ``None`` when there is none, or none that can be read; terraform then finds no provider to run.
        """
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(LOCK_FILE) as stream:
                lock = stream.read(MAX_LOCK_BYTES + 1)
        except _UNREADABLE:
            return None
        return lock if len(lock) <= MAX_LOCK_BYTES else None


@contextmanager
def private_copy(data: bytes, *, memory: bool = True) -> Iterator[PlanCopy]:
    """The bytes in sealed memory, or in a private file where there is none (or ``memory`` is off).

    Raises:
        OSError: Neither could be made.
    """
    descriptor = _sealed(data) if memory else None
    if descriptor is not None:
        try:
            yield PlanCopy(path=f"/proc/self/fd/{descriptor}", pass_fds=(descriptor,), sealed=True)
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryDirectory(prefix="plangate-") as folder:  # 0700
        path = Path(folder, "tfplan")
        with open(path, "xb", opener=_owner_only) as stream:
            stream.write(data)
        yield PlanCopy(path=str(path), pass_fds=(), sealed=False)


def show_plan(
    tool: Tool,
    copy: PlanCopy,
    *,
    working_dir: Path,
    environ: Mapping[str, str],
    timeout_s: float,
    max_bytes: int,
) -> Finished:
    """What ``terraform show -json`` says of a saved plan. Runs provider programs, without credentials.

    Args:
        tool: Which terraform.
        copy: The plan.
        working_dir: The initialized folder where the plan was made. Its installed providers are used, and nothing
            else of it: neither its lock file, which may be another by now, nor its configuration.
        environ: The user's environment.
        timeout_s: Seconds that it may take.
        max_bytes: Size of the JSON.

    Raises:
        OSError: terraform could not be started.
    """
    with tempfile.TemporaryDirectory(prefix="plangate-", ignore_cleanup_errors=True) as private:  # 0700
        folder, home, data = (Path(private, name) for name in ("work", "home", "data"))
        for made in (folder, home, data):
            made.mkdir()
        if (lock := copy.lock_file()) is not None:
            (folder / LOCK_FILE).write_bytes(lock)
        (data / "providers").symlink_to(providers_folder(working_dir, environ))
        return run(
            tool.path,
            [f"-chdir={folder}", "show", "-json", "-no-color", copy.path],
            environment=reading_environment(environ, home=home) | {"TF_DATA_DIR": str(data)},
            timeout_s=timeout_s,
            max_stdout_bytes=max_bytes,
            pass_fds=copy.pass_fds,
        )


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o400)


def _sealed(data: bytes) -> int | None:
    """A descriptor of sealed memory, or ``None`` where this machine has none that can be opened by path."""
    if not _SEALS or not hasattr(os, "memfd_create"):
        return None
    try:
        descriptor = os.memfd_create("plangate-plan", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError:
        return None
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        if Path(f"/proc/self/fd/{descriptor}").exists():
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None
