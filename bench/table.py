"""Benchmark results as a Markdown table, with ratios inside one run."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

_HEAD: Final = (
    "| Input | Tool | Wall time, median (min to max) | Runs | Peak memory "
    "| Time / Plangate | Memory / Plangate |\n"
    "|---|---|---:|---:|---:|---:|---:|"
)


def table(document: dict[str, Any]) -> str:
    """The table, then a line on the machine and the versions."""
    machine = document["machine"]
    versions = ", ".join(f"{name} {machine[name]}" for name in machine if name != "cpu")
    # Other work makes all times longer; a reader has to know.
    busy = f", load average before the run {document['load']:.1f}" if "load" in document else ""
    aws = [f"- {line}" for line in document.get("aws", ())]
    section = (
        ["", "The executor for AWS, against a double of AWS on the same machine:", "", *aws] if aws else []
    )
    said = f"Measured on {machine['cpu']}{busy}; {versions}."
    return "\n".join((_HEAD, *_lines(document), *section, "", said))


def _lines(document: dict[str, Any]) -> Iterator[str]:
    for name, group in groupby(document["rows"], key=lambda row: row["row"]):
        rows = list(group)
        # Rows of engines alone begin with Plangate's own.
        ours = next((row for row in rows if row["tool"] == "plangate"), rows[0])
        for place, row in enumerate(rows):
            shown = "" if place else name
            yield f"| {shown} | {row['tool']} | {' | '.join(_figures(row, ours, document['timeout_s']))} |"


def _figures(row: dict[str, Any], ours: dict[str, Any], timeout_s: float) -> Iterator[str]:
    late = row["exit_code"] is None
    if row["median_s"] is None and not late:
        yield from (f"failed (exit {row['exit_code']})", "0", "", "", "")
        return
    if late:
        yield f"not done after {timeout_s:g} s"
    else:
        yield f"{_time(row['median_s'])} ({_time(min(row['seconds']))} to {_time(max(row['seconds']))})"
    yield str(len(row["seconds"]))
    yield f"{'over ' if late else ''}{row['peak_bytes'] / 1e6:.0f} MB"
    if row is ours or ours["median_s"] is None:
        yield from ("1", "1") if row is ours else ("", "")
    else:
        seconds = timeout_s if late else row["median_s"]
        yield f"{'over ' if late else ''}{seconds / ours['median_s']:.1f}"
        yield f"{'over ' if late else ''}{row['peak_bytes'] / ours['peak_bytes']:.1f}"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
