"""Characters with which the embedded engine and OPA count or change cases differently.

Found by asking both about every character: the engine counts those beyond U+FFFF as two, and knows letters that become
several, or none, or have got their other case lately.
"""

import re
from typing import Final

from plangate.policy.exactness import ODD_CASED

_ODD: Final = re.compile(f"[\U00010000-\U0010ffff{ODD_CASED}]")
_MAKERS: Final = re.compile(r"\b(?:base64|base64url|hex)\.decode\b")


def has_odd_letters(document: bytes) -> bool:
    """Some text, or an escape that may stand for one: JSON, or Rego. Text that is no UTF-8 has some."""
    if b"\\u" in document or b"\\U" in document:
        return True
    if document.isascii():
        return False
    try:
        return _ODD.search(document.decode()) is not None
    except UnicodeDecodeError:
        return True


def makes_letters(text: str) -> bool:
    """A policy that can make texts of bytes."""
    return _MAKERS.search(text) is not None
