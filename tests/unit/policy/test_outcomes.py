"""Every resource in a rule's scope gets a word, and silence is one only where everything that was read is known."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plangate.decision.outcome import Outcome, Status
from plangate.errors import EngineError
from plangate.gate import encode_plan
from plangate.model.kinds import KINDS
from plangate.model.plan import Action, Location, OutputChange, Plan, Resource
from plangate.model.values import UNKNOWN
from plangate.policy.base import Finding, RuleAnswer
from plangate.policy.embedded import EmbeddedEngine
from plangate.policy.exactness import DECIMAL, LARGE, WITH_OPA
from plangate.policy.outcomes import MAX_DENIALS, PlanView, judge
from tests.unit.policy.builders import (
    a_plan,
    a_policy,
    a_resource,
    judged,
    load_policy,
    statuses,
)

UNTAGGED = """
deny contains lib.finding_at(r, "it has no owner", "/tags/owner") if {
	some r in lib.of_kind("compute.instance")
	not r.after.tags.owner
}
"""


def instance(name: str = "web", **fields: Any) -> Resource:
    return a_resource(f"aws_instance.{name}", **fields)


def test_a_finding_is_a_fail_and_no_finding_is_a_pass(tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy(UNTAGGED))
    plan = a_plan(
        instance("a", after={"tags": {"owner": "me"}}),
        instance("b", action=Action.NO_OP, before={}, location=Location(file="main.tf", line=3)),
        a_resource("aws_vpc.main", kind="network.vpc"),
    )
    assert judged(policies, plan).outcomes == (
        Outcome(rule="no-bad", address="aws_instance.a", status=Status.PASS),
        Outcome(
            rule="no-bad",
            address="aws_instance.b",
            status=Status.FAIL,
            message="it has no owner",
            path="/tags/owner",
            existing=True,
            location=Location(file="main.tf", line=3),
        ),
    )


def test_a_value_that_is_read_and_unknown_is_no_pass(tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy())
    plan = a_plan(instance("a", facts={"public_ip": UNKNOWN}), instance("b", facts={"public_ip": False}))
    assert judged(policies, plan).outcomes == (
        Outcome(
            rule="no-bad",
            address="aws_instance.a",
            status=Status.UNKNOWN,
            message="depends on what is known only after apply: facts.public_ip",
        ),
        Outcome(rule="no-bad", address="aws_instance.b", status=Status.PASS),
    )


def test_a_fact_that_its_kind_has_and_nobody_gave_is_unknown(tmp_path: Path) -> None:
    assert statuses(load_policy(tmp_path, a_policy()), a_plan(instance(facts={}))) == {
        "aws_instance.web": "unknown"
    }


def test_an_unknown_inside_of_a_fact_is_unknown(tmp_path: Path) -> None:
    body = """
deny contains lib.finding(r, "open") if {
	some r in lib.of_kind("network.security_group")
	some rule in r.facts.ingress
	rule.from_port == 22
}
"""
    policies = load_policy(tmp_path, a_policy(body, extra="kinds: [network.security_group]"))
    group = a_resource(
        "aws_security_group.a", kind="network.security_group", facts={"ingress": ({"from_port": UNKNOWN},)}
    )
    assert statuses(policies, a_plan(group)) == {"aws_security_group.a": "unknown"}


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [
        (("/tags/owner",), "fail"),
        (("/tags",), "fail"),
        (("",), "fail"),
        (("/id", "/tags/other"), "fail"),
    ],
)
def test_a_finding_stays_a_fail_whatever_is_unknown(
    unknown: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    policies = load_policy(tmp_path, a_policy(UNTAGGED))
    assert statuses(policies, a_plan(instance(unknown=unknown))) == {"aws_instance.web": expected}


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [
        (("/size/value",), "unknown"),
        (("/size",), "unknown"),
        (("/size/value/deeper",), "unknown"),
        (("",), "unknown"),
        (("/id", "/sizes", "/size/other"), "pass"),
    ],
)
def test_only_what_is_read_makes_an_outcome_unknown(
    unknown: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    body = """
