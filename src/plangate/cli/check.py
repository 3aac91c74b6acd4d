"""``plangate check``: judge plans, and whatever else people plan with."""

from pathlib import Path
from typing import Annotated

import typer

from plangate.cli import options


def check(
    paths: options.Paths,
    *,
    config: options.Config = None,
    environment: options.Environment = None,
    policy: options.PolicyDirs = None,
    data: options.DataPaths = None,
    profile: options.ProfileName = None,
    state_dir: options.StateDir = None,
    chdir: options.Chdir = None,
    var: options.Variables = None,
    var_file: options.VariableFiles = None,
    parameters: options.Parameters = None,
    exclude: options.Exclude = None,
    conftest: options.ConftestDirs = None,
    namespace: options.Namespaces = None,
    all_namespaces: options.AllNamespaces = False,
    combine: options.Combine = False,
    rego_version: options.RegoVersion = None,
    output_format: Annotated[
        str, typer.Option("--format", "-f", help="text, json, or conftest-json with --conftest.")
    ] = "text",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the report to a file.")] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(
            "--receipt",
            help="Where to write the receipt of an allow. [default: PLAN.receipt.json, for one file]",
        ),
    ] = None,
    no_receipt: Annotated[bool, typer.Option("--no-receipt", help="Write no receipt.")] = False,
) -> int:
    """Judge plans and other planned changes together, record the one decision, and write a receipt for an allow."""
    from plangate import wiring
    from plangate.cli.answer import announce_keys, exit_code, renderer, write_report
    from plangate.cli.conftest_report import CONFTEST_JSON, write_conftest_report
    from plangate.cli.progress import Progress
    from plangate.cli.receipt_file import ReceiptFile
    from plangate.gate import check as judge

    asked = options.conftest_choices(conftest, namespace, all_namespaces, combine, rego_version)
    as_conftest = output_format == CONFTEST_JSON and asked is not None
    render = CONFTEST_JSON if as_conftest else renderer(output_format)
    choices = wiring.Choices(
        config=config,
        environment=environment,
        policies=policy or (),
        data=data or (),
        profile=profile,
        state_dir=state_dir,
        chdir=chdir,
        options=options.said(var, var_file, parameters),
        exclude=exclude or (),
        conftest=asked,
    )
    target = None if no_receipt else receipt or _beside(paths)
    with Progress() as progress, ReceiptFile(target) as receipt_file:
        with wiring.open_session(paths, choices, progress) as session:
            announce_keys(session)
            decision = judge(session.gate, session.run)
            receipt_file.write(session, decision)
        if as_conftest:
            write_conftest_report(decision, output)
        else:
            write_report(render, decision, output)
        receipt_file.keep()
    return exit_code(decision)


def _beside(paths: list[str]) -> Path | None:
    """Where a receipt goes by itself: beside one file. What is judged together has no such place."""
    (path, *others) = paths
    if others or path == "-" or not Path(path).is_file():
        return None
    return Path(f"{path}.receipt.json")
