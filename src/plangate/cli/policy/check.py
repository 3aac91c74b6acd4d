"""``plangate policy check``: everything that is wrong with policies, before the gate refuses them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plangate.cli import options, streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plangate.policy.base import PolicySource
    from plangate.settings import Settings


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Folders of policies. [default: those of the settings]"),
    ] = None,
    *,
    config: options.Config = None,
    data: options.DataPaths = None,
    output_format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
) -> int:
    """Say everything that is wrong with policies.

    Errors are what the gate refuses; warnings are what it takes and what may still not do what it looks like.
    Exit 0: none; 1: problems; 3: the check could not be made.
    """
    import json

    from plangate import wiring
    from plangate.authoring import check as checking
    from plangate.errors import UsageError
    from plangate.policy.load import shipped_policies

    if output_format not in {"text", "json"}:
        raise UsageError(f"--format: {output_format!r} (expected one of: text, json)")
    settings = wiring.settings_for(wiring.Choices(config=config))
    report = checking.check(
        sources(paths or (), settings),
        [shipped_policies()] if settings.values.shipped_policies else [],
        (*settings.data_paths(), *(path.absolute() for path in data or ())),
    )
    if output_format == "json":
        streams.tell(json.dumps(checking.document(report), indent=2, ensure_ascii=False) + "\n")
    else:
        streams.tell(checking.text(report))
    return 1 if report.errors or (strict and report.warnings) else 0


def sources(paths: "Sequence[Path]", settings: "Settings") -> "list[PolicySource]":
    """The folders that were named, or else those of the settings. A policy stands for the folder that it is in.

    Raises:
        UsageError: There is none.
    """
    from plangate.errors import UsageError
    from plangate.policy.base import PolicySource

    found = [PolicySource(root=path.absolute(), name=str(path)) for path in map(_folder, paths)]
    if not paths:
        named = zip(settings.policy_roots(), settings.values.policies, strict=True)
        found = [PolicySource(root=root, name=name) for root, name in named]
    if not found:
        raise UsageError(
            "no folder of policies", hint="name one, or put it into plangate.yaml: policies: [policies]"
        )
    return list({source.root: source for source in found}.values())


def _folder(path: Path) -> Path:
    return path.parent if path.suffix == ".rego" and path.is_file() else path
