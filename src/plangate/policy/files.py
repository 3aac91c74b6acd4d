"""The files of policy folders, read within limits. Nothing is skipped without a reason."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from msgspec import Struct

from plangate.errors import PolicyLoadError
from plangate.policy.base import PolicySource

_DATA_NAMES: Final = ("data.json", "data.yaml", "data.yml")
_DATA_SUFFIXES: Final = (".json", ".yaml", ".yml")
_TEST_PACKAGE: Final = re.compile(r"^\s*package\s[^#\n]*_test\s*(#.*)?$", re.MULTILINE)
_IGNORED_SUFFIXES: Final = (".md", ".txt")
"""Texts for people. Everything else must be a policy or a data document."""


class LoadLimits(Struct, frozen=True, kw_only=True):
    """What policy folders may hold, all of them together.

    Attributes:
        max_files: Files that are read.
        max_file_bytes: One file.
        max_total_bytes: All files.
        max_depth: Folders within folders.
        max_nesting: Brackets within brackets in one policy; the engine's parser would overflow its stack.
    """

    max_files: int = 2_000
    max_file_bytes: int = 1 << 20
    max_total_bytes: int = 32 << 20
    max_depth: int = 16
    max_nesting: int = 100


class PolicyFile(Struct, frozen=True, kw_only=True):
    """One policy: the name people know it by, its text, the source it is from, and where it really is."""

    name: str
    text: str
    source: str
    path: Path


class PolicyFiles(Struct, frozen=True, kw_only=True):
    """All policies but tests, sorted by name, and the merged data documents."""

    modules: tuple[PolicyFile, ...]
    tests: tuple[PolicyFile, ...]
    data: dict[str, Any]


def read_files(sources: Sequence[PolicySource], limits: LoadLimits) -> PolicyFiles:
    """Read everything below the folders.

    Raises:
        PolicyLoadError: A folder is missing, something in it cannot be read or is of no known use, or too much.
    """
    modules: dict[str, PolicyFile] = {}
    tests: dict[str, PolicyFile] = {}
    data: dict[str, Any] = {}
    count, total = 0, 0
    for source in sources:
        for path, relative in _walk(source, limits):
            name = f"{source.name.rstrip('/')}/{relative.as_posix()}"
            if path.suffix.lower() in _IGNORED_SUFFIXES:
                continue
            if path.suffix != ".rego" and path.name not in _DATA_NAMES:
                raise PolicyLoadError(
                    name, "no rule claims this file",
                    hint="policies end in .rego; data documents are called data.json or data.yaml",
                )  # fmt: skip
            count += 1
            if count > limits.max_files:
                raise PolicyLoadError(name, f"more than {limits.max_files} files (max_files)")
            text = _read_text(path, name, limits)
            total += len(text)
            if total > limits.max_total_bytes:
                raise PolicyLoadError(
                    name, f"more than {limits.max_total_bytes} bytes in all (max_total_bytes)"
                )
            if path.suffix != ".rego":
                _merge(data, _parse_data(text, name), relative.parts[:-1], name)
                continue
            is_test = path.name.endswith("_test.rego")
            if is_test and _TEST_PACKAGE.search(text) is None:
                raise PolicyLoadError(
                    name, "a file whose name ends in _test.rego is a test, so its package must end in _test"
                )
            target = tests if is_test else modules
            if name in target:
                raise PolicyLoadError(name, "two folders have the same name, so two files do")
            target[name] = PolicyFile(name=name, text=text, source=source.name, path=path)
            _refuse_deep_nesting(text, name, limits)
    return PolicyFiles(
        modules=tuple(modules[name] for name in sorted(modules)),
        tests=tuple(tests[name] for name in sorted(tests)),
        data=data,
    )


def read_data(paths: Sequence[Path], limits: LoadLimits, data: dict[str, Any]) -> None:
    """Add data documents to those of the policy folders.

    Args:
        paths: A file stands at the top of ``data``. Of a folder, every ``.json``, ``.yaml`` and ``.yml`` file stands
            below the names of the folders in it, as OPA and conftest have it.
        limits: What they may hold, all together.
        data: Where to add them.

    Raises:
        PolicyLoadError: One is missing, cannot be read, is no object, or says again what another one says.
    """
    count, total = 0, 0
    for given in paths:
        root = PolicySource(root=given, name=given.name)
        found = _walk(root, limits) if given.is_dir() else [(given, Path(given.name))]
        before = count
        for path, relative in found:
            name = str(given / relative) if given.is_dir() else str(given)
            if path.suffix not in _DATA_SUFFIXES:
                if given.is_dir():
                    continue  # Such a folder may hold anything; what counts as data shows in its name.
                raise PolicyLoadError(name, "a data document ends in .json, .yaml or .yml")
            count += 1
            if count > limits.max_files:
                raise PolicyLoadError(name, f"more than {limits.max_files} data documents (max_files)")
            text = _read_text(path, name, limits)
            total += len(text)
            if total > limits.max_total_bytes:
                raise PolicyLoadError(
                    name, f"more than {limits.max_total_bytes} bytes of data in all (max_total_bytes)"
                )
            _merge(data, _parse_data(text, name), relative.parts[:-1], name)
        if count == before:
            raise PolicyLoadError(str(given), "no data documents in this folder")


def _walk(source: PolicySource, limits: LoadLimits) -> Iterator[tuple[Path, Path]]:
    """Files below a folder with their relative paths, sorted; links are followed only inside of it."""
    root = source.root.resolve()
    if not root.is_dir():
        raise PolicyLoadError(str(source.root), "not a folder" if root.exists() else "no such folder")
    folders = [Path()]
    while folders:
        relative = folders.pop()
        if len(relative.parts) > limits.max_depth:
            raise PolicyLoadError(
                f"{source.name}/{relative.as_posix()}",
                f"more than {limits.max_depth} folders deep (max_depth)",
            )
        try:
            entries = sorted(os.scandir(root / relative), key=lambda entry: entry.name)
        except OSError as problem:
            raise PolicyLoadError(str(relative), f"cannot be read: {problem.strerror}") from problem
        for entry in entries:
            inner = relative / entry.name
            name = f"{source.name}/{inner.as_posix()}"
            if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
                raise PolicyLoadError(name, "this link leaves the policy folder")
            if entry.name.startswith(".") and not entry.name.endswith(".rego"):
                continue  # .git, .regal, editor files: no policy engine reads them.
            if entry.is_dir():
                folders.append(inner)
            elif entry.is_file():
                yield root / inner, inner
            else:
                raise PolicyLoadError(name, "neither a file nor a folder")


def _read_text(path: Path, name: str, limits: LoadLimits) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(limits.max_file_bytes + 1)
    except OSError as problem:
        raise PolicyLoadError(name, f"cannot be read: {problem.strerror}") from problem
    if len(content) > limits.max_file_bytes:
        raise PolicyLoadError(name, f"larger than {limits.max_file_bytes} bytes (max_file_bytes)")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        raise PolicyLoadError(name, "not UTF-8 text", line=line) from problem
    if "\0" in text or "\r" in text.replace("\r\n", "\n") or text.startswith("\ufeff"):
        raise PolicyLoadError(name, "holds a NUL, a lone carriage return or a byte order mark")
    return text


def _refuse_deep_nesting(text: str, name: str, limits: LoadLimits) -> None:
    """Count brackets as the engine's tokens do: not those in strings and comments."""
    depth, index, line = 0, 0, 1
    while index < len(text):
        character = text[index]
        if character == "\n":
            line += 1
        elif character == "#":
            index = text.find("\n", index)
            if index < 0:
                return
            continue
        elif character in '"`':
            index, lines = _skip_string(text, index)
            line += lines
            continue
        elif character in "([{":
            depth += 1
            if depth > limits.max_nesting:
                raise PolicyLoadError(
                    name, f"nested more than {limits.max_nesting} brackets deep (max_nesting)", line=line
                )
        elif character in ")]}":
            depth -= 1
        index += 1


