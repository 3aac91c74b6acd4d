"""What ``Fn::If`` gives while its condition is not known: what both branches agree on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plangate.model.values import ABSENT, UNKNOWN
from plangate.parsers.cloudformation.functions import is_same
from plangate.parsers.cloudformation.trace import MAYBE, Spot, Trace


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the two values, and what went into it."""

    value: Any
    trace: Trace


def merged(yes: Branch, no: Branch, spot: Spot, trace: Trace) -> Any:
    """The value of both, with `UNKNOWN` where they differ.

    Args:
        yes: One branch.
        no: The other one.
        spot: Where the value goes.
        trace: Gets the edges of both branches, none of them exact, and what is lost.
    """
    for branch in (yes, no):
        for edge in branch.trace.edges:
            trace.edges[edge] = False
        trace.lost |= branch.trace.lost
    return _merged(yes, no, spot, trace)


def _merged(yes: Branch, no: Branch, spot: Spot, trace: Trace) -> Any:
    one, other = yes.value, no.value
    if one is ABSENT and other is ABSENT:
        return ABSENT
    absent = (ABSENT, MAYBE)
    if one in absent or other in absent:
        trace.lost.add(spot.plain)
        return MAYBE
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        found = {}
        for key in (*one, *(key for key in other if key not in one)):
            sides = Branch(one.get(key, ABSENT), yes.trace), Branch(other.get(key, ABSENT), no.trace)
            value = _merged(*sides, spot.member(key), trace)
            found[key] = UNKNOWN if value is MAYBE else value
        return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            _merged(Branch(a, yes.trace), Branch(b, no.trace), spot.item(index), trace)
            for index, (a, b) in enumerate(zip(one, other, strict=True))
        ]
    if is_same(one, other):
        return one
    followed = all(
        branch.value is UNKNOWN and any(edge[0] == spot.plain for edge in branch.trace.edges)
        for branch in (yes, no)
    )
    if not followed:
        trace.lost.add(spot.plain)
    return UNKNOWN
