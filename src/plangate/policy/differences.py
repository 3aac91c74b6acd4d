"""Expressions that both engines take and answer differently: refused wherever they stand.

Part of the load-time check (`plangate.policy.hazards`). Each was found by asking both engines the same;
``tests/integration/test_engines_differ.py`` has the questions.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from plangate.policy.builtins import WITH_OPA
from plangate.policy.negation import undefined_part
from plangate.policy.numbers import InexactNumberError, needs_exact_input
from plangate.policy.program import Program, head_path
from plangate.policy.scopes import pattern_names
from plangate.policy.syntax import Expr, Module, Rule, children, rule_exprs, rule_statements
from plangate.policy.value_types import ValueTypes

_ARITHMETIC: Final = frozenset("+-*/%")
_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_ROUNDING: Final = frozenset({"ceil", "floor", "round"})
_SUMS: Final = frozenset({"product", "sum"})
_POSITIONS: Final = frozenset({"array.slice", "substring"})

_MOST_EXACT: Final = 1 << 53
"""The last whole number up to which doubles have them all."""


def check_differences(program: Program, module: Module, rule: Rule) -> None:
    """Refuse the first expression of a rule that the embedded engine answers otherwise than OPA.

    Raises:
        PolicyLoadError: With its place, what is wrong and what to do.
    """
    _Differences(program, module, rule).check()


class _Differences:
    def __init__(self, program: Program, module: Module, rule: Rule) -> None:
        self.program = program
        self.module = module
        self.rule = rule
        self.types = ValueTypes(program, module, rule)
        self.lines: set[int] = set()
        """Expressions that are whole lines, or a whole line's negated part, by identity."""
        self.compared: set[int] = set()
        """Sides of comparisons, by identity."""
        self.rounded: set[int] = set()
        """Quotients whose last digits do not matter, by identity."""

    def check(self) -> None:
        for statement in rule_statements(self.rule):
            if statement.form in {"expr", "not"}:
                self.lines.add(id(statement.parts[0]))
            elif statement.form == "some-in":
                for pattern in statement.parts[:-1]:
                    self.pattern(pattern)
        for arg in self.rule.args:
            self.pattern(arg)
        for expr in rule_exprs(self.rule):
            form = _CHECKS.get(expr.form)
            if form is not None:
                form(self, expr)

    def builtin(self, expr: Expr) -> str:
        """The name of the builtin that is called, or an empty string."""
        kind, path = self.program.callee(self.module, expr.parts[0]) if expr.form == "call" else ("", ())
        return ".".join(path) if kind == "builtin" else ""

    # --- Patterns and literals ----------------------------------------------------------------------------

    def assign(self, expr: Expr) -> None:
        for side in expr.parts if expr.value == "=" else expr.parts[:1]:
            self.pattern(side)

    def pattern(self, pattern: Expr) -> None:
        """An object pattern with variables matches objects with more keys in regorus, and not in OPA."""
        for expr in children(pattern):
            if expr.form == "object" and any(True for _ in pattern_names(expr)):
                raise self.module.error(
                    expr.start, "an object pattern also matches objects with more keys, unlike in OPA",
                    hint=f"read the keys one by one: `value := object.key`; {WITH_OPA}",
                )  # fmt: skip

    def scalar(self, expr: Expr) -> None:
        if not _is_number(expr):
            return
        text = self.module.source(expr)
        try:
            needs_exact_input(f"[{text}]".encode())
        except (InexactNumberError, ValueError) as problem:
            raise self.module.error(
                expr.start, f"the engine cannot hold the number {text} exactly", hint=WITH_OPA
            ) from problem

        if id(expr) not in self.compared and not text.lstrip("-").isdigit() and not Decimal(text) % 1:
            raise self.module.error(
                expr.start, "a whole number that is written as a decimal is not the same in both engines",
                hint=f"write {int(Decimal(text))}",
            )  # fmt: skip

    def ref(self, expr: Expr) -> None:
        for step in expr.parts[1:]:
            if _is_number(step) and not self.module.source(step).lstrip("-").isdigit():
                raise self.module.error(
                    step.start, "a key that is no plain whole number does not find the same in both engines",
                    hint="write a whole number",
                )  # fmt: skip

    # --- Operators ----------------------------------------------------------------------------------------

    def operator(self, expr: Expr) -> None:
        if expr.value in _ARITHMETIC and len(expr.parts) > 1:
            for side in expr.parts:
                self.exact(side)
        if expr.value in _ORDER | {"==", "!="}:
            self.compared.update(map(id, expr.parts))
            # Against a whole number, the last digits of a quotient do not matter.
            if any(_is_number(side) and isinstance(side.value, int) for side in expr.parts):
                self.rounded.update(map(id, expr.parts))
            self.order(expr)
        if expr.value == "/" and id(expr) not in self.rounded and not _divides(expr):
            raise self.module.error(
                expr.start, "a quotient has other last digits than in OPA",
                hint=f"multiply the other side instead, or use floor, ceil or round; {WITH_OPA}",
            )  # fmt: skip

    def exact(self, side: Expr) -> None:
        """A number that is calculated with."""
        if not _is_number(side):
            return
        if isinstance(side.value, float):
            raise self.module.error(
                side.start, "arithmetic with decimals gives other last digits than in OPA",
                hint=f"calculate with whole numbers; {WITH_OPA}",
            )  # fmt: skip
        if abs(side.value) > _MOST_EXACT:
            raise self.module.error(
                side.start, "arithmetic with so large a number loses digits, unlike in OPA", hint=WITH_OPA
            )

    def order(self, expr: Expr) -> None:
        """Sets come before objects in regorus, and after them in OPA."""
        if expr.value in _ORDER and {self.types.of(side) for side in expr.parts} == {"object", "set"}:
            raise self.module.error(
                expr.start,
                "objects and sets have another order than in OPA",
                hint=f"compare sizes; {WITH_OPA}",
            )

    def membership(self, expr: Expr) -> None:
        """Of something undefined, ``in`` is false in regorus and undefined in OPA."""
        if id(expr) in self.lines:
            return  # False and undefined are the same there; `plangate.policy.negation` looks at what is negated.
        for part in expr.parts:
            culprit = undefined_part(
                self.program, self.module, part, _Locals(self.program, self.module), self.is_set
            )
            if culprit is not None:
                raise self.module.error(
                    culprit.start,
                    f"`{self.module.source(culprit)}` may be undefined: then `in` has no value in OPA, "
                    "and is false in the embedded engine",
                    hint=f"write it as a condition (`… if x in xs`), or name that part in a line above; {WITH_OPA}",
                )

    def is_set(self, expr: Expr) -> bool:
        """The name of a rule that is a set, which always has a value."""
        if expr.form != "var":
            return False
        path = self.program.global_path(self.module, expr.value)
        definitions = self.program.rules.get(path[1:], ()) if path is not None and path[0] == "data" else ()
        return any(item.rule.form == "set" and not head_path(item.rule)[1] for item in definitions)

    # --- Calls --------------------------------------------------------------------------------------------

    def call(self, expr: Expr) -> None:
        name, args = self.builtin(expr), expr.parts[1:]
        if name in _ROUNDING:
            self.rounded.update(map(id, args))
        elif name in _SUMS:
            for part in args[0].parts if args and args[0].form in {"array", "set"} else ():
                self.exact(part)
        elif name in _POSITIONS:
            for arg in args:
                if _is_number(arg) and isinstance(arg.value, float):
                    raise self.module.error(arg.start, f"{name}: a position must be a whole number")
        check = _CALLS.get(name)
        if check is not None:
            check(self, expr)

    def walk(self, expr: Expr) -> None:
        if len(expr.parts) != 3 or id(expr) not in self.lines:  # noqa: PLR2004 - walk(value, [path, value])
            raise self.module.error(
                expr.start, "walk finds nothing here in the embedded engine",
                hint=f"write `walk(value, [path, item])` as a line of its own; {WITH_OPA}",
            )  # fmt: skip

    def count(self, expr: Expr) -> None:
        if self.types.of(expr.parts[1]) == "string":
            raise self.module.error(
                expr.start, "count: characters beyond U+FFFF count as two, unlike in OPA",
                hint=f"count the matches: `count(regex.find_n(`(?s).`, text, -1))`; {WITH_OPA}",
            )  # fmt: skip

    def to_number(self, expr: Expr) -> None:
        arg = expr.parts[1]
        fine = self.types.of(arg) in {"number", "boolean", "null"} or self.builtin(arg) == "trim_space"
        text = arg.value if arg.form == "scalar" else None
        if not fine and not (isinstance(text, str) and text == text.strip()):
            raise self.module.error(
                expr.start, "to_number takes texts with spaces around the number, unlike in OPA",
                hint=f"`to_number(trim_space(text))`; {WITH_OPA}",
            )  # fmt: skip

    def subset(self, expr: Expr) -> None:
        kinds = tuple(self.types.of(arg) for arg in expr.parts[1:])
        if kinds not in {("object", "object"), ("set", "set"), ("array", "array"), ("array", "set")}:
            raise self.module.error(
                expr.start, "object.subset of two values of different types is false, and an error in OPA",
                hint=f"ask for each item: `every key, item in wanted {{ given[key] == item }}`; {WITH_OPA}",
            )  # fmt: skip

    def sprintf(self, expr: Expr) -> None:
        text, values = expr.parts[1], expr.parts[2]
        for verb, value in zip(_verbs(str(text.value)), values.parts, strict=False):
            kind = self.types.of(value)
            decimal = _is_number(value) and not isinstance(value.value, int)
            if (verb in {"s", "q"} and kind == "number") or (
                verb == "d" and (kind not in {"", "number"} or decimal)
            ):
                raise self.module.error(
                    value.start, f"sprintf: %{verb} of a {kind} is printed otherwise in OPA",
                    hint=f"use %v; {WITH_OPA}",
                )  # fmt: skip

    def sort(self, expr: Expr) -> None:
        items = expr.parts[1]
        if items.form in {"array", "set"} and {"object", "set"} <= set(map(self.types.of, items.parts)):
            raise self.module.error(
                expr.start,
                "objects and sets have another order than in OPA",
                hint=f"sort them apart; {WITH_OPA}",
            )

    def order_of_walk(self, expr: Expr) -> None:
        if any(self.builtin(inner) == "walk" for inner in children(expr)):
            raise self.module.error(
                expr.start,
                "walk has another order than in OPA, so an array of what it finds differs",
                hint="collect into a set: {x | …}",
            )


