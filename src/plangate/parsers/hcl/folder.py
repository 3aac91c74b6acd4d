"""The files of a source tree: read from one folder and from nowhere else, each once, and kept with its digest.

What was read is what was judged: `SourceTree.sha256` covers every file whose bytes took part, and what was asked of
the folder itself (which files match, whether one is there).
"""

import hashlib
import os
import posixpath
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from plangate.errors import PlanParseError
from plangate.parsers.base import Input, Limits

SOURCE_ENDINGS: Final = (".tf", ".tofu", ".tf.json", ".tofu.json")
_INSIDE: Final = "only files inside of the folder that is checked are read"


def is_module(path: Path) -> bool:
    """Whether a folder holds Terraform source itself (``*.tf``, ``*.tofu``, ``*.tf.json``); false if unreadable."""
    try:
        with os.scandir(path) as entries:
            return any(is_source(entry.name) and entry.is_file() for entry in entries)
    except OSError:
        return False


def is_source(name: str) -> bool:
    """Whether Terraform or OpenTofu reads a file of this name as part of a module."""
    return name.endswith(SOURCE_ENDINGS) and not is_ignored(name)


def is_ignored(name: str) -> bool:
    """What Terraform ignores: hidden files, and what editors leave behind."""
    return name.startswith((".", "#")) or name.endswith("~")


class SourceTree:
    """Reads files below one folder.

    Args:
        root: The folder. Nothing outside of it is read, whatever a document or a symbolic link says.
        limits: ``max_files``, and ``max_plan_bytes`` for all files together.
        shown: How the folder is called in messages and places; without it, files are named from the folder on.

    Attributes:
        read_as: What became of a file's bytes, by path, for whoever reads it again.
    """

    def __init__(self, root: Path, limits: Limits, shown: str = "") -> None:
        self.root: Final = Path(os.path.realpath(root))
        self._limits = limits
        self._shown = shown.rstrip("/")
        self.read_as: dict[str, object] = {}
        self._files: dict[str, Input] = {}
        self._asked: dict[str, str] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._left = limits.max_plan_bytes

    def include(self, name: str, data: bytes) -> None:
        """Let the digest cover what comes from elsewhere: a variable, or a file of them that the user names."""
        self._asked[name] = hashlib.sha256(data).hexdigest()

    @property
    def files(self) -> Mapping[str, Input]:
        """Everything read so far, by path relative to the root."""
        return self._files

    @property
    def size(self) -> int:
        """Bytes of everything read so far."""
        return self._limits.max_plan_bytes - self._left

    @property
    def sha256(self) -> str:
        """Hex digest over what was read and asked so far: sorted lines of digest, two spaces, path."""
        lines = [f"{file.sha256}  {path}\n" for path, file in self._files.items()]
        lines += [f"{answer}  {question}\n" for question, answer in self._asked.items()]
        return hashlib.sha256("".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()

    def shown(self, path: str) -> str:
        """How a file is called in messages and places."""
        return f"{self._shown}/{path}" if self._shown and path else path or self._shown or "."

    def join(self, folder: str, name: str) -> str:
        """A path below a folder of the tree, normalized; it may leave the tree, which `read` refuses."""
        return posixpath.normpath(posixpath.join(folder, name)) if folder else posixpath.normpath(name)

    def read(self, path: str) -> Input:
        """One file.

        Raises:
            PlanParseError: Outside of the tree, not a file, not readable, or more than the limits allow.
        """
        path = posixpath.normpath(path)
        known = self._files.get(path)
        if known is not None:
            return known
        if not self.shown(path).isascii():
            self._named(path)
        if len(self._files) >= self._limits.max_files:
            raise PlanParseError(self.shown(path), f"more than {self._limits.max_files} files")
        data = self._bytes(path)
        self._left -= len(data)
        digest = hashlib.sha256(data).hexdigest()
        found = self._files[path] = Input(
            name=self.shown(path), data=data, sha256=digest, size=len(data), media_type="text/plain"
        )
        return found

    def exists(self, path: str) -> bool:
        """Whether a file is there.

        Raises:
            PlanParseError: Outside of the tree.
        """
        path = posixpath.normpath(path)
        answer = path in self._files or self._real(path).is_file()
        self._asked[f"exists:{path}"] = "yes" if answer else "no"
        return answer

    def is_there(self, path: str) -> bool:
        """Whether anything is at a path. Raises as `exists`."""
        return posixpath.normpath(path) in self._files or self.exists(path) or self._real(path).exists()

    def names(self, folder: str) -> tuple[str, ...]:
        """Names of the files in a folder, sorted; empty if there is no such folder.

        Raises:
            PlanParseError: Outside of the tree, or too many of them.
        """
        known = self._names.get(folder)
        if known is not None:
            return known
        found: list[str] = []
        try:
            with os.scandir(self._real(folder)) as entries:
                for entry in entries:
                    if len(found) >= self._limits.max_files:
                        raise PlanParseError(self.shown(folder), f"more than {self._limits.max_files} files")
                    if entry.is_file() or entry.is_symlink():
                        found.append(entry.name)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            raise PlanParseError(self.shown(folder), f"cannot be read: {error.strerror}") from error
        names = self._names[folder] = tuple(sorted(found))
        return names

    def below(self, folder: str) -> tuple[str, ...]:
        """Paths of all files below a folder, relative to it, sorted. Links to folders are not followed.

        Raises:
            PlanParseError: Outside of the tree, or too many of them.
        """
        found: list[str] = []
        top = self._real(folder)
        for where, _, names in os.walk(top):
            prefix = os.path.relpath(where, top)
            found += [name if prefix == "." else f"{prefix}/{name}" for name in names]
            if len(found) > self._limits.max_files:
                raise PlanParseError(self.shown(folder), f"more than {self._limits.max_files} files")
        answer = tuple(sorted(found))
        digest = hashlib.sha256("\n".join(answer).encode("utf-8", "surrogateescape")).hexdigest()
        self._asked[f"below:{folder}"] = digest
        return answer

    def _real(self, path: str) -> Path:
        """Where a path of the tree really is, once every link is followed."""
        if posixpath.isabs(path) or path == ".." or path.startswith("../") or "\0" in path:
            self._outside(path)
        real = Path(os.path.realpath(self.root / path))
        if real != self.root and self.root not in real.parents:
            self._outside(path)
        return real

    def _bytes(self, path: str) -> bytes:
        real = self._real(path)
        try:
            # The path has no links any more; one that appears now is not followed. A pipe would block without the flag.
            descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise PlanParseError(self.shown(path), f"cannot be read: {error.strerror}") from error
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise PlanParseError(self.shown(path), "not a regular file")
            data = file.read(self._left + 1)
        if len(data) > self._left:
            raise PlanParseError(
                self.shown(path),
                f"the files of this folder have more than {self._limits.max_plan_bytes} bytes together",
                hint="raise limits.max_plan_bytes in plangate.yaml if they are meant to be this big",
            )
        return data

    def _named(self, path: str) -> None:
        """Refuse a name that could not be written into the log."""
        try:
            self.shown(path).encode()
        except UnicodeEncodeError:
            shown = os.fsencode(self.shown(path)).decode("utf-8", "backslashreplace")
            raise PlanParseError(shown, "a name that is not UTF-8 text") from None

    def _outside(self, path: str) -> NoReturn:
        raise PlanParseError(self.shown(path.replace("\0", "?")), "outside of the folder", hint=_INSIDE)
