"""OPA as an engine: a running server, or a private one that is started for us. See docs/adr/0011-opa.md.

One answer per rule or an `EngineError`, like the embedded engine. A deadline holds over everything that it takes:
starting, uploading, checking what the server holds, asking again while nobody is there, evaluating.
"""

import importlib.util
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from plangate.errors import EngineError, PlangateError
from plangate.policy.answers import rule_answers
from plangate.policy.base import Doubt, PolicySet, RuleAnswer
from plangate.policy.opa.base import Deadline, Endpoint
from plangate.policy.reads import Path as ValuePath

if TYPE_CHECKING:
    from plangate.policy.opa.process import PrivateOpa
    from plangate.policy.opa.questions import Questions
    from plangate.policy.opa.revision import Revision
    from plangate.policy.opa.server import Server

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaLimits:
    """What an OPA may use, and say.

    Attributes:
        memory_bytes: Address space of a private OPA.
        max_answer_bytes: One answer.
        max_listing_bytes: The list of all policies that a server holds, with OPA's syntax trees.
    """

    memory_bytes: int = 4 << 30
    max_answer_bytes: int = 64 << 20
    max_listing_bytes: int = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """An OPA that somebody runs.

    Attributes:
        url: ``https://host:port``; ``http`` only on this machine.
        ca_file: Authorities to believe instead of the usual ones.
        client_cert: Certificate and key that we show.
        token: Bearer token, or empty. Never part of a message.
    """

    url: str
    ca_file: Path | None = None
    client_cert: tuple[Path, Path] | None = None
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateServer:
    """An OPA that is started for us. ``binary`` is a path, or a name on PATH."""

    binary: str


