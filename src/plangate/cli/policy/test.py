"""``plangate policy test``: every ``test_`` rule of policy folders, and what the tests show of the policies."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from plangate.cli import options, streams

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plangate.authoring.examination import Asked, Examination

FORMATS: Final = ("text", "json", "junit")
_POLL_S: Final = 0.3


def test(
    folders: Annotated[list[Path], typer.Argument(help="Folders of policies with their tests.")],
    *,
    select: Annotated[
        str | None,
        typer.Option(
            "--select", "-k", metavar="EXPR", help="Only tests by words in their names: 'fail and not x'."
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Name the tests that pass as well.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Run again when a file changes, until Ctrl-C.")
    ] = False,
    coverage: Annotated[bool, typer.Option("--coverage", help="Say which lines no test reaches.")] = False,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", help="Percent of the lines that tests must reach, or exit 1."),
    ] = None,
    lcov: Annotated[Path | None, typer.Option("--lcov", help="Write the coverage to this lcov file.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the coverage as pages into this folder.")
    ] = None,
    no_demand: Annotated[
        bool,
        typer.Option(
            "--no-demand", help="Do not insist that every rule is seen to pass, fail and meet an unknown."
        ),
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="The folders hold any Rego, not rules of plangate.")
    ] = False,
    v0: Annotated[bool, typer.Option("--v0", help="The folders hold Rego v0; implies --plain.")] = False,
    data: options.DataPaths = None,
    fixtures: Annotated[
        list[Path] | None,
        typer.Option(
            "--fixtures", help="Folder of plans by rule, besides fixtures/ in the folders. Repeatable."
        ),
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds that one test may take.")] = 5.0,
    output_format: Annotated[str, typer.Option("--format", "-f", help="text, json or junit.")] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report to this file.")
    ] = None,
) -> int:
    """Run the tests of policies, and try the policies on their fixtures.

    Exit 1: one failed, or they show too little; 3: they could not be run.
    """
    from plangate.authoring.evaluation import TimeLimits
    from plangate.authoring.examination import Asked
    from plangate.authoring.selection import selection
    from plangate.errors import UsageError

    if output_format not in FORMATS:
        raise UsageError(f"--format: {output_format!r} (expected one of: {', '.join(FORMATS)})")
    if threshold is not None and not 0 < threshold <= 100:  # noqa: PLR2004 - percent
        raise UsageError(f"--threshold {threshold:g} (expected more than 0, and 100 at most)")
    for folder in fixtures or ():
        if plain or v0 or not folder.is_dir():
            problem = "there are none with --plain" if plain or v0 else "expected a folder"
            raise UsageError(f"--fixtures {folder}: {problem}")
    if not 0 < timeout <= 300:  # noqa: PLR2004 - as for all tests together
        raise UsageError(f"--timeout {timeout:g} (expected more than 0 seconds, and 300 at most)")
    asked = Asked(
        data=tuple(data or ()),
        fixtures=tuple(fixtures or ()),
        plain=plain or v0,
        v0=v0,
        select=selection(select) if select is not None else None,
        coverage=coverage or lcov is not None or html is not None,
        threshold=threshold,
        demand=not no_demand,
        limits=TimeLimits(each_s=timeout),
    )

    def once() -> int:
        return _once(folders, asked, _Report(output_format, output, lcov, html, verbose=verbose))

    return _watched([*folders, *asked.data, *asked.fixtures], once) if watch else once()


class _Report:
    """Where what was found goes."""

    def __init__(
        self, form: str, output: Path | None, lcov: Path | None, html: Path | None, *, verbose: bool
    ) -> None:
        self.form = form
        self.output = output
        self.lcov = lcov
        self.html = html
        self.verbose = verbose

    def write(self, found: "Examination") -> None:
        from plangate.authoring.coverage_files import lcov, pages
        from plangate.authoring.examination_documents import render_json, render_junit
        from plangate.authoring.examination_text import render_text, summary
        from plangate.cli.answer import wants_colour
        from plangate.report.base import Style

        if found.coverage is not None and self.lcov is not None:
            _write(self.lcov, lcov(found.coverage))
        if found.coverage is not None and self.html is not None:
            for name, page in pages(found.coverage).items():
                _write(self.html / name, page)
        match self.form:
            case "json":
                text = render_json(found)
            case "junit":
                text = render_junit(found)
            case _:
                style = Style(colour=self.output is None and wants_colour())
                text = render_text(found, style, verbose=self.verbose)
        if self.output is None:
            streams.tell(text)
        else:
            _write(self.output, text)
            streams.say(summary(found) + "\n")


def _once(folders: "Sequence[Path]", asked: "Asked", report: _Report) -> int:
    from plangate.authoring.examination import examine
    from plangate.policy.base import PolicySource

    found = examine([PolicySource(root=folder, name=str(folder)) for folder in folders], asked)
    report.write(found)
    return 0 if found.passed else 1


def _write(path: Path, text: str) -> None:
    from plangate.errors import UsageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def _watched(paths: "Sequence[Path]", once: "Callable[[], int]") -> int:
    """Run, wait for a change, and so on, until Ctrl-C: the caller turns that into exit code 130."""
    import sys

    from plangate.cli.main import complain
    from plangate.errors import PlangateError

    while True:
        before = _state(paths)
        if sys.stdout.isatty():
            streams.tell("\x1b[2J\x1b[H")
        try:
            once()
        except streams.ReaderGoneError:
            raise
        except PlangateError as error:
            complain(error)
        streams.say("waiting for a change; Ctrl-C ends\n")
        while _state(paths) == before:
            time.sleep(_POLL_S)


def _state(paths: "Sequence[Path]") -> dict[str, tuple[int, int]]:
    """Every file below the paths with its time and size; what cannot be looked at is not there."""
    found = {}
    for path in paths:
        for file in (path, *path.rglob("*")):
            try:
                status = file.stat()
            except OSError:
                continue
            found[str(file)] = (status.st_mtime_ns, status.st_size)
    return found
