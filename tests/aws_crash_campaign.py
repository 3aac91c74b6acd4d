"""Kills the run of the three-tier application at its calls of AWS, one after the other, and goes on with it each time.

``python -m tests.aws_crash_campaign --seconds 600`` takes points in an order that a seed decides, until the time is
over, and tells how many there were. Points are before and after each call that changes something.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.aws_crash import AFTER, BEFORE, CRASHED
from tests.aws_server import ENVIRONMENT, AwsServer, aws_server
from tests.aws_three_tier import ThreeTier, everything

_PROGRAM = "tests.aws_crash"


def main() -> int:
    """Run the campaign; 1 when a point did not end well."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=600.0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--calls", type=int, default=0, help="Calls of a run, if that is known.")
    chosen = options.parse_args()
    os.environ.update(ENVIRONMENT)
    started = time.monotonic()
    with aws_server() as server, tempfile.TemporaryDirectory() as folder:
        wanted = _clean(server, Path(folder) / "clean")
        calls = chosen.calls or _calls(server, Path(folder))
        points = [(where, number) for number in range(1, calls + 1) for where in (BEFORE, AFTER)]
        random.Random(chosen.seed).shuffle(points)  # noqa: S311 - no secret
        done, bad = 0, 0
        for where, number in points:
            if time.monotonic() - started > chosen.seconds:
                break
            problem = _point(server, Path(folder) / f"{where}-{number}", where, number, wanted)
            done, bad = done + 1, bad + bool(problem)
            if problem:
                sys.stdout.write(f"{where} {number}: {problem}\n")
                sys.stdout.flush()
    sys.stdout.write(
        f"{done} of {len(points)} points, {bad} of them bad, {time.monotonic() - started:.0f} s\n"
    )
    return 1 if bad else 0


def _clean(server: AwsServer, folder: Path) -> Counter[str]:
    """What is there after a run that nobody killed."""
    folder.mkdir()
    stack = ThreeTier(server, folder)
    assert stack.plan("p.json").code == 0
    ran = stack.apply("p.json")
    assert ran.code == 0, ran.err
    return everything(server.aws())


def _calls(server: AwsServer, folder: Path) -> int:
    """Changing calls of a run: one less than the first that is never made."""
    low, high = 1, 1024
    while low < high:
        middle = (low + high) // 2
        if _ends_before(server, folder / f"count-{middle}", middle):
            high = middle
        else:
            low = middle + 1
    return low - 1


def _ends_before(server: AwsServer, folder: Path, number: int) -> bool:
    server.reset()
    folder.mkdir()
    stack = ThreeTier(server, folder)
    assert stack.plan("p.json").code == 0
    return stack.run(BEFORE, str(number), "apply", "p.json", "-e", "prod", module=_PROGRAM).code == 0


def _point(server: AwsServer, folder: Path, where: str, number: int, wanted: Counter[str]) -> str:
    """What is wrong after a run that was killed and gone on with; empty when nothing is."""
    server.reset()
    folder.mkdir()
    stack = ThreeTier(server, folder)
    assert stack.plan("p.json").code == 0
    killed = stack.run(where, str(number), "apply", "p.json", "-e", "prod", module=_PROGRAM)
    if killed.code not in {0, CRASHED}:
        return f"exit code {killed.code}: {killed.out[-500:]}{killed.err[-500:]}"
    if killed.code == CRASHED:
        ran = stack.apply("p.json", "--resume")
        if ran.code and "no run of this plan" in ran.err + ran.out:
            ran = stack.apply("p.json")
        if ran.code:
            return f"gone on with, exit code {ran.code}: {ran.out[-800:]}{ran.err[-500:]}"
    there = everything(server.aws())
    if there != wanted:
        return f"too much: {dict(there - wanted)}, missing: {dict(wanted - there)}"
    again = stack.plan("q.json")
    if "nothing to do, 50 as wanted" not in again.out:
        return f"a new plan wants more: {again.out[-600:]}"
    if stack.run("audit", "verify").code:
        return "the log does not verify"
    return ""


if __name__ == "__main__":
    sys.exit(main())
