"""What the AWS executor takes, against a double of AWS (moto's server, over HTTP) on the same machine.

``python -m bench.aws [--number N] [--memory N] [--rounds N] [--delay MS]`` makes N volumes that do not need each other
at 1, 4 and 10 workers, plans them again, and counts calls. The double is one process of Python, so that the ratio says
more about it than about AWS; with ``--delay`` every call takes that much longer on the way, as it does to AWS. Then the
cost of the journal's rows and of the lock alone, and the memory of a plan of many resources, in a process of its own.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from plangate.executor.aws.journal import Journal
from plangate.executor.aws.locks import FileLock
from plangate.executor.aws.planning import Known
from plangate.model.aws_plan import encode_plan
from tests.aws_faults import without_limit
from tests.aws_server import ENVIRONMENT, REGION, AwsServer, aws_server
from tests.aws_stack import OWNER, Hook, Stack, mutating

WORKERS: Final = (1, 4, 10)


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--number", type=int, default=500)
    options.add_argument("--memory", type=int, default=5_000)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--delay", type=float, default=0.0, metavar="MS")
    options.add_argument("--only-memory", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    os.environ.update(ENVIRONMENT)
    if chosen.only_memory:
        return _memory(chosen.memory)
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    _overhead()
    argv = [sys.executable, "-m", "bench.aws", "--only-memory", "--memory", str(chosen.memory)]
    print(subprocess.run(argv, check=True, capture_output=True, text=True).stdout, end="")
    with aws_server() as server:
        for line in _applies(server, chosen.number, chosen.rounds, chosen.delay / 1000):
            print(line, flush=True)
    return 0


def template(number: int) -> dict[str, Any]:
    """Volumes that do not need each other."""
    one = {
        "Type": "AWS::EC2::Volume",
        "Properties": {"AvailabilityZone": f"{REGION}a", "Size": 1, "Encrypted": True},
    }
    return {"Resources": {f"Disk{each:04}": one for each in range(number)}}


def _applies(server: AwsServer, number: int, rounds: int, delay_s: float) -> Iterator[str]:
    without_limit()  # botocore slows itself down where AWS refuses, which the double does not
    medians: dict[int, float] = {}
    wanted = template(number)
    for workers in WORKERS:
        taken = []
        for _ in range(rounds):
            server.reset()
            with tempfile.TemporaryDirectory() as folder:
                stack = Stack(server, Path(folder))
                plan = stack.plan(wanted)
                Hook.before = (lambda **_: time.sleep(delay_s)) if delay_s else None
                aws = stack.aws()
                began = time.perf_counter()
                report = stack.apply(plan, workers=workers, aws=aws, patience=1.0)
                taken.append(time.perf_counter() - began)
                changes, total = mutating(aws.calls).total(), aws.calls.total()
                if report.status != "succeeded":
                    raise SystemExit("\n".join(report.problems))
                calls, again_s = _again(stack, wanted) if workers == WORKERS[-1] else ({}, 0.0)
                Hook.before = None
        medians[workers] = statistics.median(taken)
        ratio = medians[WORKERS[0]] / medians[workers]
        yield (
            f"{number} resources, {workers:>2} workers: {medians[workers]:.2f} s, {ratio:.1f} times as fast as 1,"
            f" {changes} changing calls, {total} in all"
        )
    yield f"{number} resources, a plan that changes nothing: {again_s:.2f} s, {sum(calls.values())} calls {dict(calls)}"


def _again(stack: Stack, wanted: dict[str, Any]) -> tuple[dict[str, int], float]:
    aws = stack.aws()
    began = time.perf_counter()
    plan = stack.plan(wanted, aws)
    taken = time.perf_counter() - began
    if stack.told(plan):
        raise SystemExit(f"a new plan wants more: {stack.told(plan)}")
    return dict(aws.calls), taken


def _overhead() -> None:
    """What is written for one creation, and the lock around a run."""
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
        journal.lease("prod")
        journal.begin("run", OWNER, "plan")
        numbers = iter(range(10**6))

        def step() -> None:
            name = f"create:R{next(numbers)}"
            known = Known(logical_id=name, type="AWS::EC2::Volume", identifier=name)
            journal.intend("run", name)
            journal.made("run", name, name, OWNER, known)
            journal.done("run", name)

        def lock() -> None:
            with FileLock(Path(folder)).held("prod", 0):
                pass

        print(f"journal, three durable rows for each creation: {_median(step) * 1000:.2f} ms")
        print(f"lock of one machine, taken and given back: {_median(lock) * 1000:.3f} ms")


def _median(act: Callable[[], None], times: int = 300) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _memory(number: int) -> int:
    """Peak of a process that plans this many resources in an account that has none of them, and of its imports."""
    from tests.aws_memory import World  # noqa: PLC0415 - no server is needed
    from tests.aws_planned import planned  # noqa: PLC0415

    before = _peak_mb()
    began = time.perf_counter()
    plan = planned(World(), template(number))
    data = encode_plan(plan)
    taken = time.perf_counter() - began
    print(f"{number} resources in a plan: peak {_peak_mb():.0f} MB ({before:.0f} MB before), {taken:.2f} s,"
          f" {len(data) / 1e6:.1f} MB of document")  # fmt: skip
    return 0


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
