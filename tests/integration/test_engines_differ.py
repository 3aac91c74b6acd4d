"""The embedded engine and OPA give one answer to many small questions, or the embedded engine refuses the question.

The questions are in ``rego_snippets``. What is refused is marked there, so that nothing can hide among the refused.
"""

import json
from pathlib import Path
from typing import Final

import pytest
from msgspec import Struct

from plangate.authoring.folders import read_plain
from plangate.authoring.testing import run_tests
from plangate.policy.base import PolicySource
from tests.integration.rego_engines import (
    ERROR,
    REFUSED,
    VALUE,
    Answer,
    compile_errors,
    embedded,
    opa_test_verdicts,
    refusal,
    running_opa,
)
from tests.tools import require_tool

pytestmark = pytest.mark.opa

FOLDER: Final = Path(__file__).parent / "rego_snippets"

INPUT: Final = r"""{
  "s": "abc", "u": "日本é", "json": "{\"k\": [1, 2.50]}",
  "n": 3, "neg": -2, "zero": 0, "f": 1.5, "tenth": 0.1, "fifth": 0.2, "small": 1e-7,
  "big": 9007199254740993, "max": 9223372036854775807,
  "t": true, "fl": false, "nul": null,
  "a": [1, 2, 3], "e": [], "mixed": [1, "a", null, true, [1], {"a": 1}, 1.5],
  "o": {"a": 1, "b": {"c": [1, 2]}},
  "rs": [{"name": "x", "tags": {"env": "prod"}, "n": 1}, {"name": "y", "n": 2}, {"name": "z", "tags": null, "n": 3}]
}"""

LOUD: Final = frozenset(
    {
        'json.unmarshal("\\"\\\\ud800\\"")',
        "{v | some v in input.s}",
        "[v | some v in input.nul]",
        "x := {r.name: {k: v | some k, v in r.tags} | some r in input.rs}",
        'x := {r.name: {k: v | some k, v in object.get(r, "tags", {})} | some r in input.rs}',
    }
)
"""OPA has a value and the embedded engine an error of its own: nothing is decided, and it says why."""

NOT_LOADED: Final = frozenset({"-(1)", '{1: "x"}["1"]', "f([a, b]) := a\n\nx := f([1, 2, 3])", "x[1]"})
"""OPA's parser or type checker does not take these; the embedded engine gives what they say, or nothing."""

GUARDED: Final = frozenset(
    {
        *("input.max + 1", "input.max * 2", "input.max * input.max", "input.max - -1", "input.max % 10"),
        *("input.big + 0", "input.big + 1", "input.big * 3"),
        *("input.f + 1", "input.f * 2", "input.f * input.f", "input.f - input.f"),
        *("input.tenth + input.fifth", "input.tenth * 3", "input.small + 1"),
        *("round(input.max)", "ceil(input.big)", "floor(input.max)"),
        *("4294967296 * 4294967296", "product([4294967296, 4294967296])"),
        *('upper("straße é")', 'lower("ÀÉ İ")'),
        *('sprintf("%v", [100000000000000000000])', 'sprintf("%v", [1e-7])'),
        'x := sprintf("%v", [{1: 2}])',
        'x := sprintf("%v", [{null: [1, "a"]}])',
        'x := sprintf("%v", [["é", "\\u0007", "<&>"]])',
        'x := sprintf("%v", [set()])',
    }
)
"""OPA has a value, and the embedded engine refuses to calculate, since it might come to another one: nothing is decided."""


class Snippet(Struct, frozen=True, kw_only=True):
    """One question: as it is written, and as a module that answers it with its rule ``x``."""

    written: str
    refused: bool
    text: str


