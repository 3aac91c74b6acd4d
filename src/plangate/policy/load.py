"""Policies from folders: found, read within limits, parsed, registered and checked, or refused with file:line:col.

Everything in a policy folder must be accounted for. A file that no rule claims may be a rule that somebody
believes to be judged; so it is an error, not something to skip.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from msgspec.structs import replace

from plangate.errors import PolicyLoadError
from plangate.policy.base import EMBEDDED, PolicySet, PolicySource
from plangate.policy.files import LoadLimits, PolicyFile, PolicyFiles, read_data, read_files
from plangate.policy.index import Checked, known_check
from plangate.policy.problems import Problems
from plangate.policy.rule_settings import default_settings


def shipped_policies() -> PolicySource:
    """The policies that come with plangate.

    They stand at the top of the repository and, in an installed package, inside of it.
    """
    package = Path(__file__).resolve().parent.parent
    for root in (package / "shipped_policies", package.parent.parent / "policies"):
        if root.is_dir():
            return PolicySource(root=root, name="shipped")
    raise PolicyLoadError(str(package / "shipped_policies"), "the shipped policies are missing")


def shipped_library() -> PolicySource:
    """The library that every policy may import as ``data.plangate.lib``."""
    return PolicySource(root=shipped_policies().root / "lib", name="lib")


BUILDERS: Final = "plangate.lib.builders_test"
"""The package with which tests make plans."""


def shipped_builders() -> PolicyFile:
    """The module with which tests make plans; policies cannot import it."""
    path = shipped_library().root / "builders_test.rego"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise PolicyLoadError(str(path), f"cannot be read: {problem.strerror}") from problem
    return PolicyFile(name=f"lib/{path.name}", text=text, source="lib", path=path)


def with_builders(tests: Sequence[PolicyFile]) -> tuple[PolicyFile, ...]:
    """Tests and the module of the library that they make plans with, which every user's tests may import."""
    package = f"package {BUILDERS}"
    there = any(line.strip() == package for file in tests for line in file.text.splitlines())
    return tuple(tests) if there else (*tests, shipped_builders())


def load(
    sources: Sequence[PolicySource],
    limits: LoadLimits | None = None,
    *,
    data: Sequence[Path] = (),
    engine: str = EMBEDDED,
) -> PolicySet:
    """Read, check and register all policies in these folders and bundles, with the shipped library.

    Policies that are byte for byte the shipped ones were checked when they were made (`plangate.policy.index`);
    any others are checked now.

    Args:
        sources: Folders and bundles in any order; none at all gives a set without rules.
        limits: What they may hold.
        data: Documents for the policies besides those in their folders; see `plangate.policy.files.read_data`.
        engine: What is going to judge: ``embedded`` or ``opa``, which understands more.

    Raises:
        PolicyLoadError: The first thing that is wrong, at its place.
    """
    problems = Problems()
    files = gather(sources, limits or LoadLimits(), data, problems)
    problems.raise_first()
    sha256 = digest(files)
    # What no data document was needed for, none can change: a name that leads into data led nowhere before.
    # What a bundle promises is checked every time.
    known = None if files.bundles else known_check(digest(replace(files, data={})))
    checked = known or check(files, engine)
    settings = {rule.spec.id: rule.settings for rule in checked if rule.settings}
    defaults = default_settings((rule.package.rpartition(".")[2], rule.settings) for rule in checked)
    _check_defaults(files, defaults)
    return PolicySet(
        rules=tuple(rule.spec for rule in checked),
        packages=MappingProxyType({rule.spec.id: rule.package for rule in checked}),
        scopes=MappingProxyType({rule.spec.id: rule.scope for rule in checked}),
        modules=tuple((file.name, file.text) for file in files.modules),
        data=MappingProxyType({**files.data, **defaults}),
        settings=MappingProxyType(settings),
        reads=MappingProxyType({rule.spec.id: rule.reads for rule in checked}),
        handles_unknowns=frozenset(rule.spec.id for rule in checked if rule.handles_unknowns),
        sha256=sha256,
        sources=tuple(source.name for source in sources),
        bundles=files.bundles,
    )


