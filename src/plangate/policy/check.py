"""The whole check of a set of policies: parse, register, refuse hazards, find out what each rule reads."""

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from plangate.policy.base import EMBEDDED
from plangate.policy.bundle_contents import check_bundles
from plangate.policy.files import PolicyFiles
from plangate.policy.flow import rule_reads
from plangate.policy.hazards import check_program, replaces_input
from plangate.policy.index import Checked
from plangate.policy.load import shipped_library
from plangate.policy.parse import parse_modules
from plangate.policy.problems import Problems
from plangate.policy.program import Path, Program
from plangate.policy.reads import EVERYTHING
from plangate.policy.register import LIBRARY, RulePackage, register
from plangate.policy.rule_settings import default_settings
from plangate.policy.syntax import Module
from plangate.policy.vocabulary import Vocabulary

_HIDES_NOTHING: Final = frozenset({"unclaimed", "id", "rule-set", "misspelt-rule-set", "no-deny"})
"""Problems of files and rules after which every name is still there that others may use."""


class Examined(Struct, frozen=True, kw_only=True):
    """What the check found out about policies, also about those that are refused.

    Attributes:
        program: Every module that could be parsed.
        registered: Every rule whose METADATA is in order, sorted by id.
        checked: Every rule that could be followed to its end, sorted by id. All of them only if nothing is wrong.
    """

    program: Program
    registered: tuple[RulePackage, ...]
    checked: tuple[Checked, ...]


def check_files(files: PolicyFiles, engine: str = EMBEDDED) -> tuple[Checked, ...]:
    """Every rule of these files, sorted by id.

    Args:
        files: All of them.
        engine: What is going to judge; OPA understands more than the embedded engine.

    Raises:
        PolicyLoadError: The first thing that is wrong, at its place.
    """
    problems = Problems()
    examined = examine_files(files, problems, engine)
    problems.raise_first()
    return examined.checked


def examine_files(files: PolicyFiles, problems: Problems, engine: str = EMBEDDED) -> Examined:
    """Check everything about these files that can be checked.

    Args:
        files: What was read of all folders.
        problems: Takes what is wrong. What was wrong with reading is in it already.
        engine: What is going to judge.
    """
    modules = parse_modules(files.modules, problems)
    with problems.part("library"):
        _check_library(files, modules)
    registered = _register(modules, problems)
    if not problems.errors:
        with problems.part("bundle"):
            check_bundles(files, modules, {rule.spec.id: rule.module.file for rule in registered})
    whole = all(error.code in _HIDES_NOTHING for error in problems.errors)
    defaults = default_settings((rule.module.package[-1], rule.settings) for rule in registered)
    program = Program(modules, {**files.data, **defaults})
    broken = check_program(program, problems, whole=whole, engine=engine)
    return Examined(
        program=program,
        registered=tuple(registered),
        checked=tuple(_follow(program, registered, broken, problems, engine)),
    )


def _register(modules: Collection[Module], problems: Problems) -> list[RulePackage]:
    registered: dict[str, RulePackage] = {}
    for module in modules:
        if module.package[: len(LIBRARY)] == LIBRARY:
            continue
        rule = register(module, problems)
        if rule is None:
            continue
        twin = registered.setdefault(rule.spec.id, rule)
        if twin is not rule:
            problem = f'two rules have the id "{rule.spec.id}": the other is {twin.module.file}'
            problems.note(module.error(module.package_start, problem), "id")
    return [rule for _, rule in sorted(registered.items())]


def _follow(
    program: Program,
    registered: Collection[RulePackage],
    broken: Collection[Path],
    problems: Problems,
    engine: str,
) -> list[Checked]:
    vocabulary = Vocabulary()
    blurred = {module.file for module in program.modules if replaces_input(module)}
    shared = bool(blurred - {rule.module.file for rule in registered})
    by_package = {rule.module.package: rule for rule in registered}
    found = []
    for package in sorted({path[:-1] for path in program.rules if path[-1:] == ("deny",)}):
        if any((*package, name) in broken for name in ("deny", "undetermined")):
            continue
        # Also of a rule whose METADATA is wrong, everything that is wrong is said.
        reads = rule_reads(program, package, problems, vocabulary, negations=engine == EMBEDDED)
        rule = by_package.get(package)
        if rule is not None:
            if shared or rule.module.file in blurred:
                reads = EVERYTHING
            found.append(
                Checked(
                    spec=rule.spec,
                    scope=rule.scope,
                    package=".".join(package),
                    reads=reads,
                    handles_unknowns=rule.handles_unknowns,
                    settings=rule.settings,
                )
            )
    for module in program.modules:
        for item in module.imports:
            vocabulary.imported(module, item)
    # What a function reads can be right for one of its callers, so this is judged when all have been seen.
    for error in vocabulary.errors():
        problems.note(error)
    return sorted(found, key=lambda rule: rule.spec.id)


def _check_library(files: PolicyFiles, modules: Collection[Module]) -> None:
    """Only the shipped folder says what ``plangate.lib`` is, however the package is written."""
    root = shipped_library().root.resolve()
    own = {file.name for file in files.modules if file.path.is_relative_to(root)}
    for module in modules:
        if module.package == LIBRARY and module.file not in own:
            raise module.error(module.package_start, "package plangate.lib is plangate's own")
