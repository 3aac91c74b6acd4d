"""Where a shipped policy and a built-in rule are about the same thing, they agree on every plan."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plangate.model.plan import Action, Plan, Resource
from plangate.model.values import UNKNOWN
from plangate.policy.base import PolicySet
from plangate.policy.embedded import EmbeddedEngine
from plangate.policy.load import load, shipped_policies, without
from plangate.policy.outcomes import PlanView, judge
from plangate.policy.rule_settings import with_settings
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.unit.policy.builders import a_plan, document
from tests.unit.policy.builders import a_resource as plain_resource

LIMIT: Final = 3
ACCEPTED: Final = {"env": ["prod", "test"], "team": ["a"]}
CHOSEN: Final[Mapping[str, Mapping[str, Any]]] = {
    "change-size": {"max_changes": LIMIT, "actions": ["update", "replace", "delete"]},
    "deletion-limit": {"max_deletes": LIMIT},
    "tag-values": {"tags": ACCEPTED},
}
NO_LIMIT: Final = {"max_deletes": 10**6, "max_changes": 10**6, "max_percent": 100, "percent_from": 10**6}

Judges = tuple[PolicySet, EmbeddedEngine]


@pytest.fixture(scope="module")
def judges() -> Iterator[Judges]:
    """One engine for all examples, with only the policies that are compared."""
    policies = load([shipped_policies()])
    policies = without(policies, frozenset(policies.packages) - CHOSEN.keys())
    policies = with_settings(policies, CHOSEN, "test")
    with EmbeddedEngine(policies) as engine:
        yield policies, engine


def by_policy(judges: Judges, rule: str, plan: Plan) -> dict[str, str]:
    policies, engine = judges
    found = judge(policies, engine.evaluate(policies, document(plan), 20.0), PlanView(plan)).outcomes
    return {outcome.address: outcome.status.value for outcome in found if outcome.rule == rule}


def by_rule(rule: str, chosen: Mapping[str, Any], plan: Plan) -> dict[str, str]:
    found, _ = evaluate(plan, {rule: RULES[rule]}, {rule: chosen})
    return {outcome.address: outcome.status.value for outcome in found}


def an_entry(number: int, action: Action, mode: str, deposed: str) -> Resource:
    return plain_resource(
        f"aws_sqs_queue.q{number}", action=action, mode=mode, deposed=deposed, kind="",
        before=None if action is Action.CREATE else {}, facts={},
    )  # fmt: skip


def plans(actions: list[Action]) -> st.SearchStrategy[Plan]:
    entries = st.tuples(
        st.sampled_from(actions),
        st.sampled_from(["managed", "managed", "data"]),
        st.sampled_from(["", "", "00ff"]),
    )
    return st.lists(entries, max_size=2 * LIMIT + 2).map(
        lambda found: a_plan(*(an_entry(number, *entry) for number, entry in enumerate(found)))
    )


examples = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@examples
@given(plan=plans(list(Action)))
def test_the_size_of_a_change_is_that_of_its_blast_radius(judges: Judges, plan: Plan) -> None:
    expected = by_rule("blast-radius", {**NO_LIMIT, "max_changes": LIMIT}, plan)
    assert by_policy(judges, "change-size", plan) == expected


@examples
@given(plan=plans([action for action in Action if action is not Action.REPLACE]))
def test_without_replacements_deletions_are_what_the_blast_radius_counts(judges: Judges, plan: Plan) -> None:
    expected = by_rule("blast-radius", {**NO_LIMIT, "max_deletes": LIMIT}, plan)
    assert by_policy(judges, "deletion-limit", plan) == expected


values = st.sampled_from(["prod", "test", "a", "Prod", "b", UNKNOWN])
tags = st.one_of(
    st.sampled_from([None, UNKNOWN]),
    st.builds(
        lambda env, team, more: {"env": env, "team": team, **more},
        values,
        values,
        st.dictionaries(st.sampled_from(["owner", "cost"]), values),
    ),
)


@examples
@given(found=st.lists(st.tuples(tags, st.booleans()), min_size=1, max_size=3))
def test_what_has_every_tag_is_judged_by_their_values_alike(
    judges: Judges, found: list[tuple[Any, bool]]
) -> None:
    plan = a_plan(*(
        plain_resource(f"aws_sqs_queue.q{number}", kind="", facts={"tags": each, "tags_complete": complete})
        for number, (each, complete) in enumerate(found)
    ))  # fmt: skip
    expected = by_rule("required-tags", {"tags": ACCEPTED}, plan)
    # What cannot have tags is no case for the one, and passes the other.
    expected = {address: status.replace("not_applicable", "pass") for address, status in expected.items()}
    assert by_policy(judges, "tag-values", plan) == expected
