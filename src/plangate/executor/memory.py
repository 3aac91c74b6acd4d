"""`MemoryExecutor`: a double for tests that keeps the executor's contract and changes nothing outside itself."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from plangate.decision.approved import ApprovedPlan
from plangate.errors import ReceiptError
from plangate.executor.base import (
    ExecutionEvent,
    ExecutionReport,
    ExecutionStatus,
    Observe,
    Scrub,
)


class MemoryExecutor:
    """Remembers which plans it was asked to run.

    Attributes:
        ran: Digests of the plans that it ran, in order.
    """

    def __init__(
        self, *, addresses: Sequence[str] = ("terraform_data.example",), followup: bytes | None = None
    ) -> None:
        self.ran: list[str] = []
        self._addresses = tuple(addresses)
        self._followup = followup

    def apply(
        self, approved: ApprovedPlan, plan: bytes, *, observe: Observe, scrub: Scrub
    ) -> ExecutionReport:
        """Tell that every address was created. See `Executor.apply`.

        Raises:
            ReceiptError: ``plan`` is not what was approved; nothing ran.
        """
        sha256 = hashlib.sha256(plan).hexdigest()
        if sha256 != approved.plan_sha256:
            raise ReceiptError("the plan's bytes are not those that were approved; nothing ran")
        self.ran.append(sha256)
        told: Counter[str] = Counter()
        problems: list[str] = []
        for address in self._addresses:
            for kind in ("apply_start", "apply_complete"):
                event = ExecutionEvent(type=kind, address=scrub(address), action="create")
                told[kind] += 1
                try:
                    observe(event)
                except Exception as error:  # noqa: BLE001 - as the real ones: what is not recorded must not go on
                    problems.append(f"an event could not be recorded ({type(error).__name__})")
                    break
            if problems:
                break
        return ExecutionReport(
            status=ExecutionStatus.FAILED if problems else ExecutionStatus.SUCCEEDED,
            problems=tuple(problems),
            events=dict(told),
            tool="memory (a double)",
            followup=None if problems else self._followup,
            converged=None if problems or self._followup is None else True,
        )
