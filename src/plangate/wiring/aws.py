"""Plans for AWS: made from a template, and what is needed to run them."""

import hashlib
import hmac
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from plangate import __version__
from plangate.audit.keys import redaction_key
from plangate.errors import UsageError
from plangate.model.aws_plan import AWS_PLAN_SCHEMA, AwsPlan, Template, decode_plan, encode_plan, is_aws_plan
from plangate.parsers.base import Limits, Options
from plangate.settings import Settings
from plangate.wiring.choices import AwsChoices, Choices, limits_of, settings_for
from plangate.wiring.documents import read_document
from plangate.wiring.session import Session, document_of
from plangate.wiring.state import state_folder

if TYPE_CHECKING:
    from plangate.executor.aws.clients import Aws
    from plangate.executor.aws.journal import Journal
    from plangate.executor.aws.planning import Desired, Kit


TOOL: Final = f"plangate {__version__}"
_CANONICAL: Final = msgspec.json.Encoder(order="deterministic", decimal_format="number")


def region_of(settings: Settings, choices: AwsChoices) -> str:
    """Where things are: flag, settings, or the AWS configuration.

    Raises:
        UsageError: Nobody says.
    """
    region = choices.region or settings.values.aws.region or os.environ.get("AWS_REGION")
    region = region or os.environ.get("AWS_DEFAULT_REGION") or ""
    if not region:
        raise UsageError("no region", hint="give --region, or set aws.region in plangate.yaml")
    return region


def connect(settings: Settings, choices: AwsChoices, region: str, session_policy: str = "") -> "Aws":
    """Connections to AWS."""
    from plangate.executor.aws.clients import Aws, Place  # noqa: PLC0415 - an extra

    values = settings.values.aws
    place = Place(
        region=region,
        profile=choices.profile or values.profile,
        role=choices.role or values.role,
        session_policy=session_policy,
    )
    return Aws(place)


def kit_for(aws: "Aws", region: str, hidden: Callable[[Any], str]) -> "Kit":
    """Connections, schemas and handlers for one region."""
    from plangate.executor.aws.handlers import handler_of  # noqa: PLC0415 - an extra
    from plangate.executor.aws.planning import Kit  # noqa: PLC0415
    from plangate.executor.aws.schemas import Schemas  # noqa: PLC0415

    schemas = Schemas(region)
    return Kit(
        aws=aws,
        schemas=schemas,
        handler=lambda type_name: handler_of(type_name, schemas),
        hidden_changed=lambda digest, value: digest != hidden(value),
    )


def hidden_by(key: bytes) -> Callable[[Any], str]:
    """Digests of values that AWS never tells, which say nothing without this key."""

    def digest(value: Any) -> str:
        return hmac.new(key, b"hidden\x00" + _CANONICAL.encode(value), hashlib.sha256).hexdigest()

    return digest


def evaluated(plan: AwsPlan, attributes: Mapping[str, Mapping[str, Any]], limits: Limits) -> "Desired":
    """The template of a plan, which reads what is known of resources from a mapping that fills."""
    from plangate.parsers.aws_plan import template_of  # noqa: PLC0415

    options = Options(parameters=plan.pseudo, attributes=attributes, zones=plan.zones)
    return template_of(plan.template.name, plan.template.text, options, limits)


@contextmanager
def opened_journal(folder: Path) -> "Iterator[Journal]":
    """The journal in a state folder."""
    from plangate.executor.aws.journal import Journal  # noqa: PLC0415

    with Journal(folder) as journal:
        yield journal


def make_plan(template: str | None, stack: str, choices: Choices, progress: Callable[[str], None]) -> AwsPlan:
    """Compare a template with what is there.

    Args:
        template: File, or ``-``; ``None`` for a plan that takes the whole stack down.
        stack: Name of the group of resources; empty for the file's own name.
        choices: Settings, environment, parameters, region and credentials.
        progress: Told what is going on.

    Raises:
        UsageError: The template asks for what cannot be done.
        PlanParseError: It is no template.
        ExecutionError: AWS cannot be asked.
    """
    settings = settings_for(choices)
    limits = limits_of(settings)
    written = Template(name="", sha256=hashlib.sha256(b"").hexdigest(), text="")
    if template is not None:
        document = read_document(template, limits)
        stack = stack or Path(template).stem
        if not document.data:
            raise UsageError(f"{document.name}: empty (expected a template)")
        try:
            text = document.data.decode()
        except UnicodeDecodeError as error:
            raise UsageError(f"{document.name}: not UTF-8") from error
        written = Template(name=document.name, sha256=document.sha256, text=text)
    _refuse_name(stack)
    region = region_of(settings, choices.aws)
    aws = connect(settings, choices.aws, region)
    plan = AwsPlan(
        schema=AWS_PLAN_SCHEMA,
        environment=settings.values.environment,
        stack=stack,
        account=aws.account,
        region=region,
        tool=TOOL,
        template=written,
        parameters=dict(choices.options.parameters),
        zones={region: _zones(aws)},
        changes=(),
    )
    folder = state_folder(settings, choices)
    hidden = hidden_by(redaction_key(folder).secret)
    with opened_journal(folder) as journal:
        return compared(plan, journal, kit_for(aws, region, hidden), limits, progress)


