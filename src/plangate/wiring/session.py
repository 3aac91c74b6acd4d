"""Everything for one run of the gate, opened and closed together."""

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from msgspec import Struct
from msgspec.structs import replace

from plangate.audit.record import uuid7
from plangate.decision.decide import Profile
from plangate.decision.document import timestamp
from plangate.errors import CannotDecideError, UsageError
from plangate.facts.registry import plan_with_facts
from plangate.gate import Gate, Judging, PlanInput, Run
from plangate.model.plan import Plan
from plangate.model.redaction import Redactor
from plangate.parsers.base import Limits
from plangate.settings import Settings
from plangate.wiring.bundles import remember
from plangate.wiring.choices import Choices, limits_of, now, settings_for, waiver
from plangate.wiring.conftest_policies import conftest_of
from plangate.wiring.documents import Document
from plangate.wiring.inputs import Inputs
from plangate.wiring.judges import judges_for
from plangate.wiring.pool import pool_of, processes_for
from plangate.wiring.search import Found, search
from plangate.wiring.state import State, actor, fresh_stamp, open_state, state_folder


class Session(Struct, frozen=True, kw_only=True):
    """Everything for one run of the gate.

    Attributes:
        document: The one file that is judged, for whoever is going to run it; ``None`` for anything else.
        notices: What people should know before they see the decision.
    """

    settings: Settings
    gate: Gate
    run: Run
    document: Document | None
    state: State
    limits: Limits
    notices: Sequence[str] = ()


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
def open_session(
    names: Sequence[str],
    choices: Choices,
    progress: Callable[[str], None],
    *,
    given: Document | CannotDecideError | None = None,
) -> Iterator[Session]:
    """Everything for judging what these names stand for, together; closes log and engine at the end.

    Args:
        names: Files, folders, patterns, or ``-``.
        choices: What the command line says.
        progress: Told what is going on.
        given: What to judge under the one name, made from what lies there; or why it could not be made.

    Raises:
        UsageError: Settings, flags or the files make no sense.
        PolicyLoadError: A policy must not be judged with.
        AuditError: The log cannot be opened.
    """
    started = time.monotonic_ns()

    def milliseconds() -> int:
        return (time.monotonic_ns() - started) // 1_000_000

    settings = settings_for(choices)
    limits = limits_of(settings)
    if given is not None:
        found = [Found(name=name, path=None) for name in names[:1]]
    else:
        found = search(
            names, (*settings.values.exclude, *choices.exclude), limits.max_files, chosen=choices.chosen
        )
    if not found:
        raise UsageError(f"{', '.join(names)}: nothing there that could be judged")
    with ExitStack() as stack:
        stack.enter_context(_uncollected())
        # One OPA answers one question after the other; more processes would start more of them.
        processes = processes_for(found) if settings.opa() is None else 1
        # The policy worker is started first: it loads while the plan is read, and forks before there are threads.
        judges, policy, weakened = judges_for(settings, choices, stack, start=processes == 1)
        conftest = conftest_of(settings, choices, limits, policy, stack, start=processes == 1)
        agreed = policy.sha256  # what every judging process has to have loaded
        if conftest is not None:
            policy, weakened = conftest.policy, [*weakened, *conftest.weakened]
        inputs = Inputs(found, settings, choices, limits, given)
        moment = now()
        who = actor()
        values = settings.values
        run = Run(
            now=moment,
            decision_id=uuid7(moment, os.urandom(10)),
            environment=values.environment,
            actor=who,
        )
        judging = Judging(
            inputs=inputs.all(),
            judges=judges,
            allow_incomplete=values.unsafe_allow_incomplete,
            milliseconds=milliseconds,
            progress=progress,
            raw_judge=conftest.judge if conftest is not None else None,
        )
        pool = pool_of(processes, judging, run, settings, choices, stack, agreed) if processes > 1 else None
        state = stack.enter_context(open_state(state_folder(settings, choices)))
        notices = remember(state.log, policy.bundles, lambda: fresh_stamp(who))
        gate = Gate(
            judging=judging,
            pool=pool,
            log=state.log,
            policy=policy,
            profile=Profile(
                unknown_denies=values.profile == "strict",
                unchecked_unknown_warns=values.unsafe_allow_unknown_source,
                gate_existing=values.gate_existing,
                required=frozenset(values.required_rules),
            ),
            waivers=[waiver(item, settings.file) for item in values.waivers],
            approvals=(),
            disabled=values.unsafe_disabled_rules,
            weakened=weakened,
            redaction_key=state.redaction.secret,
            stamp=lambda: fresh_stamp(who),
        )
        yield Session(
            settings=settings,
            gate=gate,
            run=run,
            document=inputs.only_document(),
            state=state,
            limits=limits,
            notices=notices,
        )


def document_of(session: Session) -> Document:
    """The one file that is judged.

    Raises:
        UsageError: It is something else: a folder, or several files.
    """
    if session.document is None:
        raise UsageError("one saved plan can be applied, not a folder and not several files")
    return session.document


def plan_with_secrets(session: Session) -> tuple[Plan, Redactor]:
    """The plan, parsed, and what removes its secrets from texts.

    Raises:
        PlanParseError: It cannot be read.
    """
    plan = _only(session).parse()
    if plan is None:
        raise UsageError(f"{_only(session).name}: not a plan of any kind")
    return plan, Redactor(plan.secrets, session.state.redaction.secret)


def plan_for_rules(session: Session) -> tuple[Plan, Redactor]:
    """The plan as the rules get it, and what removes its secrets from texts.

    Raises:
        PlanParseError: It cannot be read.
    """
    plan, redactor = plan_with_secrets(session)
    run = session.run
    plan = replace(plan, environment=run.environment, time=timestamp(run.now))
    return plan_with_facts(plan), redactor


def _only(session: Session) -> PlanInput:
    inputs = session.gate.judging.inputs
    if len(inputs) != 1:
        raise UsageError(f"expected one plan, found {len(inputs)} files")
    return inputs[0]
