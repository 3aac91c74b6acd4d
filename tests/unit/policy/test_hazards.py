"""What the embedded engine would get wrong is refused when it is loaded, with its place and what to do."""

from pathlib import Path

import pytest

from plangate.errors import PolicyLoadError
from tests.unit.policy.builders import BAD_INSTANCE, a_policy, load_policy

WITH_OPA = "it works with `engine: opa`"
FIRST_LINE = 13
"""Where the body of `a_policy` begins."""


def refusal(root: Path, body: str) -> PolicyLoadError:
    """The error for a policy with these lines after its deny."""
    with pytest.raises(PolicyLoadError) as caught:
        load_policy(root, a_policy(body + BAD_INSTANCE))
    return caught.value


@pytest.mark.parametrize(
    "rule",
    [
        "x := [y | y := input.complete with input as {}]",
        "x contains {y | y := input.complete with input as {}} if true",
        "f(a) := [y | y := a with input as {}]",
    ],
)
def test_a_with_in_a_comprehension_of_a_head_is_refused(rule: str, tmp_path: Path) -> None:
    assert "`with` replaces what a rule reads" in str(refusal(tmp_path, f"\n{rule}\n"))


def test_an_object_pattern_in_a_comprehension_of_a_head_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, '\nx := [b | some {"complete": b} in input.resources]\n')
    assert "an object pattern also matches objects with more keys" in str(error)


OBJECT_OF_SETS = """
names[kind] contains resource.name if {
	some resource in input.resources
	kind := resource.kind
}
"""


@pytest.mark.parametrize(
    "line",
    [
        "count(names) == 0",
        "names == {}",
        "every _, found in names { count(found) > 1 }",
        "x := names",
        "not names",
    ],
)
def test_an_object_of_sets_as_a_whole_is_refused(line: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, f"{OBJECT_OF_SETS}\nr if {{\n\t{line}\n}}\n")
    assert "names as a whole: while it has no members, it is {} in OPA and undefined here" in str(error)
    assert WITH_OPA in error.hint


@pytest.mark.parametrize(
    "line", ["names[_][_]", 'some x in names["a.b"]', "some kind\n\tcount(names[kind]) > 1"]
)
def test_a_key_of_an_object_of_sets_is_not(line: str, tmp_path: Path) -> None:
    load_policy(tmp_path, a_policy(f"{OBJECT_OF_SETS}\nr if {{\n\t{line}\n}}\n{BAD_INSTANCE}"))