def snippets() -> list[Snippet]:
    found = []
    lines = (FOLDER / "expressions.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line and not line.startswith("#"):
            written = line.removeprefix("! ")
            rule = f"x if {written}" if written.startswith("not ") else f"x := {written}"
            found.append((written, line != written, rule))
    for block in (FOLDER / "modules.txt").read_text(encoding="utf-8").split("\n---\n"):
        written = block.strip("\n").removeprefix("!\n")
        found.append((written, block.lstrip("\n").startswith("!\n"), written))
    return [
        Snippet(
            written=written,
            refused=refused,
            text=f"package snippets.s{number}\n\n{rule}\n".replace(
                "data.snippet.", f"data.snippets.s{number}."
            ),
        )
        for number, (written, refused, rule) in enumerate(found)
    ]


SNIPPETS: Final = snippets()


@pytest.fixture(scope="module")
def ours() -> list[Answer]:
    """The embedded engine's answers, as it answers in the gate: checked, then asked in a worker."""
    refusals = [refusal([("s.rego", snippet.text)]) for snippet in SNIPPETS]
    accepted = [number for number, error in enumerate(refusals) if error is None]
    modules = [(f"s{number}.rego", SNIPPETS[number].text) for number in accepted]
    queries = [f"data.snippets.s{number}.x" for number in accepted]
    answered = dict(zip(accepted, embedded(modules, queries, document=INPUT), strict=True))
    return [
        Answer(kind=REFUSED, said=str(error)) if error is not None else answered[number]
        for number, error in enumerate(refusals)
    ]


@pytest.fixture(scope="module")
def theirs() -> list[Answer]:
    """OPA's answers, from one process."""
    program = require_tool("opa")
    modules = [(f"s{number}.rego", snippet.text) for number, snippet in enumerate(SNIPPETS)]
    errors = compile_errors(program, modules)
    with running_opa(program, [module for module in modules if module[0] not in errors]) as opa:
        return [
            Answer(kind=ERROR, said=errors[f"s{number}.rego"])
            if f"s{number}.rego" in errors
            else opa.ask(f"snippets.s{number}.x", INPUT)
            for number in range(len(SNIPPETS))
        ]


def test_there_are_enough_questions_and_each_is_asked_once() -> None:
    written = [snippet.written for snippet in SNIPPETS]
    assert len(written) == len(set(written)) >= 800


def test_exactly_what_is_marked_is_refused(ours: list[Answer]) -> None:
    refused = {
        snippet.written for snippet, answer in zip(SNIPPETS, ours, strict=True) if answer.kind == REFUSED
    }
    assert refused == {snippet.written for snippet in SNIPPETS if snippet.refused}


def test_what_is_accepted_is_answered_as_opa_answers_it_or_not_at_all(
    ours: list[Answer], theirs: list[Answer]
) -> None:
    different = {
        snippet.written: (mine.kind, other.kind)
        for snippet, mine, other in zip(SNIPPETS, ours, theirs, strict=True)
        if mine.kind != REFUSED and not mine.agrees(other)
    }
    silent = {written for written, (mine, _) in different.items() if mine != ERROR}
    assert silent == NOT_LOADED
    assert {different[written][1] for written in NOT_LOADED} == {ERROR}
    assert different.keys() - silent == LOUD | GUARDED
    assert {different[written][1] for written in LOUD | GUARDED} == {VALUE}


def test_who_refuses_to_calculate_says_where_and_why_and_what_would(ours: list[Answer]) -> None:
    said = {
        snippet.written: mine.said
        for snippet, mine in zip(SNIPPETS, ours, strict=True)
        if snippet.written in GUARDED
    }
    assert all("OPA" in message and ".rego:" in message for message in said.values())
    assert said["input.tenth + input.fifth"].endswith(
        ".rego:3:6: a decimal, whose last digits may come out differently in OPA; it works with `engine: opa`"
    )


TESTS: Final = """package with_test

import data.policy_of_with as policy

test_input if policy.x == 2 with input as {"n": 1}

test_part_of_input if policy.x == 3 with input.n as 2

test_two_parts if policy.both == [1, 2] with input.n as 1 with input.m as 2

test_input_is_gone if not policy.x with input as {}

test_data if policy.y == "z" with data.given.name as "z"

test_rule if policy.z == 11 with policy.x as 10

test_nested if {
	found := [value | some n in [1, 2]; value := policy.x with input.n as n]
	found == [2, 3]
}

test_not if not policy.x == 5 with input.n as 1

test_wrong if policy.x == 9 with input.n as 1

test_undefined if policy.x with input.m as 1

test_set if policy.members == {1, 2} with input.ns as [1, 2, 1]

test_empty_set if policy.members == set() with input.ns as []

test_no_list if policy.members == set() with input as {"ns": null}

test_every if every n in [1, 2] { policy.x == n + 1 with input.n as n }

test_overridden if policy.x == 2 with input as {"n": 5} with input.n as 1

test_null if policy.x with input as null

test_default if policy.d == "none" with input as {}

test_function if policy.f(2) == 3 with input.n as 1

test_else if policy.e == "other" with input.n as 4

test_unset if policy.e == "one" with input.n as 1
"""

POLICY: Final = """package policy_of_with

x := input.n + 1

both := [input.n, input.m]

y := data.given.name

z := x + 1

members contains n if some n in input.ns

default d := "none"

d := "some" if input.n

f(a) := a + input.n

e := "one" if input.n == 1

else := "other"
"""


DIFFERENT_TESTS: Final = {"with_test.test_no_list": "error"}
"""Tests that OPA passes or fails, with our verdict, which is never ``passed``."""


def test_with_means_the_same_in_tests(tmp_path: Path) -> None:
    (tmp_path / "policy.rego").write_text(POLICY)
    (tmp_path / "with_test.rego").write_text(TESTS)
    (tmp_path / "data.json").write_text(json.dumps({"given": {"name": "a"}}))
    suite = read_plain([PolicySource(root=tmp_path, name=str(tmp_path))])
    mine = {result.name: result.verdict.value for result in run_tests(suite).results}
    assert len(mine) == 20
    assert mine == opa_test_verdicts(require_tool("opa"), tmp_path) | DIFFERENT_TESTS
