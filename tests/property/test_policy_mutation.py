"""Mutation, as theorems: over policies that are put together at random."""

import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from plangate.authoring.mutation.operators import mutants
from plangate.authoring.mutation.report import difference
from plangate.authoring.mutation.run import Subject, Tried, Verdict
from plangate.errors import PolicyLoadError
from tests.unit.authoring.mutation.builders import folder, mutated, parsed
from tests.unit.policy.builders import a_policy

names = st.sampled_from(["size", "a_b", "encrypted", '["x y"]', '["ü→"]'])
texts = st.sampled_from(['"a"', '"ü→\\"q"', "`r\\aw`", '"compute.instance"', '""'])
numbers = st.integers(-3, 1000).map(str)
scalars = st.one_of(texts, numbers, st.sampled_from(["true", "false", "null", "2.5"]))
reads = names.map(lambda name: f"disk.after{name if name.startswith('[') else '.' + name}")
terms = st.recursive(
    st.one_of(scalars, reads),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda found: "{" + ", ".join(found) + "}"),
        st.lists(inner, max_size=3).map(lambda found: "[" + ", ".join(found) + "]"),
        st.tuples(inner, st.sampled_from("+-*|&"), inner).map(lambda found: f"({' '.join(found)})"),
        inner.map(lambda found: f"count({found})"),
        inner.map(lambda found: f"{{x | x := {found}}}"),
        st.tuples(inner, inner).map(lambda found: f"startswith({found[0]}, {found[1]})"),
    ),
    max_leaves=4,
)
conditions = st.one_of(
    st.tuples(terms, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), terms).map(" ".join),
    reads,
    reads.map(lambda read: f"not {read}"),
    st.tuples(reads, terms).map(lambda found: f"{found[0]} in {found[1]}"),
    st.tuples(terms, reads).map(lambda found: f"every v in {found[1]} {{ v == {found[0]} }}"),
    terms.map(lambda term: f"y := {term} # ü, {{ and ("),
)


@st.composite
def policies(draw: st.DrawFn) -> str:
    """Definitions with random bodies, with and without brackets, on one line or on many."""
    found = ["package p", ""]
    for number in range(draw(st.integers(1, 3))):
        lines = draw(st.lists(conditions, min_size=1, max_size=3))
        lines = [line.replace("y :=", f"y{at} :=") for at, line in enumerate(lines)]
        head = draw(st.sampled_from([f"r{number}", f"r{number} contains 1", f"f{number}(disk)"]))
        if len(lines) == 1 and draw(st.booleans()):
            found.append(f"{head} if {lines[0]}")
        else:
            body = "".join(
                f"\t{line}\n"
                for line in ("disk := input.d", *lines)
                if "(disk)" not in head or "input" not in line
            )
            found.append(f"{head} if {{\n{body}}}")
        found.append("")
    return "\n".join(found)


def parses(text: str) -> bool:
    try:
        parsed(text)
    except PolicyLoadError:
        return False
    return True


sources = policies().filter(parses)


@settings(max_examples=60)
@given(sources)
def test_every_mutant_differs_from_the_original_and_from_every_other(text: str) -> None:
    found = mutants(parsed(text))
    changed = [mutant.apply(text) for mutant in found]
    assert text not in changed
    assert len({*changed}) == len(changed)
    assert len({mutant.name for mutant in found}) == len(found)


@settings(max_examples=60)
@given(sources)
def test_every_mutant_parses(text: str) -> None:
    assert [mutant.apply(text) for mutant in mutants(parsed(text)) if not parses(mutant.apply(text))] == []


def patched(text: str, diff: list[str]) -> str:
    """What a unified diff makes of a text; every line that it keeps or takes away is there."""
    before = text.split("\n")
    after, at = [], 0
    for line in diff:
        if found := re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+\S+ @@", line):
            start = int(found[1]) - (found[2] != "0")
            after += before[at:start]
            at = start
        elif line[:1] == "+":
            after.append(line[1:])
        else:
            assert before[at] == line[1:]
            after += [before[at]] if line[:1] == " " else []
            at += 1
    return "\n".join([*after, *before[at:]])


@settings(max_examples=60)
@given(sources)
def test_the_diff_of_a_mutant_makes_it_of_the_original(text: str) -> None:
    for mutant in mutants(parsed(text)):
        tried = Tried(mutant=mutant, verdict=Verdict.SURVIVED)
        subject = Subject(name="p", file="p.rego", text=text, tests=0, tried=(tried,))
        assert patched(text, difference(subject, tried)) == mutant.apply(text)


@settings(max_examples=60)
@given(sources)
def test_what_is_changed_is_inside_a_definition_of_the_policys_own_file(text: str) -> None:
    module = parsed(text, "own/p.rego")
    lines = text.split("\n")
    for mutant in mutants(module):
        assert mutant.file == "own/p.rego"
        assert module.package_start < mutant.start <= mutant.end <= len(module.encoded)
        assert 1 <= mutant.line <= len(lines)
        assert module.position(mutant.start) == (mutant.line, mutant.column)
        first = next(
            at
            for at, (old, new) in enumerate(zip(lines, mutant.apply(text).split("\n"), strict=False))
            if old != new
        )
        assert mutant.line <= first + 1


@settings(max_examples=3, deadline=None)
@given(
    st.lists(
        st.sampled_from(["size > 10", "size < 3", "encrypted == false", 'name == "ü"']),
        min_size=1, max_size=3, unique=True,
    ),
    st.integers(2, 4),
)  # fmt: skip
def test_results_do_not_depend_on_the_number_of_workers(lines: list[str], jobs: int) -> None:
    body = "".join(f"\tdisk.after.{line}\n" for line in lines)
    rule = (
        '\ndeny contains lib.finding(disk, "bad") if {\n\tsome disk in lib.of_kind("disk.volume")\n'
        + body
        + "}\n"
    )
    with tempfile.TemporaryDirectory() as name:
        source = folder(Path(name), limit=a_policy(rule, extra="kinds: [disk.volume]"), limit_test=TESTS)
        one, more = mutated(source), mutated(source, jobs=jobs)
    assert more.subjects == one.subjects
    assert sum(len(subject.tried) for subject in one.subjects) > 0


TESTS = """package policies.test.no_bad_test

import data.policies.test.no_bad

disk(after) := {"resources": [{
	"address": "d", "kind": "disk.volume", "mode": "managed", "action": "create", "deposed": null, "after": after,
}]}

test_none if no_bad.deny == set() with input as disk({})

test_pass if no_bad.deny == set() with input as disk({"size": 5, "encrypted": true, "name": "a"})
"""
