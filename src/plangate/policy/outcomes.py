"""Rego answers turned into outcomes: one for every resource in a rule's scope. Silence becomes a word here.

In this order, for each resource: a ``deny`` finding is a fail; an ``undetermined`` one is unknown; a rule without
``undetermined`` that reads a value that is not known yet is unknown; only what is left is a pass. A rule that could
not be evaluated, or that speaks of a resource which is not in the plan, is an error as a whole.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from plangate.decision.outcome import Outcome, RuleSpec, Status
from plangate.errors import EngineError
from plangate.model.plan import Plan, Resource
from plangate.model.values import UNKNOWN
from plangate.policy.base import Doubt, Finding, PolicySet, RuleAnswer, RuleScope
from plangate.policy.inexact import with_places
from plangate.policy.reads import Path, Read, Reads, Unknowns, plan_unknown, unknown_facts

MAX_DENIALS: Final = 20
"""Findings of one rule on one resource that are told one by one."""
_MOST_NAMED = 5
"""Unknown values that a message names before it says how many more there are."""
_NOTHING: Final = ((), (), False)
_NO_PATHS: Final[Mapping[str, tuple[Path, ...]]] = {}


class Judged(Struct, frozen=True, kw_only=True):
    """The outcomes of all rules, in the order of rules and plan.

    Attributes:
        outcomes: At least one per rule, except for the rules that matched nothing.
        matched_nothing: Ids of rules with nothing in their scope in this plan.
    """

    outcomes: tuple[Outcome, ...]
    matched_nothing: tuple[str, ...]


class PlanView:
    """A plan as all rules look at it: made once, because a plan is large and rules are many.

    Attributes:
        unknowns: What is not known, and the resources (by position) of which just that is not known. A plan has few
            distinct sets of unknowns and many resources, so each set is compared with a rule's reads once.
        is_known: Nothing in the plan is unknown.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._scopes: dict[tuple[RuleScope, tuple[str, ...], tuple[str, ...]], Sequence[Resource]] = {}
        self.addresses = {resource.address for resource in plan.resources}
        groups: dict[tuple[str, tuple[str, ...], tuple[str, ...], bool], list[int]] = {}
        for index, resource in enumerate(plan.resources):
            what = unknown_facts(resource), resource.unknown, resource.region is UNKNOWN
            if what != _NOTHING:
                groups.setdefault((resource.kind, *what), []).append(index)
        self.unknowns = [
            (kind, Unknowns.of(facts, pointers, region=region), members)
            for (kind, facts, pointers, region), members in groups.items()
        ]
        self.is_known = not self.unknowns and not plan_unknown(plan)

    def in_scope(self, rule: RuleSpec, scope: RuleScope) -> Sequence[Resource]:
        """The resources that a rule gives an outcome for, in document order."""
        if scope is RuleScope.PLAN:
            return ()
        # Many rules are about the same few kinds.
        place = scope, tuple(rule.kinds), tuple(rule.types)
        found = self._scopes.get(place)
        if found is None:
            found = self._scopes[place] = self._in_scope(rule, scope)
        return found

    def _in_scope(self, rule: RuleSpec, scope: RuleScope) -> Sequence[Resource]:
        plan = self.plan
        kinds, types = frozenset(rule.kinds), frozenset(rule.types)
        members: Sequence[Resource] = plan.resources
        if len(kinds) == 1 and not types:
            members = plan.by_kind.get(next(iter(kinds)), ())
        elif kinds or types:
            members = [resource for resource in members if resource.kind in kinds or resource.type in types]
        return [
            resource
            for resource in members
            if resource.mode == "managed" and (scope is RuleScope.CHANGES or resource.exists_after)
        ]

    def own_unknowns(self, reads: Reads) -> dict[str, tuple[str, ...]]:
        """Unknown values of each address that the rule reads. A deposed object shares its resource's address."""
        found: dict[str, tuple[str, ...]] = {}
        for _, unknown, members in self.unknowns:
            if paths := unknown.touched(reads.own):
                for index in members:
                    address = self.plan.resources[index].address
                    found[address] = (*found.get(address, ()), *paths)
        return found

    def own_paths(self, reads: Reads) -> Iterator[tuple[int, tuple[Path, ...]]]:
        """Positions of resources, and the unknown values of each that the rule reads; none shares its address."""
        count = Counter(resource.address for resource in self.plan.resources)
        for _, unknown, members in self.unknowns:
            if paths := tuple(
                path for path in unknown.paths if any(read.touches(path) for read in reads.own)
            ):
                for index in members:
                    if count[self.plan.resources[index].address] == 1:
                        yield index, paths

    def shared_unknowns(self, reads: Reads) -> tuple[str, ...]:
        """Unknown values that every outcome of a rule depends on, with the resource they are of."""
        by_kind: Mapping[str, frozenset[Read]] = dict(reads.others)
        of_any = by_kind.get("", frozenset())
        found = [
            (index, path)
            for kind, unknown, members in self.unknowns
            for path in unknown.touched(of_any | by_kind.get(kind, frozenset()))
            for index in members
        ]
        found.sort()
        named = [f"{self.plan.resources[index].address}: {path}" for index, path in found]
        if reads.plan and plan_unknown(self.plan):
            named.insert(0, "an output or check of the plan")
        return tuple(named)


