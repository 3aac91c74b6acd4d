"""Conftest's own report, ``conftest test --output json``: for whatever reads that already.

It holds what the conftest policies found and nothing else: what other rules said, and whether the gate allows, is in
the exit code and in the other formats.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

_ESCAPED: Final = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})
"""What Go's encoder writes as numbers. None of them stands outside of texts."""


def render(results: Sequence[Mapping[str, Any]]) -> str:
    """The report with a final newline: indented with tabs, in the order of the results."""
    text = json.dumps(list(results), indent="\t", ensure_ascii=False) if results else "[]"
    return text.translate(_ESCAPED) + "\n"
