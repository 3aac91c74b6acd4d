"""Functions of lists, tuples, maps and objects.

Keys of maps and objects are visited in order, as Terraform does, wherever the order shows.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from plangate.model.values import UNKNOWN, all_of, any_of
from plangate.parsers.hcl.functions_arithmetic import add
from plangate.parsers.hcl.functions_base import (
    LIST,
    NUM,
    TEXT,
    TEXTS,
    VALUE,
    Function,
    Parameter,
    check_size,
    whole,
)
from plangate.parsers.hcl.functions_graphemes import clusters
from plangate.parsers.hcl.types import BOOL, STRING, collection
from plangate.parsers.hcl.values import (
    MapValue,
    SetValue,
    Value,
    compared,
    identity,
    is_known,
    is_sequence,
    items_of,
    kind,
    to_bool,
    to_list,
    to_map,
    to_number,
    to_text,
    unify,
)

MAX_RANGE: Final = 1024
"""Terraform's own bound."""
MAX_FRACTIONS: Final = 10_000
"""Numbers with a fraction in one sum: their addition is slow."""
_BOOLS: Final = Parameter(type=collection("list", BOOL), parts=True)
_PARTS: Final = Parameter(parts=True)
_NULLABLE: Final = Parameter(parts=True, whole=True, null=True)
_PART_LIST: Final = Parameter(type=LIST.type, parts=True)
_ANYTHING: Final = Parameter(parts=True, null=True)


def _sequence(value: Value, *, sets: bool = False) -> list[Value] | tuple[Value, ...]:
    """A list or tuple as it is; a set as a list where one may stand."""
    if isinstance(value, SetValue) and sets:
        return list(value.items)
    if not isinstance(value, list | tuple):
        raise ValueError(f"a list or tuple is required, not {kind(value)}")  # noqa: TRY004 -- a refusal, not a bug
    return value


def _mapping(value: Value) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise ValueError(f"a map or object is required, not {kind(value)}")  # noqa: TRY004 -- as above
    return value


def _alltrue(values: list[Value]) -> Value:
    return all_of(False if value is None else value for value in values)


def _anytrue(values: list[Value]) -> Value:
    return any_of(False if value is None else value for value in values)


def _chunklist(values: list[Value], size: int | Decimal) -> Value:
    width = whole(size, "size")
    if width < 0:
        raise ValueError("size must not be negative")
    if not width:
        return [values] if values else []
    return [values[start : start + width] for start in range(0, len(values), width)]


def _coalesce(*values: Value) -> Value:
    """The first that is neither null nor, among strings, empty. All get one type, which the unknown ones decide too."""
    for value in unify(values):
        if value is not None and not (isinstance(value, str) and not value):
            return value
    raise ValueError("no argument that is neither null nor empty")


def _coalescelist(*values: Value) -> Value:
    for value in values:
        if value is not UNKNOWN:
            _sequence(value)
    for value in values:
        if value is UNKNOWN or value:
            return value
    raise ValueError("no list that is not empty")


def _compact(values: list[str | None]) -> Value:
    return [value for value in values if value]


def _concat(*values: Value) -> Value:
    sequences = [_sequence(value) for value in values]
    check_size(sum(map(len, sequences)))
    joined = [item for sequence in sequences for item in sequence]
    # Lists stay a list, of one type; a single tuple makes a tuple of everything as it is.
    return unify(joined) if all(isinstance(value, list) for value in values) else tuple(joined)


def _contains(values: Value, wanted: Value) -> Value:
    is_known(values)
    is_known(wanted)
    return any_of(compared(value, wanted) for value in _sequence(values, sets=True))


def _distinct(values: list[Value]) -> Value:
    found: dict[str, Value] = {}
    for value in values:
        found.setdefault(identity(value), value)
    return list(found.values())


def _element(values: Value, index: int | Decimal) -> Value:
    items, at = _sequence(values), whole(index, "index")
    if not items:
        raise ValueError("an empty list has no elements")
    if at < 0 and isinstance(items, tuple):
        raise ValueError("the index must not be negative")
    if at < -len(items):
        return UNKNOWN  # from the end of a list, but how far differs between versions
    return items[at % len(items)]


