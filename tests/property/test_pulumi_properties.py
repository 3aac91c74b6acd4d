"""Theorems about reading Pulumi."""

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import PlanParseError
from plangate.facts.registry import ADAPTER_ERROR, plan_with_facts
from plangate.model.plan import Plan
from plangate.model.values import UNKNOWN, pointer_tokens
from tests.pulumi_documents import (
    SECRET,
    SIGNATURE,
    UNKNOWN_TEXT,
    a_creation,
    a_preview,
    a_state,
    a_step,
    read_events,
    read_preview,
    urn,
)
from tests.tools import ROOT

SHOPS: Final = {
    name: json.loads((ROOT / "fixtures" / "pulumi" / name / "preview.json").read_text(encoding="utf-8"))
    for name in ("open", "closed")
}
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10), st.text(max_size=5),
    st.sampled_from([UNKNOWN_TEXT, "[secret]", "output<string>", urn("a"), "create", "same", "replace"]),
)  # fmt: skip
KEYS = st.sampled_from(
    ["op", "urn", "type", "newState", "oldState", "inputs", "outputs", "id", "custom", "provider", "config",
     "plaintext", "propertyDependencies", "dependencies", SIGNATURE, "steps", "changeSummary", "diagnostics", "a"]
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
STATES = st.fixed_dictionaries(
    {"urn": st.sampled_from([urn("a"), urn("b"), urn("c", "aws:s3/bucket:Bucket")])},
    optional={"inputs": JSON, "outputs": JSON, "id": LEAVES, "custom": LEAVES, "propertyDependencies": JSON},
)
STEPS = st.fixed_dictionaries(
    {
        "op": st.sampled_from(
            [
                "same",
                "create",
                "update",
                "delete",
                "replace",
                "create-replacement",
                "delete-replaced",
                "import",
                "read",
                "refresh",
            ]
        ),
        "urn": st.sampled_from([urn("a"), urn("b"), urn("c", "aws:s3/bucket:Bucket")]),
    },
    optional={"newState": STATES, "oldState": STATES},
)


def facts(plan: Plan) -> dict[str, dict[str, Any]]:
    return {r.address: dict(r.facts) for r in plan_with_facts(plan).resources}


@given(JSON)
def test_any_json_is_a_plan_or_is_refused(value: Any) -> None:
    for document in (value, {"steps": value, "changeSummary": {}}, {"steps": [value]}):
        try:
            found = facts(read_preview(document))
        except PlanParseError:
            continue
        assert not any(ADAPTER_ERROR in each for each in found.values())


@given(st.lists(STEPS, max_size=4))
def test_any_steps_are_a_plan_without_a_failing_adapter_or_are_refused(steps: list[Any]) -> None:
    try:
        plan = read_preview({"steps": steps, "changeSummary": {}})
    except PlanParseError:
        return
    assert not any(ADAPTER_ERROR in each for each in facts(plan).values())
    # Nothing is lost: every resource that a step names has an entry.
    named = {step["urn"].split("::", 2)[2] for step in steps}
    assert named >= {r.address for r in plan.resources}


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["timestamp", "resourcePreEvent", "summaryEvent", "x"]), JSON, max_size=3
        )
    )
)
def test_any_lines_are_a_plan_or_are_refused(events: list[Any]) -> None:
    try:
        plan = read_events([{"timestamp": 0, "preludeEvent": {}}, *events])
    except PlanParseError:
        return
    assert plan.complete is any("summaryEvent" in event for event in events)


@given(st.permutations(range(18)))
def test_the_order_of_steps_changes_no_fact(order: list[int]) -> None:
    shop = SHOPS["open"]
    shuffled = {**shop, "steps": [shop["steps"][index] for index in order]}
    assert facts(read_preview(shuffled)) == facts(read_preview(shop))


def leaves_of(document: dict[str, Any]) -> Iterator[tuple[str | int, ...]]:
    pending: list[tuple[tuple[str | int, ...], Any]] = [
        (("steps", index, "newState", "inputs"), step["newState"]["inputs"])
        for index, step in enumerate(document["steps"])
    ]
    while pending:
        way, value = pending.pop()
        if isinstance(value, dict):
            pending += [((*way, key), below) for key, below in value.items() if key != "__defaults"]
        elif isinstance(value, list):
            pending += [((*way, index), below) for index, below in enumerate(value)]
        elif value != UNKNOWN_TEXT:
            yield way


@pytest.mark.parametrize("name", sorted(SHOPS))
@pytest.mark.parametrize("word", [UNKNOWN_TEXT, "[secret]"])
def test_knowing_less_never_turns_a_fact_into_another(name: str, word: str) -> None:
    before = facts(read_preview(SHOPS[name]))
    for way in leaves_of(SHOPS[name]):
        document = copy.deepcopy(SHOPS[name])
        place = document
        for step in way[:-1]:
            place = place[step]
        place[way[-1]] = word
        for address, found in facts(read_preview(document)).items():
            for fact, value in found.items():
                was = before[address][fact]
                if isinstance(was, bool) and fact != "tags_complete":
                    assert value is was or value is UNKNOWN, (way, address, fact)


@given(st.text(min_size=8, max_size=20), st.sampled_from(["password", "anything"]))
def test_a_secret_is_always_remembered_and_marked(text: str, name: str) -> None:
    value = {SIGNATURE: SECRET, "plaintext": json.dumps(text)}
    plan = read_preview(a_preview(a_creation("d", {name: value})))
    assert text in plan.secrets
    assert plan.resources[0].sensitive == (f"/{name}",)


@given(JSON)
def test_unknown_pointers_point_at_the_unknown_values(value: Any) -> None:
    try:
        (resource,) = read_preview(a_preview(a_step("create", None, a_state("a", {"p": value})))).resources
    except PlanParseError:
        return
    for at in resource.unknown:
        found: Any = resource.planned
        for token in pointer_tokens(at):
            found = found[int(token)] if isinstance(found, list) else found[token]
        assert found is UNKNOWN
