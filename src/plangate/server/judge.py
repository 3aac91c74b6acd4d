"""The process that judges. It may be ended at any time: nothing that it says counts before it is in the log.

It starts an engine of its own, proves that every rule answers, and then answers one question after the other. Whoever
asked keeps the deadline, and ends this process when it takes longer.
"""

import hashlib
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.audit.keys import redaction_key
from plangate.audit.record import Actor, ActorKind
from plangate.decision.document import PolicyUsed
from plangate.decision.waiver import Approval
from plangate.errors import EXIT_CANNOT_DECIDE, CannotDecideError, PlangateError
from plangate.gate import Run
from plangate.policy.embedded import EngineLimits
from plangate.policy.queries import QueryEngine, QueryPolicies
from plangate.server import children
from plangate.server.messages import Ask, Evaluated, Frames, Hello, Message, Query, Weighed, frame
from plangate.wiring import Document, now
from plangate.wiring.serving import Loaded, Serving, fresh_id, open_serving, weigh_document

_CHUNK_BYTES: Final = 1 << 20
_RECONNECT_S: Final = 5.0
_PAUSE_S: Final = 0.05
PROOF_S: Final = 30.0
"""Seconds that the query policies may take to be loaded."""
_JSON: Final = msgspec.json.Encoder()
_CANARY: Final = (
    b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"canary","namespace":"canary"},"data":{}}'
)
"""Judged once before anything else, so that an engine that cannot judge is noticed at the start."""


class JudgeSetup(Struct, frozen=True, kw_only=True):
    """What a judge starts with.

    Attributes:
        loaded: What judges in each environment; the empty name is the settings' own.
        folder: The state folder.
        path: Socket of the process that asks.
        generation: Which load of the policies this is.
        queries: Query policies, if there are any.
        memory_bytes: What their engine may use.
    """

    loaded: Mapping[str, Loaded]
    queries: QueryPolicies | None = None
    memory_bytes: int = 2 << 30
    folder: Path
    path: str
    generation: int


class JudgeProcess:
    """Loads, proves, answers."""

    def __init__(self, setup: JudgeSetup, stack: ExitStack) -> None:
        """Load everything.

        Raises:
            PlangateError: It cannot be judged with.
        """
        self._setup = setup
        key = redaction_key(setup.folder).secret
        self._servings: Mapping[str, Serving] = {
            name: open_serving(loaded, key, stack) for name, loaded in setup.loaded.items()
        }
        self._queries = (
            None
            if setup.queries is None
            else QueryEngine(setup.queries, EngineLimits(memory_bytes=setup.memory_bytes))
        )
        if self._queries is not None:
            stack.callback(self._queries.close)
            self._queries.evaluate((), None, PROOF_S)
        for name, serving in self._servings.items():
            _prove(serving, name)

    def hello(self) -> Hello:
        """What has been loaded."""
        queries = self._setup.queries
        return Hello(
            pid=os.getpid(),
            generation=self._setup.generation,
            policies={name: policy_as_data(serving.policy) for name, serving in self._servings.items()},
            query_sha256=queries.sha256 if queries is not None else "",
            query_modules=queries.modules if queries is not None else (),
            enforcements={
                name: {
                    rule: spec.enforcement.value
                    for judge in serving.judges
                    for rule, spec in judge.specs.items()
                }
                for name, serving in self._servings.items()
            },
        )

    def answer(self, question: Message) -> Message | None:
        """The answer to one question; ``None`` for what is none."""
        if isinstance(question, Ask):
            return self._weighed(question)
        if isinstance(question, Query):
            return self._evaluated(question)
        return None

    def _evaluated(self, query: Query) -> Evaluated:
        started = time.perf_counter()
        value: bytes | None = None
        error = ""
        try:
            if self._queries is not None:
                value = self._queries.evaluate(query.path, query.input, query.deadline_s)
        except CannotDecideError as problem:
            error = str(problem)
        return Evaluated(
            number=query.number,
            defined=value is not None,
            value=value or b"",
            error=error,
            seconds=time.perf_counter() - started,
        )

    def _weighed(self, ask: Ask) -> Weighed:
        started = time.perf_counter()
        serving = self._servings[ask.environment]
        digest = hashlib.sha256(ask.data).hexdigest()
        run = Run(
            now=ask.now,
            decision_id=ask.decision_id,
            environment=serving.settings.values.environment,
            actor=Actor(kind=ActorKind(ask.actor_kind), name=ask.actor_name),
            mode=ask.mode,
            request=ask.request,
        )
        weighed = weigh_document(
            serving,
            Document(name=ask.name, path=None, data=ask.data, sha256=digest),
            run,
            [
                Approval(rule=rule, plan_sha256=digest, approver=approver, expires=expires)
                for rule, approver, expires in ask.approvals
            ],
        )
        return Weighed(
            number=ask.number,
            document=_JSON.encode(weighed.document),
            record=weighed.record,
            key=weighed.key,
            result=weighed.judgement.result.value,
            seconds=time.perf_counter() - started,
        )


