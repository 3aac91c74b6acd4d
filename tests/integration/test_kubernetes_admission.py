"""A real Kubernetes API server asks the gate: what comes in, what is refused, and what happens when we are down."""

import base64
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority
from tests.kubernetes_server import KubernetesServer, kubernetes_server
from tests.server import DEPLOYMENT, PRIVILEGED, Server, serving

pytestmark = pytest.mark.kubernetes

SETTINGS = """\
server:
  unsafe_anonymous: [ask]
  contracts: {kubernetes: {}}
  rule_sets: {trial: {mode: warn}}
  tls: {certificate: 127.0.0.1.pem, key: 127.0.0.1.key}
"""
HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


class Cluster:
    """An API server, and what its webhook asks."""

    def __init__(self, kubernetes: KubernetesServer, gate: Server, authority: Authority) -> None:
        self.kubernetes = kubernetes
        self.gate = gate
        self._authority = authority

    def namespace(
        self, *, path: str = "/v1/kubernetes/admission", policy: str = "Fail", url: str = ""
    ) -> str:
        """A new namespace, of which all Deployments are sent to the gate."""
        name = self.kubernetes.namespace()
        bundle = base64.b64encode(self._authority.file.read_bytes()).decode()
        rule = {
            "operations": ["*"],
            "apiGroups": ["apps"],
            "apiVersions": ["v1"],
            "resources": ["deployments", "deployments/scale"],
        }
        hook = {
            "name": "gate.example.com",
            "clientConfig": {"url": f"{url or self.gate.url}{path}", "caBundle": bundle},
            "rules": [rule],
            "failurePolicy": policy,
            "sideEffects": "None",
            "timeoutSeconds": 10,
            "admissionReviewVersions": ["v1"],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
        }
        self.kubernetes.create(HOOKS, {"metadata": {"name": f"gate-{name}"}, "webhooks": [hook]})
        self._wait_until_asked(name, url or "")
        return name

    def _wait_until_asked(self, namespace: str, url: str) -> None:
        """The API server learns of a webhook a moment after it was made."""
        for _ in range(100):
            answer = self.create(namespace, deployment(PRIVILEGED, "probe"), dryRun="All")
            if answer.status_code != 201 or "warning" in answer.headers:
                return
            time.sleep(0.1)
        pytest.fail(f"the API server never asked {url or 'the gate'}")

    def create(self, namespace: str, content: dict[str, Any], **parameters: str) -> Any:
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        return self.kubernetes.ask("POST", path, content, **parameters)

    def names(self, namespace: str) -> list[str]:
        listed = self.kubernetes.get(f"/apis/apps/v1/namespaces/{namespace}/deployments")
        return [item["metadata"]["name"] for item in listed["items"]]

    def recorded(self, namespace: str) -> list[tuple[str, str]]:
        """Operation and result of every decision about Deployments of a namespace, without those of the probe."""
        return [
            (record["body"]["request"]["operation"], record["body"]["result"])
            for record in self.gate.records()
            if record["type"] == "decision"
            and record["body"]["subject"]["name"].startswith(f"deployments/{namespace}/")
            and not record["body"]["subject"]["name"].endswith("/probe")
        ]


def deployment(content: bytes, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content)
    found["metadata"] = {"name": name, "labels": {"app": "web"}}
    return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder: Path = tmp_path_factory.mktemp("gate")
    authority = Authority(folder)
    authority.certificate("127.0.0.1")
    with (
        kubernetes_server(tmp_path_factory.mktemp("cluster")) as kubernetes,
        serving(folder, SETTINGS) as gate,
    ):
        yield Cluster(kubernetes, gate, authority)


def test_create_update_and_delete_are_asked_about(cluster: Cluster) -> None:
    space = cluster.namespace()
    assert cluster.create(space, deployment(DEPLOYMENT, "web")).status_code == 201
    path = f"/apis/apps/v1/namespaces/{space}/deployments/web"
    cluster.kubernetes.patch(path, {"spec": {"replicas": 2}})
    cluster.kubernetes.delete(path)
    assert cluster.names(space) == []
    assert cluster.recorded(space) == [("CREATE", "allow"), ("UPDATE", "allow"), ("DELETE", "allow")]


