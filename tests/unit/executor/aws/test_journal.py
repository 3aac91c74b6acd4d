"""What was begun is known afterwards, and only the newest holder of an environment writes."""

import sqlite3
from pathlib import Path

import pytest

from plangate.errors import ExecutionError
from plangate.executor.aws.base import Owner
from plangate.executor.aws.journal import FILE_NAME, Journal, StepRow
from plangate.executor.aws.planning import Known

OWNER = Owner(environment="prod", stack="shop")
NET = Known(
    logical_id="Net", type="AWS::EC2::VPC", identifier="vpc-1", deletion_policy="Retain",
    depends_on=("A", "B"), hidden={"Password": "digest"},
)  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path)
    made.lease("prod")
    made.begin("run", OWNER, "plan")
    return made


def test_every_lease_is_higher_than_the_one_before(tmp_path: Path) -> None:
    with Journal(tmp_path) as one, Journal(tmp_path) as two:
        assert [one.lease("prod"), two.lease("prod"), one.lease("prod"), one.lease("test")] == [1, 2, 3, 1]


@pytest.mark.parametrize(
    "write",
    [
        lambda j: j.begin("other", OWNER, "plan"),
        lambda j: j.intend("run", "create:Net"),
        lambda j: j.made("run", "create:Net", "vpc-1", OWNER, NET),
        lambda j: j.done("run", "create:Net"),
        lambda j: j.remember(OWNER, NET),
        lambda j: j.forget(OWNER, NET.type, NET.identifier),
        lambda j: j.let_go(OWNER, NET),
        lambda j: j.end("run", "succeeded"),
    ],
    ids=["begin", "intend", "made", "done", "remember", "forget", "let_go", "end"],
)
def test_an_older_holder_writes_nothing(journal: Journal, tmp_path: Path, write: object) -> None:
    journal.remember(OWNER, NET)
    with Journal(tmp_path) as newer:
        newer.lease("prod")
        before = [*newer.runs("prod")], newer.steps("run"), newer.known(OWNER)
        with pytest.raises(ExecutionError, match="another run holds prod now, so this one stops"):
            write(journal)  # type: ignore[operator]
        assert ([*newer.runs("prod")], newer.steps("run"), newer.known(OWNER)) == before


def test_without_a_lease_nothing_is_written(tmp_path: Path) -> None:
    with (
        Journal(tmp_path) as journal,
        pytest.raises(ExecutionError, match="whoever holds the environment's lock"),
    ):
        journal.begin("run", OWNER, "plan")


def test_a_step_is_known_from_its_intention_to_its_end_also_to_who_opens_the_file_later(
    journal: Journal, tmp_path: Path
) -> None:
    def later() -> StepRow:
        with Journal(tmp_path) as other:
            return other.steps("run")["create:Net"]

    assert journal.intend("run", "create:Net") is None
    assert later() == StepRow(step="create:Net", done=False, identifier="")
    assert journal.intend("run", "create:Net") == later()
    journal.made("run", "create:Net", "vpc-1", OWNER, NET)
    assert later() == StepRow(step="create:Net", done=False, identifier="vpc-1")
    journal.done("run", "create:Net")
    assert (
        later()
        == journal.intend("run", "create:Net")
        == StepRow(step="create:Net", done=True, identifier="vpc-1")
    )


def test_a_replacement_is_written_with_what_it_replaces_at_once(journal: Journal) -> None:
    journal.remember(OWNER, NET)
    journal.intend("run", "create:Net")
    new = Known(logical_id="Net", type=NET.type, identifier="vpc-2")
    old = Known(logical_id="Net", type=NET.type, identifier="vpc-1", leaving=True)
    journal.made("run", "create:Net", "vpc-2", OWNER, new, old)
    assert journal.known(OWNER) == [old, new]


def test_a_resource_is_remembered_whole_and_let_go_or_forgotten(journal: Journal) -> None:
    journal.remember(OWNER, NET)
    assert journal.known(OWNER) == [NET]
    assert journal.known(Owner(environment="prod", stack="other")) == []
    journal.let_go(OWNER, NET)
    assert not journal.known(OWNER)
    assert journal.forgotten(OWNER) == {(NET.type, NET.identifier)}
    journal.forget(OWNER, NET.type, NET.identifier)
    assert not journal.known(OWNER)
    assert not journal.forgotten(OWNER)


def test_runs_are_told_newest_first_and_a_run_that_goes_on_is_open_again(journal: Journal) -> None:
    journal.end("run", "failed")
    journal.begin("other", OWNER, "plan")
    assert [(row.run, row.ended) for row in journal.runs("prod")] == [("other", ""), ("run", "failed")]
    journal.begin("run", OWNER, "plan")
    assert [(row.run, row.ended) for row in journal.runs("prod")] == [("other", ""), ("run", "")]
    assert journal.runs("test") == []


def test_the_file_is_its_owners_alone(journal: Journal, tmp_path: Path) -> None:
    assert journal is not None
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database, and long enough to be seen as none" * 100)
    with pytest.raises(ExecutionError, match=r"the journal in .* cannot be opened"):
        Journal(tmp_path)


def test_a_journal_that_cannot_be_written_stops_the_run(journal: Journal, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute("DROP TABLE steps")
    with pytest.raises(ExecutionError, match="the journal cannot be written"):
        journal.intend("run", "create:Net")
