"""Puts the double of ``hashicorp/aws`` where terraform and tofu install providers from: a filesystem mirror."""

import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tests.tools import ROOT

VERSION: Final = "5.0.0"
_HOSTS: Final = ("registry.terraform.io", "registry.opentofu.org")
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_PLATFORM: Final = f"{sys.platform}_{_MACHINES.get(platform.machine(), platform.machine())}"


class Mirror(Struct, frozen=True, kw_only=True):
    """A mirror that was made.

    Attributes:
        settings: Terraform's settings file that names it.
        notes: Folder in which each start of the provider leaves a note.
        programs: The provider's program files, one for each registry.
    """

    settings: Path
    notes: Path
    programs: Sequence[Path]

    def starts(self) -> list[dict[str, Any]]:
        """Where and with what the provider was started since the last time that this was asked."""
        found = []
        for note in sorted(self.notes.iterdir()):
            found.append(json.loads(note.read_text(encoding="utf-8")))
            note.unlink()
        return found


def a_mirror(folder: Path) -> Mirror:
    """Make one."""
    notes = folder / "notes"
    notes.mkdir(parents=True)
    programs = []
    for host in _HOSTS:
        package = folder / "mirror" / host / "hashicorp" / "aws" / VERSION / _PLATFORM
        package.mkdir(parents=True)
        program = package / f"terraform-provider-aws_v{VERSION}"
        program.write_text(
            # What measures the gate's coverage would also start in here, once for each of many starts.
            f"#!/usr/bin/env -S -u COVERAGE_PROCESS_CONFIG {sys.executable}\n"
            f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
            f"from tests.aws_provider_double import main\nmain({str(notes)!r})\n",
            encoding="utf-8",
        )
        program.chmod(0o755)
        programs.append(program)
    settings = folder / "terraform.rc"
    settings.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder / "mirror"}"\n  }}\n}}\n',
        encoding="utf-8",
    )
    return Mirror(settings=settings, notes=notes, programs=programs)
