"""Nested blocks, with ``dynamic`` ones written out.

Source: https://developer.hashicorp.com/terraform/language/expressions/dynamic-blocks
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.evaluate import evaluate
from plangate.parsers.hcl.origins import Opaque, is_unknown
from plangate.parsers.hcl.run import EvaluationError
from plangate.parsers.hcl.scope import Scope
from plangate.parsers.hcl.syntax import Block, Body, Expression, Literal, Name
from plangate.parsers.hcl.values import SetValue

RESOURCE_META: Final = frozenset({"count", "depends_on", "for_each", "provider"})
"""Arguments of every resource and data source, which no provider sees."""
RESOURCE_META_BLOCKS: Final = frozenset({"connection", "lifecycle", "provisioner"})


def safely(compute: Callable[[], Any]) -> Any:
    """The value, or unknown where Terraform would refuse to evaluate it."""
    try:
        return compute()
    except EvaluationError:
        return UNKNOWN


def nested_blocks(body: Body, scope: Scope) -> Iterator[tuple[Block, Scope | None]]:
    """Nested blocks with ``dynamic`` ones written out, each with its scope.

    A dynamic block of which it is not known how often it comes is given as it is, without a scope.
    """
    for block in body.blocks:
        if block.type != "dynamic" or len(block.labels) != 1:
            yield block, scope
            continue
        yield from _dynamic(block, scope)


def _dynamic(block: Block, scope: Scope) -> Iterator[tuple[Block, Scope | None]]:
    attributes = block.body.attributes
    content = next((inner for inner in block.body.blocks if inner.type == "content"), None)
    source = attributes.get("for_each")
    if content is None or source is None:
        yield block, None
        return
    inner = scope.within(block.place.file)
    given = safely(lambda: evaluate(source.value, inner))
    iterator = block.labels[0]
    if "iterator" in attributes:
        iterator = _iterator(attributes["iterator"].value) or iterator
    members = _dynamic_members(given)
    if members is None:
        yield block, None
        return
    for key, value in members:
        scope.run.spend(1, block.place)
        yield (
            Block(block.labels[0], (), content.body, content.place),
            inner.child({iterator: {"key": key, "value": value}}),
        )


def _dynamic_members(given: Any) -> list[tuple[Any, Any]] | None:
    if is_unknown(given) or given is None or isinstance(given, Opaque | str | bool | int):
        return None
    if isinstance(given, dict):
        return sorted(given.items())
    if isinstance(given, list | tuple):
        return list(enumerate(given))
    return [(item, item) for item in given.items] if isinstance(given, SetValue) else None


def _iterator(value: Expression) -> str:
    """The name that a dynamic block binds; in the JSON syntax it is text."""
    return value.name if isinstance(value, Name) else str(value.value) if isinstance(value, Literal) else ""
