"""``plangate policy docs``: pages about policies."""

from pathlib import Path
from typing import Annotated

import typer

from plangate.cli import options, streams


def docs(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Folders of policies. [default: those of the settings]"),
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the pages.")] = Path("policy-docs"),
    fixtures: Annotated[
        list[Path] | None,
        typer.Option(
            "--fixtures", help="Folder of plans by rule, besides fixtures/ in the folders. Repeatable."
        ),
    ] = None,
    config: options.Config = None,
    data: options.DataPaths = None,
    output_format: Annotated[str, typer.Option("--format", "-f", help="markdown or html.")] = "markdown",
) -> int:
    """Write a page for each policy, from METADATA and fixtures, and an index: Markdown, or a site to open from disk.

    The site has a page for each built-in rule as well.
    Pages of an earlier run are replaced; a file that this command did not make is never written over.
    """
    from plangate import wiring
    from plangate.authoring import docs as making
    from plangate.authoring import docs_html, docs_markdown
    from plangate.authoring.docs_built_in import built_in_pages
    from plangate.cli.policy.check import sources
    from plangate.errors import UsageError

    formats = {"markdown": docs_markdown.pages, "html": docs_html.pages}
    if output_format not in formats:
        raise UsageError(f"--format: {output_format!r} (expected one of: markdown, html)")
    settings = wiring.settings_for(wiring.Choices(config=config))
    documents = (*settings.data_paths(), *(path.absolute() for path in data or ()))
    pages = making.rule_pages(sources(paths or (), settings), data=documents, fixtures=fixtures or ())
    built_in = built_in_pages() if output_format == "html" else ()
    written = making.write(out, formats[output_format]((*pages, *built_in)))
    lacking = [page.spec.id for page in pages if not (page.examples.bad and page.examples.good)]
    if lacking:
        streams.say(f"without an example that fails and one that passes: {', '.join(lacking)}\n")
    besides = f", {len(built_in)} built-in rules" if built_in else ""
    streams.tell(f"{written[0]}: {len(pages)} {'policy' if len(pages) == 1 else 'policies'}{besides}\n")
    return 0
