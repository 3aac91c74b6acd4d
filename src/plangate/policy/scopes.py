"""Which names in a rule are its own variables, and which stand for rules, imports, ``input`` and ``data``."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from plangate.policy.program import Path, Program
from plangate.policy.syntax import Expr, Module, Rule, Statement


class GlobalUse(Struct, kw_only=True, eq=False):
    """A name that is not a variable, as it is used.

    Attributes:
        expr: The variable, reference or call.
        path: What it stands for with the constant keys that follow: starts with ``data`` or ``input``, or is the
            dotted name of a builtin. Ends at the first computed key.
        cut: The reference goes on with a computed key.
        call: It is called; ``expr`` is the call.
    """

    expr: Expr
    path: Path
    cut: bool
    call: bool


def pattern_names(pattern: Expr) -> Iterator[str]:
    """Variables that a pattern (``x``, ``[x, y]``, ``{"a": x}``) binds."""
    if pattern.form == "var":
        yield pattern.value
    elif pattern.form in {"array", "object"}:
        parts = pattern.parts[1::2] if pattern.form == "object" else pattern.parts
        for part in parts:
            yield from pattern_names(part)


def declared_names(query: Iterable[Statement]) -> Iterator[str]:
    """Variables that the statements of one body declare, nested bodies left out."""
    for statement in query:
        if statement.form == "some":
            yield from statement.names
        elif statement.form == "some-in":
            for pattern in statement.parts[:-1]:
                yield from pattern_names(pattern)
        elif statement.form == "expr" and statement.parts[0].form == "assign":
            assign = statement.parts[0]
            if assign.value == ":=":
                yield from pattern_names(assign.parts[0])


class UseFinder:
    """Finds the global uses of one module's rules."""

    def __init__(self, program: Program, module: Module) -> None:
        self.program = program
        self.module = module

    def rule(self, rule: Rule) -> Iterator[GlobalUse]:
        """Every global use of a rule, its own head's name left out."""
        local = frozenset(name for arg in rule.args for name in pattern_names(arg))
        for arg in rule.args:
            yield from self.expr(arg, local)
        if rule.ref.form == "ref":
            for step in rule.ref.parts[1:]:
                inner = local | frozenset(name for body in rule.bodies for name in declared_names(body.query))
                yield from self.expr(step, inner)
        if not rule.bodies and rule.value is not None:
            yield from self.expr(rule.value, local)
        for body in rule.bodies:
            inner = local | frozenset(declared_names(body.query))
            value = body.value if body.value is not None or body.is_else else rule.value
            if value is not None:
                yield from self.expr(value, inner)
            yield from self.query(body.query, inner)

    def query(self, query: Iterable[Statement], local: frozenset[str]) -> Iterator[GlobalUse]:
        """Every global use of a body whose declared names are in ``local`` already."""
        for statement in query:
            for part in statement.parts:
                yield from self.expr(part, local)
            for target, value in statement.mods:
                yield from self.expr(target, local)
                yield from self.expr(value, local)
            if statement.body:
                inner = local | frozenset(statement.names) | frozenset(declared_names(statement.body))
                yield from self.query(statement.body, inner)

    def expr(self, expr: Expr, local: frozenset[str]) -> Iterator[GlobalUse]:
        """Every global use of an expression."""
        if expr.form == "call":
            yield from self._call(expr, local)
            return
        if expr.body:
            local |= frozenset(declared_names(expr.body))
            yield from self.query(expr.body, local)
        if expr.form == "var" and expr.value not in local:
            yield from self._name(expr, (expr.value,), cut=False)
        elif expr.form == "ref" and expr.parts[0].form == "var":
            if expr.parts[0].value not in local:
                path, cut = [expr.parts[0].value], False
                for step in expr.parts[1:]:
                    if step.form != "scalar" or not isinstance(step.value, str):
                        cut = True
                        break
                    path.append(step.value)
                yield from self._name(expr, tuple(path), cut=cut)
            for step in expr.parts[1:]:
                yield from self.expr(step, local)
            return
        for part in expr.parts:
            yield from self.expr(part, local)

    def _name(self, expr: Expr, path: Path, *, cut: bool) -> Iterator[GlobalUse]:
        found = self.program.global_path(self.module, path[0])
        if found is not None:
            yield GlobalUse(expr=expr, path=(*found, *path[1:]), cut=cut, call=False)

    def _call(self, expr: Expr, local: frozenset[str]) -> Iterator[GlobalUse]:
        kind, path = self.program.callee(self.module, expr.parts[0])
        if kind == "computed":
            yield from self.expr(expr.parts[0], local)
        else:
            yield GlobalUse(expr=expr, path=("data", *path) if kind == "rule" else path, cut=False, call=True)
        for part in expr.parts[1:]:
            yield from self.expr(part, local)
