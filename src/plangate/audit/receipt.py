"""Receipts: the proof, for one plan, one environment and one executor, that an allow is in the log.

A receipt is a DSSE envelope around an in-toto Statement with the SLSA verification summary predicate, and
carries the log's own evidence: the decision's record, the proof that it is in the log, and a signed
checkpoint. `verify_receipt` takes every step or raises; there is no receipt that is valid in part. It takes
the time as a value, and knows nothing of earlier uses: `claim` is what makes a receipt good for one
execution.

Source: https://slsa.dev/spec/v1.1/verification_summary,
https://github.com/in-toto/attestation/tree/v1.1.0/spec/v1
"""

import base64
import binascii
import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from plangate import __version__
from plangate.audit import checkpoint as notes
from plangate.audit import dsse, merkle, strict_json
from plangate.audit import receipt_terms as terms
from plangate.audit.base import AlreadyRecordedError, Entry, Log
from plangate.audit.checkpoint import Checkpoint, Signer
from plangate.audit.record import Record, RecordType, canonical, timestamp
from plangate.errors import AuditError, ReceiptError


class VerifiedReceipt(Struct, frozen=True, kw_only=True):
    """What a receipt says, after every check. Only `verify_receipt` makes one.

    Attributes:
        decision_id: The decision that allowed the plan.
        plan_sha256: Hex digest of the bytes that may run.
        environment: Where they may run.
        audience: The executor that may run them.
        nonce: Of this receipt, 16 to 32 bytes in hex.
        issued: When it was made.
        expires: It counts while ``now < expires``.
        obligations: What must be checked after the execution, as the decision has them.
        policy_sha256: Hex digest of the policies that judged.
        log_index: Where the decision is in the log.
        checkpoint: The signed state of the log that proves it.
        signed_by: Key bytes of the trusted keys that signed.
        sha256: Hex digest of the receipt's own bytes.
    """

    decision_id: str
    plan_sha256: str
    environment: str
    audience: str
    nonce: str
    issued: datetime
    expires: datetime
    obligations: tuple[Mapping[str, Any], ...]
    policy_sha256: str
    log_index: int
    checkpoint: Checkpoint
    signed_by: frozenset[bytes]
    sha256: str


def make_receipt(
    *,
    log: Log,
    entry: Entry,
    record: bytes,
    signer: Signer,
    audience: str,
    nonce: str,
    issued: datetime,
    expires: datetime,
    obligations: Sequence[Mapping[str, Any]] = (),
    levels: Sequence[str] = (terms.LEVEL,),
) -> bytes:
    """The receipt for an allow that is in the log.

    Args:
        log: The log that holds the decision's record.
        entry: Where it is.
        record: The record's bytes; plan digest, environment and policy are taken from it.
        signer: The receipt key.
        audience: The executor that may use it, e.g. ``terraform``.
        nonce: 16 to 32 random bytes in lower-case hex.
        issued: Aware time.
        expires: Aware time after ``issued``.
        obligations: All of the decision's obligations.
        levels: Names of what was verified.

    Raises:
        ReceiptError: The record is not an allow, or the receipt would not verify.
        AuditError: The log cannot prove the record.
    """
    body = terms.allow_in(record)
    terms.check_obligation_count(body, obligations)
    if not terms.NONCE.match(nonce) or not expires > issued or not audience:
        raise ReceiptError("receipt: needs a nonce in hex, an audience, and to expire after it was issued")
    note = log.checkpoint()
    tip = notes.parse(note)
    proof = log.inclusion(entry.index, tip.size)
    leaf = merkle.leaf_hash(record)
    merkle.verify_inclusion(leaf=leaf, index=entry.index, size=tip.size, proof=proof, root=tip.root)
    subject = {"digest": {"sha256": body["subject"]["sha256"]}, "name": body["subject"]["name"]}
    policy_sha256 = body["policy"]["sha256"]
    statement = {
        "_type": terms.STATEMENT_TYPE,
        "subject": [subject],
        "predicateType": terms.PREDICATE_TYPE,
        "predicate": {
            "verifier": {"id": terms.VERIFIER_ID, "version": {"plangate": __version__}},
            "timeVerified": timestamp(issued),
            "resourceUri": terms.environment_uri(body["environment"]),
            "policy": {"uri": f"plangate:policy/{policy_sha256}", "digest": {"sha256": policy_sha256}},
            "verificationResult": "PASSED",
            "verifiedLevels": list(levels),
            terms.EXTENSION: {
                "decisionId": body["decision_id"],
                "audience": audience,
                "nonce": nonce,
                "expires": timestamp(expires),
                "obligations": [dict(item) for item in obligations],
                "log": {
                    "index": entry.index,
                    "record": base64.b64encode(record).decode(),
                    "inclusionProof": [item.hex() for item in proof],
                    "checkpoint": note,
                },
            },
        },
    }
    receipt = dsse.seal(terms.PAYLOAD_TYPE, canonical(statement), signer)
    if len(receipt) > terms.MAX_RECEIPT_BYTES:
        raise ReceiptError(f"receipt: {len(receipt)} bytes (at most {terms.MAX_RECEIPT_BYTES})")
    return receipt


