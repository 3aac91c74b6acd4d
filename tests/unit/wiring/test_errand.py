import threading
from collections.abc import Mapping, Sequence

import pytest

from plangate.errors import EngineError
from plangate.policy.base import Doubt, PolicySet, RuleAnswer
from plangate.policy.load import load, shipped_policies
from plangate.wiring.errand import Begun, Errand
from plangate.wiring.judges import Policies
from tests.unit.gate.doubles import a_plan


def test_an_errand_gives_what_its_work_returns() -> None:
    assert Errand(lambda: 7).result() == 7


def test_an_errand_raises_what_its_work_raised_each_time_it_is_asked() -> None:
    def fails() -> int:
        raise EngineError("out of memory")

    errand = Errand(fails)
    for _ in range(2):
        with pytest.raises(EngineError, match="out of memory"):
            errand.result()


def test_an_errand_is_done_while_others_work() -> None:
    begun, release = threading.Event(), threading.Event()

    def waits() -> str:
        begun.set()
        release.wait(10)
        return "done"

    errand = Errand(waits)
    assert begun.wait(10)
    release.set()
    assert errand.result() == "done"


class FailingEngine:
    """A double: counts how often it was asked, and fails."""

    version = "double"

    def __init__(self) -> None:
        self.asked = 0

    def evaluate(self, policies: PolicySet, document: bytes, deadline_s: float) -> Sequence[RuleAnswer]:
        del policies, document, deadline_s
        self.asked += 1
        raise EngineError("the policy engine ended")

    def settle(
        self, policies: PolicySet, doubts: Sequence[Doubt], document: bytes, deadline_s: float
    ) -> Mapping[Doubt, tuple[tuple[str, ...], ...]]:
        del policies, doubts, document, deadline_s
        return {}

    def close(self) -> None:
        pass


def test_a_failing_engine_is_no_answer_and_is_not_asked_again() -> None:
    engine = FailingEngine()
    judge = Policies(load([shipped_policies()]), {}, engine, 1.0)
    plan = a_plan()
    answers = [judge.ask(plan, lambda: b"{}") for _ in range(2)]
    for answer in answers:
        with pytest.raises(EngineError, match="the policy engine ended"):
            answer()
    assert engine.asked == 1


class WaitingEngine(FailingEngine):
    """A double: answers nothing for every rule, once it is let go on."""

    def __init__(self, go_on: threading.Event) -> None:
        super().__init__()
        self._go_on = go_on

    def evaluate(self, policies: PolicySet, document: bytes, deadline_s: float) -> Sequence[RuleAnswer]:
        del document, deadline_s
        self.asked += 1
        assert self._go_on.wait(10)
        return [RuleAnswer(rule=rule.id) for rule in policies.rules]


@pytest.mark.parametrize(("size", "asked"), [(8 << 20, (1, 1)), (8, (2, 0))])
def test_a_second_question_about_a_big_plan_goes_to_a_second_engine(
    size: int, asked: tuple[int, int]
) -> None:
    go_on = threading.Event()
    first, spare = WaitingEngine(go_on), WaitingEngine(go_on)
    judge = Policies(load([shipped_policies()]), {}, first, 1.0, spare)
    answers = [judge.ask(a_plan(), lambda: b" " * size) for _ in range(2)]
    go_on.set()
    assert answers[0]() == answers[1]()
    assert (first.asked, spare.asked) == asked


def test_a_second_engine_that_fails_is_no_answer() -> None:
    go_on = threading.Event()
    judge = Policies(load([shipped_policies()]), {}, WaitingEngine(go_on), 1.0, FailingEngine())
    first, second = (judge.ask(a_plan(), lambda: b" " * (8 << 20)) for _ in range(2))
    go_on.set()
    first()
    with pytest.raises(EngineError, match="the policy engine ended"):
        second()


class FailingOnceEngine(WaitingEngine):
    """A double: fails on the first question alone."""

    def evaluate(self, policies: PolicySet, document: bytes, deadline_s: float) -> Sequence[RuleAnswer]:
        found = super().evaluate(policies, document, deadline_s)
        if self.asked == 1:
            raise EngineError("the policy engine ended")
        return found


def test_what_fails_for_one_input_does_not_fail_for_the_next() -> None:
    go_on = threading.Event()
    go_on.set()
    judge = Policies(load([shipped_policies()]), {}, FailingOnceEngine(go_on), 1.0)
    one, next_one = a_plan(), a_plan()
    first, before, second = (judge.ask(plan, lambda: b"{}") for plan in (one, one, next_one))
    for answer in (first, before):
        with pytest.raises(EngineError, match="the policy engine ended"):
            answer()
    assert second()


def test_what_was_begun_is_waited_for_once_and_says_the_same_each_time() -> None:
    asked: list[int] = []

    def work() -> str:
        asked.append(1)
        return "said"

    begun = Begun(work)
    begun.wait()
    begun.wait()
    assert (begun.result(), begun.result(), asked) == ("said", "said", [1])


def test_what_was_begun_is_going_on_until_somebody_waits() -> None:
    begun = Begun(lambda: 7)
    before = begun.is_going_on
    begun.wait()
    assert (before, begun.is_going_on) == (True, False)


def test_a_failure_of_what_was_begun_is_for_whoever_wants_the_result() -> None:
    def fail() -> str:
        raise EngineError("it broke")

    begun = Begun(fail)
    begun.wait()
    for _ in range(2):
        with pytest.raises(EngineError, match="it broke"):
            begun.result()
