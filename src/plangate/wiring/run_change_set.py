"""Runs recorded change sets of CloudFormation."""

import re
from typing import Final

from plangate.errors import UsageError
from plangate.wiring.choices import Choices
from plangate.wiring.documents import Document
from plangate.wiring.executors import Means
from plangate.wiring.session import Session

_REGION: Final = re.compile(r"[a-z0-9-]{1,40}")
_BEGINNING: Final = re.compile(rb'\s{0,64}\{\s{0,64}"change_set"')


def fits(document: Document) -> bool:
    """Documents of ``plangate change-set create``, which begin with the change set's ARN."""
    return _BEGINNING.match(document.data) is not None


def means(session: Session, document: Document, choices: Choices) -> Means:
    """With boto3, in the region where the change set is.

    Raises:
        UsageError: Not a recorded change set, or boto3 is not installed.
    """
    import msgspec  # noqa: PLC0415

    from plangate.executor.change_set.creating import Waiting  # noqa: PLC0415 - an extra
    from plangate.executor.change_set.executor import ChangeSetExecutor  # noqa: PLC0415
    from plangate.executor.change_set.read_back import RealResources  # noqa: PLC0415
    from plangate.executor.change_set.recorded import decode  # noqa: PLC0415
    from plangate.parsers.cloudformation.read_back import parse_read_back  # noqa: PLC0415
    from plangate.wiring.aws import connect  # noqa: PLC0415
    from plangate.wiring.change_sets import describer_for  # noqa: PLC0415

    try:
        recorded = decode(document.data)
    except msgspec.DecodeError as error:
        raise UsageError(
            f"{document.name}: not a recorded change set", hint="plangate change-set create makes one"
        ) from error
    environment = session.run.environment
    if recorded.environment != environment:
        raise UsageError(
            f"{document.name}: made for the environment {recorded.environment[:100]!r}, not for {environment!r}",
            hint=f"--environment {recorded.environment[:100]}",
        )
    if recorded.change_set.split(":")[3:4] != [recorded.region] or not _REGION.fullmatch(recorded.region):
        raise UsageError(f"{document.name}: the change set is not in the region that the document names")
    aws = connect(session.settings, choices.aws, recorded.region)
    executor = ChangeSetExecutor(
        describer=describer_for(aws, environment, session.limits),
        read_back=RealResources(aws),
        waiting=Waiting(timeout_s=session.settings.values.limits.apply_timeout_s),
    )
    return Means(
        name="change_set",
        executor=executor,
        follow_up=lambda data: parse_read_back(data, session.limits),
    )
