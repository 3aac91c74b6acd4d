"""``plangate plan``: what a template would change in AWS, as a plan to be judged and applied."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plangate.cli import options, streams

if TYPE_CHECKING:
    from plangate.model.aws_plan import AwsPlan


def plan(
    template: Annotated[
        str | None, typer.Argument(help="CloudFormation template, JSON or YAML; - reads standard input.")
    ] = None,
    *,
    stack: Annotated[
        str, typer.Option("--stack", help="Name of the group of resources. [default: the file's name]")
    ] = "",
    destroy: Annotated[
        bool, typer.Option("--destroy", help="Take the whole stack down: --stack, and no template.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write the plan to.")] = None,
    environment: options.Environment = None,
    parameters: options.Parameters = None,
    region: options.Region = "",
    aws_profile: options.AwsProfile = "",
    assume_role: options.AssumeRole = "",
    config: options.Config = None,
    state_dir: options.StateDir = None,
) -> int:
    """Compare a CloudFormation template with what is there in AWS. Nothing is changed."""
    from plangate import wiring
    from plangate.cli.progress import Progress
    from plangate.errors import UsageError
    from plangate.model.aws_plan import encode_plan
    from plangate.wiring.aws import make_plan

    if destroy is (template is not None) or (destroy and not stack):
        raise UsageError("a plan is made of a template, or it takes a stack down: --destroy --stack NAME")
    choices = wiring.Choices(
        config=config,
        environment=environment,
        state_dir=state_dir,
        options=options.said(None, None, parameters),
        aws=wiring.AwsChoices(region=region, profile=aws_profile, role=assume_role),
    )
    with Progress() as progress:
        made = make_plan(template, stack, choices, progress)
    if out is not None:
        _write(out, encode_plan(made))
    streams.tell(summary(made, out))
    return 0


def _write(path: Path, data: bytes) -> None:
    """For the owner's eyes: values are in clear. An older plan of that name is replaced at once or not at all."""
    import os

    from plangate.errors import UsageError

    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


_MARKS = {
    "create": "+", "update": "~", "replace": "±", "delete": "-", "forget": "⊘",
}  # fmt: skip


def summary(made: "AwsPlan", out: Path | None) -> str:
    """What a plan does, a line for each change; never a value."""
    from collections import Counter

    from plangate.report.base import one_line

    lines = []
    counts = Counter(change.action for change in made.changes)
    for change in made.changes:
        mark = _MARKS.get(change.action)
        if mark is None:
            continue
        names = (
            ", ".join(change.changed[:8]) if change.before is not None and change.after is not None else ""
        )
        line = f"  {mark} {change.action:<7} {one_line(change.key)} ({one_line(change.type)})"
        line += f": {one_line(names)}" if names else ""
        lines.append(line + (f" [{one_line(change.reason)}]" if change.reason else ""))
    told = ", ".join(f"{counts[action]} to {action}" for action in _MARKS if counts[action])
    lines.append(
        f"stack {made.stack} in {made.environment} ({made.account}, {made.region}):"
        f" {told or 'nothing to do'}, {counts['no-op']} as wanted"
    )
    if out is not None:
        lines.append(f"next: plangate apply {out} --environment {made.environment}")
    return "\n".join(lines) + "\n"
