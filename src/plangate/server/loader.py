"""The process that loads policies once and starts judges from that, for as long as this load is in use.

A judge that ended is started again from what was loaded then, not from what may lie in the folders now: only a reload
brings other policies into use.
"""

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from plangate.errors import EXIT_CANNOT_DECIDE, PlangateError
from plangate.server import children
from plangate.server.judge import JudgeSetup, run_judge
from plangate.wiring import Choices
from plangate.wiring.proving import prove
from plangate.wiring.serving import load_queries, load_serving

_MAX_PAUSE_S: Final = 5.0
_STEADY_S: Final = 10.0
"""A judge that lived this long is started again at once."""


class LoaderSetup(Struct, frozen=True, kw_only=True):
    """What a loader starts with.

    Attributes:
        choices: What the command line says.
        environments: To judge in; the empty name is the settings' own.
        folder: The state folder.
        paths: Socket of the process that asks, for each judge.
        generation: Which load of the policies this is.
    """

    choices: Choices
    environments: Sequence[str]
    folder: Path
    paths: Sequence[str]
    generation: int


def run_loader(setup: LoaderSetup, status: socket.socket) -> int:
    """Load, run the tests, start judges, and start them again; until all have left, by themselves or after SIGTERM.

    Args:
        setup: What to load, and for whom.
        status: Datagram socket for JSON: ``{"ready": pid, "policies": …}`` for each judge, or
            ``{"problem": …, "hint": …}``.
    """

    def say(message: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):
            status.send(json.dumps({"generation": setup.generation, **message}).encode())

    try:
        loaded = {name: load_serving(setup.choices, name) for name in setup.environments}
        queries = load_queries(loaded[""].settings)
        for each in loaded.values():
            prove(each.settings, each.choices)
    except PlangateError as error:
        say({"problem": str(error)[:2_000], "hint": error.hint[:1_000]})
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the main process has to hear of it, whatever it is
        say({"problem": f"internal error: {type(error).__name__}", "hint": ""})
        return EXIT_CANNOT_DECIDE

    def start(path: str) -> int:
        judge = JudgeSetup(
            loaded=loaded,
            folder=setup.folder,
            path=path,
            generation=setup.generation,
            queries=queries,
            memory_bytes=loaded[""].settings.values.limits.policy_memory_bytes,
        )
        return children.start(lambda: run_judge(judge, say), name="plangate-judge")

    _keep(start, setup.paths)
    return 0


def _keep(start: Callable[[str], int], paths: Sequence[str]) -> None:
    """Start judges, and start them again when they end; until all have left, by themselves or after SIGTERM."""
    judges: dict[int, tuple[str, float]] = {}
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for pid in list(judges):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def begin(path: str) -> None:
        pid = start(path)
        judges[pid] = (path, time.monotonic())
        if stopping:
            stop()

    signal.signal(signal.SIGTERM, stop)
    for path in paths:
        begin(path)
    pause_s = 0.0
    while judges:
        pid, wait_status = os.waitpid(-1, 0)
        if pid not in judges:
            continue
        path, started = judges.pop(pid)
        if stopping or os.waitstatus_to_exitcode(wait_status) == 0:
            continue  # nobody asks it any more
        pause_s = 0.0 if time.monotonic() - started > _STEADY_S else min(max(0.05, pause_s * 2), _MAX_PAUSE_S)
        time.sleep(pause_s)
        begin(path)
