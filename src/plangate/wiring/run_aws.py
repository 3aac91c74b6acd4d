"""Runs plans of ``plangate plan``."""

from plangate.errors import UsageError
from plangate.model.aws_plan import AwsPlan, decode_plan, is_aws_plan
from plangate.model.plan import Plan
from plangate.model.prior import prior_plan
from plangate.parsers.base import Limits
from plangate.wiring.aws import TOOL, connect, evaluated, hidden_by, kit_for
from plangate.wiring.choices import Choices
from plangate.wiring.documents import Document, input_of
from plangate.wiring.executors import Means
from plangate.wiring.session import Session


def fits(document: Document) -> bool:
    """Documents that say so."""
    return is_aws_plan(document.data)


def means(session: Session, document: Document, choices: Choices) -> Means:
    """With boto3, in the plan's region.

    Raises:
        UsageError: Not such a plan, for another environment, or boto3 is not installed.
        ExecutionError: The journal cannot be opened.
    """
    from plangate.executor.aws.executor import AwsExecutor, AwsOptions  # noqa: PLC0415 - an extra
    from plangate.executor.aws.journal import Journal  # noqa: PLC0415
    from plangate.executor.aws.locks import BucketLock, FileLock, Lock  # noqa: PLC0415

    try:
        plan = decode_plan(document.data)
    except ValueError as error:
        raise UsageError(f"{document.name}: not a plan for AWS: {error}") from error
    environment = session.run.environment
    if plan.environment != environment:
        raise UsageError(
            f"{document.name}: made for the environment {plan.environment[:100]!r}, not for {environment!r}",
            hint=f"--environment {plan.environment[:100]}",
        )
    chosen, settings, limits = choices.aws, session.settings, session.limits
    aws = connect(settings, chosen, plan.region, _session_policy(plan) if chosen.role else "")
    hidden = hidden_by(session.state.redaction.secret)
    bucket = settings.values.aws.lock_bucket
    folder = session.state.folder
    lock: Lock = BucketLock(aws, bucket) if bucket else FileLock(folder)
    executor = AwsExecutor(
        kit=kit_for(aws, plan.region, hidden),
        journal=Journal(folder),
        lock=lock,
        evaluate=lambda read, attributes: evaluated(read, attributes, limits),
        hidden=hidden,
        options=AwsOptions(
            workers=chosen.workers or settings.values.aws.workers,
            lock_wait_s=chosen.lock_timeout_s,
            resume=chosen.resume,
        ),
        tool=TOOL,
    )
    return Means(
        name="aws",
        executor=executor,
        follow_up=lambda data: _as_found(data, limits),
        repeatable=True,
        quarantine=lambda address: executor.shut_off(plan, address),
    )


def _session_policy(plan: AwsPlan) -> str:
    """What credentials of a role can do at most: what was approved, and little else."""
    from plangate.executor.aws.permissions import (  # noqa: PLC0415 - an extra
        MAX_SESSION_POLICY_CHARS,
        actions_of,
        compact,
        policy_document,
    )
    from plangate.executor.aws.schemas import Schemas  # noqa: PLC0415

    actions = actions_of(plan.changes, Schemas(plan.region))
    return compact(policy_document(actions, plan.region, MAX_SESSION_POLICY_CHARS))


def _as_found(data: bytes, limits: Limits) -> Plan:
    """A new plan says how resources were found (before) and how they are wanted (after): what counts is the first."""
    import hashlib  # noqa: PLC0415

    from plangate.parsers import formats  # noqa: PLC0415
    from plangate.parsers.base import Options  # noqa: PLC0415

    sha256 = hashlib.sha256(data).hexdigest()
    source = input_of(Document(name="the plan after apply", path=None, data=data, sha256=sha256))
    plan = formats.parse(formats.read_documents(source, limits), Options(), limits)
    if plan is None:
        raise UsageError("the plan after apply is none")
    return prior_plan(plan)
