"""Records of what happened besides decisions: executions, obligations, keys, gaps.

One function a type. Texts are cut to what a record can hold; words that are one of a few are checked.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from plangate.audit.record import Record, RecordType, Stamp, build, one_of, sha256_hex, text, timestamp
from plangate.errors import AuditError

_MAX_ADDRESSES: Final = 16
"""Of each list: 2 times 16 times 256 characters, of 6 bytes at worst (``\\u001f``), are 48 KiB."""


def execution_key(decision_id: str) -> str:
    """What the idempotency keys of everything in one decision's execution start with."""
    return f"execution:{decision_id}"


def start_key(plan_sha256: str, environment: str) -> str:
    """The idempotency key of the one execution that a plan's bytes have in an environment; everywhere, if empty.

    Not the decision's: a saved plan that is judged a second time is still the plan that has run already, and
    Terraform itself applies one twice when its state is local.
    """
    return f"execution:{plan_sha256}:{hashlib.sha256(environment.encode()).hexdigest()}"


def execution_started(
    at: Stamp,
    *,
    decision_id: str,
    plan_sha256: str,
    environment: str,
    executor: str,
    receipt_sha256: str | None = None,
    nonce: str | None = None,
    repeatable: bool = False,
    anywhere: bool = False,
) -> Record:
    """The record that must be in the log before anything runs.

    Its idempotency key is `start_key`: one plan, one execution in an environment, however many decisions and
    receipts there are. ``repeatable`` is for a plan format that may run again by design, and makes it one
    execution for each decision. ``anywhere`` is for a plan format that is of one place by itself, whatever the
    environment is called: a saved plan names its state, and has one execution in all environments together.
    """
    body = {
        "decision_id": decision_id,
        "plan_sha256": sha256_hex(plan_sha256),
        "environment": text(environment),
        "executor": text(executor),
        "receipt_sha256": None if receipt_sha256 is None else sha256_hex(receipt_sha256),
        "nonce": nonce,
    }
    key = (
        execution_key(decision_id) if repeatable else start_key(plan_sha256, "" if anywhere else environment)
    )
    return build(at, RecordType.EXECUTION_STARTED, key, body)


def execution_event(
    at: Stamp,
    *,
    decision_id: str,
    sequence: int,
    event: str,
    address: str = "",
    action: str = "",
    message: str = "",
) -> Record:
    """One thing that the tool said while it ran.

    Args:
        at: When we read it.
        decision_id: Of the decision that is being carried out.
        sequence: Its number within the execution, from 0.
        event: The tool's word, e.g. ``apply_complete``.
        address: The resource; empty when it is about none.
        action: The tool's word on what happens to it, e.g. ``create``.
        message: For people.
    """
    body = {
        "decision_id": decision_id,
        "sequence": sequence,
        "event": text(event),
        "address": text(address),
        "action": text(action),
        "message": text(message),
    }
    return build(at, RecordType.EXECUTION_EVENT, f"{execution_key(decision_id)}:{sequence}", body)


def execution_finished(
    at: Stamp,
    *,
    decision_id: str,
    plan_sha256: str,
    result: str,
    exit_code: int | None,
    events: int,
    follow_up: str,
    failed: Sequence[str] = (),
    failed_checks: Sequence[str] = (),
    message: str = "",
) -> Record:
    """How an execution ended.

    Args:
        at: When.
        decision_id: Of the decision that was carried out.
        plan_sha256: Of the bytes that ran.
        result: ``succeeded``, ``failed`` or ``interrupted``.
        exit_code: The tool's; ``None`` when it did not exit by itself.
        events: How many event records were written.
        follow_up: What a plan made afterwards says: ``clean``, ``changes`` or ``unknown``.
        failed: Addresses of resources that failed.
        failed_checks: Addresses of check blocks that failed.
        message: For people.
    """
    body = {
        "decision_id": decision_id,
        "plan_sha256": sha256_hex(plan_sha256),
        "result": one_of("result", result, ("succeeded", "failed", "interrupted")),
        "exit_code": exit_code,
        "events": events,
        "follow_up": one_of("follow_up", follow_up, ("clean", "changes", "unknown")),
        "failed": [text(item, 256) for item in failed[:_MAX_ADDRESSES]],
        "failed_checks": [text(item, 256) for item in failed_checks[:_MAX_ADDRESSES]],
        "message": text(message),
        "truncated": {
            name: len(items) - _MAX_ADDRESSES
            for name, items in (("failed", failed), ("failed_checks", failed_checks))
            if len(items) > _MAX_ADDRESSES
        },
    }
    return build(at, RecordType.EXECUTION_FINISHED, f"{execution_key(decision_id)}:finished", body)


