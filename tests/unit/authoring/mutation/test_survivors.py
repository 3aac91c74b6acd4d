"""Explained survivors: read strictly, and checked to be still needed."""

from pathlib import Path

import pytest

from plangate.authoring.mutation.operators import Operator
from plangate.authoring.mutation.run import Verdict
from plangate.authoring.mutation.survivors import Explained, read_survivors
from plangate.errors import PolicyLoadError
from tests.unit.authoring.mutation.builders import WEAK_TESTS, WHOLE_TESTS, folder, mutated

BLOCK = """# SURVIVORS
# - operator: condition
#   line: disk.after.size > 100
#   reason: Not tested
#     here.
"""


def test_an_entry_is_read() -> None:
    assert read_survivors("t.rego", f"# first\n{BLOCK}{WEAK_TESTS}") == (
        Explained(
            operator=Operator.CONDITION,
            line="disk.after.size > 100",
            becomes="",
            reason="Not tested here.",
            mutants=1,
            file="t.rego",
            at=2,
        ),
    )


def test_no_block_explains_nothing() -> None:
    assert read_survivors("t.rego", WEAK_TESTS) == ()


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (BLOCK + "\n" + BLOCK, r"t\.rego:7: two blocks # SURVIVORS"),
        ("# SURVIVORS\n", r"t\.rego:1: # SURVIVORS must be a list"),
        ("# SURVIVORS\n# a: 1\n", "must be a list"),
        ("# SURVIVORS\n# - 1\n", "an entry must be a mapping"),
        ("# SURVIVORS\n# - [\n", "is not YAML"),
        (BLOCK.replace("condition", "conditoin"), 'unknown operator "conditoin"'),
        (BLOCK.replace("reason:", "reasons:"), 'unknown field "reasons"'),
        (BLOCK.replace("disk.after.size > 100", "''"), '"line" must be a text that is not empty'),
        (BLOCK + "#   becomes: 1\n", '"becomes" must be a text'),
        (BLOCK + "#   mutants: 0\n", '"mutants" must be a whole number above 0'),
        (BLOCK + "#   mutants: true\n", '"mutants" must be a whole number above 0'),
    ],
)
def test_a_block_that_is_not_right_is_refused(block: str, problem: str) -> None:
    with pytest.raises(PolicyLoadError, match=problem):
        read_survivors("t.rego", block)


def test_an_explained_survivor_is_listed_with_its_reason_and_still_counts_as_survived(tmp_path: Path) -> None:
    found = mutated(folder(tmp_path, BLOCK + WEAK_TESTS))
    (subject,) = found.subjects
    reasons = [
        (each.verdict, each.mutant.operator.value, each.reason) for each in subject.tried if each.reason
    ]
    assert reasons == [(Verdict.SURVIVED, "condition", "Not tested here.")]
    assert subject.killed == mutated(folder(tmp_path / "plain", WEAK_TESTS)).subjects[0].killed
    assert found.stale == ()


def test_an_entry_without_its_survivor_is_stale_and_fails(tmp_path: Path) -> None:
    found = mutated(folder(tmp_path, BLOCK + WHOLE_TESTS))
    assert found.stale == (
        (
            "custom/limit_test.rego",
            1,
            "no mutant survives by condition on `disk.after.size > 100`: take the entry out",
        ),
    )
    assert not found.passes(1)


def test_an_entry_explains_as_many_as_it_says(tmp_path: Path) -> None:
    more = BLOCK + "#   mutants: 2\n"
    assert [said for _, _, said in mutated(folder(tmp_path, more + WEAK_TESTS)).stale] == [
        "1 mutants survive by condition on `disk.after.size > 100`, and the entry explains 2"
    ]


def test_becomes_tells_mutants_of_one_line_apart(tmp_path: Path) -> None:
    block = BLOCK.replace("condition", "comparison") + "#   becomes: disk.after.size <= 100\n"
    assert mutated(folder(tmp_path / "a", block + WEAK_TESTS)).stale == ()
    wrong = block.replace("<= 100", "< 100")
    assert mutated(folder(tmp_path / "b", wrong + WEAK_TESTS)).stale != ()
