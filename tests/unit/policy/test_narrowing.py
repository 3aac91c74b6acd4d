"""Rules that are not asked would have been silent: the answers are those of asking all."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plangate.model.plan import Action, Plan, Resource
from plangate.policy.base import PolicySet, Present
from plangate.policy.embedded import EngineLimits
from plangate.policy.inline import InlineEngine
from plangate.policy.load import load, shipped_policies
from plangate.policy.narrowing import needs_of
from tests.unit.policy.builders import a_plan, a_policy, a_resource, document, load_policy, write

KINDS = ("compute.instance", "database.instance", "kubernetes.workload", "")
TYPES = ("aws_instance", "aws_vpc", "aws_s3_bucket", "azurerm_mssql_server", "google_sql_database_instance")

NARROW = {
    "kind": 'some r in lib.of_kind("database.instance")\n\tr.action == "create"',
    "type": 'some r in lib.of_type("aws_vpc")\n\tr.after.x == 1',
    "gone": 'some r in lib.all_of_kind("crypto.key")',
    "breaks_later": 'some r in lib.of_kind("log.group")\n\tto_number("x") == 1',
    "breaks_apart": 'some r in lib.of_kind("log.group")\n\tbroken := to_number(trim_space(" x "))\n\tbroken == 1',
}
"""Bodies of rules that are asked only where there is what they begin with."""
WIDE = {
    "counts": 'count(lib.of_kind("database.instance")) == 0\n\tr := {"address": ""}',
    "all": 'some r in input.resources\n\tr.kind == "database.instance"',
    "later": 'count(input.resources) == 0\n\tsome r in lib.of_kind("database.instance")',
    "breaks_first": 'to_number(trim_space(input.source.tool)) == 1\n\tsome r in lib.of_kind("log.group")',
    "chosen": 'some kind in ["database.instance"]\n\tsome r in lib.of_kind(kind)',
}
"""Bodies of rules that are always asked."""


@pytest.fixture(autouse=True)
def _keep_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit on memory is for a process that nobody else is in."""
    monkeypatch.setattr("plangate.policy.worker.limit_memory", lambda _: None)


def deny(body: str) -> str:
    return f'\ndeny contains lib.finding(r, "bad") if {{\n\t{body}\n}}\n'


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> PolicySet:
    own = write(
        tmp_path_factory.mktemp("own"),
        {f"{name}.rego": a_policy(deny(body), slug=f"own_{name}") for name, body in (NARROW | WIDE).items()},
    )
    return load([shipped_policies(), own])


def resources() -> st.SearchStrategy[Resource]:
    return st.builds(
        lambda number, type_, kind, action, public: a_resource(
            f"{type_}.r{number}",
            type=type_,
            kind=kind,
            action=action,
            before={} if action is Action.DELETE else None,
            after=None if action is Action.DELETE else {"x": 1},
            facts={"public_ip": public},
        ),
        st.integers(0, 3),
        st.sampled_from(TYPES),
        st.sampled_from(KINDS),
        st.sampled_from([Action.CREATE, Action.DELETE]),
        st.booleans(),
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(resources(), max_size=4))
def test_the_answers_are_those_of_asking_every_rule(policies: PolicySet, found: list[Resource]) -> None:
    engine = InlineEngine(policies, EngineLimits())
    plan = a_plan(*found)
    asked_all = engine.evaluate(policies, document(plan), 30)
    assert engine.evaluate(policies, document(plan), 30, Present.of(plan)) == asked_all
    assert [answer.rule for answer in asked_all] == [rule.id for rule in policies.rules]


@pytest.mark.parametrize("name", sorted(NARROW))
def test_a_rule_that_begins_with_a_kind_or_type_needs_it(tmp_path: Path, name: str) -> None:
    found = load_policy(tmp_path, a_policy(deny(NARROW[name])))
    assert set(needs_of(found)) == {"no-bad"}


@pytest.mark.parametrize("name", sorted(WIDE))
def test_any_other_rule_is_always_asked(tmp_path: Path, name: str) -> None:
    found = load_policy(tmp_path, a_policy(deny(WIDE[name])))
    assert needs_of(found) == {}


def test_one_body_that_begins_otherwise_is_enough_to_be_asked(tmp_path: Path) -> None:
    found = load_policy(tmp_path, a_policy(deny(NARROW["kind"]) + deny(WIDE["all"])))
    assert needs_of(found) == {}


def test_a_rule_needs_one_of_what_its_bodies_begin_with(tmp_path: Path) -> None:
    found = load_policy(tmp_path, a_policy(deny(NARROW["kind"]) + deny(NARROW["type"])))
    needed = Present(kinds=frozenset({"database.instance"}), types=frozenset({"aws_vpc"}))
    assert needs_of(found) == {"no-bad": needed}


def test_a_rule_is_asked_when_the_other_body_has_what_it_needs(tmp_path: Path) -> None:
    found = load_policy(tmp_path, a_policy(deny(NARROW["kind"]) + deny(NARROW["type"])))
    plan = a_plan(a_resource("aws_vpc.v", kind="", after={"x": 1}))
    (answer,) = InlineEngine(found, EngineLimits()).evaluate(found, document(plan), 30, Present.of(plan))
    assert [finding.address for finding in answer.deny] == ["aws_vpc.v"]


def test_more_choices_than_are_kept_ask_every_rule(
    policies: PolicySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plangate.policy.worker._MOST_CHOICES", 1)
    engine = InlineEngine(policies, EngineLimits())
    plans: list[Plan] = [a_plan(), a_plan(a_resource("aws_vpc.v", kind="", after={"x": 1}))]
    for plan in plans:
        expected = engine.evaluate(policies, document(plan), 30)
        assert engine.evaluate(policies, document(plan), 30, Present.of(plan)) == expected


def test_a_rule_that_fails_takes_no_other_one_along(policies: PolicySet) -> None:
    plan = a_plan(a_resource("aws_vpc.v", kind="log.group", after={"x": 1}))
    engine = InlineEngine(policies, EngineLimits())
    answers = {a.rule: a for a in engine.evaluate(policies, document(plan), 30, Present.of(plan))}
    assert [finding.address for finding in answers["own-type"].deny] == ["aws_vpc.v"]
    assert answers["own-breaks-later"].error
    assert answers == {a.rule: a for a in engine.evaluate(policies, document(plan), 30)}


def test_where_no_rule_can_find_anything_all_are_silent(tmp_path: Path) -> None:
    found = load_policy(tmp_path, a_policy(deny(NARROW["kind"])))
    (answer,) = InlineEngine(found, EngineLimits()).evaluate(
        found, document(a_plan()), 30, Present.of(a_plan())
    )
    assert (answer.rule, answer.deny, answer.error) == ("no-bad", (), "")
