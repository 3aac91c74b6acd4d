"""A double of HCP Terraform, labelled as one: it triggers run tasks, has plans, and takes callbacks, over HTTPS.

It keeps the contract's rules: a token is good for one run, a redirect leads to storage that must see no token, and a final
status is taken once.
"""

import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.certificates import Authority

KEY: Final = "an-hmac-key-of-this-task"
TOKEN: Final = "tok.atlasv1.never-in-a-log"
WAIT_S: Final = 30.0


class Terraform:
    """The double.

    Attributes:
        plan: What the plan's URL answers, in order, the last one again and again: status, headers, body.
        callbacks: Every callback that came: its path, and its JSON.
        refuse: How many callbacks get which status before they are taken; of the last ones only.
        seen: Every request: method, path, authorization.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        certificate, key = self.authority.certificate("localhost", "127.0.0.1")
        self.plan: list[tuple[int, dict[str, str], bytes]] = []
        self.callbacks: list[tuple[str, dict[str, Any]]] = []
        self.refuse: list[int] = []
        self.seen: list[tuple[str, str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.url = f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def payload(self, **fields: Any) -> dict[str, Any]:
        """What a trigger says."""
        return {
            "payload_version": 1,
            "stage": "post_plan",
            "access_token": TOKEN,
            "capabilities": {"outcomes": True},
            "configuration_version_download_url": f"{self.url}/api/v2/configuration-versions/cv-1/download",
            "configuration_version_id": "cv-1",
            "is_speculative": False,
            "organization_name": "acme",
            "plan_json_api_url": f"{self.url}/api/v2/plans/plan-1/json-output",
            "run_app_url": f"{self.url}/app/acme/net/runs/run-1",
            "run_created_at": "2026-01-02T03:04:05.678Z",
            "run_created_by": "alice",
            "run_id": "run-1",
            "run_message": "Größe geändert",
            "task_result_callback_url": f"{self.url}/api/v2/task-results/taskrs-1/callback",
            "task_result_enforcement_level": "mandatory",
            "task_result_id": "taskrs-1",
            "vcs_pull_request_url": None,
            "workspace_id": "ws-1",
            "workspace_name": "net",
        } | fields

    def finals(self) -> list[dict[str, Any]]:
        """Final statuses that were taken, as attributes with the outcomes."""
        return [
            data["attributes"]
            | {"outcomes": data.get("relationships", {}).get("outcomes", {}).get("data", [])}
            for data in (content["data"] for _, content in list(self.callbacks))
            if data["attributes"]["status"] in {"passed", "failed"}
        ]

    def final(self) -> dict[str, Any]:
        """The one final status; waits for it."""
        until = time.monotonic() + WAIT_S
        while not self.finals() and time.monotonic() < until:
            time.sleep(0.02)
        found = self.finals()
        assert len(found) == 1, (found, self.seen)
        return found[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - one class, and its methods are short
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._see()
                authorization = self.headers.get("authorization", "")
                if self.path.startswith("/storage/"):
                    wanted, answer = "", double.plan[-1]
                else:
                    wanted = f"Bearer {TOKEN}"
                    answer = double.plan.pop(0) if len(double.plan) > 1 else double.plan[0]
                self._answer(*(answer if authorization == wanted else (401, {}, b"")))

            def do_PATCH(self) -> None:
                self._see()
                content = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if self.headers.get("authorization") != f"Bearer {TOKEN}":
                    return self._answer(401, {}, b"")
                assert self.headers["content-type"] == "application/vnd.api+json"
                assert content["data"]["type"] == "task-results"
                final = content["data"]["attributes"]["status"] != "running"
                if final and double.refuse:
                    return self._answer(double.refuse.pop(0), {}, b"")
                if double.finals():
                    return self._answer(422, {}, b'{"errors":[{"status":"422"}]}')
                double.callbacks.append((self.path, content))
                return self._answer(200, {}, b"{}")

            def _see(self) -> None:
                double.seen.append((self.command, self.path, self.headers.get("authorization", "")))

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def signature(body: bytes, key: str = KEY) -> str:
    """As the other side makes it."""
    return hmac.new(key.encode(), body, hashlib.sha512).hexdigest()


def send(
    client: httpx.Client, content: dict[str, Any] | bytes, *, sign: Callable[[bytes], str] | None = signature
) -> httpx.Response:
    """One trigger."""
    body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    headers = {"content-type": "application/json"} | (
        {} if sign is None else {"x-tfc-task-signature": sign(body)}
    )
    return client.post("/v1/terraform/run-tasks/net", content=body, headers=headers)


@contextmanager
def terraform(folder: Path) -> Iterator[Terraform]:
    """One double."""
    double = Terraform(folder)
    try:
        yield double
    finally:
        double.close()


def settings_for(double: Terraform, more: str = "", key: str = KEY) -> str:
    """Settings of a gate that this double may ask."""
    folder = double.authority.folder
    (folder / "task.key").write_text(f"{key}\n")
    (folder / "task.key").chmod(0o600)
    return f"""\
server:
  unsafe_anonymous: [read]
  contracts:
    terraform-run-tasks:
      tasks: {{net: {{key_file: {folder / "task.key"}}}}}
      hosts: ["localhost:{double.port}"]
      storage_hosts: ["localhost:{double.port}"]
      private_networks: [127.0.0.0/8, "::1/128"]
      ca_file: {double.authority.file}
      public_url: https://gate.example.com/
{more}"""


def assert_nowhere(text: str, folder: Path, *said: object) -> None:
    """No file below a folder and none of what was said has a text."""
    for path in folder.rglob("*"):
        if path.is_file() and text.encode() in path.read_bytes():
            pytest.fail(f"{path} has it")
    assert text not in repr(said)
