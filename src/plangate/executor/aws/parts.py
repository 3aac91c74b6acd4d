"""Resources that cannot carry our tags, known without the journal: by what they are a part of, and their key in it.

Rules this module keeps:
1. A part is ours when what it is a part of is: a resource of the same stack, by journal or tags.
2. Its key in there is all that is asked for. How it is otherwise is a difference, which the plan shows.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from plangate.executor.aws.base import REF, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.difference import holds_unknown

_NO_TOKEN: Final = "0" * 32


def part_of(
    ours: Iterable[tuple[str, Found]],
    handler: Handler,
    aws: Aws,
    properties: Properties,
    owner: Owner,
    logical_id: str,
) -> Found | None:
    """What is there of this key, if it is a part of something of ours; ``None`` for a type that is no part.

    Args:
        ours: What is there of the stack, with types.
        handler: Of the part.
        aws: Connections.
        properties: As wanted, or as it was.
        owner: Of the stack.
        logical_id: Of the part.
    """
    if not handler.part_of or any(holds_unknown(properties.get(name)) for name in handler.key):
        return None
    names = _names([found for kind, found in ours if kind == handler.whole])
    if not _is_among(properties.get(handler.part_of), names):
        return None
    mark = Mark(owner=owner, logical_id=logical_id, token=_NO_TOKEN)
    identifier = handler.within(aws, properties, mark)
    found = None if identifier is None else handler.read(aws, [identifier]).get(identifier)
    if found is None or not _is_among(found.properties.get(handler.part_of), names):
        return None
    return found


def _names(wholes: Sequence[Found]) -> frozenset[str]:
    """What they are called; other attributes may name something else, as the VPC of a subnet does."""
    told = (each.attributes.get(name) for each in wholes for name in (REF, "Arn"))
    return frozenset(
        [*(each.identifier for each in wholes), *(name for name in told if isinstance(name, str))]
    )


def _is_among(value: Any, names: frozenset[str]) -> bool:
    """Whether a value, or each value of a list, is one of these names."""
    if isinstance(value, list | tuple):
        return bool(value) and all(_is_among(each, names) for each in value)
    return isinstance(value, str) and value in names