REFUSED = {
    # A builtin that is missing, or not allowed.
    "x := http.send({})": (6, "http.send is not allowed: policies must not use the network", ""),
    "x := net.lookup_ip_addr(`a`)": (
        6,
        "net.lookup_ip_addr is not allowed: policies must not use the network",
        "",
    ),
    "x := opa.runtime()": (
        6,
        "opa.runtime is not allowed: its answer depends on more than the plan, so nobody could repeat the decision",
        "",
    ),
    "x := time.now_ns()": (
        6,
        "time.now_ns is not allowed: its answer depends on more than the plan, so nobody could repeat the decision",
        "",
    ),
    "x := rand.intn(`a`, 3)": (
        6,
        "rand.intn is not allowed: its answer depends on more than the plan, so nobody could repeat the decision",
        "",
    ),
    "x := uuid.rfc4122(`a`)": (
        6,
        "uuid.rfc4122 is not allowed: its answer depends on more than the plan, so nobody could repeat the decision",
        "",
    ),
    "x := io.jwt.decode(`a`)": (6, "the embedded engine lacks io.jwt.decode", WITH_OPA),
    "x := crypto.sha256(`a`)": (6, "the embedded engine lacks crypto.sha256", WITH_OPA),
    "x := graphql.is_valid(`a`, `b`)": (6, "the embedded engine lacks graphql.is_valid", WITH_OPA),
    "x := net.cidr_intersects(`a`, `b`)": (6, "the embedded engine lacks net.cidr_intersects", WITH_OPA),
    "x := rego.metadata.rule()": (
        6,
        "rego.metadata.rule is not allowed: what it says depends on where the policy is loaded",
        "",
    ),
    "x := urlquery.encode(`a`)": (
        6,
        "urlquery.encode is not allowed: the embedded engine and OPA give different answers",
        WITH_OPA,
    ),
    "x := yaml.unmarshal(`a: yes`)": (
        6,
        "yaml.unmarshal is not allowed: YAML 1.1 and 1.2 read words like yes differently",
        f"use json.unmarshal; {WITH_OPA}",
    ),
    "x := rem(5, 3)": (6, "rem is not allowed: the embedded engine lacks it", "use the percent sign"),
    "x := any([true])": (6, "any is not allowed: it is deprecated", "use `some … in`"),
    # Calls that cannot work.
    "x := f(1)": (6, "undefined function f", "neither a builtin nor a function of the loaded policies"),
    "x := lib.of_kinds(`a`)": (
        6,
        "undefined function lib.of_kinds",
        "did you mean of_kind? plangate.lib has: ",
    ),
    "x := count(1, 2)": (
        6,
        "count takes 1 argument, not 2",
        "write `result := …` instead of a last argument",
    ),
    "x := substring(`a`, 1)": (6, "substring takes 3 arguments, not 2", ""),
    "f(a) := a\nx := f(1, 2)": (6, "no_bad.f takes 1 arguments, not 2", ""),
    "x := lib.of_kind(`a`, `b`)": (6, "lib.of_kind takes 1 arguments, not 2", ""),
    "f(a) := a\nx := f": (6, "data.policies.test.no_bad.f is a function, so it must be called", ""),
    "y := 1\nx := y(2)": (6, "no_bad.y is a rule, not a function", "leave out the brackets"),
    # Names that lead nowhere, or everywhere.
    "x := data.teams": (
        6,
        "nothing is loaded as data.teams, so this line would never hold",
        "data has: plangate, policies",
    ),
    "x := lib.by_kinds": (
        6,
        "nothing is loaded as data.plangate.lib.by_kinds, so this line would never hold",
        "did you mean by_kind? plangate.lib has: ",
    ),
    "x := data.policies": (
        6,
        "data.policies is a whole package, this rule perhaps included",
        "name the rule that is meant",
    ),
    "x := lib[`of_kind`]": (6, "data.plangate.lib.of_kind is a function, so it must be called", ""),
    "x := [y | some k in [`a`]; y := lib[k]]": (
        33,
        "data.plangate.lib is a whole package, this rule perhaps included",
        "name the rule that is meant",
    ),
    # Recursion.
    "x := y\ny := x": (1, "recursion: no_bad.x → no_bad.y → no_bad.x", ""),
    "f(a) := f(a)": (1, "recursion: no_bad.f → no_bad.f", ""),
    "f(a) := b if { b := {c | some c in a; f(c)} }": (1, "recursion: no_bad.f → no_bad.f", ""),
    # Numbers.
    "x := 0.12345678901234567890": (
        6,
        "the engine cannot hold the number 0.12345678901234567890 exactly",
        WITH_OPA,
    ),
    "x := input.a * 1.1": (
        16,
        "arithmetic with decimals gives other last digits than in OPA",
        f"calculate with whole numbers; {WITH_OPA}",
    ),
    # Patterns.
    "x if { {`a`: b} = input.c; b }": (
        8,
        "an object pattern also matches objects with more keys, unlike in OPA",
        f"read the keys one by one: `value := object.key`; {WITH_OPA}",
    ),
    "x contains b if { some {`a`: b} in input.c }": (
        24,
        "an object pattern also matches objects with more keys, unlike in OPA",
        f"read the keys one by one: `value := object.key`; {WITH_OPA}",
    ),
    "f({`a`: b}) := b": (
        3,
        "an object pattern also matches objects with more keys, unlike in OPA",
        f"read the keys one by one: `value := object.key`; {WITH_OPA}",
    ),
    # Arguments whose meaning depends on the engine.
    'x := regex.match("\\\\d", `1`)': (
        6,
        "regex.match: \\d covers other letters and digits than in OPA: write [0-9]",
        WITH_OPA,
    ),
    "x := regex.match(input.a, `1`)": (
        6,
        (
            "regex.match: the pattern must be written out, so that it can be checked: "
            "patterns are not the same in both engines"
        ),
        WITH_OPA,
    ),
    "x := regex.replace(`a`, `\\w`, `b`)": (
        6,
        "regex.replace: \\w covers other letters and digits than in OPA: write [0-9A-Za-z_]",
        WITH_OPA,
    ),
    "x := glob.match(`a*`, [`.`], `ab`)": (
        6,
        "glob.match: delimiters do not mean the same in both engines: pass null",
        WITH_OPA,
    ),
    "x := glob.match(`a?`, null, `ab`)": (
        6,
        "glob.match: the pattern must be written out, and may hold only text and single *",
        WITH_OPA,
    ),
    "x := split(`a`, ``)": (
        6,
        (
            "split: the second argument must be a text that is written out and not empty: "
            "an empty one is not the same in both"
        ),
        WITH_OPA,
    ),
    "x := sprintf(`%5d`, [1])": (
        6,
        "sprintf: only the verbs %v, %s, %d, %q and %% mean the same in both engines",
        WITH_OPA,
    ),
    "x := sprintf(`%v %v`, [1])": (6, "sprintf: 2 verbs for 1 values", WITH_OPA),
    "x := sprintf(input.a, [1])": (
        6,
        "sprintf: the format and the array of values must be written out",
        WITH_OPA,
    ),
    "x contains v if walk(input, [[`a`, _], v])": (
        17,
        "walk: write walk(value, [path, value]) with two plain variables: other patterns find less than in OPA",
        WITH_OPA,
    ),
    "x := [v | walk(input, [_, v])]": (
        6,
        "walk has another order than in OPA, so an array of what it finds differs",
        "collect into a set: {x | …}",
    ),
    "x contains v if { [_, v] := walk(input) }": (
        29,
        "walk finds nothing here in the embedded engine",
        f"write `walk(value, [path, item])` as a line of its own; {WITH_OPA}",
    ),
    "x contains v if { some [_, v] in walk(input) }": (
        34,
        "walk finds nothing here in the embedded engine",
        f"write `walk(value, [path, item])` as a line of its own; {WITH_OPA}",
    ),
    "x if walk(input, [_, v]) == true": (
        6,
        "walk finds nothing here in the embedded engine",
        f"write `walk(value, [path, item])` as a line of its own; {WITH_OPA}",
    ),
    "x := sprintf(`%s and %s`, [input.a, count(input.b)])": (
        37,
        "sprintf: %s of a number is printed otherwise in OPA",
        f"use %v; {WITH_OPA}",
    ),
    "x := sprintf(`%d`, [`a`])": (
        21,
        "sprintf: %d of a string is printed otherwise in OPA",
        f"use %v; {WITH_OPA}",
    ),
    "x := y if { n := count(input.a); y := sprintf(`100%% %s`, [n]) }": (
        60,
        "sprintf: %s of a number is printed otherwise in OPA",
        f"use %v; {WITH_OPA}",
    ),
    "x := count(lower(input.a))": (
        6,
        "count: characters beyond U+FFFF count as two, unlike in OPA",
        f"count the matches: `count(regex.find_n(`(?s).`, text, -1))`; {WITH_OPA}",
    ),
    "x := to_number(input.a)": (
        6,
        "to_number takes texts with spaces around the number, unlike in OPA",
        f"`to_number(trim_space(text))`; {WITH_OPA}",
    ),
    "x if object.subset(input.a, {`b`: 1})": (
        6,
        "object.subset of two values of different types is false, and an error in OPA",
        "ask for each item: ",
    ),
    "x := strings.count(input.a, `aba`)": (
        6,
        (
            "strings.count: overlapping places are all counted, unlike in OPA: "
            "a text that can overlap itself is not allowed"
        ),
        WITH_OPA,
    ),
    "x := units.parse(input.a)": (
        6,
        (
            "units.parse is not allowed: texts that are no quantities are undefined, "
            "or numbers, instead of errors"
        ),
        WITH_OPA,
    ),
    "x := bits.lsh(1, input.a)": (
        6,
        "bits.lsh is not allowed: what leaves 64 bits loses digits",
        WITH_OPA,
    ),
    "x := substring(input.a, 0.5, 1)": (25, "substring: a position must be a whole number", ""),
    # Operators that give another value.
    "x := `a` in input.a": (
        13,
        ("`input.a` may be undefined: then `in` has no value in OPA, and is false in the embedded engine"),
        "write it as a condition",
    ),
    "x if { y := 1 in input.a; y == false }": (
        18,
        ("`input.a` may be undefined: then `in` has no value in OPA, and is false in the embedded engine"),
        "write it as a condition",
    ),
    "x := input.a / 3": (
        6,
        "a quotient has other last digits than in OPA",
        f"multiply the other side instead, or use floor, ceil or round; {WITH_OPA}",
    ),
    "x if input.a / 3 == 0.5": (
        6,
        "a quotient has other last digits than in OPA",
        f"multiply the other side instead, or use floor, ceil or round; {WITH_OPA}",
    ),
    "x := input.a + 9007199254740993": (
        16,
        "arithmetic with so large a number loses digits, unlike in OPA",
        WITH_OPA,
    ),
    "x := sum([0.1, 0.2])": (
        11,
        "arithmetic with decimals gives other last digits than in OPA",
        f"calculate with whole numbers; {WITH_OPA}",
    ),
    "x if {`a`: 1} < {1, 2}": (
        6,
        "objects and sets have another order than in OPA",
        f"compare sizes; {WITH_OPA}",
    ),
    "x := sort([{1}, {`a`: 1}])": (
        6,
        "objects and sets have another order than in OPA",
        f"sort them apart; {WITH_OPA}",
    ),
    "x := input.a[1.0]": (
        14,
        "a key that is no plain whole number does not find the same in both engines",
        "write a whole number",
    ),
    # Heads and `with`.
    "x contains input.a[_].b if input.c": (
        20,
        "`_` gets no value in the body",
        f"write `some item in …` in the body and use `item`; {WITH_OPA}",
    ),
    "x if input.a with input as {}": (
        6,
        "`with` replaces what a rule reads: it is for tests only",
        f"pass the value to a function; {WITH_OPA}",
    ),
    "x[a][b] := 1 if { some a in [`c`]; some b in [`d`] }": (
        1,
        "a rule name with more than one computed key is not judged the same by both engines",
        f"use one key, and an object or a set as value; {WITH_OPA}",
    ),
    "input := 1": (1, "input cannot be shadowed", ""),
    "f(input) := 1": (3, "a parameter must not be called input", ""),
    # Syntax that OPA knows.
    "x := $`a{input.b}`": (
        6,
        "invalid character",
        "string interpolation is not supported: use sprintf or concat",
    ),
    "x := 1\nimport data.plangate.lib.more": (
        1,
        "unexpected keyword `import`",
        "write imports above the first rule",
    ),
    "x := 1 if { true } { false }": (
        20,
        "two bodies of one rule: regorus does not give the second the value of the first",
        f"write the head again; {WITH_OPA}",
    ),
    # Variables without a value.
    "x contains y if true": (12, "`y` gets no value in the body", ""),
    "x[y] := 1 if true": (3, "`y` gets no value in the body", ""),
    "x := [y | true]": (7, "`y` gets no value in the body", ""),
    "x if { [y | true] == input.a }": (9, "`y` gets no value in the body", ""),
    "x if every z in input.a { {y: z | true} == 1 }": (28, "`y` gets no value in the body", ""),
    "f(a) := b if a": (9, "`b` gets no value in the body", ""),
    "f(1)": (
        1,
        "rule must have a body or assignment",
        "a function needs a value or a body: write `:= true`",
    ),
}


