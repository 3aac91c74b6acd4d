"""The only thing that an executor accepts: a plan that was allowed, named by its digest.

An `ApprovedPlan` is made by a decision that allows, or by a receipt for one, and by nothing else. What is
guaranteed: calling the class, `dataclasses.replace` and unpickling do not make one, and a copy is the same object.
The seal names the fields that it was made for, so that one approval's seal on another's fields is refused. Code that
goes around ``__init__`` in the same process is seen by `ApprovedPlan.genuine`, unless it forges the seal as well,
which nothing in Python can prevent.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NoReturn, Self, SupportsIndex

from plangate.decision.decide import Judgement, Obligation, Result


class NotApprovedError(ValueError):
    """Somebody asked for an approval that the decision does not give."""


_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_Fields = tuple[str, str, str, datetime, str, tuple[Obligation, ...]]


class _Seal:
    """Made in this module only, for one set of fields."""

    __slots__ = ("fields",)

    def __init__(self, fields: _Fields) -> None:
        self.fields: Final = fields


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
        if not self.genuine():
            raise NotApprovedError("only a decision makes an approved plan")

    def genuine(self) -> bool:
        """Whether these are the fields that a decision approved. Executors ask before they act."""
        fields = (
            self.decision_id,
            self.plan_sha256,
            self.environment,
            self.expires,
            self.nonce,
            self.obligations,
        )
        return type(self) is ApprovedPlan and type(self.seal) is _Seal and self.seal.fields == fields

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce_ex__(self, _protocol: SupportsIndex) -> NoReturn:
        raise TypeError("an approval stays in the process that gave it")


def approve(
    judgement: Judgement,
    *,
    decision_id: str,
    plan_sha256: str,
    environment: str,
    expires: datetime,
    nonce: str,
) -> ApprovedPlan:
    """The approval that a judgement gives.

    Raises:
        NotApprovedError: The judgement is anything but an allow, or what it is for is not named in full.
    """
    if judgement.result is not Result.ALLOW:
        raise NotApprovedError(f"the decision is {judgement.result.value}, not allow")
    return _sealed(decision_id, plan_sha256, environment, expires, nonce, judgement.obligations)


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
    return _sealed(decision_id, plan_sha256, environment, expires, nonce, obligations)


def _sealed(
    decision_id: str,
    plan_sha256: str,
    environment: str,
    expires: datetime,
    nonce: str,
    obligations: tuple[Obligation, ...],
) -> ApprovedPlan:
    if expires.tzinfo is None:
        raise NotApprovedError("the end of an approval needs a time zone")
    if not _SHA256.fullmatch(plan_sha256) or not nonce or not decision_id:
        raise NotApprovedError("an approval names its plan, its decision and its nonce")
    return ApprovedPlan(
        decision_id=decision_id,
        plan_sha256=plan_sha256,
        environment=environment,
        expires=expires,
        nonce=nonce,
        obligations=obligations,
        seal=_Seal((decision_id, plan_sha256, environment, expires, nonce, obligations)),
    )
