"""Keeps secrets out of everything that is written or printed.

Rules judge real values; whatever leaves (messages, reports, records, errors) goes through a `Redactor` first. A
secret becomes ``hmac256:<key id>:<16 hex digits>``: equal secrets stay equal, and nobody without the key can test a
guess against it.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from plangate.model.values import pointer_tokens

MIN_LINE_CHARS: Final = 8
"""A line of a longer secret is recognized on its own from this length."""

_PREFIX: Final = 3
_PATTERNS: Final = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS access key id
    r"|\bgh[pousr]_[0-9A-Za-z]{36,255}\b"  # GitHub token
    r"|\bxox[abprs]-[0-9A-Za-z-]{10,200}"  # Slack token
    r"|\beyJ[0-9A-Za-z_-]{10,4096}\.[0-9A-Za-z_-]{10,4096}\.[0-9A-Za-z_-]{10,4096}"  # JSON Web Token
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
    r"|(?<=://)[^/\s:@]{1,200}:[^/\s@]{1,200}(?=@)"  # user:password in a URL
)


class Redactor:
    """Masks the secrets of one plan, and what looks like a secret anywhere.

    Args:
        secrets: Sensitive texts of the plan.
        key: Key of the placeholders, 16 bytes or more.
    """

    def __init__(self, secrets: Iterable[str], key: bytes) -> None:
        self._key = key
        self._key_id = hashlib.sha256(b"plangate redaction key id\n" + key).hexdigest()[:8]
        self._by_prefix: dict[str, list[str]] = {}
        for secret in sorted({form for text in secrets for form in _forms(text)}, key=len, reverse=True):
            self._by_prefix.setdefault(secret[:_PREFIX], []).append(secret)

    def placeholder(self, secret: str) -> str:
        """What stands for a secret in every output."""
        digest = hmac.new(self._key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"hmac256:{self._key_id}:{digest.hexdigest()[:16]}"

    def text(self, text: str) -> str:
        """The text without secrets. Linear in its length."""
        if self._by_prefix:
            text = self._without_known(text)
        return _PATTERNS.sub(lambda match: self.placeholder(match.group()), text)

    def values(self, values: Any, sensitive: tuple[str, ...]) -> Any:
        """Attribute values with everything at the sensitive JSON Pointers replaced, and texts cleaned."""
        return self._values(values, [pointer_tokens(path) for path in sensitive])

    def _values(self, value: Any, paths: list[tuple[str, ...]]) -> Any:
        if () in paths and value is not None:
            return self.placeholder(repr(value) if not isinstance(value, str) else value)
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._values(item, _below(paths, key)) for key, item in value.items()}
        if isinstance(value, Sequence):
            return [self._values(item, _below(paths, str(index))) for index, item in enumerate(value)]
        return value

    def _without_known(self, text: str) -> str:
        parts: list[str] = []
        start = position = 0
        while position + _PREFIX <= len(text):
            for secret in self._by_prefix.get(text[position : position + _PREFIX], ()):
                if text.startswith(secret, position):
                    parts += [text[start:position], self.placeholder(secret)]
                    position += len(secret)
                    start = position
                    break
            else:
                position += 1
        return "".join([*parts, text[start:]]) if parts else text


def _below(paths: list[tuple[str, ...]], key: str) -> list[tuple[str, ...]]:
    return [path[1:] for path in paths if path and path[0] == key]


def _forms(secret: str) -> Iterable[str]:
    """A secret as it may turn up: itself, line by line, base64-encoded, or decoded when it is base64 text."""
    texts = {secret}
    if len(secret) >= MIN_LINE_CHARS:
        texts.add(base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode())
        try:
            texts.add(base64.b64decode(secret, validate=True).decode())
        except (binascii.Error, UnicodeDecodeError, ValueError):
            pass
    for text in texts:
        if len(text) >= _PREFIX:
            yield text
        yield from (line for line in text.splitlines() if len(line.strip()) >= MIN_LINE_CHARS)
