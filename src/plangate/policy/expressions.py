"""Expressions gone through with aliases: what each may be, and what it looks at on the way.

The half of `plangate.policy.flow` that knows expressions; it asks the other half for rules, functions and bodies.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from plangate.model.values import pointer_tokens
from plangate.policy.aliases import NOTHING, OWN, PLAN_ALIAS, SOME, Alias, ReadLog, collection, either
from plangate.policy.builtins import KEYS_ONLY, TYPE_ONLY
from plangate.policy.program import Path, Program
from plangate.policy.reads import ANY
from plangate.policy.subject import FINDING_FUNCTIONS
from plangate.policy.syntax import Expr, Statement, is_bare
from plangate.policy.variables import Scope, is_iteration
from plangate.policy.vocabulary import Vocabulary

_IS_UNKNOWN = ("plangate", "lib", "is_unknown")
"""The function that asks whether what is at a pointer, its second argument, is not known."""

_BY_KIND = frozenset({("plangate", "lib", "of_kind"), ("plangate", "lib", "all_of_kind")})
"""Functions that give resources of the kind that is their first argument."""


class ExpressionWalk(ABC):
    """Goes through expressions.

    Args:
        program: All modules, free of recursion and of undefined names.
        log: Where what is looked at is noted.
        vocabulary: Judges the names that are used for parts of the plan.
    """

    document = PLAN_ALIAS
    """What ``input`` is."""

    def __init__(self, program: Program, log: ReadLog, vocabulary: Vocabulary) -> None:
        self.program = program
        self.log = log
        self.vocabulary = vocabulary

    @abstractmethod
    def rule_alias(self, path: Path) -> Alias:
        """The value of a rule, whichever of its definitions it comes from."""

    @abstractmethod
    def call_alias(self, path: Path, args: tuple[Alias, ...]) -> Alias:
        """The value of a function for these arguments."""

    @abstractmethod
    def body(self, query: tuple[Statement, ...], scope: Scope) -> None:
        """Go through a body until its variables are settled."""

    def value(self, expr: Expr, scope: Scope) -> Alias:
        """The alias of an expression's value; what it looks at on the way is noted."""
        if expr.body:
            return self.comprehension(expr, scope)
        match expr.form:
            case "scalar":
                return NOTHING
            case "var":
                return self.name(expr.value, scope)
            case "array" | "set" | "object":
                return self.literal(expr, scope)
            case "operator":
                return self.operator(expr, scope)
            case _:
                return self._BY_FORM[expr.form](self, expr, scope)

    def literal(self, expr: Expr, scope: Scope) -> Alias:
        """A collection that is written out."""
        parts = expr.parts
        if expr.form == "object":
            for key in expr.parts[::2]:
                self.log.look(self.value(key, scope), deep=True)
            parts = expr.parts[1::2]
        found = [(part, self.value(part, scope)) for part in parts]
        alias = either(None if is_bare(part) else value for part, value in found)
        if expr.form == "set":
            self.log.distinct(alias)
        return collection(alias)

    def operator(self, expr: Expr, scope: Scope) -> Alias:
        """A comparison or calculation; only a union does not look at what it joins."""
        aliases = [self.value(part, scope) for part in expr.parts]
        if expr.value == "|":
            union = either(aliases)
            self.log.distinct(union)
            return union
        if expr.value in {"==", "!="}:
            self.compared(expr.parts, aliases, scope)
        for alias in aliases:
            self.log.look(alias, deep=True)
        return NOTHING

    def compared(self, sides: Sequence[Expr], aliases: Sequence[Alias], scope: Scope) -> None:
        """Two sides that are compared: one that is written out must be a value that the other can have."""
        for constant, alias in ((sides[0], aliases[1]), (sides[1], aliases[0])):
            self.vocabulary.value(scope.module, alias, constant)

    def comprehension(self, expr: Expr, scope: Scope) -> Alias:
        """A collection of what a body finds."""
        inner = Scope(scope.module, scope)
        self.body(expr.body, inner)
        *keys, term = expr.parts
        for key in keys:
            self.log.look(self.value(key, inner), deep=True)
        alias = self.value(term, inner)
        if expr.form == "set-compr":
            self.log.distinct(alias)
        return collection(alias)

    def pattern(self, pattern: Expr, alias: Alias, scope: Scope) -> None:
        """Bind a pattern's variables; the parts that are constants are compared."""
        if pattern.form == "var":
            scope.bind(pattern.value, alias)
        elif pattern.form in {"array", "object"}:
            self.log.keys(alias)
            parts = pattern.parts[1::2] if pattern.form == "object" else pattern.parts
            for part in parts:
                self.pattern(part, alias.at(ANY), scope)
        else:
            self.log.look(alias, deep=True)
            self.log.look(self.value(pattern, scope), deep=True)

    def name(self, name: str, scope: Scope) -> Alias:
        """A variable, a rule or an import."""
        alias = scope.find(name)
        if alias is not None:
            return alias
        path = self.program.global_path(scope.module, name)
        return self.global_value(path) if path is not None else NOTHING

    def global_value(self, path: Path) -> Alias:
        """``input`` or ``data`` and the constant keys behind it."""
        if path[0] == "input":
            alias, rest = self.document, path[1:]
        else:
            target = self.program.target(path[1:])
            if target.kind == "package":
                self.log.everything()
            if target.kind != "rule" or any(found.rule.args for found in target.definitions):
                return NOTHING
            alias, rest = self.rule_alias(target.path), target.rest
        for key in rest:
            alias = alias.at(key)
        self.log.look(alias, deep=False)
        return alias

    def reference(self, expr: Expr, scope: Scope) -> Alias:
        """A chain of keys."""
        head, steps = expr.parts[0], list(expr.parts[1:])
        if head.form == "var" and scope.find(head.value) is None:
            path = self.program.global_path(scope.module, head.value)
            if path is None:
                alias = NOTHING
            else:
                self.global_names(path, steps, scope)
                # Constant keys belong to the rule's name as far as there is such a rule.
                while steps and steps[0].form == "scalar" and isinstance(steps[0].value, str):
                    path = (*path, steps.pop(0).value)
                alias = self.global_value(path)
        else:
            alias = self.value(head, scope)
        for step in steps:
            alias = self.step(alias, step, scope)
        self.log.look(alias, deep=False)
        return alias

    def global_names(self, path: Path, steps: Sequence[Expr], scope: Scope) -> None:
        """Judge the constant keys behind ``input``, an import of a part of it, or a rule."""
        if path[0] == "input":
            alias = self.document
            for key in path[1:]:
                alias = alias.at(key)
        else:
            written = 0
            while written < len(steps) and isinstance(steps[written].value, str):
                written += 1
            full = (*path, *(str(step.value) for step in steps[:written]))
            target = self.program.target(full[1:])
            if target.kind != "rule" or any(found.rule.args for found in target.definitions):
                return
            alias = self.rule_alias(target.path)
            steps = steps[written - len(target.rest) : written]
        for step in steps:
            if step.form != "scalar" or not isinstance(step.value, str):
                return
            self.vocabulary.step(scope.module, alias, step)
            alias = alias.at(step.value)

    def step(self, alias: Alias, step: Expr, scope: Scope) -> Alias:
        """One key of a chain."""
        if step.form == "scalar" and isinstance(step.value, str):
            self.vocabulary.step(scope.module, alias, step)
            return alias.at(step.value)
        if step.form == "scalar":
            return alias.at(ANY)
        # The key is compared with what is there, and a variable without a value takes every key in turn.
        self.log.look(self.value(step, scope), deep=True)
        self.log.keys(alias)
        return alias.at(ANY)

    def assign(self, expr: Expr, scope: Scope) -> Alias:
        """``:=`` binds; ``=`` compares and binds what has no value yet."""
        target, source = expr.parts
        alias = self.value(source, scope)
        if expr.value == ":=":
            if (
                target.form == "var"
                and target.value == scope.subject
                and is_iteration(source)
                and alias.is_resource()
            ):
                alias = self.own(alias)
            self.pattern(target, alias, scope)
            return NOTHING
        other = self.value(target, scope)
        self.compared(expr.parts, (other, alias), scope)
        self.log.look(alias.join(other), deep=True)
        self.pattern_if_any(target, alias, scope)
        self.pattern_if_any(source, other, scope)
        return NOTHING

    def own(self, resource: Alias) -> Alias:
        """The resource that a finding is about, which is one of these."""
        roots = {root for root, _ in resource.places}
        self.vocabulary.kinds = (
            frozenset(root.removeprefix(SOME) for root in roots) if SOME not in roots | {OWN} else frozenset()
        )
        return Alias(frozenset({(OWN, ())}))

    def pattern_if_any(self, side: Expr, alias: Alias, scope: Scope) -> None:
        """Bind one side of ``=`` unless it is a rule."""
        if side.form in {"var", "array", "object"} and not self.is_global(side, scope):
            self.pattern(side, alias, scope)

    def is_global(self, expr: Expr, scope: Scope) -> bool:
        """The name of a rule or an import."""
        return (
            expr.form == "var"
            and scope.find(expr.value) is None
            and self.program.global_path(scope.module, expr.value) is not None
        )

    def membership(self, expr: Expr, scope: Scope) -> Alias:
        """``x in collection``; for one pointer in the list of unknown values, only that value is looked at."""
        *wanted, source = expr.parts
        alias = self.value(source, scope)
        sought = wanted[-1]
        asks_pointer = (
            len(wanted) == 1 and sought.form == "scalar" and isinstance(sought.value, str)
            and alias.inside is None and bool(alias.places) and all(path == ("unknown",) for _, path in alias.places)
        )  # fmt: skip
        if asks_pointer:
            self.log.pointer(alias, pointer_tokens(str(sought.value)))
            self.vocabulary.pointer(alias, pointer_tokens(str(sought.value)))
            return NOTHING
        for part in wanted:
            found = self.value(part, scope)
            self.log.look(found, deep=True)
            if part is sought and source.form in {"set", "array"}:
                for choice in source.parts:
                    self.vocabulary.value(scope.module, found, choice)
        self.log.look(alias, deep=True)
        return NOTHING

    def call(self, expr: Expr, scope: Scope) -> Alias:
        """A function of the policies, or a builtin."""
        kind, path = self.program.callee(scope.module, expr.parts[0])
        args = self.arguments(expr, scope, told=kind == "builtin" and path == ("sprintf",))
        if kind == "computed" or (kind == "rule" and path not in self.program.rules):
            self.log.everything()
            return NOTHING
        if kind == "rule":
            if path in FINDING_FUNCTIONS:
                # What is put into a finding is looked at; of the resource, that is its address.
                for arg in args[1:]:
                    self.log.look(arg, deep=True)
            if path == _IS_UNKNOWN and (asked := self.asked_pointer(expr.parts[2], args[0])):
                self.log.pointer(args[0].at("unknown"), asked)
                self.vocabulary.pointer(args[0], asked)
                return NOTHING
            alias = self.call_alias(path, args)
            first = expr.parts[1] if len(expr.parts) > 1 else None
            if (
                path in _BY_KIND
                and first is not None
                and first.form == "scalar"
                and isinstance(first.value, str)
            ):
                self.vocabulary.kind(scope.module, first)
                alias = alias.of_kind(first.value)
            return alias
        return self.builtin(".".join(path), expr, args, scope)

    def arguments(self, call: Expr, scope: Scope, *, told: bool) -> tuple[Alias, ...]:
        """What a call's arguments are; ``told`` says that they end in a text."""
        before, self.vocabulary.told = self.vocabulary.told, self.vocabulary.told or told
        found = tuple(self.value(part, scope) for part in call.parts[1:])
        self.vocabulary.told = before
        return found

    @staticmethod
    def asked_pointer(pointer: Expr, resource: Alias) -> Path:
        """The keys of a pointer that is written out, where the value is a resource; else none."""
        if pointer.form != "scalar" or not isinstance(pointer.value, str) or not resource.is_resource():
            return ()
        return pointer_tokens(pointer.value)

    def builtin(self, name: str, expr: Expr, args: tuple[Alias, ...], scope: Scope) -> Alias:
        """A builtin looks at its arguments."""
        if name == "object.get":
            return self.object_get(expr.parts[2], args, scope, bare=is_bare(expr.parts[3]))
        if name == "print":
            return NOTHING
        if name == "walk" and len(expr.parts) > 2:  # noqa: PLR2004 - walk(value, [path, value])
            self.log.look(args[0], deep=True)
            self.pattern(expr.parts[2], NOTHING, scope)
            return NOTHING
        for arg in args:
            if name in KEYS_ONLY:
                self.log.keys(arg)
            self.log.look(arg, deep=name not in KEYS_ONLY | TYPE_ONLY)
        return NOTHING

    def object_get(self, key: Expr, args: tuple[Alias, ...], scope: Scope, *, bare: bool) -> Alias:
        """``object.get(object, key or path, default)``: like a reference when the key is written out."""
        found, _, default = args
        steps = key.parts if key.form == "array" else (key,)
        for step in steps:
            if step.form != "scalar":
                self.log.look(args[1], deep=True)
                self.log.keys(found)
            constant = step.form == "scalar" and isinstance(step.value, str)
            if constant:
                self.vocabulary.step(scope.module, found, step)
            found = found.at(str(step.value) if constant else ANY)
        self.log.look(found, deep=False)
        return either((found, None if bare else default))

    # A form that is not here is an error of ours, and so no decision.
    _BY_FORM: ClassVar[dict[str, Callable[["ExpressionWalk", Expr, Scope], Alias]]] = {
        "ref": reference,
        "call": call,
        "assign": assign,
        "in": membership,
    }
