"""The files of policy folders and bundles, read within limits. Nothing is skipped without a reason."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Final

from msgspec import Struct

from plangate.errors import PolicyLoadError
from plangate.policy.base import PolicySource
from plangate.policy.data_documents import bundled, merge, parse_data
from plangate.policy.problems import Problems
from plangate.policy.trust import BundleUsed

FIXTURES: Final = "fixtures"
"""The folder at the top of a policy folder that holds plans to try policies on."""

_DATA_NAMES: Final = ("data.json", "data.yaml", "data.yml")
DATA_SUFFIXES: Final = (".json", ".yaml", ".yml")
_TEST_PACKAGE: Final = re.compile(r"^\s*package\s[^#\n]*_test\s*(#.*)?$", re.MULTILINE)
_IGNORED_SUFFIXES: Final = (".md", ".txt")
"""Texts for people. Everything else must be a policy or a data document."""


class LoadLimits(Struct, frozen=True, kw_only=True):
    """What policy folders and bundles may hold, all of them together.

    Attributes:
        max_files: Files that are read.
        max_file_bytes: One file.
        max_total_bytes: All files.
        max_bundle_bytes: One bundle, as it lies on the disk.
        max_unpacked_bytes: One bundle, unpacked.
        max_ratio: How many times bigger than itself a bundle may get, beyond the first MiB.
        max_members: Files and folders in one bundle.
        max_depth: Folders within folders.
        max_nesting: Brackets within brackets in one policy; the engine's parser would overflow its stack.
    """

    max_files: int = 2_000
    max_file_bytes: int = 1 << 20
    max_total_bytes: int = 32 << 20
    max_bundle_bytes: int = 32 << 20
    max_unpacked_bytes: int = 48 << 20
    max_ratio: int = 200
    max_members: int = 4_000
    max_depth: int = 16
    max_nesting: int = 100


class PolicyFile(Struct, frozen=True, kw_only=True):
    """One policy: the name people know it by, its text, the source it is from, and where it really is."""

    name: str
    text: str
    source: str
    path: Path


class PolicyFiles(Struct, frozen=True, kw_only=True):
    """All policies but tests, sorted by name, the merged data documents, and the bundles among the sources.

    ``defaults`` are the default settings that bundles bring along for OPA, as ``(file name, settings)``: METADATA
    says the same, or they are refused.
    """

    modules: tuple[PolicyFile, ...]
    tests: tuple[PolicyFile, ...]
    data: dict[str, Any]
    bundles: tuple[BundleUsed, ...] = ()
    defaults: tuple[tuple[str, Any], ...] = ()


def read_files(
    sources: Sequence[PolicySource], limits: LoadLimits, problems: Problems | None = None
) -> PolicyFiles:
    """Read everything below the folders and in the bundles.

    Args:
        sources: The folders.
        limits: What they may hold, all together.
        problems: Takes what is wrong; the rest is read all the same.

    Raises:
        PolicyLoadError: Without ``problems``: a folder is missing, something in it cannot be read or is of no known
            use, or too much; or a bundle must not be trusted.
    """
    found = Problems() if problems is None else problems
    reading = _Reading(limits)
    with found.part("limit"):
        for source in sources:
            for content, relative in reading.entries(source, found):
                name = f"{source.name.rstrip('/')}/{relative.as_posix()}"
                if relative.parts[0] == FIXTURES and len(relative.parts) > 1:
                    if relative.suffix == ".rego":
                        hint = f"{FIXTURES}/ holds plans to try policies on, and is not judged with"
                        problem = f"a policy in a folder {FIXTURES}"
                        found.note(PolicyLoadError(name, problem, hint=hint), "unclaimed")
                    continue
                if relative.suffix.lower() in _IGNORED_SUFFIXES:
                    continue
                if relative.suffix != ".rego" and relative.name not in _DATA_NAMES:
                    hint = "policies end in .rego; data documents are called data.json or data.yaml"
                    found.note(PolicyLoadError(name, "no rule claims this file", hint=hint), "unclaimed")
                    continue
                reading.count_one(name)
                with found.part("file" if relative.suffix == ".rego" else "data"):
                    text = read_text(content, name, limits)
                    path = content if isinstance(content, Path) else source.root
                    reading.take(PolicyFile(name=name, text=text, source=source.name, path=path), relative)
                reading.refuse_too_much(name)
    if problems is None:
        found.raise_first()
    return PolicyFiles(
        modules=tuple(reading.modules[name] for name in sorted(reading.modules)),
        tests=tuple(reading.tests[name] for name in sorted(reading.tests)),
        data=reading.data,
        bundles=tuple(reading.bundles),
        defaults=tuple(reading.defaults),
    )


class _Reading:
    """What was read so far."""

    def __init__(self, limits: LoadLimits) -> None:
        self.limits = limits
        self.modules: dict[str, PolicyFile] = {}
        self.tests: dict[str, PolicyFile] = {}
        self.data: dict[str, Any] = {}
        self.bundles: list[BundleUsed] = []
        self.defaults: list[tuple[str, Any]] = []
        self._bundle: BundleUsed | None = None
        self._count = 0
        self._total = 0

    def entries(self, source: PolicySource, problems: Problems) -> Iterable[tuple[Path | bytes, PurePath]]:
        """What a source holds: where content is, or the content itself, with its relative path."""
        self._bundle = None
        # Where a bundle is asked for, a folder in its place would come without a signature.
        if source.trust is None and not source.root.is_file():
            return _walk(source, self.limits, problems)
        # Most runs have no bundle.
        from plangate.policy.bundle import read_bundle  # noqa: PLC0415

        self._bundle, files = read_bundle(source, self.limits)
        self.bundles.append(self._bundle)
        return ((files[name], PurePosixPath(name)) for name in sorted(files))

    def count_one(self, name: str) -> None:
        self._count += 1
        if self._count > self.limits.max_files:
            raise PolicyLoadError(name, f"more than {self.limits.max_files} files (max_files)")

    def refuse_too_much(self, name: str) -> None:
        if self._total > self.limits.max_total_bytes:
            most = self.limits.max_total_bytes
            raise PolicyLoadError(name, f"more than {most} bytes in all (max_total_bytes)")

    def take(self, file: PolicyFile, relative: PurePath) -> None:
        """Keep a file, or refuse it."""
        if relative.suffix != ".rego":
            folders = relative.parts[:-1]
            document, defaults = bundled(parse_data(file.text, file.name), folders, self._bundle, file.name)
            self._total += len(file.text)
            self.defaults += defaults
            merge(self.data, document, folders, file.name)
            return
        self.keep(file, self.tests if _is_test(file.name, file.text) else self.modules)

    def keep(self, file: PolicyFile, target: dict[str, PolicyFile]) -> None:
        """Keep a Rego file."""
        self._total += len(file.text)
        if file.name in target:
            raise PolicyLoadError(file.name, "two folders have the same name, so two files do")
        refuse_deep_nesting(file.text, file.name, self.limits)
        target[file.name] = file


def read_rego(sources: Sequence[PolicySource], limits: LoadLimits) -> tuple[PolicyFile, ...]:
    """Every Rego file below the folders, sorted by name, whatever it is for and whatever else is there.

    Raises:
        PolicyLoadError: A folder is missing, something in it cannot be read, or too much.
    """
    problems, reading = Problems(), _Reading(limits)
    with problems.part("limit"):
        for source in sources:
            for path, relative in _walk(source, limits, problems):
                name = f"{source.name.rstrip('/')}/{relative.as_posix()}"
                if path.suffix == ".rego":
                    reading.count_one(name)
                    text = read_text(path, name, limits)
                    reading.keep(
                        PolicyFile(name=name, text=text, source=source.name, path=path), reading.modules
                    )
                    reading.refuse_too_much(name)
    problems.raise_first()
    return tuple(reading.modules[name] for name in sorted(reading.modules))


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
            if path.suffix not in DATA_SUFFIXES:
                if given.is_dir():
                    continue  # Such a folder may hold anything; what counts as data shows in its name.
                raise PolicyLoadError(name, "a data document ends in .json, .yaml or .yml")
            count += 1
            if count > limits.max_files:
                raise PolicyLoadError(name, f"more than {limits.max_files} data documents (max_files)")
            text = read_text(path, name, limits)
            total += len(text)
            if total > limits.max_total_bytes:
                raise PolicyLoadError(
                    name, f"more than {limits.max_total_bytes} bytes of data in all (max_total_bytes)"
                )
            merge(data, parse_data(text, name), relative.parts[:-1], name)
        if count == before:
            raise PolicyLoadError(str(given), "no data documents in this folder")


def _walk(
    source: PolicySource, limits: LoadLimits, problems: Problems | None = None
) -> Iterator[tuple[Path, Path]]:
    """Files below a folder with their relative paths, sorted; links are followed only inside of it."""
    root = source.root.resolve()
    if not root.is_dir():
        raise PolicyLoadError(
            str(source.root),
            "neither a folder nor a bundle" if root.exists() else "no such folder or bundle",
            code="file",
        )
    found = Problems() if problems is None else problems
    folders = [Path()]
    while folders:
        relative = folders.pop()
        entries: list[os.DirEntry[str]] = []
        with found.part("file"):
            if len(relative.parts) > limits.max_depth:
                problem = f"more than {limits.max_depth} folders deep (max_depth)"
                raise PolicyLoadError(f"{source.name}/{relative.as_posix()}", problem, code="limit")
            try:
                entries = sorted(os.scandir(root / relative), key=lambda entry: entry.name)
            except OSError as problem:
                raise PolicyLoadError(str(relative), f"cannot be read: {problem.strerror}") from problem
        for entry in entries:
            inner = relative / entry.name
            with found.part("file"):
                is_folder = _is_folder(entry, root, f"{source.name}/{inner.as_posix()}")
                if is_folder:
                    folders.append(inner)
                elif is_folder is False:
                    yield root / inner, inner
    if problems is None:
        found.raise_first()


def _is_folder(entry: os.DirEntry[str], root: Path, name: str) -> bool | None:
    """Whether an entry of a folder is one itself, or ``None`` for one that no policy engine reads."""
    if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
        raise PolicyLoadError(name, "this link leaves the policy folder", code="link")
    if entry.name.startswith(".") and not entry.name.endswith(".rego"):
        return None  # .git, .regal, editor files
    if entry.is_dir():
        return True
    if not entry.is_file():
        raise PolicyLoadError(name, "neither a file nor a folder")
    return False


def _read(path: Path, name: str, limits: LoadLimits) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limits.max_file_bytes + 1)
    except OSError as problem:
        raise PolicyLoadError(name, f"cannot be read: {problem.strerror}") from problem


def read_text(found: Path | bytes, name: str, limits: LoadLimits) -> str:
    """The text of a file, or of what was in one, within the limit for one file.

    Raises:
        PolicyLoadError: It cannot be read, is too large, or is not plain UTF-8 text.
    """
    content = found if isinstance(found, bytes) else _read(found, name, limits)
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


def _is_test(name: str, text: str) -> bool:
    if not name.endswith("_test.rego"):
        return False
    if _TEST_PACKAGE.search(text) is None:
        raise PolicyLoadError(
            name, "a file whose name ends in _test.rego is a test, so its package must end in _test"
        )
    return True


# A string that never ends goes to the end of its line, or of the file: a syntax error, which the engine will place.
_BRACKETS: Final = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"?|`[^`]*`?|([(\[{])|[)\]}]', re.DOTALL)


def refuse_deep_nesting(text: str, name: str, limits: LoadLimits) -> None:
    """Count brackets as the engine's tokens do: not those in strings and comments."""
    # Most files do not have that many brackets.
    if text.count("(") + text.count("[") + text.count("{") <= limits.max_nesting:
        return
    depth = 0
    for found in _BRACKETS.finditer(text):
        if found.lastindex:
            depth += 1
            if depth > limits.max_nesting:
                problem = f"nested more than {limits.max_nesting} brackets deep (max_nesting)"
                line = text.count("\n", 0, found.start()) + 1
                raise PolicyLoadError(name, problem, line=line)
        elif found[0] in ")]}":
            # One too many is a syntax error. It buys no depth.
            depth = max(depth - 1, 0)
