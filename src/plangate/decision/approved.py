"""The only thing that an executor accepts: a plan that was allowed, named by its digest.

An `ApprovedPlan` cannot be made outside of this package: by a decision that allows, or by a receipt for one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from plangate.decision.decide import Judgement, Obligation, Result


class NotApprovedError(ValueError):
    """Somebody asked for an approval that the decision does not give."""


_SEAL: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedPlan:
    """Leave to run exactly these bytes, once, before it expires.

    Attributes:
        decision_id: The decision that allowed it.
        plan_sha256: Lower-case hex SHA-256 of the plan's bytes.
        environment: Where it may run.
        expires: Aware UTC time; it may start while ``now < expires``.
        nonce: Identifies this one leave; the log refuses to start it twice.
        obligations: What to check after apply.
        seal: Proof of origin; not for callers.
    """

    decision_id: str
    plan_sha256: str
    environment: str
    expires: datetime
    nonce: str
    obligations: tuple[Obligation, ...]
    seal: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise NotApprovedError("only a decision makes an approved plan")


def approve(
    judgement: Judgement, *, decision_id: str, plan_sha256: str, environment: str, expires: datetime, nonce: str
) -> ApprovedPlan:
    """The approval that a judgement gives.

    Raises:
        NotApprovedError: The judgement is anything but an allow.
    """
    if judgement.result is not Result.ALLOW:
        raise NotApprovedError(f"the decision is {judgement.result.value}, not allow")
    return ApprovedPlan(
        decision_id=decision_id,
        plan_sha256=plan_sha256,
        environment=environment,
        expires=expires,
        nonce=nonce,
        obligations=judgement.obligations,
        seal=_SEAL,
    )


def approve_receipt(
    *,
    decision_id: str,
    plan_sha256: str,
    environment: str,
    expires: datetime,
    nonce: str,
    obligations: tuple[Obligation, ...],
    now: datetime,
) -> ApprovedPlan:
    """The approval that a receipt carries, from the fields of a receipt that was verified.

    Raises:
        NotApprovedError: It has expired, or names no plan.
    """
    if now >= expires:
        raise NotApprovedError(f"the receipt expired at {expires.isoformat()}")
    if len(plan_sha256) != 64 or not nonce or not decision_id:  # noqa: PLR2004 - hex digits of SHA-256
        raise NotApprovedError("the receipt names no plan")
    return ApprovedPlan(
        decision_id=decision_id,
        plan_sha256=plan_sha256,
        environment=environment,
        expires=expires,
        nonce=nonce,
        obligations=obligations,
        seal=_SEAL,
    )
