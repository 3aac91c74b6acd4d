"""A private OPA: started by us, in a folder and behind a socket that are ours alone, gone when we are.

The socket file is in a folder that only our user may enter, so nobody else can ask that OPA, and nobody else can
answer in its place. A watcher waits at the other end of a pipe that we hold: when we end, however that happens, the
pipe closes and the watcher ends OPA.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plangate.errors import EngineError
from plangate.policy.opa.base import Deadline, Endpoint
from plangate.policy.opa.revision import Revision

if TYPE_CHECKING:
    from plangate.policy.opa.server import Server

_LOOK_S: Final = 0.005
_MAX_SOCKET_PATH: Final = 100
"""Bytes; systems allow 104 to 108."""
_SAID_BYTES: Final = 20_000

_SCRIPT: Final = """
exec 3<&0 </dev/null
ulimit -c 0
ulimit -v "$1" 2>/dev/null
shift
{ read -r word <&3 || { kill -9 $$; rm -rf -- "$0"; }; } &
exec "$@" 3<&-
"""
"""The shell becomes OPA (``exec``), so that OPA is our child; what it left behind is the watcher. The end of the pipe
without a word means that we are gone; a word, that we end OPA ourselves and its process number may be another's."""


class PrivateOpa:
    """A running ``opa run --server`` with one revision.

    Args:
        binary: The program.
        revision: What it loads.
        memory_bytes: Address space that it may use, where the system can enforce that.
        max_answer_bytes: One answer.
        max_listing_bytes: The list of what it holds.

    Raises:
        EngineError: It cannot be started.
    """

    def __init__(
        self,
        binary: Path,
        revision: Revision,
        memory_bytes: int,
        max_answer_bytes: int,
        max_listing_bytes: int,
    ) -> None:
        self.revision: Final = revision
        self._folder: Final = _private_folder()
        self._pipe = -1
        self._process: subprocess.Popen[bytes] | None = None
        self._max_answer_bytes = max_answer_bytes
        self._max_listing_bytes = max_listing_bytes
        self._server: Server | None = None
        try:
            _write(self._folder / "set", revision)
            self._start(binary, memory_bytes)
        except OSError as problem:
            self.close()
            raise EngineError(f"{binary}: cannot be started: {problem.strerror or problem}") from problem
        except BaseException:
            self.close()
            raise

    def _start(self, binary: Path, memory_bytes: int) -> None:
        reader, self._pipe = os.pipe()
        options = [
            "--addr",
            f"unix://{self._folder / 's'}",
            "--unix-socket-perm",
            "700",
            "--log-level",
            "error",
        ]
        # Relative names become the ids of policies, the same as on a server that they are uploaded to.
        loaded = ["plangate", *([f"{self.revision.prefix}:data.json"] if self.revision.data else [])]
        command = [str(binary), "run", "--server", *options, "--disable-telemetry", *loaded]
        limit = str(memory_bytes // 1024)
        try:
            with (self._folder / "said").open("wb") as said:
                self._process = subprocess.Popen(  # noqa: S603 - the program that the settings name
                    ["/bin/sh", "-c", _SCRIPT, str(self._folder), limit, *command],
                    stdin=reader, stdout=said, stderr=said, cwd=self._folder / "set", start_new_session=True,
                    env={"PATH": os.defpath, "HOME": str(self._folder), "TMPDIR": str(self._folder)},
                )  # fmt: skip
        finally:
            os.close(reader)

    @property
    def is_running(self) -> bool:
        """It has not ended. Looking does not reap it: its number stays taken until `close`."""
        process = self._process
        if process is None:
            return False
        try:
            return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    def ready(self, deadline: Deadline) -> "Server":
        """The server, once it answers and has shown that it holds the revision.

        Raises:
            EngineError: It ended, does not answer in time, or holds something else.
        """
        if self._server is not None:
            return self._server
        # Imported now, while OPA starts: the client takes a fifth of a second.
        from plangate.policy.opa.server import Server  # noqa: PLC0415

        endpoint = Endpoint(name="the private OPA", socket_file=self._folder / "s")
        server = Server(endpoint, self._max_answer_bytes, self._max_listing_bytes)
        while not ((self._folder / "s").exists() and server.is_healthy(deadline)):
            if not self.is_running:
                raise EngineError(f"the private OPA did not start: {self._said()}")
            if deadline.left <= 0:
                raise deadline.error("starting OPA")
            time.sleep(_LOOK_S)
        server.check(self.revision, deadline)
        self._server = server
        return server

    def close(self) -> None:
        """End it, and remove its folder."""
        process, self._process = self._process, None
        if self._pipe >= 0:
            with contextlib.suppress(OSError):
                os.write(self._pipe, b"done\n")
            os.close(self._pipe)
            self._pipe = -1
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()
        if self._server is not None:
            self._server.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def ending(self, seconds: float) -> str:
        """How it ended, for people; empty when it still runs after so many seconds: connections break first."""
        until = time.monotonic() + seconds
        while self.is_running and time.monotonic() < until:
            time.sleep(_LOOK_S)
        if self._process is None or self.is_running:
            return ""
        found = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None or found.si_code == os.CLD_EXITED:
            return (
                "its process ended" if found is None else f"its process ended with status {found.si_status}"
            )
        return f"its process was ended by {signal.Signals(found.si_status).name}"

    def _said(self) -> str:
        """The last of what it wrote, in our names."""
        with contextlib.suppress(OSError), (self._folder / "said").open("rb") as said:
            text = said.read(_SAID_BYTES).decode(errors="replace")
            lines = [line for line in map(_message, text.splitlines()) if line]
            return (
                self.revision.people_say(" ".join(lines).replace(str(self._folder), ""))[:1000]
                or "no word why"
            )
        return "no word why"


def _message(line: str) -> str:
    """What a log line says; warnings about our way to run it left out."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line.strip()
    if not isinstance(entry, dict) or entry.get("level") == "warning":
        return ""
    return str(entry.get("err") or entry.get("msg") or "")


def _private_folder() -> Path:
    """A new folder for us alone, with a path short enough for a socket in it."""
    folder = tempfile.mkdtemp(prefix="plangate-opa-")
    if len(os.fsencode(folder)) > _MAX_SOCKET_PATH - 2:
        shutil.rmtree(folder)
        folder = tempfile.mkdtemp(prefix="plangate-opa-", dir="/tmp")
    return Path(folder)


def _write(root: Path, revision: Revision) -> None:
    """The revision as files: what OPA loads once, instead of compiling everything anew for each policy."""
    for identity, text in revision.ids.items():
        path = root / identity
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if revision.data:
        text = json.dumps(dict(revision.data), ensure_ascii=False)
        (root / "data.json").write_text(text, encoding="utf-8")
