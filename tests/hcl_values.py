"""Values that functions of Terraform are tried with, and what may come of them when parts are not known."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.values import MapValue, SetValue, kind

TEXTS: Final = (
    "", "a", "b", "abc", "A-b_c d", "ünï", "日本", "ß", "e\u0301", "x,y,z", "  a\n", "a\nb\nc\n", "\r\n", "true", "1",
    "-1.5", "0", "%s-%d", "%v %v", "%05d", "%-6s|", "/a+/", "/(a)|b/", "$1-$0", "[a-z]+", "(a)(b)?", "(?P<n>[0-9]+)",
    "10.0.0.0/8", "192.168.1.77/24", "fd00::/48", "2024-02-29T23:59:59Z", "2023-12-31T00:00:00+05:30", "1h30m", "-45s",
    "YYYY-MM-DD", "EEE D MMM hh:mm aa", "aGk=", '{"a":[1,2.5,null]}', "[1,", "a: [1, yes]\nb: {c: ~}",
    "- x\n- |\n  y\n",     "a,b\n1,2\n", "dns", "UTF-8", 'q"\\', "<&>", "k",
)  # fmt: skip
NUMBERS: Final = (
    0, 1, 2, 3, 5, 8, 10, 16, 62, -1, -3, 255, 1024, 2**31, 10**20, -(10**25), 2**600 + 1, Decimal("0.5"),
    Decimal("-1.5"), Decimal("0.1"), Decimal("3.14159"), Decimal("1e-7"), Decimal("123456789.987654321"),
)  # fmt: skip
ROWS: Final[tuple[Any, ...]] = (
    (), ("a",), ("b", "a", "c"), ("a", "b", "a", ""), (1, 2, 3), (3, 1, 2, 1), (1, "a", True), (True, False),
    (("a", "b"), ("c",)), ((), (1, (2, 3))), ("10", "9"), ({"a": 1}, {"a": "x"}), ({"a": 1}, {"b": (2,)}),
    ("é", "z", "A"), (Decimal("0.1"), Decimal("0.2"), Decimal("0.3")), (None,), ("a", None), (1, None, 2),
)  # fmt: skip
OBJECTS: Final[tuple[Any, ...]] = (
    {}, {"a": 1}, {"b": "x", "a": "y"}, {"a": ("x", "y"), "b": ("y",)}, {"a": None}, {"k": {"n": 1}},
    {"a": True, "b": 2}, {"é": "ü", "A b": ()},
)  # fmt: skip


def masked(value: Any, hide: Callable[[], bool]) -> Any:
    """The value with some parts unknown; a set that would hold one is unknown as a whole."""
    if hide():
        return UNKNOWN
    if isinstance(value, SetValue):
        items = tuple(masked(item, hide) for item in value.items)
        return value if items == value.items else UNKNOWN
    if isinstance(value, list | tuple):
        return type(value)(masked(item, hide) for item in value)
    if isinstance(value, dict):
        made = {name: masked(inner, hide) for name, inner in value.items()}
        return MapValue(made) if isinstance(value, MapValue) else made
    return value


def may_become(partial: Any, full: Any) -> bool:
    """Nothing that is known in the one is otherwise in the other."""
    if partial is UNKNOWN:
        return True
    if kind(partial) != kind(full):
        return False
    if isinstance(partial, dict):
        return partial.keys() == full.keys() and all(may_become(partial[name], full[name]) for name in full)
    if isinstance(partial, list | tuple):
        return len(partial) == len(full) and all(map(may_become, partial, full))
    return bool(partial == full)
