"""One process that answers: an event loop, its judges' sockets, and the log writer's."""

import asyncio
import contextlib
import json
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import uvicorn
from msgspec import Struct

from plangate.server import children
from plangate.server.access import Access
from plangate.server.app import Direct, make_app
from plangate.server.endpoint import Guard
from plangate.server.front import Front
from plangate.server.judges import Judges
from plangate.server.log_client import LogClient
from plangate.server.metrics import Metrics
from plangate.server.protocol import Protocol
from plangate.server.request_log import RequestLog
from plangate.server.telemetry import telemetry
from plangate.settings import Settings

_FLUSH_S: Final = 0.1
_TICK_S: Final = 0.05


class AnsweringSetup(Struct, frozen=True, kw_only=True):
    """What a process that answers starts with.

    Attributes:
        settings: The settings of the file.
        listener: Socket for requests.
        judges: Listening socket for its judges.
        control: Socket to the main process.
        log_path: The log writer's socket.
        folder: The state folder.
        generation: Which load of the policies judges.
        reload_problem: Why the last reload was refused; empty when it was not.
    """

    settings: Settings
    listener: socket.socket
    judges: socket.socket
    control: socket.socket
    log_path: str
    folder: Path
    generation: int
    reload_problem: str = ""


class Answering:
    """Puts the parts together, and listens to the main process."""

    def __init__(self, setup: AnsweringSetup) -> None:
        settings = setup.settings
        server = settings.values.server
        self._setup = setup
        self._log = LogClient(setup.log_path, server.limits.record_timeout_s)
        self._judges = Judges(self._on_hello)
        self._judges.generation = setup.generation
        self._metrics = Metrics()
        access = Access(server, settings.folder)
        self._front = Front(settings, access, self._judges, self._log, self._metrics, folder=setup.folder)
        self._front.reload_problem = setup.reload_problem
        self._requests = RequestLog()
        Protocol.limits = server.limits
        self._telemetry = telemetry()
        self._guard = Guard(self._front, self._requests, self._telemetry)
        app = make_app(self._front, self._guard)
        app.router.lifespan_context = self._lifespan
        config = uvicorn.Config(
            Direct(app),
            http=Protocol,
            loop="uvloop",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=max(1, int(server.limits.idle_timeout_s)),
            timeout_graceful_shutdown=max(1, int(server.limits.shutdown_timeout_s)),
            ssl_certfile=settings.folder / server.tls.certificate if server.tls else None,
            ssl_keyfile=settings.folder / server.tls.key if server.tls else None,
            ssl_ca_certs=settings.folder / server.tls.client_ca
            if server.tls and server.tls.client_ca
            else None,
            ssl_cert_reqs=_client_certificates(settings),
        )
        config.load()
        if config.ssl is not None:
            config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
        self._uvicorn = uvicorn.Server(config)

    def run(self) -> None:
        """Answer until told to stop, then finish what was accepted."""
        # Once it has finished, uvicorn raises again what it was told to stop with: by the system's own handler this
        # process would end there and then. And before it has begun, nothing that it is told may be lost.
        signal.signal(signal.SIGTERM, self._stop)
        self._uvicorn.run(sockets=[self._setup.listener])

    def _stop(self, *_: object) -> None:
        self._uvicorn.should_exit = True

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Any) -> AsyncIterator[None]:
        del app
        await self._judges.listen(self._setup.judges)
        children.settle()
        tasks = [asyncio.create_task(self._flush()), asyncio.create_task(self._listen())]
        tasks += [asyncio.create_task(work()) for work in self._front.background]
        for task in tasks:
            task.add_done_callback(self._ended)
        self._metrics.generation.set(self._judges.generation)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            self._log.close()
            self._requests.flush()
            await asyncio.get_running_loop().run_in_executor(None, self._telemetry.close)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A part that broke is not there for the rest of this process's life: say so, and let a new one take over."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._requests.crash("background", error)
            signal.raise_signal(signal.SIGTERM)

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_FLUSH_S)
            self._metrics.running.set(self._guard.running)
            # Standard error may be a pipe that nobody reads: the loop must not wait for that.
            await loop.run_in_executor(None, self._requests.flush)

    # --- the main process

    async def _listen(self) -> None:
        """Do what the main process says; stop when it is gone."""
        reader, self._writer = await asyncio.open_unix_connection(sock=self._setup.control)
        self._on_hello(self._judges.generation)
        while line := await reader.readline():
            message = json.loads(line)
            if message["word"] == "activate":
                self._judges.activate(message["generation"])
                self._front.reload_problem = ""
                self._metrics.generation.set(message["generation"])
                self._metrics.reload_failed.set(0)
                self._requests.say("info", {"event": "policies activated", **message})
            elif message["word"] == "reload-failed":
                self._front.reload_problem = message["text"]
                self._metrics.reload_failed.set(1)
                self._requests.say("error", {"event": "reload refused", **message})
        signal.raise_signal(signal.SIGTERM)

    def _on_hello(self, generation: int) -> None:
        """Tell the main process how many judges of a generation are here."""
        writer = getattr(self, "_writer", None)
        if writer is not None:
            said = {"word": "judges", "generation": generation, "count": self._judges.count(generation)}
            writer.write(json.dumps(said).encode() + b"\n")


def _client_certificates(settings: Settings) -> int:
    tls = settings.values.server.tls
    if tls is None or not tls.client_ca:
        return ssl.CERT_NONE
    return ssl.CERT_REQUIRED if tls.require_client_certificate else ssl.CERT_OPTIONAL


def run_answering(setup: AnsweringSetup) -> int:
    """Be a process that answers."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(KeyboardInterrupt):
        Answering(setup).run()
    sys.stderr.flush()
    return 0
