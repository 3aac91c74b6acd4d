"""Settings of Rego rules: typed by METADATA, never missing, and never silently ignored."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import PolicyLoadError, UsageError
from plangate.policy.base import PolicySet
from plangate.policy.index import is_recorded
from plangate.policy.load import load, shipped_policies
from plangate.policy.rule_settings import schemas_problem, with_settings
from tests.unit.policy.builders import a_plan, a_policy, a_resource, load_policy, statuses

SETTINGS = """kinds: [compute.instance]
settings:
  allowed:
    description: Names that are allowed.
    type: array
    items: {type: string}
    default: [good]
  most:
    description: The most there may be.
    type: integer
    minimum: 0
    default: 3
"""
BODY = """
deny contains lib.finding(instance, "its name is not allowed") if {
	some instance in lib.of_kind("compute.instance")
	not instance.name in data.plangate.settings.no_bad.allowed
}
"""
PLAN = a_plan(a_resource("aws_instance.good"), a_resource("aws_instance.other"))


@pytest.fixture
def policies(tmp_path: Path) -> PolicySet:
    return load_policy(tmp_path, a_policy(BODY, extra=SETTINGS))


def test_a_rule_reads_its_defaults_when_nothing_is_chosen(policies: PolicySet) -> None:
    assert policies.data["plangate"] == {"settings": {"no_bad": {"allowed": ["good"], "most": 3}}}
    assert statuses(policies, PLAN) == {"aws_instance.good": "pass", "aws_instance.other": "fail"}


def test_a_rule_reads_what_is_chosen_and_defaults_for_the_rest(policies: PolicySet) -> None:
    chosen = with_settings(policies, {"no-bad": {"allowed": ["other"]}}, "plangate.yaml")
    assert chosen.data["plangate"] == {"settings": {"no_bad": {"allowed": ["other"], "most": 3}}}
    assert statuses(chosen, PLAN) == {"aws_instance.good": "fail", "aws_instance.other": "pass"}
    assert statuses(policies, PLAN) == {"aws_instance.good": "pass", "aws_instance.other": "fail"}


def test_another_choice_is_another_policy_set(policies: PolicySet) -> None:
    digests = {
        with_settings(policies, {"no-bad": {"most": most}}, "plangate.yaml").sha256 for most in (3, 4, 5)
    }
    assert len(digests | {policies.sha256}) == 4


def test_nothing_chosen_is_the_same_policy_set(policies: PolicySet) -> None:
    assert with_settings(policies, {"no-bad": {}, "instance-no-public-ip": {"x": 1}}, "f") is policies


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"most": -1}, "f: rules.no-bad.settings.most: -1 is less than the minimum of 0"),
        ({"most": "3"}, "f: rules.no-bad.settings.most: '3' is not of type 'integer'"),
        ({"allowed": ["a", 1]}, "f: rules.no-bad.settings.allowed.1: 1 is not of type 'string'"),
        ({"mst": 1}, "f: rules.no-bad.settings.mst: this policy has no such setting"),
        (
            {"most": 2**70},
            "f: rules.no-bad.settings.most: the policy engine cannot hold an integer beyond 64 bits exactly",
        ),
    ],
)
def test_a_choice_that_the_rule_does_not_have_is_refused(
    values: dict[str, Any], problem: str, policies: PolicySet
) -> None:
    with pytest.raises(UsageError) as refused:
        with_settings(policies, {"no-bad": values}, "f")
    assert str(refused.value) == problem


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("a: {type: integer, description: d}", 'field "custom.settings.a.default" is missing'),
        ("a: {type: integer, default: 1}", 'field "custom.settings.a.description" is missing'),
        ("a: {type: integer, description: d, default: x}", "a.default: 'x' is not of type 'integer'"),
        ("a: {type: intger, description: d, default: 1}", "a: not a JSON Schema"),
        ("a: {$ref: 'https://example.org/s', description: d, default: 1}", "a: $ref is not allowed"),
        ("A: {type: integer, description: d, default: 1}", "lower-case words joined by underscores"),
        ("a: 1", '"custom.settings.a" must be a JSON Schema'),
    ],
)
def test_a_schema_that_types_nothing_is_refused(setting: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError, match="METADATA") as refused:
        load_policy(tmp_path, a_policy(extra=f"kinds: [compute.instance]\nsettings:\n  {setting}"))
    assert problem in str(refused.value)


def test_a_misspelt_setting_in_a_policy_does_not_load(tmp_path: Path) -> None:
    with pytest.raises(
        PolicyLoadError, match=r"nothing is loaded as data\.plangate\.settings\.no_bad\.alowed"
    ):
        load_policy(tmp_path, a_policy(BODY.replace("allowed\n", "alowed\n"), extra=SETTINGS))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(json_values)
def test_a_default_is_accepted_exactly_where_the_same_choice_is(value: Any) -> None:
    schema = {"type": ["integer", "array", "object"], "description": "d"}
    as_default = schemas_problem({"a": {**schema, "default": value}})
    exact = "beyond 64 bits" not in as_default
    assert (as_default == "") == (exact and type(value) in {int, list, dict}), json.dumps(value)


def test_a_rule_for_types_gives_outcomes_for_resources_of_these_types(tmp_path: Path) -> None:
    body = """
