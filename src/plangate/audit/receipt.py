"""Receipts: the proof, for one plan, one environment and one executor, that an allow is in the log.

A receipt is a DSSE envelope around an in-toto Statement with the SLSA verification summary predicate, and carries the
log's own evidence: the decision's record, the proof that it is in the log, and a signed checkpoint. `verify_receipt`
takes every step or raises; there is no receipt that is valid in part. It takes the time as a value, and knows nothing
of earlier uses: `claim` is what makes a receipt good for one execution.

Source: https://slsa.dev/spec/v1.1/verification_summary, https://github.com/in-toto/attestation/tree/v1.1.0/spec/v1
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote

from plangate import __version__
from plangate.audit import checkpoint as notes
from plangate.audit import dsse, merkle, strict_json
from plangate.audit.base import AlreadyRecordedError, Entry, Log
from plangate.audit.checkpoint import Checkpoint, Signer
from plangate.audit.record import RECORD_SCHEMA, Record, RecordType, canonical, timestamp
from plangate.errors import AuditError, ReceiptError

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/verification_summary/v1"
EXTENSION: Final = "https://plangate.dev/receipt/v1"
VERIFIER_ID: Final = "https://plangate.dev/gate/v1"
LEVEL: Final = "PLANGATE_ALLOWED"
"""What an allow is called among the verified levels. Names that start with SLSA_ are SLSA's own."""
MAX_RECEIPT_BYTES: Final = 16_777_216
MAX_SKEW: Final = timedelta(seconds=60)
"""How far the issuer's clock may be ahead of the verifier's."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", re.ASCII)
_NONCE: Final = re.compile(r"[0-9a-f]{32,64}\Z")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedReceipt:
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
    levels: Sequence[str] = (LEVEL,),
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
    body = _allow_in(record)
    _check_obligation_count(body, obligations)
    if not _NONCE.match(nonce) or not expires > issued or not audience:
        raise ReceiptError("receipt: needs a nonce in hex, an audience, and to expire after it was issued")
    note = log.checkpoint()
    proof = log.inclusion(entry.index, notes.parse(note).size)
    subject = {"digest": {"sha256": body["subject"]["sha256"]}, "name": body["subject"]["name"]}
    policy_sha256 = body["policy"]["sha256"]
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [subject],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "verifier": {"id": VERIFIER_ID, "version": {"plangate": __version__}},
            "timeVerified": timestamp(issued),
            "resourceUri": environment_uri(body["environment"]),
            "policy": {"uri": f"plangate:policy/{policy_sha256}", "digest": {"sha256": policy_sha256}},
            "verificationResult": "PASSED",
            "verifiedLevels": list(levels),
            EXTENSION: {
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
    receipt = dsse.seal(PAYLOAD_TYPE, canonical(statement), signer)
    if len(receipt) > MAX_RECEIPT_BYTES:
        raise ReceiptError(f"receipt: {len(receipt)} bytes (at most {MAX_RECEIPT_BYTES})")
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
    if len(receipt) > MAX_RECEIPT_BYTES:
        raise ReceiptError(f"receipt: {len(receipt)} bytes (at most {MAX_RECEIPT_BYTES})")
    # 2. Envelope, payload type and signatures, before anything in the payload is believed.
    payload, signed_by = dsse.open_sealed(
        receipt, payload_type=PAYLOAD_TYPE, trusted_keys=trusted_keys, threshold=threshold
    )
    try:
        statement = strict_json.loads(payload)
    except strict_json.StrictJsonError as error:
        raise ReceiptError(f"receipt: statement: {error}") from error
    # 3. A statement of the kind we know, that says PASSED.
    predicate = _predicate(statement)
    terms = _mapping(predicate, EXTENSION)
    # 4. This plan, and no other beside it.
    subjects = _get(statement, "subject", list)
    digests = [_text(_mapping(item, "digest"), "sha256") for item in subjects if isinstance(item, dict)]
    if len(subjects) != 1 or len(digests) != 1:
        raise ReceiptError(f"receipt: {len(subjects)} subjects (expected one plan)")
    if not _same(digests[0], plan_sha256):
        raise ReceiptError(f"receipt: for the plan {digests[0][:64]} (this one is {plan_sha256})")
    # 5. Here, and by us.
    if not _same(_text(predicate, "resourceUri"), environment_uri(environment)):
        raise ReceiptError(
            f"receipt: for {_text(predicate, 'resourceUri')[:200]!r} (this is {environment_uri(environment)!r})"
        )
    if not _same(_text(terms, "audience"), audience):
        raise ReceiptError(f"receipt: for the executor {_text(terms, 'audience')[:200]!r} (this is {audience!r})")
    # 6. Now.
    issued, expires = _time(predicate, "timeVerified"), _time(terms, "expires")
    if issued > now + MAX_SKEW:
        raise ReceiptError(f"receipt: issued in the future, at {timestamp(issued)} (now it is {timestamp(now)})")
    if now >= expires or expires <= issued:
        raise ReceiptError(
            f"receipt: expired at {timestamp(expires)} (now it is {timestamp(now)})", hint="check the plan again"
        )
    # 7. The log has the decision.
    evidence = _mapping(terms, "log")
    record, checkpoint = _logged(evidence, log_public_keys)
    # 8. And that decision is an allow of this plan, here, by these policies, with these obligations.
    body = _allow_in(record)
    policy_sha256 = _text(_mapping(_mapping(predicate, "policy"), "digest"), "sha256")
    for what, recorded, claimed in (
        ("plan", _text(_mapping(body, "subject"), "sha256"), plan_sha256),
        ("decision", _text(body, "decision_id"), _text(terms, "decisionId")),
        ("environment", environment_uri(_text(body, "environment")), environment_uri(environment)),
        ("policy", _text(_mapping(body, "policy"), "sha256"), policy_sha256),
    ):
        if not _same(recorded, claimed):
            raise ReceiptError(f"receipt: the record in the log is about another {what}")
    obligations = tuple(_get(terms, "obligations", list))
    if not all(isinstance(item, dict) for item in obligations):
        raise ReceiptError("receipt: malformed obligations")
    _check_obligation_count(body, obligations)
    if not _NONCE.match(_text(terms, "nonce")):
        raise ReceiptError("receipt: malformed nonce")
    return VerifiedReceipt(
        decision_id=_text(terms, "decisionId"),
        plan_sha256=plan_sha256,
        environment=environment,
        audience=audience,
        nonce=_text(terms, "nonce"),
        issued=issued,
        expires=expires,
        obligations=obligations,
        policy_sha256=policy_sha256,
        log_index=_get(evidence, "index", int),
        checkpoint=checkpoint,
        signed_by=signed_by,
        sha256=hashlib.sha256(receipt).hexdigest(),
    )


def claim(log: Log, started: Record) -> Entry:
    """Take a decision's one execution, durably and across processes, before anything starts.

    Args:
        log: Where executions of this executor are recorded.
        started: The ``execution.started`` record.

    Raises:
        ReceiptError: The decision has been executed, or has been begun.
        AuditError: The claim cannot be written.
    """
    if started.type is not RecordType.EXECUTION_STARTED:
        raise ReceiptError(f"receipt: not a claim: {started.type.value}")
    try:
        return log.append(started.encode(), idempotency_key=started.idempotency_key, must_be_new=True)
    except AlreadyRecordedError as error:
        raise ReceiptError(
            f"receipt: used already: decision {started.body['decision_id']} has been executed or begun",
            hint="check the plan again: each decision is good for one execution",
        ) from error


def environment_uri(environment: str) -> str:
    """The resource URI that stands for an environment."""
    return f"plangate:environment/{quote(environment, safe='')}"


def _predicate(statement: Any) -> Mapping[str, Any]:
    if not isinstance(statement, dict) or statement.get("_type") != STATEMENT_TYPE:
        raise ReceiptError("receipt: not an in-toto statement (v1)")
    if statement.get("predicateType") != PREDICATE_TYPE:
        raise ReceiptError("receipt: not a verification summary (v1)")
    predicate = _mapping(statement, "predicate")
    if predicate.get("verificationResult") != "PASSED":
        raise ReceiptError("receipt: the verification result is not PASSED")
    if _mapping(predicate, "verifier").get("id") != VERIFIER_ID:
        raise ReceiptError("receipt: made by another verifier")
    return predicate


def _logged(evidence: Mapping[str, Any], log_public_keys: Collection[bytes]) -> tuple[bytes, Checkpoint]:
    """The record in the evidence, after checking that a trusted log has it."""
    try:
        record = base64.b64decode(_text(evidence, "record"), validate=True)
        proof = [bytes.fromhex(item) for item in _get(evidence, "inclusionProof", list)]
    except (binascii.Error, ValueError, TypeError) as error:
        raise ReceiptError("receipt: malformed evidence of the log") from error
    try:
        checkpoint = notes.verify(_text(evidence, "checkpoint"), public_keys=log_public_keys)
        merkle.verify_inclusion(
            leaf=merkle.leaf_hash(record),
            index=_get(evidence, "index", int),
            size=checkpoint.size,
            proof=proof,
            root=checkpoint.root,
        )
    except AuditError as error:
        raise ReceiptError(f"receipt: the decision is not proved to be in the log: {error}") from error
    return record, checkpoint


def _allow_in(record: bytes) -> Mapping[str, Any]:
    """The body of a record that is an allow."""
    try:
        document = strict_json.loads(record)
    except strict_json.StrictJsonError as error:
        raise ReceiptError(f"receipt: the record in the log: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != RECORD_SCHEMA:
        raise ReceiptError("receipt: the record in the log is not one of ours")
    if document.get("type") != RecordType.DECISION.value:
        raise ReceiptError("receipt: the record in the log is not a decision")
    body = _mapping(document, "body")
    if body.get("result") != "allow":
        raise ReceiptError("receipt: the decision in the log is not an allow")
    return body


def _check_obligation_count(body: Mapping[str, Any], obligations: Sequence[Mapping[str, Any]]) -> None:
    """The record may hold fewer obligations than there are, but it says how many it left out."""
    left_out = _mapping(body, "truncated").get("obligations", 0)
    recorded = len(_get(body, "obligations", list)) + (left_out if isinstance(left_out, int) else 0)
    if recorded != len(obligations):
        raise ReceiptError(f"receipt: {len(obligations)} obligations (the decision in the log has {recorded})")


def _get(mapping: Mapping[str, Any], name: str, kind: type[T]) -> T:
    value = mapping.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ReceiptError(f"receipt: {name} is missing or malformed")
    return value


def _text(mapping: Mapping[str, Any], name: str) -> str:
    return _get(mapping, name, str)


def _mapping(mapping: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _get(mapping, name, dict)


def _time(mapping: Mapping[str, Any], name: str) -> datetime:
    value = _text(mapping, name)
    try:
        if _TIME.match(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass  # a date that no calendar has
    raise ReceiptError(f"receipt: {name} is not a time in UTC with milliseconds")


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
