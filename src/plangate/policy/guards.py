"""Where a module calculates with values that its text does not show: what is guarded, and by what.

So the embedded engine never calculates otherwise than OPA in silence; see `plangate.policy.exactness` for the guards,
and docs/adr/0004-embedded-rego.md for the why. What the load-time check can see, it refuses
(`plangate.policy.differences`); what only a plan decides is looked at when it is calculated with.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from plangate.policy.program import Program
from plangate.policy.syntax import Expr, Module, Rule, rule_exprs
from plangate.policy.value_types import ValueTypes

_SMALL: Final = frozenset({"count", "indexof", "semver.compare", "strings.count"})
"""Builtins that give whole numbers no larger than what they look at."""
_COLLECTIONS: Final = frozenset({"array", "object", "set"})
_BY_ARGUMENT: Final[Mapping[str, Mapping[int, str]]] = {
    "array.slice": {1: "whole", 2: "whole"},
    "bits.and": {0: "whole", 1: "whole"},
    "bits.negate": {0: "whole"},
    "bits.or": {0: "whole", 1: "whole"},
    "bits.rsh": {0: "whole", 1: "whole"},
    "bits.xor": {0: "whole", 1: "whole"},
    "ceil": {0: "rounded"},
    "floor": {0: "rounded"},
    "format_int": {0: "whole"},
    "json.unmarshal": {0: "json_text"},
    "lower": {0: "cased"},
    "numbers.range": {0: "whole", 1: "whole"},
    "numbers.range_step": {0: "whole", 1: "whole", 2: "whole"},
    "product": {0: "items"},
    "regex.find_all_string_submatch_n": {2: "whole"},
    "regex.find_n": {2: "whole"},
    "round": {0: "rounded"},
    "substring": {1: "whole", 2: "whole"},
    "sum": {0: "items"},
    "to_number": {0: "number_text"},
    "upper": {0: "cased"},
}
_BY_VERB: Final[Mapping[str, str]] = {"v": "told", "s": "as_text", "d": "told_whole", "q": "quoted"}
_VERB: Final = re.compile(r"%(.)")


class Guard(Struct, frozen=True, kw_only=True):
    """What stands around an expression.

    Attributes:
        expr: The expression.
        kind: The function of `plangate.policy.exactness`, without its first word.
    """

    expr: Expr
    kind: str


class Guards(Struct, kw_only=True):
    """What is put into one module.

    Attributes:
        around: Guards by the identity of the expression, from the inside out.
        formats: Texts of ``sprintf`` that ask for ``%d``, by identity.
    """

    around: dict[int, list[Guard]]
    formats: dict[int, Expr]


def guards_of(program: Program, module: Module) -> Guards:
    """Every guard that a module needs."""
    found = Guards(around={}, formats={})
    for rule in module.rules:
        if rule.form != "default":
            _Finder(program, module, rule, found).find()
    return found


class _Finder:
    def __init__(self, program: Program, module: Module, rule: Rule, found: Guards) -> None:
        self.program = program
        self.module = module
        self.rule = rule
        self.types = ValueTypes(program, module, rule)
        self.found = found

    def find(self) -> None:
        for expr in rule_exprs(self.rule):
            if expr.form == "operator" and len(expr.parts) > 1:
                self.operator(expr)
            elif expr.form == "call" and (name := self.builtin(expr)):
                self.call(name, expr)

    def put(self, expr: Expr, kind: str) -> None:
        """Guard an expression, once with each kind."""
        around = self.found.around.setdefault(id(expr), [])
        if all(guard.kind != kind for guard in around):
            around.append(Guard(expr=expr, kind=kind))

    def builtin(self, expr: Expr) -> str:
        kind, path = self.program.callee(self.module, expr.parts[0])
        return ".".join(path) if kind == "builtin" else ""

    def operator(self, expr: Expr) -> None:
        if expr.value not in {"+", "-", "*", "/", "%"}:
            return
        kinds = {self.types.of(side) for side in expr.parts}
        if expr.value == "-" and "set" in kinds:
            return
        kind = "divided" if expr.value == "/" else "whole"
        if expr.value == "-" and "number" not in kinds:
            kind = "difference"
        if expr.value == "*":
            self.put(expr, "whole")
        for side in expr.parts:
            if not self.is_small(side):
                self.put(side, kind)

    def is_small(self, expr: Expr) -> bool:
        """A whole number that the check at load has seen, or one that is no larger than a plan."""
        match expr.form:
            case "scalar":
                return isinstance(expr.value, int)
            case "operator":
                return expr.value in {"+", "-"} and all(map(self.is_small, expr.parts))
            case "call":
                return self.builtin(expr) in _SMALL
            case _:
                return False

    def call(self, name: str, expr: Expr) -> None:
        args = expr.parts[1:]
        for number, kind in _BY_ARGUMENT.get(name, {}).items():
            if number < len(args) and not self.needs_none(args[number]):
                self.put(args[number], kind)
        if name == "product":
            self.put(expr, "whole")
        elif name == "count" and args and self.types.of(args[0]) not in _COLLECTIONS:
            self.put(args[0], "chars")
        elif name == "sprintf":
            self.sprintf(*args)

    def needs_none(self, expr: Expr) -> bool:
        return self.is_small(expr) or (expr.form == "scalar" and str(expr.value).isascii())

    def sprintf(self, text: Expr, values: Expr) -> None:
        verbs = list(_verbs(str(text.value)))
        for verb, value in zip(verbs, values.parts, strict=False):
            constant = value.form == "scalar" and isinstance(value.value, str)
            if verb in _BY_VERB and not (constant and verb in {"v", "s"}):
                self.put(value, _BY_VERB[verb])
        if "d" in verbs:
            self.found.formats[id(text)] = text


def _verbs(text: str) -> Iterator[str]:
    """The letters after the percent signs, ``%%`` left out."""
    yield from (verb for verb in _VERB.findall(text) if verb != "%")
