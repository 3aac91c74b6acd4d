"""Guards go around what is calculated with, the module stays the same, and what they refuse is an error with its place."""

import json
from pathlib import Path
from typing import Final

import pytest

from plangate.authoring.evaluation import Query, TimeLimits, evaluate
from plangate.errors import PolicyLoadError
from plangate.policy.files import PolicyFile
from plangate.policy.guard_edits import module_edits
from plangate.policy.guarding import guarded
from plangate.policy.letters import has_odd_letters
from plangate.policy.parse import parse_modules

HEAD: Final = "package p\nimport rego.v1\n"


def edits(rule: str) -> list[tuple[str, str]]:
    """What is guarded in a rule, and by what, in the order of the text."""
    text = HEAD + rule + "\n"
    content = text.encode()
    (found,) = module_edits([("p.rego", text)])
    return [(content[start:end].decode(), kind) for start, end, kind in sorted(found)]


def answer(rule: str, document: str, more: str = "") -> tuple[object, str]:
    """The value of ``x``, and why there is none."""
    modules = [("p.rego", f"{HEAD}{rule}\n{more}")]
    query = Query(name="x", text="data.p.x")
    (found,) = evaluate(modules, {}, [query], TimeLimits(), document=document.encode()).answers
    return found.value, found.error


def test_what_may_be_too_large_or_a_decimal_is_guarded_and_what_cannot_be_is_not() -> None:
    assert edits("x := input.a + 1") == [("input.a", "whole")]
    assert edits("x := count({1 | some a in input.a}) + 1") == []
    assert edits("x := floor(input.a / 3)") == [
        ("input.a", "divided"),
        ("input.a / 3", "rounded"),
    ]
    assert edits("x := input.a * 2") == [("input.a", "whole"), ("input.a * 2", "whole")]
    assert edits("x := {1 | true} - input.a") == []
    assert edits("x := input.a - input.b") == [("input.a", "difference"), ("input.b", "difference")]
    assert edits('x := sprintf("%s %d", ["a", input.n])') == [("d", "%v"), ("input.n", "told_whole")]
    assert edits("x if input.a > 1.5") == []


def test_a_rule_of_the_policies_is_no_builtin_whichever_file_it_is_in() -> None:
    use = "package p\nimport rego.v1\nx := sum(input.a)\n"
    own = "package p\nimport rego.v1\nsum(a) := a\n"
    assert list(module_edits([("a.rego", use), ("b.rego", own)])) == [(), ()]
    assert list(module_edits([("a.rego", use)])) != [()]


@pytest.mark.parametrize(
    "rule",
    [
        "x := (input.a + input.b) * input.c - input.d",
        "x := ((input.a)) * ((input.b - (2)))",
        "x := (count(input.x) + input.y) * ( # a comment ) (\n input.z + 2 )",
        "x := -input.a + -(input.b * 2)",
        "x := input.a-1",
        'x := sprintf("%d %s %v %% %d", [input.a + 1, "é", input.q, (input.a)])',
        "x := sprintf(`%d\n%v`, [input.a, upper(input.b)])",
        "x := [y | some v in input.l; y := v % 2; not v - 1 == 3; every e in input.l { e * 2 > v }]",
        "x[input.a + 1] := y if { y := input.b }",
        "x contains [input.a * 2, {input.k: input.v - 1}] if input.k in numbers.range(1, input.n)",
    ],
)
def test_with_its_guards_a_module_has_as_many_lines_and_is_read_again(rule: str) -> None:
    text = HEAD + rule + "\n"
    ((name, changed), _) = guarded([("p.rego", text)], {}).lettered
    assert name == "p.rego"
    assert changed.count("\n") == text.count("\n")
    assert changed != text
    assert parse_modules([PolicyFile(name=name, text=changed, source="", path=Path(name))])


def test_a_module_that_would_change_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plangate.policy.guard_edits.edited", lambda text, *_: text)
    with pytest.raises(PolicyLoadError, match="cannot be guarded"):
        list(module_edits([("p.rego", f"{HEAD}x := input.never_seen + 1\n")]))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEAD + "plangate_whole(x, _) := x\n", "p.rego:3:1: plangate_whole is plangate's own name"),
        (
            "package p\nimport rego.v1\nimport data.q.f as plangate_whole\n",
            "plangate_whole is plangate's own name",
        ),
        (
            "package plangate_guards\nimport rego.v1\ndifference(x, _) := x\n",
            "package plangate_guards is plangate's own",
        ),
        (
            "package plangate_guards.more\nimport rego.v1\nx := 1\n",
            "package plangate_guards is plangate's own",
        ),
    ],
)
def test_nothing_stands_in_the_place_of_a_guard(text: str, problem: str) -> None:
    with pytest.raises(PolicyLoadError, match=problem):
        guarded([("p.rego", text)], {})


