"""Options that several commands share, with one wording each."""

from pathlib import Path
from typing import Annotated

import typer

Plan = Annotated[
    str,
    typer.Argument(
        help="Saved plan (tfplan) or its JSON (`terraform show -json tfplan`); - reads standard input."
    ),
]
Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings file. [default: plangate.yaml, if there]")
]
Environment = Annotated[
    str | None,
    typer.Option(
        "--environment", "-e", help="Where the plan is meant to be applied; a receipt counts there only."
    ),
]
PolicyDirs = Annotated[
    list[Path] | None,
    typer.Option("--policy", "-p", help="Folder of Rego policies, besides the shipped ones. Repeatable."),
]
ProfileName = Annotated[
    str | None,
    typer.Option("--profile", help="standard or strict; strict denies what is known only after apply."),
]
StateDir = Annotated[
    Path | None,
    typer.Option("--state-dir", help="Folder of keys and log. [default: PLANGATE_STATE_DIR, or .plangate]"),
]
Chdir = Annotated[
    Path | None,
    typer.Option("--chdir", help="Folder in which the saved plan was made. [default: where it lies]"),
]
TrustedKeys = Annotated[
    list[Path] | None,
    typer.Option("--trusted-key", help="Public key file of another gate whose receipts count. Repeatable."),
]
