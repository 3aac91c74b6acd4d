"""Kubernetes admission over HTTP: what the API server sends and expects, and what must never become an allow."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from plangate.server.contracts.kubernetes import MAX_WARNING, MAX_WARNINGS
from tests.command_line import ALLOWED
from tests.server import DEPLOYMENT, PRIVILEGED, Server, serving

PATH = "/v1/kubernetes/admission"
SETTINGS = """\
server:
  unsafe_anonymous: [ask, read]
  contracts: {kubernetes: {}}
  rule_sets: {trial: {mode: warn}}
  limits: {max_body_bytes: 100000, record_timeout_s: 2}
"""
ADVISORY = """\
rules:
  workload-not-privileged: {enforcement: advisory}
  pod-security: {enforcement: advisory}
server:
  unsafe_anonymous: [ask]
  contracts: {kubernetes: {}}
"""


def review(content: bytes | None = DEPLOYMENT, operation: str = "CREATE", **fields: Any) -> dict[str, Any]:
    """What the API server sends."""
    request: dict[str, Any] = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
        "resource": {"group": "apps", "version": "v1", "resource": "deployments"},
        "name": "web",
        "namespace": "prod",
        "operation": operation,
        "userInfo": {"username": "alice", "uid": "u1", "groups": ["system:authenticated"], "extra": {}},
        "object": None if content is None else json.loads(content),
        "oldObject": None,
        "dryRun": False,
        "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request | fields}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("serve"), SETTINGS) as found:
        yield found


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as found:
        yield found


def asked(client: httpx.Client, content: Any, path: str = f"{PATH}?timeout=10s") -> dict[str, Any]:
    answer = client.post(path, json=content)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["apiVersion"], found["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response: dict[str, Any] = found["response"]
    assert response["uid"] == content["request"]["uid"]
    assert not {"patch", "patchType"} & set(response)
    return response


def record_of(server: Server, response: dict[str, Any]) -> dict[str, Any]:
    """The record that the answer names."""
    decision_id = response["auditAnnotations"]["decision-id"]
    (found,) = [
        record["body"]
        for record in server.records()
        if record["type"] == "decision" and record["body"]["decision_id"] == decision_id
    ]
    body: dict[str, Any] = found
    return body


def test_an_object_that_is_fine_is_allowed_and_recorded(server: Server, client: httpx.Client) -> None:
    response = asked(client, review())
    assert response["allowed"] is True
    assert "status" not in response
    assert response["auditAnnotations"]["mode"] == "enforce"
    assert len(response["auditAnnotations"]["policy-revision"]) == 64
    assert not any("/" in key for key in response["auditAnnotations"])
    recorded = record_of(server, response)
    assert recorded["result"] == "allow"
    assert recorded["request"] == {
        "interface": "kubernetes",
        "reference": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "user": "alice",
        "operation": "CREATE",
        "resource": "deployments.apps",
    }


def test_a_denial_says_what_denied_and_where_it_is_recorded(server: Server, client: httpx.Client) -> None:
    response = asked(client, review(PRIVILEGED))
    assert response["allowed"] is False
    assert (response["status"]["code"], response["status"]["reason"]) == (403, "Forbidden")
    assert "workload-not-privileged" in response["status"]["message"]
    assert response["auditAnnotations"]["decision-id"] in response["status"]["message"]
    assert record_of(server, response)["result"] == "deny"


def test_a_dry_run_is_judged_and_recorded_as_one(server: Server, client: httpx.Client) -> None:
    response = asked(client, review(PRIVILEGED, dryRun=True))
    assert response["allowed"] is False
    assert record_of(server, response)["request"]["dry_run"] == "true"


@pytest.mark.parametrize(
    ("content", "allowed"),
    [
        (review(DEPLOYMENT, "UPDATE", oldObject=json.loads(PRIVILEGED)), True),
        (review(PRIVILEGED, "UPDATE", oldObject=json.loads(DEPLOYMENT)), False),
        (review(None, "DELETE", oldObject=json.loads(PRIVILEGED)), True),
        (review(None, "DELETE"), False),
        (review(None), False),
        (review(operation="PATCH"), False),
        (review(operation="create"), False),
        (review(DEPLOYMENT, "CONNECT"), False),
        (review(kind={"group": "apps", "version": "v1", "kind": "DaemonSet"}), False),
    ],
    ids=[
        "update", "update to worse", "delete", "delete of nothing", "create of nothing", "unknown operation",
        "operation in another case", "connect", "another kind than the object's",
    ],
)  # fmt: skip
def test_every_operation_is_judged_and_what_is_not_understood_is_not_allowed(
    server: Server, client: httpx.Client, content: dict[str, Any], allowed: bool
) -> None:
    response = asked(client, content)
    assert response["allowed"] is allowed, response
    assert record_of(server, response)["result"] in ({"allow"} if allowed else {"deny", "error"})


def test_what_is_optional_may_be_absent_or_null(client: httpx.Client) -> None:
    full = review()
    optional = ("name", "namespace", "userInfo", "dryRun", "options", "oldObject", "resource", "subResource")
    without = {**full, "request": {k: v for k, v in full["request"].items() if k not in optional}}
    null = {**full, "request": full["request"] | dict.fromkeys(optional)}
    more = review(later={"unknown": [1, 2]}, subResource="status")
    assert [asked(client, each)["allowed"] for each in (without, null, more)] == [True, True, True]


def test_generated_names_and_objects_without_a_namespace_are_judged(client: httpx.Client) -> None:
    named = json.loads(DEPLOYMENT)
    named["metadata"] = {"generateName": "web-", "labels": {"app": "web"}}
    assert asked(client, review(json.dumps(named).encode(), name=""))["allowed"] is True
    space: dict[str, Any] = {
        "kind": {"group": "", "version": "v1", "kind": "Namespace"},
        "resource": {"group": "", "version": "v1", "resource": "namespaces"},
        "object": {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "prod", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        },
    }
    assert asked(client, review(**space, namespace="prod", name="prod"))["allowed"] is True


def test_in_audit_mode_denials_become_warnings(server: Server, client: httpx.Client) -> None:
    response = asked(client, review(PRIVILEGED), f"{PATH}/trial?timeout=5s")
    assert response["allowed"] is True
    assert response["auditAnnotations"]["mode"] == "audit"
    assert any(text.startswith("would be denied: ") for text in response["warnings"])
    assert record_of(server, response)["mode"] == "warn"


def test_in_audit_mode_what_cannot_be_judged_is_still_not_allowed(client: httpx.Client) -> None:
    assert asked(client, review(None), f"{PATH}/trial")["allowed"] is False


def test_warnings_have_a_length_and_a_number_and_no_control_characters(tmp_path: Path) -> None:
    many = json.loads(PRIVILEGED)
    containers = many["spec"]["template"]["spec"]["containers"]
    many["spec"]["template"]["spec"]["containers"] = [
        {**containers[0], "name": f"{'c' * 200}\n{number}"} for number in range(60)
    ]
    with serving(tmp_path, ADVISORY) as found, found.client() as client:
        response = asked(client, review(json.dumps(many).encode()))
        assert response["warnings"]
        assert len(response["warnings"]) <= MAX_WARNINGS
        for text in response["warnings"]:
            assert len(text) <= MAX_WARNING
            assert text.isprintable()


def test_there_is_an_answer_before_the_caller_stops_waiting(client: httpx.Client) -> None:
    started = time.monotonic()
    response = asked(client, review(), f"{PATH}?timeout=1ms")
    assert response["allowed"] is False
    assert response["status"]["code"] in {500, 504}
    assert time.monotonic() - started < 5
    assert asked(client, review())["allowed"] is True


@pytest.mark.parametrize("timeout", ["10", "-1s", "1e3s", "s", "10s10", "∞", "10s; drop"])
def test_a_timeout_that_is_none_is_refused(client: httpx.Client, timeout: str) -> None:
    assert client.post(PATH, params={"timeout": timeout}, json=review()).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        json.dumps(review()).encode()[:-1],
        json.dumps(review()).encode() * 2,
        json.dumps(review() | {"apiVersion": "admission.k8s.io/v1beta1"}).encode(),
        json.dumps(review() | {"kind": "Review"}).encode(),
        json.dumps(review(uid="")).encode(),
        json.dumps(review(uid=7)).encode(),
        json.dumps(review(uid="a\nb")).encode(),
        json.dumps(review(dryRun="false")).encode(),
        json.dumps(review()).encode("utf-16"),
        b'{"apiVersion":' + b"[" * 50_000,
    ],
)  # fmt: skip
def test_what_is_no_review_is_a_bad_request(client: httpx.Client, body: bytes) -> None:
    answer = client.post(PATH, content=body)
    assert answer.status_code == 400
    assert "response" not in answer.json()


def test_hostile_objects_are_not_allowed(client: httpx.Client) -> None:
    whole = json.dumps(review()).encode()
    deep = b'"object": {"x": ' + b"[" * 500 + b"]" * 500 + b"}"
    twice = whole.replace(b'"operation": "CREATE"', b'"operation": "DELETE", "operation": "CREATE"')
    for body in (
        whole.replace(b'"replicas": 3', b'"replicas": NaN'),
        whole.replace(b"example/web", b"example/\xff\xfe"),
        whole.replace(b'"object": {', deep + b', "object": {'),
        whole.replace(b'"object": {', b'"object": {"spec": {}, '),
        twice,
    ):
        assert body != whole
        answer = client.post(PATH, content=body)
        assert answer.status_code == 400 or answer.json()["response"]["allowed"] is False, body[:200]


def test_what_another_parser_would_take_for_its_own_is_not_allowed(client: httpx.Client) -> None:
    plan = json.loads(ALLOWED.read_bytes())
    assert asked(client, review(PRIVILEGED) | plan)["allowed"] is False
    assert (
        asked(client, review(PRIVILEGED) | {"Resources": {}, "AWSTemplateFormatVersion": "2010-09-09"})[
            "allowed"
        ]
        is False
    )


def test_a_body_beyond_the_limit_is_refused(client: httpx.Client) -> None:
    assert client.post(PATH, content=b" " * 100_001).status_code == 413


def test_unknown_rule_sets_are_no_allow(client: httpx.Client) -> None:
    assert client.post(f"{PATH}/another", json=review()).status_code == 404


def test_the_same_review_sent_again_gets_the_same_answer(client: httpx.Client) -> None:
    for content in (review(), review(PRIVILEGED)):
        first, second = (asked(client, content) for _ in range(2))
        assert first["allowed"] is second["allowed"]


def test_secrets_of_a_review_are_nowhere(server: Server, client: httpx.Client) -> None:
    secret: dict[str, Any] = {
        "kind": {"group": "", "version": "v1", "kind": "Secret"},
        "resource": {"group": "", "version": "v1", "resource": "secrets"},
        "object": {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s", "namespace": "prod"},
            "stringData": {"password": "correct-horse-battery"},
        },
    }
    response = asked(client, review(**secret))
    said = json.dumps([response, server.records(), server.lines])
    assert "correct-horse-battery" not in said


def test_settings_that_make_no_sense_are_refused_before_anything_listens(tmp_path: Path) -> None:
    for text in ("{kubernetes: {path: /x}}", "{nobody: {}}"):
        (tmp_path / "plangate.yaml").write_text(
            f"version: 1\nserver:\n  unsafe_anonymous: [ask]\n  contracts: {text}\n"
        )
        run = subprocess.run(
            [sys.executable, "-m", "plangate.cli.main", "serve", "--listen", "127.0.0.1:0"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert run.returncode == 2, run.stderr
        assert "server.contracts" in run.stderr
