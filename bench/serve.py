"""Decisions a second over HTTP, beside a real OPA with the same policies.

``python -m bench.serve [--seconds S] [--rounds N]`` starts `plangate serve` with one and with two workers and
`opa run --server`, and drives each with wrk over loopback, in turns, so that a busy moment of a shared machine falls on
all of them. Ours judges an object of 3 KB with the built-in rules and ten policies, and answers when the record is
durable. OPA gets the plan document that ours makes of the object, and writes no decision log. What is shown is the
median over rounds; processor time a request, over all processes of a server, depends least on what else the machine
does.
"""

import argparse
import contextlib
import json
import os
import re
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
from plangate import wiring
from plangate.facts.registry import plan_with_facts
from plangate.gate import encode_plan
from plangate.policy.load import shipped_library

CONNECTIONS: Final = (2, 16, 64)
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
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
    arguments = parser.parse_args()
    if missing := [name for name in ("wrk", "opa") if shutil.which(name) is None]:
        print(f"{missing[0]} is not on PATH", file=sys.stderr)
        return 2
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="plangate-serve-") as scratch:
        folder = Path(scratch)
        write_policies(folder / "policies")
        (folder / "plangate.yaml").write_text(_SETTINGS)
        (folder / "object.json").write_bytes(deployment())
        (folder / "input.json").write_bytes(_plan_document(folder))
        for _ in range(arguments.rounds):
            for name in ("plangate, 1 worker", "plangate, 2 workers", "opa run --server"):
                with (
                    _opa(folder) if name.startswith("opa") else _plangate(folder, int(name[10])) as (url, pid)
                ):
                    script = folder / ("opa.lua" if name.startswith("opa") else "ours.lua")
                    for connections in CONNECTIONS:
                        run = _drive(url, pid, script, connections, arguments.seconds)
                        found.setdefault((name, connections), []).append(run)
    print(
        f"{'':22} {'conn.':>5} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'cpu ms/req':>11} {'failed':>7} {'MB':>6}"
    )
    for (name, connections), runs in found.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(
            f"{name:22} {connections:5} {middle['rate']:8.0f} {middle['p50']:8.1f} {middle['p99']:8.1f} "
            f"{middle['cpu_ms']:11.2f} {middle['failed']:7.0f} {middle['mb']:6.0f}"
        )
    print(f"load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0


def _plan_document(folder: Path) -> bytes:
    """The plan that ours makes of the object, wrapped as OPA's input."""
    choices = wiring.Choices(config=folder / "plangate.yaml")
    settings = wiring.settings_for(choices)
    limits = wiring.limits_of(settings)
    document = wiring.read_document(str(folder / "object.json"), limits)
    plan = plan_with_facts(wiring.parse_document(document, settings, choices, limits))
    return b'{"input":' + encode_plan(plan) + b"}"


@contextlib.contextmanager
def _plangate(folder: Path, workers: int) -> Iterator[tuple[str, int]]:
    (folder / "ours.lua").write_text(_script(folder / "object.json", "/v1/decisions?receipt=false"))
    command = [sys.executable, "-m", "plangate.cli.main", "serve", "--listen", "127.0.0.1:8396"]
    with _running([*command, "--workers", str(workers)], folder, "http://127.0.0.1:8396/readyz") as pid:
        yield "http://127.0.0.1:8396", pid


@contextlib.contextmanager
def _opa(folder: Path) -> Iterator[tuple[str, int]]:
    (folder / "opa.lua").write_text(_script(folder / "input.json", "/v1/data/policies/bench"))
    command = ["opa", "run", "--server", "--addr", "127.0.0.1:8397", "--log-level", "error"]
    sources = [str(folder / "policies"), str(shipped_library().root)]
    with _running([*command, *sources], folder, "http://127.0.0.1:8397/health") as pid:
        yield "http://127.0.0.1:8397", pid


def _script(body: Path, path: str) -> str:
    return (
        f'wrk.method = "POST"\nlocal file = io.open({json.dumps(str(body))}, "rb")\n'
        f'wrk.body = file:read("*a")\nfile:close()\nwrk.path = {json.dumps(path)}\n'
        'wrk.headers["content-type"] = "application/json"\n'
    )


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


def _drive(url: str, pid: int, script: Path, connections: int, seconds: float) -> dict[str, float]:
    before = _usage(pid)[0]
    output = subprocess.run(
        [
            shutil.which("wrk") or "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds:g}s",
            "--latency",
            "-s",
            str(script),
            url,
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    cpu, memory = _usage(pid)
    requests = max(1, int(re.search(r"(\d+) requests in", output)[1]))  # type: ignore[index]  # wrk always says it
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),  # type: ignore[index]  # as above
        "p50": _latency(output, "50%"),
        "p99": _latency(output, "99%"),
        "cpu_ms": (cpu - before) / requests * 1000,
        "failed": float(failed[1]) if failed else 0.0,
        "mb": memory,
    }


def _latency(output: str, name: str) -> float:
    value, unit = re.search(rf"{name}\s+([\d.]+)([a-z]+)", output).groups()  # type: ignore[union-attr]  # as above
    return float(value) * _UNITS[unit]


def _usage(pid: int) -> tuple[float, float]:
    """Seconds of processor time and megabytes of own memory, of a process and everything below it."""
    seconds = megabytes = 0.0
    for each in (pid, *_below(pid)):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / _TICKS
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
            megabytes += int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1]) / 1024  # type: ignore[index]
    return seconds, megabytes


def _below(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *_below(child)]
    return found


if __name__ == "__main__":
    sys.exit(main())
