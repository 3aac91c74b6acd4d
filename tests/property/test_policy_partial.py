"""What OPA's partial evaluation calls a pass is one, whatever the unknown values turn out to be."""

import itertools
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from plangate.errors import EngineError, PolicyLoadError
from plangate.model.plan import Plan, Resource
from plangate.model.values import UNKNOWN, pointer
from plangate.policy.load import load
from plangate.policy.opa.engine import OpaEngine, PrivateServer
from plangate.policy.outcomes import PlanView, doubts
from tests.property.test_policy_reads import BINDINGS, HELPERS, KINDS, conditions, paths_of, replaced, trees
from tests.tools import require_tool
from tests.unit.policy.builders import a_plan, a_policy, a_resource, document, write

pytest.importorskip("opa_client")
pytestmark = pytest.mark.opa

FILLINGS = (..., 1, 2, "a", None, True, {"b": 1}, [1])


@st.composite
def policies_of_many_lines(draw: st.DrawFn) -> str:
    """A policy whose one body has several conditions, so that some can decide what others do not know."""
    guards = [
        'not "/a" in r.unknown',
        'not lib.is_unknown(r, "/b")',
        "count(r.unknown) == 0",
        "r.unknown == []",
    ]
    lines = draw(st.lists(st.one_of(conditions, conditions, st.sampled_from(guards)), min_size=2, max_size=3))
    names = {name for line in lines for name in re.findall(r"\b[a-z]+\b", line)}
    body = ["some r in lib.of_kind(`compute.instance`)"]
    if "s" in names or names & {"v", "w"}:
        body.append("some s in input.resources")
    if "k" in names:
        body.append("some k in [`a`, `b`]")
    bound = [name for name in "vw" if name in names or (name == "v" and "w" in names)]
    body += [f"{name} := {draw(st.sampled_from(BINDINGS[name]))}" for name in bound]
    text = "\n\t".join((*body, *lines))
    return a_policy(f'deny contains lib.finding(r, "x") if {{\n\t{text}\n}}\n' + HELPERS)


@st.composite
def plans(draw: st.DrawFn) -> tuple[Plan, list[tuple[str, ...]], bool]:
    """A plan of three resources, the first with one or two unknown attributes, or an unknown fact; and which."""
    made: list[Resource] = []
    for index in range(3):
        after = draw(st.fixed_dictionaries({"a": trees, "b": trees}, optional={"c": trees}))
        kind = KINDS[0] if index == 0 else draw(st.sampled_from(KINDS))
        made.append(a_resource(f"x.r{index}", kind=kind, after=json.loads(json.dumps(after))))
    fact = draw(st.booleans())
    places = st.sampled_from(paths_of(made[0].after))
    unknown = draw(st.lists(places, min_size=not fact, max_size=2, unique=True))
    unknown = [
        path
        for path in unknown
        if not any(other != path and path[: len(other)] == other for other in unknown)
    ]
    first: Any = made[0].after
    for path in unknown:
        first = replaced(first, path, ...)
    facts = {**made[0].facts, "public_ip": UNKNOWN} if fact else made[0].facts
    made[0] = replace(
        made[0], after=first, planned=first, facts=facts, unknown=tuple(pointer(*path) for path in unknown)
    )
    return a_plan(*made), unknown, fact


def filled(plan: Plan, unknown: list[tuple[str, ...]], *, fact: bool) -> Iterator[Plan]:
    """The plan with every choice of values for what is unknown."""
    first, *others = plan.resources
    values = FILLINGS if len(unknown) < 2 else FILLINGS[:5]
    for chosen in itertools.product(*[values] * len(unknown), (True, False) if fact else (None,)):
        after: Any = first.after
        for path, value in zip(unknown, chosen, strict=False):
            after = replaced(after, path, value)
        facts = {**first.facts, "public_ip": chosen[-1]} if fact else first.facts
        yield a_plan(replace(first, after=after, planned=after, facts=facts, unknown=()), *others)


@given(text=policies_of_many_lines(), drawn=plans())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_pass_in_spite_of_unknown_values_is_one_for_every_value(
    text: str, drawn: tuple[Plan, list[tuple[str, ...]], bool]
) -> None:
    plan, unknown, fact = drawn
    with tempfile.TemporaryDirectory() as folder:
        try:
            policies = load([write(Path(folder), {"policy.rego": text})], engine="opa")
        except PolicyLoadError:
            reject()
    with OpaEngine(PrivateServer(binary=str(require_tool("opa"))), policies) as engine:
        try:
            (answer,) = engine.evaluate(policies, document(plan), 60)
        except EngineError:
            reject()  # a type error that only OPA finds
        found = engine.settle(policies, doubts(policies, (answer,), PlanView(plan)), document(plan), 60)
        if () not in (paths for doubt, paths in found.items() if doubt.position == 0):
            return
        for other in filled(plan, unknown, fact=fact):
            (answer,) = engine.evaluate(policies, document(other), 60)
            # A rule that breaks on a value of a type that it does not expect denies nothing: see the record.
            assert plan.resources[0].address not in {finding.address for finding in answer.deny}