deny contains lib.finding(r, "large") if {
	some r in lib.of_kind("compute.instance")
	r.after.size.value == "large"
}
"""
    policies = load_policy(tmp_path, a_policy(body))
    assert statuses(policies, a_plan(instance(unknown=unknown))) == {"aws_instance.web": expected}


def test_an_unknown_region_is_no_pass_for_a_rule_that_reads_it(tmp_path: Path) -> None:
    body = """
deny contains lib.finding(r, "elsewhere") if {
	some r in lib.of_kind("compute.instance")
	r.region == "us-east-1"
}
"""
    policies = load_policy(tmp_path, a_policy(body))
    plan = a_plan(
        instance("a", region=UNKNOWN), instance("b", region="eu-west-1"), instance("c", region="us-east-1")
    )
    assert statuses(policies, plan) == {
        "aws_instance.a": "unknown",
        "aws_instance.b": "pass",
        "aws_instance.c": "fail",
    }


def test_an_unknown_of_another_resource_that_is_read_concerns_every_outcome(tmp_path: Path) -> None:
    body = """
deny contains lib.finding(r, "bad neighbour") if {
	some r in lib.of_kind("compute.instance")
	some volume in lib.of_kind("disk.volume")
	volume.facts.encrypted == false
}
"""
    policies = load_policy(tmp_path, a_policy(body))
    volume = a_resource("aws_ebs_volume.v", kind="disk.volume", facts={"encrypted": UNKNOWN})
    assert judged(policies, a_plan(instance(), volume)).outcomes == (
        Outcome(
            rule="no-bad",
            address="aws_instance.web",
            status=Status.UNKNOWN,
            message="depends on what is known only after apply: aws_ebs_volume.v: facts.encrypted",
        ),
    )
    known = a_resource("aws_ebs_volume.v", kind="disk.volume", facts={"encrypted": True})
    assert statuses(policies, a_plan(instance(), known)) == {"aws_instance.web": "pass"}


def test_an_unknown_output_concerns_a_rule_that_reads_outputs(tmp_path: Path) -> None:
    body = """
deny contains lib.plan_finding("bad output") if {
	some output in input.outputs
	output.after == "bad"
}
"""
    policies = load_policy(tmp_path, a_policy(body, extra="scope: plan"))
    output = OutputChange(name="o", action=Action.CREATE, after=UNKNOWN)
    assert statuses(policies, a_plan(instance(), outputs=(output,))) == {"": "unknown"}
    assert statuses(policies, a_plan(instance())) == {"": "pass"}


def test_a_rule_that_handles_unknowns_is_taken_at_its_word(tmp_path: Path) -> None:
    body = """
deny contains lib.finding(r, "public") if {
	some r in lib.of_kind("compute.instance")
	r.facts.public_ip == true
}

