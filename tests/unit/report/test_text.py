"""The report that a person reads, as they see it."""

import json
from typing import Any

import pytest

from plangate.report.base import Style, one_line
from plangate.report.registry import FORMATS
from plangate.report.text import render

OUTCOME: dict[str, Any] = {
    "rule": "bucket-encrypted",
    "address": "aws_s3_bucket.a",
    "outcome": "fail",
    "message": "objects are not encrypted",
    "effect": "denies",
    "enforcement": "mandatory",
    "severity": "high",
    "title": "Buckets encrypt their objects",
    "path": "/encryption",
    "location": {"file": "main.tf", "line": 12},
    "remediation": "Turn encryption on.",
}


def an_outcome(**changes: Any) -> dict[str, Any]:
    return OUTCOME | changes


def a_decision(*outcomes: dict[str, Any], result: str = "deny", **changes: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("pass", "fail", "unknown", "error", "not_applicable"), 0)
    for outcome in outcomes:
        counts[outcome["outcome"]] += 1
    return {
        "result": result,
        "reasons": [],
        "environment": "prod",
        "subject": {"name": "tfplan", "sha256": "ab" * 32, "media_type": "application/json", "size": 7},
        "inputs": [{"name": "tfplan", "format": "terraform-plan", "problem": None}],
        "plan": {
            "format": "terraform-plan",
            "tool": "terraform 1.11.4",
            "changes": {"create": 2, "update": 0, "delete": 1},
            "resources": 3,
        },
        "counts": counts,
        "outcomes": list(outcomes),
        "unmodelled": [],
    } | changes


PASS = {"rule": "r", "address": "a_b.c", "outcome": "pass"}


def test_an_allowed_plan_is_three_lines() -> None:
    assert render(a_decision(PASS, PASS, result="allow"), Style()) == (
        "ALLOWED  tfplan  sha256 abababababababab\n"
        "  terraform-plan by terraform 1.11.4, environment prod: 2 create, 1 delete\n"
        "\n"
        "allowed: 2 passed\n"
    )


def test_a_denied_plan_says_what_is_wrong_where_and_how_to_fix_it() -> None:
    decision = a_decision(
        PASS,
        an_outcome(),
        an_outcome(address="aws_s3_bucket.b", path="", location=None),
        an_outcome(
            rule="key-rotation",
            address="aws_kms_key.k",
            outcome="unknown",
            effect="obliges",
            severity="medium",
            title="Keys rotate",
            message="known only after apply",
            path="",
            location=None,
        ),
        an_outcome(
            rule="required-tags",
            address="",
            effect="warns",
            enforcement="advisory",
            severity="low",
            title="Everything is tagged",
            message="no owner",
            path="",
            location=None,
            remediation="Add tags.",
        ),
        an_outcome(
            rule="volume-encrypted", effect="debt", existing=True, message="old", path="", location=None
        ),
        unmodelled=["aws_new_thing"],
    )
    assert render(decision, Style()) == (
        """\
DENIED  tfplan  sha256 abababababababab
  terraform-plan by terraform 1.11.4, environment prod: 2 create, 1 delete

Denied
  ✗ bucket-encrypted (high, mandatory): Buckets encrypt their objects
      aws_s3_bucket.a  /encryption  main.tf:12
        objects are not encrypted
      aws_s3_bucket.b
        objects are not encrypted
      fix: Turn encryption on.

Warnings
  ~ required-tags (low, advisory): Everything is tagged
      the plan
        no owner
      fix: Add tags.

Known only after apply: will be checked then
  ? key-rotation (medium, mandatory): Keys rotate
      aws_kms_key.k
        known only after apply

Already there, and not changed by this plan
  · volume-encrypted (high, mandatory): Buckets encrypt their objects
      aws_s3_bucket.a
        old

Types without an adapter, judged by general rules only: aws_new_thing

denied: 4 failed, 1 unknown, 1 passed, 1 of these already there, 1 type without an adapter; nothing was executed
"""
    )


def test_what_made_a_decision_impossible_stands_first() -> None:
    decision = a_decision(
        an_outcome(outcome="error", effect="blocks", message="the rule broke", path="", location=None),
        result="error",
        reasons=["rule r said nothing about this plan"],
    )
    assert render(decision, Style()) == (
        """\
COULD NOT DECIDE  tfplan  sha256 abababababababab
  terraform-plan by terraform 1.11.4, environment prod: 2 create, 1 delete
  ! rule r said nothing about this plan

Could not be judged
  ! bucket-encrypted (high, mandatory): Buckets encrypt their objects
      aws_s3_bucket.a
        the rule broke

could not decide: 1 could not be judged, 0 passed; nothing was executed
"""
    )