def _skip_string(text: str, start: int) -> tuple[int, int]:
    """The index after a string, and the line ends in it."""
    quote, index = text[start], start + 1
    while index < len(text) and text[index] != quote:
        if quote == '"' and text[index] == "\n":
            break  # A syntax error, which the engine will place.
        index += 2 if quote == '"' and text[index] == "\\" else 1
    return index + 1, text.count("\n", start, index)


def _parse_data(text: str, name: str) -> Any:
    # Most policy folders hold no data, and YAML takes longer to import than they take to read.
    from plangate.policy import strict_yaml  # noqa: PLC0415
    from plangate.policy.numbers import InexactNumberError, needs_exact_input  # noqa: PLC0415

    def repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise PolicyLoadError(name, "a key is written twice in one object")
        return dict(pairs)

    def constant(text: str) -> NoReturn:
        raise PolicyLoadError(name, f"{text} is not a number")

    try:
        if not name.endswith(".json"):
            document = strict_yaml.parse(text)
            # Numbers are judged by their text, so the one check below serves both.
            text = json.dumps(document)
        document = json.loads(text, object_pairs_hook=repeated, parse_constant=constant)
        if needs_exact_input(text.encode()):
            raise PolicyLoadError(name, "the embedded engine cannot hold an integer beyond 64 bits exactly")
    except InexactNumberError as problem:
        raise PolicyLoadError(
            name, f"the embedded engine cannot hold the number {problem} exactly"
        ) from problem
    except strict_yaml.StrictYamlError as problem:
        raise PolicyLoadError(name, f"not a data document: {problem}", line=problem.line) from problem
    except (ValueError, RecursionError) as problem:
        said = " ".join(str(problem).split())[:200]
        raise PolicyLoadError(name, f"not a data document: {said}") from problem
    return document


def _merge(data: dict[str, Any], document: Any, folders: tuple[str, ...], name: str) -> None:
    """Put a document where its folder says; two documents may share folders but no key."""
    if not isinstance(document, dict):
        raise PolicyLoadError(name, "a data document must be an object")
    place = data
    for folder in folders:
        place = place.setdefault(folder, {})
        if not isinstance(place, dict):
            raise PolicyLoadError(name, f'"{folder}" is already a value in another data document')
    for key, value in document.items():
        if key in place:
            raise PolicyLoadError(name, f'"{key}" is already in another data document')
        place[key] = value
