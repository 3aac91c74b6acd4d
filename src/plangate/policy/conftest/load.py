"""Conftest policies from folders: read, cut down to what the namespaces need, and checked, or refused with their place.

Conftest judges what it finds and says nothing of the rest. Here a namespace without rules, a rule that it would count
and never ask, and a name one slip away from a rule are refused: nobody should believe in a rule that is not judged.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plangate.errors import PolicyLoadError
from plangate.policy.base import PolicySource
from plangate.policy.builtins import WITH_OPA
from plangate.policy.conftest.base import (
    DEFAULT_NAMESPACE,
    EXCEPTION,
    ConftestPolicies,
    ConftestRule,
    is_judged,
    rule_spec,
)
from plangate.policy.conftest.files import ConftestFiles, read_files
from plangate.policy.conftest.namespaces import matching, namespace_of
from plangate.policy.conftest.reach import needed, used_paths
from plangate.policy.conftest.reads import raw_reads
from plangate.policy.files import LoadLimits
from plangate.policy.hazards import check_program
from plangate.policy.parse import parse_modules
from plangate.policy.problems import Problems
from plangate.policy.program import Program, head_name
from plangate.policy.register import near_miss
from plangate.policy.syntax import Module, Rule, rule_exprs, static_path

_FILE: Final = {"conftest": {"file": {"name": "", "dir": ""}}}
"""What conftest puts beside the data for each file."""
_NOT_LOADED: Final = "nothing is loaded as data."
_LOAD_IT: Final = "--data loads documents; where there is nothing to load, one with an empty value will do"
_TEST: Final = re.compile(r"(?:todo_)?test_")
_READS_FILES: Final = frozenset({"parse_config", "parse_config_file", "parse_combined_config_files"})


class Wanted(Struct, frozen=True, kw_only=True):
    """What of the policies is to be judged.

    Attributes:
        namespaces: Names, or patterns with ``*``, ``?`` and ``[``.
        all_namespaces: Every namespace that there is; ``namespaces`` is then not looked at.
        rego_v0: The policies are written in Rego v0.
    """

    namespaces: tuple[str, ...] = (DEFAULT_NAMESPACE,)
    all_namespaces: bool = False
    rego_v0: bool = False


def load(
    policies: Sequence[PolicySource], data: Sequence[FilePath], wanted: Wanted, limits: LoadLimits
) -> ConftestPolicies:
    """Read and check conftest policies.

    Args:
        policies: Folders, or files.
        data: Documents, or folders of them.
        wanted: What is to be judged.
        limits: What the folders may hold.

    Raises:
        PolicyLoadError: The first thing that is wrong, at its place.
    """
    files = read_files(policies, data, limits)
    try:
        return _checked(files, wanted, tuple(source.name for source in policies))
    except PolicyLoadError as error:
        hint = error.hint.replace(f"; {WITH_OPA}", "").replace(WITH_OPA, "write it another way")
        if error.problem.startswith(_NOT_LOADED):
            hint = f"{hint}; {_LOAD_IT}" if hint else _LOAD_IT
        raise PolicyLoadError(
            error.file, error.problem, line=error.line, column=error.column, hint=hint, code=error.code
        ) from error


def _checked(files: ConftestFiles, wanted: Wanted, sources: tuple[str, ...]) -> ConftestPolicies:
    modules = parse_modules((*files.modules, *files.tests), rego_v0=wanted.rego_v0)
    own = [_without_tests(module) for module in modules[: len(files.modules)]]
    tests = modules[len(files.modules) :]
    _refuse_policies_in_tests(own, tests)
    namespaces = matching(own, tests, wanted.namespaces, everything=wanted.all_namespaces)
    if "conftest" in files.data:
        raise PolicyLoadError("data.conftest", "data documents must not use this name: conftest writes to it")
    data = files.data | _FILE
    everything = Program(own, data)
    _refuse_misspelt(everything, namespaces)
    kept = needed(everything, namespaces)
    program = Program(kept, data)
    _refuse_data_in_the_way(program, files.data)
    for module in kept:
        _refuse_file_readers(program, module)
    problems = Problems()
    check_program(program, problems, rego_v0=wanted.rego_v0)
    problems.raise_first()
    rules = tuple(rule for namespace in namespaces for rule in _rules(program, kept, namespace))
    exceptions = {
        namespace: raw_reads(program, (*package, EXCEPTION))
        for namespace in namespaces
        for package in {module.package for module in kept if namespace_of(module.package) == namespace}
        if program.target((*package, EXCEPTION)).kind != "nothing"
    }
    texts = tuple((module.file, module.text) for module in kept)
    found = ConftestPolicies(
        namespaces=namespaces, rules=rules, exceptions=MappingProxyType(exceptions), modules=texts,
        data=MappingProxyType(files.data), asks_file=any("conftest" in text for _, text in texts),
        rego_v0=wanted.rego_v0, sha256="", sources=sources,
    )  # fmt: skip
    return replace(found, sha256=_digest(found))


def _without_tests(module: Module) -> Module:
    """A module without the tests in it, which nothing else may use: it would be undefined."""
    rules = tuple(rule for rule in module.rules if not _TEST.match(head_name(rule)))
    return module if len(rules) == len(module.rules) else replace(module, rules=rules)


def _refuse_policies_in_tests(own: Sequence[Module], tests: Sequence[Module]) -> None:
    """Files with tests are left out, so nothing may be in them that conftest would judge with."""
    defined = {(module.package, head_name(rule)) for module in own for rule in module.rules}
    for module in tests:
        for rule in module.rules:
            name = head_name(rule)
            if (
                is_judged(name)
                or name == EXCEPTION
                or ((module.package, name) in defined and not _TEST.match(name))
            ):
                raise module.error(
                    rule.start, f"{name} is a part of the policies, in a file of tests, which is not judged",
                    hint="move it to a file whose name does not end in _test.rego",
                )  # fmt: skip


def _refuse_data_in_the_way(program: Program, data: Mapping[str, Any]) -> None:
    for path, definitions in program.rules.items():
        place: Any = data
        for step in path:
            place = place.get(step) if isinstance(place, Mapping) else None
        if place is not None:
            at = definitions[0]
            raise at.module.error(at.rule.start, f"data.{'.'.join(path)} is a data document as well")


def _refuse_file_readers(program: Program, module: Module) -> None:
    for rule in module.rules:
        for expr in rule_exprs(rule):
            name = static_path(expr.parts[0]) if expr.form == "call" else None
            if (
                name
                and name[0] in _READS_FILES
                and program.callee(module, expr.parts[0]) == ("builtin", name)
            ):
                raise module.error(
                    expr.start, f"{name[0]} reads something else than the file that is judged",
                    hint="it is for tests, in files whose names end in _test.rego",
                )  # fmt: skip


def _refuse_misspelt(program: Program, namespaces: Sequence[str]) -> None:
    """Refuse what conftest would count as passed, or not judge at all, though it looks as if it should."""
    used = {
        path
        for module in program.modules
        for rule in module.rules
        for path in used_paths(program, module, rule)
    }
    for module in program.modules:
        if namespace_of(module.package) not in namespaces:
            continue
        for rule in module.rules:
            name = head_name(rule)
            if is_judged(name) or name == EXCEPTION:
                _refuse_other_forms(module, rule, name)
            elif rule.form == "set" and (*module.package, name) not in used and (close := _misspelt(name)):
                raise module.error(
                    rule.start, f'"{name}" looks like a misspelt "{close}", and conftest would not judge it',
                    hint=f"call it {close}, or something else",
                )  # fmt: skip


def _rules(program: Program, modules: Sequence[Module], namespace: str) -> Iterator[ConftestRule]:
    """The rules of a namespace as they are written, each name once."""
    found: dict[str, list[tuple[Module, Rule]]] = {}
    for module in modules:
        if namespace_of(module.package) == namespace:
            for rule in module.rules:
                if is_judged(head_name(rule)):
                    found.setdefault(head_name(rule), []).append((module, rule))
    lowered: dict[str, str] = {}
    for name, places in found.items():
        module, rule = places[0]
        if (twin := lowered.setdefault(name.lower(), name)) != name:
            raise module.error(rule.start, f"conftest judges only one of {twin} and {name}")
        yield ConftestRule(
            spec=rule_spec(namespace, name, module.file), namespace=namespace, name=name,
            definitions=len(places), is_set=rule.form == "set", reads=raw_reads(program, (*module.package, name)),
        )  # fmt: skip


def _misspelt(name: str) -> str:
    """The word that a name is one slip away from, or an empty string."""
    lowered = name.lower()
    starts = (
        word for word in ("deny", "violation", "warn") if lowered == word or lowered.startswith(f"{word}_")
    )
    return next(starts, _INFLECTED.get(lowered, "")) or near_miss(name)


_INFLECTED: Final = {
    "warning": "warn",
    "warnings": "warn",
    "violations": "violation",
    "exceptions": EXCEPTION,
}


def _refuse_other_forms(module: Module, rule: Rule, name: str) -> None:
    """Refuse what conftest would count as passed whatever it is."""
    if rule.ref.form != "var" or rule.form in {"function", "default"}:
        raise module.error(rule.start, f"{name} must be a set", hint=f"write `{name} contains … if {{ … }}`")
    values = (rule.value, *(body.value for body in rule.bodies))
    if rule.form == "value" and all(value is None or value.form == "scalar" for value in values):
        raise module.error(
            rule.start, f"{name} is one value: conftest would count it as passed, whatever it is",
            hint=f"write `{name} contains message if {{ … }}`",
        )  # fmt: skip


def _digest(found: ConftestPolicies) -> str:
    parts = [
        found.modules, json.dumps(dict(found.data), sort_keys=True), found.namespaces, found.rego_v0,
        [rule.spec.id for rule in found.rules],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
