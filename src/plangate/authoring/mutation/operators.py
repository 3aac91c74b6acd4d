"""The faults that are put into policies: each mutant is a policy with one edit in one place.

The operators are few and each stands for a slip that authors make. Mutants that no test could tell from the
original, or from another mutant, are not made where that can be seen: ``of_kind`` is not swapped with
``all_of_kind``, a set of one text is not emptied (changing the text does that), ``< 90`` becomes ``<= 90`` and ``< 89``
but not ``< 91``. What only words a finding for people is left alone by default; see docs/adr/0013-mutation.md.
"""

from contextlib import suppress
from enum import StrEnum
from typing import Final

from msgspec import Struct

from plangate.authoring.mutation.layout import Layout, LayoutError, Region
from plangate.model.kinds import KINDS
from plangate.policy.program import head_name
from plangate.policy.syntax import Body, Expr, Module, Rule, Statement, rule_exprs, static_path


class Operator(StrEnum):
    """What kind of fault a mutant has."""

    COMPARISON = "comparison"
    """A comparison says the opposite: ``==`` is ``!=``, ``<`` is ``>=``."""
    BOUNDARY = "boundary"
    """A comparison gains or loses its boundary: ``<`` is ``<=``."""
    CONDITION = "condition"
    """A condition is dropped: it is ``true``."""
    NEGATION = "negation"
    """A ``not`` is added or taken away."""
    CONSTANT = "constant"
    """``true`` is ``false``, a number is one off, a text is another text."""
    KIND = "kind"
    """A kind of resource is another kind."""
    FIELD = "field"
    """A field is read that is not there."""
    EMPTY = "empty"
    """A set, list, object or comprehension is empty."""
    OPERATOR = "operator"
    """``|`` is ``&``, ``+`` is ``-``; ``a - b`` is ``a``."""
    ARGUMENTS = "arguments"
    """The first two arguments of a call are swapped, where order matters and types do not."""
    DEFINITION = "definition"
    """A definition, or one branch of it, never holds."""


_OPPOSITE: Final = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_BOUNDARY: Final = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_STEP_DOWN: Final = frozenset({"<", ">="})
"""``x < 90`` and ``x < 91`` differ at 90, where ``x <= 90`` differs too; ``x < 89`` asks for another test."""
_SWAPPED: Final = {"|": "&", "&": "|", "+": "-", "*": "+", "/": "*", "%": "*"}
_ORDERED: Final = frozenset(
    {"startswith", "endswith", "contains", "trim", "trim_left", "trim_prefix", "trim_right", "trim_suffix"}
)
_MESSAGE_ARGUMENT: Final = {"finding": 2, "finding_at": 2, "plan_finding": 1}
_MESSAGE_KEYS: Final = frozenset({"message", "msg"})
_NEGATABLE: Final = frozenset({"call", "ref", "var", "in"})
_EMPTY: Final = {"set": "set()", "set-compr": "set()", "array": "[]", "array-compr": "[]"}


class Mutant(Struct, frozen=True, kw_only=True):
    """One policy file with one fault.

    Attributes:
        file: The policy file's name, as people know it.
        rule: The name of the definition that it is in.
        operator: What kind of fault it is.
        line: Where the edit starts, from 1.
        column: Likewise, in characters from 1.
        start: Where the edit starts, in bytes of the original text.
        end: Where what is replaced ends.
        replacement: What stands there instead.
    """

    file: str
    rule: str
    operator: Operator
    line: int
    column: int
    start: int
    end: int
    replacement: str

    @property
    def name(self) -> str:
        """What it is called, the same in every run: no two mutants share it."""
        return f"{self.file}:{self.line}:{self.column} {self.operator} {self.replacement}"

    def apply(self, text: str) -> str:
        """The mutated file.

        Args:
            text: The original file.
        """
        encoded = text.encode()
        return (encoded[: self.start] + self.replacement.encode() + encoded[self.end :]).decode()


def mutants(module: Module, *, messages: bool = False) -> tuple[Mutant, ...]:
    """Every mutant of a policy, in the order of their places.

    Args:
        module: The policy. Tests are never mutated.
        messages: Also change what only makes up a finding's message.
    """
    finder = _Finder(module, messages=messages)
    for rule in module.rules:
        finder.rule(rule)
    return tuple(finder.found[key] for key in sorted(finder.found))


