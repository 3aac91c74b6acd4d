"""CloudFormation hooks: over HTTP, and as the function that AWS calls, against a double of Lambda's Runtime API."""

import hashlib
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from plangate.server.contracts.cloudformation_hooks import MAX_CONTROL_MESSAGE, MAX_MESSAGE
from plangate.server.lambda_handler import handler
from tests.certificates import Authority
from tests.server import Server, serving

PATH = "/v1/cloudformation/hooks"
STACK = "arn:aws:cloudformation:us-west-2:123456789012:stack/S/1a2b"
GOOD = {
    "BucketName": "logs",
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
    },
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True,
    },
    "VersioningConfiguration": {"Status": "Enabled"},
    "LoggingConfiguration": {"DestinationBucketName": "log-bucket"},
    "Tags": [{"Key": key, "Value": "x"} for key in ("owner", "environment", "cost-center", "Owner", "Environment")],
}  # fmt: skip
BAD = GOOD | {
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": False, "BlockPublicPolicy": False, "IgnorePublicAcls": False,
        "RestrictPublicBuckets": False,
    }
}  # fmt: skip


def event(point: str = "CREATE_PRE_PROVISION", **data: Any) -> dict[str, Any]:
    """What AWS sends about a bucket."""
    return {
        "clientRequestToken": "f8da6d11",
        "awsAccountId": "123456789012",
        "stackId": STACK,
        "changeSetId": None,
        "hookTypeName": "acme::gate::hook",
        "hookTypeVersion": "00000001",
        "hookModel": {"LambdaFunction": "arn:aws:lambda:us-west-2:123456789012:function:gate"},
        "actionInvocationPoint": point,
        "requestData": {
            "targetName": "AWS::S3::Bucket",
            "targetType": "AWS::S3::Bucket",
            "targetLogicalId": "Logs",
        }
        | data,
        "requestContext": {"invocation": 1, "callbackContext": None},
    }


def bucket(after: Mapping[str, Any] | None, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"targetModel": {"resourceProperties": after, "previousResourceProperties": before}}


class Storage:
    """A double of S3 that serves payloads over HTTPS."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        certificate, key = self.authority.certificate("localhost", "127.0.0.1")
        self.answer: tuple[int, bytes] = (200, b"")
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = double.answer
                self.send_response(status)
                if status == 302:
                    self.send_header("location", f"https://localhost:{double.port}/elsewhere")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def payload(self, content: Any, status: int = 200) -> str:
        """The URL of a payload."""
        self.answer = (status, content if isinstance(content, bytes) else json.dumps(content).encode())
        return f"https://localhost:{self.port}/payload?X-Amz-Signature=abc"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    double = Storage(tmp_path_factory.mktemp("storage"))
    yield double
    double.close()


@pytest.fixture(scope="module")
def server(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serve")
    (folder / "hook.txt").write_text(f"sha256:{hashlib.sha256(b'a-token').hexdigest()}\n")
    certificate, key = storage.authority.folder / "localhost.pem", storage.authority.folder / "localhost.key"
    text = f"""\
server:
  callers: {{hook: {{may: [ask], tokens: hook.txt}}}}
  rule_sets: {{trial: {{mode: warn}}}}
  tls: {{certificate: {certificate}, key: {key}}}
  contracts:
    cloudformation-hooks:
      payload_hosts: ["localhost:{storage.port}"]
      private_networks: [127.0.0.0/8, "::1/128"]
      ca_file: {storage.authority.file}
      max_payload_bytes: 200000
