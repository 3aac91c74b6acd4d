"""Why a Rego rule has a finding about one resource of a plan, or why not: every line of it, with what it met there."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from plangate.authoring.evaluation import Query, TimeLimits, evaluate
from plangate.authoring.instrument import with_texts
from plangate.authoring.masking import Masking, Redact
from plangate.authoring.probe import Probe, Prober
from plangate.authoring.suite import parse_texts, reference
from plangate.authoring.trace import Trace, Value, Way, read_trace
from plangate.authoring.trace_text import is_resource, show_value, title, whole
from plangate.errors import EngineError
from plangate.model.values import pointer_tokens
from plangate.policy.base import PolicySet
from plangate.policy.program import Program
from plangate.policy.scopes import declared_names
from plangate.policy.subject import subject_of

MOST_DEPTH = 5
"""Calls that can be followed from a line; each one more makes the probes several times larger."""

_ADDED: Final = re.compile(r"^(?P<file>[^:]+):[0-9]+:[0-9]+: ")


class Explained(Struct, frozen=True, kw_only=True, eq=False):
    """One definition of ``deny`` or ``undetermined``.

    Attributes:
        name: Which of the two.
        trace: What its lines met.
        about: The variable that is the resource; empty when findings of this definition are not tied to one variable,
            and then all ways are shown, whichever resource they are about.
    """

    name: str
    trace: Trace
    about: str


def explain_rule(
    policies: PolicySet,
    rule: str,
    address: str,
    document: bytes,
    *,
    depth: int = 1,
    limits: TimeLimits | None = None,
) -> tuple[Explained, ...]:
    """Every definition of a rule's ``deny``, then of its ``undetermined``, in the order of the file.

    Args:
        policies: The rule's policy set.
        rule: Its id.
        address: What to explain; empty for the plan as a whole.
        document: The normalized plan as JSON, in clear: what comes back holds its secrets until it is shown.
        depth: How many calls to follow from a line that does not hold.
        limits: How long it may take.

    Raises:
        EngineError: The rule fails on this plan, or takes too long.
    """
    program = Program(parse_texts(policies.modules), policies.data)
    package = tuple(policies.packages[rule].split("."))
    prober = Prober(program=program)
    asked: list[tuple[str, str, Probe]] = []
    for name in ("deny", "undetermined"):
        for definition in program.rules.get((*package, name), ()):
            about = subject_of(program, definition.module, definition.rule) if address else ""
            only = [(frozenset({about}), f"{about}.address == {json.dumps(address)}")] if about else []
            asked += [(name, about, probe) for probe in prober.definition(definition, depth, only)]
    texts = {
        file: "\n".join((text, *prober.texts[file], ""))
        for file, text in policies.modules
        if file in prober.texts
    }
    queries = [Query(name=f"the lines of {rule}", text=reference(probe.path)) for _, _, probe in asked]
    ran = evaluate(
        with_texts(policies.modules, texts),
        policies.data,
        queries,
        limits or TimeLimits(each_s=30.0),
        document=document,
    )
    for answer in ran.answers:
        if answer.error or answer.undefined:
            # The line is one of those that were added, which nobody has written.
            why = _ADDED.sub(lambda found: f"{found['file']}: ", answer.error) or "it is undefined"
            raise EngineError(f"rule {rule} cannot be explained: {why}")
    return tuple(
        Explained(name=name, trace=read_trace(probe, answer.value), about=about)
        for (name, about, probe), answer in zip(asked, ran.answers, strict=True)
    )


def explanation_lines(explained: Sequence[Explained], address: str, redact: Redact) -> Iterator[str]:
    """For people. Nothing sensitive is in it.

    Args:
        explained: What `explain_rule` found.
        address: The resource.
        redact: Replaces secrets in values.
    """
    masking = Masking(redact)
    for each in explained:
        trace = masking.trace(each.trace)
        verdict = "holds" if trace.ways else "does not hold"
        if trace.ways and not each.about and address:
            verdict = "holds for something in this plan"
        yield ""
        yield f"{title(trace)} {verdict}"
        yield from (f"  {line}" for line in whole(trace, show_value, _unknown))
        stopped = trace.stopped
        if stopped is not None:
            if each.about and each.about in set(declared_names((stopped.line,))):
                yield f"       {address} is not among them"
        elif trace.ways:
            for way in trace.given[:1]:
                yield from (
                    f"       finding: {show_value(found)}"
                    for value in way.values
                    for found in value.values[:1]
                )
                if not way.values:
                    yield "       finding: as above"


def _unknown(way: Way, value: Value) -> str:
    """Says of a value that is not there, or is ``"unknown"``, that it is known only after apply."""
    if list(value.values) == ["unknown"]:
        return "  (known only after apply)"
    if value.values:
        return ""
    head, *steps = value.source.replace("[", ".").replace("]", "").replace('"', "").split(".")
    resource = way.variables.get(head)
    if resource is None or not is_resource(resource) or steps[:1] != ["after"]:
        return ""
    return "  (known only after apply)" if _touches(resource, steps[1:]) else ""


def _touches(resource: Mapping[str, object], path: Sequence[str]) -> bool:
    pointers = resource.get("unknown")
    for pointer in pointers if isinstance(pointers, list) else ():
        tokens = list(pointer_tokens(pointer))
        if tokens[: len(path)] == list(path) or tokens == list(path[: len(tokens)]):
            return True
    return False