@pytest.mark.parametrize("body", REFUSED)
def test_refuses(body: str, tmp_path: Path) -> None:
    column, problem, hint = REFUSED[body]
    error = refusal(tmp_path, body)
    assert (error.file, error.column, error.problem) == ("custom/policy.rego", column, problem)
    assert error.line in {FIRST_LINE, FIRST_LINE + 1}
    assert error.hint.startswith(hint)
    assert bool(error.hint) == bool(hint)


ALLOWED = [
    "x := 18446744073709551616",
    "x := 1.10",
    "x := input.a + 2",
    "x := regex.match(`^[0-9]+$`, input.a)",
    "x := glob.match(`s3:Get*`, null, input.a)",
    "x contains v if walk(input.a, [_, v])",
    "x[k] := v if some k, v in input.a",
    "x[k] contains v if some k, v in input.a",
    "x.y := 1",
    "default x := 1\n\nx := 2 if input.a",
    "x := 1 if input.a\n\nelse := 2",
    "f(x) := y if { y := x }",
    "f(f_) := f_",
    "x if every v in input.a { v > 0 }",
    "tags(resource) := tags if { tags := resource.after.tags }",
    "x := count([1 | print(`a`)])",
    "x if input.a == {`b`: 1}",
    "x := {input.a[_] | input.b}",
    "x if input.a / 3 > 1",
    "x := floor(input.a / 3)",
    "x := 6 / 3",
    "x := to_number(trim_space(input.a))",
    "x := `a` in {`a`, `b`}",
    "x if `a` in input.a",
    "x contains v if some v, _ in input.a",
    "f(a) := a in {1, 2}",
    "y contains 1\n\nx := 1 in y",
    "x if { y := 1 } else := 2 if { y := `a`; sprintf(`%s`, [y]) == `a` }",
    "x := strings.count(input.a, `ab`)",
    "x := sprintf(`%s and %d`, [input.a, input.b])",
    "x if object.subset({v | some v in input.a}, {1})",
    "x := sprintf(`%d%% of %v`, [5, input.a])",
]


