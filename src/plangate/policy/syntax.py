"""Rego modules as small typed nodes, made from the syntax tree that regorus gives.

The checks (`hazards`), the call graph (`program`) and the unknown analysis (`flow`) all read this form, so the
engine's own tree format is known here and nowhere else. A node of a shape that is not known is an error:
a construct that we cannot see must not be judged with.

Few node classes with a ``form`` word are used instead of one class per construct because a policy set is
read on every run and each dataclass costs start-up time.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from msgspec import Struct

from plangate.errors import PolicyLoadError

_COMMENT: Final = re.compile(rb"#[^\n]*")

OPERATORS: Final = {
    "Eq": "==", "Ne": "!=", "Lt": "<", "Le": "<=", "Gt": ">", "Ge": ">=",
    "Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Mod": "%", "Union": "|", "Intersection": "&",
}  # fmt: skip


class Expr(Struct, kw_only=True, eq=False):
    """One expression.

    Attributes:
        form: ``scalar`` (value), ``var`` (value is the name), ``ref`` (parts: head, then one key each),
            ``call`` (parts: function, then arguments), ``array``/``set`` (parts: items),
            ``object`` (parts: key, value, key, value, …), ``array-compr``/``set-compr`` (parts: term; body),
            ``object-compr`` (parts: key, value; body), ``operator`` (value is its sign; parts: both sides, or
            one for a minus sign), ``assign`` (value ``:=`` or ``=``), ``in`` (parts: [key,] value, collection).
        start: Byte offset in the module's text.
    """

    form: str
    start: int
    end: int
    value: Any = None
    parts: "tuple[Expr, ...]" = ()
    body: "tuple[Statement, ...]" = ()


class Statement(Struct, kw_only=True, eq=False):
    """One line of a body.

    Attributes:
        form: ``expr`` (parts: it), ``not`` (parts: it), ``some`` (names), ``some-in`` (parts: [key,] value,
            collection), ``every`` (names: [key,] value; parts: domain; body).
        end: Byte offset after it, modifiers included.
        mods: ``with`` modifiers as (target, value).
    """

    form: str
    start: int
    end: int
    parts: tuple[Expr, ...] = ()
    names: tuple[str, ...] = ()
    body: "tuple[Statement, ...]" = ()
    mods: tuple[tuple[Expr, Expr], ...] = ()


class Body(Struct, kw_only=True, eq=False):
    """One body of a rule; ``value`` is set for an ``else := value``."""

    start: int
    value: Expr | None
    is_else: bool
    query: tuple[Statement, ...]


class Rule(Struct, kw_only=True, eq=False):
    """One definition of a rule.

    Attributes:
        form: ``value`` (``x := 1``, ``x[k] := 1``), ``set`` (``x contains k``), ``function``, ``default``.
        ref: The head's name as written: a ``var`` or a ``ref``.
        args: A function's parameters.
        value: What it is when a body holds: the key of a set, the value of the others; ``None`` means true.
    """

    form: str
    start: int
    ref: Expr
    args: tuple[Expr, ...]
    value: Expr | None
    bodies: tuple[Body, ...]


class Import(Struct, kw_only=True, eq=False):
    """``import path as alias``; the alias is the last part of the path when none is written."""

    path: tuple[str, ...]
    alias: str
    start: int


class Module(Struct, kw_only=True, eq=False, dict=True):
    """One file. ``package`` leaves out the leading ``data``."""

    file: str
    text: str
    package: tuple[str, ...]
    package_start: int
    imports: tuple[Import, ...]
    rules: tuple[Rule, ...]

    @cached_property
    def encoded(self) -> bytes:
        """The text as the offsets count it."""
        return self.text.encode()

    def position(self, start: int) -> tuple[int, int]:
        """Line and column (in characters), both from 1, of a byte offset."""
        before = self.encoded[:start]
        line_start = before.rfind(b"\n") + 1
        return before.count(b"\n") + 1, len(before[line_start:].decode(errors="replace")) + 1

    def source(self, node: Expr) -> str:
        """The text of an expression, on one line."""
        return " ".join(self.encoded[node.start : node.end].decode(errors="replace").split())

    def error(self, start: int, problem: str, *, hint: str = "", code: str = "") -> PolicyLoadError:
        """A load error at a byte offset of this file."""
        line, column = self.position(start)
        return PolicyLoadError(self.file, problem, line=line, column=column, hint=hint, code=code)


_INFIX: Final = frozenset({"operator", "assign", "in"})


def _end(end: int, parts: tuple[Expr, ...]) -> int:
    """Where a node ends, from where the engine says that it does and from its last parts.

    The engine leaves out the quote that closes a text at the end, and takes the token after ``set()`` along.
    """
    last = parts[-1] if parts else None
    while last is not None and last.form in _INFIX:
        last = last.parts[-1]
    if last is not None and last.form == "set" and not last.parts:
        return parts[-1].end
    return max((end, *(part.end for part in parts)))


class _Reader:
    """Turns one module's JSON tree into nodes."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.encoded = text.encode()

    def slice(self, span: dict[str, int]) -> str:
        return self.encoded[span["start"] : span["end"]].decode()

    def bracket(self, start: int) -> int:
        """The byte offset of the bracket that opens before a first key; comments may stand between them."""
        at = start
        while at > 0:
            at = self.encoded.rfind(b"{", 0, at)
            if at >= 0 and not _COMMENT.sub(b"", self.encoded[at + 1 : start]).strip():
                return at
        return start

    def unknown(self, shape: object) -> PolicyLoadError:
        return PolicyLoadError(self.file, f"the engine gave a syntax tree with an unexpected part: {shape}")

    def expr(self, node: dict[str, Any]) -> Expr:  # noqa: C901, PLR0911, PLR0912 - one arm per construct
        ((tag, body),) = node.items()
        span = body["span"]
        start, end = span["start"], span["end"]

        def made(form: str, value: Any = None, *parts: dict[str, Any], query: Any = None) -> Expr:
            inner = tuple(map(self.expr, parts))
            return Expr(
                form=form, value=value, parts=inner, body=self.query(query) if query else (),
                # A part may be a quoted text, whose quotes the engine's span leaves out.
                start=min((start, *(part.start for part in inner))),
                end=_end(end, inner) if form in _INFIX else end,
            )  # fmt: skip

        match tag:
            case "String" | "RawString":
                return Expr(form="scalar", start=start - 1, end=end + 1, value=body["value"])
            case "Number" | "Bool" | "Null":
                return Expr(form="scalar", start=start, end=end, value=body["value"])
            case "Var":
                return Expr(form="var", start=start, end=end, value=body["value"])
            case "RefDot" | "RefBrack":
                return self.reference(node)
            case "Call":
                return made("call", None, body["fcn"], *body["params"])
            case "Array":
                return made("array", None, *body["items"])
            case "Set":
                if not body["items"]:
                    # Of `set()` the engine takes the next token along.
                    end = self.encoded.find(b")", start) + 1
                return made("set", None, *body["items"])
            case "Object":
                found = made("object", None, *(part for field in body["fields"] for part in field[-2:]))
                # The engine's offset is that of the last key, not that of the bracket.
                if found.parts:
                    found.start = self.bracket(found.parts[0].start)
                return found
            case "ArrayCompr":
                return made("array-compr", None, body["term"], query=body["query"])
            case "SetCompr":
                return made("set-compr", None, body["term"], query=body["query"])
            case "ObjectCompr":
                return made("object-compr", None, body["key"], body["value"], query=body["query"])
            case "UnaryExpr":
                return made("operator", "-", body["expr"])
            case "BoolExpr" | "ArithExpr" | "BinExpr" if body["op"] in OPERATORS:
                return made("operator", OPERATORS[body["op"]], body["lhs"], body["rhs"])
            case "AssignExpr" if body["op"] in {"ColEq", "Eq"}:
                return made("assign", ":=" if body["op"] == "ColEq" else "=", body["lhs"], body["rhs"])
            case "Membership":
                parts = (body["value"], body["collection"])
                return made("in", None, *((body["key"], *parts) if body["key"] else parts))
            case _:
                raise self.unknown(tag)

    def reference(self, node: dict[str, Any]) -> Expr:
        """A chain of dots and brackets, flattened: head first, then one key for each step."""
        steps: list[Expr] = []
        end = 0
        while True:
            ((tag, body),) = node.items()
            end = end or body["span"]["end"]
            if tag == "RefDot":
                at = body["field"][0]  # never in quotes
                steps.append(Expr(form="scalar", start=at["start"], end=at["end"], value=body["field"][1]))
            elif tag == "RefBrack":
                steps.append(self.expr(body["index"]))
            else:
                break
            node = body["refr"]
        head = self.expr(node)
        return Expr(form="ref", start=head.start, end=end, parts=(head, *reversed(steps)))

    def query(self, node: dict[str, Any]) -> tuple[Statement, ...]:
        return tuple(map(self.statement, node["stmts"]))

    def statement(self, node: dict[str, Any]) -> Statement:
        ((tag, body),) = node["literal"].items()
        mods = tuple((self.expr(mod["refr"]), self.expr(mod["as"])) for mod in node.get("with_mods") or ())
        start, end = node["span"]["start"], node["span"]["end"]
        given = tuple(value for _, value in mods[-1:])
        match tag:
            case "Expr" | "NotExpr":
                form = "expr" if tag == "Expr" else "not"
                part = self.expr(body["expr"])
                return Statement(
                    form=form,
                    start=min(start, part.start),
                    end=_end(end, given or (part,)),
                    parts=(part,),
                    mods=mods,
                )
            case "SomeVars":
                return Statement(
                    form="some", start=start, end=end, names=tuple(map(self.slice, body["vars"])), mods=mods
                )
            case "SomeIn":
                found = [body["key"]] if body["key"] else []
                parts = tuple(map(self.expr, (*found, body["value"], body["collection"])))
                end = _end(end, given or parts[-1:])
                return Statement(form="some-in", start=start, end=end, parts=parts, mods=mods)
            case "Every":
                names = [body["key"], body["value"]] if body["key"] else [body["value"]]
                return Statement(
                    form="every", start=start, end=end, names=tuple(map(self.slice, names)),
                    parts=(self.expr(body["domain"]),), body=self.query(body["query"]), mods=mods,
                )  # fmt: skip
            case _:
                raise self.unknown(tag)

    def rule(self, node: dict[str, Any]) -> Rule:
        ((tag, body),) = node.items()
        start = body["span"]["start"]
        if tag == "Default":
            args = tuple(map(self.expr, body["args"] or ()))
            value = self.expr(body["value"])
            return Rule(
                form="default", start=start, ref=self.expr(body["refr"]), args=args, value=value, bodies=()
            )
        if tag != "Spec":
            raise self.unknown(tag)
        ((form, head),) = body["head"].items()
        if form not in {"Compr", "Set", "Func"}:
            raise self.unknown(form)
        value_node = head.get("key") if form == "Set" else (head["assign"] or {}).get("value")
        return Rule(
            form={"Compr": "value", "Set": "set", "Func": "function"}[form],
            start=start,
            ref=self.expr(head["refr"]),
            args=tuple(map(self.expr, head.get("args", ()))),
            value=self.expr(value_node) if value_node else None,
            bodies=tuple(
                Body(
                    start=part["span"]["start"],
                    value=self.expr(part["assign"]["value"]) if part["assign"] else None,
                    is_else=part["is_else"],
                    query=self.query(part["query"]),
                )
                for part in body["bodies"]
            ),
        )


