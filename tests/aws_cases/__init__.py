"""Cases for the contract of handlers: one file for each file of handlers."""

from typing import Final

from tests.aws_cases import iam, kms, logs, rds, s3, vpc
from tests.aws_cases.base import Case

__all__ = ["CASES", "Case"]

CASES: Final[tuple[Case, ...]] = (
    *iam.CASES,
    *kms.CASES,
    *logs.CASES,
    *rds.CASES,
    *s3.CASES,
    *vpc.CASES,
)
