"""Everything that judges, kept warm for many requests: for the processes of ``plangate serve`` that judge."""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from plangate.audit.record import uuid7
from plangate.decision.decide import Profile
from plangate.decision.document import PolicyUsed, Subject
from plangate.decision.waiver import Approval, Waiver
from plangate.errors import CannotDecideError, PlanParseError
from plangate.gate import Judge, Judging, PlanInput, Run, Unrecorded, Weighing, weigh
from plangate.parsers.base import Limits
from plangate.policy import queries
from plangate.policy.base import PolicySet, PolicySource
from plangate.policy.queries import QueryPolicies
from plangate.rules.base import Rule
from plangate.settings import Settings
from plangate.wiring.choices import Choices, limits_of, settings_for, waiver
from plangate.wiring.documents import ZIP_MARK, Document, parse_document, subject_of
from plangate.wiring.judges import judges_for, rule_specs


class Serving(Struct, frozen=True, kw_only=True):
    """What judges in one environment. Its engine is ended with the stack that it was opened with."""

    settings: Settings
    choices: Choices
    limits: Limits
    judges: Sequence[Judge]
    policy: PolicyUsed
    weakened: Sequence[str]
    waivers: Sequence[Waiver]
    profile: Profile
    redaction_key: bytes


class Loaded(Struct, frozen=True, kw_only=True):
    """Rules and policies of one environment, read and checked; processes that are forked from here on share them."""

    settings: Settings
    choices: Choices
    rules: dict[str, Rule]
    policies: PolicySet


def load_serving(choices: Choices, environment: str) -> Loaded:
    """Read and check what judges in an environment.

    Args:
        choices: What the command line says.
        environment: Empty for the one of the settings.

    Raises:
        UsageError: Settings or flags make no sense.
        PolicyLoadError: A policy must not be judged with.
    """
    settings = settings_for(replace(choices, environment=environment or choices.environment))
    rules, policies = rule_specs(settings, choices)
    if settings.opa() is None:
        from plangate.policy.narrowing import needs_of  # noqa: PLC0415 - as in `plangate.policy.inline`

        needs_of(policies)  # each judge would have to find out by itself
    return Loaded(settings=settings, choices=choices, rules=rules, policies=policies)


def load_queries(settings: Settings) -> QueryPolicies | None:
    """Read and check the query policies, if the settings name any.

    Raises:
        PolicyLoadError: One must not be evaluated.
    """
    chosen = settings.values.server.queries
    if not chosen.policies:
        return None
    return queries.load(
        [PolicySource(root=settings.folder / name, name=name) for name in chosen.policies],
        [settings.folder / name for name in chosen.data],
        rego_v0=chosen.rego_version == "v0",
    )


def open_serving(loaded: Loaded, redaction_key: bytes, stack: ExitStack) -> Serving:
    """Start what judges in an environment, in a process that is ended at its deadline by others.

    Args:
        loaded: What was read.
        redaction_key: Key of the placeholders.
        stack: Ends the engine.

    Raises:
        UsageError: A waiver makes no sense.
    """
    settings, choices = loaded.settings, loaded.choices
    judges, policy, weakened = judges_for(
        settings, choices, stack, loaded=(loaded.rules, loaded.policies), inline=True
    )
    return Serving(
        settings=settings,
        choices=choices,
        limits=limits_of(settings),
        judges=judges,
        policy=policy,
        weakened=weakened,
        waivers=[waiver(item, settings.file) for item in settings.values.waivers],
        profile=profile_of(settings),
        redaction_key=redaction_key,
    )


def profile_of(settings: Settings) -> Profile:
    """How strict the settings are."""
    values = settings.values
    return Profile(
        unknown_denies=values.profile == "strict",
        unchecked_unknown_warns=values.unsafe_allow_unknown_source,
        gate_existing=values.gate_existing,
        required=frozenset(values.required_rules),
    )


def weigh_document(
    serving: Serving, document: Document, run: Run, approvals: Sequence[Approval] = ()
) -> Unrecorded:
    """Judge one document, up to the record that has to be written before there is a decision.

    Raises:
        AuditError: There is no record that could say it.
    """
    if document.data.startswith(ZIP_MARK):
        problem = PlanParseError(
            document.name,
            "a saved plan cannot be read here",
            hint="send what `terraform show -json` makes of it",
        )
        return weigh_problem(serving.policy, serving.redaction_key, subject_of(document), run, problem)
    started = time.monotonic_ns()
    each = PlanInput(
        name=document.name,
        parse=lambda: parse_document(document, serving.settings, serving.choices, serving.limits),
        subject=lambda: subject_of(document),
    )
    judging = Judging(
        inputs=(each,),
        judges=serving.judges,
        allow_incomplete=serving.settings.values.unsafe_allow_incomplete,
        milliseconds=lambda: (time.monotonic_ns() - started) // 1_000_000,
        progress=lambda _: None,
    )
    return weigh(_weighing(serving, judging, approvals), run)


def weigh_problem(
    policy: PolicyUsed, redaction_key: bytes, subject: Subject, run: Run, problem: CannotDecideError
) -> Unrecorded:
    """What has to be recorded when no decision was possible.

    Args:
        policy: What would have judged.
        redaction_key: Key of the placeholders.
        subject: What was handed in.
        run: The request.
        problem: Why there is no decision.
    """

    def parse() -> None:
        raise problem

    each = PlanInput(name=subject.name, parse=parse, subject=lambda: subject)
    judging = Judging(
        inputs=(each,), judges=(), allow_incomplete=False, milliseconds=lambda: 0, progress=lambda _: None
    )
    weighing = Weighing(
        judging=judging,
        policy=policy,
        profile=Profile(),
        waivers=(),
        approvals=(),
        disabled=(),
        weakened=(),
        redaction_key=redaction_key,
    )
    return weigh(weighing, run)


def _weighing(serving: Serving, judging: Judging, approvals: Sequence[Approval]) -> Weighing:
    return Weighing(
        judging=judging,
        policy=serving.policy,
        profile=serving.profile,
        waivers=serving.waivers,
        approvals=approvals,
        disabled=serving.settings.values.unsafe_disabled_rules,
        weakened=serving.weakened,
        redaction_key=serving.redaction_key,
    )


def fresh_id(now: datetime) -> str:
    """An id for a decision of this moment."""
    return uuid7(now, os.urandom(10))
