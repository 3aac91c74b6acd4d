"""From an allow, or a receipt for one, to the executor."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from plangate.decision import approved
from plangate.decision.approved import ApprovedPlan
from plangate.decision.document import obligation_from
from plangate.errors import UsageError
from plangate.gate import Decision
from plangate.wiring.executors import executor_name
from plangate.wiring.session import Session, document_of

JUDGED_ONLY: Final = "none"
"""Audience of a receipt for what no executor of ours runs."""


def receipt_for(session: Session, decision: Decision) -> bytes:
    """The receipt of an allow, good for one execution until it expires.

    Raises:
        ReceiptError: The decision is not an allow, or the receipt would not verify.
    """
    from plangate.audit.receipt import make_receipt  # noqa: PLC0415

    return make_receipt(
        log=session.gate.log,
        entry=decision.entry,
        record=decision.record,
        signer=session.state.receipt_key,
        audience=executor_name(session.document) or JUDGED_ONLY,
        nonce=os.urandom(16).hex(),
        issued=session.run.now,
        expires=expiry(session),
        obligations=decision.document["obligations"],
    )


def expiry(session: Session) -> datetime:
    """When an approval that is given now stops counting."""
    return session.run.now + timedelta(minutes=session.settings.values.receipt_valid_minutes)


def approval_of(session: Session, decision: Decision) -> ApprovedPlan:
    """The leave that an allow gives.

    Raises:
        NotApprovedError: The decision is anything but an allow.
    """
    return approved.approve(
        decision.judgement,
        decision_id=session.run.decision_id,
        plan_sha256=decision.document["subject"]["sha256"],
        environment=session.run.environment,
        expires=expiry(session),
        nonce=os.urandom(16).hex(),
    )


def approval_by_receipt(session: Session, receipt: Path, trusted: Sequence[Path]) -> tuple[ApprovedPlan, str]:
    """The leave that a receipt gives, after every check of it, and the receipt's digest.

    Args:
        session: This run.
        receipt: The file.
        trusted: Public key files of other gates whose receipts and logs count, besides this one's own.

    Raises:
        UsageError: A file cannot be read.
        ReceiptError: The receipt does not prove that this plan may run here and now.
    """
    from plangate.audit.keys import public_key_file  # noqa: PLC0415
    from plangate.audit.receipt import verify_receipt  # noqa: PLC0415
    from plangate.audit.receipt_terms import MAX_RECEIPT_BYTES  # noqa: PLC0415

    try:
        with receipt.open("rb") as file:
            data = file.read(MAX_RECEIPT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{receipt}: the receipt cannot be read: {error.strerror}") from error
    others = [public_key_file(path)[1] for path in trusted]
    verified = verify_receipt(
        data,
        plan_sha256=document_of(session).sha256,
        environment=session.run.environment,
        audience=executor_name(document_of(session)) or JUDGED_ONLY,
        now=session.run.now,
        trusted_keys=[session.state.receipt_key.public_key, *others],
        log_public_keys=[session.state.log_key.public_key, *others],
    )
    leave = approved.approve_receipt(
        decision_id=verified.decision_id,
        plan_sha256=verified.plan_sha256,
        environment=verified.environment,
        expires=verified.expires,
        nonce=verified.nonce,
        obligations=tuple(obligation_from(item) for item in verified.obligations),
        now=session.run.now,
    )
    return leave, verified.sha256
