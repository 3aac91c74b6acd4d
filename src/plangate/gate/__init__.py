"""The one road: bytes → plan → outcomes → decision → log → receipt, and from an allow to the executor.

Every entry point calls `check` and `execute`; a rule that holds in one holds in all. Nothing here knows a concrete
parser, engine, store or executor: `Gate` carries them.
"""

from plangate.gate.execution import Execution, execute
from plangate.gate.judging import canonical_sha256, check, encode_plan, judge_input, recorded, weigh
from plangate.gate.obligations import CheckedObligation
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
    "CheckedObligation",
    "Decision",
    "Execution",
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
    "execute",
    "judge_input",
    "recorded",
    "weigh",
]
