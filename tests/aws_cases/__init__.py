"""Cases for the contract of handlers: one file for each file of handlers."""

from typing import Final

from tests.aws_cases import (
    autoscaling,
    gateways,
    instance,
    launch_template,
    routes,
    security_groups,
    subnet,
    volumes,
    vpc,
)
from tests.aws_cases.base import Case

__all__ = ["CASES", "Case"]

CASES: Final[tuple[Case, ...]] = (
    *autoscaling.CASES,
    *gateways.CASES,
    *instance.CASES,
    *launch_template.CASES,
    *routes.CASES,
    *security_groups.CASES,
    *subnet.CASES,
    *volumes.CASES,
    *vpc.CASES,
)
