"""Cases for the contract of handlers: one file for each file of handlers."""

from typing import Final

from tests.aws_cases import gateways, routes, security_groups, subnet, vpc
from tests.aws_cases.base import Case

__all__ = ["CASES", "Case"]

CASES: Final[tuple[Case, ...]] = (
    *gateways.CASES,
    *routes.CASES,
    *security_groups.CASES,
    *subnet.CASES,
    *vpc.CASES,
)
