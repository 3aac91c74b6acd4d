from collections.abc import Callable
from typing import Any, Final

import pytest
from msgspec.structs import replace

from plangate.decision.outcome import Outcome, Status
from plangate.facts.registry import ADAPTER_ERROR
from plangate.model.plan import Action, Plan, Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import PASS, Phase, Rule, Settings, Verdict, failed, in_scope
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.builders import a_plan, a_provisioner, a_resource

A_RULE: Final = RULES["key-rotation"]
NO_STATUS: Final = Verdict(status="pass")  # type: ignore[arg-type]
KEY: Final = a_resource("aws_kms_key.data", {"enable_key_rotation": False})


def a_rule(judge: Callable[..., Any], phase: Phase = Phase.AFTER, kinds: tuple[str, ...] = ()) -> Rule:
    return replace(A_RULE, judge=judge, phase=phase, spec=replace(A_RULE.spec, id="a-rule", kinds=kinds))


def asked(rule: Rule, plan: Plan) -> list[tuple[str, Status, str]]:
    outcomes, _ = evaluate(plan, {"a-rule": rule}, {})
    return [(outcome.address, outcome.status, outcome.message) for outcome in outcomes]


def raising(*_: object) -> Verdict:
    raise LookupError("hunter2hunter2")


def test_a_rule_that_raises_is_an_error_that_shows_no_values() -> None:
    expected = [("aws_kms_key.data", Status.ERROR, "the rule failed (LookupError)")]
    assert asked(a_rule(raising), a_plan(KEY)) == expected


def test_a_plan_rule_that_raises_is_an_error() -> None:
    assert asked(a_rule(raising, Phase.PLAN), a_plan(KEY)) == [
        ("", Status.ERROR, "the rule failed (LookupError)")
    ]


@pytest.mark.parametrize(
    "answer",
    [None, True, "pass", Status.PASS, [], [PASS], NO_STATUS, Verdict(status=Status.ERROR)],
    ids=repr,
)
def test_anything_but_a_verdict_is_an_error(answer: object) -> None:
    expected = [("aws_kms_key.data", Status.ERROR, "the rule gave no verdict")]
    assert asked(a_rule(lambda *_: answer), a_plan(KEY)) == expected


@pytest.mark.parametrize(
    "answer", [None, (), [], [None], (PASS, "pass"), {"status": "pass"}, NO_STATUS], ids=repr
)
def test_a_plan_rule_that_gives_anything_but_verdicts_is_an_error(answer: object) -> None:
    expected = [("", Status.ERROR, "the rule gave no verdict")]
    assert asked(a_rule(lambda *_: answer, Phase.PLAN), a_plan(KEY)) == expected


def test_a_resource_whose_facts_could_not_be_made_is_an_error_in_every_rule_of_its_kind() -> None:
    plan = a_plan(KEY)
    broken = replace(plan.resources[0], facts={ADAPTER_ERROR: "TypeError", "rotation": True})
    outcomes, _ = evaluate(replace(plan, resources=(broken,)), {"key-rotation": A_RULE}, {})
    assert list(outcomes) == [
        Outcome(
            rule="key-rotation",
            address="aws_kms_key.data",
            status=Status.ERROR,
            message="the facts of this aws_kms_key could not be made (TypeError)",
        )
    ]


def test_every_resource_in_scope_gets_one_outcome_also_when_it_passes() -> None:
    keys = [a_resource(f"aws_kms_key.k{n}", {"enable_key_rotation": n % 2 == 0}) for n in range(4)]
    outcomes, silent = evaluate(a_plan(*keys), {"key-rotation": A_RULE}, {})
    assert [(o.address, o.status) for o in outcomes] == [
        ("aws_kms_key.k0", Status.PASS),
        ("aws_kms_key.k1", Status.FAIL),
        ("aws_kms_key.k2", Status.PASS),
        ("aws_kms_key.k3", Status.FAIL),
    ]
    assert silent == ()


def test_a_rule_that_finds_nothing_in_its_scope_is_named_and_says_nothing() -> None:
    assert evaluate(a_plan(), RULES, {})[1] == tuple(
        rule_id for rule_id, rule in RULES.items() if rule.phase is not Phase.PLAN and not rule.needs
    )


def test_a_rule_without_the_settings_that_it_needs_says_so_once() -> None:
    outcomes, silent = evaluate(
        a_plan(KEY, KEY), {"required-tags": RULES["required-tags"]}, {"required-tags": {"tags": {}}}
    )
    assert [(o.address, o.status, o.message) for o in outcomes] == [
        ("", Status.NOT_APPLICABLE, "the settings ask for nothing: tags is empty")
    ]
    assert silent == ()


