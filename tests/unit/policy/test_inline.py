"""The embedded engine in this process says what it says in a worker."""

from pathlib import Path
from typing import Any

import pytest

from plangate.errors import EngineError
from plangate.policy.base import PolicySet
from plangate.policy.embedded import EmbeddedEngine, EngineLimits
from plangate.policy.inline import InlineEngine
from plangate.policy.load import load, shipped_policies
from tests.unit.policy.builders import a_plan, a_policy, a_resource, document, write

FAILS = """
deny contains lib.plan_finding("x") if {
	some r in input.resources
	to_number(trim_space(r.address)) == 1
}
"""
PLANS = [
    a_plan(a_resource()),
    a_plan(a_resource(facts={"public_ip": True})),
    a_plan(a_resource(facts={"public_ip": True, "size": 12345678901234567890123})),
    a_plan(),
]


@pytest.fixture(autouse=True)
def _keep_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit on memory is for a process that nobody else is in."""
    monkeypatch.setattr("plangate.policy.worker.limit_memory", lambda _: None)


@pytest.fixture
def policies(tmp_path: Path) -> PolicySet:
    own = write(tmp_path / "own", {"no_bad.rego": a_policy(), "fails.rego": a_policy(FAILS, slug="fails")})
    return load([shipped_policies(), own])


@pytest.mark.parametrize("plan", PLANS)
def test_it_answers_as_the_worker_does(policies: PolicySet, plan: Any) -> None:
    with EmbeddedEngine(policies) as worker:
        expected = worker.evaluate(policies, document(plan), 30)
    assert {answer.rule for answer in expected} >= {"no-bad", "fails"}
    inline = InlineEngine(policies, EngineLimits())
    assert inline.evaluate(policies, document(plan), 30) == expected
    assert inline.begin(policies, document(plan), 30)() == expected


def test_other_policies_and_what_is_no_document_are_refused(policies: PolicySet) -> None:
    inline = InlineEngine(policies, EngineLimits())
    others = load([shipped_policies()])
    with pytest.raises(EngineError, match="other policies"):
        inline.evaluate(others, document(PLANS[0]), 30)
    with pytest.raises(EngineError):
        inline.evaluate(policies, b"{", 30)
    # What came before spoils nothing.
    assert inline.evaluate(policies, document(PLANS[0]), 30)


def test_more_than_an_answer_may_hold_is_no_answer(policies: PolicySet) -> None:
    inline = InlineEngine(policies, EngineLimits(max_answer_bytes=10))
    with pytest.raises(EngineError, match="max_answer_bytes"):
        inline.evaluate(policies, document(PLANS[0]), 30)


@pytest.mark.parametrize("said", [b"", b"DONE" + bytes(8), b"ALLA" + bytes(7) + b"\x02{}DONE" + bytes(8)])
def test_an_answer_that_leaves_anything_out_is_none(
    policies: PolicySet, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    inline = InlineEngine(policies, EngineLimits())
    monkeypatch.setattr(
        "plangate.policy.worker.Worker.evaluate", lambda _self, out, _document, **_: out.write(said)
    )
    with pytest.raises(EngineError):
        inline.evaluate(policies, document(PLANS[0]), 30)


def test_an_engine_that_panicked_is_not_asked_again(
    policies: PolicySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PanicError(BaseException):
        """As the engine's panics are: no Exception."""

    inline = InlineEngine(policies, EngineLimits())
    first = inline._worker

    def panic(*_: object, **__: object) -> None:
        raise PanicError("entered unreachable code")

    with monkeypatch.context() as patch:
        patch.setattr("plangate.policy.worker.Worker.evaluate", panic)
        with pytest.raises(EngineError, match="unreachable"):
            inline.evaluate(policies, document(PLANS[0]), 30)
    assert inline.evaluate(policies, document(PLANS[0]), 30)
    assert inline._worker is not first


@pytest.mark.parametrize("said", ["[", "{}", "[]", "[[[]], [[]], 1", "[" + "[[]]," * 99 + "[[]]]"])
def test_answers_to_all_rules_at_once_are_of_exactly_those_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    own = write(tmp_path / "own", {"no_bad.rego": a_policy(), "second.rego": a_policy(slug="second")})
    policies = load([own])
    inline = InlineEngine(policies, EngineLimits())
    assert [answer.error for answer in inline.evaluate(policies, document(PLANS[1]), 30)] == ["", ""]
    monkeypatch.setattr("plangate.policy.worker.Worker.at_once", lambda *_: said)
    with pytest.raises(EngineError):
        inline.evaluate(policies, document(PLANS[1]), 30)
