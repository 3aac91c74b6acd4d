"""The embedded engine: regorus, in a worker process of its own that can be killed.

The worker is started before the plan is read, loads the policies while the plan is parsed, and answers over pipes
with a deadline that this side keeps. Whatever goes wrong (too slow, out of memory, a crash, a panic, an answer that
is cut short, garbled or leaves a rule out) is an `EngineError`, and the next evaluation gets a new worker.
See docs/adr/0004-embedded-rego.md.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from plangate.errors import EngineError
from plangate.policy import worker
from plangate.policy.answers import AnswerError, combined_answers, rule_answer
from plangate.policy.base import PolicySet, RuleAnswer
from plangate.policy.numbers import InexactNumberError, needs_exact_input

REGORUS_VERSION: Final = "0.13.0"

_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLimits:
    """What a worker may use.

    Attributes:
        memory_bytes: Address space beyond what the process starts with.
        max_answer_bytes: All answers of one evaluation together.
    """

    memory_bytes: int = 2 << 30
    max_answer_bytes: int = 64 << 20


class EmbeddedEngine:
    """Judges with regorus. One evaluation at a time; close it, or use it as a context manager.

    Args:
        policies: Start a worker with these now, so that it loads while something else is done.
    """

    def __init__(self, policies: PolicySet | None = None, limits: EngineLimits | None = None) -> None:
        self._limits = limits or EngineLimits()
        self._lock = threading.Lock()
        self._worker: _Process | None = None
        self._loaded: PolicySet | None = None
        if policies is not None:
            self.start(policies)

    @property
    def version(self) -> str:
        """Engine name and version."""
        return f"regorus {REGORUS_VERSION}"

    def start(self, policies: PolicySet) -> None:
        """Start a worker that loads these policies, unless there is one. Does not wait for it."""
        if self._worker is not None and self._loaded is not None and self._loaded.sha256 == policies.sha256:
            return
        self.close()
        try:
            self._worker = _start(_setup(policies, self._limits))
        except OSError as problem:
            raise EngineError(f"the policy engine cannot be started: {problem.strerror or problem}") from problem
        self._loaded = policies

    def evaluate(self, policies: PolicySet, document: bytes, deadline_s: float) -> Sequence[RuleAnswer]:
        """Evaluate every rule of the set on a plan document (JSON bytes).

        Args:
            policies: The rules; a worker that holds other ones is replaced.
            document: The normalized plan.
            deadline_s: Seconds for everything: loading that is not done yet, handing over, evaluating.

        Returns:
            Exactly one answer per rule of the set, in its order.

        Raises:
            EngineError: No answer, not in time, out of memory, or one that leaves a rule out.
        """
        if not policies.rules:
            return ()
        with self._lock:
            until = time.monotonic() + deadline_s
            try:
                exact = needs_exact_input(document)
            except InexactNumberError as problem:
                raise EngineError(
                    f"the plan holds the number {problem}, which the embedded engine cannot hold exactly",
                    hint="judge this plan with `engine: opa`",
                ) from problem
            except ValueError as problem:
                raise EngineError(f"the plan document cannot be read: {problem}") from problem
            self.start(policies)
            assert self._worker is not None  # noqa: S101 - start() sets it or raises; for the type checker
            answered = False
            try:
                options = json.dumps({"deadline_s": deadline_s, "exact": exact}).encode()
                request = worker.frame(b"EVAL", options + b"\n" + document)
                answers = _Exchange(self._worker, policies, deadline_s, until, self._limits).run(request)
                answered = True
            finally:
                if not answered:
                    # It may be stuck, half-way, or out of step: nothing of it can be used again.
                    self.close()
        return answers

    def close(self) -> None:
        """End the worker. The engine can be used again afterwards, with a new one."""
        process, self._worker = self._worker, None
        if process is not None:
            process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def rule_queries(policies: PolicySet) -> tuple[str, ...]:
    """One query per rule, each an array: its findings, and its undetermined ones if it says."""
    return tuple(
        f"[data.{package}.deny, data.{package}.undetermined]"
        if rule.id in policies.handles_unknowns
        else f"[data.{package}.deny]"
        for rule in policies.rules
        for package in (policies.packages[rule.id],)
    )


def _setup(policies: PolicySet, limits: EngineLimits) -> dict[str, Any]:
    return {
        "modules": policies.modules,
        "data": json.dumps(dict(policies.data)),
        "queries": rule_queries(policies),
        "memory_bytes": limits.memory_bytes,
    }


class _Process:
    """A started worker: its pid and our ends of its two pipes."""

    def __init__(self, pid: int, requests: int, answers: int, popen: "subprocess.Popen[bytes] | None") -> None:
        self.pid = pid
        self.requests = requests
        self.answers = answers
        self.unsent = b""
        self.ready = False
        self._popen = popen
        self._status: int | None = None

    def kill(self) -> int | None:
        """End it for certain, and say how it ended (as `os.waitpid` does), or ``None`` when nobody knows."""
        if self._status is not None:
            return self._status
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return self.reap()

    def reap(self) -> int | None:
        """Wait for the end that is certain to come, and close the pipes."""
        for descriptor in (self.requests, self.answers):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        try:
            self._status = os.waitpid(self.pid, 0)[1]
        except ChildProcessError:
            self._status = -1
        if self._popen is not None:
            self._popen.returncode = os.waitstatus_to_exitcode(self._status) if self._status >= 0 else -1
        return self._status


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are above the standard streams, also when those are closed."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends)
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


def _start(setup: Mapping[str, Any]) -> _Process:
    """A new worker, by fork where that is safe.

    A fork costs 2 ms and a new interpreter 40 ms, which counts when a whole check may take 300. But a fork
    copies only the calling thread: a lock that another one holds stays locked for ever in the copy. So it is used
    on Linux, and only while the process has exactly one thread, counted by the kernel, which knows of all.
    """
    request_read, request_write = _pipe()
    answer_read, answer_write = _pipe()
    popen: subprocess.Popen[bytes] | None = None
    try:
        if _single_threaded():
            pid = os.fork()
            if pid == 0:
                worker.child(request_read, answer_write, setup)
        else:
            popen = _spawn(request_read, answer_write)
            pid = popen.pid
    except BaseException:
        for end in (request_write, answer_read):
            os.close(end)
        raise
    finally:
        for end in (request_read, answer_write):
            os.close(end)
    os.set_blocking(request_write, False)
    process = _Process(pid, request_write, answer_read, popen)
    if popen is not None:
        process.unsent = worker.frame(b"LOAD", json.dumps(setup).encode())
    return process


def _single_threaded() -> bool:
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def _spawn(request_read: int, answer_write: int) -> "subprocess.Popen[bytes]":
    """A worker in a fresh interpreter, which finds the engine where we found it."""
    program = "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); import runpy; " \
        "runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    ends = (request_read, answer_write)
    return subprocess.Popen(  # noqa: S603 - our own interpreter on our own file
        [sys.executable, "-I", "-c", program, json.dumps(sys.path), worker.__file__, *map(str, ends)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        pass_fds=ends, cwd="/", env={"RUST_BACKTRACE": "0", "RUST_LIB_BACKTRACE": "0"},
    )  # fmt: skip


class _Exchange:
    """One request and its answers, with a deadline over all of it."""

    def __init__(
        self, process: _Process, policies: PolicySet, deadline_s: float, until: float, limits: EngineLimits
    ) -> None:
        self.process = process
        self.policies = policies
        self.deadline_s = deadline_s
        self.until = until
        self.limits = limits
        self.received = bytearray()
        self.total = 0
        self.answers: dict[int, RuleAnswer] = {}
        self.current: int | None = None

    def run(self, request: bytes) -> tuple[RuleAnswer, ...]:
        """Send, receive until DONE, and insist on an answer for every rule."""
        pending = memoryview(self.process.unsent + request)
        self.process.unsent = b""
        poll = select.poll()
        poll.register(self.process.answers, select.POLLIN)
        poll.register(self.process.requests, select.POLLOUT)
        done = False
        while not done:
            left = self.until - time.monotonic()
            if left <= 0 or not (events := poll.poll(left * 1000)):
                self.process.kill()
                raise EngineError(f"{self._activity()} took longer than {self.deadline_s:g} s and was ended")
            for descriptor, _ in events:
                if descriptor == self.process.requests:
                    pending = self._send(pending)
                    if not pending:
                        poll.unregister(self.process.requests)
                else:
                    done = self._receive()
        missing = [rule.id for index, rule in enumerate(self.policies.rules) if index not in self.answers]
        if missing:
            raise EngineError(f"the policy engine left out rules: {', '.join(missing)}")
        return tuple(self.answers[index] for index in range(len(self.policies.rules)))

    def _send(self, pending: memoryview) -> memoryview:
        try:
            return pending[os.write(self.process.requests, pending[:_CHUNK_BYTES]) :]
        except BlockingIOError:
            return pending
        except BrokenPipeError:
            # It is gone; what it still said, or the end of its answers, tells why.
            return pending[len(pending) :]

    def _receive(self) -> bool:
        """Take what there is; true once everything was answered."""
        chunk = os.read(self.process.answers, _CHUNK_BYTES)
        if not chunk:
            raise EngineError(f"{self._activity()} failed: {_ending(self.process.reap())}")
        self.received += chunk
        self.total += len(chunk)
        if self.total > self.limits.max_answer_bytes:
            raise EngineError(
                f"{self._activity()} gave more than {self.limits.max_answer_bytes} bytes (max_answer_bytes)"
            )
        while len(self.received) >= worker.HEADER_BYTES:
            end = worker.HEADER_BYTES + int.from_bytes(self.received[4 : worker.HEADER_BYTES], "big")
            if end > self.limits.max_answer_bytes:
                raise EngineError("the policy engine gave garbage instead of an answer")
            if len(self.received) < end:
                break
            kind, body = bytes(self.received[:4]), bytes(self.received[worker.HEADER_BYTES : end])
            del self.received[:end]
            if self._take(kind, body):
                if self.received:
                    raise EngineError("the policy engine said more than was asked")
                return True
        return False

    def _take(self, kind: bytes, body: bytes) -> bool:
        """One frame; true for the last one."""
        rules = self.policies.rules
        handles = self.policies.handles_unknowns
        try:
            match kind:
                case b"REDY":
                    self.process.ready = True
                case b"ALLA":
                    self.answers = dict(enumerate(combined_answers(rules, handles, body)))
                case b"BEGN":
                    self.current = self._index(body)
                case b"ANSW":
                    number, _, answer = body.partition(b"\n")
                    index = self._index(number)
                    self.answers[index] = rule_answer(rules[index], handles, answer)
                case b"FAIL":
                    number, _, message = body.partition(b"\n")
                    index = self._index(number)
                    said = message.decode(errors="replace") or "it failed without a word"
                    self.answers[index] = RuleAnswer(rule=rules[index].id, error=said)
                case b"DONE":
                    return True
                case b"DEAD":
                    raise EngineError(f"{self._activity()} failed: {body.decode(errors='replace')}")
                case _:
                    raise AnswerError("an unknown word")  # noqa: TRY301 - handled as any other garbage
        except AnswerError as problem:
            raise EngineError(f"the policy engine gave garbage instead of an answer: {problem}") from problem
        return False

    def _index(self, text: bytes) -> int:
        index = int(text) if text.isdigit() and len(text) < 8 else -1  # noqa: PLR2004 - digits, not bytes of text
        if not 0 <= index < len(self.policies.rules) or index in self.answers:
            raise AnswerError("an answer to no question")
        return index

    def _activity(self) -> str:
        if not self.process.ready:
            return "loading the policies"
        if self.current is None or self.current in self.answers:
            return "evaluating the policies"
        return f"evaluating rule {self.policies.rules[self.current].id}"


def _ending(status: int | None) -> str:
    """How a worker ended, for people."""
    if status is None or status < 0:
        return "its process ended"
    if os.WIFEXITED(status):
        return f"its process ended with status {os.WEXITSTATUS(status)}"
    number = os.WTERMSIG(status)
    name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
    reason = {
        signal.SIGABRT: " (out of memory, or a fault in the engine)",
        signal.SIGSEGV: " (nested too deeply, or a fault in the engine)",
        signal.SIGXCPU: " (processor time used up)",
        signal.SIGKILL: " (killed by the system, which may be out of memory)",
    }.get(number, "")
    return f"its process was ended by {name}{reason}"