@pytest.mark.parametrize("body", ALLOWED)
def test_allows(body: str, tmp_path: Path) -> None:
    assert load_policy(tmp_path, a_policy(body + "\n" + BAD_INSTANCE)).rules[0].id == "no-bad"


IMPORTS = {
    "import data.plangate.libs": "nothing is loaded as data.plangate.libs",
    "import foo.bar": "import path must begin with one of: {data, future, input, rego}",
    "import rego.v2": "unknown import rego.v2",
    "import input.a as lib": 'two imports are called "lib"',
    "import input.a as deny": 'the import "deny" has the name of a rule here',
}


@pytest.mark.parametrize("line", IMPORTS)
def test_refuses_the_import(line: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError) as caught:
        load_policy(tmp_path, a_policy().replace("data.plangate.lib\n", f"data.plangate.lib\n{line}\n"))
    assert caught.value.problem == IMPORTS[line]
    assert caught.value.line == 13


def test_a_chain_of_rules_that_is_too_long_is_refused(tmp_path: Path) -> None:
    links = "".join(f"r{index} := r{index + 1}\n\n" for index in range(150))
    assert "more than 100 rules that call each other" in str(refusal(tmp_path, links + "r150 := 1\n"))


def test_unsafe_variables_are_refused_by_the_engine_when_loading(tmp_path: Path) -> None:
    error = refusal(tmp_path, "x contains y if { input.a == y2 }")
    assert error.line == FIRST_LINE
    assert "y" in error.problem


