"""Policies rewritten so that OPA can be asked whether a rule can deny one resource. See docs/adr/0023-partial.md.

Every definition of ``deny`` whose finding is about one resource becomes a function of that resource, a *probe*, behind
the rule in its file. These modules never judge a plan; they only say what no value of an unknown can change.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path as File
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from plangate.policy.base import PolicySet
from plangate.policy.files import PolicyFile
from plangate.policy.opa.revision import Revision, revision_of
from plangate.policy.parse import parse_modules
from plangate.policy.program import Definition, Path, Program
from plangate.policy.subject import subject_of
from plangate.policy.syntax import Expr, Statement, children, rule_exprs, statement_exprs

SLOTS: Final = 32
"""Questions of one request."""
CANARY: Final = -1
"""A probe that always holds: an answer without it is no answer."""
UNKNOWN: Final = "plangate_unknown"
"""Field of ``input`` that is unknown. No plan has it."""

ASKED: Final = "plangate_asked"
"""Field of ``input``: an object whose keys are the addresses that are asked about."""

_PROBE: Final = "plangate_probe"
_MEMBERS: Final = "plangate_members"
_SUBJECT: Final = "plangate_subject"


class Probe(Struct, frozen=True, kw_only=True):
    """One definition of ``deny``, as a function of its subject.

    Attributes:
        number: Its name among all of them.
        reads_input: It looks at more of the plan than its subject.
    """

    number: int
    reads_input: bool


class Questions(Struct, frozen=True, kw_only=True):
    """What a policy set can be asked.

    Attributes:
        revision: The modules, under a name of their own.
        probes: Rule id to its probes; a rule that cannot be asked about is missing.
    """

    revision: Revision
    probes: Mapping[str, tuple[Probe, ...]]


def questions_of(policies: PolicySet) -> Questions:
    """The questions that a set of checked policies allows."""
    files = [PolicyFile(name=name, text=text, source="", path=File(name)) for name, text in policies.modules]
    modules = parse_modules(files)
    program = Program(modules, policies.data)
    probes: dict[str, tuple[Probe, ...]] = {}
    packages: list[str] = []
    added: dict[str, list[str]] = {module.file: [module.text] for module in modules}
    for rule in policies.rules:
        package = policies.packages[rule.id]
        definitions = program.rules.get((*package.split("."), "deny"), [])
        subjects = [subject_of(program, each.module, each.rule) for each in definitions]
        about = [(d, name) for d, name in zip(definitions, subjects, strict=True) if name]
        binders = [_binder(program, definition, name) for definition, name in about]
        if rule.id in policies.handles_unknowns or None in binders:
            continue
        mine: list[Probe] = []
        for (definition, name), binder in zip(about, binders, strict=True):
            if binder is None:
                continue
            number = len(packages)
            packages.append(package)
            mine.append(Probe(number=number, reads_input=_reads_input(program, definition, binder)))
            added[definition.module.file].append(_probe(definition, name, binder, number))
        probes[rule.id] = tuple(mine)
    texts = [(file, "\n".join(parts)) for file, parts in added.items()]
    texts.append(("plangate/probe.rego", _dispatch(packages)))
    digest = hashlib.sha256(json.dumps([policies.sha256, "questions"]).encode()).hexdigest()
    asked = replace(policies, modules=tuple(texts), rules=(), sha256=digest)
    return Questions(revision=revision_of(asked), probes=probes)


def _probe(definition: Definition, subject: str, binder: Statement, number: int) -> str:
    """A function of the subject without the line that finds it, and that line as a rule: which subjects there are."""
    text, rule = definition.module.encoded, definition.rule
    name = _bound(binder, subject)
    lines = [
        text[statement.start : statement.end].decode()
        for statement in rule.bodies[0].query
        if statement is not binder
    ]
    value = text[rule.value.start : rule.value.end].decode() if rule.value is not None else "true"
    body = "".join(f"\t{line}\n" for line in lines or ["true"])
    found = (text[binder.start : name.start] + _SUBJECT.encode() + text[name.end : binder.end]).decode()
    return (
        f"{_PROBE}_{number}({subject}) := [{value}] if {{\n{body}}}\n"
        f"{_MEMBERS}_{number} contains {_SUBJECT}.address if {{\n"
        f"\t{found}\n\tinput.{ASKED}[{_SUBJECT}.address]\n}}\n"
    )


def _bound(statement: Statement, subject: str) -> Expr:
    """Where a line that binds the subject has its name."""
    names = statement.parts[:-1] if statement.form == "some-in" else statement.parts[0].parts[:1]
    return next(name for name in names if name.form == "var" and name.value == subject)


def _binder(program: Program, definition: Definition, subject: str) -> Statement | None:
    """The line that binds the subject, if it stands alone: it takes no value from another line and gives no other."""
    for statement in definition.rule.bodies[0].query:
        if statement.form == "some-in" and len(statement.parts) == 2:  # noqa: PLR2004 - name and source
            name, source = statement.parts
        elif statement.form == "expr" and statement.parts[0].form == "assign":
            name, source = statement.parts[0].parts
        else:
            continue
        if name.form == "var" and name.value == subject:
            alone = all(
                part.value == "_" or program.global_path(definition.module, part.value) is not None
                for part in children(source)
                if part.form == "var"
            )
            return statement if alone else None
    return None


def _reads_input(program: Program, definition: Definition, binder: Statement) -> bool:
    """What is left of a definition without that line can look at ``input``, itself or through others."""
    lines = [line for line in definition.rule.bodies[0].query if line is not binder]
    value = definition.rule.value
    found = [expr for line in lines for expr in statement_exprs(line)]
    found += children(value) if value is not None else ()
    left = [(definition, found)]
    seen = set[int]()
    while left:
        here, exprs = left.pop()
        heads = {id(expr.parts[0]) for expr in exprs if expr.form == "ref"}
        for expr in exprs:
            path = _global(program, here, expr) if id(expr) not in heads else ()
            if not path:
                continue
            target = program.target(path[1:])
            if path[0] == "input" or target.kind == "package":
                return True
            for other in target.definitions:
                if id(other) not in seen:
                    seen.add(id(other))
                    left.append((other, list(rule_exprs(other.rule))))
    return False


def _global(program: Program, definition: Definition, expr: Expr) -> Path:
    """What a name or reference stands for, as far as its keys are spelt out; empty for a local name."""
    head = expr.parts[0] if expr.form == "ref" else expr
    path = program.global_path(definition.module, head.value) if head.form == "var" else None
    if path is None:
        return ()
    keys: list[str] = []
    for step in expr.parts[1:] if expr.form == "ref" else ():
        if step.form != "scalar" or not isinstance(step.value, str):
            break
        keys.append(step.value)
    return (*path, *keys)


def _dispatch(packages: Sequence[str]) -> str:
    """``ask(slot, probe, resource, probe, resource, …)``: alternatives of one request, told apart by the slot."""
    lines = ["package plangate.probe", "", f"asked({CANARY}, _) := true"]
    lines.append(f'members["{CANARY}"] := [address | input.{ASKED}[address]]')
    for number, package in enumerate(packages):
        lines.append(f"asked({number}, resource) if data.{package}.{_PROBE}_{number}(resource)")
        lines.append(f'members["{number}"] := data.{package}.{_MEMBERS}_{number}')
    for slot in range(SLOTS):
        args = ", ".join("probe, resource" if index == slot else "_, _" for index in range(SLOTS))
        lines.append(f"ask({slot}, {args}) if asked(probe, resource)")
    return "\n".join(lines) + "\n"
