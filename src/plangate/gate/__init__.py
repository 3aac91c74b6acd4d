"""The one road: bytes → plan → outcomes → decision → log → receipt, and from an allow to the executor.

Every entry point calls `check` and `execution.execute`; a rule that holds in one holds in all. Nothing here knows a
concrete parser, engine, store or executor: `Gate` carries them.
"""

from plangate.gate.judging import canonical_sha256, check, encode_plan, judge_input, recorded, weigh
from plangate.gate.parts import (
    Decision,
    Gate,
    Judge,
    JudgedInput,
    Judging,
    PlanInput,
    RawJudge,
    RawSaid,
    Run,
    Said,
    Unrecorded,
    Weighing,
)

__all__ = [
    "Decision",
    "Gate",
    "Judge",
    "JudgedInput",
    "Judging",
    "PlanInput",
    "RawJudge",
    "RawSaid",
    "Run",
    "Said",
    "Unrecorded",
    "Weighing",
    "canonical_sha256",
    "check",
    "encode_plan",
    "judge_input",
    "recorded",
    "weigh",
]
