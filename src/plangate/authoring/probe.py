"""Rules made from the lines of other rules, to look at what each line met. They say why a body did not hold.

For a body ``a; b; c`` a probe is an array with one place before each line and one at the end. Each place holds the
first few ways in which the lines before it hold: the variables, and the values of what the next line names. A place
that is empty is behind the line that did not hold. What a line calls has probes as well, down to a depth, as functions
with the same parameters in their own module; so the engine itself hands over the arguments and every ``with``.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, TypeAlias

from msgspec import Struct, field

from plangate.authoring.instrument import modifiers
from plangate.policy.program import Definition, Program, head_path
from plangate.policy.scopes import declared_names, pattern_names
from plangate.policy.syntax import Body, Expr, Module, Rule, Statement, children
from plangate.policy.variables import bound_names

Conditions: TypeAlias = Sequence[tuple[frozenset[str], str]]

MOST_WAYS: Final = 3
"""Ways in which lines hold that are looked at."""
_MOST_DEFINITIONS: Final = 8
"""Definitions of one rule that are looked into."""
_WRITTEN_OUT: Final = frozenset({"scalar", "array", "set", "object"})
"""A value that says itself what it is."""


class Seen(Struct, frozen=True, kw_only=True, eq=False):
    """Something that a line names.

    Attributes:
        source: What people read.
        text: Rego for its value.
        call: What the probes are called with: ``(a, b)``, or nothing.
        probes: Those of the rule or function that it leads to.
    """

    source: str
    text: str
    call: str = ""
    probes: "tuple[Probe, ...]" = ()


class Probe(Struct, frozen=True, kw_only=True, eq=False):
    """What is asked of one body of one definition.

    Attributes:
        path: The probe's own path below ``data``.
        definition: Whose body it is.
        body: The body; ``None`` for a definition without one, which always holds.
        lines: Its lines, so that each comes after those that give its variables a value.
        seen: For each line what is looked at before it; and, at the end, what the head gives.
    """

    path: tuple[str, ...]
    definition: Definition
    body: Body | None
    lines: tuple[Statement, ...]
    seen: tuple[tuple[Seen, ...], ...]

    @property
    def rule(self) -> Rule:
        """The rule."""
        return self.definition.rule

    @property
    def module(self) -> Module:
        """Where it is written."""
        return self.definition.module


class Prober(Struct, kw_only=True):
    """Makes probes, and collects their texts.

    Attributes:
        program: All modules that are loaded.
        texts: File name to the rules that its module needs.
    """

    program: Program
    texts: dict[str, list[str]] = field(default_factory=dict)
    _count: int = 0

    def definition(
        self, definition: Definition, depth: int, conditions: Conditions = ()
    ) -> tuple[Probe, ...]:
        """Probes for all bodies of a definition.

        Args:
            definition: What to look into.
            depth: How many calls to follow from its lines.
            conditions: Rego that must hold as soon as some variables have a value; nobody is told of it.
        """
        if definition.rule.form == "default":
            return ()
        bodies: Sequence[Body | None] = definition.rule.bodies or (None,)
        return tuple(self._probe(definition, body, depth, conditions) for body in bodies)

    def _probe(self, definition: Definition, body: Body | None, depth: int, conditions: Conditions) -> Probe:
        module, rule = definition.module, definition.rule
        query = body.query if body is not None else ()
        value = body.value if body is not None and (body.value is not None or body.is_else) else rule.value
        given = {name for arg in rule.args for name in pattern_names(arg)}
        lines = self._in_order(module, query, frozenset(given))
        known, prefix, places, seen = set(given), list[str](), list[str](), list[tuple[Seen, ...]]()
        waiting = list(conditions)
        for line in (*lines, None):
            if line is None:
                found: tuple[Seen, ...] = (self._seen(module, value, 0),) if value is not None else ()
            else:
                exprs = (expr for expr in _named(line) if not (expr.form == "var" and expr.value in known))
                found = (*(self._seen(module, expr, depth) for expr in exprs), *_exceptions(module, line))
            seen.append(found)
            places.append(self._place(module, sorted(known), found, prefix, line))
            if line is None:
                break
            prefix.append(module.encoded[line.start : line.end].decode())
            known |= self._bound(module, line)
            prefix += [condition for names, condition in waiting if names <= known]
            waiting = [(names, condition) for names, condition in waiting if not names <= known]
        self._count += 1
        name = f"plangate_probe_{self._count}"
        args = ", ".join(module.encoded[arg.start : arg.end].decode() for arg in rule.args)
        head = f"{name}({args})" if rule.args else name
        rules = self.texts.setdefault(module.file, [])
        rules.append(f"{head} := [\n" + ",\n".join(places) + "\n]")
        return Probe(
            path=(*module.package, name), definition=definition, body=body, lines=lines, seen=tuple(seen)
        )

    def _place(
        self,
        module: Module,
        names: Sequence[str],
        seen: Sequence[Seen],
        prefix: Sequence[str],
        line: Statement | None,
    ) -> str:
        """Rego for how many ways there are at one place, and what the first ones look like."""
        given = modifiers(module, line) if line is not None else ""
        variables = _listed([f'"{name}": {name}' for name in names])
        values, traces = [], []
        for item in seen:
            values.append(f"[plangate_v | plangate_v := {item.text}{given}]")
            inner = [
                f"[plangate_v | plangate_v := data.{'.'.join(probe.path)}{item.call}{given}]"
                for probe in item.probes
            ]
            traces.append(f"[{_listed(inner)}]")
        way = f'{{"v": {{{variables}}}, "e": [{_listed(values)}], "t": [{_listed(traces)}]}}'
        lines = ";\n".join(prefix or ["true"])
        return (
            f"[plangate_r | plangate_s := [{way} | {lines}];\n"
            f'plangate_r := {{"n": count(plangate_s), "s": array.slice(plangate_s, 0, {MOST_WAYS})}}]'
        )

    def _seen(self, module: Module, expr: Expr, depth: int) -> Seen:
        args = ", ".join(_source(module, arg) for arg in expr.parts[1:])
        return Seen(
            source=module.source(expr),
            text=_source(module, expr),
            call=f"({args})" if expr.form == "call" else "",
            probes=self._callee(module, expr, depth),
        )

    def _callee(self, module: Module, expr: Expr, depth: int) -> tuple[Probe, ...]:
        """Probes of the rule or function that an expression leads to, if it is one of the policies'."""
        if depth <= 0:
            return ()
        definitions = definitions_of(self.program, module, expr)
        if len(definitions) > _MOST_DEFINITIONS:
            return ()
        return tuple(
            probe
            for definition in definitions
            if bool(definition.rule.args) == (expr.form == "call") and not head_path(definition.rule)[1]
            for probe in self.definition(definition, depth - 1)
        )

    def _in_order(
        self, module: Module, query: Sequence[Statement], given: frozenset[str]
    ) -> tuple[Statement, ...]:
        """The lines so that each comes after those that give its variables a value; else as they are written."""
        left, known = list(query), set(given)
        found: list[Statement] = []
        while left:
            ready = next((line for line in left if self._is_ready(module, line, left, known)), left[0])
            left.remove(ready)
            known |= self._bound(module, ready)
            found.append(ready)
        return tuple(found)

    def _is_ready(
        self, module: Module, line: Statement, left: Sequence[Statement], known: Collection[str]
    ) -> bool:
        tops = (*line.parts, *(value for _, value in line.mods))
        names = {part.value for top in tops for part in children(top) if part.form == "var"}
        names -= {*declared_names((line,)), *known}
        for other in left:
            if other is line:
                continue
            # A line that is negated gives no variable a value, so any other line that does comes first.
            gives = self._bound(module, other) if line.form == "not" else set(declared_names((other,)))
            if other.form != "some" and names & gives:
                return False
        return True

    def _bound(self, module: Module, line: Statement) -> set[str]:
        """Variables that have a value once this line holds."""
        if line.form in {"not", "every", "some"}:
            return set()
        names = bound_names(line) | set(declared_names((line,)))
        return {
            name
            for name in names
            if not name.startswith("_") and self.program.global_path(module, name) is None
        }


