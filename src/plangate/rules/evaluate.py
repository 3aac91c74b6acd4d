"""Asking the built-in rules: one pass, one outcome for every rule and every resource in its scope.

Rules this module keeps:
1. A rule that raises, or that answers with anything but a verdict, gives an ``error`` outcome, never a pass.
2. A resource whose facts could not be made gives an ``error`` outcome in every rule that is about its kind.
3. A rule that needs a setting and has none says so once, instead of once for every resource.
"""

from collections.abc import KeysView, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeGuard

from plangate.decision.outcome import Outcome, Status
from plangate.facts.registry import ADAPTER_ERROR
from plangate.model.plan import Plan, Resource
from plangate.rules.base import PASS, Phase, Rule, Settings, Verdict, in_scope

_NO_SETTINGS: Final[Settings] = MappingProxyType({})
_ANSWERS: Final = frozenset({Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE})


def evaluate(
    plan: Plan, rules: Mapping[str, Rule], settings: Mapping[str, Settings]
) -> tuple[Sequence[Outcome], Sequence[str]]:
    """What rules say of a plan.

    Args:
        plan: The plan, with facts.
        rules: The rules by id.
        settings: Settings by rule id, valid against the rule's schema; a rule that is not named has none.

    Returns:
        The outcomes by rule, then in the order of the plan; and the ids of the rules that found nothing in
        their scope.
    """
    outcomes: list[Outcome] = []
    silent: list[str] = []
    present = plan.by_kind.keys()
    for rule_id, rule in rules.items():
        if not rule.needs and rule.phase is not Phase.PLAN and _is_elsewhere(rule, present):
            silent.append(rule_id)
            continue
        chosen = settings.get(rule_id, _NO_SETTINGS)
        if rule.needs and not chosen.get(rule.needs):
            outcomes.append(_idle(rule))
            continue
        if rule.phase is Phase.PLAN:
            outcomes += _on_plan(rule, plan, chosen)
            continue
        resources = in_scope(rule, plan)
        if not resources:
            silent.append(rule_id)
        for resource in resources:
            outcomes.append(_on_resource(rule, resource, chosen))
    return outcomes, tuple(silent)


def _is_elsewhere(rule: Rule, present: KeysView[str]) -> bool:
    """It is about kinds of which the plan has none, as most rules are in most plans."""
    kinds = rule.spec.kinds
    return bool(kinds) and present.isdisjoint(kinds)


def _idle(rule: Rule) -> Outcome:
    return Outcome(
        rule=rule.spec.id,
        address="",
        status=Status.NOT_APPLICABLE,
        message=f"the settings ask for nothing: {rule.needs} is empty",
    )


def _on_resource(rule: Rule, resource: Resource, settings: Settings) -> Outcome:
    verdict = _asked(rule, resource, settings)
    if verdict is PASS:
        return Outcome(
            rule=rule.spec.id, address=resource.address, status=Status.PASS,
            existing=resource.existing, location=resource.location,
        )  # fmt: skip
    return Outcome(
        rule=rule.spec.id,
        address=resource.address,
        status=verdict.status,
        message=verdict.message,
        path=verdict.path,
        existing=resource.existing,
        location=resource.place(verdict.path),
    )


def _asked(rule: Rule, resource: Resource, settings: Settings) -> Verdict:
    broken = resource.facts.get(ADAPTER_ERROR)
    if broken is not None and rule.spec.kinds:
        return _error(f"the facts of this {resource.type} could not be made ({broken})")
    try:
        verdict: object = rule.judge(resource, settings)
        if verdict is PASS:
            return PASS
        return verdict if _is_verdict(verdict) and verdict.status in _ANSWERS else _NO_VERDICT
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a rule, its answer is "error"
        return _error(f"the rule failed ({type(error).__name__})")


def _on_plan(rule: Rule, plan: Plan, settings: Settings) -> list[Outcome]:
    try:
        judged: object = rule.judge(plan, settings)
    except Exception as error:  # noqa: BLE001 - as above
        judged = _error(f"the rule failed ({type(error).__name__})")
    listed = judged if isinstance(judged, list | tuple) else (judged,)
    verdicts = [verdict for verdict in listed if _is_verdict(verdict)]
    if not verdicts or len(verdicts) != len(listed):
        verdicts = [_NO_VERDICT]
    return [
        Outcome(rule=rule.spec.id, address=v.address, status=v.status, message=v.message, path=v.path)
        for v in verdicts
    ]


def _is_verdict(answer: object) -> TypeGuard[Verdict]:
    # Text that reads like a status is none: it would be compared as one and printed as another.
    return isinstance(answer, Verdict) and isinstance(answer.status, Status)


def _error(message: str) -> Verdict:
    return Verdict(status=Status.ERROR, message=message)


_NO_VERDICT: Final = _error("the rule gave no verdict")
