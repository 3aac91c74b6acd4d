"""What was not approved by a decision does not run, however it was made."""

import hashlib
from datetime import timedelta

import pytest

from plangate.decision.approved import approve_receipt
from plangate.errors import ReceiptError
from plangate.executor.memory import MemoryExecutor
from plangate.gate.execution import execute
from tests.unit.gate.doubles import NOW, a_gate, a_log, a_plan


def test_an_approval_whose_fields_were_forced_does_not_run_and_leaves_no_start() -> None:
    approved = approve_receipt(
        decision_id="019cb7a1-0000-7000-8000-000000000001",
        plan_sha256="b" * 64,
        environment="prod",
        expires=NOW + timedelta(hours=1),
        nonce="0f" * 16,
        obligations=(),
        now=NOW,
    )
    object.__setattr__(approved, "plan_sha256", hashlib.sha256(b"the plan").hexdigest())
    log = a_log()
    with pytest.raises(ReceiptError, match="the approval is not one that a decision gave"):
        execute(
            a_gate(None, a_plan(), log),
            MemoryExecutor(),
            approved,
            b"the plan",
            executor_name="memory",
            receipt_sha256=None,
            scrub=str,
            follow_up=lambda _: a_plan(),
            watch=lambda _: None,
        )
    assert list(log.entries()) == []
