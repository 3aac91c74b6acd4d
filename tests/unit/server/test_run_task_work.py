"""How jobs are taken up: not those that somebody else works on, and again after something went wrong."""

import asyncio
import os
import types
from pathlib import Path
from typing import Any, cast

import pytest

from plangate.server.contracts.run_task_jobs import Jobs
from plangate.server.contracts.run_task_work import RunTaskSettings, Work
from plangate.server.request_log import RequestLog

EXPIRED = b'{"payload_version":1,"stage":"post_plan","access_token":"t"}'


class CountedJobs(Jobs):
    """Jobs that count how often somebody looks, and whose folder cannot be read for a while."""

    looks = 0
    broken = 0

    def waiting(self) -> list[str]:
        self.looks += 1
        if self.looks <= self.broken:
            raise OSError(24, os.strerror(24))
        return super().waiting()


def work_on(folder: Path, jobs: Jobs) -> tuple[Work, RequestLog]:
    """The work of a process that has jobs, and nobody to ask about them."""
    log = RequestLog()
    front = types.SimpleNamespace(settings=types.SimpleNamespace(folder=folder))
    return Work(cast("Any", front), cast("Any", types.SimpleNamespace(log=log)), RunTaskSettings(), jobs), log


def run_for(work: Work, seconds: float) -> None:
    async def limited() -> None:
        async with asyncio.timeout(seconds):
            await work.run()

    with pytest.raises(TimeoutError):
        asyncio.run(limited())


def add_expired(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is done without asking anybody: it is too old."""
    with monkeypatch.context() as patch:
        patch.setattr("plangate.server.contracts.run_task_jobs.time.time", lambda: 1_000.0)
        assert jobs.add("net", "old", EXPIRED)


def test_what_somebody_else_works_on_is_looked_at_now_and_then_only(tmp_path: Path) -> None:
    others, jobs = Jobs(tmp_path / "x"), CountedJobs(tmp_path / "x")
    others.add("net", "1", EXPIRED)
    (job_id,) = others.waiting()
    work, _ = work_on(tmp_path, jobs)
    with others.taken(job_id) as job:
        assert job is not None
        run_for(work, 1.0)
    assert jobs.looks == 1


def test_what_somebody_else_works_on_takes_nobodys_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others, jobs = Jobs(tmp_path / "x"), Jobs(tmp_path / "x")
    monkeypatch.setattr("plangate.server.contracts.run_task_work.MAX_AT_A_TIME", 1)
    others.add("net", "1", EXPIRED)
    (theirs,) = others.waiting()
    add_expired(jobs, monkeypatch)
    monkeypatch.setattr(jobs, "waiting", lambda: sorted(Jobs.waiting(jobs), key=lambda each: each != theirs))
    work, _ = work_on(tmp_path, jobs)
    with others.taken(theirs):
        run_for(work, 1.0)
    assert Jobs.waiting(jobs) == [theirs]


def test_a_folder_that_cannot_be_read_for_a_while_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plangate.server.contracts.run_task_work._SCAN_S", 0.05)
    jobs = CountedJobs(tmp_path / "x")
    jobs.broken = 2
    add_expired(Jobs(tmp_path / "x"), monkeypatch)
    work, log = work_on(tmp_path, jobs)
    run_for(work, 1.0)
    assert Jobs.waiting(jobs) == []
    assert [b"Too many open files" in line for line in log._lines] == [True, True]


def test_a_job_that_cannot_be_worked_on_is_taken_up_again_but_not_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = CountedJobs(tmp_path / "x")
    add_expired(Jobs(tmp_path / "x"), monkeypatch)

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(jobs, "finish", full)
    work, log = work_on(tmp_path, jobs)
    run_for(work, 3.0)
    assert jobs.looks == 2
    assert [b'"event":"crash"' in line for line in log._lines] == [True, True]
