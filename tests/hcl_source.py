"""Short ways to read Terraform source in tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plangate.model.plan import Plan, Resource
from plangate.parsers.base import Limits, Options
from plangate.parsers.hcl.folder import SourceTree
from plangate.parsers.hcl.plan import parse

Files = Mapping[str, str | bytes]


def a_folder(folder: Path, files: Files) -> Path:
    """A folder with these files, by path."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def plan_of(
    folder: Path, files: Files, *, module: str = "", limits: Limits | None = None, **options: Any
) -> Plan:
    """The plan of the source in these files."""
    limits = limits or Limits()
    return parse(SourceTree(a_folder(folder, files), limits), module, "source", Options(**options), limits)


def plan_of_text(folder: Path, text: str, **options: Any) -> Plan:
    """The plan of one file."""
    return plan_of(folder, {"main.tf": text}, **options)


def resources_of(plan: Plan) -> Mapping[str, Resource]:
    """Resources by address."""
    return {resource.address: resource for resource in plan.resources}


def value_of(folder: Path, expression: str, source: str = "", **options: Any) -> Any:
    """The value of an expression, with `UNKNOWN`, beside a source that it may read."""
    plan = plan_of_text(
        folder, f'{source}\nresource "terraform_data" "it" {{\n  input = {expression}\n}}\n', **options
    )
    return resources_of(plan)["terraform_data.it"].planned.get("input")
