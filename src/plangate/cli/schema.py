"""``plangate schema``: the published JSON Schemas."""

from pathlib import Path
from typing import Annotated

import typer

from plangate.cli import streams


def schema(
    name: Annotated[
        str,
        typer.Argument(
            help="plan, decision, record, change-set, policy-metadata, policy-check, policy-test, mutation or settings."
        ),
    ],
) -> int:
    """Print a JSON Schema."""
    from plangate.errors import UsageError

    folder = Path(__file__).parent.parent / "schemas"
    known = sorted(path.name.removesuffix(".v1.json") for path in folder.glob("*.v1.json"))
    if name not in known:
        raise UsageError(f"no schema {name!r} (expected one of: {', '.join(known)})")
    streams.tell((folder / f"{name}.v1.json").read_text(encoding="utf-8"))
    return 0
