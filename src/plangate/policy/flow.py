"""What a rule can read, from its syntax tree: every body is gone through with aliases instead of values.

It does not matter in which order lines stand, so a body is gone through until nothing new comes out. Functions are
gone through once for each set of arguments they get; recursion is refused before. A value counts as read where
something looks at it: a comparison, a builtin, a condition, a finding. Giving it a name, passing it to a function of
the policies or putting it in a collection does not look at it.

The same walk knows which references are surely defined, so it is also where every ``not`` is judged.
"""

from typing import TYPE_CHECKING

from plangate.policy.aliases import (
    NOTHING,
    OWN,
    REQUIRED_FIELDS,
    REQUIRED_TOP,
    Alias,
    ReadLog,
    collection,
)
from plangate.policy.expressions import ExpressionWalk
from plangate.policy.negation import negation_problem
from plangate.policy.program import Definition, Path, Program, head_path
from plangate.policy.reads import ANY, Reads
from plangate.policy.scopes import declared_names
from plangate.policy.subject import subject_of
from plangate.policy.syntax import Body, Expr, Rule, Statement, children
from plangate.policy.variables import Scope, bound_names

if TYPE_CHECKING:
    from plangate.errors import PolicyLoadError

_MOST_ROUNDS = 20
"""Times that a body is gone through before it is said to read everything."""


def rule_reads(program: Program, package: Path, *, negations: bool = True) -> Reads:
    """What the rule of a package can read.

    Args:
        program: All modules, free of recursion and of undefined names.
        package: The rule's package.
        negations: Judge every ``not`` on the way, for the embedded engine.

    Raises:
        PolicyLoadError: A ``not`` that the embedded engine would get wrong.
    """
    log = ReadLog()
    walk = _Walk(program, log, negations=negations)
    for name in ("deny", "undetermined"):
        for definition in program.rules.get((*package, name), ()):
            walk.head(definition)
    return log.reads()