undetermined contains lib.finding_at(r, "may be public", "/associate_public_ip_address") if {
	some r in lib.of_kind("compute.instance")
	r.facts.public_ip == "unknown"
	lib.is_unknown(r, "/associate_public_ip_address")
}
"""
    policies = load_policy(tmp_path, a_policy(body))
    plan = a_plan(
        instance("a", facts={"public_ip": UNKNOWN}, unknown=("/associate_public_ip_address",)),
        instance("b", facts={"public_ip": UNKNOWN}),
        instance("c", facts={"public_ip": True}),
    )
    assert judged(policies, plan).outcomes == (
        Outcome(
            rule="no-bad",
            address="aws_instance.a",
            status=Status.UNKNOWN,
            message="may be public",
            path="/associate_public_ip_address",
        ),
        Outcome(rule="no-bad", address="aws_instance.b", status=Status.PASS),
        Outcome(rule="no-bad", address="aws_instance.c", status=Status.FAIL, message="public"),
    )


def gone(name: str, action: Action = Action.DELETE, **fields: Any) -> Resource:
    return instance(name, action=action, before={}, after=None, **fields)


SCOPES = {
    "resources": {"aws_instance.kept": "pass"},
    "changes": {"aws_instance.kept": "pass", "aws_instance.gone": "pass", "aws_instance.left": "pass"},
    "plan": {"": "pass"},
}


@pytest.mark.parametrize("scope", SCOPES)
def test_the_scope_says_what_gets_an_outcome(scope: str, tmp_path: Path) -> None:
    extra = "scope: plan" if scope == "plan" else f"kinds: [compute.instance]\nscope: {scope}"
    policies = load_policy(tmp_path, a_policy(extra=extra))
    plan = a_plan(instance("kept"), gone("gone"), gone("left", Action.FORGET), instance("data", mode="data"))
    assert statuses(policies, plan) == SCOPES[scope]


def test_a_rule_without_kinds_judges_every_resource(tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy(extra=""))
    plan = a_plan(instance(), a_resource("x.y", kind="", facts={}))
    assert statuses(policies, plan) == {"aws_instance.web": "pass", "x.y": "pass"}


def test_a_rule_with_nothing_in_its_scope_is_named(tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy())
    found = judged(policies, a_plan(a_resource("aws_vpc.main", kind="network.vpc")))
    assert (found.outcomes, found.matched_nothing) == ((), ("no-bad",))


def test_a_finding_beyond_the_scope_still_counts(tmp_path: Path) -> None:
    body = 'deny contains lib.finding(r, "any") if some r in input.resources\n'
    policies = load_policy(tmp_path, a_policy(body))
    plan = a_plan(gone("gone"), a_resource("aws_vpc.main", kind="network.vpc"))
    assert statuses(policies, plan) == {"aws_instance.gone": "fail", "aws_vpc.main": "fail"}


def test_a_finding_about_the_plan_stands_beside_those_about_resources(tmp_path: Path) -> None:
    body = 'deny contains lib.plan_finding("too much") if count(input.resources) > 0\n'
    policies = load_policy(tmp_path, a_policy(body))
    assert statuses(policies, a_plan(instance())) == {"": "fail", "aws_instance.web": "pass"}


@pytest.mark.parametrize("name", ["deny", "undetermined"])
def test_a_finding_about_something_that_is_not_in_the_plan_is_an_error(name: str, tmp_path: Path) -> None:
    body = f'\n{name} contains {{"address": "a.b", "message": "m"}}\n'
    also = "" if name == "deny" else "\ndeny contains lib.plan_finding(`x`) if input.errored\n"
    policies = load_policy(tmp_path, a_policy(body + also))
    assert judged(policies, a_plan(instance())).outcomes == (
        Outcome(
            rule="no-bad",
            address="",
            status=Status.ERROR,
            message="the rule speaks of a.b, which is not in the plan",
        ),
    )


def test_a_rule_that_fails_is_one_error_and_nothing_else(tmp_path: Path) -> None:
    policies = load_policy(
        tmp_path, a_policy("deny contains lib.plan_finding(`x`) if count(input.complete) == 1\n")
    )
    (outcome,) = judged(policies, a_plan(instance())).outcomes
    assert (outcome.status, outcome.address) == (Status.ERROR, "")
    assert outcome.message.startswith("the rule failed: custom/policy.rego:13")


def test_a_resource_whose_facts_could_not_be_made_is_no_pass(tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy())
    plan = a_plan(instance(facts={"adapter_error": "KeyError"}))
    assert statuses(policies, plan) == {"aws_instance.web": "unknown"}


def test_a_leftover_object_shares_the_fate_of_its_address(tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy(extra="kinds: [compute.instance]\nscope: changes"))
    plan = a_plan(
        instance("a", facts={"public_ip": UNKNOWN}), gone("a", deposed="00ff", facts={"public_ip": False})
    )
    assert [outcome.status for outcome in judged(policies, plan).outcomes] == [Status.UNKNOWN, Status.UNKNOWN]


def test_findings_of_one_resource_are_sorted_and_after_the_first_few_counted(tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy())
    findings = tuple(
        Finding(address="aws_instance.web", message=f"m{index:02}") for index in reversed(range(25))
    )
    outcomes = judge(
        policies, [RuleAnswer(rule="no-bad", deny=findings)], PlanView(a_plan(instance()))
    ).outcomes
    assert [outcome.message for outcome in outcomes] == [
        *(f"m{index:02}" for index in range(MAX_DENIALS)),
        "and 5 more findings of this rule",
    ]
    assert {outcome.status for outcome in outcomes} == {Status.FAIL}


@pytest.mark.parametrize("rules", [[], ["other"], ["no-bad", "no-bad"]])
def test_answers_to_other_questions_are_an_error(rules: list[str], tmp_path: Path) -> None:
    policies = load_policy(tmp_path, a_policy())
    with pytest.raises(EngineError, match="answered for"):
        judge(policies, [RuleAnswer(rule=rule) for rule in rules], PlanView(a_plan(instance())))


def test_no_more_unknown_values_are_named_than_a_person_reads(tmp_path: Path) -> None:
    body = 'deny contains lib.finding(r, "x") if {\n\tsome r in lib.of_kind("compute.instance")\n\tr.after == {}\n}\n'
    policies = load_policy(tmp_path, a_policy(body))
    (outcome,) = judged(
        policies, a_plan(instance(after={"x": 1}, unknown=tuple(f"/a{n}" for n in range(8))))
    ).outcomes
    assert outcome.message.endswith("after.a3, after.a4 and 3 more")


def test_every_kind_can_be_judged(tmp_path: Path) -> None:
    for kind, facts in KINDS.items():
        policies = load_policy(tmp_path / kind, a_policy(extra=f"kinds: [{kind}]"))
        plan: Plan = a_plan(a_resource("x.y", kind=kind, facts=dict.fromkeys(facts, False)))
        assert statuses(policies, plan) == {"x.y": "pass"}


def test_a_rule_that_calculates_with_a_decimal_fails_and_names_the_values_that_it_can_read(
    tmp_path: Path,
) -> None:
    rule = """
