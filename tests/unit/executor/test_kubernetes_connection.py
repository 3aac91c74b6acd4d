"""The connection to an API server where a real one cannot be made to misbehave: a double answers on loopback."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from plangate.errors import UsageError
from plangate.executor.kubernetes import connection
from plangate.executor.kubernetes.connection import Cluster, ClusterRefusedError, Where
from plangate.executor.kubernetes.planning import step_of
from plangate.wiring import Choices, ClusterChoice
from plangate.wiring.clusters import cluster_of

Answer = tuple[int, dict[str, str], bytes]


class Double:
    """A server that gives one answer after the other, the last one for ever."""

    def __init__(self, folder: Path) -> None:
        self.answers: list[Answer] = []
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                outer.asked.append(f"{self.command} {self.path.partition('?')[0]}")
                status, headers, body = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PATCH = _answer  # noqa: N815 - the names of http.server

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        content = {
            "current-context": "x",
            "clusters": [
                {"name": "c", "cluster": {"server": f"http://127.0.0.1:{self._server.server_port}"}}
            ],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        }
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump(content))

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    monkeypatch.setattr(connection, "_PAUSE_S", 0.01)
    found = Double(tmp_path)
    yield found
    found.close()


VERSION: Answer = (200, {}, b'{"gitVersion": "v1.2.3"}')
BUSY: Answer = (429, {"Retry-After": "0"}, b"{}")
DOWN: Answer = (503, {}, b"not JSON")


def version(cluster: Cluster) -> object:
    return cluster.version()


def dry_run(cluster: Cluster) -> object:
    return cluster.apply("/x", {"a": 1}, dry_run=True).object


def change(cluster: Cluster) -> object:
    return cluster.apply("/x", {"a": 1}, dry_run=False).object


@pytest.mark.parametrize(
    ("ask", "answers", "asked"),
    [
        (version, [BUSY, DOWN, VERSION], 3),
        (dry_run, [BUSY, DOWN, VERSION], 3),
        (change, [BUSY, BUSY, VERSION], 3),
    ],
)
def test_a_busy_server_is_asked_again(
    double: Double, ask: Callable[[Cluster], object], answers: list[Answer], asked: int
) -> None:
    double.answers = answers
    with Cluster(Where(kubeconfig=double.kubeconfig)) as cluster:
        assert ask(cluster)

    assert len(double.asked) == asked


def test_a_change_whose_end_is_not_known_is_not_sent_again(double: Double) -> None:
    double.answers = [DOWN, VERSION]
    with (
        Cluster(Where(kubeconfig=double.kubeconfig)) as cluster,
        pytest.raises(ClusterRefusedError, match="HTTP status 503"),
    ):
        change(cluster)

    assert double.asked == ["PATCH /x"]


@pytest.mark.parametrize("ask", [version, dry_run, change])
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (DOWN, "HTTP status 503"),
        ((301, {"Location": "http://192.0.2.1/"}, b""), "HTTP status 301"),
        ((200, {}, b""), "not a JSON object"),
        ((200, {}, b"[]"), "not a JSON object"),
        ((200, {}, b'{"a": '), "not a JSON object"),
        ((401, {}, b'{"message": "Unauthorized", "reason": "Unauthorized"}'), "Unauthorized"),
        ((500, {}, json.dumps({"message": {"no": "text"}}).encode()), "HTTP status 500"),
    ],
)
def test_anything_but_an_object_is_a_refusal(
    double: Double, ask: Callable[[Cluster], object], answer: Answer, problem: str
) -> None:
    double.answers = [answer]
    with (
        Cluster(Where(kubeconfig=double.kubeconfig)) as cluster,
        pytest.raises(ClusterRefusedError, match=problem),
    ):
        ask(cluster)


def test_a_list_of_types_that_is_none_is_a_refusal(double: Double) -> None:
    double.answers = [(200, {}, b'{"resources": [{"name": 1}]}')]
    with (
        Cluster(Where(kubeconfig=double.kubeconfig)) as cluster,
        pytest.raises(ClusterRefusedError, match="not a list of types"),
    ):
        cluster.type_of("v1", "Pod")


def test_without_the_extra_the_error_names_it(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightkube.config.client_adapter", None)

    with pytest.raises(UsageError) as raised:
        Cluster(Where(kubeconfig=double.kubeconfig))

    assert raised.value.hint == "install it: pip install 'plangate[kubernetes]'"


def test_several_kubeconfigs_are_not_guessed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/a:/b")

    with pytest.raises(UsageError, match="KUBECONFIG names several files"):
        cluster_of(Choices(cluster=ClusterChoice(context="x")))


def test_without_a_choice_no_cluster_is_asked() -> None:
    with pytest.raises(UsageError, match="which cluster it is for is not said"):
        cluster_of(Choices())


def test_what_others_need_comes_first() -> None:
    in_order = [
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("v1", "Namespace"),
        ("v1", "LimitRange"),
        ("v1", "ServiceAccount"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("v1", "Secret"),
        ("v1", "Service"),
        ("example.org/v1", "Namespace"),  # another one's, whatever it is called
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ]

    steps = [step_of(*each) for each in in_order]
    assert steps == sorted(set(steps))