deny contains lib.finding(trail, "it is off") if {
	some trail in lib.of_type("aws_cloudtrail")
	trail.after.enable_logging == false
}
"""
    policies = load_policy(tmp_path, a_policy(body, extra="types: [aws_cloudtrail]"))
    plan = a_plan(
        a_resource("aws_cloudtrail.a", kind="", facts={}, after={"enable_logging": False}),
        a_resource("aws_cloudtrail.b", kind="", facts={}, after={"enable_logging": True}),
        a_resource("aws_cloudtrail.c", kind="", facts={}, unknown=("/enable_logging",)),
        a_resource("aws_instance.d"),
    )
    assert statuses(policies, plan) == {
        "aws_cloudtrail.a": "fail",
        "aws_cloudtrail.b": "pass",
        "aws_cloudtrail.c": "unknown",
    }


def test_a_rule_may_be_for_kinds_and_types(tmp_path: Path) -> None:
    body = "\ndeny contains finding if {\n\tsome finding in []\n}\n"
    extra = "kinds: [compute.instance, disk.volume]\ntypes: [aws_cloudtrail]"
    policies = load_policy(tmp_path, a_policy(body.replace("[]", "set()"), extra=extra))
    plan = a_plan(
        a_resource("aws_cloudtrail.a", kind="", facts={}),
        a_resource("aws_instance.b"),
        a_resource("aws_s3_bucket.c", kind="storage.bucket", facts={}),
    )
    assert statuses(policies, plan) == {"aws_cloudtrail.a": "pass", "aws_instance.b": "pass"}


def test_a_rule_reads_the_time_of_the_decision(tmp_path: Path) -> None:
    body = """
deny contains lib.plan_finding("frozen") if input.context.time >= "2026-12-24"
"""
    policies = load_policy(tmp_path, a_policy(body, extra="scope: plan"))
    found = {
        time: statuses(policies, a_plan(a_resource(), time=time))
        for time in ("2026-12-23T23:59:59.999Z", "2026-12-24T00:00:00.000Z")
    }
    assert found == {"2026-12-23T23:59:59.999Z": {"": "pass"}, "2026-12-24T00:00:00.000Z": {"": "fail"}}


def test_only_settings_of_shipped_policies_word_for_word_are_known_to_be_good() -> None:
    shipped = load([shipped_policies()]).settings["image-registries"]
    assert is_recorded(shipped)
    assert not is_recorded({"allowed": {**shipped["allowed"], "type": "lists"}})
    assert not is_recorded({**shipped, "more": shipped["allowed"]})


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"rules": [1]}', '{"rules": {"settings": 1}}'])
def test_a_damaged_record_knows_no_settings(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = load([shipped_policies()]).settings["image-registries"]
    (tmp_path / "index.json").write_text(content)
    monkeypatch.setattr("plangate.policy.index.INDEX", tmp_path / "index.json")
    assert not is_recorded(shipped)