def test_a_plan_that_could_not_be_read_has_no_changes_line() -> None:
    assert render(a_decision(result="error", plan=None, reasons=["f: not JSON"]), Style()) == (
        "COULD NOT DECIDE  tfplan  sha256 abababababababab\n"
        "  ! f: not JSON\n"
        "\n"
        "could not decide: 0 passed; nothing was executed\n"
    )


def test_worse_failures_come_first_and_one_rule_is_said_once() -> None:
    low, high = an_outcome(rule="a-low", severity="low"), an_outcome(rule="z-high", severity="critical")
    lines = render(a_decision(low, high, low), Style()).splitlines()
    rules = [line.split()[1] for line in lines if line.startswith("  ✗ ")]
    assert rules == ["z-high", "a-low"]


def test_long_lists_are_cut_and_say_so() -> None:
    decision = a_decision(
        *(an_outcome(address=f"a_b.c{i:02}", path="", location=None, message="") for i in range(5)),
        unmodelled=[f"type_{i}" for i in range(4)],
    )
    assert render(decision, Style(most=2)).split("\n")[3:11] == [
        "Denied",
        "  ✗ bucket-encrypted (high, mandatory): Buckets encrypt their objects",
        "      a_b.c00",
        "      a_b.c01",
        "      … and 3 more (--format json lists all)",
        "      fix: Turn encryption on.",
        "",
        "Types without an adapter, judged by general rules only: type_0, type_1 and 2 more",
    ]


def test_no_changes_are_called_that() -> None:
    plan = {"format": "terraform-plan", "tool": "", "changes": {"create": 0}, "resources": 0}
    assert render(a_decision(PASS, result="allow", plan=plan), Style()).splitlines()[1] == (
        "  terraform-plan, environment prod: no changes"
    )


def test_colours_come_only_when_asked_for() -> None:
    decision = a_decision(an_outcome(), reasons=["x"])
    plain, coloured = render(decision, Style()), render(decision, Style(colour=True))
    assert "\x1b" not in plain
    assert coloured.startswith("\x1b[1;31mDENIED\x1b[0m  tfplan  \x1b[2msha256 ")
    assert "  \x1b[31m✗\x1b[0m \x1b[1mbucket-encrypted\x1b[0m (high" in coloured
    assert plain.splitlines()[-1] == coloured.splitlines()[-1]


HOSTILE = "a\x1b[2J\x1b]0;owned\x07b\r\nALLOWED\u202eevil\u200b\u2066\x00\x9b31m\ud800\U000e0041"


def test_no_text_of_a_plan_steers_the_terminal_or_fakes_a_line() -> None:
    decision = a_decision(
        an_outcome(
            address=HOSTILE,
            message=HOSTILE,
            path=HOSTILE,
            title=HOSTILE,
            remediation=HOSTILE,
            location={"file": HOSTILE, "line": 1},
        ),
        subject={"name": HOSTILE, "sha256": "ab" * 32},
        environment=HOSTILE,
        reasons=[HOSTILE],
        unmodelled=[HOSTILE],
    )
    said = render(decision, Style())
    assert all(character.isprintable() or character == "\n" for character in said)
    assert [line for line in said.splitlines() if line.startswith("ALLOWED")] == []
    said.encode()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("two\nlines\tand  more ", "two lines and more"),
        ("\x1b[31mred", "[31mred"),
        ("a\u202eb\u2066c\u200dd\ufeffe", "abcde"),
        ("Zürich 🏔 日本", "Zürich 🏔 日本"),
        ("line\u2028separator\u2029", "lineseparator"),
        ("\ud800half", "half"),
        (7, "7"),
        ("", ""),
    ],
)
def test_one_line_is_what_one_line_of_a_terminal_can_hold(text: object, line: str) -> None:
    assert one_line(text) == line


def test_every_format_renders_every_decision() -> None:
    decision = a_decision(an_outcome(), PASS)
    assert sorted(FORMATS) == ["json", "text"]
    assert all(render_as(decision, Style()).endswith("\n") for render_as in FORMATS.values())


def test_json_is_the_document_itself() -> None:
    decision = a_decision(an_outcome(message="Zürich \x1b"))
    assert json.loads(FORMATS["json"](decision, Style(colour=True))) == decision
