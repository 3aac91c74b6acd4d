"""The server when something breaks: no yes that should not be, no lost record, and it comes back by itself."""

import contextlib
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import pytest

from plangate.wiring import verify_log
from tests.server import DEPLOYMENT, PRIVILEGED, Server, serving

OPEN = "server: {unsafe_anonymous: [ask, read], limits: {header_timeout_s: 1, body_timeout_s: 1}}\n"
SLOW_POLICY = """# METADATA
# title: Takes its time
# description: A rule that is slow for one name.
# custom:
#   id: slow-rule
#   severity: low
#   enforcement: mandatory
#   kinds: [kubernetes.workload]
#   remediation: None.
package policies.own.slow_rule

import data.plangate.lib

deny contains lib.finding(resource, "slow") if {
	some resource in lib.of_kind("kubernetes.workload")
	resource.after.metadata.name == "slow"
	count([1 | some a in numbers.range(1, 4000); some b in numbers.range(1, 4000); a == b + 1]) == 0
}
"""
DENIES = """# METADATA
# title: Nothing is called web
# description: A rule that denies one name.
# custom:
#   id: no-web
#   severity: low
#   enforcement: mandatory
#   kinds: [kubernetes.workload]
#   remediation: Call it something else.
package policies.own.no_web

import data.plangate.lib

deny contains lib.finding(resource, "is called web") if {
	some resource in lib.of_kind("kubernetes.workload")
	resource.after.metadata.name == "web"
}
"""
WRONG_TEST = """package policies.own.no_web_test

import data.policies.own.no_web

test_web_is_denied if {
	web := {
		"address": "Deployment/shop/web", "type": "Deployment", "kind": "kubernetes.workload", "action": "create",
		"mode": "managed", "deposed": null, "existing": false, "before": null, "unknown": [], "references": [],
		"after": {"metadata": {"name": "web"}}, "facts": {},
	}
	count(no_web.deny) == 7 with input as {"resources": [web]}
}
"""


class Load:
    """Asks for denials and allows without end, and keeps what was answered."""

    def __init__(self, server: Server, threads: int = 3) -> None:
        self.server = server
        self.answers: list[tuple[bytes, int, dict[str, Any]]] = []
        self.problems: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(threads)]

    def _ask(self, number: int) -> None:
        with self.server.client() as client:
            while not self._stop.is_set():
                body = PRIVILEGED if number % 2 else DEPLOYMENT
                try:
                    answer = client.post("/v1/decisions?receipt=false", content=body)
                    self.answers.append((body, answer.status_code, answer.json()))
                except (httpx.HTTPError, ValueError) as error:
                    self.problems.append(type(error).__name__)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask nothing more, and wait for the last answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def check(self) -> None:
        """No denial was let through, and whatever was answered is in the log as it was answered."""
        recorded = {
            record["body"]["decision_id"]: record["body"]["result"]
            for record in self.server.records()
            if record["type"] == "decision"
        }
        for body, status, said in self.answers:
            if status == 200:
                assert recorded[said["decision_id"]] == said["result"]
                assert said["allowed"] == (said["result"] == "allow")
                assert not (said["allowed"] and body == PRIVILEGED)
            else:
                assert status == 503
                assert "allowed" not in said


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def judges(server: Server) -> list[int]:
    """The processes that judge: those that a loader started."""
    return [pid for pid in server.processes() if parent(pid) != server.process.pid]


def loaders(server: Server) -> list[int]:
    """The processes that loaded policies: parents of those that judge."""
    return sorted({parent(pid) for pid in judges(server)})


def log_writer(server: Server) -> int:
    """The process that has the log open."""
    for pid in server.processes():
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if link.readlink().name == "log.sqlite3":
                    return pid
    raise AssertionError("nobody has the log open")


