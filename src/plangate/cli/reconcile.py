"""``plangate reconcile``: keep what is there in AWS as a template wants it, as long as that is allowed."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from plangate.cli import options, streams

if TYPE_CHECKING:
    from plangate import wiring
    from plangate.cli.progress import Progress

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def reconcile(
    template: Annotated[str, typer.Argument(help="CloudFormation template, JSON or YAML.")],
    *,
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="Pause between two rounds, e.g. 30s, 5m, 1h.")
    ],
    rounds: Annotated[int, typer.Option("--rounds", min=0, help="Rounds to make; 0 for no end.")] = 0,
    stack: Annotated[
        str, typer.Option("--stack", help="Name of the group of resources. [default: the file's name]")
    ] = "",
    environment: options.Environment = None,
    parameters: options.Parameters = None,
    region: options.Region = "",
    policy: options.PolicyDirs = None,
    data: options.DataPaths = None,
    profile: options.ProfileName = None,
    aws_profile: options.AwsProfile = "",
    assume_role: options.AssumeRole = "",
    config: options.Config = None,
    state_dir: options.StateDir = None,
) -> int:
    """Plan, judge and apply, again and again. The exit code is that of the last round.

    A round that is denied, or that fails, does not end the loop.
    """
    import threading

    from plangate import wiring
    from plangate.cli.progress import Progress
    from plangate.errors import PlangateError, UsageError

    found = _DURATION.fullmatch(every)
    if found is None:
        raise UsageError(f"--every {every!r} (expected a time like 30s, 5m or 1h)")
    pause = int(found[1]) * _SECONDS[found[2]]
    choices = wiring.Choices(
        config=config,
        environment=environment,
        policies=policy or (),
        data=data or (),
        profile=profile,
        state_dir=state_dir,
        options=options.said(None, None, parameters),
        aws=wiring.AwsChoices(region=region, profile=aws_profile, role=assume_role),
    )
    made = 0
    while True:
        try:
            with Progress() as progress:
                code = _round(template, stack, choices, progress)
        except UsageError:
            raise
        except PlangateError as error:
            streams.say(f"plangate: {error}\n")
            code = error.exit_code
        made += 1
        if made == rounds:
            return code
        threading.Event().wait(pause)


def _round(template: str, stack: str, choices: "wiring.Choices", progress: "Progress") -> int:
    from plangate import wiring
    from plangate.cli.apply import run
    from plangate.cli.plan import summary
    from plangate.model.aws_plan import encode_plan
    from plangate.model.plan import Action
    from plangate.wiring.aws import make_plan, written_plan

    plan = make_plan(template, stack, choices, progress)
    streams.tell(summary(plan, None))
    if all(change.action == Action.NO_OP for change in plan.changes):
        return 0
    with written_plan(encode_plan(plan), choices) as path:  # noqa: SIM117 - shorter lines
        with wiring.open_session([str(path)], choices, progress) as session:
            return run(session, choices, progress)
