"""Policies rewritten so that OPA can be asked whether a rule can deny one resource. See docs/adr/0023-partial.md.

Every definition of ``deny`` whose finding is about one resource becomes a function of that resource, a *probe*. A
builtin call that can fail is sent through a *guard*, whose value is an unknown one when the call fails: partial
evaluation by itself takes a failing call for a line that does not hold. Rules that could break in other ways are not
asked about. Answers to these modules never judge a plan; they only say what no value of an unknown can change.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Final

from msgspec.structs import replace

from plangate.policy.base import PolicySet
from plangate.policy.builtin_table import BUILTINS
from plangate.policy.builtins import TYPE_ONLY
from plangate.policy.files import PolicyFile
from plangate.policy.opa.revision import Revision, revision_of
from plangate.policy.parse import parse_modules
from plangate.policy.program import Definition, Path, Program
from plangate.policy.subject import subject_of
from plangate.policy.syntax import Expr, Module, Rule, Statement, children, rule_exprs, rule_statements

SLOTS: Final = 32
"""Questions of one request."""
CANARY: Final = -1
"""A probe that always holds: an answer without it is no answer."""
UNKNOWN: Final = "plangate_unknown"
"""Field of ``input`` that is unknown. No plan has it."""

_GUARD: Final = "plangate.guard"
_PROBE: Final = "plangate_probe"
_SUBJECT: Final = "plangate_subject"
_LIBRARY: Final = ("plangate", "lib")
_NEVER_FAIL: Final = TYPE_ONLY | {"walk", "print"}
_CAN_FAIL: Final = frozenset("+-*/%|&")


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What a policy set can be asked.

    Attributes:
        revision: The modules, under a name of their own.
        probes: Rule id to its probes; a rule that cannot be asked about is missing.
    """

    revision: Revision
    probes: Mapping[str, tuple[int, ...]]


def questions_of(policies: PolicySet) -> Questions:
    """The questions that a set of checked policies allows."""
    files = [PolicyFile(name=name, text=text, source="", path=File(name)) for name, text in policies.modules]
    modules = parse_modules(files)
    program = Program(modules, policies.data)
    guards: dict[str, int] = {}
    probes: dict[str, tuple[int, ...]] = {}
    calls: list[str] = []
    added: dict[str, list[str]] = {}
    for rule in policies.rules:
        package = tuple(policies.packages[rule.id].split("."))
        definitions = program.rules.get((*package, "deny"), [])
        if rule.id in policies.handles_unknowns or not _is_safe(program, definitions):
            continue
        mine: list[int] = []
        for definition in definitions:
            subject = subject_of(program, definition.module, definition.rule)
            if subject:
                mine.append(len(calls))
                added.setdefault(definition.module.file, []).append(
                    _probe(program, definition, subject, len(calls), guards)
                )
                calls.append(f"data.{policies.packages[rule.id]}.{_PROBE}_{len(calls)}")
        probes[rule.id] = tuple(mine)
    texts = [
        (module.file, "\n".join((_guarded(program, module, guards), *added.get(module.file, ()))))
        for module in modules
    ]
    texts.append(("plangate/guard.rego", _guard_module(guards)))
    texts.append(("plangate/probe.rego", _dispatch(calls)))
    digest = hashlib.sha256(json.dumps([policies.sha256, "questions"]).encode()).hexdigest()
    asked = replace(policies, modules=tuple(texts), rules=(), sha256=digest)
    return Questions(revision=revision_of(asked), probes=probes)


def _probe(
    program: Program, definition: Definition, subject: str, number: int, guards: dict[str, int]
) -> str:
    """One definition of ``deny`` as a function of its subject; the line that found the subject looks it up."""
    module, rule = definition.module, definition.rule

    def text(start: int, end: int, edits: Sequence[tuple[int, int, str]] = ()) -> str:
        inside = [
            edit for edit in _edits(program, module, rule, guards) if start <= edit[0] and edit[1] <= end
        ]
        return _edited(module, start, end, [*inside, *edits])

    lines = []
    for statement in rule.bodies[0].query:
        name = _binder(statement, subject)
        edits = [(name.start, name.end, _SUBJECT)] if name is not None else []
        lines.append(text(statement.start, statement.end, edits))
    lines.append(f"{_SUBJECT}.address == {subject}.address")
    found = rule.value
    value = text(found.start, found.end) if found is not None else "true"
    return (
        f"{_PROBE}_{number}({subject}) := [{value}] if {{\n"
        + "".join(f"\t{line}\n" for line in lines)
        + "}\n"
    )


def _binder(statement: Statement, subject: str) -> Expr | None:
    """Where a line binds the subject."""
    if statement.form == "some-in":
        names = statement.parts[:-1]
    elif statement.form == "expr" and statement.parts[0].form == "assign":
        names = statement.parts[0].parts[:1]
    else:
        names = ()
    return next((name for name in names if name.form == "var" and name.value == subject), None)


# --- What can fail ------------------------------------------------------------------------------------------------


def _edits(
    program: Program, module: Module, rule: Rule, guards: dict[str, int]
) -> Iterator[tuple[int, int, str]]:
    """Every builtin call of a rule that can fail, by the name of its guard."""
    for expr in rule_exprs(rule):
        name = _builtin(program, module, expr)
        if name and name not in _NEVER_FAIL:
            number = guards.setdefault(name, len(guards))
            yield expr.parts[0].start, expr.parts[0].end, f"data.{_GUARD}.call_{number}"