def policy_as_data(policy: PolicyUsed) -> dict[str, Any]:
    """What a decision says of the policies, as plain data."""
    return {
        "sha256": policy.sha256,
        "engine": policy.engine,
        "sources": list(policy.sources),
        "settings_sha256": policy.settings_sha256,
        "bundles": [msgspec.to_builtins(bundle) for bundle in policy.bundles],
    }


def run_judge(setup: JudgeSetup, say: Callable[[Mapping[str, Any]], None]) -> int:
    """Be a judge, until whoever asks is gone, or SIGTERM.

    Args:
        setup: What to judge with, and whom to answer.
        say: Tells ``{"ready": pid, "policies": …}`` or ``{"problem": …}`` once.

    Returns:
        The exit code.
    """
    with ExitStack() as stack:
        # As after Ctrl-C, so that the engines are ended as well.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            judge = JudgeProcess(setup, stack)
        except PlangateError as error:
            say({"problem": str(error), "hint": error.hint})
            return error.exit_code
        except Exception as error:  # noqa: BLE001 - the main process has to hear of it, whatever it is
            say({"problem": f"internal error: {type(error).__name__}", "hint": ""})
            return EXIT_CANNOT_DECIDE
        children.settle()
        hello = judge.hello()
        say({"ready": os.getpid(), "policies": hello.policies, "queries": hello.query_sha256})
        _serve(judge, setup.path)
    return 0


def _serve(judge: JudgeProcess, path: str) -> None:
    """Answer until the other side is gone and does not come back."""
    until = time.monotonic() + _RECONNECT_S
    room = memoryview(
        bytearray(_CHUNK_BYTES)
    )  # one for all: to make one this big takes longer than to fill it
    while time.monotonic() < until:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                connection.connect(path)
                connection.sendall(frame(judge.hello()))
                frames = Frames()
                while size := connection.recv_into(room):
                    # Each is answered by itself, and at once: whoever asked takes the first without an answer for
                    # the one that is at work.
                    for question in frames.feed(room[:size]):
                        if (answer := judge.answer(question)) is not None:
                            connection.sendall(frame(answer))
                    until = time.monotonic() + _RECONNECT_S
            except OSError:
                pass
        time.sleep(_PAUSE_S)


def _prove(serving: Serving, environment: str) -> None:
    """Judge something harmless, to see that every rule answers.

    Raises:
        CannotDecideError: Some do not.
    """
    moment = now()
    run = Run(
        now=moment,
        decision_id=fresh_id(moment),
        environment=serving.settings.values.environment,
        actor=Actor(kind=ActorKind.SYSTEM, name="plangate serve"),
    )
    data = Document(name="canary", path=None, data=_CANARY, sha256=hashlib.sha256(_CANARY).hexdigest())
    weighed = weigh_document(serving, data, run)
    if weighed.problem is not None:
        raise weighed.problem
    if weighed.judgement.errored or weighed.judgement.reasons:
        said = [*weighed.judgement.reasons, *(f"rule {rule} failed" for rule in weighed.judgement.errored)]
        where = f" in environment {environment}" if environment else ""
        raise CannotDecideError(f"the policies cannot be judged with{where}: {'; '.join(said)}"[:2_000])