def ask_until_allowed(server: Server, timeout_s: float = 20.0) -> None:
    """The server allows again what has to be allowed."""
    until = time.monotonic() + timeout_s
    last: Any = None
    with server.client() as client:
        while time.monotonic() < until:
            with contextlib.suppress(httpx.HTTPError):
                last = client.post("/v1/decisions", content=DEPLOYMENT)
                if last.status_code == 200 and last.json()["result"] == "allow":
                    return
            time.sleep(0.1)
    raise AssertionError(f"it did not come back: {last and last.text}")


def test_judges_and_loaders_that_are_killed_under_load_cost_no_record(tmp_path: Path) -> None:
    with serving(tmp_path, OPEN) as server, Load(server) as load:
        for find in (judges, loaders, judges, loaders):
            time.sleep(0.7)
            for pid in find(server):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.7)
        ask_until_allowed(server)
        load.stop()
        load.check()
        assert not load.problems
        assert any(status == 200 for _, status, _ in load.answers)


def test_a_log_writer_that_is_killed_is_started_again_and_nothing_is_answered_without_it(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, OPEN) as server, Load(server) as load:
        time.sleep(0.5)
        os.kill(log_writer(server), signal.SIGKILL)
        time.sleep(1.5)
        ask_until_allowed(server)
        load.stop()
        load.check()
        assert server.stop() == 0
    assert not verify_log(tmp_path / ".plangate", keys=(), bundle=None, checkpoint=None).problems


def test_a_worker_that_is_killed_is_started_again(tmp_path: Path) -> None:
    with serving(tmp_path, OPEN) as server:
        ask_until_allowed(server)
        with server.client() as client:
            client.post("/v1/decisions", content=DEPLOYMENT)
        (front,) = [pid for pid in server.processes() if has_event_loop(pid, server)]
        os.kill(front, signal.SIGKILL)
        ask_until_allowed(server)
        assert server.stop() == 0


def has_event_loop(pid: int, server: Server) -> bool:
    """The process answers: it has an epoll descriptor, and the listening socket of the server."""
    names = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            names.append(str(link.readlink()))
    port = urlsplit(server.url).port or 0
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    inodes = {line.split()[9] for line in table if line.split()[1].endswith(f":{port:04X}")}
    return "anon_inode:[eventpoll]" in names and any(f"socket:[{inode}]" in names for inode in inodes)


def test_a_full_disk_is_no_decision_and_room_makes_it_decide_again(tmp_path: Path) -> None:
    with serving(tmp_path, OPEN) as server:
        ask_until_allowed(server)
        writer = log_writer(server)
        size = (tmp_path / ".plangate" / "log.sqlite3-wal").stat().st_size
        set_file_limit(writer, size)
        with server.client() as client:
            answers = [client.post("/v1/decisions", content=DEPLOYMENT) for _ in range(60)]
            refused = [answer for answer in answers if answer.status_code != 200]
            assert refused
            assert {answer.status_code for answer in refused} == {503}
            assert {answer.json()["code"] for answer in refused} == {"not_recorded"}
            time.sleep(2.1)
            assert client.get("/readyz").status_code in {200, 503}
        set_file_limit(log_writer(server), 1 << 40)
        ask_until_allowed(server)
        assert server.stop() == 0
    assert not verify_log(tmp_path / ".plangate", keys=(), bundle=None, checkpoint=None).problems