def _exceptions(module: Module, line: Statement) -> tuple[Seen, ...]:
    """For ``every x in xs { … }``: the items for which it does not hold."""
    if line.form != "every":
        return ()
    names, domain = ", ".join(line.names), _source(module, line.parts[0])
    body = ";\n".join(module.encoded[inner.start : inner.end].decode() for inner in line.body)
    text = f"[{line.names[-1]} | some {names} in {domain}; count([1 | {body}]) == 0]"
    return (Seen(source=f"{line.names[-1]} for which it does not hold", text=text),)


def definitions_of(program: Program, module: Module, expr: Expr) -> tuple[Definition, ...]:
    """The definitions of the rule that a reference is, or of the function that a call calls."""
    if expr.form == "call":
        kind, path = program.callee(module, expr.parts[0])
        return tuple(program.rules.get(path, ())) if kind == "rule" else ()
    parts = expr.parts if expr.form == "ref" else (expr,)
    if parts[0].form != "var":
        return ()
    head = program.global_path(module, parts[0].value)
    if head is None or head[0] != "data":
        return ()
    words = list(head[1:])
    for step in parts[1:]:
        if step.form != "scalar" or not isinstance(step.value, str):
            break
        words.append(step.value)
    target = program.target(tuple(words))
    return target.definitions if target.kind == "rule" else ()


def _named(line: Statement) -> Iterator[Expr]:
    """What is worth a look in a line: both sides of a comparison, calls and references, the inner ones first."""
    parts = line.parts[-1:] if line.form in {"some-in", "every"} else line.parts
    done: set[tuple[int, int]] = set()
    for part in parts:
        inner = part.parts[1:] if part.form == "assign" and part.value == ":=" else (part,)
        for expr in (found for one in inner for found in _inside(one, top=line.form != "expr")):
            if (expr.start, expr.end) not in done:
                done.add((expr.start, expr.end))
                yield expr


def _inside(expr: Expr, *, top: bool) -> Iterator[Expr]:
    unnamed = expr.form == "var" and expr.value.startswith("_")
    if unnamed or all(part.form in _WRITTEN_OUT for part in children(expr)):
        return
    if not expr.body and expr.form in {"operator", "assign", "in"}:
        for part in expr.parts:
            yield from _inside(part, top=True)
        return
    if expr.form in {"call", "ref"}:
        looked_at = {"call", "ref", "var"} if expr.form == "call" else {"call", "ref"}
        for part in expr.parts[1:]:
            if part.form in looked_at:
                yield from _inside(part, top=False)
    if top or expr.body or expr.form in {"call", "ref", "var"}:
        yield expr


def _source(module: Module, expr: Expr) -> str:
    return module.encoded[expr.start : expr.end].decode()


def _listed(items: Sequence[str]) -> str:
    """Items on lines of their own: there is a limit on the length of a line."""
    return ",\n".join(items)
