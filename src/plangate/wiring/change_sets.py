"""Change sets of CloudFormation: made in AWS, and judged with the schemas of their types."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct, field

from plangate.errors import ExecutionError, PlanParseError, UsageError
from plangate.model.plan import Plan
from plangate.parsers.base import Input, Limits
from plangate.wiring.aws import connect, region_of
from plangate.wiring.choices import Choices, limits_of, settings_for
from plangate.wiring.documents import Document, input_of, read_document

if TYPE_CHECKING:
    from plangate.executor.aws.clients import Aws
    from plangate.executor.change_set.describing import Describer
    from plangate.executor.change_set.recorded import RecordedChangeSet

MAX_TIMEOUT_S: Final = 24 * 3600
_MAX_PARAMETER_BYTES: Final = 1024 * 1024


class ChangeSetRequest(Struct, frozen=True, kw_only=True):
    """What ``plangate change-set create`` is asked for.

    Attributes:
        template: File.
        stack: Name.
        parameter_file: JSON: an object of names and values, or the list that the AWS command line takes.
        capabilities: E.g. ``CAPABILITY_IAM``.
        tags: Of the stack.
        role: ARN of the role that CloudFormation works as; empty for none.
        timeout_s: Seconds until it has to be ready.
        template_bucket: Name of a bucket for a template that is too big to be sent; empty for none.
        notice: Told what could not be taken out of the bucket again.
    """

    template: str
    stack: str
    parameter_file: Path | None = None
    capabilities: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
    timeout_s: float = 900.0
    template_bucket: str = ""
    notice: Callable[[str], None] = lambda _: None


def make_change_set(
    request: ChangeSetRequest, choices: Choices, progress: Callable[[str], None]
) -> "RecordedChangeSet | None":
    """Make a change set in AWS and record it; ``None`` when there is nothing to change.

    Raises:
        UsageError: Something that was asked for makes no sense, or boto3 is not installed.
        CannotDecideError: AWS refused it, or the template cannot be read.
        ExecutionError: AWS cannot be used.
    """
    from plangate.executor.change_set.creating import Waiting, Wanted, create  # noqa: PLC0415 - an extra
    from plangate.executor.change_set.template_bucket import TemplateBucket  # noqa: PLC0415

    if not 1 <= request.timeout_s <= MAX_TIMEOUT_S:  # also when it is no number
        raise UsageError(f"--timeout {request.timeout_s} (expected 1 to {MAX_TIMEOUT_S} seconds)")
    settings = settings_for(choices)
    limits = limits_of(settings)
    document = read_document(request.template, limits)
    template = _template_of(document, limits)
    try:
        text = document.data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{document.name}: not UTF-8, which is what CloudFormation takes") from error
    given = _from_file(request.parameter_file) | dict(choices.options.parameters)
    aws = connect(settings, choices.aws, region_of(settings, choices.aws))
    describer = describer_for(aws, settings.values.environment, limits)
    bucket = None
    if request.template_bucket:
        bucket = TemplateBucket(
            client=aws.client("s3"), name=request.template_bucket, account=aws.account, notice=request.notice
        )
    progress(f"making a change set of stack {request.stack}")
    return create(
        describer,
        Wanted(
            stack=request.stack,
            text=text,
            template=template,
            parameters=given,
            capabilities=request.capabilities,
            tags=request.tags,
            role=request.role,
            token=f"plangate-{os.urandom(16).hex()}",
        ),
        Waiting(timeout_s=request.timeout_s),
        bucket,
    )


def describer_for(aws: "Aws", environment: str, limits: Limits) -> "Describer":
    """What reads change sets and stacks."""
    from plangate.executor.change_set.describing import Describer  # noqa: PLC0415 - an extra

    def read_template(text: str) -> Mapping[str, Any]:
        data = text.encode("utf-8", "surrogatepass")
        source = Input(name="the template that AWS has", data=data, sha256="", size=len(data))
        return _template(source, limits)

    return Describer(
        aws.client("cloudformation"),
        region=aws.place.region,
        environment=environment,
        read_template=read_template,
    )


def completed(plan: Plan, root: Mapping[str, Any], environment: str) -> Plan:
    """A recorded change set as a plan, with the replacements that follow from the schemas of its types.

    Args:
        plan: What the parser read.
        root: The document.
        environment: Where it is judged for.

    Raises:
        PlanParseError: It was made for another environment, or there are no schemas.
    """
    from plangate.parsers.cloudformation.replacements import with_schemas  # noqa: PLC0415

    name = plan.source.name
    made_for = root.get("environment")
    if made_for != environment:
        raise PlanParseError(
            name,
            f"made for the environment {str(made_for)[:100]!r}, judged for {environment[:100]!r}",
            at="/environment",
            hint=f"--environment {str(made_for)[:100]}",
        )
    try:
        return with_schemas(plan, root["described"], create_only_of(str(root.get("region"))))
    except (UsageError, ExecutionError) as error:
        raise PlanParseError(name, str(error), hint=error.hint) from error


def create_only_of(region: str) -> Callable[[str], frozenset[str] | None]:
    """What gives, for a resource type, JSON Pointers of the properties whose change may replace a resource.

    It gives ``None`` for a type that the region does not have.

    Raises:
        UsageError: There are no schemas, or not of this region; also what it gives may raise this.
        ExecutionError: The schemas cannot be read.
    """
    from plangate.executor.aws.schemas import Schemas  # noqa: PLC0415 - only for change sets

    schemas = Schemas(region)

    def create_only(type_name: str) -> frozenset[str] | None:
        schema = schemas.of(type_name)
        return None if schema is None else schema.create_only | schema.conditional_create_only

    return create_only


def _template_of(document: Document, limits: Limits) -> Mapping[str, Any]:
    return _template(input_of(document), limits)


def _template(source: Input, limits: Limits) -> Mapping[str, Any]:
    """A template as a value with long forms.

    Raises:
        PlanParseError: Not one template.
    """
    from plangate.parsers import formats  # noqa: PLC0415

    documents = formats.read_documents(source, limits)
    found = formats.format_of(documents)
    if found is None or found.id != "cloudformation" or len(documents.values) != 1:
        raise PlanParseError(source.name, "not a CloudFormation template")
    for tag, (line, column) in documents.tags.items():
        if tag not in found.tags:
            raise PlanParseError(
                source.name, f"the tag {tag} means nothing in it", at=f"line {line} column {column}"
            )
    template: Mapping[str, Any] = documents.values[0]
    return template


def _from_file(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_PARAMETER_BYTES)
        return msgspec.json.decode(data, type=dict[str, str])
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.DecodeError:
        pass
    try:
        listed = msgspec.json.decode(data, type=list[_Parameter])
    except msgspec.DecodeError as error:
        # NOTE: the error could repeat a value.
        raise UsageError(f"{path}: expected an object of parameter names and texts, as JSON") from error
    return {each.ParameterKey: each.ParameterValue for each in listed}


class _Parameter(Struct, frozen=True):
    ParameterKey: str
    ParameterValue: str