class _Locals:
    """The names that are no rules, imports or documents: they have a value where they are used."""

    def __init__(self, program: Program, module: Module) -> None:
        self.program = program
        self.module = module

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.program.global_path(self.module, name) is None


def _is_number(expr: Expr) -> bool:
    return expr.form == "scalar" and isinstance(expr.value, int | float) and not isinstance(expr.value, bool)


def _divides(expr: Expr) -> bool:
    """Two whole numbers that are written out, and no rest."""
    over, under = expr.parts
    whole = all(_is_number(side) and isinstance(side.value, int) for side in expr.parts)
    return whole and bool(under.value) and over.value % under.value == 0


def _verbs(text: str) -> Iterator[str]:
    """The letters after the percent signs, ``%%`` left out."""
    _, *parts = text.replace("%%", "").split("%")
    yield from (part[:1] for part in parts)


_CHECKS: Final[Mapping[str, Callable[[_Differences, Expr], None]]] = {
    "array-compr": _Differences.order_of_walk,
    "assign": _Differences.assign,
    "call": _Differences.call,
    "in": _Differences.membership,
    "operator": _Differences.operator,
    "ref": _Differences.ref,
    "scalar": _Differences.scalar,
}
_CALLS: Final[Mapping[str, Callable[[_Differences, Expr], None]]] = {
    "count": _Differences.count,
    "max": _Differences.sort,
    "min": _Differences.sort,
    "object.subset": _Differences.subset,
    "sort": _Differences.sort,
    "sprintf": _Differences.sprintf,
    "to_number": _Differences.to_number,
    "walk": _Differences.walk,
}
