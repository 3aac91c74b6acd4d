# ruff: noqa: INP001, T201 - a script, not a package; it talks to its user
"""Writes fixtures/pulumi/rules and the previews of fixtures/machine from the tables in scripts/pulumi_cases.

They are what ``pulumi preview --json`` writes.

    python scripts/make_pulumi_fixtures.py [--check]

Source: https://github.com/pulumi/pulumi/blob/master/pkg/display/json.go (``PreviewDigest``)
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pulumi_cases import aws, clouds, kubernetes, machine
from pulumi_cases.table import LATER, Cases, Out, Row

FIXTURES: Final = Path(__file__).resolve().parent.parent / "fixtures"
FOLDER: Final = FIXTURES / "pulumi" / "rules"
URN: Final = "urn:pulumi:prod::shop::"
REGIONS: Final = {"aws": "eu-central-1", "gcp": "europe-west1"}
VERSIONS: Final = {"aws": "7.8.0", "azure": "6.26.0", "gcp": "9.1.0", "kubernetes": "4.23.0"}


def main() -> None:
    """Writes all previews; with ``--check`` it only says which of them are not as the tables have them."""
    made = {FOLDER / f"{name}.json": preview(rows) for name, rows in merged().items()}
    made |= {
        FIXTURES / "machine" / side / "preview.json": preview(rows) for side, rows in machine.CASES.items()
    }
    present = {*FOLDER.glob("*.json"), *(FIXTURES / "machine").glob("*/preview.json")}
    stale = sorted(p for p in {*made, *present} if p not in present or made.get(p) != p.read_text("utf-8"))
    if "--check" in sys.argv[1:]:
        if stale:
            sys.exit(f"{stale[0]} and {len(stale) - 1} more differ (python scripts/make_pulumi_fixtures.py)")
        return
    for path in present - set(made):
        path.unlink()
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    print(f"{len(made)} files")


def merged() -> Cases:
    """All tables; a rule may be in several."""
    found: dict[str, tuple[Row, ...]] = {}
    for cases in (aws.CASES, clouds.CASES, kubernetes.CASES):
        for name, rows in cases.items():
            found[name] = (*found.get(name, ()), *rows)
    return found


def preview(rows: tuple[Row, ...]) -> str:
    """The preview of some resources, each made by its package's default provider."""
    tokens = {row.name: row.token for row in rows}
    steps = [_plain("pulumi:pulumi:Stack", "shop-prod", {}, custom=False)]
    for package in dict.fromkeys(row.token.partition(":")[0] for row in rows):
        inputs = {"version": VERSIONS.get(package, "1.0.0")}
        if package in REGIONS:
            inputs["region"] = REGIONS[package]
        steps.append(_plain(f"pulumi:providers:{package}", "main", inputs, custom=True))
    for row in rows:
        steps += _steps(row, tokens)
    counts = Counter(
        step["op"] for step in steps if step["op"] not in {"create-replacement", "delete-replaced"}
    )
    document = {"config": {}, "steps": steps, "duration": 1200000000, "changeSummary": dict(counts)}
    return json.dumps(document, indent=1) + "\n"


def _plain(token: str, name: str, inputs: Mapping[str, Any], *, custom: bool) -> dict[str, Any]:
    urn = f"{URN}{token}::{name}"
    state = {"urn": urn, "custom": custom, "type": token, "inputs": inputs}
    return {"op": "create", "urn": urn, "newState": state}


def _steps(row: Row, tokens: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    urn = f"{URN}{row.token}::{row.name}"
    provider = f"{URN}pulumi:providers:{row.token.partition(':')[0]}::main::{LATER}"
    depends = {
        name: [f"{URN}{tokens[to]}::{to}" for to in found]
        for name, value in row.inputs.items()
        if (found := list(_outs(value)))
    }
    state = {
        "urn": urn,
        "custom": True,
        "type": row.token,
        "inputs": _written(row.inputs),
        "provider": provider,
        **({"propertyDependencies": depends} if depends else {}),
    }
    old = {**state, "id": row.name, "outputs": state["inputs"]}
    if row.op == "create":
        yield {"op": "create", "urn": urn, "newState": state}
    elif row.op == "replace":
        for op in ("create-replacement", "replace"):
            yield {"op": op, "urn": urn, "oldState": old, "newState": state, "replaceReasons": ["name"]}
        yield {"op": "delete-replaced", "urn": urn, "oldState": old}
    elif row.op == "update":
        yield {"op": "update", "urn": urn, "oldState": old, "newState": state}
    else:
        yield {"op": row.op, "urn": urn, "oldState": old}


def _outs(value: Any) -> Iterator[str]:
    if isinstance(value, Out):
        yield value.of
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _outs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _outs(item)


def _written(value: Any) -> Any:
    if isinstance(value, Out):
        return LATER
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items()}
    return [_written(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
