"""What a rule can read is taken from its syntax tree, and never too little."""

from pathlib import Path

import pytest

from plangate.policy.reads import EVERYTHING, Reads
from tests.unit.policy.builders import a_policy, load_policy


def reads_of(root: Path, lines: str, more: str = "", subject: str = "r") -> Reads:
    """What a rule with these lines reads; ``r`` is the resource that its finding is about."""
    text = a_policy(
        f"""
deny contains lib.finding({subject}, "bad") if {{
	some r in lib.of_kind("compute.instance")
	{lines}
}}
{more}"""
    )
    return load_policy(root, text).reads["no-bad"]


def own(reads: Reads) -> set[str]:
    """Own reads as text; ``?`` marks those of which only the presence matters."""
    assert reads.others == ()
    assert not reads.plan
    deep = {read.path for read in reads.own if read.deep}
    shallow = {read.path for read in reads.own if not read.deep} - deep
    return {".".join(path) or "everything" for path in deep} | {".".join(path) + "?" for path in shallow}


OWN = {
    "r.facts.public_ip == true": {"facts.public_ip"},
    "r.after.a": {"after.a"},
    "r.after.a.b[0].c == 1": {"after.a.b.*.c"},
    'r.after["a b"] == 1': {"after.a b"},
    "not r.after.a == 1": {"after.a"},
    "r.address == r.kind": set(),
    "r.before.a == 1": set(),
    'r.action in {"create"}': set(),
    "some x in r.after.list\n\tx.port == 22": {"after.list?", "after.list.*?", "after.list.*.port"},
    "x := r.after.list[_]\n\tx == 1": {"after.list.*"},
    "some k, _ in r.after.tags\n\tk == `a`": {"after.tags?", "after.tags.*?"},
    "every x in r.after.list { x > 1 }": {"after.list?", "after.list.*"},
    "count(r.after.list) > 1": {"after.list?", "after.list.*?"},
    "is_string(r.after.a)": {"after.a?"},
    "t := r.after.tags\n\tt.env == 1": {"after.tags?", "after.tags.env"},
    "t := r\n\ts := t\n\ts.after.x == 1": {"after.x"},
    "object.get(r.after, `a`, 0) == 1": {"after?", "after.a"},
    "object.get(r, [`after`, `a`, `b`], 0) == 1": {"after.a.b"},
    "object.get(r.after.tags, `a`, r.after.b) == 1": {"after.tags?", "after.tags.a", "after.b"},
    "x := [r.after.a, r.after.b]\n\tx[0] == 1": {"after.a", "after.b"},
    'x := {"k": r.after.a}\n\tx.k == 1': {"after.a"},
    "x := {y | some y in r.after.list}\n\t1 in x": {"after.list?", "after.list.*"},
    "[x, _] := r.after.pair\n\tx == 1": {"after.pair?", "after.pair.*"},
    "x = r.after.a\n\tx == 1": {"after.a"},
    "json.unmarshal(r.after.policy).a == 1": {"after.policy"},
    'startswith(r.region, "eu")': {"region"},
    '"/a/b" in r.unknown': {"after.a.b"},
    'not "/a~1b" in r.unknown': {"after.a/b"},
    "count(r.unknown) == 0": {"after"},
    'x := "a"\n\tr.after[x] == 1': {"after.*"},
    "count({x | x := r.after.list[_]}) == 1": {"after.list.*"},
    "count({r.after.a, r.after.b}) == 1": {"after.a", "after.b"},
    "count([x | x := r.after.list[_]]) == 1": {"after.list.*?"},
    "count({x | x := r}) == 1": set(),
    "walk(r.after.a, [_, x])\n\tx == 1": {"after.a"},
    "some k, v in r.after\n\tv == k": {"after?", "after.*"},
    "some x in r.after.a | r.after.b\n\tx == 1": {"after.a", "after.a.*", "after.b", "after.b.*"},
    "r.after == {}": {"after"},
    "r == {}": {"everything"},
    "some k, v in r\n\tv == k": {"everything"},
    "print(r.after.a)": {"after.a?"},
}  # fmt: skip


@pytest.mark.parametrize("lines", OWN)
def test_reads_of_its_own_resource(lines: str, tmp_path: Path) -> None:
    assert own(reads_of(tmp_path, lines)) == OWN[lines]


