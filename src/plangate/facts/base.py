"""What an adapter is: it turns one native type into a kind and its facts. Pure functions, no I/O.

An adapter gives every fact of its kind (`plangate.model.kinds`). Defaults are applied where the provider documents
them, with the link beside the code; what nobody documents is `UNKNOWN`, never a guess.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from plangate.model.graph import Graph
from plangate.model.plan import Resource

Values = Mapping[str, Any]
"""Attribute values with `UNKNOWN` leaves: ``planned``, or ``before`` for a resource that goes."""

Adapt = Callable[[Resource, Values, Graph], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """How one native type is normalized.

    Attributes:
        kind: The kind it becomes.
        adapt: Resource, its values, the plan's graph → all facts of the kind.
        docs: Provider documentation that it follows.
    """

    kind: str
    adapt: Adapt
    docs: str
