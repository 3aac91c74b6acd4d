"""The decision document itself, ``plangate.dev/decision/v1``."""

from collections.abc import Mapping
from typing import Any

import msgspec

from plangate.report.base import Style


def render(decision: Mapping[str, Any], style: Style) -> str:
    """Indented JSON with a final newline; the style changes nothing."""
    del style
    return msgspec.json.format(msgspec.json.encode(decision), indent=2).decode() + "\n"
