"""``Fn::ForEach``: members that a loop makes, anywhere in a template.

Source:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from plangate.parsers.cloudformation.texts import holes, replaced
from plangate.parsers.cloudformation.trace import Budget

PREFIX: Final = "Fn::ForEach::"
_ARGUMENTS: Final = 3

Collection = Callable[[Any], list[str] | None]


def expanded_members(
    node: Mapping[str, Any], collection: Collection, budget: Budget
) -> dict[str, Any] | None:
    """The members of an object with its loops carried out; ``None`` when that is not known or makes one twice."""
    found: dict[str, Any] = {}
    for key, value in node.items():
        made = loop_members(value, collection, budget) if key.startswith(PREFIX) else iter(((key, value),))
        for entry in made:
            if entry is None or entry[0] in found:
                return None
            found[entry[0]] = entry[1]
    return found


def loop_members(loop: Any, collection: Collection, budget: Budget) -> Iterator[tuple[str, Any] | None]:
    """What one loop makes, loops inside of it carried out; ``None`` for what is not known."""
    if (
        not isinstance(loop, list)
        or len(loop) != _ARGUMENTS
        or not isinstance(loop[0], str)
        or not isinstance(loop[2], Mapping)
    ):
        yield None
        return
    name, source, body = loop
    items = collection(source)
    if items is None:
        yield None
        return
    for item in items:
        for key, value in body.items():
            inner = _filled(value, name, item, budget)
            made = _replaced(key, name, item, budget)
            if key.startswith(PREFIX):
                yield from loop_members(inner, collection, budget)
            else:
                yield made, inner


def _replaced(text: str, name: str, value: str, budget: Budget) -> str:
    # Counted before it is made: a long item in a text full of holes is more than memory holds.
    budget.spend(len(text) + holes(text, name) * len(value))
    return replaced(text, name, value)


def _filled(node: Any, name: str, value: str, budget: Budget) -> Any:
    """A copy of a part of the template for one turn of a loop."""
    if isinstance(node, str):
        return _replaced(node, name, value, budget)
    budget.spend()
    if isinstance(node, list):
        return [_filled(item, name, value, budget) for item in node]
    if isinstance(node, Mapping):
        if len(node) == 1 and node.get("Ref") == name:
            return value
        return {
            _replaced(key, name, value, budget): _filled(item, name, value, budget)
            for key, item in node.items()
        }
    return node
