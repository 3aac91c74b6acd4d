"""Policies from folders: found, read within limits, parsed, registered and checked, or refused with file:line:col.

Everything in a policy folder must be accounted for. A file that no rule claims may be a rule that somebody
believes to be judged; so it is an error, not something to skip.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TYPE_CHECKING

from plangate.errors import PolicyLoadError
from plangate.policy.base import PolicySet, PolicySource
from plangate.policy.files import LoadLimits, PolicyFiles, read_files
from plangate.policy.flow import rule_reads
from plangate.policy.hazards import check_program
from plangate.policy.parse import parse_modules
from plangate.policy.program import Program
from plangate.policy.register import LIBRARY, RulePackage, check_facts, register
from plangate.policy.syntax import Module

if TYPE_CHECKING:
    from plangate.policy.reads import Reads


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


def load(sources: Sequence[PolicySource], limits: LoadLimits | None = None) -> PolicySet:
    """Read, check and register all policies below these folders, with the shipped library.

    Args:
        sources: Folders in any order; none at all gives a set without rules.
        limits: What a folder may hold.

    Raises:
        PolicyLoadError: The first thing that is wrong, at its place.
    """
    files = read_files(_with_library(sources), limits or LoadLimits())
    modules = parse_modules(files.modules)
    by_package: dict[tuple[str, ...], Module] = {}
    registered: dict[str, RulePackage] = {}
    for module in modules:
        if module.package[: len(LIBRARY)] == LIBRARY:
            continue
        rule = register(module)
        twin = registered.get(rule.spec.id)
        if twin is not None:
            raise module.error(
                module.package_start,
                f'two rules have the id "{rule.spec.id}": the other is {twin.module.file}',
            )
        registered[rule.spec.id] = rule
        by_package[module.package] = module
    _claimed(files, by_package)
    for source in sources:
        if not any(file.source == source.name for file in files.modules):
            raise PolicyLoadError(
                str(source.root), "no policies in this folder", hint="a policy is a .rego file"
            )
    program = Program(modules, files.data)
    check_program(program)
    rules = [registered[rule_id] for rule_id in sorted(registered)]
    reads: dict[str, Reads] = {}
    for rule in rules:
        reads[rule.spec.id] = rule_reads(program, rule.module.package)
        check_facts(rule, reads[rule.spec.id])
    return PolicySet(
        rules=tuple(rule.spec for rule in rules),
        packages=MappingProxyType({rule.spec.id: ".".join(rule.module.package) for rule in rules}),
        scopes=MappingProxyType({rule.spec.id: rule.scope for rule in rules}),
        modules=tuple((module.file, module.text) for module in modules),
        data=MappingProxyType(dict(files.data)),
        reads=MappingProxyType(reads),
        handles_unknowns=frozenset(rule.spec.id for rule in rules if rule.handles_unknowns),
        sha256=_digest(modules, files.data),
        sources=tuple(source.name for source in sources),
    )


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


def _with_library(sources: Sequence[PolicySource]) -> tuple[PolicySource, ...]:
    """The library too, unless the folder that it is in is loaded anyway."""
    library = shipped_library()
    root = library.root.resolve()
    if any(root.is_relative_to(source.root.resolve()) for source in sources):
        return tuple(sources)
    return (*sources, library)


def _claimed(files: PolicyFiles, by_package: dict[tuple[str, ...], Module]) -> None:
    """Refuse two files of one rule: they would be judged as one, and which METADATA counts is chance."""
    seen: dict[tuple[str, ...], str] = {}
    for package, module in by_package.items():
        if package in seen:
            raise PolicyLoadError(module.file, f"package {'.'.join(package)} is also {seen[package]}")
        seen[package] = module.file
    for name in ("plangate", "policies", "input"):
        if name in files.data:
            raise PolicyLoadError(
                f"data.{name}", "data documents must not use this name: it belongs to plangate"
            )


def _digest(modules: Sequence[Module], data: dict[str, Any]) -> str:
    """One digest over names and contents; lengths keep neighbours apart."""
    digest = hashlib.sha256()
    documents = [(module.file, module.encoded) for module in modules]
    documents.append(("data", json.dumps(data, sort_keys=True, ensure_ascii=False).encode()))
    for name, content in documents:
        for part in (name.encode(), content):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()
