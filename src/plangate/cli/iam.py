"""``plangate iam``: the least that IAM has to allow for exactly one plan."""

from typing import Annotated

import typer

from plangate.cli import options, streams


def iam(
    source: Annotated[
        str,
        typer.Argument(
            metavar="PLAN", help="Plan of `plangate plan`, or a template; - reads standard input."
        ),
    ],
    *,
    parameters: options.Parameters = None,
    region: options.Region = "",
    session: Annotated[
        bool,
        typer.Option(
            "--session",
            help="Short enough for a session policy: reading actions become patterns, if need be.",
        ),
    ] = False,
    config: options.Config = None,
    environment: options.Environment = None,
) -> int:
    """Print the IAM policy that a plan needs. For a template: all that creating, changing and deleting it needs."""
    import json

    from plangate import wiring
    from plangate.wiring.aws import needed_policy

    choices = wiring.Choices(
        config=config,
        environment=environment,
        options=options.said(None, None, parameters),
        aws=wiring.AwsChoices(region=region),
    )
    streams.tell(json.dumps(needed_policy(source, choices, session=session), indent=2) + "\n")
    return 0
