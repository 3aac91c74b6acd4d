"""Names of resources whose templates give them none, and what can be told from them."""

import re
from typing import Final

from plangate.executor.aws.base import Mark

_TOKEN: Final = 12
"""Hex digits of the token that a name ends in."""


def generated_name(mark: Mark, limit: int, *, lower: bool = False, ending: str = "") -> str:
    """A name that no other creation makes: stack, logical id and part of the token, joined by hyphens.

    It starts with a letter and has letters, digits and single hyphens only, which every service takes.

    Args:
        mark: Of the creation.
        limit: Longest name that the service takes.
        lower: The service takes no capital letters.
        ending: What the name has to end in, e.g. ``.fifo``.
    """
    tail = f"-{mark.token[:_TOKEN]}{ending}"
    start = re.sub(r"[^A-Za-z0-9]+", "-", f"{mark.owner.stack}-{mark.logical_id}").strip("-")
    if not start[:1].isalpha():
        start = f"r-{start}".rstrip("-")
    name = start[: limit - len(tail)].rstrip("-") + tail
    return name.lower() if lower else name
