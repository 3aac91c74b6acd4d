"""Conftest policies are read as conftest reads them; what it would leave unjudged in silence is refused."""

from pathlib import Path

import pytest

from plangate.decision.outcome import Enforcement, OnUnknown
from plangate.errors import PolicyLoadError, UsageError
from plangate.policy.conftest.load import Wanted
from tests.unit.policy.conftest_policies import loaded

GOOD = 'package main\n\ndeny contains "no" if input.bad\n'


def refusal(folder: Path, text: str, wanted: Wanted | None = None) -> str:
    with pytest.raises(PolicyLoadError) as caught:
        loaded(folder, wanted=wanted, rules=text)
    return str(caught.value)


def test_takes_the_rules_that_conftest_judges_in_their_order(tmp_path: Path) -> None:
    policies = loaded(
        tmp_path,
        rules='package main\n\nviolation_b contains "v" if input.v\n\nwarn contains "w" if input.w\n\n'
        'helper contains "x" if input.x\n\ndeny contains "1" if helper["x"]\n\ndeny contains "2" if input.d\n',
    )
    assert [(rule.name, rule.definitions, rule.exception_key) for rule in policies.rules] == [
        ("violation_b", 1, "b"),
        ("warn", 1, ""),
        ("deny", 2, ""),
    ]


def test_what_denies_is_mandatory_and_what_warns_is_advisory(tmp_path: Path) -> None:
    policies = loaded(tmp_path, rules=GOOD + 'warn_x contains "w" if input.w\n')
    specs = policies.specs()
    assert {rule: (spec.enforcement, spec.on_unknown) for rule, spec in specs.items()} == {
        "conftest.main.deny": (Enforcement.MANDATORY, OnUnknown.DENY),
        "conftest.main.warn_x": (Enforcement.ADVISORY, OnUnknown.DENY),
    }


def test_a_namespace_without_rules_is_refused_with_those_that_have_some(tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError) as caught:
        loaded(tmp_path, wanted=Wanted(namespaces=("main", "mian")), rules=GOOD)
    assert (str(caught.value), caught.value.hint) == (
        "namespace mian: no deny, violation or warn rule in it",
        "rules are in: main",
    )


def test_all_namespaces_without_any_rule_are_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "package main\n\nhelper if input.x\n", Wanted(all_namespaces=True))
    assert said == "namespaces main: no deny, violation or warn rule in them"


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        ("*", ("a.b", "a.c", "d")),
        ("a.*", ("a.b", "a.c")),
        ("a.[b]", ("a.b",)),
        ("?", ("d",)),
        ("[^a]", ("d",)),
    ],
)
def test_a_pattern_chooses_namespaces_and_its_star_crosses_dots(
    tmp_path: Path, pattern: str, chosen: tuple[str, ...]
) -> None:
    texts = {
        name.replace(".", "_"): f'package {name}\n\ndeny contains "x" if input.x\n'
        for name in ("a.b", "a.c", "d")
    }
    assert loaded(tmp_path, wanted=Wanted(namespaces=(pattern,)), more=texts).namespaces == chosen


