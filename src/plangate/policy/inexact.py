"""Which values of a plan the embedded engine would not calculate with, for the message of a rule that failed over one.

A guard (`plangate.policy.exactness`) knows where the policy calculates and of which class the value was, and not where
it came from. This looks for values of that class among what the rule can read. Only their places are told.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from plangate.model.plan import Plan
from plangate.policy.exactness import DECIMAL, LARGE
from plangate.policy.reads import Path, Reads

_MOST_NAMED: Final = 5
_MOST_WHOLE: Final = 1 << 53


def with_places(error: str, plan: Plan, reads: Reads) -> str:
    """An error of a rule, and the values that may be its cause: ``aws_volume.x: after.size``, the first few."""
    is_decimal = DECIMAL in error
    if not is_decimal and LARGE not in error:
        return error
    found: list[str] = []
    for address, path in _places(plan, reads, decimals=is_decimal):
        if len(found) == _MOST_NAMED:
            found.append("…")
            break
        found.append(f"{address}: {'.'.join(path)}")
    return f"{error}; the rule can read: {', '.join(found)}" if found else error


def _places(plan: Plan, reads: Reads, *, decimals: bool) -> Iterator[tuple[str, Path]]:
    by_kind = dict(reads.others)
    for resource in plan.resources:
        read = (reads.own, by_kind.get("", frozenset()), by_kind.get(resource.kind, frozenset()))
        for top, value in (("after", resource.after), ("facts", resource.facts), ("before", resource.before)):
            for path in _leaves(value, (top,), decimals=decimals):
                # What was before is always known, so nobody notes who reads it.
                if top == "before" or any(each.touches(path) for reads in read for each in reads):
                    yield resource.address, path


def _leaves(value: Any, path: Path, *, decimals: bool) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)), decimals=decimals)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _leaves(item, (*path, str(number)), decimals=decimals)
    elif isinstance(value, Decimal | int) and not isinstance(value, bool):
        is_whole = not value % 1
        if (decimals and not is_whole) or (
            not decimals and is_whole and not -_MOST_WHOLE <= value <= _MOST_WHOLE
        ):
            yield path
