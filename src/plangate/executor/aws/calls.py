"""Calls of AWS's operations with values of a template."""

from typing import Any

from plangate.executor.aws.arguments import fitting
from plangate.executor.aws.clients import Aws


def call(aws: Aws, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
    """AWS's answer.

    Args:
        aws: Connections.
        service: As boto3 names it, e.g. ``ec2``.
        operation: As AWS names it, e.g. ``CreateSubnet``.
        arguments: As AWS names them; texts of numbers and truths become those where AWS wants them.
    """
    from botocore import xform_name  # noqa: PLC0415

    client = aws.client(service)
    answer: dict[str, Any] = getattr(client, xform_name(operation))(**fitting(client, operation, arguments))
    return answer
