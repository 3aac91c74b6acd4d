"""Terraform source of a case: what its resources set, as somebody would write it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cloud_cases.table import COMPUTED, UNKNOWN, Case, Ref, Set

LATER: Final = "var.later"
"""A variable without a value: nobody knows what it will be."""


def blocks_of(cases: tuple[Case, ...]) -> frozenset[str]:
    """Names that are blocks: those which somewhere hold some."""
    return frozenset(
        name for case in cases for planned in case.resources.values() for name in _blocks(planned.values)
    )


def _blocks(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if _is_blocks(value) and value:
            yield name
            for block in value:
                yield from _blocks(block)


def _is_blocks(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def source(case: Case, blocks: frozenset[str]) -> str:
    """The text of ``main.tf``."""
    parts = []
    if case.provider:
        native = next(iter(case.resources)).partition("_")[0]
        parts.append(_block(f'provider "{native}"', case.provider, blocks, 0))
    for address, planned in case.resources.items():
        native_type, _, name = address.partition(".")
        parts.append(_block(f'resource "{native_type}" "{name}"', planned.values, blocks, 0))
    text = "\n\n".join("\n".join(part) for part in parts) + "\n"
    return f'variable "later" {{}}\n\n{text}' if LATER in text else text


def _block(head: str, values: Mapping[str, Any], blocks: frozenset[str], depth: int) -> list[str]:
    space = "  " * depth
    body = [line for name, value in values.items() for line in _member(name, value, blocks, depth + 1)]
    return [f"{space}{head} {{", *body, f"{space}}}"] if body else [f"{space}{head} {{}}"]


def _member(name: str, value: Any, blocks: frozenset[str], depth: int) -> list[str]:
    space = "  " * depth
    if value is None or value == COMPUTED:
        return []
    if name in blocks and value == UNKNOWN:
        # How many blocks there are is what nobody knows.
        return [
            f'{space}dynamic "{name}" {{',
            f"{space}  for_each = {LATER}",
            f"{space}  content {{}}",
            f"{space}}}",
        ]
    if name in blocks and _is_blocks(value):
        return [line for item in value for line in _block(name, item, blocks, depth)]
    return [f"{space}{name} = {_expression(value)}"]


def _expression(value: Any) -> str:
    if value == UNKNOWN:
        return LATER
    if isinstance(value, Ref | Set):
        return value.to
    if isinstance(value, list):
        return f"[{', '.join(_expression(item) for item in value)}]"
    if isinstance(value, dict):
        members = ", ".join(f"{json.dumps(key)} = {_expression(item)}" for key, item in value.items())
        return f"{{ {members} }}" if members else "{}"
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")