def obligation_checked(
    at: Stamp,
    *,
    decision_id: str,
    rule: str,
    address: str,
    path: str,
    result: str,
    message: str = "",
    attempt: int = 1,
) -> Record:
    """What was found when an obligation was checked against the real resource.

    Args:
        at: When.
        decision_id: Of the decision that carried the obligation.
        rule: The rule's id.
        address: The resource.
        path: JSON Pointer of the value that was unknown, or empty.
        result: ``met``, ``broken`` or ``unknown``.
        message: For people.
        attempt: From 1; each check is its own record.
    """
    body = {
        "decision_id": decision_id,
        "rule": text(rule),
        "address": text(address),
        "path": text(path),
        "result": one_of("result", result, ("met", "broken", "unknown")),
        "message": text(message),
        "attempt": attempt,
    }
    return build(at, RecordType.OBLIGATION_CHECKED, f"obligation:{at.id}", body)


def key_rotated(at: Stamp, *, role: str, public_key: bytes, previous: bytes | None = None) -> Record:
    """A key came into use.

    Args:
        at: When.
        role: ``log``, ``receipt`` or ``redaction``; for the last, pass its key id's bytes, never the key.
        public_key: Its 32 bytes.
        previous: The key that it takes over from; ``None`` for the first one.
    """
    body = {
        "role": one_of("role", role, ("log", "receipt", "redaction")),
        "public_key": public_key.hex(),
        "previous": None if previous is None else previous.hex(),
    }
    return build(at, RecordType.KEY_ROTATED, f"key:{role}:{public_key.hex()}", body)


def policy_activation_key(name: str, number: int) -> str:
    """The idempotency key of the record for the ``number``-th new sequence number of a bundle, from 1."""
    return f"policy:{hashlib.sha256(name.encode()).hexdigest()}:{number}"


def policy_activated(
    at: Stamp, *, number: int, name: str, sequence: int, revision: str, sha256: str, key_id: str
) -> Record:
    """A policy bundle with a higher sequence number than any before came into use.

    Args:
        at: When.
        number: How many such records there are of this bundle with this one.
        name: The bundle's.
        sequence: Its sequence number.
        revision: Its revision, for people; may be empty.
        sha256: Of the bundle's file.
        key_id: Of the key that verified it; empty when none was asked for.
    """
    body = {
        "name": text(name),
        "sequence": sequence,
        "revision": text(revision),
        "sha256": sha256_hex(sha256),
        "key_id": text(key_id),
    }
    return build(at, RecordType.POLICY_ACTIVATED, policy_activation_key(name, number), body)


def gap(at: Stamp, *, reason: str, since: datetime, until: datetime) -> Record:
    """Records are known to be missing for a time: say so, rather than let the log look whole."""
    body = {"reason": text(reason), "since": timestamp(since), "until": timestamp(until)}
    return build(at, RecordType.GAP, f"gap:{at.id}", body)


def query_answered(
    at: Stamp,
    *,
    interface: str,
    path: str,
    input_sha256: str | None,
    result_sha256: str | None,
    decision: bool | None,
    error: str,
    policy_sha256: str,
    request: Mapping[str, str],
) -> Record:
    """What a policy said to a question that is not about a plan.

    Args:
        at: When, by whom, and the answer's id.
        interface: Through which it was asked.
        path: What was asked for, below ``data``.
        input_sha256: Of the input; ``None`` without one.
        result_sha256: Of the result's bytes; ``None`` when it was undefined, or there was none.
        decision: What the caller was told, when that was a yes or a no.
        error: Why there was no answer; empty when there was one.
        policy_sha256: Of the policies.
        request: What the caller said of its request.
    """
    if decision and (error or result_sha256 is None):
        raise AuditError("audit record: a yes without a result")
    body = {
        "query_id": at.id,
        "interface": text(interface),
        "path": text(path),
        "input_sha256": None if input_sha256 is None else sha256_hex(input_sha256),
        "result_sha256": None if result_sha256 is None else sha256_hex(result_sha256),
        "decision": decision,
        "error": text(error),
        "policy_sha256": sha256_hex(policy_sha256),
        "request": {name: text(value) for name, value in request.items()},
    }
    return build(at, RecordType.QUERY_ANSWERED, f"query:{at.id}", body)


def approval_key(plan_sha256: str, environment: str, number: int) -> str:
    """The idempotency key of the ``number``-th approval of a plan in an environment, from 1."""
    return f"approval:{plan_sha256}:{hashlib.sha256(environment.encode()).hexdigest()}:{number}"


def approval_given(
    at: Stamp,
    *,
    number: int,
    plan_sha256: str,
    environment: str,
    rules: Sequence[str],
    reason: str,
    expires: datetime,
) -> Record:
    """Somebody's yes to overridable rules for one very plan.

    Args:
        at: When, and by whom.
        number: How many approvals of this plan in this environment there are with this one.
        plan_sha256: Of the plan's bytes.
        environment: Where it counts.
        rules: Ids of the rules.
        reason: For people.
        expires: It counts until then.
    """
    body = {
        "plan_sha256": sha256_hex(plan_sha256),
        "environment": text(environment),
        "rules": [text(rule) for rule in rules],
        "reason": text(reason),
        "expires": timestamp(expires),
    }
    return build(at, RecordType.APPROVAL, approval_key(plan_sha256, environment, number), body)
