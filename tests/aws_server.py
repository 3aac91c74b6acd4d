"""A double of AWS for tests: moto's server, in a process of its own, over HTTP. It is a double; docs/executor.md lists
what it does not enforce."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from plangate.executor.aws.clients import Aws, Place
from tests.tools import unmeasured

REGION: Final = "eu-central-1"
ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": REGION,
}
"""Credentials that moto takes, for commands that the tests run."""
_IMAGES: Final = Path(__file__).with_name("aws_images.json")
"""All the images that there are: moto's own hundreds are made anew with every empty account, half of what that costs."""
_START_S: Final = 60.0


class AwsServer:
    """A running double.

    Args:
        url: Where it listens, on loopback.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._aws: Aws | None = None

    def reset(self) -> None:
        """An empty account again."""
        with urlopen(Request(f"{self.url}/moto-api/reset", method="POST"), timeout=30) as answer:  # noqa: S310
            assert answer.status == 200

    def aws(self) -> Aws:
        """Connections to it, always the same: making clients takes longer than most tests. Nothing was called yet."""
        if self._aws is None:
            self._aws = Aws(Place(region=REGION, endpoint=self.url), attempts=2)
        self._aws.calls.clear()
        return self._aws


@contextmanager
def aws_server(program: Sequence[str] = ("-m", "moto.server")) -> Iterator[AwsServer]:
    """Start one on a free port of the loopback interface, and end it by its pid.

    Args:
        program: What Python runs: moto's server, or one of ours around it.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, *program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**unmeasured(), **ENVIRONMENT, "MOTO_AMIS_PATH": str(_IMAGES)},
    )
    server = AwsServer(f"http://127.0.0.1:{port}")
    try:
        _await(server, process)
        yield server
    finally:
        process.kill()  # it has nothing to save, and takes its time when asked
        process.wait(timeout=30)


def _await(server: AwsServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(f"{server.url}/moto-api/data.json", timeout=5):  # noqa: S310
                return
        except (URLError, OSError):
            time.sleep(0.1)
    pytest.fail("moto's server did not start")


@pytest.fixture(scope="session")
def shared_aws_server() -> Iterator[AwsServer]:
    with aws_server() as server:
        yield server


@pytest.fixture
def aws_account(shared_aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    """An empty account in the double, and credentials for it in the environment."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    shared_aws_server.reset()
    return shared_aws_server
