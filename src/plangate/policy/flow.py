"""Stub: every rule reads everything."""

from plangate.policy.program import Program
from plangate.policy.reads import EVERYTHING, Reads


def rule_reads(program: Program, package: tuple[str, ...], *, handles_unknowns: bool) -> Reads:
    """Everything."""
    return EVERYTHING