def static_path(expr: Expr) -> tuple[str, ...] | None:
    """The dotted name that an expression spells, or ``None`` when a part of it is computed."""
    if expr.form == "var":
        return (expr.value,)
    if expr.form != "ref" or expr.parts[0].form != "var":
        return None
    steps = expr.parts[1:]
    if not all(step.form == "scalar" and isinstance(step.value, str) for step in steps):
        return None
    return (expr.parts[0].value, *(step.value for step in steps))


def is_bare(expr: Expr) -> bool:
    """A constant, or a collection with nothing in it: no key leads any further."""
    if expr.form == "call":
        return len(expr.parts) == 1 and static_path(expr.parts[0]) == ("set",)
    return expr.form == "scalar" or (expr.form in {"array", "set", "object"} and not expr.parts)


def read_module(file: str, text: str, tree: dict[str, Any]) -> Module:
    """A module from one entry of the engine's syntax tree.

    Raises:
        PolicyLoadError: The tree holds a part that we do not know.
    """
    reader = _Reader(file, text)
    try:
        package_ref = reader.expr(tree["package"]["refr"])
        package = static_path(package_ref)
        if package is None:
            raise PolicyLoadError(file, "the package name is computed")
        imports = []
        for node in tree["imports"]:
            path = static_path(reader.expr(node["refr"]))
            if path is None:
                raise PolicyLoadError(file, "an import with a computed path")
            alias = reader.slice(node["as"]) if node.get("as") else path[-1]
            imports.append(Import(path=path, alias=alias, start=node["span"]["start"]))
        rules = tuple(map(reader.rule, tree["rules"]))
    except (KeyError, TypeError, ValueError, IndexError) as problem:
        raise reader.unknown(f"{type(problem).__name__}: {problem}") from problem
    except RecursionError as problem:
        raise PolicyLoadError(file, "expressions are nested too deeply") from problem
    return Module(
        file=file,
        text=text,
        package=package,
        package_start=package_ref.start,
        imports=tuple(imports),
        rules=rules,
    )


