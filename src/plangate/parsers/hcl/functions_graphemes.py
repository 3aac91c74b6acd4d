"""What Terraform counts as one character: a grapheme cluster, which may be several code points.

Only for scripts and symbols where every code point certainly is a cluster of its own; for others the answer is that
it is not known. Python has no tables of clusters, and a wrong count would be a wrong length.

Source: https://unicode.org/reports/tr29/
"""

import re
import unicodedata
from typing import Final

# Letters, digits and signs that neither join with a neighbour nor change how it is split.
_ALONE: Final = (
    (0x00A1, 0x00AC),
    (0x00AE, 0x02FF),
    (0x0370, 0x0482),
    (0x048A, 0x0556),
    (0x0561, 0x0587),
    (0x05D0, 0x05EA),
    (0x1E00, 0x1FFE),
    (0x2010, 0x2027),
    (0x2030, 0x205E),
    (0x20A0, 0x20C0),
    (0x2100, 0x218B),
    (0x2190, 0x2BFF),
    (0x3001, 0x3029),
    (0x3041, 0x3096),
    (0x30A0, 0x30FF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0x1F300, 0x1F3FA),
    (0x1F400, 0x1F64F),
    (0x1F680, 0x1F6FF),
)
_ASCII_CLUSTER: Final = re.compile(r"\r\n|.", re.DOTALL)


def clusters(text: str) -> list[str] | None:
    """The text's characters as Terraform counts them, or None where that is not certain."""
    if not text.isascii() and not all(map(_stands_alone, set(text))):
        return None
    return _ASCII_CLUSTER.findall(text) if "\r\n" in text else list(text)


def _stands_alone(character: str) -> bool:
    code = ord(character)
    return character.isascii() or (
        any(first <= code <= last for first, last in _ALONE) and unicodedata.category(character)[0] in "LNPSZ"
    )
