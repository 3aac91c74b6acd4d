"""Faults on the way to AWS, through botocore's events: refusals, server errors, time-outs, answers that get lost."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

KINDS: Final = ("throttled", "server-error", "unsent", "lost")
"""AWS refuses for now; it fails; the call never gets there; it is carried out and nobody hears of it."""
Choose = Callable[[str], str]
"""Given ``service.Operation``, the fault to inject; empty for none."""


_SENDER: Final = URLLib3Session(timeout=30)


class Faults:
    """A hook that injects faults.

    Args:
        choose: Which fault.
    """

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._lock = threading.Lock()
        self.injected: Counter[str] = Counter()
        """Faults by kind."""

    def __call__(self, event_name: str, request: Any, **_: Any) -> AWSResponse | None:
        """botocore's event before a call is sent."""
        with self._lock:
            name = event_name.split(".", 1)[1]
            kind = self._choose(name)
            if kind:
                self.injected[kind] += 1
        match kind:
            case "throttled":
                return refusal(request, name)
            case "server-error":
                return answer(request, 500, b"")
            case "unsent":
                raise ConnectTimeoutError(endpoint_url=request.url)
            case "lost":
                _SENDER.send(request)
                raise ReadTimeoutError(endpoint_url=request.url)
        return None


def at_random(seed: int, share: float) -> Choose:
    """A fault for this share of calls, the same ones for the same order of calls."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    return lambda _: chance.choice(KINDS) if chance.random() < share else ""


def once(operation: str, kind: str) -> Choose:
    """One fault, at the first call of an operation."""
    left = [operation]

    def choose(name: str) -> str:
        if left and name.endswith(f".{operation}"):
            left.clear()
            return kind
        return ""

    return choose


def refusal(request: Any, name: str) -> AWSResponse:
    """AWS's way to say: later, as the service says it."""
    if name.startswith("ec2."):
        error = "<Error><Code>RequestLimitExceeded</Code><Message>later</Message></Error>"
        return answer(request, 503, f"<Response><Errors>{error}</Errors></Response>".encode())
    if name.startswith("s3."):
        return answer(request, 503, b"<Error><Code>SlowDown</Code><Message>later</Message></Error>")
    if "X-Amz-Target" in request.headers:
        return answer(request, 400, b'{"__type": "ThrottlingException", "message": "later"}')
    error = "<Error><Type>Sender</Type><Code>Throttling</Code><Message>later</Message></Error>"
    return answer(request, 400, f"<ErrorResponse>{error}</ErrorResponse>".encode())


class _Body(BytesIO):
    def stream(self, **_: Any) -> Any:
        yield self.read()


def answer(request: Any, status: int, body: bytes) -> AWSResponse:
    """An answer that never came from AWS."""
    return AWSResponse(request.url, status, {}, _Body(body))


def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once: botocore's pauses, its own limit of calls, and ours."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    monkeypatch.setattr(
        "botocore.retries.adaptive.ClientRateLimiter.on_sending_request", lambda *_, **__: None
    )
    monkeypatch.setattr("plangate.executor.aws.run._FIRST_LOOK_S", 0.001)


def without_limit() -> None:
    """botocore's own limit of calls is off for the rest of this process."""
    from botocore.retries.adaptive import ClientRateLimiter  # noqa: PLC0415

    ClientRateLimiter.on_sending_request = lambda *_, **__: None
