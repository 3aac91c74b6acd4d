"""What the embedded engine accepts it answers as OPA does, or it says that it cannot answer."""

import json
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.rego_engines import ERROR, Answer, compile_errors, embedded, refusal, running_opa
from tests.tools import require_tool

SCALARS: Final = ("0", "1", "2", "-1", '"a"', '"b"', '""', "true", "false", "null")
PLACES: Final = (
    "input.n", "input.m", "input.t", "input.s", "input.a", "input.a[0]", "input.a[_]", "input.o", "input.o.k",
    "input.o[input.s]", "input.rs", "input.rs[_].n", "input.rs[1].k", "input.missing", "input.nul", "members",
    "table", "table.a", "flag", "perhaps",
)  # fmt: skip
HELPERS: Final = """
members contains n if {
	some v in input.rs
	n := v.n
}

table[k] := n if {
	some v in input.rs
	k := v.k
	n := v.n
}

default flag := false

flag if input.t == true

perhaps := 1 if input.n == 1

same(a) := a

small(a) if a < 2

size(a) := count(a)

kind(a) := "number" if is_number(a)

else := "text" if is_string(a)
"""
"""Rules that every module has, so that expressions have something to refer to."""

COLLECTIONS: Final = (
    "input.a", "input.o", "input.rs", "members", "table", "[1, 2]", '{"a", 1}', '{"k": 1}', "input.missing", "input.m",
)  # fmt: skip
COMPARISONS: Final = ("==", "==", "!=", "<", "<=", ">", ">=")
SIGNS: Final = ("+", "-", "*", "%", "|", "&")
UNARY: Final = (
    "count", "sum", "max", "min", "sort", "upper", "is_string", "is_number", "type_name", "abs", "object.keys", "same",
    "small", "size", "kind", "array.reverse", "trim_space",
)  # fmt: skip
BINARY: Final = ("startswith", "contains", "array.concat", "object.union", "object.remove", "concat")
VALUES: Final[tuple[Any, ...]] = (None, True, False, 0, 1, 2, -1, "", "a", "b", "é", [], [1], {"k": 1})


