"""What conftest policies say becomes outcomes; what conftest swallows does not become a pass."""

from pathlib import Path
from typing import Any

import pytest

from plangate.decision.outcome import Status
from plangate.errors import EngineError
from plangate.model.plan import Location
from plangate.policy.conftest.load import Wanted
from tests.unit.policy.conftest_policies import judged, loaded, said

PUBLIC = """package main

deny contains msg if {
	some change in input.resource_changes
	change.type == "aws_s3_bucket"
	change.change.after.acl == "public-read"
	msg := sprintf("%s is public", [change.address])
}
"""
EXCEPTION = """package main

deny_root contains "runs as root" if not input.safe

exception contains ["root"] if input.name == "trusted"
"""


def a_plan(after: dict[str, Any], unknown: Any) -> dict[str, Any]:
    change = {"actions": ["create"], "after": after, "after_unknown": unknown}
    bucket = {"address": "aws_s3_bucket.b", "type": "aws_s3_bucket", "change": change}
    return {"resource_changes": [bucket]}


def test_findings_are_fails_and_warnings_with_their_places(tmp_path: Path) -> None:
    policies = loaded(
        tmp_path,
        rules='package main\n\ndeny contains {"msg": "no", "_loc": {"file": "a.tf", "line": 3}, "id": 7} if input.x\n\n'
        'warn contains "careful" if input.x\n\nviolation contains "never" if input.y\n',
    )
    found = judged(policies, {"x": True})
    assert said(found) == {
        "deny": [(Status.FAIL, "no")],
        "warn": [(Status.FAIL, "careful")],
        "violation": [(Status.PASS, "")],
    }
    assert found.outcomes[0].location == Location(file="a.tf", line=3)
    assert found.results == (
        {
            "filename": "plan.json",
            "namespace": "main",
            "successes": 1,
            "warnings": [{"msg": "careful", "metadata": {"query": "data.main.warn"}}],
            "failures": [
                {
                    "msg": "no",
                    "loc": {"file": "a.tf", "line": 3},
                    "metadata": {"id": 7, "query": "data.main.deny"},
                }
            ],
        },
    )


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("deny contains 7 if true", "it holds something that is neither a text nor has a msg: 7"),
        ('deny contains {"message": "x"} if true', 'it holds something that is neither a text nor has a msg: {"message": "x"}'),
        ('deny contains {"msg": 1} if true', 'it holds something that is neither a text nor has a msg: {"msg": 1}'),
        ('deny contains "" if true', "it holds an empty message, which conftest counts as passed"),
        ("deny := input.value if true", 'it is neither a set nor a list, which conftest counts as passed: "text"'),
        ('deny contains "x" if to_number(trim_space(input.value)) > 1', "could not parse string as number"),
        ('deny contains "x" if 1 / input.zero == 1', "divi"),
    ],
)  # fmt: skip
def test_what_conftest_would_count_as_passed_is_an_error(tmp_path: Path, rule: str, problem: str) -> None:
    policies = loaded(tmp_path, rules=f'package main\n\nwarn contains "w" if input.w\n\n{rule}\n')
    found = judged(policies, {"value": "text", "zero": 0})
    told = said(found)
    assert told["warn"] == [(Status.PASS, "")]
    ((status, message),) = told["deny"]
    assert status is Status.ERROR
    assert problem in message
    assert found.results == ()


def test_a_list_as_one_value_is_judged_like_a_set(tmp_path: Path) -> None:
    policies = loaded(tmp_path, rules='package main\n\nviolation := [{"msg": "no"}] if input.x\n')
    assert said(judged(policies, {"x": True})) == {"violation": [(Status.FAIL, "no")]}
    assert said(judged(policies, {"x": False})) == {"violation": [(Status.PASS, "")]}


def test_each_input_of_a_file_counts(tmp_path: Path) -> None:
    policies = loaded(tmp_path, rules="package main\n\ndeny contains input.name if input.bad\n")
    found = judged(policies, {"bad": True, "name": "a"}, {"bad": False}, {"bad": True, "name": "c"})
    assert said(found) == {"deny": [(Status.FAIL, "a"), (Status.FAIL, "c")]}
    assert found.results[0]["successes"] == 1


