"""The server as a process of its own, over real sockets: decisions, who may ask for them, and their limits."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from plangate.wiring import verify_log
from tests.server import DEPLOYMENT, PRIVILEGED, Server, serving

TOKENS = {"asker": "a-token", "reader": "another-token", "elsewhere": "a-third-token"}
SETTINGS = """\
server:
  audience: here
  callers:
    asker: {may: [ask], tokens: asker.txt}
    reader: {may: [read], tokens: reader.txt}
    limited: {may: [ask], tokens: limited.txt, rule_sets: [trial]}
  rule_sets:
    trial: {mode: warn}
  limits: {max_body_bytes: 20000, body_timeout_s: 1, header_timeout_s: 1}
"""


def digest(token: str) -> str:
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serve")
    (folder / "asker.txt").write_text(
        f"# the pipeline\n{digest('a-token')}\n{digest('a-third-token')} elsewhere\n"
    )
    (folder / "reader.txt").write_text(f"{digest('another-token')} here\n")
    (folder / "limited.txt").write_text(f"{digest('limited-token')}\n")
    with serving(folder, SETTINGS) as found:
        yield found


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client(headers={"authorization": "Bearer a-token"}) as found:
        yield found


def decisions(server: Server) -> dict[str, dict[str, Any]]:
    found = (record for record in server.records() if record["type"] == "decision")
    return {record["body"]["decision_id"]: record for record in found}


def test_an_allow_comes_with_its_record_and_a_receipt(server: Server, client: httpx.Client) -> None:
    answer = client.post("/v1/decisions?name=web.json&reference=run-7", content=DEPLOYMENT)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["result"], said["allowed"], said["mode"]) == ("allow", True, "enforce")
    assert said["decision"]["subject"]["sha256"] == hashlib.sha256(DEPLOYMENT).hexdigest()
    assert said["decision"]["subject"]["name"] == "web.json"
    assert said["receipt"]["payloadType"] == "application/vnd.in-toto+json"
    record = decisions(server)[said["decision_id"]]
    assert record["body"]["result"] == "allow"
    assert record["body"]["request"] == {"interface": "decisions", "reference": "run-7"}
    assert record["actor"] == {"kind": "service", "name": "asker"}


def test_a_denial_is_a_successful_answer_without_a_receipt(server: Server, client: httpx.Client) -> None:
    said = client.post("/v1/decisions", content=PRIVILEGED).raise_for_status().json()
    assert (said["result"], said["allowed"], said["receipt"]) == ("deny", False, None)
    assert decisions(server)[said["decision_id"]]["body"]["result"] == "deny"


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe\x00", b"{", b"[" * 10_000, b'{"a":1,"a":2}', b"PK\x03\x04 no archive", b"null", b'"text"'],
    ids=["no text", "cut short", "deep", "twice", "saved plan", "null", "a string"],
)
def test_what_cannot_be_read_is_recorded_and_allows_nothing(
    server: Server, client: httpx.Client, body: bytes
) -> None:
    said = client.post("/v1/decisions", content=body).raise_for_status().json()
    assert (said["result"], said["allowed"], said["receipt"]) == ("error", False, None)
    assert decisions(server)[said["decision_id"]]["body"]["result"] == "error"


def test_a_rule_set_that_only_warns_lets_a_denial_through_and_says_so(
    server: Server, client: httpx.Client
) -> None:
    said = client.post("/v1/decisions?rule_set=trial", content=PRIVILEGED).raise_for_status().json()
    assert (said["result"], said["allowed"], said["mode"], said["receipt"]) == ("deny", True, "warn", None)
    body = decisions(server)[said["decision_id"]]["body"]
    assert (body["result"], body["mode"]) == ("deny", "warn")


def test_a_rule_set_that_only_warns_lets_no_error_through(client: httpx.Client) -> None:
    said = client.post("/v1/decisions?rule_set=trial", content=b"{").raise_for_status().json()
    assert (said["result"], said["allowed"]) == ("error", False)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Basic YTpi"}, 401),
        ({"authorization": "Bearer"}, 401),
        ({"authorization": f"Bearer {digest('a-token')}"}, 401),
        ({"authorization": "Bearer a-third-token"}, 401),
        ({"authorization": "Bearer another-token"}, 403),
        ({"authorization": "Bearer limited-token"}, 403),
    ],
    ids=["none", "wrong", "basic", "empty", "its digest", "for elsewhere", "may only read", "other rule set"],
)
def test_nobody_asks_who_may_not(server: Server, headers: dict[str, str], status: int) -> None:
    before = len(server.records())
    with server.client(headers=headers) as client:
        assert client.post("/v1/decisions", content=DEPLOYMENT).status_code == status
    assert len(server.records()) == before


def test_a_decision_can_be_read_again_by_those_who_may(server: Server, client: httpx.Client) -> None:
    said = client.post("/v1/decisions", content=DEPLOYMENT).json()
    path = f"/v1/decisions/{said['decision_id']}"
    assert client.get(path).status_code == 403
    with server.client(headers={"authorization": "Bearer another-token"}) as reader:
        found = reader.get(path).raise_for_status().json()
        assert found["record"] == decisions(server)[said["decision_id"]]
        assert found["index"] == said["decision"]["log"]["index"]
        assert reader.get(f"/v1/decisions/{'0' * 36}").status_code == 404


def test_bodies_beyond_the_limit_are_refused_before_and_while_they_are_read(client: httpx.Client) -> None:
    assert client.post("/v1/decisions", content=b" " * 20_001).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 1_000

    assert client.post("/v1/decisions", content=pieces()).status_code == 413
    bomb = gzip.compress(b" " * 10_000_000)
    packed = client.post("/v1/decisions", content=bomb, headers={"content-encoding": "gzip"})
    assert packed.status_code == 413


def test_a_packed_body_is_judged_as_what_it_unpacks_to(client: httpx.Client) -> None:
    said = client.post(
        "/v1/decisions", content=gzip.compress(DEPLOYMENT), headers={"content-encoding": "gzip"}
    ).json()
    assert said["decision"]["subject"]["sha256"] == hashlib.sha256(DEPLOYMENT).hexdigest()
    cut = gzip.compress(DEPLOYMENT)[:-9]
    assert client.post("/v1/decisions", content=cut, headers={"content-encoding": "gzip"}).status_code == 400


def test_answers_have_their_headers_and_name_the_request(client: httpx.Client) -> None:
    answer = client.get("/nothing", headers={"x-request-id": "abc"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["x-content-type-options"] == "nosniff"
    answer = client.get("/livez", headers={"x-request-id": "abc"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, "abc")
    assert client.get("/v1/decisions").status_code == 405


def test_it_is_ready_and_counts(server: Server, client: httpx.Client) -> None:
    client.post("/v1/decisions", content=DEPLOYMENT)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    with server.client(headers={"authorization": "Bearer another-token"}) as reader:
        text = reader.get("/metrics").text
    assert 'plangate_decisions_total{mode="enforce",result="allow",rule_set="default"}' in text


def test_every_request_is_a_line_of_json_with_its_decision(server: Server, client: httpx.Client) -> None:
    said = client.post("/v1/decisions", content=DEPLOYMENT).json()
    line = json.loads(server.wait_for(said["decision_id"], 5))
    assert (line["event"], line["status"], line["caller"], line["result"]) == (
        "request", 200, "asker", "allow",
    )  # fmt: skip


def test_it_finishes_and_leaves_a_log_that_verifies(tmp_path: Path) -> None:
    with serving(tmp_path, "server: {unsafe_anonymous: [ask]}\n") as server:
        with server.client() as client:
            said = client.post("/v1/decisions", content=DEPLOYMENT).raise_for_status().json()
        assert server.stop() == 0
    assert said["decision_id"] in decisions(server)
    verified = verify_log(tmp_path / ".plangate", keys=(), bundle=None, checkpoint=None)
    assert not verified.problems