class Writer:
    """Writes policies and documents at random. A seed is all that Hypothesis has to draw, which keeps it fast."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - what is written is no secret

    def one(self, choices: Sequence[Any]) -> Any:
        return self.random.choice(choices)

    def expression(self, depth: int, names: Sequence[str]) -> str:  # noqa: C901, PLR0911 - one arm per form
        """An expression that may use these variables."""
        one = self.one
        if depth == 0 or self.random.random() < 0.2:
            return str(one([*SCALARS, *PLACES, *names, *names, *names]))

        def inner(more: Sequence[str] = ()) -> str:
            return self.expression(depth - 1, [*names, *more])

        match self.random.randrange(13):
            case 0 | 1:
                return f"({inner()} {one(SIGNS)} {inner()})"
            case 2:
                return f"({inner()} {one(COMPARISONS)} {inner()})"
            case 3 | 4:
                return f"{one(UNARY)}({inner()})"
            case 5:
                return f"{one(BINARY)}({inner()}, {inner()})"
            case 6:
                return f"object.get({inner()}, {inner()}, 0)"
            case 7:
                return f"({inner()} in {inner()})"
            case 8:
                return str(one(["[{}, {}]", "{{{}, {}}}", '{{"p": {}, "q": {}}}', "{{{}: {}}}"])).format(
                    inner(), inner()
                )
            case 9:
                # Of sets, sprintf makes another text.
                return f'sprintf("%v", [{one([*SCALARS, "input.n", "input.o", "input.a", *names])}])'
            case 10:
                return f"[{inner(NESTED)} | {self.body(depth - 1, names, NESTED)}]"
            case 11:
                return f"{{{inner(NESTED)} | {self.body(depth - 1, names, NESTED)}}}"
            case _:
                return f"{{{inner(NESTED)}: {inner(NESTED)} | {self.body(depth - 1, names, NESTED)}}}"

    def line(self, depth: int, names: Sequence[str]) -> str:
        """A condition."""
        one, two = self.expression(depth, names), self.expression(depth, names)
        return str(
            self.one(
                [
                    f"{one} {self.one(COMPARISONS)} {two}",
                    f"{one} {self.one(COMPARISONS)} {self.one(SCALARS)}",
                    f"{one} in {two}",
                    one,
                    f"not {self.one([*PLACES, *names])}",
                    f"not {self.one(names)} {self.one(COMPARISONS)} {self.one([*SCALARS, *names])}",
                    f"not {self.one(names)} in {self.one(COLLECTIONS)}",
                    f"not {one}",
                    f"every e in {self.one(COLLECTIONS)} {{ {self.every(depth, names)} }}",
                ]
            )
        )

    def every(self, depth: int, names: Sequence[str]) -> str:
        return f"{self.expression(depth, [*names, 'e'])} {self.one(COMPARISONS)} {self.expression(0, [*names, 'e'])}"

    def body(self, depth: int, names: Sequence[str], own: Sequence[str]) -> str:
        """Lines that give a value to the variables ``own``, and conditions."""
        item, key = own[0], own[-1]
        lines = [
            self.one(
                [
                    f"some {key}, {item} in {self.one(COLLECTIONS)}",
                    f"some {item} in {self.one(COLLECTIONS)}; {key} := {self.one(SCALARS)}",
                    f"{item} := {self.expression(0, names)}; some {key} in {self.one(COLLECTIONS)}",
                ]
            )
        ]
        lines += [self.line(depth, [*names, *own]) for _ in range(self.random.randrange(3))]
        return "; ".join(lines)

    def policy(self) -> str:
        """A rule ``x``."""
        value, lines = self.expression(2, OWN), self.body(1, (), OWN)
        return str(
            self.one(
                [
                    f"x contains {value} if {{ {lines} }}",
                    f"x contains a if {{ {lines}; a := {value} }}",
                    f"x contains a if {{ {lines}; a := {value} }}",
                    f"x := a if {{ {lines}; a := {value} }}",
                    f"x[b] := a if {{ {lines}; a := {value}; b := {self.expression(1, OWN)} }}",
                    f"y[b] contains a if {{ {lines}; a := {value}; b := {self.expression(1, OWN)} }}\n\nx := y[1]",
                    f"x := 1 if {{ {lines} }}\n\nelse := {self.expression(1, ())}",
                    f"default x := 7\n\nx := {value} if {{ {lines} }}",
                    f"x := {self.expression(3, ())}",
                    f"x contains 1 if {{ {lines} }}\n\nx contains 2 if {{ {self.body(1, (), OWN)} }}",
                    f"y := {value} if {{ {lines} }}\n\nx if not y",
                    f"f(v, i) := {value}\n\nx := [f(b, a) | some a, b in {self.one(COLLECTIONS)}]",
                ]
            )
        )

    def document(self) -> dict[str, Any]:
        """An input in which anything may be missing or of another type."""
        value = partial(self.one, VALUES)
        found = {
            "n": self.one([0, 1, 2, value()]), "m": value(), "t": self.one([True, False]), "s": self.one(["a", "k", "b"]),
            "a": self.one([[1, 2, 3], [value(), value()], value()]), "nul": None,
            "o": self.one([{"a": 1, "k": value()}, {"k": "a"}, value()]),
            "rs": [{"k": self.one(["a", "b", value()]), "n": value()} for _ in range(self.random.randrange(4))],
        }  # fmt: skip
        for item in found["rs"]:
            if self.random.random() < 0.3:
                item.pop(self.one(["k", "n"]))
        return {key: item for key, item in found.items() if self.random.random() < 0.9}


OWN: Final = ("v", "v.k", "v.n", "i")
"""The variables of a rule's body, and what may be in them."""
NESTED: Final = ("w", "w.n", "j")
"""The same of a comprehension."""

BATCH: Final = 200


def both(texts: Sequence[str], document: str) -> dict[str, tuple[Answer, Answer]]:
    """Each policy that both take, with the embedded engine's answer and OPA's."""
    program = require_tool("opa")
    modules = [
        (f"s{number}.rego", f"package generated.s{number}\n{HELPERS}\n{text}\n")
        for number, text in enumerate(texts)
    ]
    accepted = [number for number in range(len(texts)) if refusal([modules[number]]) is None]
    errors = compile_errors(program, [modules[number] for number in accepted])
    taken = [number for number in accepted if modules[number][0] not in errors]
    chosen = [modules[number] for number in taken]
    mine = embedded(chosen, [f"data.generated.s{number}.x" for number in taken], document=document)
    with running_opa(program, chosen) as opa:
        theirs = [opa.ask(f"generated.s{number}.x", document) for number in taken]
    return {texts[number]: (one, other) for number, one, other in zip(taken, mine, theirs, strict=True)}


@pytest.mark.opa
@settings(max_examples=4)
@given(st.integers(min_value=0, max_value=2**32))
def test_what_is_accepted_is_answered_as_opa_answers_it_or_not_at_all(seed: int) -> None:
    writer = Writer(seed)
    answers = both([writer.policy() for _ in range(BATCH)], json.dumps(writer.document()))
    different = {
        text: (mine, other)
        for text, (mine, other) in answers.items()
        if not mine.agrees(other) and mine.kind != ERROR
    }
    assert different == {}
    assert len(answers) > BATCH // 10
