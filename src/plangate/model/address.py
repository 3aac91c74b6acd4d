"""Resource addresses and the instance keys in them.

An address is a row of steps, each with an optional key: ``module.net["a"].aws_subnet.private[0]``. A *pattern* is the
same address with the last keys left out; it stands for every instance that it could be.
"""

import re
from functools import lru_cache
from typing import Final

_STEP: Final = re.compile(
    r'(?:^|\.)(data\.[^.\[]++\.[^.\[]++|[^.\[]++\.[^.\[]++)(\[(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\]"]*+)\])?',
    re.DOTALL,
)


def steps(address: str) -> list[tuple[str, str]]:
    """``(name, key)`` per step: ``("module.net", '["a"]')``, ``("aws_subnet.private", "[0]")``; no key is ``""``."""
    return [(match.group(1), match.group(2) or "") for match in _STEP.finditer(address)]


def joined(parts: list[tuple[str, str]]) -> str:
    """The address made of steps."""
    return ".".join(name + key for name, key in parts)


@lru_cache(maxsize=1 << 17)
def patterns(address: str) -> tuple[str, ...]:
    """The address and every pattern that covers it, the most specific one first, without repeats.

    Remembered, because parser, graph and document each ask for every address of a plan.
    """
    if "[" not in address:
        return (address,)
    parts = steps(address)
    found = [address]
    for index in range(len(parts) - 1, -1, -1):
        if parts[index][1]:
            parts[index] = (parts[index][0], "")
            found.append(joined(parts))
    return tuple(found)