def set_file_limit(pid: int, size: int) -> None:
    """How big a file this process may make."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_log_that_stands_still_is_no_decision(tmp_path: Path) -> None:
    text = "server: {unsafe_anonymous: [ask], limits: {record_timeout_s: 0.5}}\n"
    with serving(tmp_path, text) as server:
        ask_until_allowed(server)
        writer = log_writer(server)
        os.kill(writer, signal.SIGSTOP)
        try:
            with server.client() as client:
                started = time.monotonic()
                answer = client.post("/v1/decisions?receipt=false", content=DEPLOYMENT)
                assert (answer.status_code, answer.json()["code"]) == (503, "not_recorded")
                assert time.monotonic() - started < 5
        finally:
            os.kill(writer, signal.SIGCONT)
        ask_until_allowed(server)


def test_judging_that_takes_too_long_is_ended_and_recorded_as_no_decision(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "slow_rule.rego").write_text(SLOW_POLICY)
    text = "policies: [own]\nserver: {unsafe_anonymous: [ask], limits: {evaluation_timeout_s: 1}}\n"
    slow = DEPLOYMENT.replace(b'"name": "web", "namespace"', b'"name": "slow", "namespace"')
    assert slow != DEPLOYMENT
    with serving(tmp_path, text) as server:
        ask_until_allowed(server)
        with server.client() as client:
            started = time.monotonic()
            said = client.post("/v1/decisions", content=slow).raise_for_status().json()
            assert time.monotonic() - started < 5
        assert (said["result"], said["allowed"]) == ("error", False)
        assert said["decision"]["inputs"][0]["problem"].startswith("judging took longer than 1 s")
        ask_until_allowed(server)


def test_slow_senders_are_cut_off_and_hold_up_nobody(tmp_path: Path) -> None:
    with serving(tmp_path, OPEN) as server:
        url = urlsplit(server.url)
        with contextlib.ExitStack() as stack:
            slow = [
                stack.enter_context(socket.create_connection((url.hostname or "", url.port or 0), timeout=5))
                for _ in range(200)
            ]
            for number, connection in enumerate(slow):
                if number % 3 == 0:
                    connection.sendall(b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\n")
                elif number % 3 == 1:
                    connection.sendall(
                        b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{"
                    )
            ask_until_allowed(server)
            started = time.monotonic()
            for number, connection in enumerate(slow):
                with contextlib.suppress(ConnectionResetError):
                    answer = connection.recv(1_000)
                    assert b" 200 " not in answer
                    assert (b" 408 " in answer) or answer == b"", number
            assert time.monotonic() - started < 5


def test_clients_that_never_read_are_cut_off(tmp_path: Path) -> None:
    with serving(
        tmp_path, OPEN.replace("header_timeout_s: 1", "write_timeout_s: 1, header_timeout_s: 1")
    ) as server:
        url = urlsplit(server.url)
        with socket.socket() as deaf, server.client() as client:
            answer = len(client.get("/v1/openapi.json").raise_for_status().content)
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            deaf.settimeout(10)
            deaf.connect((url.hostname or "", url.port or 0))
            asked = 8_000_000 // answer
            deaf.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * asked)
            time.sleep(2.5)
            taken = 0
            with contextlib.suppress(ConnectionResetError):
                while piece := deaf.recv(1 << 20):
                    taken += len(piece)
            assert taken < asked * answer


@contextlib.contextmanager
def changing(tmp_path: Path) -> Iterator[Server]:
    """A server with a folder of policies of its own."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "slow_rule.rego").write_text(SLOW_POLICY)
    with serving(tmp_path, f"policies: [own]\n{OPEN}", ("--workers", "2")) as server:
        ask_until_allowed(server)
        yield server


def activations(server: Server) -> list[str]:
    return [r["body"]["sha256"] for r in server.records() if r["type"] == "policy.activated"]


def test_new_policies_come_into_use_under_load_without_a_failed_request(tmp_path: Path) -> None:
    with changing(tmp_path) as server:
        (before,) = activations(server)
        with Load(server) as load:
            time.sleep(0.3)
            (tmp_path / "own" / "no_web.rego").write_text(DENIES)
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("are in use now")
            asked_after = len(load.answers) + 10
            until = time.monotonic() + 20
            while len(load.answers) < asked_after + 10 and time.monotonic() < until:
                time.sleep(0.1)
        load.check()
        assert not load.problems
        assert {status for _, status, _ in load.answers} == {200}
        assert {said["result"] for _, _, said in load.answers[asked_after:]} == {"deny"}
        assert "error" not in {said["result"] for _, _, said in load.answers}
        after = activations(server)
        assert after[0] == before
        assert len(after) == 2
        digests = [said["decision"]["policy"]["sha256"] for _, _, said in load.answers]
        assert set(digests) == set(after)


