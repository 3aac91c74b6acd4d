"""From a request to a decision that is in the log: what every interface of the server goes through.

Steps are those of the road (docs/explanation/the-road.md): a judge weighs, the log writer records, and only then there
is a decision. Whatever goes wrong before that becomes a recorded decision with the result ``error``; when it cannot be
recorded, there is no answer but a problem.
"""

import hashlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.audit.base import Entry
from plangate.audit.merkle import leaf_hash
from plangate.decision.document import PolicyBundle, PolicyUsed, Subject
from plangate.errors import AuditError, CannotDecideError, EngineError
from plangate.gate import Run
from plangate.server.access import Access, Caller
from plangate.server.exchange import HttpProblem
from plangate.server.judges import Judges
from plangate.server.log_client import LogClient
from plangate.server.messages import Ask, Evaluated, Query, Weighed
from plangate.server.metrics import Metrics
from plangate.server_settings import DEFAULT_RULE_SET, RuleSetSettings, ServerSettings
from plangate.settings import Settings
from plangate.wiring.choices import now
from plangate.wiring.documents import Document, subject_of
from plangate.wiring.serving import fresh_id, weigh_problem

_NO_POLICY: Final = PolicyUsed(sha256="0" * 64, engine="none", sources=(), settings_sha256="0" * 64)
_JSON: Final = msgspec.json.Encoder()
GivenApproval = tuple[str, str, datetime]
"""Rule, approver, expiry."""


class Asked(Struct, frozen=True, kw_only=True):
    """One thing to be decided.

    Attributes:
        data: The document's bytes.
        name: What it is called in messages.
        caller: Who asks.
        rule_set: Under which name.
        deadline_s: Seconds that the caller waits at most; the server's own limit counts if it is shorter.
        request: What the caller says of its request; texts of at most 1,024 characters.
        approvals: Looks up the approvals of exactly these bytes (rule, approver, expiry); only asked when they would be
            denied without.
    """

    data: bytes
    name: str
    caller: Caller
    rule_set: str = DEFAULT_RULE_SET
    deadline_s: float = float("inf")
    request: Mapping[str, str] = {}
    approvals: Callable[[], Awaitable[Sequence[GivenApproval]]] | None = None


class Decided(Struct, frozen=True, kw_only=True):
    """A decision that is in the log.

    Attributes:
        decision_id: Its id.
        result: ``allow``, ``deny`` or ``error``.
        mode: ``enforce``, or ``warn``: then a denial holds nothing up.
        document: The decision document as JSON, without ``log``.
        entry: Where it is in the log.
        record: The record's bytes.
        time: When.
        policy_sha256: Digest of what judged.
    """

    decision_id: str
    result: str
    mode: str
    document: bytes
    entry: Entry
    record: bytes
    time: datetime
    policy_sha256: str

    @property
    def allowed(self) -> bool:
        """The caller may go on: an allow, or a denial that is only told. Never when there was no decision."""
        return self.result == "allow" or (self.result == "deny" and self.mode == "warn")

    def content(self) -> dict[str, Any]:
        """The decision document as values."""
        found: dict[str, Any] = msgspec.json.decode(self.document)
        return found

    def whole(self) -> bytes:
        """The decision document as JSON, with ``log``."""
        place = {"index": self.entry.index, "size": self.entry.size, "root": self.entry.root.hex()}
        return self.document[:-1] + b',"log":' + _JSON.encode(place) + b"}"


