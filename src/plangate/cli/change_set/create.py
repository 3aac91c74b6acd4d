"""``plangate change-set create``: a change set of a stack, made in AWS and recorded in a file."""

from pathlib import Path
from typing import Annotated

import typer

from plangate.cli import options, streams


def create(
    template: Annotated[str, typer.Argument(help="CloudFormation template, JSON or YAML.")],
    *,
    stack: Annotated[str, typer.Option("--stack", help="Name of the stack, which may be a new one.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; it must not be there yet.")],
    environment: options.Environment = None,
    parameters: options.Parameters = None,
    parameter_file: Annotated[
        Path | None,
        typer.Option(
            "--parameter-file",
            help="Parameters as JSON, which keeps secret ones off the command line. --parameters win.",
        ),
    ] = None,
    capability: Annotated[
        list[str] | None, typer.Option("--capability", help="E.g. CAPABILITY_NAMED_IAM. Repeatable.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="Tag of the stack. Repeatable.")
    ] = None,
    role: Annotated[
        str, typer.Option("--role-arn", help="Role that CloudFormation works as. [default: yours]")
    ] = "",
    template_bucket: Annotated[
        str,
        typer.Option(
            "--template-bucket",
            metavar="BUCKET",
            help="Bucket of your account through which a template of more than 51,200 bytes goes; it is deleted there"
            " afterwards.",
        ),
    ] = "",
    region: options.Region = "",
    aws_profile: options.AwsProfile = "",
    assume_role: options.AssumeRole = "",
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds until it has to be ready.")] = 900.0,
    config: options.Config = None,
) -> int:
    """Make a change set in AWS and record it. Nothing is changed by that; a stack that is already so is said to be."""
    from msgspec.structs import replace

    from plangate import wiring
    from plangate.audit.private_files import create as create_file
    from plangate.cli.progress import Progress
    from plangate.errors import UsageError
    from plangate.wiring.change_sets import ChangeSetRequest, make_change_set

    if out.exists() or out.is_symlink():
        raise UsageError(f"{out}: there already", hint="--out names a new file")
    if not out.parent.is_dir():
        raise UsageError(f"{out}: {out.parent} is no folder")
    choices = wiring.Choices(
        config=config,
        environment=environment,
        options=options.said(None, None, parameters),
        aws=wiring.AwsChoices(region=region, profile=aws_profile, role=assume_role),
    )
    request = ChangeSetRequest(
        template=template,
        stack=stack,
        parameter_file=parameter_file,
        capabilities=tuple(capability or ()),
        tags=options.pairs("--tag", tag or ()),
        role=role,
        timeout_s=timeout,
        template_bucket=template_bucket,
    )
    with Progress() as progress:
        recorded = make_change_set(replace(request, notice=progress.say), choices, progress)
    if recorded is None:
        streams.tell(f"stack {stack}: nothing to change, and nothing written\n")
        return 0
    if not create_file(out, recorded.encode()):
        raise UsageError(f"{out}: there already", hint="--out names a new file")
    changes = len(recorded.described["Changes"])
    streams.tell(
        f"{out}: {changes} change{'' if changes == 1 else 's'} of stack {recorded.stack.name}"
        f" in {recorded.region}, for {recorded.environment}\n"
        f"next: plangate apply {out} --environment {recorded.environment}\n"
    )
    return 0