@pytest.mark.parametrize(
    ("rule", "document", "place", "why"),
    [
        ("x := input.a + 1", '{"a": 0.5}', "3:6", "a decimal"),
        ("x if input.a + 1 > 0", '{"a": 0.5}', "3:6", "a decimal"),
        ("x if not input.complete - 1 == 0", '{"complete": 0.5}', "3:10", "a decimal"),
        ("x := sum(input.a)", '{"a": [1, 0.5]}', "3:10", "a decimal"),
        ("x := sum(input.a)", '{"a": [9007199254740991, 1, 1]}', "3:10", "a whole number beyond 2^53"),
        ("x := product(input.a)", '{"a": [4294967296, 4294967296]}', "3:6", "a whole number beyond 2^53"),
        ("x := product(input.a)", '{"a": [4294967296, 2147483648]}', "3:6", "a whole number beyond 2^53"),
        ("x := input.a * input.a", '{"a": 100000000}', "3:6", "a whole number beyond 2^53"),
        ("x := floor(input.a)", '{"a": -0.5}', "3:12", "a decimal"),
        ("x := to_number(trim_space(input.a))", '{"a": "1e3"}', "3:16", "a text whose number"),
        ("x := json.unmarshal(input.a)", '{"a": "[1.0]"}', "3:21", "a text whose number"),
        ("x := upper(input.a)", '{"a": "ß"}', "3:12", "a text with a letter"),
        ('x := sprintf("%v", [input.a])', '{"a": [0.5]}', "3:21", "a value that OPA writes differently"),
        ('x := sprintf("%d", [input.a])', '{"a": 0.5}', "3:21", "a value that is no whole number"),
        ("x := array.slice([1, 2], 0, input.a)", '{"a": 0.5}', "3:29", "a decimal"),
    ],
)
def test_what_opa_might_answer_otherwise_is_an_error_with_its_place_and_without_the_value(
    rule: str, document: str, place: str, why: str
) -> None:
    value, error = answer(rule, document)
    assert value is None
    assert error.startswith(f"p.rego:{place}: {why}")
    if "2^53" in error or "decimal" in error:
        assert error.endswith("OPA; it works with `engine: opa`")
    assert "0.5" not in error
    assert "ß" not in error


@pytest.mark.parametrize(
    ("rule", "document", "value"),
    [
        ("x := input.a + 1", '{"a": 9007199254740991}', 9007199254740992),
        ("x := input.a + 1", '{"a": 1.0}', 2),
        ("x := sum(input.a)", '{"a": [1, 2, 3]}', 6),
        ("x if input.a > 0.3", '{"a": 0.5}', True),
        ("x := floor(input.a / 3)", '{"a": 9}', 3),
        ("x := round(input.a)", '{"a": 2.5}', 3),
        ("x := input.a - input.b", '{"a": 3, "b": 1}', 2),
        ('x := {{"a"}} - input_set\n\ninput_set contains s if some s in input.a', '{"a": []}', [["a"]]),
        ('x := sprintf("%d %s %v", [input.a, input.a, input.a])', '{"a": -1}', "-1 %!s(int=-1) -1"),
        ('x := sprintf("%s", [input.a])', '{"a": 0.5}', "%!s(float64=0.5)"),
        ("x := count(input.a)", '{"a": "a😀b"}', 3),
        ("x := count(input.a)", '{"a": "a\\ud83d\\ude00b"}', 3),
        ("x := count(input.a)", '{"a": ["😀", 1]}', 2),
        ("x := upper(input.a)", '{"a": "é"}', "É"),
        ("x := [upper(input.a), count(input.a)]", '{"a": "😀"}', ["😀", 1]),
    ],
)
def test_what_both_engines_agree_on_is_answered(rule: str, document: str, value: object) -> None:
    assert answer(rule, document) == (value, "")


def test_errors_of_the_engine_stand_where_the_text_has_them() -> None:
    """Whatever is put in before them on their line."""
    line = "x := [input.n + input.n, input.n * 2, count(input.t), abs(input.s)]"
    column = line.index("input.s") + len("input") + 1
    for document in ('{"n": 1, "s": "t", "t": "t"}', '{"n": 1, "s": "t", "t": "😀"}'):
        value, error = answer(line, document)
        assert (value, error.partition(": ")[0]) == (None, f"p.rego:3:{column}")


def test_odd_letters_are_seen_in_documents_and_in_policies() -> None:
    assert not has_odd_letters(json.dumps({"a": "plain"}).encode())
    assert not has_odd_letters("é 日本 …".encode())
    assert has_odd_letters("😀".encode())
    assert has_odd_letters(json.dumps("😀").encode())
    assert has_odd_letters("ß".encode())
    assert has_odd_letters(b"\xff")
    policy = ("p.rego", HEAD + "x := count(base64.decode(input.a))\n")
    assert guarded([policy], {}).odd
    assert guarded([("p.rego", HEAD + 'x := count("😀")\n')], {}).odd
    assert guarded([("p.rego", HEAD + "x := count(data.a)\n")], {"a": "😀"}).odd
    assert not guarded([("p.rego", HEAD + "x := count(data.a)\n")], {"a": "é"}).odd
