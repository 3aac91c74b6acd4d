"""The values that a rule's head gives, where a body can hold in several ways.

When one of them is undefined, OPA leaves that one out. regorus leaves out all: one resource without a name would hide
what a rule found in every other. So they must have a value whenever the body holds.
"""

from collections.abc import Iterator

from plangate.errors import PolicyLoadError
from plangate.policy.builtins import WITH_OPA
from plangate.policy.scopes import declared_names, pattern_names
from plangate.policy.syntax import Body, Expr, Module, Rule, Statement


def holds_in_several_ways(rule: Rule, body: Body) -> bool:
    """Something in the body, or in what the head gives, may go through a collection."""
    fixed = {name for arg in rule.args for name in pattern_names(arg)}
    fixed |= set(declared_names(line for line in body.query if line.form == "expr"))
    if any(line.form in {"some", "some-in"} for line in body.query):
        return True
    exprs = [part for line in body.query if line.form in {"expr", "not"} for part in line.parts]
    for expr in (*exprs, *head_values(rule, body)):
        for part in _outside_of_comprehensions(expr):
            steps = part.parts[1:] if part.form == "ref" else ()
            if any(step.form == "var" and step.value not in fixed for step in steps):
                return True
            if part.form == "call" and part.parts[0].value == "walk":
                return True
    return False


def head_values(rule: Rule, body: Body) -> tuple[Expr, ...]:
    """What a rule gives when one of its bodies holds: its value, or a set's member, and computed keys."""
    value = body.value if body.value is not None or body.is_else else rule.value
    keys = rule.ref.parts[1:] if rule.ref.form == "ref" else ()
    return (*keys, *((value,) if value is not None else ()))


def looked_up(module: Module, query: tuple[Statement, ...]) -> frozenset[str]:
    """References, as they are written, that have a value whenever a body holds."""
    return frozenset(
        text
        for line in query
        if line.form in {"expr", "some-in"}
        for expr in (line.parts if line.form == "expr" else line.parts[-1:])
        for part in _outside_of_comprehensions(expr)
        if part.form == "ref"
        for text in _prefixes(module, part)
    )


def _prefixes(module: Module, ref: Expr) -> Iterator[str]:
    """A reference and those that lead to it, up to the first ``_``, which is another variable each time."""
    for length, step in enumerate(ref.parts):
        if step.form not in {"scalar", "var"} or step.value == "_":
            return
        if length:
            yield " ".join(module.source(part) for part in ref.parts[: length + 1])


def written(module: Module, ref: Expr) -> str:
    """A reference in the form of `looked_up`."""
    return " ".join(module.source(part) for part in ref.parts)


def head_error(module: Module, part: Expr) -> PolicyLoadError:
    """The error for a part of a head that may be undefined."""
    text = module.source(part)
    return module.error(
        part.start,
        f"`{text}` may be undefined: where it is, OPA leaves that one out, and the embedded engine all",
        hint=f"write `value := {text}` in a line of the body and use `value` in the head; {WITH_OPA}",
        code="rule-value",
    )


def _outside_of_comprehensions(expr: Expr) -> Iterator[Expr]:
    yield expr
    if not expr.body:
        for part in expr.parts:
            yield from _outside_of_comprehensions(part)
