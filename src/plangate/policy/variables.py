"""Variables while a body is gone through: what they may be, and which lines give them a value."""

from plangate.policy.aliases import Alias
from plangate.policy.syntax import Expr, Module, Statement


class Scope:
    """Variables of one body, and those of the bodies around it."""

    def __init__(self, module: Module, parent: "Scope | None" = None, subject: str = "") -> None:
        self.module = module
        self.parent = parent
        self.subject = subject
        self.names: dict[str, Alias] = {}
        self.bound: set[str] = set(parent.bound) if parent else set()
        self.changed = False

    def find(self, name: str) -> Alias | None:
        """What a variable may be, or ``None`` for a name that is not a variable."""
        if name in self.names:
            return self.names[name]
        return self.parent.find(name) if self.parent else None

    def bind(self, name: str, alias: Alias) -> None:
        """A variable may also be this; one that is not known yet is a variable of this body."""
        owner: Scope | None = self
        while owner is not None and name not in owner.names:
            owner = owner.parent
        owner = owner or self
        before = owner.names.get(name)
        after = alias if before is None else before.join(alias)
        if before == after:
            return
        owner.names[name] = after
        scope: Scope | None = self
        while scope is not None:
            scope.changed = True
            # Bodies around the owner know nothing of the variable.
            scope = scope.parent if scope is not owner else None


def is_iteration(source: Expr) -> bool:
    """``collection[_]``: one item at a time."""
    return source.form == "ref" and source.parts[-1].form == "var" and source.parts[-1].value.startswith("_")


def bound_names(statement: Statement) -> set[str]:
    """Names that a line outside of ``not`` may give a value to."""
    names: set[str] = set()
    stack = list(statement.parts)
    while stack:
        expr = stack.pop()
        if expr.form == "var":
            names.add(expr.value)
        elif not expr.body:
            stack += expr.parts[1:] if expr.form == "call" else expr.parts
    return names
