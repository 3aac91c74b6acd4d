"""The load-time check of tests: what the embedded engine would get wrong in them.

As for policies (`plangate.policy.hazards`), but a test may use ``with``.
"""

from collections.abc import Sequence
from typing import Final

from plangate.policy.base import EMBEDDED
from plangate.policy.hazards import (
    Notes,
    check_call,
    check_recursion,
    check_reference,
    check_rule,
    import_errors,
    is_given,
)
from plangate.policy.problems import Problems
from plangate.policy.program import Path, Program, head_path
from plangate.policy.scopes import UseFinder
from plangate.policy.syntax import Module, rule_statements, static_path


def check_tests(program: Program, tests: Sequence[Module], *, any_data: bool = False) -> None:
    """Refuse the first hazard in some modules, which may use ``with`` and name what only a ``with`` gives them.

    Args:
        program: All modules, these included.
        tests: The modules to check. A ``not`` is left to `plangate.authoring.doubts`, which knows what it met.
        any_data: They may name data that is not there, as OPA lets them.

    Raises:
        PolicyLoadError: With file, line, column, what is wrong and what to do.
    """
    problems = Problems()
    notes = Notes(problems, whole=True, engine=EMBEDDED, tests=True)
    uses: dict[Path, set[Path]] = {}
    for module in tests:
        given = (("data",),) if any_data else _given_documents(module)
        for error in import_errors(program, module, given):
            notes.note(error, "import")
        finder = UseFinder(program, module)
        for rule in module.rules:
            path = (*module.package, *head_path(rule)[0])
            check_rule(program, module, rule, notes, path)
            for use in finder.rule(rule):
                builtin = use.call and ".".join(use.path) in _FOR_TESTS
                if builtin or (not use.call and is_given(use.path, given)):
                    continue
                with problems.part("undefined"):
                    check = check_call if use.call else check_reference
                    if target := check(program, module, use):
                        uses.setdefault(path, set()).add(target)
    check_recursion(program, uses, notes)
    problems.raise_first()


_FOR_TESTS: Final = frozenset({"json.marshal", "trace"})
"""Refused in policies, harmless in tests, which make the text of a document with it and have it read again."""


def _given_documents(module: Module) -> tuple[Path, ...]:
    """What the tests of a module put below ``data`` themselves: ``with data.x as …``."""
    paths = (
        static_path(target)
        for rule in module.rules
        for statement in rule_statements(rule)
        for target, _ in statement.mods
    )
    return tuple(path for path in paths if path is not None and path[0] == "data")