def test_a_pattern_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--namespace a\[: not a pattern"):
        loaded(tmp_path, wanted=Wanted(namespaces=("a[",)), rules=GOOD)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("deny if input.x", "deny is one value: conftest would count it as passed, whatever it is"),
        ('deny := "no" if input.x', "deny is one value: conftest would count it as passed, whatever it is"),
        ("default deny := []", "deny must be a set"),
        ("deny_all(x) := x", "deny_all must be a set"),
        ('deny.sub contains "x" if input.x', "deny must be a set"),
        ('Deny contains "x" if input.x', '"Deny" looks like a misspelt "deny", and conftest would not judge it'),
        ('dney contains "x" if input.x', '"dney" looks like a misspelt "deny", and conftest would not judge it'),
        ('warning contains "x" if input.x', '"warning" looks like a misspelt "warn", and conftest would not judge it'),
        ('deny_ contains "x" if input.x', '"deny_" looks like a misspelt "deny", and conftest would not judge it'),
        ('deny_A contains "x" if input.x\n\ndeny_a contains "x" if input.x', "conftest judges only one of deny_A and deny_a"),
        ('deny contains "x" if undefined_function(1)', "undefined function undefined_function"),
        ('deny contains "x" if input.x == data.missing.list[_]', "nothing is loaded as data.missing.list, so this line would never hold"),
        ('deny contains "x" if input.x == parse_config("yaml", "a: 1").a', "parse_config reads something else than the file that is judged"),
        ('deny contains "x" if parse_config_file("a.yaml").a', "parse_config_file reads something else than the file that is judged"),
        ('deny contains "x" if http.send({})', "http.send is not allowed: policies must not use the network"),
        ('deny contains "x" if not startswith(input.a, "b")', "`input.a` may be undefined: then OPA drops the line and the embedded engine makes `not` true"),
        ('deny contains "x" if not input.resources == lower(input.b)', "`input.b` may be undefined: then OPA drops the line and the embedded engine makes `not` true"),
    ],
)  # fmt: skip
def test_refuses_what_would_not_be_judged_as_it_is_meant(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in refusal(tmp_path, f'package main\n\nviolation contains "v" if input.v\n\n{text}\n')


def test_no_hint_names_an_engine_that_conftest_policies_do_not_run_on(tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError) as caught:
        loaded(tmp_path, rules='package main\n\ndeny contains "x" if json.marshal(input) == "{}"\n')
    assert caught.value.hint == "write it another way"


def test_what_no_judged_rule_needs_may_be_unfit_for_the_engine(tmp_path: Path) -> None:
    policies = loaded(
        tmp_path,
        rules=GOOD + "\nunused := json.marshal(input)\n",
        other='package other\n\ndeny contains "x" if http.send({"url": "https://example.com"})\n',
    )
    assert [name for name, _ in policies.modules] == ["policy/rules.rego"]


def test_what_a_judged_rule_needs_in_another_package_has_to_be_fit(tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError, match=r"json\.marshal is not allowed"):
        loaded(
            tmp_path,
            rules="package main\n\nimport data.lib\n\ndeny contains lib.text if input.x\n",
            lib="package lib\n\ntext := json.marshal(input)\n",
        )


def test_tests_are_left_out_wherever_they_stand(tmp_path: Path) -> None:
    test = 'test_denies if deny["no"] with input as {"bad": true}\n'
    policies = loaded(tmp_path, rules=GOOD + test, rules_test=f"package main\n\n{test}")
    assert [name for name, _ in policies.modules] == ["policy/rules.rego"]


@pytest.mark.parametrize("rule", ["deny contains 1", 'exception contains [""]', "helper := 2"])
def test_a_file_of_tests_that_is_part_of_the_policies_is_refused(tmp_path: Path, rule: str) -> None:
    with pytest.raises(PolicyLoadError, match="is a part of the policies, in a file of tests"):
        loaded(tmp_path, rules=GOOD + "\nhelper := 1\n", rules_test=f"package main\n\n{rule}\n")


def test_a_rule_that_is_also_a_data_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError, match=r"data\.main\.deny is a data document as well"):
        loaded(tmp_path, data={"main": {"deny": []}}, rules=GOOD)


def test_data_must_not_say_which_file_is_judged(tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError, match=r"data\.conftest: data documents must not use this name"):
        loaded(tmp_path, data={"conftest": {"file": {"name": "x"}}}, rules=GOOD)


def test_the_syntax_is_that_of_the_version(tmp_path: Path) -> None:
    old = 'package main\n\ndeny[msg] { input.bad; msg = "no" }\n'
    assert [rule.name for rule in loaded(tmp_path, wanted=Wanted(rego_v0=True), rules=old).rules] == ["deny"]
    assert "`if` keyword is required" in refusal(tmp_path, old)


def test_what_is_judged_is_in_the_digest(tmp_path: Path) -> None:
    both = {"a": GOOD, "b": 'package other\n\ndeny contains "x" if input.x\n'}
    digests = {
        loaded(tmp_path, more=both).sha256,
        loaded(tmp_path, wanted=Wanted(all_namespaces=True), more=both).sha256,
        loaded(tmp_path, data={"list": [1]}, more=both).sha256,
        loaded(tmp_path, more={**both, "a": GOOD.replace("no", "yes")}).sha256,
    }
    assert len(digests) == 4


def test_links_to_folders_and_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    loaded(tmp_path, rules=GOOD)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "more.rego").write_text(GOOD)
    link = tmp_path / "policy" / "link"
    link.symlink_to(tmp_path / "elsewhere")
    assert "a link to a folder" in refusal(tmp_path, GOOD)
    link.unlink()
    (tmp_path / "policy" / "more.rego").symlink_to(tmp_path / "elsewhere" / "more.rego")
    assert "this link leaves the policy folder" in refusal(tmp_path, GOOD)


def test_a_folder_without_policies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError, match="no policies in this folder"):
        loaded(tmp_path)
