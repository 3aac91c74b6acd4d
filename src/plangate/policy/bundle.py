"""A policy bundle in OPA's format, read from a local file into what a policy folder would give.

The rules this module keeps:

1. Nothing of a bundle is understood before its signature holds, if keys are given for it.
2. A signed bundle without keys to verify it is refused: somebody believes that the signature protects them.
3. What we would not judge with is refused, not left out: compiled policies, patches, manifests within folders.

Source: https://www.openpolicyagent.org/docs/management-bundles
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from plangate.errors import PolicyLoadError
from plangate.policy import signature
from plangate.policy.archive import read_archive
from plangate.policy.base import PolicySource
from plangate.policy.files import LoadLimits
from plangate.policy.manifest import MANIFEST, Manifest, read_manifest
from plangate.policy.trust import BundleTrust, BundleUsed

_GZIP_MAGIC: Final = b"\x1f\x8b"
_NOT_OURS: Final = {
    "policy.wasm": "a WebAssembly policy, which plangate does not run",
    "plan.json": "a compiled evaluation plan, which plangate does not run",
    "patch.json": "a patch: delta bundles change policies from afar, and plangate takes whole ones only",
}


def read_bundle(source: PolicySource, limits: LoadLimits) -> tuple[BundleUsed, dict[str, bytes]]:
    """A bundle and its files by name, without manifest and signature.

    Raises:
        PolicyLoadError: Not a bundle, not one that may be trusted, or more than the limits allow.
    """
    name = source.name
    content = _read(source.root, name, limits)
    if not content.startswith(_GZIP_MAGIC):
        raise PolicyLoadError(
            name,
            "neither a folder nor a bundle",
            hint="a bundle is what `plangate policy bundle` makes: .tar.gz",
        )
    files = dict(read_archive(content, name, limits))
    signatures = files.pop(signature.SIGNATURES, None)
    key_id = _verified(files, signatures, source.trust, name)
    for each in files:
        _refuse_odd(each, name)
    if MANIFEST not in files:
        raise PolicyLoadError(name, f"no {MANIFEST} at the top of the bundle")
    manifest = read_manifest(files.pop(MANIFEST), f"{name}/{MANIFEST}")
    if source.trust is not None:
        _check_promises(manifest, source.trust, name)
    used = BundleUsed(
        name=source.trust.name if source.trust is not None else manifest.name or name,
        sha256=hashlib.sha256(content).hexdigest(),
        revision=manifest.revision,
        sequence=manifest.sequence,
        key_id=key_id,
        algorithm=source.trust.keys[key_id].algorithm if source.trust is not None and key_id else "",
        roots=manifest.roots,
        rules=manifest.rules,
        monotonic=source.trust is not None and source.trust.monotonic,
        source=name,
    )
    return used, files


def _read(path: Path, name: str, limits: LoadLimits) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limits.max_bundle_bytes + 1)
    except OSError as problem:
        raise PolicyLoadError(name, f"cannot be read: {problem.strerror}") from problem
    if len(content) > limits.max_bundle_bytes:
        raise PolicyLoadError(name, f"larger than {limits.max_bundle_bytes} bytes (max_bundle_bytes)")
    return content


def _verified(
    files: Mapping[str, bytes], signatures: bytes | None, trust: BundleTrust | None, name: str
) -> str:
    """The id of the key that signed the bundle; empty when it need not be signed."""
    if trust is not None and trust.keys:
        if signatures is None:
            raise PolicyLoadError(name, f"not signed: no {signature.SIGNATURES}, and a signature is required")
        return signature.verify(files, signatures, trust, name)
    if trust is None and signatures is not None:
        raise PolicyLoadError(
            name, "signed, and no key to verify it with",
            hint="list it below `bundles` in plangate.yaml, with its keys",
        )  # fmt: skip
    return ""


def _refuse_odd(each: str, name: str) -> None:
    """Refuse what OPA would act on and we would not, wherever it lies."""
    base = each.rpartition("/")[2]
    if base in _NOT_OURS:
        raise PolicyLoadError(f"{name}/{each}", _NOT_OURS[base])
    if each != MANIFEST and base.endswith(MANIFEST):
        raise PolicyLoadError(f"{name}/{each}", f"a manifest other than {MANIFEST} at the top")
    if base.endswith("signatures.json"):
        raise PolicyLoadError(f"{name}/{each}", f"a signature other than {signature.SIGNATURES} at the top")


def _check_promises(manifest: Manifest, trust: BundleTrust, name: str) -> None:
    if manifest.name and manifest.name != trust.name:
        raise PolicyLoadError(
            name, f"this is the bundle {manifest.name!r} (expected {trust.name!r})",
            hint="the key below `bundles` in plangate.yaml is the bundle's name",
        )  # fmt: skip
    if manifest.sequence is None and (trust.monotonic or trust.min_sequence is not None):
        raise PolicyLoadError(
            name, "no sequence number, and the settings ask for one",
            hint="make it with `plangate policy bundle --sequence N`",
        )  # fmt: skip
    if trust.min_sequence is not None and (manifest.sequence or 0) < trust.min_sequence:
        raise PolicyLoadError(
            name, f"sequence {manifest.sequence} is too old (expected at least {trust.min_sequence})"
        )
