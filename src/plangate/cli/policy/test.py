"""``plangate policy test``: every ``test_`` rule of policy folders."""

from pathlib import Path
from typing import Annotated

import typer

from plangate.cli import streams


def test(
    folders: Annotated[list[Path], typer.Argument(help="Folders of policies with their tests.")],
) -> int:
    """Run the tests of policies. Exit 0: all passed; 1: one failed; 3: they could not be run."""
    from plangate.policy.base import PolicySource
    from plangate.policy.testing import run_tests

    ran = run_tests([PolicySource(root=folder, name=str(folder)) for folder in folders])
    failed = [result for result in ran if not result.passed]
    for result in failed:
        streams.tell(f"FAIL {result.file}:{result.line} {result.name}: {result.problem}\n")
    streams.tell(f"{len(ran) - len(failed)} passed, {len(failed)} failed\n")
    return 1 if failed else 0
