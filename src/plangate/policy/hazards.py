"""Stub."""

from plangate.policy.parse import prepare
from plangate.policy.program import Program


def check_program(program: Program) -> None:
    """Nothing yet."""
    prepare(program.modules)
