"""The keys in the state folder: made on first use, private to their owner.

- An Ed25519 signing key is ``<name>.pem`` (PKCS #8, mode 0600), with its public half in ``<name>.pub`` as a
  C2SP verifier key, which is what an auditor is given.
- The redaction key is 32 random bytes in hex, in ``redaction.key`` (mode 0600): equal secrets get equal
  placeholders as long as it is kept, and forgetting it makes them meaningless.

A key that is there but cannot be used is an error and never a reason to make another one: records signed by a
key that nobody has pinned would prove nothing.
"""

import base64
import hashlib
import hmac
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plangate.audit import private_files
from plangate.audit.checkpoint import parse_verifier_key, verifier_key
from plangate.errors import AuditError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SEED_SIZE: Final = 32
_MAX_FILE_BYTES: Final = 4_096
# RFC 8410 section 7: an Ed25519 private key without attributes is always these 16 bytes and the 32 of the
# seed. Written out here because cryptography's PEM reader costs another 15 ms of imports.
_PKCS8_PREFIX: Final = bytes.fromhex("302e020100300506032b657004220420")
_PEM_BEGIN: Final = "-----BEGIN PRIVATE KEY-----"
_PEM_END: Final = "-----END PRIVATE KEY-----"
_SHORT_ID_CHARACTERS: Final = 8


class _Private(Struct, frozen=True):
    """Something that shows nothing of itself, however it is printed."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class SigningKey(_Private, frozen=True, kw_only=True, dict=True):
    """An Ed25519 key pair.

    Attributes:
        name: The key's name in signed notes.
        path: The private key's file.
        created: This run made it: tell the user where it is.
    """

    name: str
    path: Path
    created: bool
    _seed: bytes

    @cached_property
    def _private(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        return Ed25519PrivateKey.from_private_bytes(self._seed)

    @cached_property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._private.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """The key's id outside signed notes: hex SHA-256 of its bytes."""
        return key_id(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature over ``message``."""
        return self._private.sign(message)


class RedactionKey(_Private, frozen=True, kw_only=True):
    """The key that turns a secret into a placeholder.

    Attributes:
        path: Its file.
        created: This run made it: tell the user where it is.
    """

    path: Path
    created: bool
    secret: bytes

    @property
    def key_id(self) -> str:
        """Eight hex characters that say which key made a placeholder, and nothing about the key."""
        return hmac.digest(self.secret, b"plangate redaction key id", "sha256").hex()[:_SHORT_ID_CHARACTERS]


def key_id(public_key: bytes) -> str:
    """The id of a public key in receipts and records: hex SHA-256 of its bytes."""
    return hashlib.sha256(public_key).hexdigest()


def signing_key(folder: Path, file_name: str, *, note_name: str | None = None) -> SigningKey:
    """The signing key ``<folder>/<file_name>.pem``, made when it is not there.

    Args:
        folder: Made with mode 0700 when it is not there.
        file_name: ``log`` or ``receipt``.
        note_name: The key's name in signed notes; ``plangate.dev/<file_name>/<start of the key id>`` when not
            given.

    Raises:
        AuditError: The key cannot be made, read or trusted.
    """
    private_files.make_folder(folder)
    path = folder / f"{file_name}.pem"
    content = private_files.read(path, max_bytes=_MAX_FILE_BYTES, secret=True)
    created = False
    if content is None:
        created = private_files.create(path, _to_pem(os.urandom(_SEED_SIZE)))
        # Read it back, whoever made it: two first runs at once must end up with one key.
        content = private_files.read(path, max_bytes=_MAX_FILE_BYTES, secret=True)
    if content is None:
        raise AuditError(f"{path}: the key went away while it was read")
    unnamed = SigningKey(name="", path=path, created=created, _seed=_from_pem(path, content))
    name = note_name or f"plangate.dev/{file_name}/{unnamed.key_id[:16]}"
    key = SigningKey(name=name, path=path, created=created, _seed=unnamed._seed)  # noqa: SLF001
    _publish(key, path.with_suffix(".pub"))
    return key


def redaction_key(folder: Path) -> RedactionKey:
    """The redaction key ``<folder>/redaction.key``, made when it is not there.

    Raises:
        AuditError: The key cannot be made, read or trusted.
    """
    private_files.make_folder(folder)
    path = folder / "redaction.key"
    content = private_files.read(path, max_bytes=_MAX_FILE_BYTES, secret=True)
    created = False
    if content is None:
        created = private_files.create(path, os.urandom(_SEED_SIZE).hex().encode() + b"\n")
        content = private_files.read(path, max_bytes=_MAX_FILE_BYTES, secret=True)
    try:
        secret = bytes.fromhex((content or b"").decode("ascii"))
    except ValueError as error:
        raise AuditError(f"{path}: not a redaction key (expected {_SEED_SIZE} bytes in hex)") from error
    if len(secret) != _SEED_SIZE:
        raise AuditError(f"{path}: not a redaction key (expected {_SEED_SIZE} bytes in hex)")
    return RedactionKey(path=path, created=created, secret=secret)


def public_key_file(path: Path) -> tuple[str, bytes]:
    """Read a ``.pub`` file.

    Returns:
        The key's name and its 32 bytes.

    Raises:
        AuditError: Not there, or not a verifier key.
    """
    content = private_files.read(path, max_bytes=_MAX_FILE_BYTES)
    if content is None:
        raise AuditError(f"{path}: no such public key")
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        raise AuditError(f"{path}: not a public key") from error
    return parse_verifier_key(text)


def _publish(key: SigningKey, path: Path) -> None:
    """Write the public half beside the private one, or check that it is the right one."""
    expected = verifier_key(key.name, key.public_key).encode() + b"\n"
    if private_files.create(path, expected, mode=0o644):
        return
    if private_files.read(path, max_bytes=_MAX_FILE_BYTES) != expected:
        raise AuditError(
            f"{path}: not the public half of {key.path.name}",
            hint="find out which of the two was changed; moving the .pub file away writes it again",
        )


def _to_pem(seed: bytes) -> bytes:
    return f"{_PEM_BEGIN}\n{base64.b64encode(_PKCS8_PREFIX + seed).decode()}\n{_PEM_END}\n".encode()


def _from_pem(path: Path, content: bytes) -> bytes:
    try:
        begin, body, end = content.decode("ascii").strip().splitlines()
        decoded = base64.b64decode(body, validate=True)
    except ValueError as error:  # also what a wrong number of lines and binascii's error are
        raise AuditError(f"{path}: not an Ed25519 private key in PEM (PKCS #8)") from error
    seed = decoded[len(_PKCS8_PREFIX) :]
    if (begin, end) != (_PEM_BEGIN, _PEM_END) or decoded != _PKCS8_PREFIX + seed or len(seed) != _SEED_SIZE:
        raise AuditError(f"{path}: not an Ed25519 private key in PEM (PKCS #8)")
    return seed