class Front:
    """What handlers ask.

    Args:
        settings: The settings of the file.
        access: The callers.
        judges: The judges.
        log: The log.
        metrics: Counts.
        folder: The state folder; contracts that have something to remember keep it in a folder below.

    Attributes:
        background: What runs beside the requests for as long as the process does. Contracts add to it.
    """

    def __init__(
        self,
        settings: Settings,
        access: Access,
        judges: Judges,
        log: LogClient,
        metrics: Metrics,
        *,
        folder: Path,
    ) -> None:
        self.settings = settings
        self.access = access
        self.judges = judges
        self.log = log
        self.metrics = metrics
        self.folder = folder
        self.background: list[Callable[[], Coroutine[None, None, None]]] = []
        self.reload_problem = ""

    @property
    def server(self) -> ServerSettings:
        """The settings of the server."""
        return self.settings.values.server

    def rule_set(self, name: str) -> RuleSetSettings:
        """What asking under a name means.

        Raises:
            HttpProblem: There is no such rule set.
        """
        found = self.server.rule_sets.get(name)
        if found is not None:
            return found
        if name == DEFAULT_RULE_SET:
            return RuleSetSettings()
        raise HttpProblem(404, "unknown_rule_set", "there is no such rule set")

    async def decide(self, asked: Asked) -> Decided:
        """Judge a document and record the decision.

        Raises:
            HttpProblem: The caller may not ask this.
            AuditError: The decision could not be recorded, so there is none.
        """
        rule_set = self.rule_set(asked.rule_set)
        self.access.require(asked.caller, "ask", asked.rule_set)
        moment = now()
        decision_id = fresh_id(moment)
        actor = asked.caller.actor
        limit = self.server.limits.evaluation_timeout_s

        approvals: Sequence[GivenApproval] = ()

        def question(number: int) -> Ask:
            return Ask(
                number=number,
                name=asked.name,
                data=asked.data,
                environment=rule_set.environment,
                now=moment,
                decision_id=decision_id,
                actor_kind=actor.kind.value,
                actor_name=actor.name,
                mode=rule_set.mode,
                request=asked.request,
                approvals=approvals,
            )

        policy = self.policy(rule_set.environment)
        try:
            until = time.monotonic() + min(limit, asked.deadline_s)
            weighed = await self._weighed(question, until)
            if (
                weighed.result == "deny"
                and asked.approvals is not None
                and (approvals := await asked.approvals())
            ):
                # Nobody has heard of the first answer, and it is written nowhere.
                weighed = await self._weighed(question, until)
            document, record, key, result = weighed.document, weighed.record, weighed.key, weighed.result
        except CannotDecideError as problem:
            run = Run(
                now=moment,
                decision_id=decision_id,
                environment=rule_set.environment or self.settings.values.environment,
                actor=actor,
                mode=rule_set.mode,
                request=asked.request,
            )
            subject = _subject(asked)
            failed = weigh_problem(policy, b"messages only, never stored", subject, run, problem)
            document, record = _JSON.encode(failed.document), failed.record
            key, result = failed.key, failed.judgement.result.value
        entry = await self.recorded(record, key)
        self.metrics.decided(result, rule_set.mode, asked.rule_set)
        return Decided(
            decision_id=decision_id,
            result=result,
            mode=rule_set.mode,
            document=document,
            entry=entry,
            record=record,
            time=moment,
            policy_sha256=policy.sha256,
        )

    async def _weighed(self, question: Callable[[int], Ask], until: float) -> Weighed:
        weighed = await self.judges.ask(question, max(0.0, until - time.monotonic()))
        if not isinstance(weighed, Weighed):
            raise EngineError("the process that judges gave an answer to another question")
        self.metrics.judged(weighed.seconds)
        return weighed

    async def recorded(self, record: bytes, key: str) -> Entry:
        """Write a record, durably.

        Raises:
            AuditError: It is not written, or nobody knows whether it is; then nobody may act on it.
        """
        entry = await self.log.append(record, key)
        if leaf_hash(record) != entry.leaf_hash:
            raise AuditError("the log's answer is about another record")
        return entry

    async def query(self, path: Sequence[str | int], document: bytes | None, deadline_s: float) -> Evaluated:
        """Ask a judge for the value at a path of the query policies.

        Raises:
            EngineError: There is no answer.
        """
        limit = min(self.server.limits.evaluation_timeout_s, deadline_s)
        said = await self.judges.ask(
            lambda number: Query(number=number, path=path, input=document, deadline_s=limit), limit
        )
        if not isinstance(said, Evaluated):
            raise EngineError("the process that judges gave an answer to another question")
        return said

    def policy(self, environment: str) -> PolicyUsed:
        """What judges in an environment now."""
        found = self.judges.policies.get(environment)
        if found is None:
            return _NO_POLICY
        bundles = tuple(PolicyBundle(**bundle) for bundle in found["bundles"])
        return PolicyUsed(
            sha256=found["sha256"],
            engine=found["engine"],
            sources=tuple(found["sources"]),
            settings_sha256=found["settings_sha256"],
            bundles=bundles,
        )


def _subject(asked: Asked) -> Subject:
    digest = hashlib.sha256(asked.data).hexdigest()
    return subject_of(Document(name=asked.name, path=None, data=asked.data, sha256=digest))


def environments_of(settings: ServerSettings) -> tuple[str, ...]:
    """Environments to judge in; the empty name, the settings' own, comes first."""
    return tuple(dict.fromkeys(["", *(item.environment for item in settings.rule_sets.values())]))