class _Finder:
    def __init__(self, module: Module, *, messages: bool) -> None:
        self.module = module
        self.messages = messages
        self.found: dict[tuple[int, int, str], Mutant] = {}
        self._layout = Layout(module)
        self._aliases = {"data", *(item.alias for item in module.imports)} - {"input"}
        self._inside = ""
        self._message_names: frozenset[str] = frozenset()

    def rule(self, rule: Rule) -> None:
        """Mutants of one definition."""
        self._inside = head_name(rule)
        self._message_names = frozenset() if self.messages else _message_names(rule)
        for expr in (*rule.ref.parts[1:], *rule.args, *(() if rule.value is None else (rule.value,))):
            self._expr(expr)
        for body in rule.bodies:
            if body.value is not None:
                self._expr(body.value)
            self._query(body.query)
        if rule.form != "default":
            self._definition(rule)

    def _definition(self, rule: Rule) -> None:
        bodies = [body for body in rule.bodies if body.query and not any(map(_is_settled, body.query))]
        for body in bodies:
            with suppress(LayoutError):
                self._never(body)
        if not rule.bodies:
            with suppress(LayoutError):
                self._unconditional(rule)

    def _never(self, body: Body) -> None:
        regions = [self._layout.statement(statement) for statement in body.query]
        first, last = regions[0], regions[-1]
        if self._layout.text(first.first - 1) == b"{":
            start = self._layout.bytes_of(first)[0]
            self._put(Operator.DEFINITION, start, start, "false; ")
        else:
            start, end = self._layout.bytes_of(Region(first.first, last.last))
            written = self.module.encoded[start:end].decode()
            self._put(Operator.DEFINITION, start, end, f"{{ false; {written} }}")

    def _unconditional(self, rule: Rule) -> None:
        parts = (rule.ref, *rule.args, *(() if rule.value is None else (rule.value,)))
        end = self._layout.bytes_of(self._layout.span(map(self._layout.outer, parts)))[1]
        self._put(Operator.DEFINITION, end, end, " if false")

    def _query(self, query: tuple[Statement, ...]) -> None:
        for statement in query:
            if statement.mods:
                continue  # `with` is for tests.
            if statement.form == "expr" and statement.parts[0].form == "assign":
                self._assign(statement.parts[0])
            elif statement.form in {"expr", "not", "every"}:
                with suppress(LayoutError):
                    self._condition(statement)
                self._expr(statement.parts[0])
            elif statement.form == "some-in":
                self._expr(statement.parts[-1])
            self._query(statement.body)

    def _condition(self, statement: Statement) -> None:
        region = self._layout.statement(statement)
        start, end = self._layout.bytes_of(region)
        if self.module.encoded[start:end] != b"true":
            self._put(Operator.CONDITION, start, end, "true")
        if statement.form == "not":
            behind = self._layout.tokens[region.first + 1].start
            self._put(Operator.NEGATION, start, behind, "")
        elif statement.form == "expr" and statement.parts[0].form in _NEGATABLE:
            self._put(Operator.NEGATION, start, start, "not ")

    def _assign(self, assign: Expr) -> None:
        left, right = assign.parts
        if assign.value == "=":
            self._expr(left)
        if not (left.form == "var" and left.value in self._message_names):
            self._expr(right)

    def _expr(self, expr: Expr, compared: str = "") -> None:
        """Mutants of an expression and of everything in it; ``compared`` as by ``expr < other``."""
        # Where the place of something is not certain, nothing is edited there.
        with suppress(LayoutError):
            self._own(expr, compared)
        if expr.form == "ref":
            for step in expr.parts:
                if step.form != "scalar":
                    self._expr(step)
            return
        is_order = expr.form == "operator" and expr.value in _OPPOSITE
        skipped = _message_parts(expr) if not self.messages else ()
        for index, part in enumerate(expr.parts):
            if (expr.form == "call" and index == 0) or part in skipped:
                continue
            # `90 > x` is `x < 90`.
            sign = expr.value if index else _MIRRORED.get(expr.value, expr.value)
            self._expr(part, sign if is_order else "")
        self._query(expr.body)

    def _own(self, expr: Expr, compared: str) -> None:
        match expr.form:
            case "scalar":
                self._scalar(expr, compared)
            case "ref":
                self._field(expr)
            case "operator" if len(expr.parts) > 1:
                self._signs(expr)
            case "call":
                self._arguments(expr)
            case "set" | "array" | "object" | "set-compr" | "array-compr" | "object-compr":
                one_text = expr.form in {"set", "array"} and [part.form for part in expr.parts] == ["scalar"]
                if expr.parts and not one_text:
                    self._put(
                        Operator.EMPTY,
                        *self._layout.bytes_of(self._layout.expr(expr)),
                        _EMPTY.get(expr.form, "{}"),
                    )
            case _:
                pass

    def _scalar(self, expr: Expr, compared: str) -> None:
        start, end = self._layout.bytes_of(self._layout.expr(expr))
        value = expr.value
        if isinstance(value, bool):
            self._put(Operator.CONSTANT, start, end, "false" if value else "true")
        elif isinstance(value, int | float):
            self._put(Operator.CONSTANT, start, end, str(value - 1 if compared in _STEP_DOWN else value + 1))
        elif isinstance(value, str) and value in KINDS:
            self._put(Operator.KIND, start, end, f'"{self._other_kind(value)}"')
        elif isinstance(value, str):
            written = self.module.encoded[start:end].decode()
            self._put(Operator.CONSTANT, start, end, f"{written[:-1]}_{written[-1]}")

    def _other_kind(self, kind: str) -> str:
        """The next kind that the policy does not speak of, so that a set of kinds really loses one."""
        known = sorted(KINDS)
        at = known.index(kind) + 1
        following = (*known[at:], *known[:at])
        return next((name for name in following if f'"{name}"' not in self.module.text), following[0])

    def _field(self, expr: Expr) -> None:
        head, last = expr.parts[0], expr.parts[-1]
        if last.form != "scalar" or not isinstance(last.value, str) or head.value in self._aliases:
            return
        start, end = self._layout.bytes_of(self._layout.expr(last))
        written = self.module.encoded[start:end].decode()
        in_brackets = written[-1] in '"`'
        self._put(
            Operator.FIELD, start, end, f"{written[:-1]}_{written[-1]}" if in_brackets else f"{written}_"
        )

    def _signs(self, expr: Expr) -> None:
        sign = self._layout.tokens[self._layout.sign(expr)]
        for operator, table in (
            (Operator.COMPARISON, _OPPOSITE),
            (Operator.BOUNDARY, _BOUNDARY),
            (Operator.OPERATOR, _SWAPPED),
        ):
            if expr.value in table:
                self._put(operator, sign.start, sign.end, table[expr.value])
        if expr.value == "-":
            # Whether these are sets or numbers is not known; without the second it is a fault of either.
            end = self._layout.bytes_of(self._layout.outer(expr.parts[1]))[1]
            left = self._layout.bytes_of(self._layout.outer(expr.parts[0]))[1]
            self._put(Operator.OPERATOR, left, end, "")

    def _arguments(self, expr: Expr) -> None:
        name = static_path(expr.parts[0])
        if name is None or ".".join(name) not in _ORDERED or len(expr.parts) != 3:  # noqa: PLR2004
            return
        one, other = (self._layout.bytes_of(self._layout.outer(part)) for part in expr.parts[1:])
        text = self.module.encoded
        first, between, second = text[slice(*one)], text[one[1] : other[0]], text[slice(*other)]
        if first != second:
            self._put(Operator.ARGUMENTS, one[0], other[1], (second + between + first).decode())

    def _put(self, operator: Operator, start: int, end: int, replacement: str) -> None:
        line, column = self.module.position(start)
        self.found.setdefault(
            (start, end, replacement),
            Mutant(
                file=self.module.file, rule=self._inside, operator=operator, line=line, column=column,
                start=start, end=end, replacement=replacement,
            ),
        )  # fmt: skip