class OpaEngine:
    """Judges with OPA. One evaluation at a time; close it, or use it as a context manager.

    Args:
        where: The OPA.
        policies: A private OPA starts with these now, so that it loads while something else is done.
    """

    def __init__(
        self,
        where: RunningServer | PrivateServer,
        policies: PolicySet | None = None,
        limits: OpaLimits | None = None,
    ) -> None:
        self._where: Final = where
        self._limits: Final = limits or OpaLimits()
        self._lock: Final = threading.Lock()
        self._revisions: Final[dict[str, Revision]] = {}
        self._questions: Final[dict[str, Questions]] = {}
        self._private: PrivateOpa | None = None
        self._asked: PrivateOpa | None = None
        self._server: Server | None = None
        self._version = ""
        self._decision_ids: list[str] = []
        if policies is not None and isinstance(where, PrivateServer) and policies.rules:
            self._started(where, self._revision(policies))

    @property
    def version(self) -> str:
        """Engine name, and the version of the OPA that answered last."""
        return f"opa {self._version}".rstrip()

    @property
    def decision_ids(self) -> tuple[str, ...]:
        """What OPA called its answers, if it keeps a log of decisions."""
        return tuple(self._decision_ids)

    def evaluate(self, policies: PolicySet, document: bytes, deadline_s: float) -> Sequence[RuleAnswer]:
        """Evaluate every rule of the set on a plan document (JSON bytes).

        Args:
            policies: The rules; a private OPA that holds other ones is replaced.
            document: The normalized plan.
            deadline_s: Seconds for everything.

        Returns:
            Exactly one answer per rule of the set, in its order.

        Raises:
            EngineError: No answer, not in time, from another revision, or one that leaves a rule out.
        """
        if not policies.rules:
            return ()
        with self._lock:
            deadline = Deadline(deadline_s)
            call = _Call(lambda: self._evaluate(policies, document, deadline))
            return self._waited(call, deadline)

    def settle(
        self, policies: PolicySet, doubts: Sequence[Doubt], document: bytes, deadline_s: float
    ) -> Mapping[Doubt, tuple[ValuePath, ...]]:
        """See `plangate.policy.base.Engine`. OPA's partial evaluation says it; docs/adr/0023-partial.md."""
        if not doubts or deadline_s <= 0:
            return {}
        with self._lock:
            deadline = Deadline(deadline_s / 2)
            try:
                return self._waited(
                    _Call(lambda: self._settle(policies, doubts, document, deadline)), deadline
                )
            except PlangateError:
                # Nothing is lost: what was unknown stays unknown.
                return {}

    def _settle(
        self, policies: PolicySet, doubts: Sequence[Doubt], document: bytes, deadline: Deadline
    ) -> Mapping[Doubt, tuple[ValuePath, ...]]:
        from plangate.policy.opa.questions import questions_of  # noqa: PLC0415 - plans with unknowns alone pay
        from plangate.policy.opa.residue import Asking  # noqa: PLC0415 - as above

        if policies.sha256 not in self._questions:
            self._questions[policies.sha256] = questions_of(policies)
        questions = self._questions[policies.sha256]
        if not any(doubt.rule in questions.probes for doubt in doubts):
            return {}
        server = self._server
        if isinstance(self._where, PrivateServer):
            server = self._other(self._where, questions.revision).ready(deadline)
        elif server is not None:
            server.hold(questions.revision, deadline)
        return Asking(server, questions, document, deadline).settle(doubts) if server is not None else {}

    def _other(self, where: PrivateServer, revision: "Revision") -> "PrivateOpa":
        """A second private OPA, for questions alone: what judges holds nothing but what was loaded."""
        other = self._asked
        if other is not None and other.revision.digest == revision.digest and other.is_running:
            return other
        if other is not None:
            other.close()
        self._asked = self._new(where, revision)
        return self._asked

    def _waited(self, call: "_Call[Result]", deadline: Deadline) -> Result:
        """The result of a call, or an error when its time is over; also while something waits that has no deadline."""
        done = False
        try:
            if not call.wait(max(deadline.left, 0) + _GRACE_S):
                raise deadline.error("asking OPA")
            result = call.result()
            done = True
        finally:
            if not done:
                # It may still be at work on what nobody waits for: a private one is ended, a running one hears
                # that we are gone, and stops.
                self.close()
        return result

    def _evaluate(self, policies: PolicySet, document: bytes, deadline: Deadline) -> Sequence[RuleAnswer]:
        revision = self._revision(policies)
        server = self._ready(revision, deadline)
        try:
            replies = server.judge(revision, document, deadline)
        except EngineError as problem:
            ending = self._private.ending(_GRACE_S) if self._private is not None else ""
            if ending:
                raise EngineError(f"evaluating the policies failed: {ending}") from problem
            raise
        self._version = server.version
        self._decision_ids += server.decision_ids
        return rule_answers(policies.rules, policies.handles_unknowns, replies)

    def _ready(self, revision: "Revision", deadline: Deadline) -> "Server":
        """A server that holds the revision. A private one that died in the meantime is started once more."""
        if isinstance(self._where, PrivateServer):
            return self._started(self._where, revision).ready(deadline)
        if self._server is None:
            from plangate.policy.opa.server import Server  # noqa: PLC0415 - the extra

            self._server = Server(
                _endpoint(self._where), self._limits.max_answer_bytes, self._limits.max_listing_bytes
            )
        self._server.hold(revision, deadline)
        return self._server

    def _started(self, where: PrivateServer, revision: "Revision") -> "PrivateOpa":
        private = self._private
        if private is not None and private.revision.digest == revision.digest and private.is_running:
            return private
        self.close()
        self._private = self._new(where, revision)
        return self._private

    def _new(self, where: PrivateServer, revision: "Revision") -> "PrivateOpa":
        from plangate.policy.opa.process import PrivateOpa  # noqa: PLC0415 - the extra

        return PrivateOpa(
            _program(where.binary), revision, self._limits.memory_bytes,
            self._limits.max_answer_bytes, self._limits.max_listing_bytes,
        )  # fmt: skip

    def _revision(self, policies: PolicySet) -> "Revision":
        if policies.sha256 not in self._revisions:
            _insist_on_client()
            from plangate.policy.opa.revision import revision_of  # noqa: PLC0415

            self._revisions[policies.sha256] = revision_of(policies)
        return self._revisions[policies.sha256]

    def close(self) -> None:
        """End a private OPA, and connections to a running one. The engine can be used again afterwards."""
        private, self._private = self._private, None
        other, self._asked = self._asked, None
        for started in (private, other):
            if started is not None:
                started.close()
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_GRACE_S: Final = 0.5
"""Time for whoever has the deadline to say what it was doing, before it is left alone."""


class _Call(Generic[Result]):
    """A function that runs in a thread of its own, which nobody has to wait for: name lookups have no deadline."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work: Final = work
        self._results: list[Result] = []
        self._problem: BaseException | None = None
        self._thread: Final = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as problem:  # noqa: BLE001 - handed to whoever waits
            self._problem = problem

    def wait(self, seconds: float) -> bool:
        """Whether it is done in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> Result:
        """What the function returned, or raised."""
        if self._problem is not None:
            raise self._problem
        return self._results[0]


def _insist_on_client() -> None:
    if importlib.util.find_spec("opa_client") is None:
        raise EngineError(
            "the engine opa needs the package opa-python-client", hint="pip install 'plangate[opa]'"
        )


def _program(binary: str) -> Path:
    found = shutil.which(binary)
    if found is None:
        raise EngineError(
            f"no program {binary!r} on PATH" if "/" not in binary else f"{binary}: no such program",
            hint="install OPA (openpolicyagent.org), or name it: engine.opa.binary",
        )
    return Path(found).absolute()


def _endpoint(where: RunningServer) -> Endpoint:
    from urllib.parse import urlsplit  # noqa: PLC0415

    parts = urlsplit(where.url)
    host = parts.hostname or ""
    tls = parts.scheme == "https"
    return Endpoint(
        name=f"OPA at {where.url}",
        host=f"[{host}]" if ":" in host else host,
        port=parts.port or (443 if tls else 80),
        tls=tls,
        ca_file=where.ca_file,
        client_cert=where.client_cert,
        token=where.token,
    )
