"""Functions of CloudFormation that need nothing but their argument: value in, value or `UNKNOWN` out.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

import base64
import ipaddress
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from plangate.model.values import ABSENT, UNKNOWN
from plangate.parsers.cloudformation.texts import text_of

FIND_WITH_DEFAULT: Final = 4
"""Arguments of ``Fn::FindInMap`` when the last one holds its default."""

_MAX_CIDRS: Final = 256


def is_known(value: Any) -> bool:
    """Whether nothing in a value is unknown."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Mapping):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif not isinstance(item, str | int | Decimal | None):
            return False
    return True


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are known and equal, types included: ``true`` is not ``1``."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(is_same(a, b) for a, b in zip(one, other, strict=True))
    return is_known(one) and type(one) is type(other) and bool(one == other)


def index_of(value: Any) -> int | None:
    """An index, also written as text; ``None`` for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    digits = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10  # noqa: PLR2004
    return int(value) if digits else None


def select(arguments: Any) -> Any:
    """``Fn::Select``: index, list."""
    if not isinstance(arguments, list) or len(arguments) != 2:  # noqa: PLR2004
        return UNKNOWN
    at, items = index_of(arguments[0]), arguments[1]
    return items[at] if at is not None and isinstance(items, list) and at < len(items) else UNKNOWN


def splits(arguments: Any) -> int:
    """How many items `split` makes of its arguments."""
    texts = isinstance(arguments, list) and len(arguments) == 2 and all(isinstance(a, str) for a in arguments)  # noqa: PLR2004
    return arguments[1].count(arguments[0]) if texts else 0


def split(arguments: Any) -> Any:
    """``Fn::Split``: delimiter, text."""
    if not isinstance(arguments, list) or len(arguments) != 2:  # noqa: PLR2004
        return UNKNOWN
    delimiter, text = arguments
    known = isinstance(delimiter, str) and delimiter and isinstance(text, str)
    return text.split(delimiter) if known else UNKNOWN


def base64_text(argument: Any) -> Any:
    """``Fn::Base64``: text."""
    text = text_of(argument)
    return UNKNOWN if text is None else base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def length(argument: Any) -> Any:
    """``Fn::Length``: a list. How many items it has is known also where the items are not."""
    return len(argument) if isinstance(argument, list) else UNKNOWN


def json_text(argument: Any) -> Any:
    """``Fn::ToJsonString``: an object or a list."""
    if not isinstance(argument, Mapping | list) or not is_known(argument):
        return UNKNOWN
    return json.dumps(argument, separators=(",", ":"), ensure_ascii=False, default=text_of)


def cidr(arguments: Any) -> Any:
    """``Fn::Cidr``: network, how many, and bits of each part."""
    if not isinstance(arguments, list) or len(arguments) not in (2, 3):
        return UNKNOWN
    count = index_of(arguments[1])
    bits = index_of(arguments[2]) if len(arguments) == 3 else 8  # noqa: PLR2004
    try:
        network = ipaddress.ip_network(arguments[0]) if isinstance(arguments[0], str) else None
    except ValueError:
        network = None
    if network is None or count is None or bits is None or not 1 <= count <= _MAX_CIDRS:
        return UNKNOWN
    prefix = network.max_prefixlen - bits
    if prefix < network.prefixlen or bits < 1 or count > 1 << (prefix - network.prefixlen):
        return UNKNOWN
    first = int(network.network_address)
    make = type(network)
    return [str(make((first + (index << bits), prefix))) for index in range(count)]


def find_in_map(mappings: Mapping[str, Any], keys: Any) -> Any:
    """``Fn::FindInMap``: map, first and second key.

    Returns:
        The value; `ABSENT` when known keys are not there; `UNKNOWN` when a key is unknown.
    """
    if not isinstance(keys, list) or len(keys) != 3:  # noqa: PLR2004
        return UNKNOWN
    names = [text_of(key) for key in keys]
    found: Any = mappings
    for name in names:
        if name is None:
            return UNKNOWN
        found = found.get(name, ABSENT) if isinstance(found, Mapping) else ABSENT
    return found