def test_scaling_is_asked_about_as_a_subresource(cluster: Cluster) -> None:
    space = cluster.namespace()
    cluster.create(space, deployment(DEPLOYMENT, "web"))
    path = f"/apis/apps/v1/namespaces/{space}/deployments/web/scale"
    assert cluster.kubernetes.patch(path, {"spec": {"replicas": 4}})["spec"]["replicas"] == 4
    asked = [
        record["body"]["request"]
        for record in cluster.gate.records()
        if record["type"] == "decision" and record["body"]["request"]["resource"] == "deployments.apps/scale"
    ]
    assert [each["operation"] for each in asked] == ["UPDATE"]


def test_what_is_denied_is_not_there_and_the_user_reads_why(cluster: Cluster) -> None:
    space = cluster.namespace()
    refused = cluster.create(space, deployment(PRIVILEGED, "web"))
    assert refused.status_code == 403
    message = refused.json()["message"]
    assert message.startswith('admission webhook "gate.example.com" denied the request: ')
    assert "workload-not-privileged" in message
    assert cluster.names(space) == []
    assert cluster.create(space, deployment(DEPLOYMENT, "web")).status_code == 201
    path = f"/apis/apps/v1/namespaces/{space}/deployments/web"
    worse = {"spec": {"template": {"spec": deployment(PRIVILEGED, "web")["spec"]["template"]["spec"]}}}
    changed = cluster.kubernetes.ask("PATCH", path, worse, content_type="application/merge-patch+json")
    assert changed.status_code == 403
    assert cluster.recorded(space) == [("CREATE", "deny"), ("CREATE", "allow"), ("UPDATE", "deny")]


def test_a_dry_run_is_asked_about_and_changes_nothing(cluster: Cluster) -> None:
    space = cluster.namespace()
    assert cluster.create(space, deployment(DEPLOYMENT, "web"), dryRun="All").status_code == 201
    assert cluster.create(space, deployment(PRIVILEGED, "web"), dryRun="All").status_code == 403
    assert cluster.names(space) == []
    assert cluster.recorded(space) == [("CREATE", "allow"), ("CREATE", "deny")]


def test_in_audit_mode_the_user_is_warned_and_goes_on(cluster: Cluster) -> None:
    space = cluster.namespace(path="/v1/kubernetes/admission/trial")
    allowed = cluster.create(space, deployment(PRIVILEGED, "web"))
    assert allowed.status_code == 201
    assert "would be denied: " in " ".join(allowed.headers.get_list("warning"))
    assert cluster.names(space) == ["web"]


def test_generated_names_are_asked_about(cluster: Cluster) -> None:
    space = cluster.namespace()
    unnamed = deployment(DEPLOYMENT, "")
    unnamed["metadata"] = {"generateName": "web-", "labels": {"app": "web"}}
    assert cluster.create(space, unnamed).status_code == 201
    assert len(cluster.names(space)) == 1


def test_nothing_comes_in_while_the_gate_is_down(cluster: Cluster, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.certificate("127.0.0.1")
    with serving(tmp_path, SETTINGS) as gate:
        other = Cluster(cluster.kubernetes, gate, authority)
        space = other.namespace()
        assert other.create(space, deployment(DEPLOYMENT, "before")).status_code == 201
        assert gate.stop() == 0
        refused = other.create(space, deployment(DEPLOYMENT, secrets.token_hex(4)))
        assert refused.status_code == 500
        assert "failed calling webhook" in refused.json()["message"]
    assert cluster.names(space) == ["before"]


def test_a_gate_that_nobody_vouches_for_is_not_believed(cluster: Cluster, tmp_path: Path) -> None:
    stranger = Cluster(cluster.kubernetes, cluster.gate, Authority(tmp_path))
    space = stranger.namespace()
    refused = stranger.create(space, deployment(DEPLOYMENT, "web"))
    assert refused.status_code == 500
    assert "certificate" in refused.json()["message"]
    assert cluster.names(space) == []