def _flatten(values: Value) -> Value:
    flat: list[Value] = []
    # Iterators of the sequences that are open, so that deep nesting needs no recursion.
    todo = [iter(_sequence(values, sets=True))]
    while todo:
        for item in todo[-1]:
            if item is UNKNOWN:
                return UNKNOWN  # it may be a list of any length
            if is_sequence(item):
                todo.append(iter(items_of(item)))
                break
            flat.append(item)
            check_size(len(flat))
        else:
            todo.pop()
    return tuple(flat)


def _index(values: Value, wanted: Value) -> Value:
    is_known(values)
    is_known(wanted)
    for i, value in enumerate(_sequence(values)):
        same = compared(value, wanted)
        if same is UNKNOWN:
            return UNKNOWN
        if same:
            return i
    raise ValueError("item not found")


def _keys(value: Value) -> Value:
    names = sorted(_mapping(value))
    return names if isinstance(value, MapValue) else tuple(names)


def _values(value: Value) -> Value:
    found = [inner for _, inner in sorted(_mapping(value).items())]
    return found if isinstance(value, MapValue) else tuple(found)


def _length(value: Value) -> Value:
    if isinstance(value, str):
        found = clusters(value)
        return UNKNOWN if found is None else len(found)
    if isinstance(value, dict):
        return len(value)
    return len(_sequence(value, sets=True))


def _lookup(value: Value, name: str, *default: Value) -> Value:
    found = _mapping(value)
    if name in found:
        return found[name]
    if not default:
        raise ValueError("the map has no such key, and no default is given")
    return _as_element(found, default[0]) if isinstance(found, MapValue) else default[0]


_SCALARS: Final = {"string": to_text, "number": to_number, "bool": to_bool, "list": to_list, "map": to_map}


def _as_element(values: MapValue, default: Value) -> Value:
    """A default with the type of a map's values, as far as they show it."""
    if default is None or default is UNKNOWN:
        return default
    kinds = {kind(value) for value in values.values()} - {"null", "unknown"}
    if kinds:
        convert = _SCALARS.get(next(iter(kinds)))
        # Whether an object fits depends on types that its values do not show.
        return convert(default) if convert else UNKNOWN
    if is_sequence(default) or isinstance(default, dict):
        return default
    # No value shows the type. A text that is neither number nor bool can only stay one.
    if isinstance(default, str):
        for convert in (to_number, to_bool):
            try:
                convert(default)
            except ValueError:
                continue
            return UNKNOWN
        return default
    return UNKNOWN


def _matchkeys(values: list[Value], keys: list[Value], wanted: list[Value]) -> Value:
    if len(values) != len(keys):
        raise ValueError("values and keys must have the same length")
    same = [identity(key) for key in unify([*keys, *wanted])]
    chosen = set(same[len(keys) :])
    return [value for value, key in zip(values, same, strict=False) if key in chosen]


def _merge(*values: Value) -> Value:
    if not all(value is UNKNOWN or value is None or isinstance(value, dict) for value in values):
        raise ValueError("arguments must be maps or objects")
    if any(value is UNKNOWN for value in values):
        return UNKNOWN
    given = [value for value in values if value is not None]
    merged = {name: inner for value in given for name, inner in value.items()}
    check_size(len(merged))
    one_type = len({kind(inner) for inner in merged.values()} - {"null", "unknown"}) <= 1
    return MapValue(merged) if given and one_type and all(isinstance(v, MapValue) for v in given) else merged


def _one(values: Value) -> Value:
    items = _sequence(values, sets=True)
    if len(items) > 1:
        raise ValueError("must be a list, set or tuple with either zero or one items")
    return items[0] if items else None


def _range(*numbers: int | Decimal) -> Value:
    start, limit = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
    step = numbers[2] if len(numbers) == 3 else -1 if limit < start else 1  # noqa: PLR2004 -- start, limit, step
    if not step:
        raise ValueError("step must not be zero")
    if (limit > start) if step < 0 else (limit < start):
        raise ValueError("the step leads away from the limit")
    made: list[int | Decimal] = []
    while (start > limit) if step < 0 else (start < limit):
        if len(made) >= MAX_RANGE:
            raise ValueError(f"more than {MAX_RANGE} values were generated")
        made.append(start)
        start = add(start, step)
    return made


def _reverse(values: Value) -> Value:
    return _sequence(values, sets=True)[::-1]