def _is_settled(statement: Statement) -> bool:
    """A line that nothing can be put before: one with ``with``, or one that never holds anyway."""
    part = statement.parts[0] if statement.parts else None
    never = statement.form == "expr" and part is not None and part.form == "scalar" and part.value is False
    return bool(statement.mods) or never


def _message_parts(expr: Expr) -> tuple[Expr, ...]:
    """The parts of an expression that only word a finding for people."""
    if expr.form == "call":
        name = static_path(expr.parts[0])
        at = _MESSAGE_ARGUMENT.get(name[-1], 0) if name else 0
        return expr.parts[at : at + 1] if at else ()
    if expr.form == "object":
        pairs = zip(expr.parts[::2], expr.parts[1::2], strict=True)
        return tuple(value for key, value in pairs if key.form == "scalar" and key.value in _MESSAGE_KEYS)
    return ()


def _message_names(rule: Rule) -> frozenset[str]:
    """Variables that hold a message and serve nothing else: given a value once, used once."""
    exprs = tuple(rule_exprs(rule))
    uses: dict[str, int] = {}
    for expr in exprs:
        if expr.form == "var":
            uses[expr.value] = uses.get(expr.value, 0) + 1
    messages = {part.value for expr in exprs for part in _message_parts(expr) if part.form == "var"}
    return frozenset(name for name in messages if uses[name] == 2)  # noqa: PLR2004 - once each
