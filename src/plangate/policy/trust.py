"""What is asked of a policy bundle before anybody judges with it, and what is recorded of one that was taken."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import Struct

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a bundle may be called."""
MAX_SEQUENCE: Final = 2**53 - 1
"""A sequence number is a whole number that every JSON reader holds exactly."""


class Roots:
    """Paths below ``data``, such as ``policies/storage``, that a bundle may define; ``""`` is all of it."""

    def __init__(self, roots: Collection[str]) -> None:
        self._roots = frozenset(roots)
        self._above = {
            "/".join(parts[:end]) for parts in (r.split("/") for r in roots) for end in range(len(parts))
        }

    def hold(self, path: Sequence[str]) -> bool:
        """Whether a path is at or below one of them."""
        return any("/".join(path[:end]) in self._roots for end in range(len(path) + 1))

    def lie_below(self, path: Sequence[str]) -> bool:
        """Whether one of them is below a path."""
        return "/".join(path) in self._above


class VerificationKey(Struct, frozen=True, kw_only=True):
    """A key that bundles may be signed with.

    Attributes:
        algorithm: The one JWS algorithm that counts with this key, e.g. ``ES256``. A token never chooses it.
        content: The file's bytes: a public key in PEM, or the secret of an HMAC algorithm.
        file: Its name, for messages.
    """

    algorithm: str
    content: bytes
    file: str

    def __repr__(self) -> str:
        """Without the content, which may be a secret."""
        return f"VerificationKey(algorithm={self.algorithm!r}, file={self.file!r})"


class BundleTrust(Struct, frozen=True, kw_only=True):
    """What the settings ask of one bundle.

    Attributes:
        name: The bundle's name; its manifest has to say the same if it says any.
        keys: Key id to key. Empty: ``unsafe_unsigned`` was chosen, and no signature is looked at.
        scope: What the signature's ``scope`` has to be.
        monotonic: Refuse a sequence number below the highest that this gate has seen.
        min_sequence: Refuse a sequence number below this one; ``None`` asks for none.
    """

    name: str
    keys: Mapping[str, VerificationKey]
    scope: str = ""
    monotonic: bool = False
    min_sequence: int | None = None


class BundleUsed(Struct, frozen=True, kw_only=True):
    """A bundle that was read and, if keys were given, verified.

    Attributes:
        name: In the settings, or the manifest's word, or the file's name.
        sha256: Hex digest of the file.
        revision: The manifest's; for people.
        sequence: The number that only ever grows; ``None`` when the manifest has none.
        key_id: Of the key that verified the signature; empty when none was asked for.
        algorithm: Of that key, or empty.
        roots: Paths below ``data`` that the bundle may define.
        rules: Ids of the rules that it has to hold; ``None`` when the manifest lists none.
        monotonic: See `BundleTrust`.
        source: Name of the policy source that it is.
    """

    name: str
    sha256: str
    revision: str
    sequence: int | None
    key_id: str
    algorithm: str
    roots: tuple[str, ...]
    rules: tuple[str, ...] | None
    monotonic: bool
    source: str

    @property
    def label(self) -> str:
        """One line for people and for the log's list of sources."""
        parts = [f"bundle {self.name}"]
        if self.revision:
            parts.append(f"revision {self.revision}")
        if self.sequence is not None:
            parts.append(f"sequence {self.sequence}")
        parts.append(
            f"signed with {self.key_id} ({self.algorithm})" if self.algorithm else "signature not checked"
        )
        return ", ".join(parts)
