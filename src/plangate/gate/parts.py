"""What the road carries: the concrete parts of one gate, one run, and the decision that comes out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct, field

from plangate.audit.base import Entry, Log
from plangate.audit.record import Actor, Stamp
from plangate.decision.decide import Judgement, Profile
from plangate.decision.document import InputRead, PolicyUsed, Subject
from plangate.decision.outcome import Outcome, RuleSpec
from plangate.decision.waiver import Approval, Waiver
from plangate.errors import CannotDecideError
from plangate.model.plan import Plan
from plangate.model.redaction import Redactor

Said = tuple[Sequence[Outcome], Sequence[str]]
"""Outcomes, and the ids of rules that found nothing in their scope."""


class Judge(Protocol):
    """A set of rules in one language: what is loaded, and what it says of a plan."""

    @property
    def specs(self) -> Mapping[str, RuleSpec]:
        """Every loaded rule by id."""

    def ask(self, plan: Plan, document: Callable[[], bytes]) -> Callable[[], Said]:
        """Begin to judge a plan; what is returned waits for the answer.

        Whoever judges in another process begins at once, so that the others judge meanwhile.

        Args:
            plan: The plan with facts.
            document: Gives the plan document as JSON bytes, made once.

        Raises:
            CannotDecideError: The rules could not be asked; also when the answer is waited for.
        """


class RawSaid(Struct, frozen=True, kw_only=True):
    """What a judge of raw documents says of a file.

    Attributes:
        outcomes: As any judge's.
        results: The same in the form of its own report, one object for each of its namespaces; none when something
            could not be judged.
    """

    outcomes: Sequence[Outcome]
    results: Sequence[Mapping[str, Any]]


class RawJudge(Protocol):
    """Rules that judge a file as it was handed in, instead of the plan in it."""

    @property
    def specs(self) -> Mapping[str, RuleSpec]:
        """Every loaded rule by id."""

    @property
    def combines(self) -> bool:
        """All files are one document to it: it is asked once, with `ask_together`."""

    def ask(self, name: str, data: bytes) -> RawSaid:
        """Judge one file.

        Raises:
            CannotDecideError: It cannot be read, or the rules could not be asked.
        """

    def ask_together(self, files: Sequence[tuple[str, bytes]]) -> RawSaid:
        """Judge all files, each with its name, as one document.

        Raises:
            CannotDecideError: As for `ask`.
        """


class PlanInput(Struct, frozen=True, kw_only=True):
    """One input.

    Attributes:
        name: For people, and for waivers.
        parse: Reads it. ``None`` for something that was only come across, and is no plan.
        subject: Its digest and size. Asked for after `parse`, because only then a folder's files are known.
        covers: Numbers of other inputs that it has in it, so that they are not judged by themselves. Asked for
            after `parse`.
        raw: The document as it was handed in (for a saved plan: its JSON). Asked for after `parse`, and only once;
            ``None`` for what is no one document.
    """

    name: str
    parse: Callable[[], Plan | None]
    subject: Callable[[], Subject]
    covers: Callable[[], frozenset[int]] = frozenset
    raw: Callable[[], bytes] | None = None


class JudgedInput(Struct, frozen=True, kw_only=True):
    """What the rules said of one input, as it goes from process to process.

    Attributes:
        read: The input, and what it was read as.
        outcomes: Everything that the rules said; secrets may still be in it.
        matched_nothing: Ids of the rules that found nothing in their scope.
        secrets: The plan's secrets.
        problem: Why there is no judgement of it.
        plan: What was judged; ``None`` also when it was judged in another process.
        milliseconds: How long each step took.
        covers: Numbers of other inputs that it has in it.
        results: The report of the judge of raw documents.
        raw: The document as it was handed in, for a judge to whom all of them are one.
    """

    read: InputRead
    outcomes: Sequence[Outcome] = ()
    matched_nothing: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    problem: CannotDecideError | None = None
    plan: Plan | None = None
    milliseconds: Mapping[str, int] = field(default_factory=dict)
    covers: frozenset[int] = frozenset()
    results: Sequence[Mapping[str, Any]] = ()
    raw: bytes | None = None


class Run(Struct, frozen=True, kw_only=True):
    """What is true of one run and taken once, before it starts.

    Attributes:
        now: Aware time of the decision.
        decision_id: UUIDv7.
        environment: Where the plan is meant to be applied.
        actor: Who asks.
        mode: ``enforce``, or ``warn`` where a denial is only told: the decision is the same, and says so.
        request: What the caller says of its request, e.g. its own id for it; a few short texts.
    """

    now: datetime
    decision_id: str
    environment: str
    actor: Actor
    mode: str = "enforce"
    request: Mapping[str, str] = field(default_factory=dict)


class Judging(Struct, frozen=True, kw_only=True):
    """What the first half of the road needs, from bytes to outcomes, in whichever process.

    Attributes:
        inputs: What is to be judged; one decision is over all of it.
        judges: Built-in rules and policies.
        allow_incomplete: Let plans with ``-target`` through.
        milliseconds: A clock for timings.
        progress: Told what is going on, for people.
        raw_judge: Judges the files as they were handed in, besides.
    """

    inputs: Sequence[PlanInput]
    judges: Sequence[Judge]
    allow_incomplete: bool
    milliseconds: Callable[[], int]
    progress: Callable[[str], None]
    raw_judge: RawJudge | None = None


class Weighing(Struct, frozen=True, kw_only=True):
    """Everything concrete that the road needs up to a decision that is not recorded yet.

    Attributes:
        judging: From bytes to outcomes.
        pool: Does that in other processes, input by input in their order; ``None`` to do it in this one.
        policy: Digest, engine and sources of what judges.
        profile: How strict to be.
        waivers: Waivers of the settings.
        approvals: Approvals that came with the run.
        disabled: Ids of rules that the settings turned off.
        weakened: Ids of rules that the settings enforce less than they say of themselves.
        redaction_key: Key of the placeholders.
    """

    judging: Judging
    pool: Callable[[], Iterable[JudgedInput | None]] | None = None
    policy: PolicyUsed
    profile: Profile
    waivers: Sequence[Waiver]
    approvals: Sequence[Approval]
    disabled: Sequence[str]
    weakened: Sequence[str]
    redaction_key: bytes


class Gate(Weighing, frozen=True, kw_only=True):
    """Everything concrete that the road needs, chosen in `plangate.wiring`.

    Attributes:
        log: Where decisions are recorded.
        stamp: A fresh record stamp for "now".
    """

    log: Log
    stamp: Callable[[], Stamp]


class Unrecorded(Struct, frozen=True, kw_only=True):
    """What would be a decision, if it were in the log. Nobody may act on it, nor hear of it.

    Attributes:
        judgement: Result and what determined it.
        document: ``plangate.dev/decision/v1``, without ``log``.
        record: The bytes to write.
        key: Their idempotency key.
        plan: As in `Decision`.
        outcomes: As in `Decision`.
        redactor: As in `Decision`.
        problem: As in `Decision`.
        results: As in `Decision`.
    """

    judgement: Judgement
    document: Mapping[str, Any]
    record: bytes
    key: str
    plan: Plan | None
    outcomes: Sequence[Outcome]
    redactor: Redactor
    problem: CannotDecideError | None
    results: Sequence[Mapping[str, Any]] = ()


class Decision(Struct, frozen=True, kw_only=True):
    """A decision that is in the log.

    Attributes:
        judgement: Result and what determined it.
        document: ``plangate.dev/decision/v1``, with ``log``.
        entry: Where its record is in the log.
        record: The record's bytes.
        plan: What was judged, when it is one plan; ``None`` when it could not be read.
        outcomes: Everything that the rules said, redacted.
        redactor: Removes the plans' secrets from any other text.
        problem: Why no decision was possible, when an error was the reason.
        results: The report of the judge of raw documents, redacted; none when it could not judge everything.
    """

    judgement: Judgement
    document: Mapping[str, Any]
    entry: Entry
    record: bytes
    plan: Plan | None
    outcomes: Sequence[Outcome]
    redactor: Redactor
    problem: CannotDecideError | None
    results: Sequence[Mapping[str, Any]] = ()
