"""A namespace of a real API server with files to apply to it: what the tests of applying to Kubernetes share."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from plangate.executor.base import ExecutionReport
from plangate.executor.kubernetes.apply import KubernetesExecutor
from plangate.executor.kubernetes.connection import Applied, Cluster, Where
from plangate.executor.kubernetes.document import encode
from plangate.executor.kubernetes.planning import Wanted, foresee
from plangate.wiring import stored_records
from tests.command_line import Ran, environment, run
from tests.kubernetes_server import CONTEXT, KubernetesServer
from tests.terraform_project import Told, an_approval, scrub

Object = dict[str, Any]
_PLURALS: Final = {"ConfigMap": "configmaps", "Secret": "secrets", "Service": "services", "Pod": "pods"}


class WatchedCluster(Cluster):
    """A connection that counts what it changes, and does something just before the first change."""

    def __init__(self, where: Where, before_change: Callable[[], None] | None = None) -> None:
        super().__init__(where)
        self.changes: list[str] = []
        self._before_change = before_change

    def apply(self, path: str, manifest: Mapping[str, Any], *, dry_run: bool) -> Applied:
        if not dry_run:
            if self._before_change is not None and not self.changes:
                self._before_change()
            self.changes.append(path)
        return super().apply(path, manifest, dry_run=dry_run)


class Place:
    """A namespace, a folder of manifests, and a kubeconfig that leads there."""

    def __init__(self, server: KubernetesServer, folder: Path) -> None:
        self.server = server
        self.namespace = server.namespace()
        self.folder = folder
        self.kubeconfig = server.kubeconfig(folder / "kubeconfig", namespace=self.namespace)
        (folder / "manifests").mkdir()
        (folder / "run").mkdir()

    def write(self, *objects: Object, name: str = "all.json") -> None:
        """Put manifests into the folder."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}, indent=1)
        (self.folder / "manifests" / name).write_text(text)

    def plangate(self, *arguments: str | Path, stdin: bytes = b"") -> Ran:
        """Run the command line beside the manifests."""
        return run(
            *arguments, cwd=self.folder / "run", env=environment(KUBECONFIG=str(self.kubeconfig)), stdin=stdin
        )

    def apply(self, *arguments: str | Path, path: str = "../manifests") -> Ran:
        return self.plangate("apply", path, "--context", CONTEXT, *arguments)

    def path(self, kind: str, name: str = "") -> str:
        """The path of an object, or of all of its kind."""
        group = f"/apis/apps/v1/namespaces/{self.namespace}/deployments"
        base = group if kind == "Deployment" else f"/api/v1/namespaces/{self.namespace}/{_PLURALS[kind]}"
        return f"{base}/{name}".rstrip("/")

    def live(self, kind: str, name: str) -> Object:
        return self.server.get(self.path(kind, name))

    def is_there(self, kind: str, name: str) -> bool:
        return self.server.ask("GET", self.path(kind, name)).status_code == 200

    def records(self) -> list[Object]:
        """What the log holds."""
        return [record for _, record in stored_records(self.folder / "run" / ".plangate")]

    def where(self) -> Where:
        return Where(kubeconfig=self.kubeconfig, context=CONTEXT)

    def plan(self, *objects: Object) -> bytes:
        """The plan of applying these objects."""
        wanted = [
            Wanted(address=f"{each['kind']}/{each['metadata']['name']}", file="a.yaml", line=1, manifest=each)
            for each in objects
        ]
        with Cluster(self.where()) as cluster:
            return encode(foresee(cluster, wanted, scrub=scrub, progress=lambda _: None))

    def execute(
        self, plan: bytes, told: Told | None = None, *, before_change: Callable[[], None] | None = None
    ) -> tuple[ExecutionReport, list[str]]:
        """Run a plan; also the paths that were changed."""
        with WatchedCluster(self.where(), before_change) as cluster:
            report = KubernetesExecutor(cluster).apply(
                an_approval(plan), plan, observe=told or Told(), scrub=scrub
            )
            return report, cluster.changes


def a_config_map(name: str = "settings", **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data or {"a": "1"}}


def a_service(name: str = "web") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": [{"port": 80}]},
    }


def a_deployment(name: str = "web", *, privileged: bool = False, **metadata: Any) -> Object:
    """One that the rules have nothing against, unless it is privileged."""
    security = (
        {"privileged": True}
        if privileged
        else {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    )
    amounts = {"cpu": "100m", "memory": "64Mi"}
    container = {
        "name": "web",
        "image": f"registry.example/web@sha256:{'0' * 64}",
        "resources": {"limits": amounts, "requests": amounts},
        "securityContext": security,
    }
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, **metadata},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


@pytest.fixture
def place(shared_kubernetes_server: KubernetesServer, tmp_path: Path) -> Iterator[Place]:
    found = Place(shared_kubernetes_server, tmp_path)
    yield found
    shared_kubernetes_server.delete(f"/api/v1/namespaces/{found.namespace}")
