"""Unknowns are safe by construction: a value that a rule is said not to read never changes what it says."""

import json
import re
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from plangate.errors import PolicyLoadError
from plangate.model.values import pointer
from plangate.policy.files import LoadLimits, PolicyFiles, read_files
from plangate.policy.load import check, shipped_library
from plangate.policy.reads import Read, Reads, Unknowns, touches_unknown
from plangate.policy.worker import new_engine
from tests.unit.policy.builders import a_policy

KEYS = ("a", "b", "c")
FACTS = ("encrypted", "public_ip")
KINDS = ("compute.instance", "disk.volume")
LIBRARY = read_files([shipped_library()], LoadLimits())

HELPERS = """
first(x) := x.a

nested(x) := y if { y := x.after.b }

is_on(x) if x.a == 1

is_on(x) if not x.b == 2

chosen(x, key) := object.get(x, key, 0)

open contains s.address if {
	some s in lib.of_kind("disk.volume")
	s.after.c == 1
}

all_b contains s.after.b if some s in input.resources

by_a[s.address] := s.after.a if some s in input.resources

wrap(x) := {"v": x, "w": [x.b]}
"""

keys = st.sampled_from(KEYS)
steps = st.one_of(keys.map(lambda key: f".{key}"), st.sampled_from(["[_]", "[0]", '["a"]', "[k]"]))
subjects = st.sampled_from(["r.after", "r.after", "s.after", "v", "w"])
places = st.one_of(
    keys.map(lambda key: f"r.after.{key}"),
    st.builds(lambda one, two: f"r.after.{one}.{two}", keys, keys),
    st.builds(lambda base, rest: base + "".join(rest), subjects, st.lists(steps, min_size=1, max_size=3)),
    st.builds(lambda base, fact: f"{base}.facts.{fact}", st.sampled_from("rsv"), st.sampled_from(FACTS)),
)
literals = st.sampled_from(["1", "1", '"a"', "null", "true", '{"b": 1}', '{"b": 1}', "[1]"])


def wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions around another one."""
    return st.one_of(
        inner.map(lambda e: f"first({e})"),
        inner.map(lambda e: f'object.get({{"k": {e}}}, "k", 1)'),
        st.builds(lambda e, key: f'chosen({{"{key}": {e}}}, "{key}")', inner, keys),
        inner.map(lambda e: f"[{e}]"),
        inner.map(lambda e: f'{{"k": {e}}}'),
        inner.map(lambda e: f"{{y | y := {e}}}"),
        inner.map(lambda e: f"[y | some y in lib.items({e})]"),
        inner.map(lambda e: f"wrap({e}).v"),
        inner.map(lambda e: f"count(lib.items({e}))"),
        inner.map(lambda e: f"type_name({e})"),
    )


expressions = st.recursive(st.one_of(places, literals), wrapped, max_leaves=3)
conditions = st.one_of(
    st.builds(lambda a, b: f"{a} == {b}", expressions, expressions),
    st.builds(lambda a, b: f"{a} != {b}", places, literals),
    st.builds(
        lambda a, b: f"not {a} == {b}", places.filter(lambda p: "_" not in p and "k]" not in p), literals
    ),
    st.builds(lambda a, b: f"{a} in lib.items({b})", literals, places),
    places,
    places.map(lambda p: f"is_on({p})"),
    st.builds(lambda p, lit: f"[{p}] == [{lit}]", places, literals),
    st.builds(lambda p, lit: f'{{"k": {p}}}.k == {lit}', places, literals),
    st.builds(lambda p, lit: f"{{y | y := {p}}} == {{{lit}}}", places, literals),
    st.builds(lambda p, lit: f"{lit} in {{y | y := {p}}}", places, literals),
    st.builds(lambda p, lit: f'object.get({{}}, "k", {p}) == {lit}', places, literals),
    places.map(lambda p: f"count({p}) == 1"),
    places.map(lambda p: f"count({{y | y := {p}[_]}}) == 1"),
    places.map(lambda p: f"count([1 | some y in {{z | z := {p}[_]}}]) == 1"),
    st.builds(lambda p, q: f"count({{{p}, {q}}}) == 1", places, places),
    st.builds(lambda p, q: f"count({{{p}}} | {{{q}}}) == 1", places, places),
    st.builds(lambda p, q: f"count({{[{p}], [{q}]}}) == 1", places, places),
    st.sampled_from(["count(all_b) == 1", "count([1 | some y in all_b; y]) == 2"]),
    places.map(lambda p: f'some key, _ in {p}\n\tkey == "b"'),
    places.map(lambda p: f"object.keys({p}) == {{`b`}}"),
    st.builds(lambda p, lit: f"y := {p}[_]\n\ty == {lit}", places, literals),
    st.builds(lambda p, lit: f"wrap({p}).v == {lit}", places, literals),
    st.builds(lambda p, lit: f"y = {p}\n\ty == {lit}", places, literals),
    st.builds(lambda p, lit: f"[y, _] := [{p}, 1]\n\ty == {lit}", places, literals),
    st.builds(lambda p, lit: f"walk({p}, [_, y])\n\ty == {lit}", places, literals),
    st.builds(lambda p, lit: f"not {{y | y := {p}}} == {{{lit}}}", places, literals),
    st.sampled_from(
        [
            "nested(r) == 1",
            "nested(s) == nested(r)",
            "r.address in open",
            "by_a[r.address] == 1",
            "r == s",
            'some y in lib.of_kind("disk.volume")\n\ty.after.b == r.after.b',
            "every y in lib.items(r.after.c) { y == 1 }",
            '"/a" in r.unknown',
            "count(r.unknown) == 0",
            "some t in lib.references(r)\n\tt.after.a == 1",
            "walk(r.after.a, [_, y])\n\ty == 1",
            "some key, y in r.after\n\tkey == y",
        ]
    ),
)
BINDINGS = {
    "v": ["r", "r.after", "r.after.a", "[r.after, s]", "{1, 2}", "s.after", 'object.get(r, "after", 1)'],
    "w": ["r.after.b", "v", "[v]", '{"a": r.after.c}', "s", "wrap(r.after)", "1"],
}


@st.composite
def rules(draw: st.DrawFn) -> str:
    """A policy with one or two conditions, each with a finding of its own, so that each can be told apart."""
    found = []
    for index in range(draw(st.integers(1, 2))):
        line = draw(conditions)
        lines = ["some r in lib.of_kind(`compute.instance`)"]
        names = set(re.findall(r"\b[a-z]+\b", line))
        if "s" in names or names & {"v", "w"}:
            lines.append("some s in input.resources")
        if "k" in names:
            lines.append("some k in [`a`, `b`]")
        bound = [name for name in "vw" if name in names or (name == "v" and "w" in names)]
        lines += [f"{name} := {draw(st.sampled_from(BINDINGS[name]))}" for name in bound]
        body = "\n\t".join((*lines, line))
        found.append(f'deny contains lib.finding(r, "{index}") if {{\n\t{body}\n}}\n')
    return a_policy("\n".join(found) + HELPERS)


leaves = st.one_of(st.sampled_from([1, 1, 2, "a", True]), st.none(), st.builds(lambda: {"b": 1}))
trees: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.dictionaries(keys, inner, max_size=3),
        st.lists(inner, max_size=2),
        inner.map(lambda item: [item, item]),
    ),
    max_leaves=6,
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Plan documents of three resources, of two kinds."""
    return {
        "resources": [
            {
                "address": f"x.r{index}",
                "kind": draw(st.sampled_from(KINDS)),
                "mode": "managed",
                "action": "create",
                "deposed": None,
                "after": draw(st.fixed_dictionaries({"a": trees, "b": trees}, optional={"c": trees})),
                "facts": draw(
                    st.fixed_dictionaries({"encrypted": st.booleans(), "public_ip": st.booleans()})
                ),
                "unknown": [],
                "references": [{"at": "/a", "address": "x.r0", "exact": True}],
            }
            for index in range(3)
        ]
    }


