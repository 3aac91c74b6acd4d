"""Variables that would have no value where a head or a comprehension gives them away.

The engine finds most unsafe variables when it plans an evaluation, but these only while evaluating: then a policy
that can never work would fail on the day that it finds something.
"""

from collections.abc import Iterator

from plangate.policy.program import Program
from plangate.policy.scopes import declared_names, pattern_names
from plangate.policy.syntax import Body, Expr, Module, Rule, Statement
from plangate.policy.variables import bound_names


def unsafe_variable(program: Program, module: Module, rule: Rule) -> Expr | None:
    """The first variable of a rule that nothing gives a value, or ``None``."""
    return next(_Safety(program, module).rule(rule), None)


class _Safety:
    def __init__(self, program: Program, module: Module) -> None:
        self.program = program
        self.module = module

    def rule(self, rule: Rule) -> Iterator[Expr]:
        args = frozenset(name for arg in rule.args for name in pattern_names(arg))
        keys = rule.ref.parts[1:] if rule.ref.form == "ref" else ()
        for body in rule.bodies or (Body(start=rule.start, value=None, is_else=False, query=()),):
            bound = self.bound(body.query, args)
            value = body.value if body.value is not None or body.is_else else rule.value
            for given in (*keys, *([value] if value is not None else ())):
                yield from self.given(given, bound)
            yield from self.query(body.query, bound)

    def bound(self, query: tuple[Statement, ...], outer: frozenset[str]) -> frozenset[str]:
        """Names with a value in a body."""
        found = outer | frozenset(declared_names(query))
        for statement in query:
            if statement.form != "not":
                found |= bound_names(statement)
        return found

    def query(self, query: tuple[Statement, ...], bound: frozenset[str]) -> Iterator[Expr]:
        """Comprehensions anywhere in a body, whose names are bound already."""
        for statement in query:
            for part in statement.parts:
                yield from self.inner(part, bound)
            if statement.body:
                outer = bound | frozenset(statement.names)
                yield from self.query(statement.body, self.bound(statement.body, outer))

    def inner(self, expr: Expr, bound: frozenset[str]) -> Iterator[Expr]:
        """Comprehensions in an expression that is not itself given away."""
        if expr.body:
            yield from self.given(expr, bound)
            return
        for part in expr.parts:
            yield from self.inner(part, bound)

    def given(self, expr: Expr, bound: frozenset[str], *, iterates: bool = False) -> Iterator[Expr]:
        """Names in an expression that is given away; in a comprehension, ``_`` may be a key."""
        if expr.body:
            bound = self.bound(expr.body, bound)
            yield from self.query(expr.body, bound)
            iterates = True
        elif expr.form == "var":
            if expr.value not in bound and self.program.global_path(self.module, expr.value) is None:
                yield expr
            return
        parts = expr.parts[1:] if expr.form == "call" else expr.parts
        if iterates and expr.form == "ref":
            parts = tuple(part for part in parts if part.form != "var" or part.value != "_")
        for part in parts:
            yield from self.given(part, bound, iterates=iterates)
