"""A real Kubernetes API server for tests: kube-apiserver with its etcd, on loopback, in a process of its own.

`make tools` builds it from `tests/kube_apiserver`. There are no controllers, no scheduler and no kubelet: Deployments stay
without Pods, and a deleted namespace never goes.
"""

import os
import secrets
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.tools import require_tool

CONTEXT: Final = "test"
_START_S: Final = 120.0
_STOP_S: Final = 20.0


class KubernetesServer:
    """A running API server.

    Args:
        folder: Where it keeps its keys; ``apiserver.log`` is there too.
        address: ``HOST:PORT``.
        token: Of an administrator.
        pid: Of its process.
    """

    def __init__(self, folder: Path, address: str, token: str, pid: int) -> None:
        self.folder = folder
        self.url = f"https://{address}"
        self.token = token
        self.pid = pid
        self.ca_file = folder / "apiserver.crt"
        self._client = httpx2.Client(
            base_url=self.url,
            verify=ssl.create_default_context(cafile=self.ca_file),
            headers={"Authorization": f"Bearer {token}"},
            timeout=30.0,
            trust_env=False,
        )

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        **parameters: str,
    ) -> httpx2.Response:
        """One request of the administrator, answered whatever the status is."""
        headers = {} if body is None else {"Content-Type": content_type}
        return self._client.request(method, path, json=body, params=parameters, headers=headers)

    def get(self, path: str) -> dict[str, Any]:
        """An object that has to be there."""
        return self._must(self.ask("GET", path))

    def create(self, path: str, body: Mapping[str, Any], *, manager: str = "test") -> dict[str, Any]:
        """Create an object of a collection, e.g. ``/api/v1/namespaces``."""
        return self._must(self.ask("POST", path, body, fieldManager=manager))

    def patch(self, path: str, body: Mapping[str, Any], *, manager: str = "test") -> dict[str, Any]:
        """Change an object by a merge patch, as somebody else would."""
        answer = self.ask(
            "PATCH", path, body, content_type="application/merge-patch+json", fieldManager=manager
        )
        return self._must(answer)

    def apply(
        self, path: str, body: Mapping[str, Any], *, manager: str, force: bool = False
    ) -> dict[str, Any]:
        """Server-side apply as another manager."""
        answer = self.ask(
            "PATCH",
            path,
            body,
            content_type="application/apply-patch+yaml",
            fieldManager=manager,
            force=str(force).lower(),
        )
        return self._must(answer)

    def delete(self, path: str) -> None:
        """Delete an object, if it is there."""
        answer = self.ask("DELETE", path)
        assert answer.status_code in {200, 202, 404}, answer.text

    def namespace(self) -> str:
        """A new, empty namespace of a name of its own."""
        name = f"t-{secrets.token_hex(4)}"
        self.create("/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def kubeconfig(self, path: Path, *, namespace: str = "default", **user: Any) -> Path:
        """Write a kubeconfig for the administrator (or for ``user``) with the one context `CONTEXT`."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": CONTEXT,
            "clusters": [
                {"name": "c", "cluster": {"server": self.url, "certificate-authority": str(self.ca_file)}}
            ],
            "users": [{"name": "u", "user": user or {"token": self.token}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
        }
        path.write_text(yaml.safe_dump(content))
        path.chmod(0o600)
        return path

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _must(self, answer: httpx2.Response) -> dict[str, Any]:
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def kubernetes_server(folder: Path, *flags: str) -> Iterator[KubernetesServer]:
    """Start one, wait until it is ready, and end it by its pid.

    Args:
        folder: An empty folder of its own.
        flags: More flags of kube-apiserver, e.g. ``--enable-admission-plugins=…``.
    """
    program = require_tool("kube-apiserver")
    token = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "service-account.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    with (folder / "apiserver.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                folder,
                f"--token-auth-file={folder / 'tokens.csv'}",
                "--service-account-issuer=https://kubernetes.invalid",
                f"--service-account-key-file={folder / 'service-account.key'}",
                f"--service-account-signing-key-file={folder / 'service-account.key'}",
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.0.0.0/16",
                "--endpoint-reconciler-type=none",
                "--allow-privileged=true",
                # Nobody makes the default service account that this one would wait for.
                "--disable-admission-plugins=ServiceAccount",
                *flags,
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PATH": os.defpath, "HOME": str(folder)},
        )
    server: KubernetesServer | None = None
    try:
        server = _ready(folder, token, process)
        yield server
    finally:
        if server is not None:
            server.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(folder: Path, token: str, process: subprocess.Popen[bytes]) -> KubernetesServer:
    deadline = time.monotonic() + _START_S
    address, server = folder / "address", None
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
        if server is None and address.exists() and (folder / "apiserver.crt").exists():
            server = KubernetesServer(folder, address.read_text(), token, process.pid)
        try:
            if server is not None and server.ask("GET", "/readyz").status_code == 200:
                return server
        except httpx2.TransportError:
            continue
    if server is not None:
        server.close()
    said = (folder / "apiserver.log").read_text(errors="replace")[-2000:]
    pytest.fail(f"kube-apiserver did not start:\n{said}")


@pytest.fixture(scope="session")
def shared_kubernetes_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubernetesServer]:
    """One API server for all tests of this process; what a test makes belongs into a namespace of its own."""
    with kubernetes_server(tmp_path_factory.mktemp("kubernetes")) as server:
        yield server
