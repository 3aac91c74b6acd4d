"""Everything for one run of the gate, opened and closed together."""

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from plangate.audit.record import uuid7
from plangate.decision.decide import Profile
from plangate.decision.document import Subject
from plangate.facts.registry import plan_with_facts
from plangate.gate import Gate, Run
from plangate.model.plan import Plan
from plangate.model.redaction import Redactor
from plangate.parsers.base import Limits
from plangate.settings import Settings
from plangate.wiring.choices import Choices, limits_of, now, settings_for, waiver
from plangate.wiring.documents import ZIP_MARK, Document, parse_document, read_document
from plangate.wiring.judges import judges_for
from plangate.wiring.state import State, actor, fresh_stamp, open_state, state_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Everything for one run of the gate."""

    settings: Settings
    gate: Gate
    run: Run
    subject: Subject
    document: Document
    state: State
    limits: Limits


@contextmanager
def _uncollected() -> Iterator[None]:
    """No cyclic garbage collection for one run.

    It would walk every object of a big plan again and again, for a quarter of the time at 20,000 resources, and a
    run makes hardly any cycles.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def open_session(name: str, choices: Choices, progress: Callable[[str], None]) -> Iterator[Session]:
    """Everything for judging one document; closes log and engine at the end.

    Raises:
        UsageError: Settings, flags or the file make no sense.
        PolicyLoadError: A policy must not be judged with.
        AuditError: The log cannot be opened.
    """
    started = time.monotonic_ns()
    settings = settings_for(choices)
    limits = limits_of(settings)
    with ExitStack() as stack:
        stack.enter_context(_uncollected())
        # The policy worker is started first: it loads while the plan is read, and forks before there are threads.
        judges, policy, weakened = judges_for(settings, choices, stack)
        document = read_document(name, limits)
        state = stack.enter_context(open_state(state_folder(settings, choices)))
        moment = now()
        who = actor()
        values = settings.values
        is_json = not document.data.startswith(ZIP_MARK)
        gate = Gate(
            parse=lambda: parse_document(document, settings, choices, limits),
            judges=judges,
            log=state.log,
            policy=policy,
            profile=Profile(
                unknown_denies=values.profile == "strict",
                gate_existing=values.gate_existing,
                required=frozenset(values.required_rules),
            ),
            allow_incomplete=values.unsafe_allow_incomplete,
            waivers=[waiver(item, settings.file) for item in values.waivers],
            approvals=(),
            disabled=values.unsafe_disabled_rules,
            weakened=weakened,
            redaction_key=state.redaction.secret,
            stamp=lambda: fresh_stamp(who),
            milliseconds=lambda: (time.monotonic_ns() - started) // 1_000_000,
            progress=progress,
        )
        yield Session(
            settings=settings,
            gate=gate,
            run=Run(
                now=moment,
                decision_id=uuid7(moment, os.urandom(10)),
                environment=values.environment,
                actor=who,
            ),
            subject=Subject(
                name=document.name,
                sha256=document.sha256,
                size=len(document.data),
                media_type="application/json" if is_json else "application/vnd.plangate.terraform-plan",
            ),
            document=document,
            state=state,
            limits=limits,
        )


def plan_with_secrets(session: Session) -> tuple[Plan, Redactor]:
    """The plan, parsed, and what removes its secrets from texts.

    Raises:
        PlanParseError: It cannot be read.
    """
    plan = session.gate.parse()
    return plan, Redactor(plan.secrets, session.state.redaction.secret)


def plan_for_rules(session: Session) -> tuple[Plan, Redactor]:
    """The plan as the rules get it, and what removes its secrets from texts.

    Raises:
        PlanParseError: It cannot be read.
    """
    plan, redactor = plan_with_secrets(session)
    return plan_with_facts(replace(plan, environment=session.run.environment)), redactor