def test_settings_reach_only_the_rule_that_they_are_for() -> None:
    seen: list[Settings] = []

    def judge(_resource: Resource, settings: Settings) -> Verdict:
        seen.append(settings)
        return PASS

    evaluate(a_plan(KEY), {"one": a_rule(judge), "two": a_rule(judge)}, {"two": {"x": 1}})
    assert seen == [{}, {"x": 1}]


def test_a_verdict_on_the_plan_may_name_what_it_is_about() -> None:
    rule = a_rule(lambda *_: (failed("bad", address="a.b"), PASS), Phase.PLAN)
    assert asked(rule, a_plan(KEY)) == [("a.b", Status.FAIL, "bad"), ("", Status.PASS, "")]


@pytest.mark.parametrize(
    ("action", "after", "going"),
    [
        (Action.CREATE, True, False), (Action.UPDATE, True, False), (Action.NO_OP, True, False),
        (Action.READ, True, False), (Action.REPLACE, True, True), (Action.DELETE, False, True),
        (Action.FORGET, False, True),
    ],
)  # fmt: skip
def test_scope_follows_the_action(action: Action, *, after: bool, going: bool) -> None:
    plan = a_plan(a_resource("aws_kms_key.data", {}, action=action))
    assert bool(in_scope(a_rule(raising), plan)) is after
    assert bool(in_scope(a_rule(raising, Phase.GOING), plan)) is going


def test_a_deposed_object_is_judged_as_going_only() -> None:
    plan = a_plan(a_resource("aws_kms_key.data", {}, action=Action.DELETE, deposed="0a1b2c3d"))
    assert not in_scope(a_rule(raising), plan)
    assert in_scope(a_rule(raising, Phase.GOING), plan)


def test_data_sources_are_not_judged() -> None:
    plan = a_plan(a_resource("data.aws_kms_key.data", {}, mode="data", action=Action.READ))
    assert in_scope(a_rule(raising), plan) == []


def test_a_resource_that_the_plan_leaves_alone_is_marked_existing_unless_it_is_imported() -> None:
    kept = a_resource("aws_kms_key.kept", {}, action=Action.NO_OP)
    taken = a_resource("aws_kms_key.taken", {}, action=Action.NO_OP, importing={"id": "x"})
    outcomes, _ = evaluate(a_plan(kept, taken), {"key-rotation": A_RULE}, {})
    assert [(o.address, o.existing) for o in outcomes] == [
        ("aws_kms_key.kept", True),
        ("aws_kms_key.taken", False),
    ]


def asked_of(rule_id: str, resource: Resource, **settings: Any) -> tuple[Status, str]:
    outcomes, _ = evaluate(a_plan(resource), {rule_id: RULES[rule_id]}, {rule_id: settings})
    return outcomes[0].status, outcomes[0].message


def test_a_resource_of_which_the_plan_names_no_region_is_not_in_an_allowed_one() -> None:
    assert asked_of("allowed-regions", replace(KEY, region=""), regions=["eu-*"]) == (
        Status.UNKNOWN,
        "the plan does not say in which region it is made",
    )


def test_tags_that_are_known_only_after_apply_are_undecided() -> None:
    tagged = a_resource("aws_kms_key.data", {"tags": UNKNOWN, "tags_all": UNKNOWN})
    assert asked_of("required-tags", tagged, tags={"owner": []}) == (
        Status.UNKNOWN,
        "its tags are known only after apply",
    )


def test_what_a_replacement_left_behind_is_named_as_that() -> None:
    table = a_resource("aws_dynamodb_table.t", {}, action=Action.DELETE, deposed="0a1b2c3d")
    assert asked_of("no-stateful-destroy", table) == (
        Status.FAIL,
        "it holds data and is destroyed (it is what an earlier replacement left behind)",
    )


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("file", "a file provisioner"),
        ("external", "a program (data source external)"),
        ("action:aws_lambda_invoke", "the provider action aws_lambda_invoke"),
    ],
)
def test_whatever_runs_on_the_side_is_named(kind: str, named: str) -> None:
    plan = a_plan(KEY, provisioners=(a_provisioner(kind), a_provisioner("local-exec", runs=False)))
    outcomes, _ = evaluate(plan, {"no-provisioners": RULES["no-provisioners"]}, {})
    assert [(o.address, o.message) for o in outcomes] == [
        ("aws_instance.web", f"it runs {named} while the change is applied")
    ]


def test_a_provider_without_a_host_is_one_of_the_first_registry() -> None:
    plan = a_plan(replace(KEY, provider="aws"), providers=("aws",))
    outcomes, _ = evaluate(plan, {"allowed-providers": RULES["allowed-providers"]}, {})
    assert [(o.address, o.status) for o in outcomes] == [("", Status.PASS)]
