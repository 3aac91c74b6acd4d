"""``plangate check``: judge one plan."""

from pathlib import Path
from typing import Annotated

import typer

from plangate.cli import options


def check(
    plan: options.Plan,
    *,
    config: options.Config = None,
    environment: options.Environment = None,
    policy: options.PolicyDirs = None,
    profile: options.ProfileName = None,
    state_dir: options.StateDir = None,
    chdir: options.Chdir = None,
    output_format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the report to a file.")] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(
            "--receipt", help="Where to write the receipt of an allow. [default: PLAN.receipt.json]"
        ),
    ] = None,
    no_receipt: Annotated[bool, typer.Option("--no-receipt", help="Write no receipt.")] = False,
) -> int:
    """Judge a plan, record the decision, and write a receipt for an allow."""
    from plangate import wiring
    from plangate.cli.answer import announce_keys, exit_code, renderer, write_report
    from plangate.cli.progress import Progress
    from plangate.cli.receipt_file import ReceiptFile
    from plangate.gate import check as judge

    render = renderer(output_format)
    choices = wiring.Choices(
        config=config,
        environment=environment,
        policies=policy or (),
        profile=profile,
        state_dir=state_dir,
        chdir=chdir,
    )
    target = None if no_receipt else receipt or (None if plan == "-" else Path(f"{plan}.receipt.json"))
    with Progress() as progress, ReceiptFile(target) as receipt_file:
        with wiring.open_session(plan, choices, progress) as session:
            announce_keys(session)
            decision = judge(session.gate, session.subject, session.run)
            receipt_file.write(session, decision)
        write_report(render, decision, output)
        receipt_file.keep()
    return exit_code(decision)
