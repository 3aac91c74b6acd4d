"""Fixtures of a policy: a folder of plans, and ``cases.json`` with what the policy makes of each of them."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from plangate.errors import PolicyLoadError

CASES: Final = "cases.json"
SETTINGS: Final = "settings.json"
"""The settings that all plans of the folder are judged with; without it, the defaults."""

MAX_FIXTURE_BYTES: Final = 1 << 20
"""One file of a rule's fixtures."""

_CASE: Final = re.compile(r"[A-Za-z0-9_-]+")


def folder_of(folders: Sequence[Path], slug: str) -> Path | None:
    """The first of ``<folder>/<slug>`` that has cases."""
    return next((found for found in (top / slug for top in folders) if (found / CASES).is_file()), None)


def read_cases(file: Path) -> Mapping[str, Mapping[str, str]]:
    """Case to the outcome by address, as ``cases.json`` has them.

    Raises:
        PolicyLoadError: It cannot be read, or is something else.
    """
    document = read_json(file)
    for case, outcomes in document.items() if isinstance(document, dict) else [("", None)]:
        if not _CASE.fullmatch(case) or not isinstance(outcomes, dict):
            raise PolicyLoadError(str(file), "must map names of cases to {address: outcome}", code="fixtures")
    return {case: {at: str(said) for at, said in found.items()} for case, found in document.items()}


def read_json(file: Path) -> Any:
    """One file of fixtures.

    Raises:
        PolicyLoadError: It cannot be read, is too large, not JSON, or has a key twice.
    """
    try:
        return json.loads(read_content(file), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as problem:
        raise PolicyLoadError(str(file), f"is not JSON: {problem}", code="fixtures") from problem


def read_content(file: Path) -> bytes:
    """What one file of fixtures holds.

    Raises:
        PolicyLoadError: It cannot be read, is no file, or is too large.
    """
    try:
        if file.exists() and not file.is_file():
            # A pipe or a device may give no end of it.
            raise PolicyLoadError(str(file), "is not a file", code="fixtures")
        with file.open("rb") as stream:
            content = stream.read(MAX_FIXTURE_BYTES + 1)
    except OSError as problem:
        raise PolicyLoadError(str(file), f"cannot be read: {problem.strerror}", code="fixtures") from problem
    if len(content) > MAX_FIXTURE_BYTES:
        raise PolicyLoadError(str(file), f"has more than {MAX_FIXTURE_BYTES} bytes", code="fixtures")
    return content


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    # Of a case that is there twice, one would never be tried.
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def stray(folder: Path, cases: Mapping[str, object]) -> tuple[str, ...]:
    """Plans that no case is about, by name without suffix; sorted."""
    plans = {plan.stem for plan in folder.glob("*.json") if plan.name not in (CASES, SETTINGS)}
    return tuple(sorted(plans - cases.keys()))