def doubts(policies: PolicySet, answers: Sequence[RuleAnswer], view: PlanView) -> tuple[Doubt, ...]:
    """Rule and resource wherever the outcome is unknown for no reason but that the rule can read what is unknown.

    Left out is what an engine cannot say more about by looking at one resource: rules that handle unknown values
    themselves, that failed, or that read unknown values of any resource.
    """
    found: list[Doubt] = []
    for rule, answer in zip(policies.rules, answers, strict=True):
        reads = policies.reads[rule.id]
        if rule.id in policies.handles_unknowns or answer.error or view.shared_unknowns(reads):
            continue
        resources = {resource.address for resource in view.in_scope(rule, policies.scopes[rule.id])}
        resources -= {finding.address for finding in answer.deny}
        found += [
            Doubt(rule=rule.id, position=index, paths=paths)
            for index, paths in view.own_paths(reads)
            if view.plan.resources[index].address in resources
        ]
    return tuple(found)


def judge(
    policies: PolicySet,
    answers: Sequence[RuleAnswer],
    view: PlanView,
    settled: Mapping[Doubt, tuple[Path, ...]] | None = None,
) -> Judged:
    """One outcome per rule and resource in its scope.

    Args:
        policies: The rules.
        answers: What the engine found.
        view: The plan.
        settled: What the engine said to `doubts`, if it was asked.

    Raises:
        EngineError: The answers are not those of exactly these rules, in their order.
    """
    asked = [rule.id for rule in policies.rules]
    answered = [answer.rule for answer in answers]
    if asked != answered:
        raise EngineError(f"the policy engine answered for {answered}, but was asked for {asked}")
    outcomes: list[Outcome] = []
    nothing: list[str] = []
    exact: dict[str, dict[str, tuple[Path, ...]]] = defaultdict(dict)  # empty but for an engine that settles
    for doubt, paths in (settled or {}).items():
        exact[doubt.rule][view.plan.resources[doubt.position].address] = paths
    for rule, answer in zip(policies.rules, answers, strict=True):
        if view.is_known and not (answer.error or answer.deny or answer.undetermined or settled):
            judged = _passed(rule, policies.scopes[rule.id], view)
            outcomes += judged
            if not judged:
                nothing.append(rule.id)
            continue
        reads = None if rule.id in policies.handles_unknowns else policies.reads[rule.id]
        settled_paths = exact.get(rule.id, _NO_PATHS)
        if answer.error:
            # Only an engine of our own says so; see there.
            error = with_places(answer.error, view.plan, policies.reads[rule.id])
            answer = replace(answer, error=error)  # noqa: PLW2901 - the same answer
        judged = list(_rule_outcomes(rule, policies.scopes[rule.id], reads, answer, view, settled_paths))
        outcomes += judged
        if not judged:
            nothing.append(rule.id)
    return Judged(outcomes=tuple(outcomes), matched_nothing=tuple(nothing))


