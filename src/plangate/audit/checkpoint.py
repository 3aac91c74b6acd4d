"""Signed checkpoints: what the log says about itself, in a form that other tools can read.

A checkpoint is the text ``origin``, size and base64 root hash on a line each; a signed note is that text, an
empty line and signature lines. The rules this module keeps:

1. The signature covers the text with its last newline, byte for byte.
2. A key is pinned by its *bytes*. Names and key ids in a note only say which line to try: two names of one
   key are one key.
3. A line that claims a trusted key and does not verify fails the whole note; lines of other keys are ignored.

Source: https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint
"""

import base64
import binascii
import hashlib
from collections.abc import Collection
from typing import Final, Protocol

from msgspec import Struct

from plangate.audit.merkle import HASH_SIZE
from plangate.errors import AuditError

MAX_NOTE_BYTES: Final = 16_384
MAX_SIGNATURES: Final = 16
PUBLIC_KEY_SIZE: Final = 32
_SIGNATURE_SIZE: Final = 64
_ED25519: Final = b"\x01"
_KEY_ID_SIZE: Final = 4
_MAX_SIZE: Final = 2**63 - 1
_DASH: Final = "\N{EM DASH} "
_TEXT_LINES: Final = 3
_FIRST_PRINTABLE: Final = " "


class Signer(Protocol):
    """Holds an Ed25519 private key."""

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature over ``message``."""


class Checkpoint(Struct, frozen=True, kw_only=True):
    """What the log promises: under this name, so many records, with this root hash.

    Attributes:
        origin: The log's name; also the name of its key. No spaces, no ``+``.
        size: Number of records.
        root: 32 bytes.
        extensions: Further lines, kept as they are.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The text that is signed, newline at the end.

        Raises:
            AuditError: A value that another reader would read differently.
        """
        check_key_name(self.origin)
        if not 0 <= self.size <= _MAX_SIZE or len(self.root) != HASH_SIZE:
            raise AuditError(f"checkpoint: not a size and root hash: {self.size}, {len(self.root)} bytes")
        if any(not line or _has_control(line) for line in self.extensions):
            raise AuditError("checkpoint: an extension line is empty or has control characters")
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def key_id(name: str, public_key: bytes) -> bytes:
    """The four bytes that a signature line starts with."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_ID_SIZE]


def verifier_key(name: str, public_key: bytes) -> str:
    """A public key as text: ``name+keyid+base64(0x01 || key)``."""
    check_key_name(name)
    encoded = base64.b64encode(_ED25519 + public_key).decode()
    return f"{name}+{key_id(name, public_key).hex()}+{encoded}"


def parse_verifier_key(text: str) -> tuple[str, bytes]:
    """Read a public key from its text form.

    Returns:
        The key's name and its 32 bytes.

    Raises:
        AuditError: Malformed, not Ed25519, or the key id is not that of the name and key.
    """
    name, _, rest = text.strip().partition("+")
    stated_id, _, encoded = rest.partition("+")
    check_key_name(name)
    decoded = _base64(encoded, "public key")
    public_key = decoded[1:]
    if decoded[:1] != _ED25519 or len(public_key) != PUBLIC_KEY_SIZE:
        raise AuditError(f"public key {name}: not an Ed25519 key")
    if key_id(name, public_key).hex() != stated_id:
        raise AuditError(f"public key {name}: key id {stated_id!r} does not belong to this key")
    return name, public_key


def sign(checkpoint: Checkpoint, signer: Signer) -> str:
    """The checkpoint as a signed note, under the origin's name."""
    text = checkpoint.text()
    identifier = key_id(checkpoint.origin, signer.public_key)
    signature = base64.b64encode(identifier + signer.sign(text.encode())).decode()
    return f"{text}\n{_DASH}{checkpoint.origin} {signature}\n"


def parse(note: str) -> Checkpoint:
    """Read a note's checkpoint **without** checking any signature.

    Raises:
        AuditError: Not a checkpoint, or not written in the one way that the format allows.
    """
    return _parse_text(_split_note(note)[0])


