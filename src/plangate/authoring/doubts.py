"""Every ``not`` in a test over something that may be undefined, found so that a run can look whether it was.

OPA takes the parts of a negated call or comparison out of the ``not``: where one is undefined, the line does not hold.
The embedded engine makes the line true. A policy with such a line is refused when it is loaded. A test knows its own
inputs, so it is not refused; but when the part was undefined in a run, the test has no verdict that OPA would give.
"""

from collections.abc import Sequence

from msgspec import Struct

from plangate.policy.aliases import NOTHING, Alias, ReadLog
from plangate.policy.flow import Walk
from plangate.policy.negation import doubtful_part
from plangate.policy.problems import Problems
from plangate.policy.program import Path, Program
from plangate.policy.syntax import Expr, Module, Statement, rule_statements
from plangate.policy.variables import Scope
from plangate.policy.vocabulary import Vocabulary


class Doubt(Struct, frozen=True, kw_only=True, eq=False):
    """A ``not`` and the part of it that may be undefined."""

    module: Module
    statement: Statement
    part: Expr


def find_doubts(modules: Sequence[Module]) -> tuple[Doubt, ...]:
    """Every doubtful ``not`` in these modules, each once, in their order.

    Raises:
        PolicyLoadError: A ``not`` whose variable gets a value nowhere else.
    """
    program = Program(modules, {})
    found: list[Doubt] = []
    for module in modules:
        negated = {
            id(statement.parts[0]): statement
            for rule in module.rules
            for statement in rule_statements(rule)
            if statement.form == "not"
        }
        if not negated:
            continue
        walk = _TestWalk(program)
        for rule in module.rules:
            scope = Scope(module)
            for parameter in rule.args:
                walk.parameter(parameter, NOTHING, scope)
            walk.rule_value(rule, scope)
        found += [
            Doubt(module=module, statement=negated[key], part=part)
            for key, part in walk.found.items()
            if key in negated
        ]
    return tuple(found)


class _TestWalk(Walk):
    """Goes through one module by itself: what others do with their ``not`` is theirs."""

    def __init__(self, program: Program) -> None:
        super().__init__(program, ReadLog(), Vocabulary(), Problems(), negations=True)
        self.found: dict[int, Expr] = {}

    def rule_alias(self, path: Path) -> Alias:
        del path
        return NOTHING

    def call_alias(self, path: Path, args: tuple[Alias, ...]) -> Alias:
        del path, args
        return NOTHING

    def statement(self, statement: Statement, scope: Scope) -> None:
        super().statement(statement, scope)
        for _, value in statement.mods:
            self.value(value, scope)

    def negation(self, expr: Expr, scope: Scope) -> None:
        part = doubtful_part(
            self.program, scope.module, expr, scope.bound, lambda inner: self.is_defined(inner, scope)
        )
        if part is not None:
            self.found[id(expr)] = part

    def is_defined(self, expr: Expr, scope: Scope) -> bool:
        """Nothing of an input is taken for granted: those of tests are not plans that somebody planned."""
        head = expr.parts[0] if expr.form == "ref" else expr
        if head.form != "var" or scope.find(head.value) is not None:
            return False
        path = self.program.global_path(scope.module, head.value)
        return path is not None and path[0] == "data" and super().is_defined(expr, scope)
