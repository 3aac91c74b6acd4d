"""What a rule can read, from its syntax tree: every body is gone through with aliases instead of values.

It does not matter in which order lines stand, so a body is gone through until nothing new comes out. Functions are
gone through once for each set of arguments they get; recursion is refused before. A value counts as read where
something looks at it: a comparison, a builtin, a condition, a finding. Giving it a name, passing it to a function of
the policies or putting it in a collection does not look at it.

The same walk knows which references are surely defined, so it is also where every ``not`` is judged.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from plangate.policy.aliases import (
    NOTHING,
    REQUIRED_FIELDS,
    REQUIRED_TOP,
    Alias,
    ReadLog,
    collection,
    either,
)
from plangate.policy.expressions import ExpressionWalk
from plangate.policy.heads import head_error, head_values, holds_in_several_ways, looked_up, written
from plangate.policy.negation import negation_problem, undefined_part
from plangate.policy.problems import Problems
from plangate.policy.program import Definition, Path, Program, head_path
from plangate.policy.reads import ANY, Reads
from plangate.policy.scopes import declared_names
from plangate.policy.subject import subject_of
from plangate.policy.syntax import Body, Expr, Rule, Statement, children, is_bare
from plangate.policy.variables import Scope, bound_names
from plangate.policy.vocabulary import Vocabulary

if TYPE_CHECKING:
    from plangate.errors import PolicyLoadError

_MOST_ROUNDS = 20
"""Times that a body is gone through before it is said to read everything."""


def rule_reads(
    program: Program,
    package: Path,
    problems: Problems | None = None,
    vocabulary: Vocabulary | None = None,
    sets: Sequence[str] = ("deny", "undetermined"),
    *,
    negations: bool = True,
) -> Reads:
    """What the rule of a package can read.

    Args:
        program: All modules, free of recursion and of wrong numbers of arguments.
        package: The rule's package.
        problems: Takes each ``not`` that the embedded engine would get wrong.
        vocabulary: Judges the names that are used for parts of the plan.
        sets: Names of the rules to look at.
        negations: Judge every ``not`` on the way, for the embedded engine.

    Raises:
        PolicyLoadError: Without ``problems``: a ``not`` that the embedded engine would get wrong.
    """
    log = ReadLog()
    refused = Problems() if problems is None else problems
    walk = Walk(program, log, vocabulary or Vocabulary(), refused, negations=negations)
    for name in sets:
        for definition in program.rules.get((*package, name), ()):
            walk.head(definition)
    if problems is None:
        refused.raise_first()
    return log.reads()


class Walk(ExpressionWalk):
    """Goes through rules, functions and bodies."""

    def __init__(
        self, program: Program, log: ReadLog, vocabulary: Vocabulary, problems: Problems, *, negations: bool
    ) -> None:
        super().__init__(program, log, vocabulary)
        self.problems = problems
        self.negations = negations
        self.rules: dict[tuple[Path, object], Alias] = {}
        self.calls: dict[tuple[Path, tuple[Alias, ...], object], Alias] = {}

    # --- Rules and functions ------------------------------------------------------------------------------

    def head(self, definition: Definition) -> None:
        """One definition of ``deny``: what it finds is looked at, and its subject is the resource it is about."""
        rule, module = definition.rule, definition.module
        scope = Scope(module, subject=subject_of(self.program, module, rule))
        self.vocabulary.kinds = frozenset()
        self.log.look(self.rule_value(rule, scope) or NOTHING, deep=True)

    def rule_alias(self, path: Path) -> Alias:
        """The value of a rule, whichever of its definitions it comes from."""
        key = (path, self.vocabulary.negated)
        if key not in self.rules:
            values: list[Alias | None] = []
            for definition in self.program.rules[path]:
                rule = definition.rule
                value = self.rule_value(rule, Scope(definition.module))
                if rule.form == "set":
                    self.log.distinct(value or NOTHING)
                for _ in range((rule.form == "set") + len(head_path(rule)[1])):
                    value = collection(value or NOTHING)
                values.append(value)
            self.rules[key] = either(values)
        return self.rules[key]

    def call_alias(self, path: Path, args: tuple[Alias, ...]) -> Alias:
        """The value of a function for these arguments."""
        key = (path, args, self.vocabulary.context)
        if key not in self.calls:
            values: list[Alias | None] = []
            for definition in self.program.rules[path]:
                scope = Scope(definition.module)
                for parameter, arg in zip(definition.rule.args, args, strict=True):
                    self.parameter(parameter, arg, scope)
                values.append(self.rule_value(definition.rule, scope))
            self.calls[key] = either(values)
        return self.calls[key]

    def parameter(self, pattern: Expr, arg: Alias, scope: Scope) -> None:
        """A parameter gets an argument."""
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

    def rule_value(self, rule: Rule, scope: Scope) -> Alias | None:
        """Go through all bodies of a definition; the alias of its value (a set's members), unless it is bare."""
        keys = rule.ref.parts[1:] if rule.ref.form == "ref" else ()
        values: list[Alias] = []
        for body in rule.bodies or (Body(start=rule.start, value=None, is_else=False, query=()),):
            inner = Scope(scope.module, scope, scope.subject)
            self.body(body.query, inner)
            value = body.value if body.value is not None or body.is_else else rule.value
            if value is not None:
                found = self.value(value, inner)
                values += () if is_bare(value) else (found,)
            for key in keys:
                self.log.look(self.value(key, inner), deep=True)
            self.given(rule, body, inner)
        return either(values) if values else None

    def given(self, rule: Rule, body: Body, scope: Scope) -> None:
        """Note what a head gives that the embedded engine would get wrong."""
        if not self.negations or not holds_in_several_ways(rule, body):
            return
        module = scope.module
        known = looked_up(module, body.query)

        def guaranteed(part: Expr) -> bool:
            return self.is_defined(part, scope) or (part.form == "ref" and written(module, part) in known)

        for expr in head_values(rule, body):
            culprit = undefined_part(
                self.program, module, expr, scope.bound, guaranteed, partial(self.is_total, scope=scope)
            )
            if culprit is not None:
                self.problems.note(head_error(module, culprit), "rule-value")

    def is_total(self, call: Expr, scope: Scope) -> bool:
        """A call of a policies' function that has a value when its arguments do."""
        kind, path = self.program.callee(scope.module, call.parts[0])
        if kind != "rule":
            return False
        args = [self.value(arg, scope) for arg in call.parts[1:]]
        for definition in self.program.rules.get(path, ()):
            rule = definition.rule
            names = [arg.value for arg in rule.args if arg.form == "var"]
            if rule.bodies or rule.value is None or len(set(names)) < len(rule.args):
                continue
            inner = Scope(definition.module)
            inner.names.update(zip(names, args, strict=True))
            inner.bound.update(names)
            part = undefined_part(
                self.program,
                inner.module,
                rule.value,
                inner.bound,
                partial(self.is_defined, scope=inner),
                partial(self.is_total, scope=inner),
            )
            if part is None:
                return True
        return False

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
        """One line of a body."""
        match statement.form:
            case "expr":
                self.log.look(self.value(statement.parts[0], scope), deep=True)
            case "not":
                self.vocabulary.negated = not self.vocabulary.negated
                self.log.look(self.value(statement.parts[0], scope), deep=True)
                self.vocabulary.negated = not self.vocabulary.negated
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
        """Patterns get the keys and items of a collection."""
        self.log.keys(source)
        item = source.at(ANY)
        value = patterns[-1]
        if value.form == "var" and value.value == scope.subject and item.is_resource():
            item = self.own(item)
        self.pattern(value, item, scope)
        if len(patterns) > 1:
            self.pattern(patterns[0], NOTHING, scope)

    def negation(self, expr: Expr, scope: Scope) -> None:
        """Note a `not` that the embedded engine would get wrong."""
        if not self.negations:
            return
        problem: PolicyLoadError | None = negation_problem(
            self.program, scope.module, expr, scope.bound, lambda part: self.is_defined(part, scope)
        )
        if problem is not None:
            self.problems.note(problem, "negation")

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
    """A rule with this definition is defined whatever the plan: a set, an object, a default, or a constant."""
    rule = definition.rule
    if rule.form == "set":
        return not head_path(rule)[1]  # an object of sets is undefined in regorus while it has no members
    if rule.form == "default" or head_path(rule)[1]:
        return True
    return not rule.bodies and all(
        part.form in {"scalar", "array", "set", "object"}
        for part in (children(rule.value) if rule.value is not None else ())
    )
