"""Contracts when something breaks behind them: each one says no in its caller's format, and in time."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.command_line import ALLOWED
from tests.integration.test_serve_faults import judges, log_writer
from tests.integration.test_serve_hooks import GOOD, bucket, event
from tests.integration.test_serve_kubernetes import review
from tests.run_tasks import Terraform, send, settings_for, terraform
from tests.server import Server, serving

OTHERS = """\
    kubernetes: {}
    cloudformation-hooks: {}
  limits: {record_timeout_s: 1, evaluation_timeout_s: 3}
"""


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    with terraform(tmp_path_factory.mktemp("terraform")) as found:
        yield found


@pytest.fixture(scope="module")
def server(task: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serve")
    text = settings_for(task).replace("unsafe_anonymous: [read]", "unsafe_anonymous: [ask, read]")
    with serving(folder, text + OTHERS) as found:
        yield found


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as found:
        yield found


@contextmanager
def standing_still(pids: list[int]) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue


def admitted(client: httpx.Client, timeout: str = "10s") -> dict[str, Any]:
    answer = client.post(f"/v1/kubernetes/admission?timeout={timeout}", json=review())
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["response"]
    assert found["uid"] == review()["request"]["uid"]
    return found


def hooked(client: httpx.Client) -> dict[str, Any]:
    answer = client.post("/v1/cloudformation/hooks", json=event(**bucket(GOOD)))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_without_a_record_there_is_no_yes_in_any_format(
    server: Server, client: httpx.Client, task: Terraform
) -> None:
    assert admitted(client)["allowed"] is True
    task.plan[:] = [(200, {}, ALLOWED.read_bytes())]
    task.callbacks.clear()
    with standing_still([log_writer(server)]):
        said = admitted(client)
        assert (said["allowed"], said["status"]["code"]) == (False, 503)
        assert "could not be recorded" in said["status"]["message"]
        assert hooked(client)["errorCode"] == "InternalFailure"
        assert send(client, task.payload(task_result_id="no-record")).status_code == 200
        final = task.final()
        assert (final["status"], "could not be recorded" in final["message"]) == ("failed", True)
    until(lambda: admitted(client)["allowed"] is True)
    assert hooked(client)["hookStatus"] == "SUCCESS"


def test_a_judge_that_stands_still_is_no_yes_and_the_answer_comes_in_time(
    server: Server, client: httpx.Client
) -> None:
    with standing_still(judges(server)):
        started = time.monotonic()
        said = admitted(client, "1s")
        assert time.monotonic() - started < 1.0
        assert (said["allowed"], said["status"]["code"]) == (False, 500)
    until(lambda: admitted(client)["allowed"] is True)


def test_after_a_judge_was_killed_a_yes_is_one_that_is_recorded(server: Server, client: httpx.Client) -> None:
    for pid in judges(server):
        os.kill(pid, signal.SIGKILL)
    answers = [admitted(client) for _ in range(5)]
    recorded = {
        record["body"]["decision_id"]: record["body"]["result"]
        for record in server.records()
        if record["type"] == "decision"
    }
    for said in answers:
        assert said["allowed"] is (recorded[said["auditAnnotations"]["decision-id"]] == "allow")
    until(lambda: admitted(client)["allowed"] is True)