def paths_of(tree: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every place in a tree, and one below each object where nothing is yet."""
    found = [path] if path else []
    if isinstance(tree, dict):
        places = ((key, (*path, key)) for key in KEYS)
        found += [
            deeper
            for key, here in places
            for deeper in (paths_of(tree[key], here) if key in tree else [here])
        ]
    elif isinstance(tree, list):
        found += [deeper for index, item in enumerate(tree) for deeper in paths_of(item, (*path, str(index)))]
    return found


def replaced(tree: Any, path: tuple[str, ...], value: Any) -> Any:
    """A copy of a tree with another value at a place; ``...`` takes it away (from a list: makes it null)."""
    # Through text: two places of a generated tree may be one object, which a deep copy keeps.
    tree = json.loads(json.dumps(tree))
    place = tree
    for key in path[:-1]:
        place = place[int(key)] if isinstance(place, list) else place[key]
    last: Any = int(path[-1]) if isinstance(place, list) else path[-1]
    if value is not ...:
        place[last] = value
    elif isinstance(place, list):
        place[last] = None
    else:
        place.pop(last, None)
    return tree


def checked(text: str) -> Reads:
    """What the check says that a rule reads, without a folder."""
    module = type(LIBRARY.modules[0])(
        name="policy.rego", text=text, source="test", path=LIBRARY.modules[0].path
    )
    (rule,) = check(PolicyFiles(modules=(module, *LIBRARY.modules), tests=(), data={}))
    return rule.reads


def answer(text: str, document: Mapping[str, Any]) -> frozenset[tuple[str, str]] | None:
    """Address and condition of what is denied, or ``None`` when the rule fails."""
    engine = new_engine()
    engine.add_policy("policy.rego", text)
    for file in LIBRARY.modules:
        engine.add_policy(file.name, file.text)
    engine.set_input_json(json.dumps(document))
    try:
        found = json.loads(engine.eval_query_as_json("data.policies.test.no_bad.deny"))
    except RuntimeError:
        return None
    (result,) = found["result"]
    return frozenset(
        (finding["address"], finding["message"]) for finding in result["expressions"][0]["value"]
    )


@given(text=rules(), document=documents(), data=st.data())
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_a_value_that_is_not_read_changes_no_answer(
    text: str, document: dict[str, Any], data: st.DataObject
) -> None:
    try:
        reads = checked(text)
    except PolicyLoadError:
        reject()
    which = data.draw(st.integers(0, 2))
    resource = document["resources"][which]
    path = data.draw(st.sampled_from(paths_of(resource["after"])))
    value = data.draw(st.one_of(st.sampled_from([..., 1]), trees))
    other = json.loads(json.dumps(document))
    other["resources"][which]["after"] = replaced(resource["after"], path, value)
    if value is ...:
        # As in a plan: an unknown value is missing, and listed.
        other["resources"][which]["unknown"] = [pointer(*path)]
    shared: set[Read] = set()
    for kind, found in reads.others:
        if kind in {"", resource["kind"]}:
            shared |= found
    assume(not touches_unknown(shared, (), [pointer(*path)]))
    before, after = answer(text, document), answer(text, other)
    if touches_unknown(reads.own, (), [pointer(*path)]):
        # It matters to the resource itself, and to no other one.
        assume(before is not None and after is not None)
        assert before is not None
        assert after is not None
        assert {found for found in before ^ after if found[0] != resource["address"]} == set()
    else:
        assert before == after


@given(text=rules(), document=documents(), data=st.data())
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_a_fact_that_is_not_read_changes_no_answer(
    text: str, document: dict[str, Any], data: st.DataObject
) -> None:
    try:
        reads = checked(text)
    except PolicyLoadError:
        reject()
    which = data.draw(st.integers(0, 2))
    resource = document["resources"][which]
    name = data.draw(st.sampled_from(FACTS))
    other = json.loads(json.dumps(document))
    other["resources"][which]["facts"][name] = data.draw(st.sampled_from([True, False, "unknown"]))
    found = frozenset(reads.own).union(
        *(reads for kind, reads in reads.others if kind in {"", resource["kind"]})
    )
    assume(not touches_unknown(found, [name], ()))
    assert answer(text, document) == answer(text, other)


paths = st.lists(st.sampled_from(["facts", "after", *KEYS]), max_size=3).map(tuple)


@given(
    reads=st.frozensets(
        st.builds(lambda path, deep: Read(path=path, deep=deep), paths, st.booleans()), max_size=4
    ),
    facts=st.lists(keys, max_size=2),
    pointers=st.lists(st.lists(keys, max_size=3).map(lambda path: pointer(*path)), max_size=3),
)
def test_the_quick_look_at_unknown_values_agrees_with_the_slow_one(
    reads: frozenset[Read], facts: list[str], pointers: list[str]
) -> None:
    unknowns = Unknowns.of(facts, pointers)
    slow = {".".join(path) for path in unknowns.paths if any(read.touches(path) for read in reads)}
    assert set(unknowns.touched(reads)) == slow


@given(
    read=st.builds(lambda path, deep: Read(path=path, deep=deep), paths, st.booleans()),
    pointers=st.lists(st.lists(keys, max_size=2).map(lambda path: pointer(*path)), max_size=3),
    more=st.lists(keys, max_size=2).map(lambda path: pointer(*path)),
)
def test_more_unknown_values_never_make_a_rule_sure_again(read: Read, pointers: list[str], more: str) -> None:
    if touches_unknown({read}, (), pointers):
        assert touches_unknown({read}, (), [*pointers, more])
