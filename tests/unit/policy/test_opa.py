"""OPA's engine against a server that misbehaves as OPA itself cannot be made to, and how policies move to a name."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from plangate.errors import EngineError
from plangate.policy.opa.engine import OpaEngine, RunningServer
from plangate.policy.opa.revision import moved
from tests.unit.policy.builders import a_plan, a_policy, a_resource, document, load_policy

pytest.importorskip("opa_client")

PLAN = document(a_plan(a_resource(facts={"public_ip": True})))


@contextmanager
def double(
    status: int, body: bytes, values: bytes = b"", headers: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Not an OPA: a server that gives one answer to everything, or another one to questions for values."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asks_for_value = bool(values) and self.path.startswith("/v1/data")
            said = values if asks_for_value else body
            self.send_response(200 if asks_for_value else status)
            for name, value in ({"Content-Length": str(len(said))} | dict(headers or {})).items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(said)
            self.close_connection = True

        do_POST = do_PUT = do_GET  # noqa: N815 - the base class finds them by these names

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


# The double's own threads may leave a socket to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("status", "body", "headers", "said"),
    [
        (500, b"oops", {}, "answered with status 500"),
        (500, b'{"code": "internal_error", "message": "m"}', {}, "answered with status 500"),
        (503, b"", {}, "is not ready"),
        (401, b"{}", {}, "refuses us"),
        (302, b"", {"Location": "http://127.0.0.1:1/"}, "answered with status 302"),
        (200, b"<html>", {}, "garbage"),
        (200, b"{}", {}, "garbage"),
        (200, b'{"result": 1}', {}, "garbage"),
        (200, b'{"result": [', {"Content_Length": "1000"}, "connection broke"),
        (200, b'{"result": []}', {}, "does not hold the policies"),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_decision(
    status: int, body: bytes, headers: dict[str, str], said: str, tmp_path: Path
) -> None:
    policies = load_policy(tmp_path, a_policy())
    with double(status, body, headers=headers) as url:
        engine = OpaEngine(RunningServer(url=url, token="s3cret-token"))
        with engine, pytest.raises(EngineError, match=said) as caught:
            engine.evaluate(policies, PLAN, 2)
    assert "s3cret" not in f"{caught.value} {caught.value.hint} {engine._where!r}"


def test_a_module_moves_below_a_name_and_keeps_its_lines_and_texts() -> None:
    text = """# package data.x
package policies.a.b

import data.plangate.lib # data.c
import data.x.data as other

deny contains sprintf("data.%s", [data["x"].data, input.data]) if {
	data.x[_] == `data.y`
	some k in data[other]
}
"""
    assert (
        moved(text, "p_1")
        == """# package data.x
package p_1.policies.a.b

import data.p_1.plangate.lib # data.c
import data.p_1.x.data as other

deny contains sprintf("data.%s", [data.p_1["x"].data, input.data]) if {
	data.p_1.x[_] == `data.y`
	some k in data.p_1[other]
}
"""
    )
