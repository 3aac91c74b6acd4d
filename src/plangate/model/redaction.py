"""Keeps secrets out of everything that is written or printed.

Rules judge real values; whatever leaves (messages, reports, records, errors) goes through a `Redactor` first. A
secret becomes ``hmac256:<key id>:<16 hex digits>``: equal secrets stay equal, and nobody without the key can test a
guess against it.

What is recognized of a secret: itself, each of its longer lines, itself as JSON or Python would quote it, and its
base64 encoding, alone or in the middle of something longer that was encoded.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from plangate.model.values import pointer_tokens

MIN_CHARS: Final = 3
"""A shorter secret cannot be told from ordinary text; it is masked by its path only."""
MIN_LINE_CHARS: Final = 8
"""A line of a longer secret, and an encoding, is recognized on its own from this length."""
MAX_PIECE_CHARS: Final = 256
"""A longer secret is looked for in pieces, so that no text is ever compared with more than this at one place."""

_PATTERNS: Final = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS access key id
    r"|\bgh[pousr]_[0-9A-Za-z]{36,255}+\b"  # GitHub token
    r"|\bxox[abprs]-[0-9A-Za-z-]{10,200}+"  # Slack token
    # JSON Web Token
    r"|(?<![0-9A-Za-z_-])eyJ[0-9A-Za-z_-]{10,4096}+\.[0-9A-Za-z_-]{10,4096}+\.[0-9A-Za-z_-]{10,4096}+"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,20000}+(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
    r"|(?<=://)[^/\s:@]{1,200}+:[^/\s@]{1,200}+(?=@)"  # user:password in a URL
)
_Pieces = list[tuple[int, frozenset[str]]]
"""Lengths, the longest first, each with the pieces that have it."""
_Marks = dict[str, "_Marks"]
"""Sensitive paths as a tree of tokens; an empty tree is a whole value."""


class Redactor:
    """Masks the secrets of one plan, and what looks like a secret anywhere.

    Args:
        secrets: Sensitive texts of the plan.
        key: Key of the placeholders, 16 bytes or more.
    """

    def __init__(self, secrets: Iterable[str], key: bytes) -> None:
        self._key = key
        self._key_id = hashlib.sha256(b"plangate redaction key id\n" + key).hexdigest()[:8]
        self._secrets = frozenset(secrets)
        self._by_prefix = _indexed({piece for text in self._secrets for piece in _pieces(text)})

    def placeholder(self, secret: str) -> str:
        """What stands for a secret in every output."""
        digest = hmac.new(self._key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"hmac256:{self._key_id}:{digest.hexdigest()[:16]}"

    def text(self, text: str) -> str:
        """The text without secrets. Linear in its length, however many secrets there are."""
        if self._by_prefix:
            text = self._without_known(text)
        return _PATTERNS.sub(lambda match: self.placeholder(match.group()), text)

    def values(self, values: Any, sensitive: tuple[str, ...]) -> Any:
        """Attribute values with everything at the sensitive JSON Pointers replaced, and texts and keys cleaned."""
        return self._values(values, _tree(sensitive))

    def _values(self, value: Any, marks: _Marks | None) -> Any:
        if marks is not None and not marks and value is not None:
            return self.placeholder(value if isinstance(value, str) else repr(value))
        if isinstance(value, str):
            return self.text(value)
        below = marks or {}
        if isinstance(value, Mapping):
            return {self.text(key): self._values(item, below.get(key)) for key, item in value.items()}
        if isinstance(value, Sequence):
            return [self._values(item, below.get(str(index))) for index, item in enumerate(value)]
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and str(value) in self._secrets:
            return self.placeholder(str(value))
        return value

    def _without_known(self, text: str) -> str:
        """Every piece of a secret gives way, and pieces that overlap or touch give way together."""
        parts: list[str] = []
        written = start = end = 0
        for position in range(len(text) - MIN_CHARS + 1):
            listed = self._by_prefix.get(text[position : position + MIN_CHARS])
            if listed is None:
                continue
            size = next((n for n, pieces in listed if text[position : position + n] in pieces), 0)
            if not size:
                continue
            if position > end or start == end:
                if end > start:
                    parts += [text[written:start], self.placeholder(text[start:end])]
                    written = end
                start = position
            end = max(end, position + size)
        if end == start:
            return text
        return "".join([*parts, text[written:start], self.placeholder(text[start:end]), text[end:]])


def _indexed(pieces: Iterable[str]) -> dict[str, _Pieces]:
    lengths: dict[str, dict[int, set[str]]] = {}
    for piece in pieces:
        lengths.setdefault(piece[:MIN_CHARS], {}).setdefault(len(piece), set()).add(piece)
    return {
        prefix: [(size, frozenset(found)) for size, found in sorted(by_length.items(), reverse=True)]
        for prefix, by_length in lengths.items()
    }


def _tree(pointers: Iterable[str]) -> _Marks | None:
    """The pointers as a tree, or ``None`` without any; what is below a sensitive value is sensitive with it."""
    found: _Marks | None = None
    for pointer in sorted(pointers, key=len, reverse=True):
        found = {} if found is None else found
        marks = found
        for token in pointer_tokens(pointer):
            marks = marks.setdefault(token, {})
        marks.clear()
    return found


def _pieces(secret: str) -> Iterator[str]:
    """What to look for in a text, each at most `MAX_PIECE_CHARS` long; together they cover every form of a secret."""
    for form in _forms(secret):
        if len(form) < MIN_CHARS:
            continue
        if len(form) <= MAX_PIECE_CHARS:
            yield form
            continue
        yield from (
            form[at : at + MAX_PIECE_CHARS] for at in range(0, len(form) - MAX_PIECE_CHARS, MAX_PIECE_CHARS)
        )
        yield form[-MAX_PIECE_CHARS:]


def _forms(secret: str) -> Iterator[str]:
    """A secret as it may turn up."""
    texts = [secret]
    if len(secret) >= MIN_LINE_CHARS:
        with suppress(binascii.Error, ValueError):
            texts.append(base64.b64decode(secret, validate=True).decode())
        yield from _encoded(secret)
    for text in texts:
        yield from (
            text,
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
            repr(text)[1:-1],
        )
        yield from (line for line in text.splitlines() if len(line.strip()) >= MIN_LINE_CHARS)


def _encoded(secret: str) -> Iterator[str]:
    """Base64 of a secret, and the part of it that is the same wherever the secret stands in what was encoded."""
    data = secret.encode("utf-8", "surrogatepass")
    yield base64.b64encode(data).decode()
    for before in range(3):
        inner = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        # The first characters mix with what stands before; the last one may mix with what follows.
        inner = inner[(0, 2, 3)[before] :][: -1 if (before + len(data)) % 3 else None]
        if len(inner) >= MIN_LINE_CHARS:
            yield inner
            if "+" in inner or "/" in inner:
                yield inner.translate(_URL_SAFE)


_URL_SAFE: Final = str.maketrans("+/", "-_")
