import json

import pytest
from msgspec.structs import replace

from plangate.decision.decide import Result
from plangate.decision.outcome import Outcome, Status
from plangate.errors import AuditError, PlanParseError
from plangate.gate import PlanInput, canonical_sha256, check
from plangate.model.plan import Action, Plan
from tests.unit.gate.doubles import (
    BrokenLog,
    ScriptedJudge,
    a_gate,
    a_log,
    a_plan,
    a_resource,
    a_run,
    a_subject,
    says,
)

PASSES = ScriptedJudge(lambda _: [says(Status.PASS)])


def test_an_allow_is_in_the_log_when_it_is_returned() -> None:
    log = a_log()
    decision = check(a_gate(PASSES, a_plan(), log), a_run())
    record = json.loads(next(iter(log.entries())).record)
    assert decision.judgement.result is Result.ALLOW
    assert record["body"]["result"] == "allow"
    assert record["body"]["decision_sha256"] == canonical_sha256(decision.document)
    assert decision.document["log"] == {
        "index": 0,
        "size": 1,
        "root": decision.entry.root.hex(),
    }


def test_no_decision_comes_out_when_it_cannot_be_recorded() -> None:
    with pytest.raises(AuditError, match="disk full"):
        check(a_gate(PASSES, a_plan(), BrokenLog(good_appends=0)), a_run())


def test_an_unreadable_plan_is_recorded_as_no_decision() -> None:
    log = a_log()
    problem = PlanParseError("tfplan", "not JSON", at="line 1 column 1")
    decision = check(a_gate(PASSES, problem, log), a_run())
    record = json.loads(next(iter(log.entries())).record)
    assert (decision.judgement.result, decision.problem) == (Result.ERROR, problem)
    assert record["body"]["result"] == "error"


def test_a_crash_in_a_judge_is_no_decision_and_does_not_tell_values() -> None:
    def explode(_: Plan) -> list[Outcome]:
        raise KeyError("hunter2hunter2")

    log = a_log()
    decision = check(a_gate(ScriptedJudge(explode), a_plan(), log), a_run())
    assert decision.judgement.result is Result.ERROR
    assert "KeyError" in str(decision.problem)
    assert "hunter2hunter2" not in str(decision.problem)
    assert b"hunter2hunter2" not in next(iter(log.entries())).record


def test_a_gate_without_judges_has_no_rules_and_decides_nothing() -> None:
    decision = check(a_gate(None, a_plan()), a_run())
    assert decision.judgement.result is Result.ERROR
    assert decision.document["reasons"][0] == "no rules are loaded, so nothing was judged"


def test_a_judge_that_says_nothing_is_no_allow() -> None:
    decision = check(a_gate(ScriptedJudge(lambda _: []), a_plan()), a_run())
    assert decision.judgement.result is Result.ERROR
    assert decision.document["reasons"] == ["rule rule-a said nothing about this plan"]


def test_an_errored_plan_is_no_decision() -> None:
    decision = check(a_gate(PASSES, a_plan(errored=True)), a_run())
    assert decision.judgement.result is Result.ERROR


def test_an_incomplete_plan_is_denied_unless_the_settings_say_unsafe() -> None:
    plan = a_plan(complete=False)
    assert check(a_gate(PASSES, plan), a_run()).judgement.result is Result.DENY
    allowing = a_gate(PASSES, plan, allow_incomplete=True)
    assert check(allowing, a_run()).judgement.result is Result.ALLOW


def test_secrets_are_gone_from_messages_before_anything_is_recorded() -> None:
    judge = ScriptedJudge(lambda _: [says(Status.FAIL, message="its password is hunter2hunter2")])
    log = a_log()
    plan = a_plan(secrets=frozenset({"hunter2hunter2"}))
    decision = check(a_gate(judge, plan, log), a_run())
    assert "hmac256:" in decision.document["outcomes"][-1]["message"]
    assert "hunter2hunter2" not in repr(decision.document)
    assert b"hunter2hunter2" not in next(iter(log.entries())).record