def test_an_exception_is_never_silent(tmp_path: Path) -> None:
    policies = loaded(tmp_path, rules=EXCEPTION)
    query = 'data.main.exception[_][_] == "root"'
    found = judged(policies, {"name": "trusted"})
    assert said(found) == {
        "deny_root": [(Status.NOT_APPLICABLE, f"lifted by {query}")],
        "exception": [
            (Status.FAIL, f"{query} lifts data.main.deny_root, which found 1, first: runs as root")
        ],
    }
    assert found.results[0]["exceptions"] == [{"msg": query}]


def test_an_exception_that_lifts_nothing_is_no_finding(tmp_path: Path) -> None:
    policies = loaded(tmp_path, rules=EXCEPTION)
    assert said(judged(policies, {"name": "other"})) == {
        "deny_root": [(Status.FAIL, "runs as root")],
        "exception": [(Status.PASS, "")],
    }
    assert (
        said(judged(policies, {"name": "trusted", "safe": True}))["exception"][0][0] is Status.NOT_APPLICABLE
    )


def test_an_exception_that_fails_is_an_error_of_every_rule(tmp_path: Path) -> None:
    policies = loaded(
        tmp_path,
        rules='package main\n\ndeny contains "x" if input.y\n\nexception contains [input.n] if to_number(trim_space(input.n)) > 0\n',
    )
    told = said(judged(policies, {"n": "many"}))
    assert [status for status, _ in (*told["deny"], *told["exception"])] == [Status.ERROR, Status.ERROR]


def test_a_value_that_is_not_known_yet_is_not_absent(tmp_path: Path) -> None:
    policies = loaded(tmp_path, rules=PUBLIC)
    assert said(judged(policies, a_plan({}, {"acl": True}))) == {
        "deny": [
            (Status.UNKNOWN, "depends on what is known only after apply: resource_changes.*.change.after.acl")
        ]
    }
    assert said(judged(policies, a_plan({}, {"arn": True}))) == {"deny": [(Status.PASS, "")]}
    assert said(judged(policies, a_plan({}, unknown=True)))["deny"][0][0] is Status.UNKNOWN
    assert said(judged(policies, a_plan({"acl": "public-read"}, {"arn": True}))) == {
        "deny": [(Status.FAIL, "aws_s3_bucket.b is public")]
    }


def test_an_exception_because_of_a_value_that_is_not_known_yet_lifts_nothing(tmp_path: Path) -> None:
    policies = loaded(
        tmp_path,
        rules='package main\n\ndeny_x contains "no" if input.resource_changes[_].address\n\n'
        'exception contains ["x"] if {\n\tsome change in input.resource_changes\n\tnot change.change.after.acl\n}\n',
    )
    told = said(judged(policies, a_plan({}, {"acl": True})))
    assert [status for status, _ in told["deny_x"]] == [Status.UNKNOWN]


def test_a_rule_that_asks_for_unknown_values_is_taken_at_its_word(tmp_path: Path) -> None:
    policies = loaded(
        tmp_path,
        rules=PUBLIC
        + '\ndeny contains "not known" if input.resource_changes[_].change.after_unknown.acl == true\n',
    )
    assert said(judged(policies, a_plan({}, {"acl": True}))) == {"deny": [(Status.FAIL, "not known")]}
    assert said(judged(policies, a_plan({}, {"acl": [False]}))) == {"deny": [(Status.PASS, "")]}


