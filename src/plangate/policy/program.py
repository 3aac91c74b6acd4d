"""All modules together: which rules and functions there are, and what a name in a body means."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from plangate.policy.syntax import Expr, Module, Rule, static_path

Path = tuple[str, ...]


class Definition(Struct, kw_only=True, eq=False):
    """One definition of a rule, and the module whose imports it sees."""

    module: Module
    rule: Rule


class Target(Struct, kw_only=True, eq=False):
    """What a static path below ``data`` leads to.

    Attributes:
        kind: ``rule`` (definitions; ``rest`` is what follows), ``document`` (a data document, or part of one),
            ``package`` (a whole package or several: everything in it), ``nothing``.
    """

    kind: str
    path: Path = ()
    rest: Path = ()
    definitions: tuple[Definition, ...] = ()


def head_name(rule: Rule) -> str:
    """The first word of a rule's head."""
    head = rule.ref if rule.ref.form == "var" else rule.ref.parts[0]
    return str(head.value)


def head_path(rule: Rule) -> tuple[Path, tuple[Expr, ...]]:
    """A head as its constant part and what follows from the first computed key on."""
    if rule.ref.form == "var":
        return (rule.ref.value,), ()
    constant: list[str] = [str(rule.ref.parts[0].value)]
    for index, step in enumerate(rule.ref.parts[1:], start=1):
        if step.form != "scalar" or not isinstance(step.value, str):
            return tuple(constant), rule.ref.parts[index:]
        constant.append(step.value)
    return tuple(constant), ()


class Program:
    """Rules by path. Paths leave out ``data``.

    Args:
        modules: Every module that is evaluated.
        data: Documents below ``data``.
    """

    def __init__(self, modules: Sequence[Module], data: Mapping[str, Any]) -> None:
        self.modules: Final = tuple(modules)
        self.data: Final = data
        self.rules: Final[dict[Path, list[Definition]]] = {}
        for module in self.modules:
            for rule in module.rules:
                path = (*module.package, *head_path(rule)[0])
                self.rules.setdefault(path, []).append(Definition(module=module, rule=rule))
        self._prefixes: Final[set[Path]] = {
            path[:length] for path in self.rules for length in range(len(path))
        }

    def target(self, path: Path) -> Target:
        """What ``data.<path>`` is."""
        for length in range(len(path), 0, -1):
            definitions = self.rules.get(path[:length])
            if definitions:
                return Target(
                    kind="rule", path=path[:length], rest=path[length:], definitions=tuple(definitions)
                )
        if path in self._prefixes:
            return Target(kind="package", path=path)
        place: Any = self.data
        for key in path:
            if not isinstance(place, Mapping):
                return Target(kind="document", path=path)
            if key not in place:
                return Target(kind="nothing", path=path)
            place = place[key]
        return Target(kind="document", path=path)

    def has_document(self, path: Path) -> bool:
        """A data document, or part of one, is there. Values in lists do not count: their keys are numbers."""
        place: Any = self.data
        for key in path:
            if not isinstance(place, Mapping) or key not in place:
                return False
            place = place[key]
        return True

    def global_path(self, module: Module, name: str) -> Path | None:
        """What a name that is not a local variable stands for: a path that starts with ``data`` or ``input``."""
        if name in {"data", "input"}:
            return (name,)
        for item in module.imports:
            if item.alias == name and item.path[0] in {"data", "input"}:
                return item.path
        own = (*module.package, name)
        if own in self.rules or own in self._prefixes:
            return ("data", *own)
        return None

    def callee(self, module: Module, function: Expr) -> tuple[str, Path]:
        """What a call calls: ``("rule", path)``, or ``("builtin", name)`` for anything else that is spelt out."""
        path = static_path(function)
        if path is None:
            return "computed", ()
        found = self.global_path(module, path[0])
        if found is not None:
            full = (*found, *path[1:])
            if full[0] == "data":
                return "rule", full[1:]
        return "builtin", path
