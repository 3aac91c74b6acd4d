"""The server is what its OpenAPI document says; and its traces reach a collector."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.server import DEPLOYMENT, Server, serving

OPEN = "server: {unsafe_anonymous: [ask, read, approve], queries: {authzen: a/b}}\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("serve"), OPEN) as found:
        yield found


def test_every_answer_is_one_that_the_document_has(server: Server) -> None:
    api = schemathesis.openapi.from_url(f"{server.url}/v1/openapi.json")
    operations = [found.ok() for found in api.get_all_operations()]  # type: ignore[union-attr]  # or it raises
    assert len(operations) == 10

    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(
            max_examples=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        )
        def holds(case: Any) -> None:
            response = case.call(timeout=60)
            case.validate_response(
                response, checks=[not_a_server_error, status_code_conformance, response_schema_conformance]
            )

        holds()


def test_traces_reach_a_collector_and_go_on_from_the_callers(tmp_path: Any) -> None:
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    collector = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    (tmp_path / "plangate.yaml").write_text(f"version: 1\n{OPEN}")
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_address[1]}"}
    trace = "0af7651916cd43dd8448eb211c80319c"
    try:
        with Server(tmp_path, "--workers", "1", environ=environ) as server:
            with server.client(headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"}) as client:
                said = client.post("/v1/decisions", content=DEPLOYMENT).raise_for_status().json()
            assert server.stop() == 0
    finally:
        collector.shutdown()
        collector.server_close()
    sent = b"".join(received)
    assert bytes.fromhex(trace) in sent
    assert said["decision_id"].encode() in sent
    assert b"example/web" not in sent