def test_functions_read_what_they_get(tmp_path: Path) -> None:
    more = "has(x, key) if x.after[key]\n\nfirst(x) := x.after.a\n\ndeep(x) := first(x).b\n"
    assert own(reads_of(tmp_path, "deep(r) == 1", more)) == {"after.a?", "after.a.b"}
    assert own(reads_of(tmp_path, "has(r, `a`)", more)) == {"after.*"}


def test_a_function_reads_for_each_of_its_arguments(tmp_path: Path) -> None:
    more = "is_on(x) if x.flag == true\n"
    assert own(reads_of(tmp_path, "is_on(r.after.a)\n\tis_on(r.after.b)", more)) == {
        "after.a?", "after.a.flag", "after.b?", "after.b.flag"
    }  # fmt: skip


def test_a_parameter_that_is_compared_is_read(tmp_path: Path) -> None:
    more = "same(x, x) := true\n\nnamed(`a`) := true\n\npair([x, _]) := x\n"
    assert own(reads_of(tmp_path, "same(r.after.a, r.after.b)", more)) == {"after.a", "after.b"}
    assert own(reads_of(tmp_path, "named(r.after.a)", more)) == {"after.a"}
    assert own(reads_of(tmp_path, "pair(r.after.a) == 1", more)) == {"after.a"}


def test_the_finding_may_have_a_name_of_its_own(tmp_path: Path) -> None:
    text = a_policy(
        """
deny contains found if {
	some r in lib.of_kind("compute.instance")
	r.after.a == 1
	found := lib.finding_at(r, sprintf("%v", [r.after.b]), "/a")
}
"""
    )
    assert own(load_policy(tmp_path, text).reads["no-bad"]) == {"after.a", "after.b"}


OTHERS = {
    # Another resource than the one that the finding is about.
    'some s in lib.of_kind("disk.volume")\n\ts.facts.encrypted == false': {
        "disk.volume": {"facts.encrypted"}
    },
    "some s in input.resources\n\ts.after.a == 1": {"": {"after.a"}},
    "some s in lib.references(r)\n\ts.after.a == 1": {"": {"after.a"}},
    # A rule that is asked for all resources at once.
    "r.address in open": {"compute.instance": {"after.a"}},
    "count(input.resources) > count([1 | input.resources[_].after.a])": {"": {"after.a"}},
}


@pytest.mark.parametrize("lines", OTHERS)
def test_reads_of_other_resources(lines: str, tmp_path: Path) -> None:
    more = 'open contains i.address if {\n\tsome i in lib.of_kind("compute.instance")\n\ti.after.a == 1\n}\n'
    reads = reads_of(tmp_path, lines, more)
    found = {kind: {".".join(read.path) for read in reads if read.deep} for kind, reads in reads.others}
    assert (found, reads.own) == (OTHERS[lines], frozenset())


@pytest.mark.parametrize(
    "lines",
    [
        # The subject is not what one line finds, one at a time.
        "s := [r]\n\tt := s[0]\n\tt.after.a == 1",
        "s := r\n\ts.after.a == 1",
    ],
)
def test_a_subject_that_cannot_be_followed_is_not_its_own(lines: str, tmp_path: Path) -> None:
    subject = "t" if "t :=" in lines else "s"
    reads = reads_of(tmp_path, lines, subject=subject)
    assert reads.own == frozenset()
    assert [kind for kind, _ in reads.others] == ["compute.instance"]


EVERYTHING_READ = [
    "input == {}",
    "x := input[r.address]\n\tx == 1",
    "walk(input, [_, x])\n\tx == 1",
    "count(json.unmarshal(input)) == 1",
    "input.resources == []",
    "every x in input { x == 1 }",
]


@pytest.mark.parametrize("lines", EVERYTHING_READ)
def test_reads_everything(lines: str, tmp_path: Path) -> None:
    assert reads_of(tmp_path, lines) == EVERYTHING


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("some o in input.outputs\n\to.after == 1", True),
        ("input.checks[0].status == `fail`", True),
        ("input.source.environment == `prod`", False),
        ("count(input.provisioners) == 0", False),
    ],
)
def test_reads_of_the_plan(lines: str, expected: bool, tmp_path: Path) -> None:
    assert reads_of(tmp_path, lines).plan is expected