def _slice(values: Value, start: int | Decimal, end: int | Decimal) -> Value:
    items = _sequence(values)
    first, last = whole(start, "start index"), whole(end, "end index")
    if not 0 <= first <= last <= len(items):
        raise ValueError("start and end index must lie within the list, in this order")
    return items[first:last]


def _sort(values: list[str | None]) -> Value:
    texts = [value for value in values if value is not None]
    if len(texts) != len(values):
        raise ValueError("a null item cannot be sorted")
    return sorted(texts)


def _sum(values: Value) -> Value:
    items = [to_number(item) for item in _sequence(values, sets=True)]
    if not items or None in items:
        raise ValueError("a list of numbers is required, with at least one and without null")
    check_size(sum(isinstance(item, Decimal) for item in items), MAX_FRACTIONS)
    total: int | Decimal = 0
    for item in items:
        total = add(total, item)
    return total


def _transpose(value: Value) -> Value:
    made: MapValue = MapValue()
    for name, items in sorted(value.items()):
        if items is None or None in items:
            raise ValueError("a null value cannot be transposed")
        for item in items:
            made.setdefault(item, []).append(name)
    return MapValue(sorted(made.items()))


def _zipmap(keys: list[Value], values: Value) -> Value:
    items = _sequence(values)
    if len(keys) != len(items):
        raise ValueError("the number of keys does not match the number of values")
    if None in keys:
        raise ValueError("a null key")
    if UNKNOWN in keys:
        return UNKNOWN
    pairs = zip(keys, items, strict=True)
    made = MapValue if isinstance(values, list) else dict
    return made(pairs)


def _converter(name: str, convert: Callable[[Value], Value]) -> Function:
    return Function(name=name, run=convert, parameters=(_ANYTHING,))


FUNCTIONS: Final = (
    Function(name="alltrue", run=_alltrue, parameters=(_BOOLS,)),
    Function(name="anytrue", run=_anytrue, parameters=(_BOOLS,)),
    Function(name="chunklist", run=_chunklist, parameters=(_PART_LIST, NUM)),
    Function(name="coalesce", run=_coalesce, rest=_NULLABLE, least=1),
    Function(name="coalescelist", run=_coalescelist, rest=Parameter(parts=True, whole=True), least=1),
    Function(name="compact", run=_compact, parameters=(TEXTS,)),
    Function(name="concat", run=_concat, rest=_PARTS, least=1),
    Function(name="contains", run=_contains, parameters=(_PARTS, _PARTS)),
    Function(name="distinct", run=_distinct, parameters=(LIST,)),
    Function(name="element", run=_element, parameters=(_PARTS, NUM)),
    Function(name="flatten", run=_flatten, parameters=(_PARTS,)),
    Function(name="index", run=_index, parameters=(_PARTS, _PARTS)),
    Function(name="keys", run=_keys, parameters=(_PARTS,)),
    Function(name="length", run=_length, parameters=(_PARTS,)),
    Function(name="lookup", run=_lookup, parameters=(_PARTS, TEXT, _NULLABLE), least=2),
    Function(name="matchkeys", run=_matchkeys, parameters=(LIST, LIST, LIST)),
    Function(name="merge", run=_merge, rest=_NULLABLE),
    Function(name="one", run=_one, parameters=(_PARTS,)),
    Function(name="range", run=_range, parameters=(NUM, NUM, NUM), least=1),
    Function(name="reverse", run=_reverse, parameters=(_PARTS,)),
    Function(name="slice", run=_slice, parameters=(_PARTS, NUM, NUM)),
    Function(name="sort", run=_sort, parameters=(TEXTS,)),
    Function(name="sum", run=_sum, parameters=(VALUE,)),
    Function(
        name="transpose",
        run=_transpose,
        parameters=(Parameter(type=collection("map", collection("list", STRING))),),
    ),
    Function(name="values", run=_values, parameters=(_PARTS,)),
    Function(
        name="zipmap",
        run=_zipmap,
        parameters=(Parameter(type=collection("list", STRING), parts=True), _PARTS),
    ),
    # Sensitivity is the evaluator's to track; the value is the same.
    _converter("nonsensitive", lambda value: value),
    _converter("tobool", to_bool),
    _converter("tolist", to_list),
    _converter("tomap", to_map),
    _converter("tonumber", to_number),
    _converter("tostring", to_text),
)
