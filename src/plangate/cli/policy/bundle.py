"""``plangate policy bundle``: policy folders as one file, signed if wanted, for gates and for OPA."""

from pathlib import Path
from typing import Annotated, Final

import typer

from plangate.cli import streams

_MAX_DIGITS: Final = 15


def bundle(
    roots: Annotated[list[Path], typer.Argument(metavar="ROOT...", help="Folders of policies.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, e.g. acme.tar.gz.")],
    name: Annotated[
        str, typer.Option("--name", help="The bundle's name in settings. [default: that of the file]")
    ] = "",
    revision: Annotated[
        str, typer.Option("--revision", help="For people. A whole number is the sequence number too.")
    ] = "",
    sequence: Annotated[
        int | None,
        typer.Option("--sequence", min=0, help="Number that grows with every bundle of this name."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Data document, or folder of them, to bring along. Repeatable."),
    ] = None,
    sign: Annotated[
        Path | None, typer.Option("--sign", metavar="KEY", help="Private key in PEM, or an HMAC secret.")
    ] = None,
    key_id: Annotated[str, typer.Option("--key-id", help="What verifiers call the key.")] = "",
    algorithm: Annotated[
        str, typer.Option("--algorithm", help="E.g. ES256. [default: what fits the key]")
    ] = "",
    scope: Annotated[str, typer.Option("--scope", help="What the signature is for.")] = "",
    without_library: Annotated[
        bool, typer.Option("--without-library", help="Leave data.plangate.lib out, which OPA would need.")
    ] = False,
) -> int:
    """Make a bundle of policies in OPA's format. Exit 3: the policies do not load."""
    from plangate.authoring.bundle import Signing, make_bundle, write_bundle
    from plangate.errors import UsageError

    if sign is None and (key_id or algorithm or scope):
        raise UsageError(
            "--key-id, --algorithm and --scope are about a signature", hint="--sign KEY makes one"
        )
    called = name or output.name.removesuffix(".gz").removesuffix(".tar").removesuffix(".tgz")
    is_number = revision.isascii() and revision.isdecimal() and len(revision) <= _MAX_DIGITS
    number = int(revision) if sequence is None and is_number else sequence
    made = make_bundle(
        roots,
        name=called,
        revision=revision,
        sequence=number,
        data=data or (),
        signing=None if sign is None else Signing(file=sign, key_id=key_id, algorithm=algorithm, scope=scope),
        with_library=not without_library,
    )
    write_bundle(made, output)
    signed = f"signed ({made.algorithm})" if made.algorithm else "not signed"
    streams.tell(f"{output}: bundle {called}, {len(made.rules)} rules, {signed}\n")
    return 0
