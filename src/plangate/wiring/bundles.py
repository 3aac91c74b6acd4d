"""Policy bundles as the settings have them, and the sequence numbers that this gate has seen.

The log remembers: a bundle that is ``monotonic`` is recorded in it when a sequence number is met for the first time.
A file of its own would forget whenever somebody puts an old copy in its place; of the log, that would be noticed by
whoever holds one of its checkpoints.
"""

import json
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from plangate.audit.base import AlreadyRecordedError, Log
from plangate.audit.event_records import policy_activated, policy_activation_key
from plangate.audit.record import Stamp
from plangate.decision.document import PolicyBundle
from plangate.errors import AuditError, PolicyLoadError, UsageError
from plangate.policy.base import PolicySource
from plangate.policy.trust import BundleTrust, BundleUsed, VerificationKey
from plangate.settings import Settings
from plangate.settings_file import BundleSettings

_MAX_KEY_BYTES: Final = 64 * 1024
_ATTEMPTS: Final = 8
_SHARED: Final = 0o077


def bundle_sources(settings: Settings) -> list[PolicySource]:
    """The bundles of the settings, each with what is asked of it.

    Raises:
        UsageError: A key cannot be read.
    """
    return [
        PolicySource(root=settings.folder / item.path, name=name, trust=_trust(name, item, settings))
        for name, item in settings.values.bundles.items()
    ]


def used_bundle(bundle: BundleUsed) -> PolicyBundle:
    """A bundle as decisions have it."""
    return PolicyBundle(
        name=bundle.name,
        sha256=bundle.sha256,
        revision=bundle.revision,
        sequence=bundle.sequence,
        key_id=bundle.key_id,
        monotonic=bundle.monotonic,
    )


def remember(log: Log, bundles: Sequence[PolicyBundle], stamp: Callable[[], Stamp]) -> tuple[str, ...]:
    """Refuse a monotonic bundle that is older than what this gate has seen, and record one that is newer.

    Returns:
        What people should know: bundles that were met for the first time.

    Raises:
        PolicyLoadError: An older sequence number, or the same one with other content.
        AuditError: What was seen cannot be read, or the new number not be written.
    """
    return tuple(
        f"bundle {bundle.name}: first use with this state folder; from now on nothing older than sequence "
        f"{bundle.sequence}"
        for bundle in bundles
        if bundle.monotonic and _remember(log, bundle, stamp)
    )


def _remember(log: Log, bundle: PolicyBundle, stamp: Callable[[], Stamp]) -> bool:
    """Whether it was met for the first time."""
    if bundle.sequence is None:  # `plangate.policy.bundle` refuses it
        raise PolicyLoadError(bundle.name, "no sequence number")
    for _ in range(_ATTEMPTS):
        count, last = last_activation(log, bundle.name)
        if last is not None:
            seen = int(last["sequence"])
            if bundle.sequence < seen:
                raise PolicyLoadError(
                    f"bundle {bundle.name}", f"sequence {bundle.sequence} is older than {seen}, which was in use here",
                    hint=f"take it back by a new bundle with a sequence beyond {seen}",
                )  # fmt: skip
            if bundle.sequence == seen:
                if last["sha256"] != bundle.sha256:
                    raise PolicyLoadError(
                        f"bundle {bundle.name}", f"sequence {seen} was in use here with other content",
                        hint="every bundle needs a sequence number of its own",
                    )  # fmt: skip
                return False
        record = policy_activated(
            stamp(),
            number=count + 1,
            name=bundle.name,
            sequence=bundle.sequence,
            revision=bundle.revision,
            sha256=bundle.sha256,
            key_id=bundle.key_id,
        )
        try:
            log.append(record.encode(), idempotency_key=record.idempotency_key, must_be_new=True)
        except AlreadyRecordedError:
            continue  # Another process met a new bundle at the same time: look again.
        return last is None
    raise AuditError(f"bundle {bundle.name}: its sequence could not be recorded, others kept on doing so")


def last_activation(log: Log, name: str) -> tuple[int, dict[str, Any] | None]:
    """How often an activation under this name was recorded, and the last of these records' bodies.

    The records are numbered from 1 without a gap, so the last is found by doubling and halving.
    """
    low, step = 0, 1
    while log.find(policy_activation_key(name, low + step)) is not None:
        low, step = low + step, step * 2
    while step > 1:
        step //= 2
        if log.find(policy_activation_key(name, low + step)) is not None:
            low += step
    if low == 0:
        return 0, None
    found = log.find(policy_activation_key(name, low))
    try:
        body: dict[str, Any] = json.loads(found.record if found is not None else b"")["body"]
        is_sound = (body["name"], type(body["sequence"]), type(body["sha256"])) == (name, int, str)
    except (ValueError, KeyError, TypeError):
        is_sound = False
    if not is_sound:
        raise AuditError(
            f"bundle {name}: the log's record of its sequence cannot be read",
            hint="run: plangate audit verify",
        )
    return low, body


def _trust(name: str, item: BundleSettings, settings: Settings) -> BundleTrust:
    return BundleTrust(
        name=name,
        keys={
            key_id: VerificationKey(
                algorithm=key.algorithm,
                content=_key(settings.folder / key.file, is_secret=key.algorithm.startswith("HS")),
                file=key.file,
            )
            for key_id, key in item.keys.items()
        },
        scope=item.scope,
        monotonic=item.monotonic,
        min_sequence=item.min_sequence,
    )


def _key(path: Path, *, is_secret: bool) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(_MAX_KEY_BYTES + 1)
    except OSError as problem:
        raise UsageError(f"{path}: the key cannot be read: {problem.strerror}") from problem
    if is_secret and mode & _SHARED:
        # Whoever reads it can sign.
        raise UsageError(f"{path}: others can read this secret (mode {mode:04o})", hint=f"chmod 600 {path}")
    if not content or len(content) > _MAX_KEY_BYTES:
        raise UsageError(f"{path}: {len(content)} bytes are no key")
    return content
