"""Why a rule has a finding about a resource, or why not; and nothing sensitive in the answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from plangate.authoring.explanation import explain_rule, explanation_lines
from plangate.authoring.masking import MASK
from plangate.policy.base import PolicySet
from tests.unit.policy.builders import a_plan, a_policy, a_resource, document, load_policy

POLICY = a_policy(
    """
deny contains lib.finding(instance, "it is large") if {
	some instance in lib.of_kind("compute.instance")
	size := instance.after.size
	is_large(size)
	not instance.after.allowed == true
}

is_large(size) if size > limit

limit := 10
"""
)


def told(policies: PolicySet, address: str, depth: int = 1, **after: Any) -> list[str]:
    extra = {key: after.pop(key) for key in ("unknown", "sensitive") if key in after}
    plan = a_plan(a_resource(after=after, **extra), a_resource("aws_instance.other", after={"size": 99}))
    explained = explain_rule(policies, "no-bad", address, document(plan), depth=depth)
    return list(explanation_lines(explained, address, lambda value: value))[1:]


def test_every_line_is_told_with_what_it_met(tmp_path: Path) -> None:
    assert told(load_policy(tmp_path, POLICY), "aws_instance.web", size=11) == [
        "deny, custom/policy.rego:14 holds",
        '    15 ✓ some instance in lib.of_kind("compute.instance")',
        '           instance = "resource aws_instance.web"',
        '           lib.of_kind("compute.instance") = ["resource aws_instance.other", "resource aws_instance.web"]',
        "    16 ✓ size := instance.after.size",
        "           size = 11",
        "           instance.after.size = 11",
        "    17 ✓ is_large(size)",
        "           is_large(size) = true",
        "    18 ✓ not instance.after.allowed == true",
        "           instance.after.allowed is undefined",
        '       finding: {"address": "aws_instance.web", "message": "it is large"}',
    ]


def test_the_first_line_that_does_not_hold_is_followed_into_what_it_calls(tmp_path: Path) -> None:
    policies = load_policy(tmp_path, POLICY)
    lines = told(policies, "aws_instance.web", size=3)
    assert lines[0] == "deny, custom/policy.rego:14 does not hold"
    assert lines[-6:] == [
        "    17 ✗ is_large(size)",
        "           is_large(size) is undefined",
        "           is_large, custom/policy.rego:21:",
        "               21 ✗ size > limit",
        "                      limit = 10",
        "    18 · not instance.after.allowed == true",
    ]
    assert not any("21 ✗" in line for line in told(policies, "aws_instance.web", depth=0, size=3))


def test_a_value_known_only_after_apply_is_said_to_be_so(tmp_path: Path) -> None:
    lines = told(load_policy(tmp_path, POLICY), "aws_instance.web", unknown=("/size",))
    assert "           instance.after.size is undefined  (known only after apply)" in lines


def test_a_resource_that_the_rule_does_not_look_at_is_not_among_them(tmp_path: Path) -> None:
    lines = told(
        load_policy(tmp_path, POLICY.replace('of_kind("compute.instance")', 'of_kind("log.group")')),
        "aws_instance.web",
    )
    assert lines[0] == "deny, custom/policy.rego:14 does not hold"
    assert lines[-1] == "       aws_instance.web is not among them"


@pytest.mark.parametrize(
    ("size", "sensitive", "secret"),
    [
        (98765, "/size", "98765"),
        (98765, "", "98765"),
        (True, "/size", "true"),
        ("secret-text", "/size", "secret-text"),
        ({"a": [12345]}, "/size/a", "12345"),
        ({"a": [12345]}, "/size/a/0", "12345"),
    ],
)
def test_what_is_sensitive_is_never_told(tmp_path: Path, size: object, sensitive: str, secret: str) -> None:
    lines = told(load_policy(tmp_path, POLICY), "aws_instance.web", size=size, sensitive=(sensitive,))
    assert f"           size = {json.dumps(MASK)}" in lines
    assert f"           instance.after.size = {json.dumps(MASK)}" in lines
    assert not any(secret in line for line in lines if "allowed" not in line)


def test_a_call_with_a_sensitive_value_is_not_followed(tmp_path: Path) -> None:
    lines = told(load_policy(tmp_path, POLICY), "aws_instance.web", size=3, sensitive=("/size",))
    assert "    17 ✗ is_large(size)" in lines
    assert not any("size > limit" in line for line in lines)


@pytest.mark.parametrize(
    "line",
    [
        'lib.of_kind("compute.instance")[_].after.size == 98765',
        "input.resources[_].after.size == 98765",
        'object.get(instance, ["after", "size"], 0) == 98765',
        "size_of(instance) == 98765",
        "[instance.after][0].size == 98765",
        "all := instance.after; all.size == 98765",
    ],
)
def test_no_way_to_a_sensitive_value_tells_it(tmp_path: Path, line: str) -> None:
    body = f"""
deny contains lib.finding(instance, "bad") if {{
	some instance in lib.of_kind("compute.instance")
	{line}
}}

size_of(instance) := instance.after.size
"""
    policies = load_policy(tmp_path, a_policy(body))
    lines = told(policies, "aws_instance.web", size=98765, sensitive=("/size",))
    assert lines[0].endswith(" holds")
    assert not any("98765" in shown for shown in lines if "== 98765" not in shown)
