"""``not``: what may stand behind it so that regorus and OPA mean the same.

OPA takes the arguments of a call or comparison out of the ``not``: where one of them is undefined, the *line* is
undefined and the body does not hold. regorus lets undefined count as false, so ``not`` makes the line true. They agree
when nothing that OPA takes out can be undefined:

- a plain reference, ``not resource.facts.x``, and ``==`` between plain references, whose lookups OPA leaves inside;
- any call or comparison whose arguments are variables, literals, comprehensions, or fields that every plan has;
- a builtin inside of another call: it has a value or it fails, and a failure is an error in regorus.

A variable that gets its value nowhere else (``not xs[_] == 1``) is unsafe to OPA and silently accepted by regorus.
"""

from collections.abc import Callable, Collection, Container
from typing import Final

from plangate.errors import PolicyLoadError
from plangate.policy.builtins import ALLOWED, WITH_OPA
from plangate.policy.program import Program
from plangate.policy.scopes import declared_names
from plangate.policy.syntax import Expr, Module

_NEVER_UNDEFINED: Final = ALLOWED - {"walk", "print"}

Guaranteed = Callable[[Expr], bool]
"""Says whether a reference leads to a field that every plan document has."""


def negation_problem(
    program: Program, module: Module, expr: Expr, bound: Collection[str], guaranteed: Guaranteed
) -> PolicyLoadError | None:
    """The error for ``not expr``, or ``None`` when both engines mean the same.

    Args:
        program: All modules.
        module: Where it stands.
        expr: What is negated.
        bound: Variables that get a value outside of this ``not``.
        guaranteed: Whether a reference is surely defined.
    """
    return _Negation(program, module, bound, guaranteed).problem(expr)


def doubtful_part(
    program: Program, module: Module, expr: Expr, bound: Collection[str], guaranteed: Guaranteed
) -> Expr | None:
    """The first part of what is negated that may be undefined; arguments as for `negation_problem`.

    Raises:
        PolicyLoadError: A variable gets its value only here.
    """
    negation = _Negation(program, module, bound, guaranteed)
    if negation.unbound(expr, frozenset()) and (problem := negation.problem(expr)):
        raise problem
    return negation.maybe_undefined(expr)


def undefined_part(
    program: Program,
    module: Module,
    expr: Expr,
    bound: Container[str],
    guaranteed: Guaranteed,
    total: Guaranteed = lambda _: False,
) -> Expr | None:
    """The first part of an expression that may be undefined; arguments as for `negation_problem`.

    ``total`` says whether a call of the policies' own functions has a value when its arguments do.
    """
    return _Negation(program, module, bound, guaranteed, total).taken_out(expr)


class _Negation:
    def __init__(
        self,
        program: Program,
        module: Module,
        bound: Container[str],
        guaranteed: Guaranteed,
        total: Guaranteed = lambda _: False,
    ) -> None:
        self.program = program
        self.module = module
        self.bound = bound
        self.guaranteed = guaranteed
        self.total = total

    def problem(self, expr: Expr) -> PolicyLoadError | None:
        if unbound := self.unbound(expr, frozenset()):
            name, at = unbound
            return self.module.error(
                at.start, f"`{name}` gets no value outside of this `not`",
                hint="name it in a line above, `some x in …`, or put the negated part into a rule of its own",
            )  # fmt: skip
        culprit = self.maybe_undefined(expr)
        if culprit is None:
            return None
        text = self.module.source(culprit)
        return self.module.error(
            culprit.start,
            f"`{text}` may be undefined: then OPA drops the line and the embedded engine makes `not` true",
            hint=f"write `value := {text}` in a line above and negate that; {WITH_OPA}",
        )

    def maybe_undefined(self, expr: Expr) -> Expr | None:
        """The first part that OPA takes out and that may be undefined."""
        if expr.form in {"var", "ref"}:
            return self.plain(expr)
        if (expr.form == "operator" and expr.value == "==") or (expr.form == "assign" and expr.value == "="):
            return next(filter(None, map(self.side, expr.parts)), None)
        if expr.form in {"operator", "in"}:
            return next(filter(None, map(self.taken_out, expr.parts)), None)
        if expr.form == "call":
            return next(filter(None, map(self.taken_out, expr.parts[1:])), None)
        return self.taken_out(expr)

    def side(self, expr: Expr) -> Expr | None:
        """One side of ``==``: OPA leaves the lookup of a plain reference inside."""
        return self.plain(expr) if expr.form in {"var", "ref"} else self.taken_out(expr)

    def plain(self, expr: Expr) -> Expr | None:
        """A reference whose keys are constants or variables."""
        if expr.form == "var":
            return None
        if expr.parts[0].form != "var":
            return expr
        return next((step for step in expr.parts[1:] if step.form not in {"scalar", "var"}), None)

    def taken_out(self, expr: Expr) -> Expr | None:
        """Something whose value OPA needs before it looks at the ``not``."""
        if expr.form == "scalar" or expr.form.endswith("-compr"):
            return None
        if expr.form == "var":
            return None if expr.value in self.bound or self.guaranteed(expr) else expr
        if expr.form == "ref":
            return None if self.guaranteed(expr) else expr
        if expr.form in {"array", "set", "object", "operator", "in"}:
            return next(filter(None, map(self.taken_out, expr.parts)), None)
        if expr.form == "call":
            kind, path = self.program.callee(self.module, expr.parts[0])
            if (kind == "builtin" and ".".join(path) in _NEVER_UNDEFINED) or self.total(expr):
                return next(filter(None, map(self.taken_out, expr.parts[1:])), None)
        return expr

    def unbound(self, expr: Expr, local: frozenset[str]) -> tuple[str, Expr] | None:
        """A variable that only this ``not`` would bind."""
        if expr.form == "var":
            name = expr.value
            known = name in local or name in self.bound or self.program.global_path(self.module, name)
            return None if known and name != "_" else (name, expr)
        if expr.body:
            # A comprehension may bind variables of its own; the engine checks those.
            local |= frozenset(declared_names(expr.body))
            return None
        parts = expr.parts[1:] if expr.form == "call" else expr.parts
        return next(filter(None, (self.unbound(part, local) for part in parts)), None)
