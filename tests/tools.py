"""Programs and folders that a machine may lack: found, skipped with a reason, or required.

``PLANGATE_REQUIRE=terraform,opa`` turns the skip for a missing tool into a failure. CI sets it to what its
machine can have, so that a set-up step that silently stops working cannot hide tests.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Final, NoReturn

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
SHARED: Final = ROOT.parent / "shared"

PROGRAMS: Final = {
    "conftest": ("conftest",),
    "git": ("git",),
    "go": ("go",),
    "kube-apiserver": ("kube-apiserver",),
    "opa": ("opa",),
    "pre-commit": ("pre-commit",),
    "terraform": ("terraform", "tofu"),
    "tofu": ("tofu",),
}
"""Name in PLANGATE_REQUIRE to the programs that will do, best first."""

REQUIRABLE: Final = frozenset(PROGRAMS) | {"index", "shared"}


def required_tools() -> frozenset[str]:
    """Names in PLANGATE_REQUIRE.

    Raises:
        pytest.UsageError: A name that is not known, which would otherwise require nothing.
    """
    names = frozenset(
        filter(None, (name.strip() for name in os.environ.get("PLANGATE_REQUIRE", "").split(",")))
    )
    if unknown := names - REQUIRABLE:
        raise pytest.UsageError(
            f"PLANGATE_REQUIRE: unknown {', '.join(sorted(unknown))} (known: {', '.join(sorted(REQUIRABLE))})"
        )
    return names


def skip_or_fail(name: str, reason: str) -> NoReturn:
    """Skip the test, or fail it when PLANGATE_REQUIRE names the missing thing."""
    if name in required_tools():
        pytest.fail(f"{reason}, and PLANGATE_REQUIRE names {name}", pytrace=False)
    pytest.skip(reason)


def require_tool(name: str) -> Path:
    """Absolute path of a program; ``terraform`` may be ``tofu``.

    Looks on PATH, then in ``.tools/bin`` (``make tools``), then beside this Python.

    Raises:
        KeyError: A name that is not in `PROGRAMS`.
    """
    places = os.pathsep.join(
        (os.environ.get("PATH", ""), str(ROOT / ".tools" / "bin"), str(Path(sys.executable).parent))
    )
    for program in PROGRAMS[name]:
        if found := shutil.which(program, path=places):
            return Path(found).absolute()
    skip_or_fail(name, f"no {' or '.join(PROGRAMS[name])} on PATH (make tools builds what it can)")


def unmeasured() -> dict[str, str]:
    """This process's environment for a program in Python that is not ours: coverage of it is nothing worth waiting for."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
