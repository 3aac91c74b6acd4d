"""A real server process on a real socket, for tests."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from plangate.wiring import stored_records

START_S = 60.0
END_S = 10.0
DEPLOYMENT = json.dumps({
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "prod", "labels": {"app": "web"}},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "securityContext": {"runAsNonRoot": True},
                "containers": [{
                    "name": "c",
                    "image": f"example/web@sha256:{'a' * 64}",
                    "resources": {
                        "limits": {"cpu": "1", "memory": "1Gi"},
                        "requests": {"cpu": "100m", "memory": "100Mi"},
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }],
            },
        },
    },
}).encode()  # fmt: skip
"""A manifest that all shipped rules allow."""
PRIVILEGED = DEPLOYMENT.replace(b'"allowPrivilegeEscalation": false', b'"privileged": true')
"""A manifest that they deny."""


class Server:
    """A server that runs. Use it as a context manager, or end it with `stop`."""

    def __init__(self, folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "plangate.cli.main", "serve", "--listen", "127.0.0.1:0", *arguments],
            cwd=folder,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env={**{k: v for k, v in os.environ.items() if k != "PLANGATE_STATE_DIR"}, **(environ or {})},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            serving = self.wait_for("serving on ")
        except BaseException:
            self.kill()
            raise
        self.url = serving.split()[2]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)

    def wait_for(self, text: str, timeout_s: float = START_S) -> str:
        """The first line with this text in it; fails when none comes in time."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            for line in list(self.lines):
                if text in line:
                    return line
            if self.process.poll() is not None and not self._reader.is_alive():
                break
            time.sleep(0.02)
        pytest.fail(f"the server did not say {text!r}: {''.join(self.lines)[-2000:]}")

    def client(self, **named: Any) -> httpx.Client:
        """A client that has this server as its base."""
        return httpx.Client(base_url=self.url, timeout=30.0, **named)

    def records(self) -> list[dict[str, Any]]:
        """Everything in the log, read beside the server."""
        return [record for _, record in stored_records(self.folder / ".plangate")]

    def processes(self) -> list[int]:
        """Ids of all processes below the main one, it left out."""
        return descendants(self.process.pid)

    def stop(self) -> int:
        """Ask it to finish; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """End it for certain."""
        if self.process.poll() is None:
            below = self.processes()
            self.process.kill()
            self.process.wait()
            for pid in below:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._reader.join(5)
        if self.process.stderr is not None:
            self.process.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # In order where that is possible, which also lets coverage of its processes be written.
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(END_S)
        self.kill()


def descendants(pid: int) -> list[int]:
    """Processes that this one started, and those that they started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *descendants(child)]
    return found


def settings(folder: Path, text: str) -> None:
    """Write the settings of a server."""
    (folder / "plangate.yaml").write_text(f"version: 1\n{text}")


@contextlib.contextmanager
def serving(folder: Path, text: str, arguments: Sequence[str] = ("--workers", "1")) -> Iterator[Server]:
    """A server with these settings."""
    settings(folder, text)
    with Server(folder, *arguments) as server:
        yield server