"""
    with serving(folder, text) as found:
        yield found


@pytest.fixture
def client(server: Server, storage: Storage) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=storage.authority.file)
    with server.client(headers={"authorization": "Bearer a-token"}, verify=context) as found:
        yield found


def asked(client: httpx.Client, content: Any, path: str = PATH) -> dict[str, Any]:
    answer = client.post(path, json=content)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def results(server: Server) -> dict[str, dict[str, Any]]:
    return {r["body"]["decision_id"]: r["body"] for r in server.records() if r["type"] == "decision"}


def ids(answer: dict[str, Any]) -> list[str]:
    return [part[1:-1] for part in answer["message"].split() if part.startswith("[")]


# --- resources


def test_a_resource_that_is_fine_succeeds_and_is_recorded(server: Server, client: httpx.Client) -> None:
    answer = asked(client, event(**bucket(GOOD)))
    assert (answer["hookStatus"], answer["clientRequestToken"]) == ("SUCCESS", "f8da6d11"), answer
    assert "errorCode" not in answer
    (decision_id,) = ids(answer)
    recorded = results(server)[decision_id]
    assert recorded["result"] == "allow"
    assert recorded["plan"]["changes"]["create"] == 1
    assert recorded["request"]["target"] == "AWS::S3::Bucket Logs"


def test_a_resource_that_is_not_fails_with_annotations(server: Server, client: httpx.Client) -> None:
    answer = asked(client, event(**bucket(BAD)))
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "NonCompliant")
    assert results(server)[ids(answer)[0]]["result"] == "deny"
    names = {annotation["annotationName"] for annotation in answer["annotations"]}
    assert any("public" in name for name in names)
    for annotation in answer["annotations"]:
        assert annotation["severityLevel"] in {"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"}


def test_an_update_is_one_unless_the_schema_says_that_it_replaces(
    server: Server, client: httpx.Client
) -> None:
    kept = asked(client, event("UPDATE_PRE_PROVISION", **bucket(GOOD, GOOD | {"Tags": []})))
    renamed = asked(client, event("UPDATE_PRE_PROVISION", **bucket(GOOD, GOOD | {"BucketName": "old"})))
    first, second = (results(server)[ids(answer)[0]]["plan"]["changes"] for answer in (kept, renamed))
    assert (first["update"], first["replace"]) == (1, 0)
    assert (second["update"], second["replace"]) == (0, 1)


def test_a_delete_is_judged_as_one(server: Server, client: httpx.Client) -> None:
    answer = asked(client, event("DELETE_PRE_PROVISION", **bucket(None, GOOD)))
    assert results(server)[ids(answer)[0]]["plan"]["changes"]["delete"] == 1


@pytest.mark.parametrize("token", ["clientRequestToken", "clientRequesttoken"])
@pytest.mark.parametrize("stack", ["stackId", "stackID"])
def test_names_are_read_in_any_spelling(client: httpx.Client, token: str, stack: str) -> None:
    content = event(**bucket(GOOD))
    content[token] = content.pop("clientRequestToken")
    content[stack] = content.pop("stackId")
    assert asked(client, content)["clientRequestToken"] == "f8da6d11"


def test_cloud_control_has_no_stack_and_shorter_messages(client: httpx.Client) -> None:
    long = "Größe" * 2_000
    content = event(**bucket(BAD), targetType="RESOURCE", targetLogicalId=long)
    assert len(asked(client, content | {"stackId": ""})["message"]) <= MAX_CONTROL_MESSAGE
    answer = asked(client, content)
    assert len(answer["message"]) <= MAX_MESSAGE
    assert ids(answer)


def test_in_mode_warn_a_denial_is_told_and_holds_nothing_up(client: httpx.Client) -> None:
    answer = asked(client, event(**bucket(BAD)), f"{PATH}/trial")
    assert answer["hookStatus"] == "SUCCESS"
    assert "would be denied" in answer["message"]


def test_the_same_event_again_gets_the_same_answer(client: httpx.Client) -> None:
    first, second = (asked(client, event(**bucket(BAD))) for _ in range(2))
    assert (first["hookStatus"], first["annotations"]) == (second["hookStatus"], second["annotations"])


# --- stacks and change sets


def test_a_stack_is_judged_by_its_template(storage: Storage, client: httpx.Client) -> None:
    yaml = """\
Parameters: {Name: {Type: String, Default: logs}}
Resources:
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "${Name}-x"
      PublicAccessBlockConfiguration: {BlockPublicAcls: "false"}
