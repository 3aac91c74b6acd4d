"""The command line as its users have it: a process of its own, with a folder, an environment and exit codes."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.tools import ROOT

PLANS: Final = ROOT / "fixtures" / "plans"
DENIED: Final = PLANS / "aws-web-denied" / "plan.json"
ALLOWED: Final = PLANS / "aws-web-allowed" / "plan.json"


def environment(**more: str) -> dict[str, str]:
    """This process's environment without settings of ours or terraform's, with what `make tools` built on PATH."""
    kept = {
        name: v for name, v in os.environ.items() if not name.startswith(("TF_", "PLANGATE_", "NO_COLOR"))
    }
    places = (kept.get("PATH", os.defpath), str(ROOT / ".tools" / "bin"))
    ours = {
        "PATH": os.pathsep.join(places),
        "PYTHONPATH": str(ROOT / "src"),
        "TF_CLI_CONFIG_FILE": os.devnull,
        "CHECKPOINT_DISABLE": "1",
    }
    return kept | ours | more


class Ran(Struct, frozen=True):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The last line on standard output, which sums up."""
        return (self.out.splitlines() or [""])[-1]


def run(
    *arguments: str | Path,
    cwd: Path,
    module: str = "plangate.cli.main",
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
) -> Ran:
    """Run ``plangate`` (or another module's ``main``) in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        env=env or environment(),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def shell(command: str, *, cwd: Path, env: dict[str, str] | None = None) -> Ran:
    """Run a line of bash in which ``plangate`` is the command line under test."""
    function = f'plangate() {{ {shlex.quote(sys.executable)} -m plangate.cli.main "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-c", function + command],
        cwd=cwd,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def command_folder(folder: Path) -> Path:
    """A folder for PATH in which ``plangate`` and ``python`` are the ones under test."""
    folder.mkdir()
    for name, options in {
        "plangate": " -m plangate.cli.main",
        "plangate-hook": " -m plangate.cli.hook",
        "python": "",
    }.items():
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)}{options} "$@"\n')
        script.chmod(0o755)
    return folder
