"""What is to be judged: read once, and parsed by the parser that its bytes ask for."""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from plangate.decision.document import Subject
from plangate.errors import UsageError
from plangate.model.plan import Plan, Source
from plangate.parsers.base import Documents, Input, Limits
from plangate.settings import Settings
from plangate.wiring.choices import Choices

if TYPE_CHECKING:
    from plangate.terraform_cli.tool import Tool

ZIP_MARK: Final = b"PK\x03\x04"
RECORDED_CHANGE_SET: Final = "cloudformation-recorded-change-set"
DOCUMENT_FORMAT: Final = "document"
"""What is no plan of any kind."""


class Document(Struct, frozen=True, kw_only=True):
    """What is to be judged, read once: the bytes that were hashed are the bytes that are parsed and run."""

    name: str
    path: Path | None
    data: bytes
    sha256: str


def read_document(name: str, limits: Limits, *, path: Path | None = None) -> Document:
    """The bytes of a plan, read once.

    Args:
        name: A path, or ``-`` for standard input.
        limits: Size limit.
        path: Where it is, if its name cannot be written as it is.

    Raises:
        UsageError: It cannot be read, or is not a file.
    """
    try:
        if name == "-":
            path, data = None, sys.stdin.buffer.read(limits.max_plan_bytes + 1)
        else:
            path = path or Path(name)
            if path.is_dir():
                raise UsageError(f"{name}: is a folder (expected a plan: tfplan, or its JSON)")
            with path.open("rb") as file:
                data = file.read(limits.max_plan_bytes + 1)
    except FileNotFoundError as error:
        raise UsageError(f"{name}: no such file") from error
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from error
    return Document(
        name="standard input" if path is None else name,
        path=path,
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def parse_document(
    document: Document,
    settings: Settings,
    choices: Choices,
    limits: Limits,
    shown: Callable[[bytes], None] | None = None,
) -> Plan:
    """The plan in a document: a saved plan through its own tool, or any other format.

    Args:
        document: What to parse.
        settings: Which tool reads saved plans.
        choices: What the command line says.
        limits: The parsers' limits.
        shown: Told the JSON of a saved plan.

    Raises:
        PlanParseError: None of them, or not one that we fully understand.
    """
    # Whatever is a zip archive is a saved plan, or refused as one.
    if document.data.startswith(ZIP_MARK):
        return _saved_plan(document, settings, choices, limits, shown)
    from plangate.parsers import formats  # noqa: PLC0415

    documents = formats.read_documents(input_of(document), limits)
    plan = parsed(documents, settings, choices, limits)
    if plan is None:
        raise formats.refuse(documents, limits)
    return plan


def parsed(documents: Documents, settings: Settings, choices: Choices, limits: Limits) -> Plan | None:
    """The plan in these documents, with what its parser cannot know by itself; ``None`` when they are none.

    Raises:
        PlanParseError: They are one, and not one that we fully understand.
    """
    from plangate.parsers import formats  # noqa: PLC0415

    plan = formats.parse(documents, choices.options, limits)
    if plan is None or plan.source.format != RECORDED_CHANGE_SET:
        return plan
    from plangate.wiring.change_sets import completed  # noqa: PLC0415

    return completed(plan, documents.values[0], settings.values.environment)


def bare_plan(document: Document) -> Plan:
    """A document that is no plan of any kind, as a plan without resources: for policies that judge it as it is."""
    return Plan(
        source=Source(
            name=document.name,
            format=DOCUMENT_FORMAT,
            format_version="",
            tool="",
            sha256=document.sha256,
            size=len(document.data),
            media_type=subject_of(document).media_type,
        ),
        complete=True,
        errored=False,
    )


def input_of(document: Document) -> Input:
    """A document as parsers take it."""
    return Input(name=document.name, data=document.data, sha256=document.sha256, size=len(document.data))


def subject_of(document: Document) -> Subject:
    """What a decision says of a document."""
    if document.data.startswith(ZIP_MARK):
        media_type = "application/vnd.plangate.terraform-plan"
    else:
        media_type = "application/json" if document.data[:64].lstrip()[:1] in b"{[" else "application/yaml"
    return Subject(
        name=document.name,
        sha256=document.sha256,
        size=len(document.data),
        media_type=media_type,
    )


def _saved_plan(
    document: Document,
    settings: Settings,
    choices: Choices,
    limits: Limits,
    shown: Callable[[bytes], None] | None,
) -> Plan:
    from plangate.executor.terraform_saved_plan import how_it_was_made  # noqa: PLC0415
    from plangate.parsers import terraform_plan, terraform_saved  # noqa: PLC0415

    making = how_it_was_made(document.data, max_bytes=limits.max_plan_bytes)
    source = terraform_saved.read_saved_plan(
        document.data,
        document.name,
        tool=terraform_tool(settings, document.data),
        working_dir=working_dir(document, choices),
        limits=limits,
        environ=os.environ,
    )
    plan = terraform_plan.parse(source, limits)
    if shown is not None:
        shown(source.data)
    # OpenTofu's JSON does not say that a plan with -target is incomplete; the plan itself does.
    return replace(plan, complete=False) if making is not None and making.targets else plan


def working_dir(document: Document, choices: Choices) -> Path:
    """Where the saved plan was made."""
    if choices.chdir is not None:
        return choices.chdir
    return Path.cwd() if document.path is None else document.path.absolute().parent


def terraform_tool(settings: Settings, data: bytes) -> "Tool | None":
    """The program that made a saved plan, if it says so, else terraform or tofu; ``None`` when there is none."""
    from plangate.parsers.terraform_saved import made_by  # noqa: PLC0415
    from plangate.terraform_cli.tool import find_terraform  # noqa: PLC0415

    return find_terraform(settings.values.terraform.binary, environ=os.environ, prefer=made_by(data))


def parse_follow_up(data: bytes, limits: Limits) -> Plan:
    """The plan that the executor made after apply."""
    from plangate.parsers import terraform_plan  # noqa: PLC0415

    source = Input(
        name="the plan after apply", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data)
    )
    return terraform_plan.parse(source, limits)