def gather(
    sources: Sequence[PolicySource], limits: LoadLimits, data: Sequence[Path], problems: Problems
) -> PolicyFiles:
    """Everything that is loaded for these folders, as far as it can be read.

    Args:
        sources: As for `load`.
        limits: As for `load`.
        data: As for `load`.
        problems: Takes what is wrong.
    """
    files = _one_library(read_files(_with_library(sources), limits, problems), problems)
    with problems.part("data"):
        read_data(data, limits, files.data)
    if not problems.errors:
        for source in sources:
            if not any(file.source == source.name for file in files.modules):
                hint = "a policy is a .rego file"
                problem = f"no policies in this {'bundle' if source.root.is_file() else 'folder'}"
                problems.note(PolicyLoadError(str(source.root), problem, hint=hint), "empty")
    for name in ("plangate", "policies", "input"):
        if name in files.data:
            problem = "data documents must not use this name: it belongs to plangate"
            problems.note(PolicyLoadError(f"data.{name}", problem), "data")
    return files


def check(files: PolicyFiles, engine: str = EMBEDDED) -> tuple[Checked, ...]:
    """Every rule of these files, sorted by id, after everything about all of them was found to be right.

    Raises:
        PolicyLoadError: The first thing that is wrong, at its place.
    """
    # The parser, the engine and YAML take longer to import than the shipped policies take to read.
    from plangate.policy.check import check_files  # noqa: PLC0415

    return check_files(files, engine)


def without(policies: PolicySet, rule_ids: frozenset[str]) -> PolicySet:
    """The same policies with some rules not asked. Their digest says so."""
    if not rule_ids & set(policies.packages):
        return policies
    left_out = json.dumps([policies.sha256, sorted(rule_ids)]).encode()
    return replace(
        policies,
        rules=tuple(rule for rule in policies.rules if rule.id not in rule_ids),
        sha256=hashlib.sha256(left_out).hexdigest(),
    )


def digest(files: PolicyFiles) -> str:
    """One digest over names and contents of policies and data; lengths keep neighbours apart."""
    found = hashlib.sha256()
    documents = [(file.name, file.text.encode()) for file in files.modules]
    documents.append(("data", json.dumps(files.data, sort_keys=True, ensure_ascii=False).encode()))
    for name, content in documents:
        for part in (name.encode(), content):
            found.update(len(part).to_bytes(8, "big"))
            found.update(part)
    return found.hexdigest()


def _check_defaults(files: PolicyFiles, defaults: Mapping[str, Any]) -> None:
    """OPA gets default settings from a bundle's data, and we get them from METADATA: they have to be the same."""
    own = defaults.get("plangate", {}).get("settings", {})
    for name, brought in files.defaults:
        for slug, values in brought.items() if isinstance(brought, dict) else [("", brought)]:
            if slug not in own or json.dumps(own[slug], sort_keys=True) != json.dumps(values, sort_keys=True):
                raise PolicyLoadError(
                    name, f"data.plangate.settings.{slug} is not what METADATA has as defaults",
                    hint="make the bundle again with `plangate policy bundle`",
                )  # fmt: skip


def _with_library(sources: Sequence[PolicySource]) -> tuple[PolicySource, ...]:
    """The library too, unless the folder that it is in is loaded anyway."""
    library = shipped_library()
    root = library.root.resolve()
    if any(root.is_relative_to(source.root.resolve()) for source in sources):
        return tuple(sources)
    return (*sources, library)


def _one_library(files: PolicyFiles, problems: Problems) -> PolicyFiles:
    """Only the shipped folder may say what ``plangate.lib`` is; an exact copy of one of its files does not count.

    A second definition of ``of_kind`` would change what every other rule sees.
    """
    root = shipped_library().root.resolve()
    own = {file.text for file in files.modules if file.path.is_relative_to(root)}
    bundles = {bundle.source for bundle in files.bundles}

    def is_copy(file: PolicyFile) -> bool:
        if file.path.is_relative_to(root) or _LIBRARY_PACKAGE.search(file.text) is None:
            return False
        if file.text not in own:
            hint = (
                "the library of another version: make the bundle again with this one, or --without-library"
                if file.source in bundles
                else "call it plangate.lib.<name>"
            )
            problem = "package plangate.lib is plangate's own"
            problems.note(PolicyLoadError(file.name, problem, hint=hint), "library")
        return True

    return replace(files, modules=tuple(file for file in files.modules if not is_copy(file)))


_LIBRARY_PACKAGE: Final = re.compile(r"^\s*package\s+plangate\s*\.\s*lib\s*(#.*)?$", re.MULTILINE)
