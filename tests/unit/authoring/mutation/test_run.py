"""Mutation of whole folders, as theorems."""

from pathlib import Path

import pytest

from plangate.authoring.mutation import run
from plangate.authoring.mutation.operators import Operator
from plangate.authoring.mutation.run import Verdict
from plangate.errors import CannotDecideError, EngineError, PolicyLoadError, UsageError
from tests.unit.authoring.mutation.builders import (
    WHOLE_TESTS,
    folder,
    limit,
    mutated,
    verdicts,
)
from tests.unit.policy.builders import write


def test_a_rule_whose_tests_assert_everything_has_no_survivor(tmp_path: Path) -> None:
    (subject,) = mutated(folder(tmp_path)).subjects
    assert [each.mutant.name for each in subject.tried if each.verdict is not Verdict.KILLED] == []
    assert (subject.name, subject.file, subject.tests) == ("no-bad", "custom/limit.rego", 2)
    assert subject.counted == len(subject.tried) > 5


def test_a_rule_without_tests_has_only_survivors(tmp_path: Path) -> None:
    found = mutated(folder(tmp_path, other=limit("other")))
    by_name = {subject.name: subject for subject in found.subjects}
    assert {each.verdict for each in by_name["other"].tried} == {Verdict.SURVIVED}
    assert (by_name["other"].tests, by_name["other"].killed) == (0, 0)
    assert {each.verdict for each in by_name["no-bad"].tried} == {Verdict.KILLED}
    assert not found.passes(1)


def test_what_dies_does_not_depend_on_order_or_processes(tmp_path: Path) -> None:
    source = folder(tmp_path, WHOLE_TESTS.partition("test_pass_limit")[0], other=limit("other"))
    one = verdicts(mutated(source))
    assert verdicts(mutated(source, jobs=2, seed=7)) == one
    assert set(one.values()) == {Verdict.KILLED, Verdict.SURVIVED}


def test_the_first_test_that_noticed_is_named(tmp_path: Path) -> None:
    (subject,) = mutated(folder(tmp_path)).subjects
    noticed = {each.mutant.operator.value: each.test.rpartition(".")[2] for each in subject.tried}
    assert noticed["definition"] == "test_fail_large"
    assert noticed["boundary"] == "test_pass_limit"


def test_tests_that_fail_unchanged_stop_everything(tmp_path: Path) -> None:
    wrong = WHOLE_TESTS + "\ntest_wrong if no_bad.deny == {1} with input as disk(1)\n"
    with pytest.raises(
        CannotDecideError,
        match=r"^tests fail before anything is changed: policies\.test\.no_bad_test\.test_wrong: it is undefined$",
    ):
        mutated(folder(tmp_path, wrong))


def test_tests_that_cannot_be_run_in_time_stop_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BASELINE_DEADLINE_S", 0.2)
    slow = (
        "\ntest_slow if count([1 | some i in numbers.range(1, 9000); "
        "some j in numbers.range(1, 9000); i + j == 0]) == 0\n"
    )
    with pytest.raises(
        EngineError, match=r"custom/limit\.rego: its tests could not be run: longer than 0\.2 s"
    ):
        mutated(folder(tmp_path, WHOLE_TESTS + slow))


def test_no_tests_are_no_result(tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError, match="no tests"):
        mutated(write(tmp_path, {"p.rego": limit()}))


def test_a_test_file_without_a_test_kills_nothing(tmp_path: Path) -> None:
    (subject,) = mutated(folder(tmp_path, "package policies.test.no_bad_test\nx := 1\n")).subjects
    assert {each.verdict for each in subject.tried} == {Verdict.SURVIVED}


def test_a_policy_that_must_not_be_judged_with_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError, match="misspelt"):
        mutated(folder(tmp_path, bad=limit("bad").replace("deny contains", "denny contains")))


def test_what_there_was_no_time_for_is_not_run_and_reaches_no_threshold(tmp_path: Path) -> None:
    found = mutated(folder(tmp_path), budget_s=0.0001)
    assert set(verdicts(found).values()) == {Verdict.NOT_RUN}
    assert not found.passes(1)
    assert found.subjects[0].killed == 0


def test_one_mutant_not_run_is_enough_to_fail(tmp_path: Path) -> None:
    (subject,) = mutated(folder(tmp_path)).subjects
    assert subject.reaches(100)
    first = subject.tried[0]
    cut = run.Subject(
        name=subject.name,
        file=subject.file,
        text=subject.text,
        tests=subject.tests,
        tried=(run.Tried(mutant=first.mutant, verdict=Verdict.NOT_RUN), *subject.tried[1:]),
    )
    assert not cut.reaches(1)
    none = run.Subject(name="x", file="x", text="", tests=1, tried=())
    assert not none.reaches(1)


def test_a_stale_entry_is_no_verdict_while_something_was_not_run(tmp_path: Path) -> None:
    block = "# SURVIVORS\n# - operator: condition\n#   line: gone\n#   reason: x\n"
    assert mutated(folder(tmp_path, block + WHOLE_TESTS)).stale != ()
    assert mutated(folder(tmp_path, block + WHOLE_TESTS), budget_s=0.0001).stale == ()


def test_only_what_is_asked_for_is_mutated(tmp_path: Path) -> None:
    source = folder(tmp_path, other=limit("other"))
    assert [subject.name for subject in mutated(source, only=("no-bad",)).subjects] == ["no-bad"]
    assert [subject.name for subject in mutated(source, only=("custom/other.rego",)).subjects] == ["other"]
    with pytest.raises(UsageError, match="no rule or policy file wrong"):
        mutated(source, only=("no-bad", "wrong"))


def test_a_mutant_that_would_not_load_is_not_counted(tmp_path: Path) -> None:
    # Without its first line nothing gives `i` a value.
    text = limit().replace("\tdisk.after.size > 100", "\tdisk.after.sizes[i] > 100\n\ti == 0")
    text = text.replace("[disk.after.size]", "[disk.address]")
    tests = WHOLE_TESTS.replace('{"size": size}', '{"sizes": [size]}').replace('"101"', '"d"')
    (subject,) = mutated(write(tmp_path, {"limit.rego": text, "limit_test.rego": tests})).subjects
    invalid = [each for each in subject.tried if each.verdict is Verdict.INVALID]
    assert [(each.mutant.operator, each.mutant.line) for each in invalid] == [(Operator.CONDITION, 16)]
    assert "`i`" in invalid[0].problem
    assert subject.counted == len(subject.tried) - 1


def test_the_library_that_is_not_in_the_folders_is_not_mutated(tmp_path: Path) -> None:
    assert [subject.file for subject in mutated(folder(tmp_path)).subjects] == ["custom/limit.rego"]


def test_tests_of_other_policies_count_when_they_lead_here(tmp_path: Path) -> None:
    lib = "package plangate.lib.sizes\n\nlarge(size) if size > 100\n"
    text = limit().replace(
        "import data.plangate.lib\n", "import data.plangate.lib\nimport data.plangate.lib.sizes\n"
    )
    text = text.replace("disk.after.size > 100", "sizes.large(disk.after.size)")
    source = write(tmp_path, {"limit.rego": text, "limit_test.rego": WHOLE_TESTS, "sizes.rego": lib})
    found = {subject.name: subject for subject in mutated(source).subjects}
    assert found["custom/sizes.rego"].tests == 2
    assert found["custom/sizes.rego"].reaches(100)
