"""``plangate policy new``: a policy to start from."""

from pathlib import Path
from typing import Annotated

import typer

from plangate.cli import streams


def new(
    name: Annotated[
        str, typer.Argument(metavar="DOMAIN/SLUG", help="What to call it, e.g. storage/bucket_versioned.")
    ],
    *,
    into: Annotated[Path, typer.Option("--into", help="Folder of policies.")] = Path("policies"),
    kind: Annotated[str, typer.Option("--kind", help="Kind of resource that it judges.")] = "storage.bucket",
    title: Annotated[str, typer.Option("--title", help="The good condition as a sentence.")] = "",
) -> int:
    """Start a policy: rule, METADATA, test and plans to try it on. Nothing that is there is written over."""
    from plangate.authoring import scaffold
    from plangate.decision.conditions import CONDITIONS
    from plangate.errors import UsageError
    from plangate.policy.load import load, shipped_library, shipped_policies
    from plangate.rules.registry import RULES

    asked = scaffold.request(name, kind, title)
    taken = {*RULES, *CONDITIONS, *load([shipped_policies()]).packages}
    if asked.id in taken:
        raise UsageError(f"there is a rule {asked.id} already", hint=f"`plangate rules show {asked.id}`")
    for path in scaffold.write(into, scaffold.files(asked)):
        streams.tell(f"{path}\n")
    streams.say(
        f"next: change the condition in {into / asked.domain / asked.slug}.rego, then\n"
        f"  plangate policy check {into}\n"
        f"  plangate policy test {into}        (or: opa test --ignore fixtures {shipped_library().root} {into})\n"
        f"  plangate check PLAN --policy {into}\n"
    )
    return 0
