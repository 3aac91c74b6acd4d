"""``plangate policy mutate``: do the tests of policies notice faults?"""

from pathlib import Path
from typing import Annotated

import typer

from plangate.cli import options, streams


def mutate(
    folders: Annotated[list[Path], typer.Argument(help="Folders of policies with their tests.")],
    *,
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", "-r", help="Only this rule id or policy file. Repeatable."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", help="Percent of its mutants that every policy must kill, or exit 1."),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="TIME", help="Stop after this long: 60s, 5m. [default: no limit]"),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Processes at once; 0: one per processor.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Order in which mutants are tried.")] = 0,
    messages: Annotated[
        bool, typer.Option("--messages", help="Also mutate what only words a finding.")
    ] = False,
    data: options.DataPaths = None,
    output_format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> int:
    """Put faults into policies and see whether their tests notice. Exit 1: below the threshold; 3: could not be run."""
    from plangate.authoring.mutation.report import render_json, render_text
    from plangate.authoring.mutation.run import Options
    from plangate.authoring.mutation.run import mutate as run
    from plangate.cli.answer import renderer, wants_colour
    from plangate.cli.progress import Progress
    from plangate.errors import UsageError
    from plangate.policy.base import PolicySource
    from plangate.report.base import Style

    renderer(output_format)
    if threshold is not None and not 0 < threshold <= 100:  # noqa: PLR2004 - percent
        raise UsageError(f"--threshold {threshold:g} (expected more than 0, and 100 at most)")
    if jobs < 0:
        raise UsageError(f"--jobs {jobs} (expected 0 or more)")
    asked = Options(
        only=tuple(rule or ()),
        jobs=jobs,
        budget_s=None if budget is None else _seconds(budget),
        seed=seed,
        messages=messages,
        data=tuple(data or ()),
    )
    with Progress() as progress:
        found = run([PolicySource(root=folder, name=str(folder)) for folder in folders], asked, progress)
    if output_format == "json":
        streams.tell(render_json(found, threshold))
    else:
        streams.tell(render_text(found, threshold, Style(colour=wants_colour())))
    failed = found.stale if threshold is None else not found.passes(threshold)
    return 1 if failed else 0


def _seconds(text: str) -> float:
    """``90s``, ``5m`` or a plain number of seconds."""
    from plangate.errors import UsageError

    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    if not number.isascii() or not number.isdigit() or int(number) == 0:
        raise UsageError(f"--budget {text!r} (expected a time such as 60s or 5m)")
    return float(int(number) * unit)
