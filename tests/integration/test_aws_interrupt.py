"""Ctrl-C while the command line changes AWS: once lets what has begun finish, twice waits for nothing; both go on."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from plangate.executor.aws.clients import Aws
from tests.aws_proxy import Proxy, proxy_before
from tests.aws_server import ENVIRONMENT, AwsServer
from tests.aws_three_tier import ThreeTier, everything

pytestmark = [pytest.mark.aws, pytest.mark.slow]
_WORKERS: Final = 4
_PROGRAM: Final = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from plangate.cli.main import entry; entry()"
)


@pytest.fixture
def proxy(aws_account: AwsServer) -> Iterator[Proxy]:
    with proxy_before(aws_account.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def wanted(shared_aws_server: AwsServer, tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """What is there after a run that nobody stopped."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        shared_aws_server.reset()
        stack = ThreeTier(shared_aws_server, tmp_path_factory.mktemp("clean"))
        assert stack.plan("p.json").code == 0
        assert stack.apply("p.json").code == 0
        return everything(shared_aws_server.aws())


@pytest.fixture
def stack(wanted: Counter[str], aws_account: AwsServer, proxy: Proxy, tmp_path: Path) -> ThreeTier:
    assert wanted
    aws_account.reset()
    stack = ThreeTier(aws_account, tmp_path)
    stack.env["AWS_ENDPOINT_URL"] = proxy.url
    assert stack.plan("p.json").code == 0
    return stack


class Command:
    """``plangate apply p.json`` under way; what it says goes to files, so that nothing waits for a reader."""

    def __init__(self, stack: ThreeTier) -> None:
        self._out = stack.folder / "out"
        arguments = ["apply", "p.json", "-e", "prod", "--workers", str(_WORKERS)]
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                # Whoever runs the tests in the background has interrupts ignored.
                [sys.executable, "-c", _PROGRAM, *arguments],
                cwd=stack.folder,
                env=stack.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def ends(self, timeout_s: float) -> tuple[int, str]:
        """The exit code, and all that was said."""
        try:
            code = self.process.wait(timeout_s)
        finally:
            self.process.kill()
        return code, self._out.read_text()


def _records(stack: ThreeTier, kind: str) -> list[dict[str, Any]]:
    listed = stack.run("audit", "list", "--type", kind, "--format", "json")
    assert listed.code == 0, listed.err
    found: list[dict[str, Any]] = json.loads(listed.out)
    return found


def _goes_on(stack: ThreeTier, aws: Aws, wanted: Counter[str]) -> None:
    ran = stack.apply("p.json", "--resume")
    assert (ran.code, "a new plan finds nothing left to do" in ran.last) == (0, True), ran.out + ran.err
    assert everything(aws) == wanted
    assert "nothing to do, 50 as wanted" in stack.plan("q.json").out
    assert stack.run("audit", "verify").code == 0


def _begun(stack: ThreeTier) -> list[tuple[str, str]]:
    """What steps said, the first of them only."""
    told = [each["body"] for each in _records(stack, "execution.event")]
    return [(each["event"], each["address"]) for each in told if each["event"].startswith("apply_")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_request_to_stop_lets_what_has_begun_finish_and_begins_nothing(
    stack: ThreeTier, proxy: Proxy, aws_account: AwsServer, wanted: Counter[str], number: signal.Signals
) -> None:
    proxy.hold()
    command = Command(stack)
    proxy.wait_for(_WORKERS)
    command.process.send_signal(number)
    time.sleep(0.5)
    assert command.process.poll() is None
    proxy.let_go()
    code, said = command.ends(60)

    assert code == 130, said
    assert "interrupted; what had begun was finished; go on with --resume" in said
    begun = _begun(stack)
    started = {address for kind, address in begun if kind == "apply_start"}
    assert len(started) == _WORKERS
    assert started == {address for kind, address in begun if kind == "apply_complete"}
    (finished,) = _records(stack, "execution.finished")
    assert finished["body"]["result"] == "interrupted"
    assert "was cut off" in stack.run("status", "-e", "prod").out
    _goes_on(stack, aws_account.aws(), wanted)


@pytest.mark.parametrize("carried_out", [True, False], ids=["carried out afterwards", "never carried out"])
def test_a_second_one_waits_for_nothing_and_what_becomes_of_the_last_calls_is_found_out(
    stack: ThreeTier, proxy: Proxy, aws_account: AwsServer, wanted: Counter[str], *, carried_out: bool
) -> None:
    proxy.hold()
    command = Command(stack)
    proxy.wait_for(_WORKERS)
    command.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    command.process.send_signal(signal.SIGINT)
    began = time.monotonic()
    code, said = command.ends(30)

    assert code == 130, said
    assert time.monotonic() - began < 15
    assert "interrupted; nothing was waited for; go on with --resume" in said
    assert "unknown: " in said
    (finished,) = _records(stack, "execution.finished")
    assert finished["body"]["result"] == "interrupted"
    before = everything(aws_account.aws())
    proxy.let_go(drop=not carried_out)
    proxy.wait_until_idle()
    assert (everything(aws_account.aws()) != before) == carried_out
    _goes_on(stack, aws_account.aws(), wanted)
