"""``plangate serve``: the gate over HTTP."""

from typing import Annotated

import typer

from plangate.cli import options, streams


def serve(
    *,
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen",
            metavar="HOST:PORT",
            help="Where to listen. [default: server.listen, or 127.0.0.1:8181]",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Processes that answer. [default: server.workers, or cores]"),
    ] = None,
    config: options.Config = None,
    environment: options.Environment = None,
    policy: options.PolicyDirs = None,
    data: options.DataPaths = None,
    profile: options.ProfileName = None,
    state_dir: options.StateDir = None,
) -> int:
    """Answer other orchestrators over HTTP until SIGTERM; SIGHUP reloads the policies."""
    from plangate import wiring
    from plangate.server.start import serve as run

    choices = wiring.Choices(
        config=config,
        environment=environment,
        policies=policy or (),
        data=data or (),
        profile=profile,
        state_dir=state_dir,
    )
    return run(choices, listen, workers, streams.say)
