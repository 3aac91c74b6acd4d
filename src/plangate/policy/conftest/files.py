"""The files of conftest policy folders and their data, read within limits.

Conftest reads every ``.rego`` file below a folder, hidden ones included, and nothing else.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from plangate.errors import PolicyLoadError
from plangate.policy.base import PolicySource
from plangate.policy.files import LoadLimits, PolicyFile, read_data, read_text, refuse_deep_nesting

_REGO: Final = ".rego"


class ConftestFiles(Struct, frozen=True, kw_only=True):
    """Policies and tests, sorted by name, and the data documents as one."""

    modules: tuple[PolicyFile, ...]
    tests: tuple[PolicyFile, ...]
    data: dict[str, Any]


def read_files(policies: Sequence[PolicySource], data: Sequence[Path], limits: LoadLimits) -> ConftestFiles:
    """Everything below these folders; a source may also be one file.

    Args:
        policies: Folders, or files.
        data: Documents; see `plangate.policy.files.read_data`.
        limits: What they may hold.

    Raises:
        PolicyLoadError: Something is missing, cannot be read, is a link that leads away, or is too much.
    """
    budget = _Budget(limits)
    found: dict[str, PolicyFile] = {}
    for source in policies:
        for path, name in _files(source, limits):
            text = budget.read(path, name)
            refuse_deep_nesting(text, name, limits)
            if name in found:
                raise PolicyLoadError(name, "this file is named twice")
            found[name] = PolicyFile(name=name, text=text, source=source.name, path=path)
    if not found:
        names = ", ".join(source.name for source in policies)
        raise PolicyLoadError(names, "no policies in this folder", hint="a policy is a .rego file")
    documents: dict[str, Any] = {}
    read_data(data, limits, documents)
    ordered = [found[name] for name in sorted(found)]
    return ConftestFiles(
        modules=tuple(file for file in ordered if not _is_test(file)),
        tests=tuple(file for file in ordered if _is_test(file)),
        data=documents,
    )


def _is_test(file: PolicyFile) -> bool:
    return file.name.endswith("_test.rego")


class _Budget:
    """Counts files and bytes over all folders."""

    def __init__(self, limits: LoadLimits) -> None:
        self._limits = limits
        self._files = 0
        self._total = 0

    def read(self, path: Path, name: str) -> str:
        self._files += 1
        if self._files > self._limits.max_files:
            raise PolicyLoadError(name, f"more than {self._limits.max_files} files (max_files)")
        text = read_text(path, name, self._limits)
        self._total += len(text)
        if self._total > self._limits.max_total_bytes:
            raise PolicyLoadError(
                name, f"more than {self._limits.max_total_bytes} bytes in all (max_total_bytes)"
            )
        return text


def _files(source: PolicySource, limits: LoadLimits) -> Iterator[tuple[Path, str]]:
    """Policies, each with the name that people know it by."""
    root = source.root
    if root.is_file():
        yield root, source.name
        return
    if not root.is_dir():
        raise PolicyLoadError(source.name, "no such file or folder")
    real = root.resolve()
    shown = source.name.rstrip("/") or "/"

    def refuse(error: OSError) -> None:
        raise PolicyLoadError(str(error.filename), f"cannot be read: {error.strerror}") from error

    for folder, folders, names in os.walk(real, onerror=refuse):
        inner = Path(folder).relative_to(real)
        if len(inner.parts) > limits.max_depth:
            raise PolicyLoadError(
                f"{shown}/{inner}", f"more than {limits.max_depth} folders deep (max_depth)"
            )
        folders.sort()
        for each in folders:
            if Path(folder, each).is_symlink():
                raise PolicyLoadError(
                    f"{shown}/{(inner / each).as_posix()}",
                    "a link to a folder, which conftest would read as well",
                    hint="name the folder itself",
                )
        for each in sorted(names):
            if each.endswith(_REGO):
                name = f"{shown}/{(inner / each).as_posix()}"
                _refuse_strange(Path(folder, each), real, name)
                yield Path(folder, each), name


def _refuse_strange(path: Path, root: Path, name: str) -> None:
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        raise PolicyLoadError(name, "this link leaves the policy folder")
    if not path.is_file():
        raise PolicyLoadError(name, "not a regular file")