class _Walk(ExpressionWalk):
    """Goes through rules, functions and bodies."""

    def __init__(self, program: Program, log: ReadLog, *, negations: bool) -> None:
        super().__init__(program, log)
        self.negations = negations
        self.rules: dict[Path, Alias] = {}
        self.calls: dict[tuple[Path, tuple[Alias, ...]], Alias] = {}

    # --- Rules and functions ------------------------------------------------------------------------------

    def head(self, definition: Definition) -> None:
        """One definition of ``deny``: what it finds is looked at, and its subject is the resource it is about."""
        rule, module = definition.rule, definition.module
        scope = Scope(module, subject=subject_of(self.program, module, rule))
        self.log.look(self.rule_value(rule, scope), deep=True)

    def rule_alias(self, path: Path) -> Alias:
        """The value of a rule, whichever of its definitions it comes from."""
        if path not in self.rules:
            alias = NOTHING
            for definition in self.program.rules[path]:
                rule = definition.rule
                value = self.rule_value(rule, Scope(definition.module))
                if rule.form == "set":
                    self.log.distinct(value)
                    value = collection(value)
                for _ in head_path(rule)[1]:
                    value = collection(value)
                alias = alias.join(value)
            self.rules[path] = alias
        return self.rules[path]

    def call_alias(self, path: Path, args: tuple[Alias, ...]) -> Alias:
        """The value of a function for these arguments."""
        key = (path, args)
        if key not in self.calls:
            alias = NOTHING
            for definition in self.program.rules[path]:
                scope = Scope(definition.module)
                for parameter, arg in zip(definition.rule.args, args, strict=True):
                    self.parameter(parameter, arg, scope)
                alias = alias.join(self.rule_value(definition.rule, scope))
            self.calls[key] = alias
        return self.calls[key]

    def parameter(self, pattern: Expr, arg: Alias, scope: Scope) -> None:
        if pattern.form == "var" and pattern.value not in scope.names:
            scope.names[pattern.value] = arg
            scope.bound.add(pattern.value)
            return
        # A constant, a pattern, or a name that is there twice: the argument is compared with it.
        self.log.look(arg, deep=True)
        for part in children(pattern):
            if part.form == "var":
                self.log.look(scope.names.setdefault(part.value, NOTHING), deep=True)
                scope.bound.add(part.value)

    def rule_value(self, rule: Rule, scope: Scope) -> Alias:
        """Go through all bodies of a definition; the alias of its value (a set's members)."""
        keys = rule.ref.parts[1:] if rule.ref.form == "ref" else ()
        alias = NOTHING
        for body in rule.bodies or (Body(start=rule.start, value=None, is_else=False, query=()),):
            inner = Scope(scope.module, scope, scope.subject)
            self.body(body.query, inner)
            value = body.value if body.value is not None or body.is_else else rule.value
            if value is not None:
                alias = alias.join(self.value(value, inner))
            for key in keys:
                self.log.look(self.value(key, inner), deep=True)
        return alias

    # --- Bodies -------------------------------------------------------------------------------------------

    def body(self, query: tuple[Statement, ...], scope: Scope) -> None:
        """Go through a body until its variables are settled, then judge what it negates."""
        for name in declared_names(query):
            scope.names.setdefault(name, NOTHING)
        for statement in query:
            if statement.form != "not":
                scope.bound.update(bound_names(statement))
        for _ in range(_MOST_ROUNDS):
            scope.changed = False
            for statement in query:
                self.statement(statement, scope)
            if not scope.changed:
                break
        else:
            self.log.everything()
        for statement in query:
            if statement.form == "not":
                self.negation(statement.parts[0], scope)

    def statement(self, statement: Statement, scope: Scope) -> None:
        match statement.form:
            case "expr" | "not":
                self.log.look(self.value(statement.parts[0], scope), deep=True)
            case "some-in":
                *patterns, source = statement.parts
                self.iterate(self.value(source, scope), patterns, scope)
            case "every":
                inner = Scope(scope.module, scope)
                domain = self.value(statement.parts[0], scope)
                inner.names.update(dict.fromkeys(statement.names, NOTHING))
                inner.bound.update(statement.names)
                inner.names[statement.names[-1]] = domain.at(ANY)
                self.log.keys(domain)
                self.body(statement.body, inner)
            case _:
                pass

    def iterate(self, source: Alias, patterns: list[Expr], scope: Scope) -> None:
        self.log.keys(source)
        item = source.at(ANY)
        value = patterns[-1]
        if value.form == "var" and value.value == scope.subject and item.is_resource():
            item = Alias(frozenset({(OWN, ())}))
        self.pattern(value, item, scope)
        if len(patterns) > 1:
            self.pattern(patterns[0], NOTHING, scope)

    def negation(self, expr: Expr, scope: Scope) -> None:
        if not self.negations:
            return
        problem: PolicyLoadError | None = negation_problem(
            self.program, scope.module, expr, scope.bound, lambda part: self.is_defined(part, scope)
        )
        if problem is not None:
            raise problem

    def is_defined(self, expr: Expr, scope: Scope) -> bool:
        """A reference to something that every plan has, to a rule that always has a value, or to data that is there."""
        parts = expr.parts if expr.form == "ref" else (expr,)
        head, steps = parts[0], parts[1:]
        if head.form != "var":
            return False
        keys = [step.value for step in steps if step.form == "scalar" and isinstance(step.value, str)]
        if len(keys) != len(steps):
            return False
        alias = scope.find(head.value)
        if alias is not None:
            return alias.is_resource() and len(keys) == 1 and keys[0] in REQUIRED_FIELDS
        path = self.program.global_path(scope.module, head.value)
        if path is None:
            return False
        return self._is_there((*path, *keys))

    def _is_there(self, path: Path) -> bool:
        if path[0] == "input":
            return len(path) == 1 or (len(path) == 2 and path[1] in REQUIRED_TOP)  # noqa: PLR2004 - input.<field>
        target = self.program.target(path[1:])
        if target.kind == "document":
            return self.program.has_document(path[1:])
        return target.kind == "rule" and not target.rest and any(map(_has_value, target.definitions))


def _has_value(definition: Definition) -> bool:
    """A rule with this definition is defined whatever the plan: a partial one, a default, or a constant."""
    rule = definition.rule
    if rule.form in {"set", "default"} or head_path(rule)[1]:
        return True
    return not rule.bodies and all(
        part.form in {"scalar", "array", "set", "object"}
        for part in (children(rule.value) if rule.value is not None else ())
    )
