"""Stored run tasks: once each, one at a time, sealed, and forgotten when they are done."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from plangate.errors import AuditError, CannotDecideError
from plangate.server.contracts import run_task_jobs
from plangate.server.contracts.run_task_jobs import Jobs

BODY = b'{"access_token":"tok.atlasv1.never-on-a-disk"}'


def only(jobs: Jobs) -> str:
    (found,) = jobs.waiting()
    return found


def test_a_trigger_comes_in_once_and_out_as_it_was(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "run-tasks")
    assert [jobs.add("net", "taskrs-1", BODY) for _ in range(3)] == [True, False, False]
    assert jobs.add("other", "taskrs-1", BODY)
    with Jobs(tmp_path / "run-tasks").taken(only_of(jobs, "net")) as job:
        assert job is not None
        assert (job.task, job.body, job.final) == ("net", BODY, b"")


def only_of(jobs: Jobs, task: str) -> str:
    for job_id in jobs.waiting():
        with jobs.taken(job_id) as job:
            if job is not None and job.task == task:
                return job_id
    raise AssertionError(task)


def test_nobody_takes_what_somebody_has(tmp_path: Path) -> None:
    jobs, others = Jobs(tmp_path / "x"), Jobs(tmp_path / "x")
    jobs.add("net", "1", BODY)
    with jobs.taken(only(jobs)) as job, others.taken(only(jobs)) as again:
        assert job is not None
        assert again is None


def test_what_is_done_is_forgotten_and_stays_done(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "x")
    jobs.add("net", "1", BODY)
    job_id = only(jobs)
    with jobs.taken(job_id) as job:
        assert job is not None
        settled = replace(job, final=b"passed", decision_id="d")
        jobs.settle(settled)
    with jobs.taken(job_id) as job:
        assert job == settled
        jobs.finish(settled, "delivered")
    assert jobs.waiting() == []
    assert jobs.add("net", "1", BODY) is False
    with jobs.taken(job_id) as job:
        assert job is None
    marker = tmp_path / "x" / "done" / job_id
    assert json.loads(marker.read_bytes()) == {"task": "net", "outcome": "delivered", "decision_id": "d"}


def test_the_token_is_on_no_disk(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "x")
    jobs.add("net", "1", BODY)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"never-on-a-disk" not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0 or path.name == ".gitignore"


@pytest.mark.parametrize("part", ["sealed", "name", "text"])
def test_a_file_that_somebody_changed_is_not_worked_on(tmp_path: Path, part: str) -> None:
    jobs = Jobs(tmp_path / "x")
    jobs.add("net", "1", BODY)
    path = tmp_path / "x" / "waiting" / only(jobs)
    if part == "name":
        path = path.rename(path.with_name("0" * 40))
    elif part == "text":
        path.write_bytes(b"{}")
    else:
        content = json.loads(path.read_bytes())
        content["sealed"] = content["sealed"][:-8] + "AAAAAAA="
        path.write_text(json.dumps(content))
    with pytest.raises(AuditError, match="not a run task that was sealed here"), jobs.taken(path.name):
        pass
    assert jobs.waiting() == []


def test_there_is_an_end_to_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_task_jobs, "MAX_WAITING", 2)
    jobs = Jobs(tmp_path / "x")
    assert [jobs.add("net", str(number), BODY) for number in range(2)] == [True, True]
    with pytest.raises(CannotDecideError, match="wait"):
        jobs.add("net", "3", BODY)


def test_what_was_done_long_ago_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(tmp_path / "x")
    jobs.add("net", "1", BODY)
    with jobs.taken(only(jobs)) as job:
        assert job is not None
        jobs.finish(job, "delivered")
    jobs.prune()
    assert jobs.add("net", "1", BODY) is False
    monkeypatch.setattr(run_task_jobs, "DONE_KEPT_S", -1.0)
    jobs.prune()
    assert jobs.add("net", "1", BODY) is True