def test_no_message_shows_a_stack_trace_of_the_engine(tmp_path: Path) -> None:
    for body in ("x := ]", "x := $`a`", "f(1)", "x contains y if true"):
        message = str(refusal(tmp_path, body))
        assert "backtrace" not in message
        assert "\n" not in message


MAY_BE_MISSING = {
    "deny contains lib.finding(r, r.after.name) if some r in lib.of_kind(`compute.instance`)": "r.after.name",
    "deny contains lib.finding(r, concat(``, [r.after.name])) if some r in input.resources": "r.after.name",
    "deny contains {`address`: r.address, `message`: m} if { some r in input.drift; m := `a` }": "r.address",
    "deny contains lib.finding(r, told(r)) if some r in input.resources\n\ntold(r) := r.after.name": "told(r)",
    "deny contains lib.finding(r, `a`) if { r := input.resources[_]; names[`a`] }\n\n"
    "names[r.after.name] := 1 if some r in input.resources": "r.after.name",
    "deny contains lib.finding(r, names[r.address]) if { some r in input.resources; r.after.x }\n\n"
    "names[r.address] := 1 if some r in input.resources": "names[r.address]",
}


@pytest.mark.parametrize("body", MAY_BE_MISSING)
def test_what_a_head_gives_must_have_a_value_in_every_way_its_body_holds(body: str, tmp_path: Path) -> None:
    part = MAY_BE_MISSING[body]
    with pytest.raises(PolicyLoadError) as caught:
        load_policy(tmp_path, a_policy(body))
    assert caught.value.problem == (
        f"`{part}` may be undefined: where it is, OPA leaves that one out, and the embedded engine all"
    )
    assert caught.value.hint == (
        f"write `value := {part}` in a line of the body and use `value` in the head; {WITH_OPA}"
    )


@pytest.mark.parametrize(
    "body",
    [
        "deny contains lib.finding(r, name) if { some r in input.resources; name := r.after.name }",
        "deny contains lib.finding(r, r.after.name) if { some r in input.resources; r.after.name != `a` }",
        "deny contains lib.finding(r, r.address) if some r in lib.of_kind(`compute.instance`)",
        "deny contains lib.finding(r, told(r)) if some r in input.resources\n\ntold(r) := concat(``, [r.address])",
        "deny contains lib.plan_finding(input.source.format) if input.complete",
        "deny contains lib.finding(r, `a`) if { some r in input.resources; r.after.x == {y.z | some y in r.after.ys} }",
    ],
)
def test_a_head_that_always_has_a_value_is_allowed(body: str, tmp_path: Path) -> None:
    assert load_policy(tmp_path, a_policy(body)).rules[0].id == "no-bad"