def children(expr: Expr) -> Iterator[Expr]:
    """An expression and everything in it, comprehension bodies included."""
    yield expr
    for part in expr.parts:
        yield from children(part)
    for statement in expr.body:
        yield from statement_exprs(statement)


def statement_exprs(statement: Statement) -> Iterator[Expr]:
    """Every expression of a statement, at any depth."""
    for part in statement.parts:
        yield from children(part)
    for target, value in statement.mods:
        yield from children(target)
        yield from children(value)
    for inner in statement.body:
        yield from statement_exprs(inner)


def rule_exprs(rule: Rule) -> Iterator[Expr]:
    """Every expression of a rule, head included."""
    yield from children(rule.ref)
    for arg in rule.args:
        yield from children(arg)
    if rule.value is not None:
        yield from children(rule.value)
    for body in rule.bodies:
        if body.value is not None:
            yield from children(body.value)
        for statement in body.query:
            yield from statement_exprs(statement)


def statements(query: tuple[Statement, ...]) -> Iterator[Statement]:
    """Every statement of a body, those inside of comprehensions and ``every`` included."""
    for statement in query:
        yield statement
        yield from statements(statement.body)
        for part in statement.parts:
            for expr in children(part):
                yield from statements(expr.body)


def rule_statements(rule: Rule) -> Iterator[Statement]:
    """Every statement of a rule, at any depth, each once: of its bodies, and of comprehensions in its head."""
    heads = [rule.ref, *rule.args, rule.value]
    for body in rule.bodies:
        heads.append(body.value)
        yield from statements(body.query)
    for head in heads:
        for expr in children(head) if head is not None else ():
            # What stands in comprehensions of these lines comes with `children`.
            yield from _lines(expr.body)


def _lines(query: tuple[Statement, ...]) -> Iterator[Statement]:
    for statement in query:
        yield statement
        yield from _lines(statement.body)
