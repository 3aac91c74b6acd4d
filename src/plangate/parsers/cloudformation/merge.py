"""What ``Fn::If`` gives while its condition is not known: what both branches agree on."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from plangate.model.values import ABSENT, UNKNOWN
from plangate.parsers.cloudformation.functions import is_same
from plangate.parsers.cloudformation.trace import MAYBE, Spot, Trace


class Branch(Struct, frozen=True):
    """One of the two values, and what went into it."""

    value: Any
    trace: Trace


class _Side(Struct, frozen=True):
    """A part of a branch, with the plain pointers at which the branch has edges."""

    value: Any
    followed: frozenset[str]


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
    one, other = (
        _Side(branch.value, frozenset(edge[0] for edge in branch.trace.edges)) for branch in (yes, no)
    )
    return _merged(one, other, spot, trace)


def _merged(yes: _Side, no: _Side, spot: Spot, trace: Trace) -> Any:
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
            sides = _Side(one.get(key, ABSENT), yes.followed), _Side(other.get(key, ABSENT), no.followed)
            value = _merged(*sides, spot.member(key), trace)
            found[key] = UNKNOWN if value is MAYBE else value
        return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            _merged(_Side(a, yes.followed), _Side(b, no.followed), spot.item(index), trace)
            for index, (a, b) in enumerate(zip(one, other, strict=True))
        ]
    if is_same(one, other):
        return one
    if not all(side.value is UNKNOWN and spot.plain in side.followed for side in (yes, no)):
        trace.lost.add(spot.plain)
    return UNKNOWN
