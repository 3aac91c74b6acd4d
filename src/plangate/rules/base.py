"""What a built-in rule is: a spec and a pure function from one resource to one verdict.

A rule never decides alone what an unknown is worth: it says ``unknown`` and why, `plangate.decision` does the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule found: status, a sentence for people, and the attribute as a JSON Pointer."""

    status: Status
    message: str = ""
    path: str = ""


PASS: Final = Verdict(status=Status.PASS)

Settings = Mapping[str, Any]
"""A rule's own settings, checked against its ``settings_schema``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One built-in rule.

    Attributes:
        spec: Identity, weight and texts. Empty ``kinds`` means every managed resource (or the plan, for ``Phase.PLAN``).
        judge: Resource (or plan, for ``Phase.PLAN``), the rule's settings → verdict.
        phase: Which resources it is asked about.
        rationale: Why it matters, in a short paragraph; for the docs page.
        bad: A short Terraform example that fails.
        good: The same, made right.
        references: Provider documentation the rule follows.
        settings_schema: JSON Schema of the rule's settings; an empty object when it has none.
    """

    spec: RuleSpec
    judge: Callable[[Any, Settings], Verdict]
    phase: Phase = Phase.AFTER
    rationale: str
    bad: str
    good: str
    references: Sequence[str]
    settings_schema: Mapping[str, Any]


def failed(message: str, path: str = "") -> Verdict:
    """A verdict that says the rule's title is false."""
    return Verdict(status=Status.FAIL, message=message, path=path)


def undecided(message: str, path: str = "") -> Verdict:
    """A verdict that says the answer is known only after apply."""
    return Verdict(status=Status.UNKNOWN, message=message, path=path)


def not_applicable(message: str) -> Verdict:
    """A verdict that says the question does not arise here, and why."""
    return Verdict(status=Status.NOT_APPLICABLE, message=message)


def must_be(resource: Resource, fact: str, wanted: bool, *, message: str, path: str = "") -> Verdict:
    """Judge one tri-state fact: pass on the wanted value, unknown on UNKNOWN, fail on everything else."""
    value = resource.fact(fact)
    if value is UNKNOWN:
        return undecided(f"{fact.replace('_', ' ')} is known only after apply", path)
    return PASS if value is wanted else failed(message, path)


def in_scope(rule: Rule, plan: Plan) -> Sequence[Resource]:
    """The managed resources of a plan that a rule is asked about, in document order."""
    if rule.phase is Phase.PLAN:
        return ()
    kinds = rule.spec.kinds
    members = [r for kind in kinds for r in plan.by_kind.get(kind, ())] if kinds else plan.resources
    wanted = (lambda r: r.exists_after) if rule.phase is Phase.AFTER else (lambda r: r.goes or bool(r.deposed))
    return [r for r in members if r.mode == "managed" and wanted(r)]
