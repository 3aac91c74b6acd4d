"""Which terraform: the one that was configured, else ``PLANGATE_TERRAFORM``, else the first on PATH.

Never one from the current directory, nor by a relative path: a folder under judgement must not bring the
program that reads it.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from plangate.errors import UsageError
from plangate.terraform_cli.environment import reading_environment
from plangate.terraform_cli.process import run

VARIABLE: Final = "PLANGATE_TERRAFORM"
PROGRAMS: Final = ("terraform", "tofu")
_TITLES: Final = {"Terraform": "terraform", "OpenTofu": "tofu"}
_VERSION_TIMEOUT_S: Final = 20.0
_VERSION_BYTES: Final = 64 * 1024


class Tool(Struct, frozen=True, kw_only=True):
    """A terraform that answered.

    Attributes:
        path: Absolute.
        name: ``terraform`` or ``tofu``, by its own word and not by its file name.
        version: As in ``1.11.4``.
    """

    path: Path
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def find_terraform(
    configured: str | None = None, *, environ: Mapping[str, str], prefer: str | None = None
) -> Tool | None:
    """The terraform or tofu to use, or ``None`` when nothing is configured and there is none on PATH.

    Args:
        configured: Absolute path, or a program's name that is looked up on PATH.
        environ: The user's environment.
        prefer: ``terraform`` or ``tofu``: which of the two on PATH, if both are there.

    Raises:
        UsageError: What is configured is not there, or what was found is neither terraform nor tofu.
    """
    wanted = configured or environ.get(VARIABLE)
    if wanted:
        if os.sep in wanted and not Path(wanted).is_absolute():
            raise UsageError(
                f"{wanted}: a relative path to terraform",
                hint="give an absolute path, or a name to look up on PATH",
            )
        found = _look_up(wanted, environ)
        if found is None:
            raise UsageError(
                f"{wanted}: no such program", hint=f"correct {VARIABLE} or the configuration, or take it out"
            )
        return _ask(found, environ)
    for program in sorted(PROGRAMS, key=lambda name: name != prefer):
        if found := _look_up(program, environ):
            return _ask(found, environ)
    return None


def _look_up(program: str, environ: Mapping[str, str]) -> Path | None:
    """Absolute path. Entries of PATH that are relative or empty (the current directory) do not count."""
    places = [
        place for place in environ.get("PATH", os.defpath).split(os.pathsep) if Path(place).is_absolute()
    ]
    if not places and not Path(program).is_absolute():
        return None
    found = shutil.which(program, path=os.pathsep.join(places))
    return Path(found) if found else None


def _ask(path: Path, environ: Mapping[str, str]) -> Tool:
    hint = f"set {VARIABLE} to terraform or tofu itself"
    with tempfile.TemporaryDirectory(prefix="plangate-") as home:
        try:
            finished = run(
                path,
                ["version"],
                environment=reading_environment(environ, home=Path(home)),
                timeout_s=_VERSION_TIMEOUT_S,
                max_stdout_bytes=_VERSION_BYTES,
            )
        except OSError as error:
            raise UsageError(f"{path}: cannot be run: {error.strerror}", hint=hint) from error
    for line in finished.stdout.decode("utf-8", "replace").splitlines() if finished.ok else []:
        title, mark, version = line.partition(" v")
        if mark and title in _TITLES and version and version.isprintable():
            return Tool(path=path, name=_TITLES[title], version=version[:40])
    raise UsageError(f"{path}: neither terraform nor tofu, by its answer to `version`", hint=hint)