def verify(note: str, *, public_keys: Collection[bytes], origin: str | None = None) -> Checkpoint:
    """Read a note's checkpoint after checking that one of ``public_keys`` signed it.

    Args:
        note: The whole note.
        public_keys: Key bytes that are trusted, 32 each.
        origin: The log it must be of; any when not given.

    Raises:
        AuditError: Malformed, of another log, or not signed by a trusted key.
    """
    text, signatures = _split_note(note)
    checkpoint = _parse_text(text)
    if origin is not None and checkpoint.origin != origin:
        raise AuditError(f"checkpoint: of another log: {checkpoint.origin!r} (expected {origin!r})")
    verified = False
    for name, identifier, signature in signatures:
        for public_key in public_keys:
            if key_id(name, public_key) == identifier:
                if not is_signed(text.encode(), signature, public_key):
                    raise AuditError(f"checkpoint: the signature of {name} is not valid")
                verified = True
    if not verified:
        raise AuditError("checkpoint: not signed by a trusted key")
    return checkpoint


def is_signed(message: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether ``signature`` is this Ed25519 key's signature over ``message``."""
    # Imported here: it costs 15 ms, and most commands that read a log verify nothing.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    if len(public_key) != PUBLIC_KEY_SIZE or len(signature) != _SIGNATURE_SIZE:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: bytes that are no point on the curve
        return False
    return True


def check_key_name(name: str) -> None:
    """Refuse a name that would make the format ambiguous.

    Raises:
        AuditError: Empty, or with white space, control characters or ``+``.
    """
    if not name or "+" in name or any(c.isspace() for c in name) or _has_control(name):
        raise AuditError(f"checkpoint: not a name for a log or key: {name!r}")


def _split_note(note: str) -> tuple[str, tuple[tuple[str, bytes, bytes], ...]]:
    """The signed text, and ``(name, key id, signature)`` of each line."""
    try:
        size = len(note.encode())
    except UnicodeEncodeError as error:
        raise AuditError("checkpoint: not text") from error
    if size > MAX_NOTE_BYTES:
        raise AuditError(f"checkpoint: {size} bytes (at most {MAX_NOTE_BYTES})")
    head, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n") or _has_control(note.replace("\n", "")):
        raise AuditError("checkpoint: not a signed note")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise AuditError(f"checkpoint: {len(lines)} signatures (at most {MAX_SIGNATURES})")
    return head + "\n", tuple(_signature_line(line) for line in lines)


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH):
        raise AuditError("checkpoint: malformed signature line")
    check_key_name(name)
    decoded = _base64(encoded, "signature")
    if len(decoded) <= _KEY_ID_SIZE:
        raise AuditError("checkpoint: malformed signature line")
    return name, decoded[:_KEY_ID_SIZE], decoded[_KEY_ID_SIZE:]


def _parse_text(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < _TEXT_LINES:
        raise AuditError("checkpoint: fewer than three lines")
    origin, size, root = lines[:_TEXT_LINES]
    if not (size.isascii() and size.isdigit()) or len(size) > len(str(_MAX_SIZE)):
        raise AuditError(f"checkpoint: not a size: {size[:40]!r}")
    checkpoint = Checkpoint(
        origin=origin,
        size=int(size),
        root=_base64(root, "root hash"),
        extensions=tuple(lines[_TEXT_LINES:]),
    )
    # One text, one meaning: leading zeros, odd base64 and the like do not survive the way back.
    if checkpoint.text() != text:
        raise AuditError("checkpoint: not in canonical form")
    return checkpoint


def _base64(text: str, what: str) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AuditError(f"checkpoint: {what} is not base64") from error
    if base64.b64encode(decoded).decode() != text:
        raise AuditError(f"checkpoint: {what} is not canonical base64")
    return decoded


def _has_control(text: str) -> bool:
    return any(c < _FIRST_PRINTABLE or c == "\x7f" for c in text)
