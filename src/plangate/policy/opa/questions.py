"""Policies rewritten so that OPA can be asked whether a rule can deny one resource. See docs/adr/0023-partial.md.

Every definition of ``deny`` whose finding is about one resource becomes a function of that resource, a *probe*, behind
the rule in its file. These modules never judge a plan; they only say what no value of an unknown can change.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Final

from msgspec.structs import replace

from plangate.policy.base import PolicySet
from plangate.policy.files import PolicyFile
from plangate.policy.opa.revision import Revision, revision_of
from plangate.policy.parse import parse_modules
from plangate.policy.program import Definition, Program
from plangate.policy.subject import subject_of
from plangate.policy.syntax import Expr, Statement

SLOTS: Final = 32
"""Questions of one request."""
CANARY: Final = -1
"""A probe that always holds: an answer without it is no answer."""
UNKNOWN: Final = "plangate_unknown"
"""Field of ``input`` that is unknown. No plan has it."""

_PROBE: Final = "plangate_probe"
_SUBJECT: Final = "plangate_subject"


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
    probes: dict[str, tuple[int, ...]] = {}
    calls: list[str] = []
    added: dict[str, list[str]] = {}
    for rule in policies.rules:
        package = tuple(policies.packages[rule.id].split("."))
        definitions = program.rules.get((*package, "deny"), [])
        if rule.id in policies.handles_unknowns:
            continue
        mine: list[int] = []
        for definition in definitions:
            subject = subject_of(program, definition.module, definition.rule)
            if subject:
                mine.append(len(calls))
                added.setdefault(definition.module.file, []).append(_probe(definition, subject, len(calls)))
                calls.append(f"data.{policies.packages[rule.id]}.{_PROBE}_{len(calls)}")
        probes[rule.id] = tuple(mine)
    texts = [(module.file, "\n".join((module.text, *added.get(module.file, ())))) for module in modules]
    texts.append(("plangate/probe.rego", _dispatch(calls)))
    digest = hashlib.sha256(json.dumps([policies.sha256, "questions"]).encode()).hexdigest()
    asked = replace(policies, modules=tuple(texts), rules=(), sha256=digest)
    return Questions(revision=revision_of(asked), probes=probes)


def _probe(definition: Definition, subject: str, number: int) -> str:
    """One definition of ``deny`` as a function of its subject; the line that found the subject looks it up."""
    text, rule = definition.module.encoded, definition.rule
    lines = []
    for statement in rule.bodies[0].query:
        line = text[statement.start : statement.end]
        if (name := _binder(statement, subject)) is not None:
            line = text[statement.start : name.start] + _SUBJECT.encode() + text[name.end : statement.end]
        lines.append(line.decode())
    lines.append(f"{_SUBJECT}.address == {subject}.address")
    value = text[rule.value.start : rule.value.end].decode() if rule.value is not None else "true"
    body = "".join(f"\t{line}\n" for line in lines)
    return f"{_PROBE}_{number}({subject}) := [{value}] if {{\n{body}}}\n"


def _binder(statement: Statement, subject: str) -> Expr | None:
    """Where a line binds the subject."""
    if statement.form == "some-in":
        names = statement.parts[:-1]
    elif statement.form == "expr" and statement.parts[0].form == "assign":
        names = statement.parts[0].parts[:1]
    else:
        names = ()
    return next((name for name in names if name.form == "var" and name.value == subject), None)


def _dispatch(calls: Sequence[str]) -> str:
    """``ask(slot, probe, resource, probe, resource, …)``: alternatives of one request, told apart by the slot."""
    lines = ["package plangate.probe", "", f"asked({CANARY}, _) := true"]
    lines += [f"asked({number}, resource) if {call}(resource)" for number, call in enumerate(calls)]
    for slot in range(SLOTS):
        args = ", ".join("probe, resource" if index == slot else "_, _" for index in range(SLOTS))
        lines.append(f"ask({slot}, {args}) if asked(probe, resource)")
    return "\n".join(lines) + "\n"
