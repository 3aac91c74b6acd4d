"""Theorems about conftest policies: what could change the answer, and is not known yet, is never a pass."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plangate.decision.outcome import Status
from tests.unit.policy.conftest_policies import judged, loaded

NAMES = ("a", "b", "c")
CONDITIONS = (
    "change.{0}",
    "not change.{0}",
    'change.{0} == "{1}"',
    'change.{0}.{1} == "c"',
    'not change.{0}.{1} == "c"',
    "count(change.{0}) > 1",
    'change[_] == "{1}"',
    'object.get(change, "{0}", "{1}") == "{1}"',
    'some key, value in change; value == "{0}"; key != "{1}"',
    'walk(change, [path, value]); value == "{0}"; count(path) > 1',
    'is_bad(change, "{0}")',
    "count({{item | some item in change.{0}}}) > 1",
)
HELPER = '\nis_bad(change, word) if some item in change.a\n\nis_bad(change, word) if change[word] == "b"\n'

values = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
    max_leaves=4,
)
conditions = st.builds(
    str.format, st.sampled_from(CONDITIONS), st.sampled_from(NAMES), st.sampled_from(NAMES)
)


def a_plan(after: dict[str, Any], unknown: dict[str, Any]) -> dict[str, Any]:
    return {"resource_changes": [{"address": "x.y", "change": {"after": after, "after_unknown": unknown}}]}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(conditions, min_size=1, max_size=2, unique=True),
    known=st.dictionaries(st.sampled_from(NAMES), values, max_size=2),
    name=st.sampled_from(NAMES),
    later=values,
)
def test_what_may_fail_once_everything_is_known_does_not_pass_before(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], known: dict[str, Any], name: str, later: Any
) -> None:
    change = "change := input.resource_changes[_].change.after"
    rules = [f'deny contains "found" if {{\n\t{change}\n\t{line}\n}}\n' for line in lines]
    policy = "\n".join(["package main\n", *rules, HELPER])
    policies = loaded(tmp_path_factory.mktemp("conftest"), rules=policy)
    known.pop(name, None)
    before = judged(policies, json.loads(json.dumps(a_plan(known, {name: True})))).outcomes
    after = judged(policies, json.loads(json.dumps(a_plan(known | {name: later}, {})))).outcomes
    if Status.FAIL in {outcome.status for outcome in after}:
        assert {outcome.status for outcome in before} <= {Status.FAIL, Status.UNKNOWN}