def fails_where(value: object) -> ScriptedJudge:
    """Fails every resource whose ``v`` is the value, after the change or as it is now."""
    return ScriptedJudge(
        lambda plan: [
            says(
                Status.FAIL if r.planned.get("v") == value else Status.PASS,
                r.address,
                existing=r.existing,
            )
            for r in plan.resources
        ]
    )


def test_a_failure_of_something_untouched_is_debt_when_it_failed_before() -> None:
    untouched = a_resource(action=Action.NO_OP, before={"v": 1})
    decision = check(a_gate(fails_where(1), a_plan(untouched)), a_run())
    assert decision.judgement.result is Result.ALLOW
    assert [o["effect"] for o in decision.document["outcomes"] if "effect" in o] == ["debt"]


def test_a_failure_of_something_untouched_denies_when_this_plan_brings_it_about() -> None:
    """A judge that looks at a neighbour: the neighbour goes, and the untouched resource fails."""

    def guarded_by_neighbour(plan: Plan) -> list[Outcome]:
        there = {r.address for r in plan.resources if r.exists_after}
        status = Status.PASS if "x.guard" in there else Status.FAIL
        return [says(status, "x.a", existing=True)]

    untouched = a_resource(action=Action.NO_OP, before={"v": 1})
    guard = a_resource("x.guard", action=Action.DELETE, before={"v": 1}, after=None, planned={})
    judge = ScriptedJudge(guarded_by_neighbour)
    decision = check(a_gate(judge, a_plan(untouched, guard)), a_run())
    assert decision.judgement.result is Result.DENY
    assert judge.asked == 2


def test_an_unknown_of_something_untouched_denies_when_it_was_known_to_be_good() -> None:
    def judge(plan: Plan) -> list[Outcome]:
        changed = any(r.action is not Action.NO_OP for r in plan.resources)
        return [says(Status.UNKNOWN if changed else Status.PASS, "x.a", existing=True)]

    untouched = a_resource(action=Action.NO_OP, before={"v": 1})
    new = a_resource("x.new")
    decision = check(a_gate(ScriptedJudge(judge), a_plan(untouched, new)), a_run())
    assert [o["effect"] for o in decision.document["outcomes"] if "effect" in o] == ["obliges"]


def test_judging_happens_once_when_there_is_no_debt_to_prove() -> None:
    judge = fails_where("never")
    check(a_gate(judge, a_plan()), a_run())
    assert judge.asked == 1


def test_the_environment_of_the_run_is_that_of_the_record() -> None:
    log = a_log()
    run = replace(a_run(), environment="staging")
    check(a_gate(PASSES, a_plan(), log), run)
    assert json.loads(next(iter(log.entries())).record)["body"]["environment"] == "staging"


def an_input(name: str, plan: Plan) -> PlanInput:
    return PlanInput(name=name, parse=lambda: plan, subject=lambda: replace(a_subject(), name=name))


def test_a_rule_that_is_silent_about_one_input_is_no_allow_although_it_spoke_of_another() -> None:
    spoken, silent = a_plan(a_resource("x.a")), a_plan(a_resource("x.b"))
    judge = ScriptedJudge(lambda plan: [says(Status.PASS)] if plan.resources[0].address == "x.a" else [])
    inputs = [an_input("one", spoken), an_input("two", silent)]
    decision = check(a_gate(judge, a_plan(), inputs=inputs), a_run())
    assert decision.judgement.result is Result.ERROR
    (found,) = (o for o in decision.document["outcomes"] if o["outcome"] == "error")
    assert (found["input"], found["message"]) == ("two", "rule rule-a said nothing about this input")


def test_a_chart_that_the_plan_does_not_touch_is_debt() -> None:
    chart = a_resource("helm_release.web", type="helm_release", action=Action.NO_OP, before={"v": 1})
    decision = check(a_gate(PASSES, a_plan(chart)), a_run())
    assert decision.judgement.result is Result.ALLOW
    assert [o["effect"] for o in decision.document["outcomes"] if "effect" in o] == ["debt"]
    changed = a_resource("helm_release.web", type="helm_release", action=Action.UPDATE, before={"v": 2})
    assert check(a_gate(PASSES, a_plan(changed)), a_run()).judgement.result is Result.DENY