deny contains lib.finding(r, "too large") if {
	some r in lib.of_kind("compute.instance")
	r.after.size * 2 > 10
}
"""
    policies = load_policy(tmp_path, a_policy(rule))
    whole = a_plan(instance("a", after={"size": 4, "other": Decimal("0.5")}))
    assert statuses(policies, whole) == {"aws_instance.a": "pass"}
    plan = a_plan(
        instance("a", after={"size": 4, "other": Decimal("0.25")}),
        instance("b", after={"size": Decimal("7.25")}),
    )
    assert judged(policies, plan).outcomes == (
        Outcome(
            rule="no-bad",
            address="",
            status=Status.ERROR,
            message=f"the rule failed: custom/policy.rego:16:2: {DECIMAL}; {WITH_OPA}; the rule can read: "
            "aws_instance.b: after.size",
        ),
    )
    large = a_plan(instance("a", after={"size": 2**53 + 1}))
    (outcome,) = judged(policies, large).outcomes
    assert outcome.message.endswith(f"{LARGE}; {WITH_OPA}; the rule can read: aws_instance.a: after.size")


def test_whole_numbers_are_whole_however_they_are_written(tmp_path: Path) -> None:
    rule = """
deny contains lib.finding(r, sprintf("%v", [[r.after.size]])) if {
	some r in lib.of_kind("compute.instance")
	array.slice([1, 2, 3], 0, r.after.size) == [1, 2]
}
"""
    policies = load_policy(tmp_path, a_policy(rule))
    plan = a_plan(instance("a", after={"size": Decimal("2.0")}))
    with EmbeddedEngine(policies) as engine:
        (answer,) = engine.evaluate(policies, encode_plan(plan), 20.0)
    assert answer == RuleAnswer(rule="no-bad", deny=(Finding(address="aws_instance.a", message="[2]"),))