Outputs: {Arn: {Value: !GetAtt Logs.Arn}, Name: {Value: !Ref Logs}}
"""
    for template in (
        yaml,
        json.dumps({"Resources": {"Logs": {"Type": "AWS::S3::Bucket", "Properties": BAD}}}),
    ):
        url = storage.payload({"template": template})
        answer = asked(client, event(targetName="STACK", targetType="STACK", payload=url))
        assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "NonCompliant"), answer
    good = {"template": json.dumps({"Resources": {"Logs": {"Type": "AWS::S3::Bucket", "Properties": GOOD}}})}
    answer = asked(client, event(targetName="STACK", targetType="STACK", payload=storage.payload(good)))
    assert answer["hookStatus"] == "SUCCESS", answer


def test_what_a_new_template_leaves_out_is_judged_as_gone(
    storage: Storage, server: Server, client: httpx.Client
) -> None:
    logs = {"Type": "AWS::S3::Bucket", "Properties": GOOD}
    content = {
        "template": json.dumps({"Resources": {"Logs": logs}}),
        "previousTemplate": json.dumps({"Resources": {"Logs": logs, "Old": logs}}),
    }
    url = storage.payload(content)
    answer = asked(client, event("UPDATE_PRE_PROVISION", targetName="STACK", targetType="STACK", payload=url))
    first, second = (results(server)[decision_id] for decision_id in ids(answer))
    assert (first["plan"]["format"], second["plan"]["changes"]["delete"]) == ("cloudformation", 1)
    gone = asked(client, event("DELETE_PRE_PROVISION", targetName="STACK", targetType="STACK", payload=url))
    (only,) = (results(server)[decision_id] for decision_id in ids(gone))
    assert (only["plan"]["changes"]["delete"], only["plan"]["changes"]["create"]) == (1, 0)


def change(
    action: str, after: Mapping[str, Any] | None, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """As a payload has it: booleans and numbers are texts."""

    def context(properties: Mapping[str, Any] | None) -> str | None:
        if properties is None:
            return None
        return json.dumps({"Properties": properties}).replace("true", '"true"').replace("false", '"false"')

    return {
        "logicalResourceId": f"L{action}",
        "resourceType": "AWS::S3::Bucket",
        "action": action,
        "lineNumber": None,
        "beforeContext": context(before),
        "afterContext": context(after),
    }


@pytest.mark.parametrize("bare", [False, True], ids=["in Properties", "bare"])
def test_a_change_set_is_judged_by_its_changes_with_booleans_as_texts(
    storage: Storage, server: Server, client: httpx.Client, bare: bool
) -> None:
    def ask(*changes: dict[str, Any]) -> dict[str, Any]:
        for each in changes if bare else ():
            for side in ("beforeContext", "afterContext"):
                if each[side]:
                    each[side] = json.dumps(json.loads(each[side])["Properties"])
        url = storage.payload({"template": "{}", "changedResources": list(changes)})
        return asked(client, event(targetName="CHANGE_SET", targetType="CHANGE_SET", payload=url))

    answer = ask(change("CREATE", GOOD), change("UPDATE", GOOD, GOOD | {"Tags": []}))
    assert answer["hookStatus"] == "SUCCESS", answer
    counts = results(server)[ids(answer)[0]]["plan"]["changes"]
    assert (counts["create"], counts["update"]) == (1, 1)
    assert ask(change("CREATE", BAD))["errorCode"] == "NonCompliant"
    assert ask(change("UPDATE", BAD, GOOD))["errorCode"] == "NonCompliant"
    assert ask(change("UPSERT", GOOD))["errorCode"] == "InternalFailure"


# --- what must never succeed


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"<Error>AccessDenied</Error>", 403),
        (b"", 302),
        (b"", 200),
        (b"{}", 200),
        (b"[" * 50_000, 200),
        (b'{"template": "\xff\xfe"}', 200),
        (b'{"template": ""}', 200),
        (b'{"template": 7}', 200),
        (b'{"template": "Resources: [1"}', 200),
        (b'{"template": "{}"}', 200),
        (b'{"template": "apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: a, namespace: b}\\n"}', 200),
        (b" " * 200_001, 200),
    ],
)
@pytest.mark.parametrize("target", ["STACK", "CHANGE_SET"])
def test_a_payload_that_cannot_be_read_fails(
    storage: Storage, client: httpx.Client, content: bytes, status: int, target: str
) -> None:
    url = storage.payload(content, status)
    answer = asked(client, event(targetName=target, targetType=target, payload=url))
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "InternalFailure"), answer
    assert answer["clientRequestToken"] == "f8da6d11"


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example.com/payload",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/payload",
        "http://localhost/payload",
        "https://bucket.s3.amazonaws.com@localhost/payload",
        "",
        None,
    ],
)
def test_a_payload_elsewhere_is_not_fetched(client: httpx.Client, url: str | None) -> None:
    answer = asked(client, event(targetName="STACK", targetType="STACK", payload=url))
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "InternalFailure")


@pytest.mark.parametrize(
    "content",
    [
        event("CREATE_POST_PROVISION", **bucket(GOOD)),
        {**event(**bucket(GOOD)), "requestData": None},
        {**event(**bucket(GOOD)), "clientRequestToken": 7},
        [],
    ],
)
def test_events_that_are_not_understood_are_refused_as_failed_hooks(
    client: httpx.Client, content: Any
) -> None:
    answer = client.post(PATH, json=content)
    assert answer.status_code == 400
    assert (answer.json()["hookStatus"], answer.json()["errorCode"]) == ("FAILED", "InternalFailure")


def test_a_resource_without_properties_fails(client: httpx.Client) -> None:
    for content in (event(), event(**bucket(None)), event("UPDATE_PRE_PROVISION", **bucket(None, GOOD))):
        assert asked(client, content)["errorCode"] == "InternalFailure"


def test_callers_without_a_token_are_refused(client: httpx.Client) -> None:
    for headers in ({"authorization": "Bearer other"}, {"authorization": ""}):
        assert client.post(PATH, json=event(**bucket(GOOD)), headers=headers).status_code == 401


# --- the function


@contextmanager
def lambda_environment(server: Server, storage: Storage, **more: str) -> Iterator[dict[str, str]]:
    values = {
        "PLANGATE_URL": f"{server.url}{PATH}",
        "PLANGATE_TOKEN": "a-token",
        "PLANGATE_CA_FILE": str(storage.authority.file),
    } | more
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield values


def test_the_function_gives_the_servers_answer(server: Server, storage: Storage) -> None:
    with lambda_environment(server, storage):
        assert handler(event(**bucket(GOOD)))["hookStatus"] == "SUCCESS"
        assert handler(event(**bucket(BAD)))["errorCode"] == "NonCompliant"


@pytest.mark.parametrize(
    "more",
    [
        {"PLANGATE_URL": "https://127.0.0.1:1/"},
        {"PLANGATE_URL": "http://localhost/"},
        {"PLANGATE_URL": ""},
        {"PLANGATE_TOKEN": "wrong"},
        {"PLANGATE_TOKEN_FILE": "/nowhere"},
        {"PLANGATE_CA_FILE": "/nowhere"},
        {"PLANGATE_CA_FILE": ""},
    ],
)
def test_a_function_that_cannot_ask_answers_a_failed_hook(
    server: Server, storage: Storage, more: dict[str, str]
) -> None:
    with lambda_environment(server, storage, **more):
        answer = handler(event(**bucket(GOOD)))
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "InternalFailure")
    assert answer["clientRequestToken"] == "f8da6d11"
    assert "a-token" not in json.dumps(answer)


def test_events_that_are_none_get_a_failed_hook(server: Server, storage: Storage) -> None:
    with lambda_environment(server, storage):
        nothing: tuple[Any, ...] = (None, [], "x", {"clientRequestToken": 1})
        for content in nothing:
            assert handler(content)["hookStatus"] == "FAILED"


class RuntimeApi:
    """A double of Lambda's Runtime API: hands out events, one after the other, and keeps the answers."""

    def __init__(self, events: list[bytes]) -> None:
        self.answers: dict[str, Any] = {}
        self.done = threading.Event()
        double, waiting = self, list(enumerate(events))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.path == "/2018-06-01/runtime/invocation/next"
                if not waiting:
                    double.done.wait(30)
                    return
                number, body = waiting.pop(0)
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", f"request-{number}")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                double.answers[self.path] = json.loads(content)
                self.send_response(202)
                self.send_header("content-length", "0")
                self.end_headers()
                if len(double.answers) == len(events):
                    double.done.set()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.done.set()
        self._server.shutdown()
        self._server.server_close()


def test_it_runs_as_a_runtime_of_its_own(server: Server, storage: Storage) -> None:
    events = [json.dumps(event(**bucket(GOOD))).encode(), b"\xff", json.dumps(event(**bucket(BAD))).encode()]
    api = RuntimeApi(events)
    with lambda_environment(server, storage) as values:
        process = subprocess.Popen(
            [sys.executable, "-m", "plangate.server.lambda_handler"],
            env={**os.environ, **values, "AWS_LAMBDA_RUNTIME_API": api.address},
            stderr=subprocess.DEVNULL,
        )
        try:
            assert api.done.wait(30)
        finally:
            process.kill()
            process.wait()
            api.close()
    said = [api.answers[f"/2018-06-01/runtime/invocation/request-{number}/response"] for number in range(3)]
    assert [answer["hookStatus"] for answer in said] == ["SUCCESS", "FAILED", "FAILED"]
    assert [answer.get("errorCode") for answer in said] == [None, "InternalFailure", "NonCompliant"]


def test_the_function_imports_nothing_but_the_standard_library() -> None:
    code = "import sys, plangate.server.lambda_handler; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"starlette", "httpx", "httpcore", "msgspec", "boto3"} & set(run.stdout.split())
