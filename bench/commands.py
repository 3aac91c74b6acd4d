"""The commands that are measured, and how to read from their output how much they found.

Each is what a user would type, run cold, with everything that would reach for the network turned off.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.policies import POLICIES, numbered
from plangate.policy.base import EMBEDDED

ROOT: Final = Path(__file__).resolve().parent.parent
LIBRARY: Final = ROOT / "policies" / "lib"
RULES: Final = frozenset(policy.name.replace("_", "-") for policy in POLICIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One tool on one input.

    Attributes:
        tool: Name in the table.
        argv: What is run.
        env: Added to the environment.
        expected: Exit codes that mean that it did its work.
    """

    tool: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    expected: frozenset[int] = frozenset({0, 1})


def plangate(state: Path, plan: Path, *arguments: str) -> Command:
    """``plangate check`` of the environment that runs this."""
    program = Path(sys.executable).parent / "plangate"
    return Command(
        tool="plangate",
        argv=(str(program), "check", str(plan), *arguments),
        env={"PLANGATE_STATE_DIR": str(state)},
    )


def hook(state: Path, plan: Path) -> Command:
    """``plangate-hook``, what pre-commit runs."""
    program = Path(sys.executable).parent / "plangate-hook"
    return Command(
        tool="plangate-hook", argv=(str(program), str(plan)), env={"PLANGATE_STATE_DIR": str(state)}
    )


def checkov(path: Path, option: str = "-f", framework: str = "terraform_plan") -> Command | None:
    """Checkov from ``make bench-peers``, or ``None`` without it."""
    program = ROOT / ".venv-peers" / "bin" / "checkov"
    if not program.exists():
        return None
    argv = (
        str(program),
        option,
        str(path),
        "--framework",
        framework,
        "--compact",
        "--quiet",
        "--skip-download",
    )
    return Command(tool="checkov", argv=argv, env={"LOG_LEVEL": "ERROR"})


def engine(policies: Path, document: Path, name: str = EMBEDDED) -> Command:
    """An engine without the rest of Plangate (`bench.engine`)."""
    argv = (sys.executable, "-m", "bench.engine", name, str(policies), str(document))
    tools = os.pathsep.join((str(ROOT / ".tools" / "bin"), os.environ.get("PATH", "")))
    return Command(
        tool="its engine alone" if name == EMBEDDED else "its engine alone, opa",
        argv=argv,
        env={"PYTHONPATH": str(ROOT), "PATH": tools},
        expected=frozenset({0}),
    )


def opa(policies: Path, document: Path) -> Command | None:
    """``opa eval`` of all packages at once, or ``None`` when there is no OPA."""
    program = find("opa")
    if program is None:
        return None
    argv = (program, "eval", "--format", "json", "--data", str(LIBRARY), "--data", str(policies))
    return Command(tool="opa eval", argv=(*argv, "--input", str(document), "data.policies.bench"))


def conftest(policies: Path, document: Path, number: int = len(POLICIES)) -> Command | None:
    """``conftest test`` of the same packages, or ``None`` when there is no conftest."""
    program = find("conftest")
    if program is None:
        return None
    namespaces = tuple(
        word for policy in numbered(number) for word in ("--namespace", f"policies.bench.{policy.name}")
    )
    argv = (program, "test", "--output", "json", "--policy", str(LIBRARY), "--policy", str(policies))
    return Command(tool="conftest", argv=(*argv, *namespaces, str(document)))


def find(program: str) -> str | None:
    """A program in ``.tools/bin`` (what `make bench-peers` pinned) or on PATH."""
    return shutil.which(program, path=f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")


def version(argv: tuple[str, ...]) -> str:
    """First line that a program says about its version."""
    said = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL
    )
    return (said.stdout.splitlines() or ["unknown"])[0]


def findings(tool: str, output: str) -> int:
    """How many violations of the twenty policies a tool's JSON output holds."""
    document = json.loads(output)
    match tool:
        case "plangate":
            return sum(o["outcome"] == "fail" and o["rule"] in RULES for o in document["outcomes"])
        case "its engine alone" | "its engine alone, opa":
            return sum(len(found) for found in document.values())
        case "opa eval":
            packages = document["result"][0]["expressions"][0]["value"]
            return sum(len(package.get("deny", ())) for package in packages.values())
        case "conftest":
            return sum(len(result.get("failures") or ()) for result in document)
    raise KeyError(tool)
