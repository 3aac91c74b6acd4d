"""What every rule must have been seen to do in its tests: pass, fail, and meet an unknown value.

Not by the names of tests, but by what the rule gave: its answers to the inputs of the tests, as
`plangate.authoring.watching` observed them. From these follow outcomes, as for a real plan
(`plangate.policy.outcomes`). Only tests that pass count, and none that replaces a part of the rule or of the library.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, structs

from plangate.authoring.observed import observed_plan
from plangate.authoring.suite import Suite, find_tests
from plangate.authoring.testing import TestRun, Verdict
from plangate.authoring.watching import Watch
from plangate.decision.outcome import RuleSpec, Status
from plangate.errors import EngineError
from plangate.policy.answers import Reply, rule_answers
from plangate.policy.base import PolicySet, RuleScope
from plangate.policy.outcomes import PlanView, judge
from plangate.policy.reads import Reads


class Sight(StrEnum):
    """What a rule can be seen to do."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "unknown"


class Unseen(Struct, frozen=True, kw_only=True):
    """A rule that was not seen to do all it must.

    Attributes:
        rule: Its id.
        file: Its policy.
        missing: What it was not seen to do, in the order pass, fail, unknown.
        reads: What it can read, so what an unknown value could be.
        kinds: What it judges; empty for a rule on every kind, or on the plan as a whole.
    """

    rule: str
    file: str
    missing: tuple[Sight, ...]
    reads: tuple[str, ...]
    kinds: tuple[str, ...]


def unmet_demand(suite: Suite, policies: PolicySet, watch: Watch, run: TestRun) -> tuple[Unseen, ...]:
    """The rules under test that were not seen to pass, to fail and to meet an unknown; sorted by id.

    Args:
        suite: Policies and tests.
        policies: The same policies as the gate loads them.
        watch: What was watched in the run.
        run: How the tests went.

    Raises:
        EngineError: An observation cannot be read.
    """
    seen = _seen(suite, policies, watch, run)
    return tuple(
        Unseen(
            rule=rule.id, file=rule.source, missing=missing, reads=policies.reads[rule.id].describe(),
            kinds=(*rule.kinds, *rule.types),
        )
        for rule in policies.rules
        if (
            missing := tuple(
                sight
                for sight in Sight
                if sight not in seen[rule.id]
                and (sight is not Sight.UNKNOWN or _can_meet_unknown(policies.reads[rule.id]))
            )
        )
    )  # fmt: skip


def _can_meet_unknown(reads: Reads) -> bool:
    """It reads something that may be unknown; an action or an address never is."""
    return bool(reads.own or reads.others or reads.plan)


def _seen(suite: Suite, policies: PolicySet, watch: Watch, run: TestRun) -> Mapping[str, set[Sight]]:
    seen: dict[str, set[Sight]] = defaultdict(set)
    passed = {result.name for result in run.results if result.verdict is Verdict.PASSED}
    known: dict[str, tuple[tuple[str, Sight], ...]] = {}
    for test in find_tests(suite).tests:
        if test.name not in passed:
            continue
        replaced = watch.replaced(test)
        for said in run.observed.get(test.name, ()):
            if said not in known:
                known[said] = tuple(_sights(said, policies))
            for rule, sight in known[said]:
                if rule not in replaced:
                    seen[rule].add(sight)
    return seen


def _sights(said: str, policies: PolicySet) -> Iterator[tuple[str, Sight]]:
    """What one observation shows of each rule in it."""
    try:
        observed = json.loads(said)
        document, answers = observed["input"], observed["rules"]
    except (ValueError, KeyError, TypeError) as problem:
        raise EngineError("an observation of a test cannot be read") from problem
    plan = observed_plan(document[0]) if document else None
    if plan is None:
        return
    view = PlanView(plan)
    for rule in policies.rules:
        if rule.id in answers:
            yield from ((rule.id, sight) for sight in _of_rule(rule, policies, answers[rule.id], view))


def _of_rule(rule: RuleSpec, policies: PolicySet, value: Any, view: PlanView) -> set[Sight]:
    alone = structs.replace(policies, rules=(rule,))
    answers = rule_answers((rule,), policies.handles_unknowns, (Reply(value=value),))
    statuses = {outcome.status for outcome in judge(alone, answers, view).outcomes}
    found = set()
    if Status.FAIL in statuses:
        found.add(Sight.FAIL)
    if Status.PASS in statuses and (policies.scopes[rule.id] is not RuleScope.PLAN or view.plan.resources):
        found.add(Sight.PASS)
    reads = policies.reads[rule.id]
    if Status.UNKNOWN in statuses and (view.own_unknowns(reads) or view.shared_unknowns(reads)):
        found.add(Sight.UNKNOWN)
    return found
