"""Which faults are put into a policy, and where."""

import pytest

from plangate.authoring.mutation.operators import Operator, mutants
from tests.unit.authoring.mutation.builders import parsed


def becomes(text: str, *, messages: bool = False) -> list[tuple[str, str]]:
    """The operator and the changed body of every mutant, the package's line left out."""
    module = parsed(f"package p\n{text}")
    found = []
    for mutant in mutants(module, messages=messages):
        changed = mutant.apply(module.text)
        assert changed != module.text
        found.append((mutant.operator.value, changed.removeprefix("package p\n")))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a if input.x == true",
            [
                ("definition", "a if { false; input.x == true }"),
                ("condition", "a if true"),
                ("field", "a if input.x_ == true"),
                ("comparison", "a if input.x != true"),
                ("constant", "a if input.x == false"),
            ],
        ),
        (
            "a if {\n\t1 < input.x # why\n}",
            [
                ("definition", "a if {\n\tfalse; 1 < input.x # why\n}"),
                ("constant", "a if {\n\t2 < input.x # why\n}"),
                ("condition", "a if {\n\ttrue # why\n}"),
                ("boundary", "a if {\n\t1 <= input.x # why\n}"),
                ("comparison", "a if {\n\t1 >= input.x # why\n}"),
                ("field", "a if {\n\t1 < input.x_ # why\n}"),
            ],
        ),
        (
            "a if not (b)\nb := -1",
            [
                ("condition", "a if true\nb := -1"),
                ("definition", "a if { false; not (b) }\nb := -1"),
                ("negation", "a if (b)\nb := -1"),
                ("constant", "a if not (b)\nb := 0"),
                ("definition", "a if not (b)\nb := -1 if false"),
            ],
        ),
        (
            'a if startswith("x", input.y)',
            [
                ("negation", 'a if not startswith("x", input.y)'),
                ("condition", "a if true"),
                ("definition", 'a if { false; startswith("x", input.y) }'),
                ("arguments", 'a if startswith(input.y, "x")'),
                ("constant", 'a if startswith("x_", input.y)'),
                ("field", 'a if startswith("x", input.y_)'),
            ],
        ),
        (
            "a := ({input.x} | b) - (c)\nb := {1}\nc := {`d`: 2.5}",
            [
                ("empty", "a := (set() | b) - (c)\nb := {1}\nc := {`d`: 2.5}"),
                ("field", "a := ({input.x_} | b) - (c)\nb := {1}\nc := {`d`: 2.5}"),
                ("operator", "a := ({input.x} & b) - (c)\nb := {1}\nc := {`d`: 2.5}"),
                ("operator", "a := ({input.x} | b)\nb := {1}\nc := {`d`: 2.5}"),
                ("definition", "a := ({input.x} | b) - (c) if false\nb := {1}\nc := {`d`: 2.5}"),
                ("constant", "a := ({input.x} | b) - (c)\nb := {2}\nc := {`d`: 2.5}"),
                ("definition", "a := ({input.x} | b) - (c)\nb := {1} if false\nc := {`d`: 2.5}"),
                ("empty", "a := ({input.x} | b) - (c)\nb := {1}\nc := {}"),
                ("constant", "a := ({input.x} | b) - (c)\nb := {1}\nc := {`d_`: 2.5}"),
                ("constant", "a := ({input.x} | b) - (c)\nb := {1}\nc := {`d`: 3.5}"),
                ("definition", "a := ({input.x} | b) - (c)\nb := {1}\nc := {`d`: 2.5} if false"),
            ],
        ),
        (
            'a contains x if some x in {y | some y in input["z"]; every i in y { i }}',
            [
                (
                    "definition",
                    'a contains x if { false; some x in {y | some y in input["z"]; every i in y { i }} }',
                ),
                ("empty", "a contains x if some x in set()"),
                ("field", 'a contains x if some x in {y | some y in input["z_"]; every i in y { i }}'),
                ("condition", 'a contains x if some x in {y | some y in input["z"]; true}'),
                ("negation", 'a contains x if some x in {y | some y in input["z"]; every i in y { not i }}'),
                ("condition", 'a contains x if some x in {y | some y in input["z"]; every i in y { true }}'),
            ],
        ),
        (
            'a := "x" if input else := null if b == 1\nb := 1 if false',
            [
                ("constant", 'a := "x_" if input else := null if b == 1\nb := 1 if false'),
                ("negation", 'a := "x" if not input else := null if b == 1\nb := 1 if false'),
                ("condition", 'a := "x" if true else := null if b == 1\nb := 1 if false'),
                ("definition", 'a := "x" if { false; input } else := null if b == 1\nb := 1 if false'),
                ("condition", 'a := "x" if input else := null if true\nb := 1 if false'),
                ("comparison", 'a := "x" if input else := null if b != 1\nb := 1 if false'),
                ("constant", 'a := "x" if input else := null if b == 2\nb := 1 if false'),
                ("definition", 'a := "x" if input else := null if { false; b == 1 }\nb := 1 if false'),
                ("constant", 'a := "x" if input else := null if b == 1\nb := 2 if false'),
                ("condition", 'a := "x" if input else := null if b == 1\nb := 1 if true'),
            ],
        ),
        ("default a := false", [("constant", "default a := true")]),
    ],
)  # fmt: skip
def test_a_policy_has_these_mutants(text: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(becomes(text)) == sorted(expected)


FINDING = """import data.plangate.lib
deny contains lib.finding_at(r, message, "/x") if {
	some r in input.resources
	message := sprintf("%v", [r.y])
}
deny contains {"msg": "bad", "address": "a"} if false
"""


def test_what_only_words_a_finding_is_left_alone_unless_asked() -> None:
    quiet = {changed for _, changed in becomes(FINDING)}
    loud = {changed for _, changed in becomes(FINDING, messages=True)}
    assert quiet < loud
    assert sorted(line for changed in loud - quiet for line in changed.splitlines() if line not in FINDING) == [
        '\tmessage := sprintf("%v", [])',
        '\tmessage := sprintf("%v", [r.y_])',
        '\tmessage := sprintf("%v_", [r.y])',
        'deny contains {"msg": "bad_", "address": "a"} if false',
    ]  # fmt: skip


def test_a_message_that_is_also_a_condition_is_no_mere_message() -> None:
    text = FINDING.replace("\tmessage :=", '\tmessage != ""\n\tmessage :=')
    assert ("constant", text.replace('"%v"', '"%v_"')) in becomes(text)


@pytest.mark.parametrize(
    ("condition", "boundary", "constant"),
    [
        ("input.x < 90", "input.x <= 90", "input.x < 89"),
        ("input.x >= 90", "input.x > 90", "input.x >= 89"),
        ("input.x > 90", "input.x >= 90", "input.x > 91"),
        ("input.x <= 90", "input.x < 90", "input.x <= 91"),
        ("90 > input.x", "90 >= input.x", "89 > input.x"),
        ("90 <= input.x", "90 < input.x", "89 <= input.x"),
    ],
)
def test_both_sides_of_a_boundary_are_tried_and_neither_twice(
    condition: str, boundary: str, constant: str
) -> None:
    found = becomes(f"a if {condition}")
    assert [text for operator, text in found if operator == "boundary"] == [f"a if {boundary}"]
    assert [text for operator, text in found if operator == "constant"] == [f"a if {constant}"]


def test_names_of_rules_and_imports_are_no_fields() -> None:
    text = "import data.q.r\na := data.q.s\nb := r.t\nc := input.u.v"
    assert [changed for operator, changed in becomes(text) if operator == "field"] == [
        text.replace("input.u.v", "input.u.v_")
    ]


def test_lines_with_another_input_are_not_mutated() -> None:
    assert becomes('a if b.c == "x" with input as {"y": 1}\nb := input') == [
        ("definition", 'a if b.c == "x" with input as {"y": 1}\nb := input if false')
    ]


def test_another_kind_is_one_that_the_policy_does_not_name() -> None:
    text = 'a := {"disk.volume", "iam.policy"}'
    found = [changed for operator, changed in becomes(text) if operator == "kind"]
    assert len(set(found)) == 2
    assert not [changed for changed in found if changed.count('"disk.volume"') > 1]


def test_a_mutant_knows_its_line_and_column_in_characters() -> None:
    module = parsed('package p\na if {\n\t"é" == input.x; input.y == 1\n}\n')
    places = {(each.line, each.column) for each in mutants(module) if each.operator is Operator.COMPARISON}
    assert places == {(3, 6), (3, 26)}


def test_no_two_mutants_share_a_name() -> None:
    names = [each.name for each in mutants(parsed(f"package p\n{FINDING}"))]
    assert len(names) == len(set(names))
