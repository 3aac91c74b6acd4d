"""Policies from folders: found, read within limits, parsed, registered and checked, or refused with file:line:col.

Everything in a policy folder must be accounted for. A file that no rule claims may be a rule that somebody
believes to be judged; so it is an error, not something to skip.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from plangate.errors import PolicyLoadError
from plangate.policy.base import EMBEDDED, PolicySet, PolicySource
from plangate.policy.files import LoadLimits, PolicyFile, PolicyFiles, read_data, read_files
from plangate.policy.index import Checked, known_check
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


def load(
    sources: Sequence[PolicySource],
    limits: LoadLimits | None = None,
    *,
    data: Sequence[Path] = (),
    engine: str = EMBEDDED,
) -> PolicySet:
    """Read, check and register all policies below these folders, with the shipped library.

    Policies that are byte for byte the shipped ones were checked when they were made (`plangate.policy.index`);
    any others are checked now.

    Args:
        sources: Folders in any order; none at all gives a set without rules.
        limits: What a folder may hold.
        data: Documents for the policies besides those in their folders; see `plangate.policy.files.read_data`.
        engine: What is going to judge: ``embedded`` or ``opa``, which understands more.

    Raises:
        PolicyLoadError: The first thing that is wrong, at its place.
    """
    limits = limits or LoadLimits()
    files = _one_library(read_files(_with_library(sources), limits))
    read_data(data, limits, files.data)
    for source in sources:
        if not any(file.source == source.name for file in files.modules):
            raise PolicyLoadError(
                str(source.root), "no policies in this folder", hint="a policy is a .rego file"
            )
    for name in ("plangate", "policies", "input"):
        if name in files.data:
            raise PolicyLoadError(
                f"data.{name}", "data documents must not use this name: it belongs to plangate"
            )
    sha256 = digest(files)
    # What no data document was needed for, none can change: a name that leads into data led nowhere before.
    checked = known_check(digest(replace(files, data={}))) or check(files, engine)
    settings = {rule.spec.id: rule.settings for rule in checked if rule.settings}
    defaults = default_settings((rule.package.rpartition(".")[2], rule.settings) for rule in checked)
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
    )


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


def _with_library(sources: Sequence[PolicySource]) -> tuple[PolicySource, ...]:
    """The library too, unless the folder that it is in is loaded anyway."""
    library = shipped_library()
    root = library.root.resolve()
    if any(root.is_relative_to(source.root.resolve()) for source in sources):
        return tuple(sources)
    return (*sources, library)


def _one_library(files: PolicyFiles) -> PolicyFiles:
    """Only the shipped folder may say what ``plangate.lib`` is; an exact copy of one of its files does not count.

    A second definition of ``of_kind`` would change what every other rule sees.
    """
    root = shipped_library().root.resolve()
    own = {file.text for file in files.modules if file.path.is_relative_to(root)}

    def is_copy(file: PolicyFile) -> bool:
        if file.path.is_relative_to(root) or _LIBRARY_PACKAGE.search(file.text) is None:
            return False
        if file.text not in own:
            raise PolicyLoadError(
                file.name, "package plangate.lib is plangate's own", hint="call it plangate.lib.<name>"
            )
        return True

    return replace(files, modules=tuple(file for file in files.modules if not is_copy(file)))


_LIBRARY_PACKAGE: Final = re.compile(r"^\s*package\s+plangate\s*\.\s*lib\s*(#.*)?$", re.MULTILINE)
