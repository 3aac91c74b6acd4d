"""``plangate check``: judge one plan."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plangate.cli import options

if TYPE_CHECKING:
    from plangate.gate import Decision
    from plangate.wiring import Session


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
        Path | None, typer.Option("--receipt", help="Where to write the receipt of an allow. [default: PLAN.receipt.json]")
    ] = None,
    no_receipt: Annotated[bool, typer.Option("--no-receipt", help="Write no receipt.")] = False,  # noqa: FBT002
) -> int:
    """Judge a plan, record the decision, and write a receipt for an allow."""
    from plangate import wiring
    from plangate.cli.progress import Progress
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
    with Progress() as progress, wiring.open_session(plan, choices, progress) as session:
        announce_keys(session)
        if target is not None:
            # A receipt that lies there is from an earlier look; from here on only this one counts.
            target.unlink(missing_ok=True)
        decision = judge(session.gate, session.subject, session.run)
        receipt_file = write_receipt(session, decision, target)
    write_report(render, decision, output)
    if receipt_file is not None:
        sys.stderr.write(f"receipt: {receipt_file}\n")
    return exit_code(decision)


def renderer(name: str) -> str:
    """A format's name, if there is such a format.

    Raises:
        UsageError: There is none.
    """
    from plangate.errors import UsageError
    from plangate.report.registry import FORMATS

    if name not in FORMATS:
        raise UsageError(f"--format: {name!r} (expected one of: {', '.join(FORMATS)})")
    return name


def announce_keys(session: "Session") -> None:
    """Say which keys were made, so that nobody has to find out later where they are."""
    for path in session.state.made:
        sys.stderr.write(f"made a new key: {path}\n")


def write_receipt(session: "Session", decision: "Decision", target: Path | None) -> Path | None:
    """Write the receipt of an allow; the file, or ``None`` when there is none to write.

    Raises:
        ReceiptError: It would not verify.
        UsageError: It cannot be written there.
    """
    from plangate.decision.decide import Result

    if target is None or decision.judgement.result is not Result.ALLOW:
        return None
    from plangate.errors import UsageError
    from plangate.wiring import receipt_for

    data = receipt_for(session, decision)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"{target}: the receipt cannot be written: {error.strerror}") from error
    return target


def write_report(name: str, decision: "Decision", output: Path | None) -> None:
    """The decision in a format, to a file or standard output; why there is none, to standard error.

    Raises:
        UsageError: The file cannot be written.
    """
    from plangate.cli.main import complain
    from plangate.errors import UsageError
    from plangate.report.base import Style
    from plangate.report.registry import FORMATS

    if decision.problem is not None and name == "text":
        complain(decision.problem)
        return
    colour = output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    text = FORMATS[name](decision.document, Style(colour=colour))
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output}: the report cannot be written: {error.strerror}") from error


def exit_code(decision: "Decision") -> int:
    """0 for an allow, 1 for a denial, 3 for no decision."""
    from plangate.decision.decide import Result
    from plangate.errors import EXIT_ALLOW, EXIT_CANNOT_DECIDE, EXIT_DENY

    return {Result.ALLOW: EXIT_ALLOW, Result.DENY: EXIT_DENY, Result.ERROR: EXIT_CANNOT_DECIDE}[decision.judgement.result]