def verify_receipt(
    receipt: bytes,
    *,
    plan_sha256: str,
    environment: str,
    audience: str,
    now: datetime,
    trusted_keys: Collection[bytes],
    log_public_keys: Collection[bytes],
    threshold: int = 1,
) -> VerifiedReceipt:
    """Check everything that a receipt claims. The steps are numbered as in docs/reference/receipt.md.

    Args:
        receipt: The bytes of the file.
        plan_sha256: Hex digest of the bytes that are about to run, taken by the caller.
        environment: Where they are about to run.
        audience: Who is about to run them.
        now: Aware time.
        trusted_keys: Public keys (32 bytes each) of gates whose receipts count here.
        log_public_keys: Public keys of logs whose checkpoints count here.
        threshold: How many different trusted keys must have signed.

    Raises:
        ReceiptError: One sentence on the first step that failed.
        ValueError: ``now`` is naive.
    """
    if now.tzinfo is None:
        raise ValueError("verify_receipt: an aware time is needed")
    # 1. Size, before anything is parsed.
    if len(receipt) > terms.MAX_RECEIPT_BYTES:
        raise ReceiptError(f"receipt: {len(receipt)} bytes (at most {terms.MAX_RECEIPT_BYTES})")
    # 2. Envelope, payload type and signatures, before anything in the payload is believed.
    payload, signed_by = dsse.open_sealed(
        receipt, payload_type=terms.PAYLOAD_TYPE, trusted_keys=trusted_keys, threshold=threshold
    )
    try:
        statement = strict_json.loads(payload)
    except strict_json.StrictJsonError as error:
        raise ReceiptError(f"receipt: statement: {error}") from error
    # 3. A statement of the kind we know, that says PASSED.
    if not isinstance(statement, dict):
        raise ReceiptError("receipt: not an in-toto statement (v1)")
    predicate = _passed(statement)
    extension = terms.mapping(predicate, terms.EXTENSION)
    # 4. This plan, and no other beside it.
    _check_plan(statement, plan_sha256)
    # 5. Here, and by us.
    _check_place(predicate, extension, environment, audience)
    # 6. Now.
    issued, expires = _check_time(predicate, extension, now)
    # 7. The log has the decision.
    evidence = terms.mapping(extension, "log")
    record, checkpoint = _logged(evidence, log_public_keys)
    # 8. And that decision is an allow of this plan, here, by these policies, with these obligations.
    obligations = _check_decision(record, predicate, extension, plan_sha256, environment)
    nonce = terms.text(extension, "nonce")
    if not terms.NONCE.match(nonce):
        raise ReceiptError("receipt: malformed nonce")
    return VerifiedReceipt(
        decision_id=terms.text(extension, "decisionId"),
        plan_sha256=plan_sha256,
        environment=environment,
        audience=audience,
        nonce=nonce,
        issued=issued,
        expires=expires,
        obligations=obligations,
        policy_sha256=_policy_sha256(predicate),
        log_index=terms.get(evidence, "index", int),
        checkpoint=checkpoint,
        signed_by=signed_by,
        sha256=hashlib.sha256(receipt).hexdigest(),
    )


def claim(log: Log, started: Record) -> Entry:
    """Take a plan's one execution, durably and across processes, before anything starts.

    Args:
        log: Where executions of this executor are recorded.
        started: The ``execution.started`` record; its idempotency key says what is good for once.

    Raises:
        ReceiptError: It has been executed, or begun.
        AuditError: The claim cannot be written.
    """
    if started.type is not RecordType.EXECUTION_STARTED:
        raise ReceiptError(f"receipt: not a claim: {started.type.value}")
    try:
        return log.append(started.encode(), idempotency_key=started.idempotency_key, must_be_new=True)
    except AlreadyRecordedError as error:
        raise ReceiptError(
            f"receipt: used already: the plan {started.body['plan_sha256']} has been executed, or begun",
            hint="make a new plan and check it: each is good for one execution",
        ) from error


