"""The main process of a server: starts the others, starts them again, and ends them in order.

It judges nothing, answers nobody and writes no record itself, so that there is little that could end it. Words between
it and the processes that answer are lines of JSON: see `plangate.server.answering`.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from plangate.errors import CannotDecideError, PlangateError
from plangate.server import children
from plangate.server.answering import AnsweringSetup, run_answering
from plangate.server.assembly import check_parts
from plangate.server.front import environments_of
from plangate.server.loader import LoaderSetup, run_loader
from plangate.server.log_writer import LogWriter
from plangate.server.metrics import forget
from plangate.server.slots import Load, Slot, together
from plangate.server.sockets import bind, call_log, listen_privately, socket_path
from plangate.settings import Settings
from plangate.wiring import Choices

LOAD_TIMEOUT_S: Final = 120.0
"""Seconds that loading and proving policies may take."""
ACTIVATIONS: Final = "plangate serve"
"""Name under which the log has which policies were in use. No bundle can have it."""
_JUDGES_END_S: Final = 5.0
"""Seconds that judges have to end once nobody asks them any more. Nothing that they know is lost with them."""
_TICK_S: Final = 0.2
_PAUSE_S: Final = 0.5
_MAX_MESSAGE: Final = 1 << 20


class Supervisor:
    """Runs a server.

    Args:
        settings: The settings.
        choices: What the command line says.
        folder: The state folder.
        run_folder: For sockets, private and empty.
        say: Tells people what is going on.
    """

    def __init__(
        self, settings: Settings, choices: Choices, folder: Path, run_folder: Path, say: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._choices = choices
        self._folder = folder
        self._run_folder = run_folder
        self._say = say
        server = settings.values.server
        self._workers = server.workers or len(os.sched_getaffinity(0))
        self._slots: list[Slot] = []
        self._writer = 0
        self._retired: set[int] = set()
        self._load: Load | None = None
        self._active: Load | None = None
        self._generation = 0
        self._reload_problem = ""
        self._reload = False
        self._stopping = False
        self._started: dict[int, float] = {}

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT.

        Returns:
            The exit code: 0 once everything that was accepted is finished.

        Raises:
            PlangateError: It could not be started.
        """
        try:
            with self._signals():
                self._start()
                while not self._stopping:
                    self._turn(_TICK_S)
                return self._stop()
        finally:
            self._kill_all()

    # --- starting

    def _start(self) -> None:
        check_parts(self._settings, self._folder)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake, selectors.EVENT_READ, "signal")
        self._status, self._status_out = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._status_out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MAX_MESSAGE)
        self._status.setblocking(False)  # noqa: FBT003 - the socket's own signature
        self._selector.register(self._status, selectors.EVENT_READ, "status")
        self._log_path = socket_path(self._run_folder, "log")
        self._log_listener = listen_privately(self._log_path)
        self._bind()
        self._start_writer()
        self._begin_load()
        while self._load is not None and not self._stopping:
            self._turn(_TICK_S)
        if self._active is None:
            raise CannotDecideError(self._reload_problem or "stopped before it was started")
        for slot in self._slots:
            self._start_answering(slot)
        host, port = self._slots[0].listener.getsockname()[:2]
        scheme = "https" if self._settings.values.server.tls else "http"
        shown = f"[{host}]" if ":" in host else host
        self._say(f"serving on {scheme}://{shown}:{port} with {self._workers} workers\n")

    def _bind(self) -> None:
        address = self._settings.values.server.listen
        for number in range(self._workers):
            try:
                listener = bind(address)
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or "expected HOST:PORT"
                raise CannotDecideError(f"cannot listen on {address}: {reason}") from error
            host, port = listener.getsockname()[:2]
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            self._slots.append(Slot(number, listener, self._run_folder))

    def _start_writer(self) -> None:
        def work() -> int:
            writer = LogWriter(self._folder, self._log_listener)
            signal.signal(signal.SIGTERM, lambda *_: writer.stop())
            writer.run()
            return 0

        self._writer = children.start(work, self._others(), name="plangate-log", death_signal=signal.SIGTERM)
        self._started[self._writer] = time.monotonic()

    def _start_answering(self, slot: Slot) -> None:
        ours, theirs = socket.socketpair()
        active = self._active

        def work() -> int:
            ours.close()
            return run_answering(
                AnsweringSetup(
                    settings=self._settings,
                    listener=slot.listener,
                    judges=slot.judges,
                    control=theirs,
                    log_path=self._log_path,
                    folder=self._folder,
                    generation=active.generation if active is not None else 0,
                    reload_problem=self._reload_problem,
                )
            )

        slot.pid = children.start(work, name="plangate-front", death_signal=signal.SIGTERM)
        self._started[slot.pid] = time.monotonic()
        theirs.close()
        ours.setblocking(False)  # noqa: FBT003 - the socket's own signature
        slot.control, slot.heard, slot.judge_counts = ours, b"", {}
        self._selector.register(ours, selectors.EVENT_READ, slot)

    def _begin_load(self) -> None:
        """Load the policies as they are now, beside those that are in use."""
        self._generation += 1
        server = self._settings.values.server
        setup = LoaderSetup(
            choices=self._choices,
            environments=environments_of(server),
            folder=self._folder,
            paths=[slot.path for slot in self._slots for _ in range(server.judges)],
            generation=self._generation,
        )
        pid = children.start(
            lambda: run_loader(setup, self._status_out), self._others(), name="plangate-load"
        )
        self._load = Load(generation=self._generation, pid=pid, until=time.monotonic() + LOAD_TIMEOUT_S)

    def _others(self) -> list[int]:
        """Descriptors that only processes that answer need."""
        return [
            *(slot.listener.fileno() for slot in self._slots),
            *(slot.control.fileno() for slot in self._slots if slot.control is not None),
        ]

    # --- going on

    def _turn(self, wait_s: float) -> None:
        for key, _ in self._selector.select(wait_s):
            if key.data == "signal":
                with contextlib.suppress(BlockingIOError):
                    self._wake.recv(4_096)
            elif key.data == "status":
                self._hear_status()
            else:
                self._hear(key.data)
        self._reap()
        if self._reload and self._load is None and not self._stopping:
            self._reload = False
            self._say("reloading the policies\n")
            self._begin_load()
        self._look_after_load()

    def _hear_status(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                message = json.loads(self._status.recv(_MAX_MESSAGE))
                load = self._load
                if load is None or message["generation"] != load.generation:
                    if problem := message.get("problem"):
                        self._say(f"a process that judges could not be started again: {problem}\n")
                    continue
                if "problem" in message:
                    load.problem, load.hint = message["problem"], message["hint"]
                else:
                    load.ready += 1
                    load.policies, load.queries = message["policies"], message["queries"]

    def _hear(self, slot: Slot) -> None:
        if slot.control is None:
            return
        try:
            data = slot.control.recv(65_536)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(slot.control)
            slot.control.close()
            slot.control = None
            return
        *lines, slot.heard = (slot.heard + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            slot.judge_counts[message["generation"]] = message["count"]

    def _look_after_load(self) -> None:
        """See how far the load that is on its way has come: ready everywhere, refused, or not yet."""
        load, judges = self._load, self._settings.values.server.judges
        if load is None:
            return
        if not load.problem and time.monotonic() > load.until:
            load.problem = f"loading the policies took longer than {LOAD_TIMEOUT_S:g} s"
        if load.problem:
            self._refuse(load)
            return
        if load.ready < len(self._slots) * judges:
            return
        if self._active is not None and any(
            slot.judge_counts.get(load.generation, 0) < judges
            for slot in self._slots
            if slot.control is not None
        ):
            return
        try:
            self._record_activation(load)
        except PlangateError as error:
            load.problem, load.hint = str(error), error.hint
            self._refuse(load)
            return
        before, self._active, self._load = self._active, load, None
        self._reload_problem = ""
        self._tell({"word": "activate", "generation": load.generation, "text": load.policies[""]["sha256"]})
        if before is not None:
            self._retired.add(before.pid)
            self._say(f"policies {load.policies['']['sha256'][:12]} are in use now\n")

    def _refuse(self, load: Load) -> None:
        self._load = None
        self._reload_problem = load.problem
        self._end(load.pid)
        if self._active is None:
            raise CannotDecideError(load.problem, hint=load.hint)
        self._say(f"the policies were not reloaded, the old ones stay in use: {load.problem}\n")
        self._tell({"word": "reload-failed", "generation": load.generation, "text": load.problem})

    def _record_activation(self, load: Load) -> None:
        policy = load.policies[""]
        digests = {f"environment {name}": each["sha256"] for name, each in load.policies.items()}
        if load.queries:
            digests["queries"] = load.queries
        bundles = {bundle["name"]: bundle for each in load.policies.values() for bundle in each["bundles"]}
        call_log(
            self._log_path,
            "activate",
            name=ACTIVATIONS,
            sha256=policy["sha256"] if len(digests) == 1 else together(digests),
            bundles=list(bundles.values()),
        )

    def _tell(self, message: Mapping[str, Any]) -> None:
        for slot in self._slots:
            if slot.control is not None:
                with contextlib.suppress(OSError):
                    slot.control.sendall(json.dumps(message).encode() + b"\n")

    def _reap(self) -> None:
        """Start again what ended."""
        if self._ended(self._writer):
            self._say("the process that writes the log ended; starting it again\n")
            self._pause(self._writer)
            self._start_writer()
        for slot in self._slots:
            if slot.pid and self._ended(slot.pid):
                self._say(f"worker {slot.number} ended; starting it again\n")
                forget(slot.pid)
                self._pause(slot.pid)
                self._start_answering(slot)
        for pid in list(self._retired):
            if self._ended(pid):
                self._retired.discard(pid)
        if self._load is not None and not self._load.problem and self._ended(self._load.pid):
            self._load.problem = "the process that loads the policies ended unexpectedly"
        if self._active is not None and self._load is None and self._ended(self._active.pid):
            # What was loaded is gone with it. What lies in the folders now becomes a load of its own.
            self._say("the processes that judge ended; loading the policies again\n")
            self._begin_load()

    def _pause(self, pid: int) -> None:
        """Wait a moment before starting again what did not live long."""
        if time.monotonic() - self._started.pop(pid, 0.0) < _PAUSE_S * 4:
            time.sleep(_PAUSE_S)

    @staticmethod
    def _ended(pid: int) -> bool:
        try:
            return os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            return True

    # --- ending

    def _stop(self) -> int:
        """Let everybody finish: those that answer first, then those that judge, then the log."""
        self._say("stopping: finishing what was accepted\n")
        limit_s = self._settings.values.server.limits.shutdown_timeout_s + 5
        answering = self._finish({slot.pid for slot in self._slots if slot.pid}, limit_s)
        for slot in self._slots:
            slot.pid = slot.pid if slot.pid in answering else 0
        loads = {load.pid for load in (self._load, self._active) if load is not None}
        self._retired = self._finish(loads | self._retired, _JUDGES_END_S)
        self._load = self._active = None
        self._writer = max(self._finish({self._writer}, limit_s), default=0)
        return 0 if not answering and not self._writer else 3

    def _finish(self, pids: set[int], limit_s: float) -> set[int]:
        """Ask processes to finish, and wait for that; those that have not by then."""
        for pid in pids:
            _signal(pid, signal.SIGTERM)
        until = time.monotonic() + limit_s
        while (pids := {pid for pid in pids if not self._ended(pid)}) and time.monotonic() < until:
            time.sleep(0.02)
        return pids

    def _kill_all(self) -> None:
        loads = [load.pid for load in (self._load, self._active) if load is not None]
        for pid in (*(slot.pid for slot in self._slots), *loads, *self._retired, self._writer):
            if pid:
                self._end(pid)

    def _end(self, pid: int) -> None:
        _signal(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)

    @contextlib.contextmanager
    def _signals(self) -> Any:
        """Signals set flags, and wake the loop."""
        self._wake, wake = socket.socketpair()
        for end in (self._wake, wake):
            end.setblocking(False)  # noqa: FBT003 - the socket's own signature

        def stop(*_: object) -> None:
            self._stopping = True

        def reload(*_: object) -> None:
            self._reload = True

        handlers = {
            signal.SIGTERM: stop,
            signal.SIGINT: stop,
            signal.SIGHUP: reload,
            signal.SIGCHLD: lambda *_: None,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        previous = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(previous)
            for number, handler in before.items():
                signal.signal(number, handler)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
