"""What a built-in rule is: a spec and a pure function from one resource to one verdict.

A rule never decides alone what an unknown is worth: it says ``unknown`` and why, `plangate.decision` does the
rest.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from plangate.decision.outcome import RuleSpec, Status
from plangate.model.plan import Plan, Resource
from plangate.model.values import UNKNOWN


class Phase(StrEnum):
    """Which side of the change a rule looks at."""

    AFTER = "after"
    """Every resource that will exist after the change."""
    GOING = "going"
    """Every resource that the change deletes, replaces or forgets."""
    PLAN = "plan"
    """The plan as a whole, once."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What a rule found: status, a sentence for people, and the attribute as a JSON Pointer.

    A verdict on the plan as a whole may name the resource or object that it is about by ``address``.
    """

    status: Status
    message: str = ""
    path: str = ""
    address: str = ""


PASS: Final = Verdict(status=Status.PASS)

Settings = Mapping[str, Any]
"""A rule's own settings, checked against its ``settings_schema``."""

Container = Mapping[str, Any]
"""One of the fact ``containers`` (`plangate.model.kinds.CONTAINERS_SHAPE`)."""

CONTAINER_KINDS: Final = ("kubernetes.workload", "container.workload")
"""Kinds with the fact ``containers``."""

_MOST_NAMED: Final = 5

Judged = Verdict | Sequence[Verdict]
"""One verdict, or for ``Phase.PLAN`` one or more."""

NO_SETTINGS: Final[Mapping[str, Any]] = MappingProxyType({"type": "object", "additionalProperties": False})
"""The settings schema of a rule that has none."""


class Rule(Struct, frozen=True, kw_only=True):
    """One built-in rule.

    Attributes:
        spec: Identity, weight and texts. Empty ``kinds`` means every managed resource (or the plan, for
            ``Phase.PLAN``).
        judge: Resource (or plan, for ``Phase.PLAN``), the rule's settings → verdict. It reads kind, facts,
            action, region and address, never native attributes, so that it holds for every format and cloud.
        phase: Which resources it is asked about.
        rationale: Why it matters, in a short paragraph; for the docs page.
        bad: A short example that fails, of Terraform unless ``language`` says otherwise.
        good: The same, made right.
        language: What the examples are written in, as a code block names it.
        references: Provider documentation the rule follows.
        needs: A setting without which the rule has nothing to ask for; it then answers once for the whole plan that
            it does not apply.
        settings_schema: JSON Schema of the rule's settings, each with its ``default``.
    """

    spec: RuleSpec
    judge: Callable[[Any, Settings], Judged]
    phase: Phase = Phase.AFTER
    rationale: str
    bad: str
    good: str
    language: str = "terraform"
    references: Sequence[str]
    needs: str = ""
    settings_schema: Mapping[str, Any]


def failed(message: str, path: str = "", address: str = "") -> Verdict:
    """A verdict that says the rule's title is false."""
    return Verdict(status=Status.FAIL, message=message, path=path, address=address)


def undecided(message: str, path: str = "", address: str = "") -> Verdict:
    """A verdict that says the answer is known only after apply."""
    return Verdict(status=Status.UNKNOWN, message=message, path=path, address=address)


def not_applicable(message: str) -> Verdict:
    """A verdict that says the question does not arise here, and why."""
    return Verdict(status=Status.NOT_APPLICABLE, message=message)


def must_be(resource: Resource, fact: str, *, wanted: bool, no: str, unsure: str, none: str = "") -> Verdict:
    """Judge one fact: pass on the wanted value, unknown on UNKNOWN, and fail on everything else.

    Args:
        resource: The resource.
        fact: Name of a yes-or-no fact.
        wanted: The value that passes.
        no: Message of a failure.
        unsure: Message when it is known only after apply.
        none: Why the question does not arise when the fact is null; empty when null fails.
    """
    value = resource.fact(fact)
    if value is UNKNOWN:
        return undecided(unsure)
    if value is None and none:
        return not_applicable(none)
    return PASS if value is wanted else failed(no)


def every_container(resource: Resource, ask: Callable[[Container], Verdict | None]) -> Verdict:
    """Judge all containers of a workload as one.

    Args:
        resource: Something with the fact ``containers``.
        ask: One container → a verdict whose message goes on after its name, or ``None`` when it is not asked about.

    Returns:
        The failures if there are any, or else what is unknown, with the path of the first one; a pass when neither.
    """
    containers = resource.fact("containers")
    if containers is UNKNOWN or not containers:
        return undecided("which containers it runs is not known")
    said = [(container, verdict) for container in containers if (verdict := ask(container)) is not None]
    for status in (Status.FAIL, Status.UNKNOWN):
        found = [(container, verdict) for container, verdict in said if verdict.status is status]
        if found:
            listed = [
                f"container {container['name'][:100]} {verdict.message}"
                for container, verdict in found[:_MOST_NAMED]
            ]
            more = [f"{len(found) - _MOST_NAMED} more"] if len(found) > _MOST_NAMED else []
            first, verdict = found[0]
            return Verdict(
                status=status, message="; ".join(listed + more), path=verdict.path or first["path"]
            )
    return PASS


def setting(settings: Settings, schema: Mapping[str, Any], name: str) -> Any:
    """A setting, or the default that the rule's schema gives it."""
    return settings[name] if name in settings else schema["properties"][name]["default"]


def in_scope(rule: Rule, plan: Plan) -> Sequence[Resource]:
    """The managed resources of a plan that a rule is asked about, in document order."""
    if rule.phase is Phase.PLAN:
        return ()
    kinds = rule.spec.kinds
    if kinds and plan.by_kind.keys().isdisjoint(kinds):
        return ()
    members = [r for kind in kinds for r in plan.by_kind.get(kind, ())] if kinds else plan.resources
    if rule.phase is Phase.AFTER:
        return [r for r in members if r.mode == "managed" and r.exists_after]
    return [r for r in members if r.mode == "managed" and (r.goes or r.deposed)]