def _builtin(program: Program, module: Module, expr: Expr) -> str:
    if expr.form != "call":
        return ""
    kind, path = program.callee(module, expr.parts[0])
    name = ".".join(path)
    return name if kind == "builtin" and name in BUILTINS else ""


def _guarded(program: Program, module: Module, guards: dict[str, int]) -> str:
    edits = [edit for rule in module.rules for edit in _edits(program, module, rule, guards)]
    return _edited(module, 0, len(module.encoded), edits)


def _edited(module: Module, start: int, end: int, edits: Sequence[tuple[int, int, str]]) -> str:
    found, at = [], start
    for left, right, text in sorted(set(edits)):
        found += [module.encoded[at:left], text.encode()]
        at = right
    return b"".join((*found, module.encoded[at:end])).decode()


def _guard_module(guards: Mapping[str, int]) -> str:
    lines = [f"package {_GUARD}", ""]
    for name, number in guards.items():
        args = ", ".join(f"a{index}" for index in range(BUILTINS[name][0]))
        call = f"{name}({args})"
        lines += [
            f"call_{number}({args}) := x if x := {call}",
            f"call_{number}({args}) := input.{UNKNOWN}.failed if not works_{number}({args})",
            f"works_{number}({args}) if [{call}]",
        ]
    return "\n".join(lines) + "\n"


def _dispatch(calls: Sequence[str]) -> str:
    """``ask(slot, probe, resource, probe, resource, …)``: alternatives of one request, told apart by the slot."""
    lines = ["package plangate.probe", "", f"asked({CANARY}, _)"]
    lines[-1] += " := true if true"
    lines += [f"asked({number}, resource) if {call}(resource)" for number, call in enumerate(calls)]
    for slot in range(SLOTS):
        args = ", ".join("probe, resource" if index == slot else "_, _" for index in range(SLOTS))
        lines.append(f"ask({slot}, {args}) if asked(probe, resource)")
    return "\n".join(lines) + "\n"


def _is_safe(program: Program, definitions: Sequence[Definition]) -> bool:
    """Nothing that these lead to can break in a way that a guard does not see.

    Arithmetic fails on texts; a function with two values at a time is an error. The library has neither.
    """
    left, seen = list(definitions), set[int]()
    while left:
        definition = left.pop()
        if id(definition) in seen or definition.module.package == _LIBRARY:
            continue
        seen.add(id(definition))
        module, rule = definition.module, definition.rule
        if rule.args and not _has_one_value(program, definition):
            return False
        for expr in rule_exprs(rule):
            if expr.form == "operator" and expr.value in _CAN_FAIL:
                return False
            left += _leads_to(program, module, expr)
            name = _builtin(program, module, expr)
            if name and name not in _NEVER_FAIL and len(expr.parts) - 1 != BUILTINS[name][0]:
                return False
        if any(statement.mods for statement in rule_statements(rule)):
            return False
    return True


def _leads_to(program: Program, module: Module, expr: Expr) -> tuple[Definition, ...]:
    head = expr.parts[0] if expr.form == "ref" else expr
    if head.form != "var":
        return ()
    path = program.global_path(module, head.value)
    if path is None or path[0] != "data":
        return ()
    keys: list[str] = []
    for step in expr.parts[1:] if expr.form == "ref" else ():
        if step.form != "scalar" or not isinstance(step.value, str):
            break
        keys.append(step.value)
    full: Path = (*path[1:], *keys)
    found = program.target(full)
    if found.kind == "package":
        return tuple(d for path, ds in program.rules.items() if path[: len(full)] == full for d in ds)
    return found.definitions


def _has_one_value(program: Program, definition: Definition) -> bool:
    """A function whose definitions all give one constant, or that has one body in which nothing is searched."""
    rule = definition.rule
    name = rule.ref.value if rule.ref.form == "var" else None
    everyone = program.rules.get((*definition.module.package, str(name)), [])
    values = [body.value or each.rule.value for each in everyone for body in each.rule.bodies] + [
        each.rule.value for each in everyone if not each.rule.bodies
    ]
    if all(value is None for value in values):
        return True
    constants = {json.dumps(value.value, default=str) for value in values if value and value.form == "scalar"}
    if len(constants) == 1 and all(value is not None and value.form == "scalar" for value in values):
        return True
    return len(values) == 1 and not _searches(rule)


def _searches(rule: Rule) -> bool:
    """A line may hold in several ways: it declares names, or a key is a name that nothing gave a value before."""
    given = {part.value for arg in rule.args for part in children(arg) if part.form == "var"}
    for body in rule.bodies:
        for statement in body.query:
            if statement.form not in {"expr", "not"}:
                return True
            expr = statement.parts[0]
            if expr.form == "assign" and expr.parts[0].form == "var":
                given.add(expr.parts[0].value)
    return any(
        step.form != "scalar" and not (step.form == "var" and step.value in given)
        for expr in rule_exprs(rule)
        if expr.form == "ref"
        for step in expr.parts[1:]
    )
