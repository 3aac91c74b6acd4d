"""``make bench``: a table of wall time and peak memory, Plangate and its peers in one run.

Every command starts cold, in a process of its own. Within a row the tools take turns, so that a busy moment
of the machine falls on all. The first run of each is for memory and warms the file cache; it is not timed.
Each command has a time-out; one that needs longer is shown as such, never left out.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from bench import commands, inputs
from bench.commands import Command
from bench.measure import Run, run
from bench.table import table
from plangate.policy.base import OPA

RESULTS: Final = Path(__file__).resolve().parent / "results.json"

_AWS_S: Final = 1800.0
_FEW: Final = ((1.0, 11), (5.0, 5), (30.0, 3))
"""Seconds of the first run to the number of timed runs; a slower one is timed once."""


def main() -> int:
    """Measure, print, write ``bench/results.json``; 1 when a command failed or the engines disagree."""
    arguments = _arguments()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="plangate-bench-") as scratch:
        bench = _Bench(Path(scratch), arguments.timeout)
        rows = [row for size in arguments.sizes for row in bench.estate(size)]
        if not arguments.no_sources:
            rows += bench.sources()
        if not arguments.no_rego:
            rows += bench.rego(max(arguments.sizes))
        if not arguments.no_engines:
            for size in [size for size in arguments.sizes if size > 10]:  # noqa: PLR2004 - engines are for plans
                for number in (20, 200):
                    rows += bench.engines(size, number)
        aws = bench.aws(arguments.aws) if arguments.aws else []
    document = {"machine": _machine(), "load": load, "timeout_s": arguments.timeout, "rows": rows, "aws": aws}
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    print(table(document))
    for problem in bench.problems:
        print(f"problem: {problem}", file=sys.stderr)
    return 1 if bench.problems else 0


class _Bench:
    """Runs the rows and remembers what went wrong."""

    def __init__(self, scratch: Path, timeout_s: float) -> None:
        self._scratch = scratch
        self._state = scratch / "state"
        self._timeout_s = timeout_s
        self.problems: list[str] = []

    def estate(self, size: int) -> list[dict[str, Any]]:
        """A plan judged by what each tool brings along."""
        plan = inputs.plan(size)
        tools = [commands.plangate(self._state, plan), commands.checkov(plan)]
        if size <= 10:  # noqa: PLR2004 - a hook's input is small
            tools.insert(1, commands.hook(self._state, plan))
        name = f"{size:,} resources, {_megabytes(plan)}, own rules"
        return self._row(name, [tool for tool in tools if tool is not None])

    def sources(self) -> list[dict[str, Any]]:
        """What people write themselves: Terraform source, manifests, and a repository of both."""
        tree, manifests, repository = (
            inputs.terraform(1_000),
            inputs.manifests(291_000),
            inputs.repository(500),
        )
        rows: list[dict[str, Any]] = []
        for name, path, scan in (
            ("1,000 resources of Terraform source", tree, ("-d", "terraform")),
            (f"manifests of Kubernetes, {_megabytes(manifests)}", manifests, ("-f", "kubernetes")),
            ("repository of 500 files", repository, ("-d", "all")),
        ):
            tools = [
                commands.plangate(self._state, path, "--no-receipt"),
                commands.checkov(path, option=scan[0], framework=scan[1]),
            ]
            rows += self._row(name, [tool for tool in tools if tool is not None])
        return rows

    def rego(self, size: int) -> list[dict[str, Any]]:
        """The same plan and twenty Rego policies in every engine."""
        plan = inputs.plan(size)
        document = inputs.normalized(plan)
        folder = inputs.rego("plangate")
        tools = [
            commands.plangate(self._state, plan, "--policy", str(folder)),
            commands.engine(folder, document),
            commands.opa(folder, document),
            commands.conftest(inputs.rego("conftest"), document),
        ]
        found = [tool for tool in tools if tool is not None]
        self._agree(plan, folder, found)
        return self._row(f"{size:,} resources, {_megabytes(plan)}, 20 Rego policies", found)

    def engines(self, size: int, number: int) -> list[dict[str, Any]]:
        """Engines alone, on the plan document that Plangate hands to either of its own."""
        document = inputs.normalized(inputs.plan(size))
        folder = inputs.rego("plangate", number)
        tools = [
            commands.engine(folder, document),
            commands.engine(folder, document, OPA) if commands.find("opa") else None,
            commands.opa(folder, document),
            commands.conftest(inputs.rego("conftest", number), document, number),
        ]
        return self._row(
            f"{size:,} resources, {number} Rego policies, engines alone", [t for t in tools if t is not None]
        )

    def aws(self, number: int) -> list[str]:
        """What the executor for AWS takes against a double of AWS, in sentences; none where the double is missing."""
        if find_spec("moto") is None or find_spec("boto3") is None:
            print("moto or boto3 is not installed: the executor for AWS is left out", file=sys.stderr)
            return []
        argv = [sys.executable, "-m", "bench.aws", "--number", str(number)]
        try:
            done = subprocess.run(
                argv, cwd=commands.ROOT, capture_output=True, text=True, check=False, timeout=_AWS_S
            )
        except subprocess.TimeoutExpired:
            self.problems.append(f"bench.aws: not done after {_AWS_S:g} s")
            return []
        if done.returncode:
            self.problems.append(f"bench.aws: exit {done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout.splitlines()

    def _agree(self, plan: Path, folder: Path, tools: Sequence[Command]) -> None:
        """All engines must find the same number of violations, or their times compare nothing."""
        exact = {
            "plangate": commands.plangate(self._state, plan, "--policy", str(folder), "--format", "json")
        }
        counts = {}
        for tool in tools:
            output = self._scratch / "findings"
            done = self._once(exact.get(tool.tool, tool), memory=False, output=output)
            if done.exit_code not in tool.expected:
                continue  # it shows in the table, as failed or as not done
            try:
                counts[tool.tool] = commands.findings(tool.tool, output.read_text())
            except (ValueError, LookupError, TypeError) as problem:
                self.problems.append(f"{tool.tool}: its findings could not be read ({problem!r})")
        print(f"findings of the 20 policies: {counts}", file=sys.stderr)
        if len(set(counts.values())) > 1 or 0 in counts.values():
            self.problems.append(f"the engines disagree, so their times compare nothing: {counts}")

    def _row(self, name: str, tools: Sequence[Command]) -> list[dict[str, Any]]:
        first = [self._once(tool, memory=True) for tool in tools]
        timed: list[list[Run]] = [[] for _ in tools]
        wanted = [next((n for limit, n in _FEW if once.seconds < limit), 1) for once in first]
        for turn in range(max(wanted)):
            for place, tool in enumerate(tools):
                if turn < wanted[place] and first[place].exit_code in tool.expected:
                    timed[place].append(self._once(tool, memory=False))
        return [
            {
                "row": name,
                "tool": tool.tool,
                "seconds": [round(one.seconds, 4) for one in runs],
                "median_s": statistics.median(one.seconds for one in runs) if runs else None,
                "peak_bytes": once.peak_bytes,
                "exit_code": once.exit_code,
            }
            for tool, once, runs in zip(tools, first, timed, strict=True)
        ]

    def _once(self, tool: Command, *, memory: bool, output: Path | None = None) -> Run:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{tool.tool} …", end="", file=sys.stderr, flush=True)
        kept = output or self._scratch / "output"
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        env = inherited | {"NO_COLOR": "1"} | dict(tool.env)
        done = run(
            tool.argv, cwd=self._scratch, env=env, timeout_s=self._timeout_s, memory=memory, output=kept
        )
        if done.exit_code is not None and done.exit_code not in tool.expected:
            said = kept.read_text(errors="replace").strip().splitlines()[:1]
            name = " ".join(Path(word).name for word in tool.argv[:3])
            problem = f"{name}: exit {done.exit_code}: {' '.join(said)[:300]}"
            if problem not in self.problems:
                self.problems.append(problem)
        return done


def _machine() -> dict[str, str]:
    """What the figures were measured on and with; nothing that names the machine."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
    versions = {
        "checkov": (str(commands.ROOT / ".venv-peers" / "bin" / "checkov"), "--version"),
        "opa": (commands.find("opa") or "opa", "version"),
    }
    # A conftest that was built from its module calls itself "dev": what it was built from is on its stamp.
    stamp = commands.ROOT / ".tools" / "conftest.stamp"
    built = {"conftest": stamp.read_text().split()[0].removeprefix("v")} if stamp.exists() else {}
    found = {"cpu": f"{model}, {os.cpu_count()} cores", "python": platform.python_version()}
    for name, argv in versions.items():
        with contextlib.suppress(OSError):
            found[name] = commands.version(argv).removeprefix("Version: ")
    return found | built


def _megabytes(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} KB"  # noqa: PLR2004


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 1_000, 20_000], metavar="N")
    parser.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS", help="for each run")
    parser.add_argument(
        "--aws", type=int, default=500, metavar="N", help="resources of the executor for AWS; 0 leaves it out"
    )
    parser.add_argument("--no-rego", action="store_true", help="leave out the row with 20 policies")
    parser.add_argument("--no-engines", action="store_true", help="leave out the rows of engines alone")
    parser.add_argument("--no-sources", action="store_true", help="leave out what is no plan")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