@pytest.mark.parametrize(
    "rule",
    [
        'deny contains "x" if { walk(input, [path, value]); value == "bad" }',
        'deny contains "x" if { some key; input[key][_].change.after[_] == "bad" }',
        'deny contains "x" if count(input.resource_changes[_].change.after) > 9',
        'deny contains "x" if { some change in input.resource_changes; object.get(change.change.after, "acl", "") == "bad" }',
        'deny contains "x" if { change := input.resource_changes[_]; bad(change.change) }\n\nbad(change) if change.after.acl == "bad"',
        'deny contains "x" if { names := {name | name := input.resource_changes[_].change.after.acl}; count(names) > 1 }',
    ],
)  # fmt: skip
def test_however_a_rule_reads_what_is_not_known_it_does_not_pass(tmp_path: Path, rule: str) -> None:
    policies = loaded(tmp_path, rules=f"package main\n\n{rule}\n")
    assert [status for status, _ in said(judged(policies, a_plan({}, {"acl": True})))["deny"]] == [
        Status.UNKNOWN
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"planned_values": {"root_module": {"resources": [{"address": "a.b", "values": {}}]}},
         "resource_changes": [{"address": "a.b", "change": {"after": {}, "after_unknown": {"acl": True}}}]},
        {"planned_values": {"root_module": {"child_modules": [{"resources": [{"address": "a.b", "values": {}}]}]}},
         "resource_changes": [{"address": "a.b", "change": {"after": {}, "after_unknown": {"acl": True}}}]},
        {"planned_values": {"outputs": {"o": {}}}, "resource_changes": [],
         "output_changes": {"o": {"after_unknown": True}}},
        {"steps": [{"newState": {"outputs": {"acl": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}}}]},
        {"Changes": [{"acl": "{{changeSet:KNOWN_AFTER_APPLY}}"}]},
        {"resource_changes": [], "checks": [{"status": "unknown"}]},
    ],
)  # fmt: skip
def test_values_are_not_known_yet_in_every_part_of_a_plan(tmp_path: Path, document: dict[str, Any]) -> None:
    policies = loaded(
        tmp_path,
        rules='package main\n\ndeny contains "x" if { walk(input, [path, value]); value == "bad" }\n',
    )
    assert [status for status, _ in said(judged(policies, document))["deny"]] == [Status.UNKNOWN]


def test_rules_know_which_file_they_judge_and_data_that_was_loaded(tmp_path: Path) -> None:
    policies = loaded(
        tmp_path, data={"list": ["a", "b"]},
        rules='package main\n\ndeny contains sprintf("%s in %s: %s", [data.conftest.file.name, data.conftest.file.dir, word]) if {\n\tinput.x\n\tsome word in data.list\n}\n',
    )  # fmt: skip
    assert said(judged(policies, {"x": True})) == {
        "deny": [(Status.FAIL, "plan.json in /work: a"), (Status.FAIL, "plan.json in /work: b")]
    }


def test_the_old_syntax_is_judged_as_it_is(tmp_path: Path) -> None:
    policies = loaded(
        tmp_path, wanted=Wanted(rego_v0=True), rules='package main\n\ndeny[msg] { input.bad; msg = "no" }\n'
    )
    assert said(judged(policies, {"bad": True})) == {"deny": [(Status.FAIL, "no")]}


def test_a_policy_that_takes_too_long_is_ended_and_named(tmp_path: Path) -> None:
    policies = loaded(
        tmp_path,
        rules='package main\n\ndeny contains "x" if { some a, b, c in input.list; some d, e in input.list; '
        'some f, g in input.list; sprintf("%v%v%v%v%v%v", [a, b, d, e, f, g]) == "never" }\n'.replace(
            "a, b, c", "a, b"
        ),
    )
    with pytest.raises(EngineError, match=r"took longer than 0\.5 s"):
        judged(policies, {"list": list(range(2_000))}, deadline_s=0.5)


def test_a_set_of_resources_reads_no_more_than_is_read_of_its_members(tmp_path: Path) -> None:
    policies = loaded(
        tmp_path,
        rules="package main\n\nbuckets contains change if {\n\tsome change in input.resource_changes\n"
        '\tchange.type == "aws_s3_bucket"\n}\n\n'
        'deny contains "public" if {\n\tsome bucket in buckets\n\tbucket.change.after.acl == "public"\n}\n\n'
        'warn contains "many" if count({bucket.change.after | some bucket in buckets}) > 1\n',
    )
    statuses = {rule: told[0][0] for rule, told in said(judged(policies, a_plan({}, {"arn": True}))).items()}
    assert statuses == {"deny": Status.PASS, "warn": Status.UNKNOWN}
    assert said(judged(policies, a_plan({}, {"acl": True})))["deny"][0][0] is Status.UNKNOWN
