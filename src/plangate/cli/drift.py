"""``plangate drift``: whether what is there in AWS is still what a template wants."""

from typing import Annotated

import typer

from plangate.cli import options, streams


def drift(
    template: Annotated[
        str, typer.Argument(help="CloudFormation template, JSON or YAML; - reads standard input.")
    ],
    *,
    stack: Annotated[
        str, typer.Option("--stack", help="Name of the group of resources. [default: the file's name]")
    ] = "",
    environment: options.Environment = None,
    parameters: options.Parameters = None,
    region: options.Region = "",
    aws_profile: options.AwsProfile = "",
    assume_role: options.AssumeRole = "",
    config: options.Config = None,
    state_dir: options.StateDir = None,
) -> int:
    """Say what differs between a template and what is there: exit code 1 if anything does, 0 if nothing."""
    from plangate import wiring
    from plangate.cli.plan import summary
    from plangate.cli.progress import Progress
    from plangate.errors import EXIT_ALLOW, EXIT_DENY
    from plangate.model.plan import Action
    from plangate.wiring.aws import make_plan

    choices = wiring.Choices(
        config=config,
        environment=environment,
        state_dir=state_dir,
        options=options.said(None, None, parameters),
        aws=wiring.AwsChoices(region=region, profile=aws_profile, role=assume_role),
    )
    with Progress() as progress:
        made = make_plan(template, stack, choices, progress)
    streams.tell(summary(made, None))
    return EXIT_DENY if any(change.action != Action.NO_OP for change in made.changes) else EXIT_ALLOW
