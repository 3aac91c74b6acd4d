"""Whether this server lives, and whether it can decide."""

import time
from typing import Any, Final

from plangate.errors import AuditError
from plangate.server.exchange import Answer, Exchange, json_answer
from plangate.server.front import Front
from plangate.server.metrics import CONTENT_TYPE, exposition

MAX_CHECKPOINT_AGE_S: Final = 60.0
"""Seconds that records may be without a checkpoint over them."""
_CHECKPOINT_S: Final = 2.0
"""Seconds that an answer of the log counts for."""


class Health:
    """The handlers."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._asked_at = float("-inf")
        self._log: dict[str, Any] = {"ok": False}

    async def live(self, exchange: Exchange) -> Answer:
        """``GET /livez``: this process answers."""
        del exchange
        return json_answer({"live": True})

    async def ready(self, exchange: Exchange) -> Answer:
        """``GET /readyz``: there is a judge, and the log can be written."""
        del exchange
        found = await self.state()
        return json_answer(found, status=200 if found["ready"] else 503)

    async def metrics(self, exchange: Exchange) -> Answer:
        """``GET /metrics``."""
        del exchange
        return Answer(body=exposition(), media_type=CONTENT_TYPE)

    async def state(self) -> dict[str, Any]:
        """Everything that readiness depends on, and what people want to know beside it."""
        front = self._front
        if time.monotonic() - self._asked_at >= _CHECKPOINT_S:
            try:
                status = await front.log.call("status")
                self._log = {"ok": True, **status}
            except AuditError as error:
                self._log = {"ok": False, "problem": str(error)}
            self._asked_at = time.monotonic()
        judges = front.judges.count()
        policy = front.policy("")
        return {
            "ready": bool(judges)
            and self._log["ok"]
            and self._log["checkpoint_age_s"] < MAX_CHECKPOINT_AGE_S,
            "engine": {"ok": bool(judges), "judges": judges, "version": policy.engine},
            "log": self._log,
            "policy": {
                "sha256": policy.sha256,
                "generation": front.judges.generation,
                "reload_problem": front.reload_problem or None,
            },
        }
