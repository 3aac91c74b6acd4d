"""Decisions a second over HTTP, beside a real OPA with the same policies.

``python -m bench.serve [--seconds S] [--rounds N]`` starts `plangate serve` with one and with two workers and
`opa run --server`, and drives each with wrk over loopback, in turns, so that a busy moment of a shared machine falls on
all of them. Ours judges an object of 3 KB with the built-in rules and ten policies, and answers when the record is
durable. OPA gets the plan document that ours makes of the object, and writes no decision log. Every request has another
name, another uid and another image in it, for both. What is shown is the median over rounds; processor time a request,
over all processes of a server and by what they do, depends least on what else the machine does.

``--requests N`` shows instead what memory the processes of one server take after so many requests, and on the way.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import httpx

from bench.admission import deployment, write_policies
from bench.load import MARK, Target, drive, used
from plangate import wiring
from plangate.facts.registry import plan_with_facts
from plangate.gate import encode_plan
from plangate.policy.load import shipped_library

CONNECTIONS: Final = (2, 16, 64)
SERVERS: Final = ("plangate, 1 worker", "plangate, 2 workers", "opa run --server")
MARKS: Final = (0, 10_000, 50_000, 100_000, 200_000)
"""Requests after which memory is looked at."""
_ROLES: Final = ("front", "judge", "log")
_SETTINGS: Final = """version: 1
shipped_policies: false
policies: [policies]
server: {unsafe_anonymous: [ask, read]}
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, help="show memory over so many requests, of one worker")
    parser.add_argument("--only", choices=SERVERS, action="append", help="measure just this; repeatable")
    arguments = parser.parse_args()
    if missing := [name for name in ("wrk", "opa") if shutil.which(name) is None]:
        print(f"{missing[0]} is not on PATH", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="plangate-serve-") as scratch:
        folder = Path(scratch)
        write_policies(folder / "policies")
        (folder / "plangate.yaml").write_text(_SETTINGS)
        (folder / "object.json").write_bytes(deployment(MARK))
        (folder / "input.json").write_bytes(_plan_document(folder))
        if arguments.requests:
            _show_memory(folder, arguments.requests)
        else:
            _show_speed(folder, arguments.only or SERVERS, arguments.rounds, arguments.seconds)
    print(f"load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0


def _show_speed(folder: Path, servers: Sequence[str], rounds: int, seconds: float) -> None:
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(rounds):
        for name in servers:
            with _server(folder, name) as target:
                drive(target, 16, 1)  # what is made at first use is no part of it
                for connections in CONNECTIONS:
                    run = _measured(target, connections, seconds)
                    found.setdefault((name, connections), []).append(run)
    print(f"{'':20} {'':>5} {'':>8} {'latency, ms':>23} {'processor, ms a request':>31} {'':>7} {'':>6}")
    print(
        f"{'':20} {'conn.':>5} {'req/s':>8} {'p50':>7} {'p99':>7} {'p99.9':>7} {'all':>7} "
        f"{' '.join(f'{role:>7}' for role in _ROLES)} {'failed':>7} {'MB':>6}"
    )
    for (name, connections), runs in found.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(
            f"{name:20} {connections:5} {middle['rate']:8.0f} {middle['p50']:7.1f} {middle['p99']:7.1f} "
            f"{middle['p999']:7.1f} {middle['all']:7.2f} "
            f"{' '.join(f'{middle[role]:7.2f}' for role in _ROLES)} {middle['failed']:7.0f} {middle['mb']:6.0f}"
        )


def _measured(target: Target, connections: int, seconds: float) -> dict[str, float]:
    before = used(target.pid).seconds
    run = drive(target, connections, seconds)
    after = used(target.pid)
    requests = max(1.0, run["requests"])
    each = {name: (after.seconds[name] - before.get(name, 0.0)) * 1000 / requests for name in after.seconds}
    roles = {role: each.get(role, 0.0) for role in _ROLES}
    return run | roles | {"all": sum(each.values()), "mb": sum(after.megabytes.values())}


def _show_memory(folder: Path, requests: int) -> None:
    print(f"{'requests':>9} {'MB':>7} {'failed':>7}  MB that no other process shares")
    with _server(folder, SERVERS[0]) as target:
        sent, failed = 0, 0.0
        for mark in sorted({*(mark for mark in MARKS if mark < requests), requests}):
            while sent < mark:
                run = drive(target, 16, 2)
                sent, failed = sent + int(run["requests"]), failed + run["failed"]
            memory = used(target.pid)
            parts = ", ".join(f"{name} {megabytes:.1f}" for name, megabytes in memory.own.items())
            print(f"{sent:9} {sum(memory.megabytes.values()):7.1f} {failed:7.0f}  {parts}", flush=True)


def _plan_document(folder: Path) -> bytes:
    """The plan that ours makes of the object, wrapped as OPA's input."""
    choices = wiring.Choices(config=folder / "plangate.yaml")
    settings = wiring.settings_for(choices)
    limits = wiring.limits_of(settings)
    document = wiring.read_document(str(folder / "object.json"), limits)
    plan = plan_with_facts(wiring.parse_document(document, settings, choices, limits))
    return b'{"input":' + encode_plan(plan) + b"}"


@contextlib.contextmanager
def _server(folder: Path, name: str) -> Iterator[Target]:
    if name.startswith("opa"):
        url, path, body, ready = "http://127.0.0.1:8397", "/v1/data/policies/bench", "input.json", "health"
        command = ["opa", "run", "--server", "--addr", "127.0.0.1:8397", "--log-level", "error"]
        command += [str(folder / "policies"), str(shipped_library().root)]
    else:
        url, path, body, ready = (
            "http://127.0.0.1:8396",
            "/v1/decisions?receipt=false",
            "object.json",
            "readyz",
        )
        command = [sys.executable, "-m", "plangate.cli.main", "serve", "--listen", "127.0.0.1:8396"]
        command += ["--workers", name[10]]
    with _running(command, folder, f"{url}/{ready}") as pid:
        yield Target(url=url, pid=pid, path=path, body=folder / body)


@contextlib.contextmanager
def _running(command: Sequence[str], folder: Path, ready: str) -> Iterator[int]:
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(ready).is_success:
                        break
                time.sleep(0.1)
            yield process.pid
        finally:
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    sys.exit(main())
