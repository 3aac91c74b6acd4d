"""What a run is to judge: from paths, folders and patterns to files and modules of Terraform source.

A file that somebody names is judged or refused. A folder is searched for what looks like a plan; what is none is left
alone, and what cannot be told is handed on, so that it is refused by name.
"""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from plangate.errors import UsageError
from plangate.parsers.hcl.folder import is_ignored, is_module, is_source

STANDARD_INPUT: Final = "-"
MODULE_ENDINGS: Final = (".tf", ".tofu", ".tf.json", ".tofu.json", ".tfvars", ".tfvars.json")
"""Files that are read as part of the folder they lie in."""
_ENDINGS: Final = (".json", ".yaml", ".yml", ".template", ".jsonl", ".ndjson", ".tfplan", ".plan")
_KUSTOMIZATIONS: Final = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_NAMES: Final = frozenset({"tfplan", "Kustomization"})
_SKIPPED: Final = frozenset({
    ".git", ".hg", ".mypy_cache", ".plangate", ".pytest_cache", ".ruff_cache", ".svn", ".terraform", ".tox", ".venv",
    "__pycache__", "node_modules",
})  # fmt: skip
"""Folders that tools make."""
_MAYBE_MORE: Final = ".tfvars.json"
"""What is JSON may be something else as well, whatever it is called."""
_ALONE: Final = "there is no Terraform source beside it that it could be a part of"
_CHART: Final = "Chart.yaml"
_BUILD_FIRST: Final = "a kustomization, which is no manifests until it is built"
_LEADS_OUT: Final = "a link that leads out of the folder"
_UNSEARCHED: Final = "a link to a folder that is not searched"


class Found(Struct, frozen=True, kw_only=True):
    """Something to judge.

    Attributes:
        name: As the user gave it, or below the folder that the user gave.
        path: The file or folder; ``None`` for standard input.
        is_module: A folder of Terraform source.
        named: The user named it, so that it has to be a plan.
        problem: Why it cannot be judged as it is; empty when it can.
    """

    name: str
    path: Path | None
    is_module: bool = False
    named: bool = True
    problem: str = ""


def search(
    names: Sequence[str], exclude: Sequence[str], max_files: int, *, chosen: bool = True
) -> list[Found]:
    """Everything that these names stand for, each once, in the order of the names and then of the alphabet.

    Args:
        names: Files, folders, patterns with ``*``, ``?`` or ``[``, or ``-``.
        exclude: Patterns of paths that are left out of folders: ``vendor/*``, ``*.test.yaml``.
        max_files: Files that are looked at.
        chosen: Somebody chose these names, so that each has to be a plan. Otherwise what is none is left alone.

    Raises:
        UsageError: Something is not there, or there is too much of it.
    """
    found: dict[tuple[Path | None, bool], Found] = {}
    for each in _expanded(names):
        for item in _of(each, exclude):
            if item.problem in (_ALONE, _BUILD_FIRST) and not chosen:
                continue
            key = (item.path, item.is_module)
            if key not in found or (item.named and chosen):
                found[key] = replace(item, name=_printable(item.name), named=item.named and chosen)
            if len(found) > max_files:
                raise UsageError(
                    f"{each}: more than {max_files} files", hint="see limits.max_files in plangate.yaml"
                )
    return list(found.values())


def _printable(name: str) -> str:
    r"""A name as it can be written into the log: bytes that are no text are shown as ``\xff``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _expanded(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name == STANDARD_INPUT or os.path.lexists(name) or not glob.has_magic(name):
            yield name
            continue
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - a pattern may be absolute
        if not matches:
            raise UsageError(f"{name}: no file matches")
        yield from matches


def _of(name: str, exclude: Sequence[str]) -> Iterator[Found]:
    if name == STANDARD_INPUT:
        yield Found(name=name, path=None)
        return
    path = Path(name)
    if path.is_dir():
        yield from _in_folder(path, exclude)
    elif _is_part(path.name) and is_module(path.parent):
        yield Found(name=str(path.parent), path=path.parent, is_module=True)
        if path.name.endswith(_MAYBE_MORE):
            yield Found(name=name, path=path, named=False)
    elif _is_part(path.name) and not path.name.endswith(_MAYBE_MORE):
        yield Found(name=name, path=path, problem=_ALONE)
    elif path.name in _KUSTOMIZATIONS and path.is_file():
        yield Found(name=name, path=path, problem=_BUILD_FIRST)
    else:
        yield Found(name=name, path=path)


def _in_folder(top: Path, exclude: Sequence[str]) -> Iterator[Found]:
    def refuse(error: OSError) -> None:
        raise UsageError(f"{error.filename}: cannot be read: {error.strerror}") from error

    # Links to folders are not followed: what they lead to is judged where it lies, or said not to be.
    for folder, folders, files in os.walk(top, onerror=refuse):
        here = Path(folder)
        folders[:] = sorted(
            name for name in folders if name not in _SKIPPED and not _is_excluded(top, here / name, exclude)
        )
        for name in folders:
            if problem := _unsearched(here / name, top, exclude):
                yield Found(name=str(here / name), path=here / name, named=False, problem=problem)
        kept = sorted(name for name in files if not _is_excluded(top, here / name, exclude))
        if any(is_source(name) for name in kept):
            yield Found(name=str(here), path=here, is_module=True, named=here == top)
        if _CHART in kept and "templates" in folders:
            folders.remove("templates")
            yield Found(
                name=str(here / "templates"),
                path=here / "templates",
                named=False,
                problem="templates of a Helm chart, which are no manifests until they are rendered",
            )
        for name in kept:
            if _may_be_a_plan(name):
                path = here / name
                yield Found(name=str(path), path=path, named=False, problem=_problem(path, top))


def _problem(path: Path, top: Path) -> str:
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(top.resolve()):
            return _LEADS_OUT
        if not path.is_file():
            return "not a regular file"  # a pipe or a device may never end; or a link that leads nowhere
    except (OSError, RuntimeError):  # links in a circle, which Python before 3.13 calls a RuntimeError
        return "a link that leads nowhere"
    return ""


def _unsearched(path: Path, top: Path, exclude: Iterable[str]) -> str:
    """Why nobody looks at what a link to a folder leads to; empty for any other folder, and where somebody does."""
    if not path.is_symlink():
        return ""
    real, root = path.resolve(), top.resolve()
    if not real.is_relative_to(root):
        return _LEADS_OUT
    steps = [real, *(above for above in real.parents if above.is_relative_to(root) and above != root)]
    if any(step.name in _SKIPPED or _is_excluded(root, step, exclude) for step in steps if step != root):
        return _UNSEARCHED
    return ""


def _is_excluded(top: Path, path: Path, exclude: Iterable[str]) -> bool:
    below = str(path.relative_to(top))
    return any(fnmatch(below, pattern) or fnmatch(f"{below}/", pattern) for pattern in exclude)


def _is_part(name: str) -> bool:
    """Whether a file is read as part of its folder; what Terraform ignores and is JSON may be anything."""
    return name.endswith(MODULE_ENDINGS) and not (is_ignored(name) and name.endswith(".json"))


def _may_be_a_plan(name: str) -> bool:
    # No name keeps a file from being looked at: hidden or called `package-lock.json`, kubectl applies it.
    if _is_part(name) and not name.endswith(_MAYBE_MORE):
        return False
    return name in _NAMES or name.lower().endswith(_ENDINGS)
