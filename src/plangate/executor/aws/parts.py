"""Resources that cannot carry our tags, known without the journal: by what they are a part of, and their key in it.

Rules this module keeps:
1. A part is ours when what it is a part of is: a resource of the same stack, by journal or tags.
2. Its key in there is all that is asked for. How it is otherwise is a difference, which the plan shows.
"""

from collections.abc import Iterable
from typing import Any, Final

from plangate.executor.aws.base import Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.difference import holds_unknown

_NO_TOKEN: Final = "0" * 32


def part_of(
    ours: Iterable[Found], handler: Handler, aws: Aws, properties: Properties, owner: Owner, logical_id: str
) -> Found | None:
    """What is there of this key, if it is a part of something of ours; ``None`` for a type that is no part.

    Args:
        ours: What is there of the stack.
        handler: Of the part.
        aws: Connections.
        properties: As wanted, or as it was.
        owner: Of the stack.
        logical_id: Of the part.
    """
    if not handler.part_of or any(holds_unknown(properties.get(name)) for name in handler.key):
        return None
    ours = tuple(ours)
    whole = properties.get(handler.part_of)
    if not is_of(ours, whole):
        return None
    mark = Mark(owner=owner, logical_id=logical_id, token=_NO_TOKEN)
    identifier = handler.within(aws, properties, mark)
    found = None if identifier is None else handler.read(aws, [identifier]).get(identifier)
    if found is None or not is_of(ours, found.properties.get(handler.part_of)):
        return None
    return found


def is_of(ours: Iterable[Found], whole: Any) -> bool:
    """Whether a value, or each value of a list, names something of ours."""
    if isinstance(whole, list | tuple):
        return bool(whole) and all(is_of(ours, each) for each in whole)
    if not isinstance(whole, str) or not whole:
        return False
    return any(whole == each.identifier or whole in each.attributes.values() for each in ours)