def compared(
    plan: AwsPlan,
    journal: "Journal",
    kit: "Kit",
    limits: Limits,
    progress: Callable[[str], None],
) -> AwsPlan:
    """A plan with the changes that are needed now."""
    from plangate.executor.aws.base import Owner  # noqa: PLC0415 - an extra
    from plangate.executor.aws.clients import asked, is_of_aws  # noqa: PLC0415
    from plangate.executor.aws.planning import make_changes  # noqa: PLC0415
    from plangate.executor.aws.steps import tasks_of  # noqa: PLC0415

    owner = Owner(environment=plan.environment, stack=plan.stack)
    attributes: dict[str, Mapping[str, Any]] = {}
    progress("reading the template")
    desired: Desired = evaluated(plan, attributes, limits)
    progress("looking at what is there")
    try:
        changes = make_changes(desired, attributes, owner, journal.known(owner), kit)
    except Exception as error:
        if is_of_aws(error):
            raise asked(error) from error
        raise
    tasks_of(changes)
    return msgspec.structs.replace(plan, changes=changes)


def _zones(aws: "Aws") -> tuple[str, ...]:
    said = aws.client("ec2").describe_availability_zones(
        Filters=[{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}]
    )
    return tuple(sorted(each["ZoneName"] for each in said["AvailabilityZones"]))


def _refuse_name(stack: str) -> None:
    if not stack.replace("-", "").isalnum() or not stack.isascii() or len(stack) > 100:  # noqa: PLR2004
        raise UsageError(
            f"stack {stack[:100]!r}: a name has letters, digits and hyphens, up to 100 of them",
            hint="give one with --stack",
        )


def needed_policy(source: str, choices: Choices, *, session: bool) -> Mapping[str, Any]:
    """The IAM policy that a plan needs, or everything that is done with a template.

    Args:
        source: File of a plan or of a template.
        choices: Parameters and region.
        session: It has to be short enough for a session policy.

    Raises:
        UsageError: It is neither, or the policy cannot be short enough.
    """
    from plangate.executor.aws.permissions import (  # noqa: PLC0415 - an extra
        MAX_SESSION_POLICY_CHARS,
        actions_of,
        permissions_of,
        policy_document,
    )
    from plangate.executor.aws.schemas import Schemas  # noqa: PLC0415
    from plangate.parsers.aws_plan import template_of  # noqa: PLC0415

    settings = settings_for(choices)
    limits = limits_of(settings)
    document = read_document(source, limits)
    if is_aws_plan(document.data):
        try:
            plan = decode_plan(document.data)
        except ValueError as error:
            raise UsageError(f"{document.name}: not a plan for AWS: {error}") from error
        region, schemas = plan.region, Schemas(plan.region)
        actions = actions_of(plan.changes, schemas)
    else:
        region = region_of(settings, choices.aws)
        schemas = Schemas(region)
        options = Options(parameters={**choices.options.parameters, "AWS::Region": region})
        template = template_of(document.name, document.data.decode(errors="replace"), options, limits)
        every = ("create", "read", "update", "delete")
        types = {template.resource(name).type for name in template.names}
        actions = frozenset().union(
            {"sts:GetCallerIdentity", "ec2:DescribeAvailabilityZones", "tag:GetResources"},
            *(permissions_of(each, every, schemas) for each in types),
        )
    return policy_document(actions, region, MAX_SESSION_POLICY_CHARS if session else 0)


@contextmanager
def written_plan(data: bytes, choices: Choices) -> Iterator[Path]:
    """A plan in a file of the state folder that only its owner reads, for as long as it is needed."""
    folder = state_folder(settings_for(choices), choices)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="plan-", suffix=".json", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def rollback_of(session: Session, choices: Choices) -> bytes | None:
    """A plan that takes back what the run of a session's plan made; ``None`` when it made nothing that may go.

    What holds data stays, and so does what was there before.

    Raises:
        ExecutionError: AWS cannot be asked.
    """
    from plangate.executor.aws.rollback import rollback_changes  # noqa: PLC0415 - an extra

    plan = decode_plan(document_of(session).data)
    aws = connect(session.settings, choices.aws, plan.region)
    hidden = hidden_by(session.state.redaction.secret)
    with opened_journal(session.state.folder) as journal:
        changes = rollback_changes(
            plan, document_of(session).sha256, journal, kit_for(aws, plan.region, hidden)
        )
    if not changes:
        return None
    empty = Template(name="", sha256=hashlib.sha256(b"").hexdigest(), text="")
    return encode_plan(
        msgspec.structs.replace(plan, changes=changes, template=empty, parameters={}, rollback=True)
    )


def standing(choices: Choices) -> list[tuple[str, dict[str, int], list[str]]]:
    """The stacks of an environment as the journal has them: name, resources by type, runs that were cut off."""
    settings = settings_for(choices)
    environment = settings.values.environment
    from plangate.executor.aws.base import Owner  # noqa: PLC0415 - an extra

    with opened_journal(state_folder(settings, choices)) as journal:
        runs = journal.runs(environment)
        names = sorted({*journal.stacks(environment), *(row.owner.stack for row in runs)})
        found = []
        for name in names:
            owner = Owner(environment=environment, stack=name)
            counts = Counter(known.type for known in journal.known(owner))
            newest = next((row for row in runs if row.owner == owner), None)
            open_ = [newest.plan] if newest is not None and newest.cut_off else []
            found.append((name, dict(sorted(counts.items())), open_))
        return found
