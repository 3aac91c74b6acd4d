"""``plangate status``: what this gate made in AWS, and whether a run was cut off."""

import json
from typing import Annotated

import typer

from plangate.cli import options, streams


def status(
    *,
    environment: options.Environment = None,
    config: options.Config = None,
    state_dir: options.StateDir = None,
    output_format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> int:
    """Tell what the journal knows of an environment: its stacks, their resources, runs that were cut off."""
    from plangate import wiring
    from plangate.cli.answer import renderer
    from plangate.wiring.aws import standing

    renderer(output_format)
    stacks = standing(wiring.Choices(config=config, environment=environment, state_dir=state_dir))
    if output_format == "json":
        rows = [
            {"stack": name, "resources": counts, "cut_off": [f"sha256:{sha}" for sha in runs]}
            for name, counts, runs in stacks
        ]
        streams.tell(json.dumps(rows, indent=2) + "\n")
        return 0
    lines = []
    for name, counts, runs in stacks:
        total = sum(counts.values())
        lines.append(f"{name}: {total} resource{'' if total == 1 else 's'}")
        lines += [f"  {count:>5}  {kind}" for kind, count in counts.items()]
        lines += [f"  a run of the plan {sha[:16]} was cut off: plangate apply PLAN --resume" for sha in runs]
    streams.tell("\n".join(lines or ["nothing was made by this gate here"]) + "\n")
    return 0
