"""The other interfaces of the server, over real sockets: OPA's, AuthZEN, the log, approvals."""

import gzip
import hashlib
import json
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from plangate.audit import checkpoint as notes
from plangate.audit import merkle
from plangate.audit.keys import public_key_file
from tests.command_line import environment, run
from tests.server import DEPLOYMENT, PRIVILEGED, Server, serving, settings

SETTINGS = """\
rules:
  workload-not-privileged: {enforcement: overridable}
  pod-security: {enforcement: overridable}
server:
  unsafe_anonymous: [ask, read, approve]
  queries: {policies: [rego], data: [extra.json], main: app/main, authzen: authzen/allow}
"""
APP = """package app

import rego.v1

main := {"allowed": input.user == "alice"}

default allow := false

allow if input.user == "alice"

seen if input

count_of := data.extra.numbers[1]

broken := 1 if input.user
broken := 2 if input.user
"""
AUTHZEN = """package authzen

import rego.v1

default allow := false

allow if {
	input.action.name == "read"
	input.subject.id in {"alice", "bob"}
}

allow if {
	input.action.name == "write"
	input.subject.id == "alice"
	not archived
}

allow if {
	input.action.name == "write"
	input.subject.properties.role == "admin"
}

allow if {
	input.action.name == "delete"
	input.subject.id == "alice"
	input.action.properties.soft == true
}

archived if input.resource.properties.status == "archived"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serve")
    (folder / "rego").mkdir()
    (folder / "rego" / "app.rego").write_text(APP)
    (folder / "rego" / "authzen.rego").write_text(AUTHZEN)
    (folder / "extra.json").write_text('{"extra": {"numbers": [1, 12345678901234567890]}}')
    with serving(folder, SETTINGS) as found:
        yield found


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as found:
        yield found


def queries(server: Server) -> dict[str, dict[str, Any]]:
    found = (record["body"] for record in server.records() if record["type"] == "query.answered")
    return {body["query_id"]: body for body in found}


# --- OPA


def test_opas_own_client_works_unchanged(server: Server) -> None:
    opa_client = pytest.importorskip("opa_client.opa")
    url = urlsplit(server.url)
    with opa_client.OpaClient(host=url.hostname or "", port=url.port or 0) as opa:
        assert opa.check_connection() is True
        assert opa.check_health() is True
        found = opa.query_rule({"user": "alice"}, "app", "allow")
        assert found["result"] is True
        assert found["decision_id"] in queries(server)
        assert [name.rpartition("/")[2] for name in opa.get_policies_list()] == ["app.rego", "authzen.rego"]
        with pytest.raises(Exception, match=r"(?i)unauthorized|403|policies"):
            opa.update_policy_from_string("package x", "x")
        assert [name.rpartition("/")[2] for name in opa.get_policies_list()] == ["app.rego", "authzen.rego"]


def test_a_query_is_recorded_with_what_was_asked_and_said(server: Server, client: httpx.Client) -> None:
    body = {"input": {"user": "bob"}}
    said = client.post("/v1/data/app/allow?metrics&provenance", json=body).raise_for_status().json()
    assert said["result"] is False
    assert said["metrics"]["timer_rego_query_eval_ns"] > 0
    recorded = queries(server)[said["decision_id"]]
    assert recorded["path"] == "app/allow"
    assert recorded["result_sha256"] == hashlib.sha256(b"false").hexdigest()
    assert (
        recorded["input_sha256"]
        == hashlib.sha256(client.build_request("POST", "/", json=body["input"]).content).hexdigest()
    )


def test_undefined_is_no_result_in_v1_and_not_found_in_v0(client: httpx.Client) -> None:
    said = client.post("/v1/data/app/nothing", json={"input": {}})
    assert (said.status_code, "result" in said.json()) == (200, False)
    bare = client.post("/v0/data/app/nothing", json={})
    assert (bare.status_code, bare.json()["code"]) == (404, "undefined_document")
    assert client.post("/v0/data/app/allow", json={"user": "alice"}).json() is True
    assert client.post("/", json={"user": "alice"}).json() == {"allowed": True}


def test_without_input_it_is_undefined_and_warned_about(client: httpx.Client) -> None:
    said = client.post("/v1/data/app/seen").raise_for_status().json()
    assert "result" not in said
    assert said["warning"]["code"] == "api_usage_warning"
    assert client.post("/v1/data/app/seen", json={"input": {}}).json()["result"] is True
    assert "result" not in client.post("/v1/data/app/seen").json()
    assert client.get("/v1/data/app/allow", params={"input": '{"user":"alice"}'}).json()["result"] is True


def test_paths_are_decoded_and_numbers_are_kept(client: httpx.Client) -> None:
    assert client.post("/v1/data/app/allow/", json={"input": {"user": "alice"}}).json()["result"] is True
    assert client.post("/v1/data/%61pp/allow", json={"input": {"user": "alice"}}).json()["result"] is True
    assert client.post("/v1/data/extra/numbers/1").json()["result"] == 12345678901234567890
    assert client.post("/v1/data/app/allow%22%5D%20%7C%7C%20true").status_code == 200


def test_yaml_and_packed_bodies_are_read(client: httpx.Client) -> None:
    yaml = client.post(
        "/v1/data/app/allow", content="input:\n  user: alice\n", headers={"content-type": "application/yaml"}
    )
    assert yaml.json()["result"] is True
    packed = gzip.compress(b'{"input":{"user":"alice"}}')
    assert client.post("/v1/data/app/allow", content=packed, headers={"content-encoding": "gzip"}).json()[
        "result"
    ]


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("POST", "/v1/data/app/allow", b"{", 400, "invalid_parameter"),
        ("POST", "/v1/data/app/allow", b'{"input":1,"input":2}', 400, "invalid_parameter"),
        ("POST", "/v1/data/app/allow", b'{"input":NaN}', 400, "invalid_parameter"),
        ("POST", "/v1/data/app/allow", b'{"input":' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400, "invalid_parameter"),
        ("POST", "/v1/data/app/allow?explain=all", b"{}", 400, "invalid_parameter"),
        ("POST", "/v1/data", b"{}", 403, "unauthorized"),
        ("PUT", "/v1/data/app/allow", b"{}", 403, "unauthorized"),
        ("PATCH", "/v1/data/app", b"[]", 403, "unauthorized"),
        ("DELETE", "/v1/policies/app.rego", b"", 403, "unauthorized"),
        ("POST", "/v1/query", b"{}", 501, "not_implemented"),
        ("POST", "/v1/compile", b"{}", 501, "not_implemented"),
        ("POST", "/v1/data/app/broken", b'{"input":{"user":"x"}}', 500, "internal_error"),
        ("GET", "/v1/policies/nothing", b"", 404, "resource_not_found"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_said_in_opas_words(
    client: httpx.Client, method: str, path: str, content: bytes, status: int, code: str
) -> None:
    said = client.request(method, path, content=content)
    assert (said.status_code, said.json()["code"]) == (status, code)
    assert "result" not in said.json()


def test_head_is_no_method_of_data(client: httpx.Client) -> None:
    assert client.put("/v1/config").status_code == 405


# --- AuthZEN


def question(subject: str, action: str, /, **more: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "user", "id": subject, "properties": more.get("subject", {})},
        "action": {"name": action, "properties": more.get("action", {})},
        "resource": {"type": "record", "id": "record-1", "properties": more.get("resource", {})},
    }


SCENARIO = [
    (question("alice", "read"), True),
    (question("alice", "write"), True),
    (question("bob", "read"), True),
    (question("bob", "write"), False),
    (question("alice", "write", resource={"status": "archived"}), False),
    (question("carol", "write", subject={"role": "admin"}, resource={"status": "archived"}), True),
    (question("alice", "delete", action={"soft": True}), True),
    (question("alice", "delete", action={"soft": False}), False),
]


@pytest.mark.parametrize(("body", "expected"), SCENARIO)
@pytest.mark.parametrize("context", [{}, {"context": {"time": "2026-01-02T03:04:05Z"}, "unknown": 1}])
def test_the_certification_scenario_holds(
    server: Server, client: httpx.Client, body: dict[str, Any], expected: bool, context: dict[str, Any]
) -> None:
    answer = client.post("/access/v1/evaluation", json=body | context, headers={"x-request-id": "r-1"})
    assert (answer.status_code, answer.json()["decision"]) == (200, expected)
    assert answer.headers["x-request-id"] == "r-1"
    assert queries(server)[answer.json()["context"]["id"]]["decision"] is expected


def test_evaluations_keep_their_order_and_stop_where_they_are_told_to(client: httpx.Client) -> None:
    items = [body for body, _ in SCENARIO]
    decisions = [expected for _, expected in SCENARIO]

    def asked(**more: Any) -> list[bool]:
        answer = client.post("/access/v1/evaluations", json={"evaluations": items, **more})
        return [each["decision"] for each in answer.raise_for_status().json()["evaluations"]]

    assert asked() == decisions
    assert asked(options={"evaluations_semantic": "deny_on_first_deny"}) == decisions[:4]
    assert asked(options={"evaluations_semantic": "permit_on_first_permit"}) == decisions[:1]


def test_an_item_replaces_whole_entities_and_a_bad_one_is_a_no(client: httpx.Client) -> None:
    whole = question("alice", "write", resource={"status": "archived"})
    items = [{}, {"resource": {"type": "record", "id": "record-1"}}, {"subject": {"id": "alice"}}, "nothing"]
    said = client.post("/access/v1/evaluations", json={**whole, "evaluations": items}).json()["evaluations"]
    assert [each["decision"] for each in said] == [False, True, False, False]
    assert [each["context"].get("error", {}).get("status") for each in said] == [None, None, 400, 400]
    nothing: list[dict[str, Any]] = [{}, {"evaluations": []}]
    for empty in nothing:
        assert (
            client.post("/access/v1/evaluations", json=question("alice", "read") | empty).json()["decision"]
            is True
        )


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"{}", "application/json"),
        (json.dumps(question("alice", "read")).encode(), "text/plain"),
        (json.dumps(question("alice", "read") | {"subject": "alice"}).encode(), "application/json"),
        (json.dumps(question("alice", "read") | {"action": {}}).encode(), "application/json"),
        (json.dumps(question("alice", "read") | {"resource": {"id": "x"}}).encode(), "application/json"),
    ],
)
def test_what_is_no_question_is_a_bad_request(client: httpx.Client, content: bytes, kind: str) -> None:
    answer = client.post("/access/v1/evaluation", content=content, headers={"content-type": kind})
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)


def test_a_plan_goes_down_the_gates_own_road(server: Server, client: httpx.Client) -> None:
    for manifest, expected in ((DEPLOYMENT, True), (PRIVILEGED, False)):
        body = {
            "subject": {"type": "workload", "id": "argo/apps"},
            "action": {"name": "apply"},
            "resource": {"type": "kubernetes_object", "id": "web", "properties": json.loads(manifest)},
        }
        said = client.post("/access/v1/evaluation", json=body).raise_for_status().json()
        assert said["decision"] is expected
        (record,) = [
            r["body"] for r in server.records()
            if r["type"] == "decision" and r["body"]["decision_id"] == said["context"]["id"]
        ]  # fmt: skip
        assert record["request"]["subject"] == "workload:argo/apps"


# --- the log


def test_the_log_proves_a_decision_from_its_tiles(server: Server, client: httpx.Client) -> None:
    said = client.post("/v1/decisions", content=DEPLOYMENT).raise_for_status().json()
    index = said["decision"]["log"]["index"]
    note = client.get("/v1/log/checkpoint").raise_for_status().text
    signed = notes.verify(note, public_keys=[public_key_file(server.folder / ".plangate" / "log.pub")[1]])
    assert signed.size > index
    size = signed.size
    proof = client.get("/v1/log/proof/inclusion", params={"index": index, "size": size}).json()["proof"]
    bundle = b"".join(
        client.get(f"/v1/log/tile/entries/{name}").raise_for_status().content for name in tiles(size)
    )
    records = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        records.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert json.loads(records[index])["body"]["decision_id"] == said["decision_id"]
    leaves = b"".join(client.get(f"/v1/log/tile/0/{name}").raise_for_status().content for name in tiles(size))
    assert leaves == b"".join(merkle.leaf_hash(record) for record in records)
    merkle.verify_inclusion(
        leaf=merkle.leaf_hash(records[index]),
        index=index,
        size=size,
        proof=[bytes.fromhex(item) for item in proof],
        root=signed.root,
    )
    consistency = client.get("/v1/log/proof/consistency", params={"old": 1, "new": size})
    assert consistency.status_code == 200


def tiles(size: int) -> list[str]:
    full = [f"{number:03d}" for number in range(size // 256)]
    return [*full, f"{size // 256:03d}.p/{size % 256}"] if size % 256 else full


@pytest.mark.parametrize(
    "path",
    ["tile/0/999", "tile/0/000.p/0", "tile/0/000.p/257", "tile/8/000", "tile/00/000", "tile/0/0", "tile/x/000",
     "tile/0/x000/000", "tile/entries/999", "proof/inclusion?index=99999999", "tile/-1/000"],
)  # fmt: skip
def test_what_is_not_in_the_log_is_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(f"/v1/log/{path}").status_code == 404


# --- approvals


def test_an_approval_lifts_an_overridable_rule_for_that_very_plan(client: httpx.Client) -> None:
    denied = client.post("/v1/decisions", content=PRIVILEGED).json()
    rules = sorted({o["rule"] for o in denied["decision"]["outcomes"] if o.get("effect") == "denies"})
    assert rules
    body = {"plan_sha256": hashlib.sha256(PRIVILEGED).hexdigest(), "rules": rules, "reason": "a trial"}
    given = client.post("/v1/approvals", json=body)
    assert given.status_code == 201, given.text
    allowed = client.post("/v1/decisions", content=PRIVILEGED).json()
    assert (allowed["result"], {a["rule"] for a in allowed["decision"]["approvals"]}) == ("allow", set(rules))
    assert client.post("/v1/decisions", content=PRIVILEGED + b" ").json()["result"] == "deny"


@pytest.mark.parametrize(
    "change",
    [
        {"plan_sha256": "x"},
        {"rules": []},
        {"rules": ["blast-radius", "no-such-rule"]},
        {"rules": ["pod-security", "pod-security"]},
        {"valid_minutes": 0},
        {"valid_minutes": 20_000},
        {"reason": " "},
        {"rule_set": "nowhere"},
    ],
)
def test_an_approval_that_makes_no_sense_is_refused(client: httpx.Client, change: dict[str, Any]) -> None:
    body = {"plan_sha256": "0" * 64, "rules": ["workload-not-privileged"], "reason": "a trial"} | change
    assert client.post("/v1/approvals", json=body).status_code in {400, 404}


# --- the wire


def raw(server: Server, data: bytes, *, wait_s: float = 5.0) -> bytes:
    url = urlsplit(server.url)
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=wait_s) as connection:
        connection.sendall(data)
        received = b""
        try:
            while piece := connection.recv(65_536):
                received += piece
        except (TimeoutError, ConnectionResetError):
            pass
        return received


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    request = b"GET /livez HTTP/1.1\r\nhost: x\r\nx-request-id: %d\r\n\r\n"
    answer = raw(server, b"".join(request % number for number in range(1, 6)), wait_s=2)
    found = [line for line in answer.split(b"\r\n") if line.startswith(b"x-request-id: ")]
    assert found == [b"x-request-id: %d" % number for number in range(1, 6)]


def test_garbage_behind_a_question_gets_no_yes_and_harms_nobody_else(server: Server) -> None:
    asked = (
        b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(PRIVILEGED) + PRIVILEGED
    )
    answer = raw(server, asked + b"\x00\xffgarbage\r\n\r\n", wait_s=2)
    assert b'"allowed":true' not in answer
    with server.client() as client:
        assert client.get("/livez").status_code == 200


def test_a_head_that_never_ends_is_cut_off(server: Server) -> None:
    head = b"GET /livez HTTP/1.1\r\nhost: x\r\n" + b"".join(
        b"x-%d: %s\r\n" % (n, b"y" * 1_000) for n in range(200)
    )
    answer = raw(server, head)
    assert answer.startswith(b"HTTP/1.1 431") or answer == b""
    url_line = raw(server, b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n")
    assert b" 200 " not in url_line[:20]


def test_many_requests_at_once_are_all_answered_and_recorded(server: Server) -> None:
    found: list[str] = []

    def ask() -> None:
        with server.client() as client:
            answers = [client.post("/v1/decisions?receipt=false", content=DEPLOYMENT) for _ in range(5)]
            found.extend(answer.json()["decision_id"] for answer in answers)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorded = {r["body"]["decision_id"] for r in server.records() if r["type"] == "decision"}
    assert len(found) == 40
    assert set(found) <= recorded


def test_no_folder_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "plangate.yaml").write_text("version: 1\nserver: {unsafe_anonymous: [ask]}\n")
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:  # paths of sockets have to be short
        with Server(tmp_path, "--workers", "1", environ={"TMPDIR": temporary}) as server:
            assert len(list(Path(temporary).glob("plangate-*"))) == 1
            assert server.stop() == 0
        assert not list(Path(temporary).glob("plangate-*"))


def test_a_temporary_folder_with_too_long_a_path_is_said(tmp_path: Path) -> None:
    temporary = tmp_path / ("t" * 100)
    temporary.mkdir()
    settings(tmp_path, "server: {unsafe_anonymous: [ask]}\n")
    ran = run("serve", "--listen", "127.0.0.1:0", cwd=tmp_path, env=environment(TMPDIR=str(temporary)))
    assert (ran.code, "too long a path for a socket" in ran.err, "TMPDIR" in ran.err) == (3, True, True)
