"""What a parser is: bytes in, `plangate.model.plan.Plan` out, or `PlanParseError`. One file here per format.

A parser never opens what a document names, and never returns less than it understood: an input that is not fully
understood is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass

from plangate.model.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a hostile input may cost at most. Every limit is a setting (``limits`` in ``plangate.yaml``).

    Attributes:
        max_plan_bytes: Size of one input, before and after decoding or unpacking.
        max_depth: Nesting of objects and lists.
        max_number_digits: Digits of one number.
        max_resources: Entries in one plan.
        show_timeout_s: Seconds that ``terraform show`` may take.
    """

    max_plan_bytes: int = 256 * 1024 * 1024
    max_depth: int = 120
    max_number_digits: int = 1000
    max_resources: int = 200_000
    show_timeout_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One document to parse.

    Attributes:
        name: As the user gave it; for messages only.
        data: The JSON text's bytes (for a saved plan: what ``show -json`` said).
        sha256: Hex digest of what was handed in, which for a saved plan is the binary and not ``data``.
        size: Bytes handed in.
        media_type: Of what was handed in.
    """

    name: str
    data: bytes
    sha256: str
    size: int
    media_type: str = "application/json"


Parse = Callable[[Input, Limits], Plan]