def _passed(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    """The predicate of a statement that says PASSED."""
    if statement.get("_type") != terms.STATEMENT_TYPE:
        raise ReceiptError("receipt: not an in-toto statement (v1)")
    if statement.get("predicateType") != terms.PREDICATE_TYPE:
        raise ReceiptError("receipt: not a verification summary (v1)")
    predicate = terms.mapping(statement, "predicate")
    if predicate.get("verificationResult") != "PASSED":
        raise ReceiptError("receipt: the verification result is not PASSED")
    if terms.text(terms.mapping(predicate, "verifier"), "id") != terms.VERIFIER_ID:
        raise ReceiptError("receipt: made by another verifier")
    return predicate


def _check_plan(statement: Mapping[str, Any], plan_sha256: str) -> None:
    subjects = terms.get(statement, "subject", list)
    if len(subjects) != 1 or not isinstance(subjects[0], dict):
        raise ReceiptError(f"receipt: {len(subjects)} subjects (expected one plan)")
    digest = terms.text(terms.mapping(subjects[0], "digest"), "sha256")
    if not terms.same(digest, plan_sha256):
        raise ReceiptError(f"receipt: for the plan {digest[:64]} (this one is {plan_sha256})")


def _check_place(
    predicate: Mapping[str, Any], extension: Mapping[str, Any], environment: str, audience: str
) -> None:
    here = terms.environment_uri(environment)
    stated = terms.text(predicate, "resourceUri")
    if not terms.same(stated, here):
        raise ReceiptError(f"receipt: for the environment {stated[:200]!r} (this is {here!r})")
    executor = terms.text(extension, "audience")
    if not terms.same(executor, audience):
        raise ReceiptError(f"receipt: for the executor {executor[:200]!r} (this is {audience!r})")


def _check_time(
    predicate: Mapping[str, Any], extension: Mapping[str, Any], now: datetime
) -> tuple[datetime, datetime]:
    issued, expires = terms.time(predicate, "timeVerified"), terms.time(extension, "expires")
    if issued > now + terms.MAX_SKEW:
        raise ReceiptError(
            f"receipt: issued in the future, at {timestamp(issued)} (now it is {timestamp(now)})"
        )
    if now >= expires or expires <= issued:
        raise ReceiptError(
            f"receipt: expired at {timestamp(expires)} (now it is {timestamp(now)})",
            hint="check the plan again",
        )
    return issued, expires


def _logged(evidence: Mapping[str, Any], log_public_keys: Collection[bytes]) -> tuple[bytes, Checkpoint]:
    """The record in the evidence, after checking that a trusted log has it."""
    try:
        record = base64.b64decode(terms.text(evidence, "record"), validate=True)
        proof = [bytes.fromhex(item) for item in terms.get(evidence, "inclusionProof", list)]
    except (binascii.Error, ValueError, TypeError) as error:
        raise ReceiptError("receipt: malformed evidence of the log") from error
    try:
        checkpoint = notes.verify(terms.text(evidence, "checkpoint"), public_keys=log_public_keys)
        merkle.verify_inclusion(
            leaf=merkle.leaf_hash(record),
            index=terms.get(evidence, "index", int),
            size=checkpoint.size,
            proof=proof,
            root=checkpoint.root,
        )
    except AuditError as error:
        raise ReceiptError(f"receipt: the decision is not proved to be in the log: {error}") from error
    return record, checkpoint


def _check_decision(
    record: bytes,
    predicate: Mapping[str, Any],
    extension: Mapping[str, Any],
    plan_sha256: str,
    environment: str,
) -> tuple[Mapping[str, Any], ...]:
    """Hold the receipt against the decision that is in the log, and return its obligations."""
    body = terms.allow_in(record)
    for what, recorded, claimed in (
        ("plan", terms.text(terms.mapping(body, "subject"), "sha256"), plan_sha256),
        ("decision", terms.text(body, "decision_id"), terms.text(extension, "decisionId")),
        ("environment", terms.text(body, "environment"), environment),
        ("policy", terms.text(terms.mapping(body, "policy"), "sha256"), _policy_sha256(predicate)),
    ):
        if not terms.same(recorded, claimed):
            raise ReceiptError(f"receipt: the record in the log is about another {what}")
    obligations = tuple(terms.get(extension, "obligations", list))
    if not all(isinstance(item, dict) for item in obligations):
        raise ReceiptError("receipt: malformed obligations")
    terms.check_obligation_count(body, obligations)
    return obligations


def _policy_sha256(predicate: Mapping[str, Any]) -> str:
    return terms.text(terms.mapping(terms.mapping(predicate, "policy"), "digest"), "sha256")