def _passed(rule: RuleSpec, scope: RuleScope, view: PlanView) -> list[Outcome]:
    """What `_rule_outcomes` gives for a rule that found nothing in a plan without anything unknown."""
    if scope is RuleScope.PLAN:
        return [Outcome(rule=rule.id, address="", status=Status.PASS)]
    return [
        Outcome(
            rule=rule.id, address=resource.address, status=Status.PASS,
            existing=resource.existing, location=resource.location,
        )
        for resource in view.in_scope(rule, scope)
    ]  # fmt: skip


def _rule_outcomes(
    rule: RuleSpec,
    scope: RuleScope,
    reads: Reads | None,
    answer: RuleAnswer,
    view: PlanView,
    exact: Mapping[str, tuple[Path, ...]],
) -> Iterator[Outcome]:
    if answer.error:
        yield Outcome(
            rule=rule.id, address="", status=Status.ERROR, message=f"the rule failed: {answer.error}"
        )
        return
    plan = view.plan
    resources = view.in_scope(rule, scope)
    stray = sorted({found.address for found in (*answer.deny, *answer.undetermined)} - view.addresses - {""})
    if stray:
        yield Outcome(
            rule=rule.id, address="", status=Status.ERROR,
            message=f"the rule speaks of {', '.join(stray[:_MOST_NAMED])}, which is not in the plan",
        )  # fmt: skip
        return
    denied, undetermined = _by_address(answer.deny), _by_address(answer.undetermined)
    shared = view.shared_unknowns(reads) if reads is not None else ()
    own = view.own_unknowns(reads) if reads is not None else {}
    if exact:
        own |= {address: tuple(map(".".join, paths)) for address, paths in exact.items()}
    whole_plan = scope is RuleScope.PLAN or "" in denied or "" in undetermined
    if whole_plan:
        yield from _of_one(rule, "", None, denied.pop("", ()), undetermined.pop("", ()), shared)
    for resource in resources:
        address = resource.address
        unknown = (*own.get(address, ()), *shared)
        yield from _of_one(
            rule, address, resource, denied.get(address, ()), undetermined.get(address, ()), unknown
        )
    # A finding about a resource that the rule did not promise to judge still counts.
    left = denied.keys() | undetermined.keys()
    if left:
        left -= {resource.address for resource in resources}
    for resource in plan.resources if left else ():
        address = resource.address
        if address not in left:
            continue
        left.discard(address)
        yield from _of_one(
            rule, address, resource, denied.get(address, ()), undetermined.get(address, ()), ()
        )


def _of_one(
    rule: RuleSpec,
    address: str,
    resource: Resource | None,
    denied: Sequence[Finding],
    undetermined: Sequence[Finding],
    unknown: Sequence[str],
) -> Iterator[Outcome]:
    """The outcomes of one resource, or of the plan: each denial by itself, else one.

    A rule that pairs every resource with every other one must not drown the report: what comes after the first few
    findings is counted.
    """

    def outcome(status: Status, message: str = "", path: str = "") -> Outcome:
        return Outcome(
            rule=rule.id, address=address, status=status, message=message, path=path,
            existing=resource.existing if resource is not None else False,
            location=resource.place(path) if resource is not None else None,
        )  # fmt: skip

    if denied:
        for found in denied[:MAX_DENIALS]:
            yield outcome(Status.FAIL, found.message, found.path)
        if len(denied) > MAX_DENIALS:
            yield outcome(Status.FAIL, f"and {len(denied) - MAX_DENIALS} more findings of this rule")
    elif undetermined:
        first = undetermined[0]
        others = f" (and {len(undetermined) - 1} more)" if len(undetermined) > 1 else ""
        yield outcome(Status.UNKNOWN, first.message + others, first.path)
    elif unknown:
        named = ", ".join(unknown[:_MOST_NAMED])
        more = len(unknown) - _MOST_NAMED
        yield outcome(
            Status.UNKNOWN,
            f"depends on what is known only after apply: {named}{f' and {more} more' if more > 0 else ''}",
        )
    else:
        yield outcome(Status.PASS)


def _by_address(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Findings by address, each list sorted: the engine's sets have no order."""
    if not findings:
        return {}
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in sorted(findings, key=lambda finding: (finding.address, finding.path, finding.message)):
        found[finding.address].append(finding)
    return dict(found)
