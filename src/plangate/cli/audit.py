"""``plangate audit``: what was decided and done, and whether the log is whole."""

import json
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plangate.cli import options, streams

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command("list")
def list_records(
    *,
    state_dir: options.StateDir = None,
    config: options.Config = None,
    last: Annotated[
        int, typer.Option("--last", "-n", min=1, help="At most so many records, the newest.")
    ] = 50,
    record_type: Annotated[
        str | None, typer.Option("--type", help="Only records of this type, e.g. decision.")
    ] = None,
    output_format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> int:
    """List records, the oldest first."""
    from plangate.audit.record import RecordType
    from plangate.cli.answer import renderer
    from plangate.errors import UsageError

    renderer(output_format)
    types = [known.value for known in RecordType]
    if record_type is not None and record_type not in types:
        raise UsageError(f"--type: {record_type!r} (expected one of: {', '.join(types)})")
    count = 0
    found: deque[tuple[int, dict[str, Any]]] = deque(maxlen=last)
    for index, record in _records(config, state_dir):
        if record_type in {None, record["type"]}:
            count += 1
            found.append((index, record))
    if output_format == "json":
        streams.tell(json.dumps([{"index": index} | record for index, record in found], indent=2) + "\n")
        return 0
    lines = [
        f"{index:>6}  {record['time']}  {record['type']:<18}  {_line(record)}" for index, record in found
    ]
    total = f"{count} record{'' if count == 1 else 's'}"
    lines.append(total if count == len(found) else f"the last {len(found)} of {total}")
    streams.tell("\n".join(lines) + "\n")
    return 0


@app.command("show")
def show(
    record: Annotated[str, typer.Argument(help="Index of a record, or a decision id (all its records).")],
    *,
    state_dir: options.StateDir = None,
    config: options.Config = None,
) -> int:
    """Show one record, or all records of one decision, as JSON."""
    from plangate.errors import UsageError

    found = [
        {"index": index} | item
        for index, item in _records(config, state_dir)
        if (record.isdecimal() and index == int(record)) or item["body"].get("decision_id") == record
    ]
    if not found:
        raise UsageError(f"no record {record!r} in the log", hint="`plangate audit list` shows what is there")
    streams.tell("".join(json.dumps(item, indent=2) + "\n" for item in found))
    return 0


def _records(config: Path | None, state_dir: Path | None) -> "Iterator[tuple[int, dict[str, Any]]]":
    from plangate import wiring

    choices = wiring.Choices(config=config, state_dir=state_dir)
    yield from wiring.stored_records(wiring.state_folder(wiring.settings_for(choices), choices))


def _line(record: dict[str, Any]) -> str:
    from plangate.report.base import one_line

    body = record["body"]
    kind = record["type"]
    said: tuple[str, ...]
    if kind == "decision":
        subject = body["subject"]
        said = (
            f"{body['result']:<5}",
            subject["name"],
            _digest(subject["sha256"]),
            f"by {record['actor']['name']}",
        )
    elif kind == "execution.started":
        said = (_digest(body["plan_sha256"]), f"in {body['environment']}", f"by {record['actor']['name']}")
    elif kind == "execution.event" and body["address"]:
        said = (body["event"], body["address"], body["action"])
    elif kind == "execution.event":
        said = (body["event"], body["message"])
    elif kind == "execution.finished":
        said = (body["result"], f"follow-up plan: {body['follow_up']}", body["message"])
    elif kind == "obligation.checked":
        said = (body["result"], f"{body['rule']} at {body['address']}", body["message"])
    elif kind == "policy.activated":
        said = (f"bundle {body['name']}", f"sequence {body['sequence']}", body["revision"])
    else:
        said = (body.get("role", ""),)
    return "  ".join(one_line(word).ljust(5) for word in said if word).rstrip()


def _digest(sha256: str) -> str:
    return f"sha256 {sha256[:16]}"


@app.command("export")
def export(
    output: Annotated[Path, typer.Argument(help="File to write.")],
    *,
    state_dir: options.StateDir = None,
    config: options.Config = None,
) -> int:
    """Write the whole log with a fresh checkpoint to one file, for `audit verify --bundle` elsewhere."""
    from plangate import wiring

    choices = wiring.Choices(config=config, state_dir=state_dir)
    count = wiring.export_log(wiring.state_folder(wiring.settings_for(choices), choices), output)
    streams.say(f"wrote {output}: {count} records\n")
    return 0


@app.command("verify")
def verify(
    *,
    state_dir: options.StateDir = None,
    config: options.Config = None,
    key: Annotated[
        list[Path] | None,
        typer.Option("--key", help="Public key file of the log. [default: log.pub in the state folder]"),
    ] = None,
    bundle: Annotated[Path | None, typer.Option("--bundle", help="Verify an exported log instead.")] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", help="A checkpoint kept elsewhere; the log must have grown from it."),
    ] = None,
) -> int:
    """Verify, without writing anything, that the log has lost or changed nothing since its checkpoints."""
    from plangate import wiring
    from plangate.errors import EXIT_CANNOT_DECIDE

    choices = wiring.Choices(config=config, state_dir=state_dir)
    folder = wiring.state_folder(wiring.settings_for(choices), choices)
    found = wiring.verify_log(folder, keys=key or (), bundle=bundle, checkpoint=checkpoint)
    for problem in found.problems:
        streams.tell(f"  ✗ {_clean(problem)}\n")
    if found.more_problems:
        streams.tell(f"  … and {found.more_problems} more\n")
    if not found.ok:
        streams.tell(
            f"NOT VERIFIED: {len(found.problems) + found.more_problems} problems in {found.size} records\n"
        )
        return EXIT_CANNOT_DECIDE
    types = ", ".join(f"{count} {name}" for name, count in found.types)
    streams.tell(f"verified: {found.size} records ({types or 'none'}), root {found.root.hex()}\n")
    return 0


def _clean(text: object) -> str:
    from plangate.report.base import one_line

    return one_line(text)
