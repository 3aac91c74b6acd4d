"""Appends a second to the audit log, against what the same folder can do at all.

``python -m bench.audit_append [FOLDER]`` measures, in turns and in one run, on the disk of FOLDER (the system's
temporary folder when not given): ``write`` + ``fsync`` of the same records to a growing file, which is the least
that a durable log of one record at a time costs, and the log with 1 and with 32 client threads. Every round
measures all of them, so that a busy moment of a shared machine falls on all; ratios are medians over rounds.

The first 500 records or so after opening a log make its write-ahead log grow, which costs about a third more than
overwriting it does later; both are shown.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from plangate.audit.event_records import execution_event
from plangate.audit.keys import signing_key
from plangate.audit.record import Actor, ActorKind, stamp
from plangate.audit.sqlite import SqliteLog

CLIENTS: Final = (1, 32)
ACTOR: Final = Actor(kind=ActorKind.SYSTEM, name="bench")
_serial = count()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    arguments = parser.parse_args()
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="plangate-audit-", dir=arguments.folder) as scratch:
        folder = Path(scratch)
        for number in range(arguments.rounds):
            for name, rate in measurements(folder / f"round{number}", arguments.seconds).items():
                rates.setdefault(name, []).append(rate)
    raw = rates["raw fsync"]
    print(f"{'':26} {'appends/s':>10} {'x raw fsync':>12}   (median of {arguments.rounds} rounds)")
    for name, measured in rates.items():
        ratio = statistics.median(rate / base for rate, base in zip(measured, raw, strict=True))
        print(f"{name:26} {statistics.median(measured):10.0f} {ratio:12.2f}")
    return 0


def measurements(folder: Path, seconds: float) -> dict[str, float]:
    """One round: appends a second by each way of appending."""
    folder.mkdir(mode=0o700)
    rates = {"raw fsync": raw_fsync(folder / "raw", seconds)}
    key = signing_key(folder / "keys", "log")
    for clients in CLIENTS:
        with SqliteLog(folder / f"log{clients}", signer=key, origin=key.name) as log:

            def append(log: SqliteLog = log) -> None:
                encoded, idempotency_key = a_record()
                log.append(encoded, idempotency_key=idempotency_key)

            name = f"{clients} client{'s' if clients > 1 else ''}"
            if clients == 1:
                rates[f"{name}, opened just now"] = in_threads(append, clients, seconds / 4)
            in_threads(append, max(CLIENTS), seconds / 4)
            rates[name] = in_threads(append, clients, seconds)
    return rates


def raw_fsync(path: Path, seconds: float) -> float:
    """Records a second that can be written one by one to a growing file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write() -> None:
        os.write(descriptor, a_record()[0])
        os.fsync(descriptor)

    try:
        return in_threads(write, 1, seconds)
    finally:
        os.close(descriptor)


def in_threads(work: Callable[[], None], threads: int, seconds: float) -> float:
    """How often a second ``work`` is done by this many threads."""
    done = [0] * threads
    begin = time.perf_counter()
    stop = begin + seconds

    def run(number: int) -> None:
        while time.perf_counter() < stop:
            work()
            done[number] += 1

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(done) / (time.perf_counter() - begin)


def a_record() -> tuple[bytes, str]:
    """A real record of about 500 bytes that was never there before, and its key."""
    made = execution_event(
        stamp(datetime.now(UTC), next(_serial).to_bytes(10), ACTOR),
        decision_id="019cb7a1-0000-7000-8000-000000000001",
        sequence=next(_serial),
        event="apply_complete",
        address=f'module.web.aws_instance.app["{next(_serial)}"]',
        action="create",
        message="creation complete after 12 s",
    )
    return made.encode(), made.idempotency_key


if __name__ == "__main__":
    sys.exit(main())
