"""Where the guards of a module go, found by reading it.

What comes out is read again and has to be the same module, save for the guards; where it is not, nothing is judged
with it.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from plangate.errors import PolicyLoadError
from plangate.policy.exactness import FUNCTIONS, GUARDS_PACKAGE
from plangate.policy.guarding import IN_REGO, Edit, edited
from plangate.policy.guards import Guards, guards_of
from plangate.policy.parse import parsed_module
from plangate.policy.program import Program, head_name
from plangate.policy.syntax import Expr, Module, Statement

_VERB: Final = re.compile(rb"%(.)", re.DOTALL)
_MOST_KEPT: Final = 4096


def module_edits(
    modules: Sequence[tuple[str, str]], *, rego_v0: bool = False
) -> Iterator[tuple[tuple[int, int, str], ...]]:
    """The guards of each module as (start, end, kind), outer ones after inner ones: `plangate.policy.guarding.Edit`.

    Raises:
        PolicyLoadError: A module cannot be read, or would not be the same module with its guards.
    """
    names: dict[tuple[str, ...], frozenset[str]] = {}
    for name, text in modules:
        module = parsed_module(name, text, rego_v0=rego_v0)
        _refuse_own(module)
        names[module.package] = names.get(module.package, frozenset()) | set(map(head_name, module.rules))
    for name, text in modules:
        yield _edits(name, text, names[parsed_module(name, text, rego_v0=rego_v0).package], rego_v0)


def _refuse_own(module: Module) -> None:
    """Refuse what would stand in the place of a guard."""
    if module.package[:1] == (GUARDS_PACKAGE,):
        raise module.error(module.package_start, f"package {GUARDS_PACKAGE} is plangate's own")
    for start, name in (
        *((rule.start, head_name(rule)) for rule in module.rules),
        *((item.start, item.alias) for item in module.imports),
    ):
        if name in FUNCTIONS:
            raise module.error(start, f"{name} is plangate's own name", hint="call it something else")


@lru_cache(maxsize=_MOST_KEPT)
def _edits(
    name: str,
    text: str,
    shadows: frozenset[str],
    rego_v0: bool,  # noqa: FBT001 - for the cache
) -> tuple[tuple[int, int, str], ...]:
    module = parsed_module(name, text, rego_v0=rego_v0)
    guards = guards_of(_Shadowed(module, shadows), module)
    edits = [
        Edit(start=guard.expr.start, end=guard.expr.end, kind=guard.kind)
        for around in guards.around.values()
        for guard in around
    ]
    for text_expr in guards.formats.values():
        edits += _verb_edits(module, text_expr)
    if edits:
        changed = edited(text, edits, dict.fromkeys(edits, 0))
        again = parsed_module(name, changed, rego_v0=rego_v0)
        if _outline(again, _NONE) != _outline(module, guards):
            raise PolicyLoadError(
                name, "its calculations cannot be guarded", hint="put each into a line of its own"
            )
    return tuple((edit.start, edit.end, edit.kind) for edit in edits)


class _Shadowed(Program):
    """A program of one module, in whose package other files have more rules."""

    def __init__(self, module: Module, names: frozenset[str]) -> None:
        super().__init__((module,), {})
        for name in names:
            self.rules.setdefault((*module.package, name), [])


def _verb_edits(module: Module, text: Expr) -> list[Edit]:
    """The letters of every ``%d`` in a text, as it is written."""
    source = module.encoded[text.start : text.end]
    return [
        Edit(start=text.start + found.start(1), end=text.start + found.end(1), kind="%v")
        for found in _VERB.finditer(source)
        if found.group(1) == b"d"
    ]


_NONE: Final = Guards(around={}, formats={})


def _outline(module: Module, guards: Guards) -> object:
    """Everything that a module says, without where it stands; with its guards."""
    return [
        (
            rule.form,
            _shape(rule.ref, guards),
            [_shape(arg, guards) for arg in rule.args],
            rule.value and _shape(rule.value, guards),
            [
                (
                    body.is_else,
                    body.value and _shape(body.value, guards),
                    [_line(line, guards) for line in body.query],
                )
                for body in rule.bodies
            ],
        )
        for rule in module.rules
    ]


def _line(line: Statement, guards: Guards) -> object:
    return (
        line.form,
        line.names,
        [_shape(part, guards) for part in line.parts],
        [_line(inner, guards) for inner in line.body],
        [(_shape(target, guards), _shape(value, guards)) for target, value in line.mods],
    )


def _shape(expr: Expr, guards: Guards) -> object:
    value = re.sub("%(.)", _as_v, expr.value) if id(expr) in guards.formats else expr.value
    shape: object = (
        expr.form,
        type(value).__name__,
        value,
        [_shape(part, guards) for part in expr.parts],
        [_line(line, guards) for line in expr.body],
    )
    for guard in guards.around.get(id(expr), ()):
        shape = _call(guard.kind, shape)
    return shape


def _as_v(found: "re.Match[str]") -> str:
    return "%v" if found.group(1) == "d" else found.group()


def _call(kind: str, shape: object) -> object:
    def part(form: str, value: object, *parts: object) -> object:
        return (form, type(value).__name__, value, list(parts), [])

    function = (
        part("ref", None, part("var", "data"), part("scalar", GUARDS_PACKAGE), part("scalar", kind))
        if kind in IN_REGO
        else part("var", f"plangate_{kind}")
    )
    return part("call", None, function, shape, part("scalar", 0))