def test_broken_policies_leave_the_old_ones_in_use_and_that_can_be_seen(tmp_path: Path) -> None:
    with changing(tmp_path) as server:
        (tmp_path / "own" / "no_web.rego").write_text("package policies.own.no_web\n\nthis is no rego")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("the policies were not reloaded")
        ask_until_allowed(server)
        with server.client() as client:
            ready = client.get("/readyz")
            assert ready.status_code == 200
            assert "no_web.rego" in ready.json()["policy"]["reload_problem"]
            assert "plangate_policy_reload_failed 1.0" in client.get("/metrics").text
        assert len(activations(server)) == 1
        # A judge that ends now is started from what was loaded, not from what lies in the folder.
        for pid in judges(server):
            os.kill(pid, signal.SIGKILL)
        ask_until_allowed(server)
        assert len(activations(server)) == 1
        (tmp_path / "own" / "no_web.rego").write_text(DENIES)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("are in use now")
        with server.client() as client:
            assert client.post("/v1/decisions", content=DEPLOYMENT).json()["result"] == "deny"
            assert client.get("/readyz").json()["policy"]["reload_problem"] is None


def test_policies_whose_tests_do_not_pass_leave_the_old_ones_in_use(tmp_path: Path) -> None:
    with changing(tmp_path) as server:
        (tmp_path / "own" / "no_web.rego").write_text(DENIES)
        (tmp_path / "own" / "no_web_test.rego").write_text(WRONG_TEST)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("the policies were not reloaded")
        with server.client() as client:
            assert client.post("/v1/decisions", content=DEPLOYMENT).json()["result"] == "allow"
            problem = client.get("/readyz").json()["policy"]["reload_problem"]
        assert problem == (
            "own/no_web_test.rego:5: 1 of 1 tests do not pass: policies.own.no_web_test.test_web_is_denied"
        )
        assert len(activations(server)) == 1
        (tmp_path / "own" / "no_web_test.rego").write_text(WRONG_TEST.replace("== 7", "== 1"))
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("are in use now")
        with server.client() as client:
            assert client.post("/v1/decisions", content=DEPLOYMENT).json()["result"] == "deny"


def test_it_does_not_start_with_policies_whose_tests_do_not_pass(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "no_web.rego").write_text(DENIES)
    (tmp_path / "own" / "no_web_test.rego").write_text(WRONG_TEST)
    with (
        pytest.raises(pytest.fail.Exception, match="tests do not pass"),
        serving(tmp_path, f"policies: [own]\n{OPEN}"),
    ):
        pass


def test_what_was_accepted_is_finished_before_the_end(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "slow_rule.rego").write_text(SLOW_POLICY.replace("4000", "1500"))
    slow = DEPLOYMENT.replace(b'"name": "web", "namespace"', b'"name": "slow", "namespace"')
    with serving(tmp_path, f"policies: [own]\n{OPEN}") as server:
        ask_until_allowed(server)
        found: list[dict[str, Any]] = []

        def ask() -> None:
            with server.client() as client:
                found.append(client.post("/v1/decisions", content=slow).raise_for_status().json())

        thread = threading.Thread(target=ask)
        with server.client() as client:
            thread.start()
            until = time.monotonic() + 20
            while "plangate_requests_running 1.0" not in client.get("/metrics").text:
                assert not found
                assert time.monotonic() < until
                time.sleep(0.02)
        assert not found
        assert server.stop() == 0
        thread.join()
        (said,) = found
        recorded = [r["body"]["decision_id"] for r in server.records() if r["type"] == "decision"]
        assert said["decision_id"] == recorded[-1]


def test_no_process_is_left_when_the_main_one_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path, OPEN) as server:
        ask_until_allowed(server)
        below = server.processes()
        assert len(below) >= 4
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        until = time.monotonic() + 15
        while time.monotonic() < until and any(is_alive(pid) for pid in below):
            time.sleep(0.1)
        assert [pid for pid in below if is_alive(pid)] == []


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False
