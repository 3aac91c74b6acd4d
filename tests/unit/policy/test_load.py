"""Folders of policies: what is loaded, and what is refused with its place."""

import os
import re
from pathlib import Path

import pytest

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.errors import PolicyLoadError
from plangate.policy.base import PolicySource, RuleScope
from plangate.policy.files import LoadLimits
from plangate.policy.load import load, shipped_library, shipped_policies, without
from tests.unit.policy.builders import (
    BAD_INSTANCE,
    a_plan,
    a_policy,
    a_resource,
    load_policy,
    metadata,
    statuses,
    write,
)


def refusal(root: Path, files: dict[str, str], limits: LoadLimits | None = None) -> str:
    """The message for a folder that must be refused."""
    with pytest.raises(PolicyLoadError) as caught:
        load([write(root, files)], limits)
    return str(caught.value)


def test_a_policy_becomes_a_rule(tmp_path: Path) -> None:
    extra = "kinds: [compute.instance]\nframeworks: {cis: ['1.2', '1.3']}\non_unknown: oblige\nscope: changes"
    policies = load_policy(tmp_path, a_policy(extra=extra))
    assert policies.rules == (
        RuleSpec(
            id="no-bad",
            title="A good thing is true",
            description="Why it matters.",
            severity=Severity.HIGH,
            enforcement=Enforcement.MANDATORY,
            on_unknown=OnUnknown.OBLIGE,
            kinds=("compute.instance",),
            remediation="Make it true.",
            frameworks=(("cis", ("1.2", "1.3")),),
            source="custom/policy.rego",
        ),
    )
    assert dict(policies.packages) == {"no-bad": "policies.test.no_bad"}
    assert dict(policies.scopes) == {"no-bad": RuleScope.CHANGES}
    assert policies.sources == ("custom",)
    assert [name for name, _ in policies.modules] == [
        "custom/policy.rego",
        "lib/findings.rego",
        "lib/references.rego",
        "lib/resources.rego",
        "lib/statements.rego",
        "lib/values.rego",
    ]


def test_an_unknown_outcome_denies_unless_the_policy_says_otherwise(tmp_path: Path) -> None:
    assert load_policy(tmp_path, a_policy()).rules[0].on_unknown is OnUnknown.DENY


def test_no_folders_give_no_rules() -> None:
    assert load([]).rules == ()


def test_the_digest_is_that_of_names_and_contents(tmp_path: Path) -> None:
    one = load([write(tmp_path / "one", {"a/p.rego": a_policy()})])
    same = load([write(tmp_path / "two", {"a/p.rego": a_policy()})])
    renamed = load([write(tmp_path / "three", {"b/p.rego": a_policy()})])
    changed = load([write(tmp_path / "four", {"a/p.rego": a_policy() + "\n# more\n"})])
    with_data = load([write(tmp_path / "five", {"a/p.rego": a_policy(), "data.json": '{"x": 1}'})])
    assert one.sha256 == same.sha256
    assert len({one.sha256, renamed.sha256, changed.sha256, with_data.sha256}) == 4


def test_a_rule_that_is_left_out_changes_the_digest() -> None:
    policies = load([shipped_policies()])
    fewer = without(policies, frozenset({"log-retention"}))
    assert "log-retention" not in [rule.id for rule in fewer.rules]
    assert len(fewer.rules) == len(policies.rules) - 1
    assert fewer.sha256 != policies.sha256
    assert without(policies, frozenset({"of-another-engine"})) is policies


def test_data_documents_are_found_below_their_folders(tmp_path: Path) -> None:
    files = {
        "p.rego": a_policy(BAD_INSTANCE + "allowed := data.teams.web.names\n"),
        "teams/web/data.json": '{"names": ["a"]}',
        "teams/data.yaml": "limit: 3\nopen: false\n",
    }
    assert dict(load([write(tmp_path, files)]).data) == {
        "teams": {"web": {"names": ["a"]}, "limit": 3, "open": False}
    }


def test_texts_hidden_files_and_tests_are_no_policies(tmp_path: Path) -> None:
    files = {
        "p.rego": a_policy(),
        "README.md": "# Policies",
        ".regal/config.yaml": "rules: {}",
        "p_test.rego": "package policies.test.no_bad_test\n",
    }
    policies = load([write(tmp_path, files)])
    assert [name for name, _ in policies.modules if name.startswith("custom")] == ["custom/p.rego"]


FILE_REFUSALS = {
    "a folder without policies": (
        {"README.md": "x"},
        "no policies in this folder",
    ),
    "a file that no rule claims": (
        {"p.rego": a_policy(), "q.rego.bak": a_policy(slug="other")},
        "custom/q.rego.bak: no rule claims this file",
    ),
    "a document that is not called data": (
        {"p.rego": a_policy(), "limits.json": "{}"},
        "custom/limits.json: no rule claims this file",
    ),
    "a hidden policy": (
        {"p.rego": a_policy(), ".q.rego": "package x\n"},
        (
            "custom/.q.rego:1:9: package x is neither policies.<domain>.<slug> nor plangate.lib.<name>, "
            "so no rule claims this file"
        ),
    ),
    "a policy that is called a test": (
        {"p.rego": a_policy(), "load_test.rego": a_policy(slug="load")},
        "custom/load_test.rego: a file whose name ends in _test.rego is a test, so its package must end in _test",
    ),
    "a key twice in a data document": (
        {"p.rego": a_policy(), "data.json": '{"a": 1, "a": 2}'},
        "custom/data.json: a key is written twice in one object",
    ),
    "a number that cannot be held": (
        {"p.rego": a_policy(), "data.json": '{"a": 18446744073709551616}'},
        "custom/data.json: the embedded engine cannot hold an integer beyond 64 bits exactly",
    ),
    "a decimal that cannot be held": (
        {"p.rego": a_policy(), "data.json": '{"a": 0.12345678901234567890}'},
        "custom/data.json: the embedded engine cannot hold the number 0.12345678901234567890 exactly",
    ),
    "not a number": (
        {"p.rego": a_policy(), "data.json": '{"a": NaN}'},
        "custom/data.json: NaN is not a number",
    ),
    "a word that YAML readers disagree on": (
        {"p.rego": a_policy(), "data.yaml": "a: 1\nb: yes\n"},
        (
            "custom/data.yaml:2: not a data document: 'yes' is read differently by different YAML readers: "
            "put it in quotes"
        ),
    ),
    "a data document that is a list": (
        {"p.rego": a_policy(), "data.json": "[]"},
        "custom/data.json: a data document must be an object",
    ),
    "two data documents with one key": (
        {"p.rego": a_policy(), "a/data.json": '{"b": {"c": 1}}', "a/b/data.json": '{"c": 1}'},
        'custom/a/b/data.json: "c" is already in another data document',
    ),
    "a data document below a value": (
        {"p.rego": a_policy(), "a/data.json": '{"b": 1}', "a/b/data.json": '{"c": 1}'},
        'custom/a/b/data.json: "b" is already a value in another data document',
    ),
    "data in the place of policies": (
        {"p.rego": a_policy(), "data.json": '{"policies": {}}'},
        "data.policies: data documents must not use this name: it belongs to plangate",
    ),
    "a text that is not UTF-8": (
        {"p.rego": a_policy().replace("true", "\udcff")},
        "custom/p.rego:2: not UTF-8 text",
    ),
    "a second library, written otherwise": (
        {"p.rego": a_policy(), "lib.rego": 'package plangate["lib"]\n\nof_kind(_) := set()\n'},
        "custom/lib.rego:1:9: package plangate.lib is plangate's own",
    ),
    "a second library": (
        {"p.rego": a_policy(), "lib.rego": "package plangate.lib\n\nof_kind(_) := set()\n"},
        "custom/lib.rego: package plangate.lib is plangate's own",
    ),
}


@pytest.mark.parametrize("case", FILE_REFUSALS)
def test_refuses_a_folder_with(case: str, tmp_path: Path) -> None:
    files, expected = FILE_REFUSALS[case]
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(PolicyLoadError) as caught:
        load([PolicySource(root=tmp_path, name="custom")])
    assert str(caught.value).removeprefix(f"{tmp_path}: ") == expected


def test_refuses_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError, match="no such folder"):
        load([PolicySource(root=tmp_path / "nowhere", name="custom")])


def test_refuses_a_link_that_leaves_the_folder(tmp_path: Path) -> None:
    (tmp_path / "outside.rego").write_text(a_policy(slug="other"))
    source = write(tmp_path / "in", {"p.rego": a_policy()})
    (tmp_path / "in" / "q.rego").symlink_to(tmp_path / "outside.rego")
    with pytest.raises(PolicyLoadError, match=r"custom/q\.rego: this link leaves the policy folder"):
        load([source])


def test_follows_a_link_within_the_folder(tmp_path: Path) -> None:
    source = write(tmp_path, {"real/p.rego": a_policy()})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PolicyLoadError, match='two rules have the id "no-bad"'):
        load([source])


def test_refuses_a_pipe(tmp_path: Path) -> None:
    source = write(tmp_path, {"p.rego": a_policy()})
    os.mkfifo(tmp_path / "q.rego")
    with pytest.raises(PolicyLoadError, match="neither a file nor a folder"):
        load([source])


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (LoadLimits(max_files=4), "more than 4 files (max_files)"),
        (LoadLimits(max_file_bytes=40), "larger than 40 bytes (max_file_bytes)"),
        (LoadLimits(max_total_bytes=800), "more than 800 bytes in all (max_total_bytes)"),
        (LoadLimits(max_depth=1), "more than 1 folders deep (max_depth)"),
    ],
)
def test_refuses_more_than_its_limits(limits: LoadLimits, expected: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, {"a/b/p.rego": a_policy()}, limits).endswith(expected)


def test_refuses_brackets_that_would_overflow_the_parser(tmp_path: Path) -> None:
    deep = a_policy(f"deny contains x if {{ x := {'[' * 5000}{']' * 5000} }}\n")
    assert refusal(tmp_path, {"p.rego": deep}) == (
        "custom/p.rego:13: nested more than 100 brackets deep (max_nesting)"
    )


def test_brackets_in_text_and_comments_are_not_nesting(tmp_path: Path) -> None:
    quiet = f'# {"[" * 200}\nx := "{"(" * 200}\\"["\n\ny := `{"{" * 200}`\n'
    assert load_policy(tmp_path, a_policy(BAD_INSTANCE + quiet)).rules[0].id == "no-bad"


def test_a_copy_of_the_shipped_library_is_the_library(tmp_path: Path) -> None:
    text = (shipped_library().root / "resources.rego").read_text()
    policies = load([write(tmp_path, {"p.rego": a_policy(), "lib/resources.rego": text})])
    assert [name for name, _ in policies.modules].count("lib/resources.rego") == 1


def test_a_library_may_be_added_to(tmp_path: Path) -> None:
    files = {
        "p.rego": a_policy(
            "import data.plangate.lib.teams\n"
            "deny contains lib.finding(r, teams.owner(r)) if some r in lib.of_kind(`compute.instance`)\n"
        ),
        "lib/teams.rego": "package plangate.lib.teams\n\nowner(_) := `web`\n",
    }
    assert [rule.id for rule in load([write(tmp_path, files)]).rules] == ["no-bad"]


RULE_REFUSALS = {
    "another package": (
        a_policy().replace("package policies.test.no_bad", "package main"),
        (
            "custom/policy.rego:10:9: package main is neither policies.<domain>.<slug> nor plangate.lib.<name>, "
            "so no rule claims this file"
        ),
    ),
    "a package that is too deep": (
        a_policy().replace("policies.test.no_bad", "policies.test.more.no_bad"),
        (
            "custom/policy.rego:10:9: package policies.test.more.no_bad is neither policies.<domain>.<slug> "
            "nor plangate.lib.<name>, so no rule claims this file"
        ),
    ),
    "no metadata": (
        "package policies.test.no_bad\n" + BAD_INSTANCE.replace("lib.", ""),
        "custom/policy.rego:1: no METADATA above the package",
    ),
    "an id that is not the package's": (
        a_policy().replace("id: no-bad", "id: no-worse"),
        'custom/policy.rego:10: METADATA: custom.id is "no-worse" but the package says "no-bad"',
    ),
    "no deny": (
        a_policy("# nothing\n"),
        "custom/policy.rego:10:9: this rule has no deny",
    ),
    "deny that is a value": (
        a_policy("deny := true\n"),
        "custom/policy.rego:13:1: deny must be a set",
    ),
    "deny that is an object": (
        a_policy("deny[x] := 1 if some x in [`a`]\n"),
        "custom/policy.rego:13:1: deny must be a set",
    ),
    "deny that is a function": (
        a_policy("deny(x) := x\n"),
        "custom/policy.rego:13:1: deny must be a set",
    ),
    "a misspelt deny": (
        a_policy(BAD_INSTANCE.replace("deny", "dney")),
        'custom/policy.rego:14:1: "dney" looks like a misspelt "deny"',
    ),
    "a deny of another tool": (
        a_policy(BAD_INSTANCE + BAD_INSTANCE.replace("deny", "violation")),
        'custom/policy.rego:19:1: "violation" looks like a misspelt "deny"',
    ),
    "a misspelt undetermined": (
        a_policy(BAD_INSTANCE + BAD_INSTANCE.replace("deny", "undeterminded")),
        'custom/policy.rego:19:1: "undeterminded" looks like a misspelt "undetermined"',
    ),
    "a fact that no kind has": (
        a_policy(BAD_INSTANCE.replace("public_ip", "publik_ip")),
        'custom/policy.rego:16:17: compute.instance has no fact "publik_ip", so this line would never hold',
    ),
}


@pytest.mark.parametrize("case", RULE_REFUSALS)
def test_refuses_a_rule_with(case: str, tmp_path: Path) -> None:
    text, expected = RULE_REFUSALS[case]
    assert refusal(tmp_path, {"policy.rego": text}) == expected


def test_refuses_two_rules_with_one_id(tmp_path: Path) -> None:
    other = a_policy().replace("policies.test", "policies.other")
    assert refusal(tmp_path, {"a.rego": a_policy(), "b.rego": other}) == (
        'custom/b.rego:10:9: two rules have the id "no-bad": the other is custom/a.rego'
    )


def test_refuses_one_folder_given_twice(tmp_path: Path) -> None:
    source = write(tmp_path, {"p.rego": a_policy()})
    with pytest.raises(PolicyLoadError, match="two folders have the same name, so two files do"):
        load([source, source])


@pytest.mark.parametrize("word", ["denies", "Deny", "den", "deyn", "denny", "dany", "Undetermined"])
def test_every_near_miss_of_a_word_of_the_contract_is_refused(word: str, tmp_path: Path) -> None:
    text = a_policy(BAD_INSTANCE + BAD_INSTANCE.replace("deny", word))
    assert "looks like a misspelt" in refusal(tmp_path, {"policy.rego": text})


@pytest.mark.parametrize("word", ["denylist", "any", "identity", "determined"])
def test_other_names_are_free(word: str, tmp_path: Path) -> None:
    text = a_policy(BAD_INSTANCE + BAD_INSTANCE.replace("deny", word))
    assert load_policy(tmp_path, text).rules[0].id == "no-bad"


METADATA_REFUSALS = {
    "not YAML": ("kinds: [", "10: METADATA is not YAML: did not find expected node content"),
    "a key twice": ("severity: low", '9: METADATA is not YAML: "severity" is written twice'),
    "an unknown field": ("enforcment: mandatory", '9: METADATA: unknown field "custom.enforcment"'),
    "an unknown kind": ("kinds: [vm]", "9: METADATA: unknown kind 'vm' in \"custom.kinds\""),
    "an alias": (
        "frameworks: {a: &x ['1'], b: *x}",
        "9: METADATA is not YAML: aliases are not allowed",
    ),
    "kinds for a rule on the plan": (
        "kinds: [compute.instance]\nscope: plan",
        "9: METADATA: a rule with scope plan has no kinds",
    ),
}


@pytest.mark.parametrize("case", METADATA_REFUSALS)
def test_refuses_metadata_with(case: str, tmp_path: Path) -> None:
    extra, expected = METADATA_REFUSALS[case]
    message = refusal(tmp_path, {"policy.rego": a_policy(extra=extra)})
    assert message.startswith(f"custom/policy.rego:{expected}")


@pytest.mark.parametrize(
    "field", ["title", "description", "custom", "id", "severity", "enforcement", "remediation"]
)
def test_refuses_metadata_without(field: str, tmp_path: Path) -> None:
    lines = [line for line in a_policy().splitlines() if not line.lstrip("# ").startswith(f"{field}:")]
    if field == "custom":
        lines = [line for line in lines if not line.startswith("#   ")]
    name = field if field in {"title", "description", "custom"} else f"custom.{field}"
    assert refusal(tmp_path, {"policy.rego": "\n".join(lines)}) == (
        f'custom/policy.rego:{4 if "." in name else 1}: METADATA: field "{name}" is missing'
    )


def test_refuses_two_blocks_above_one_package(tmp_path: Path) -> None:
    assert refusal(tmp_path, {"policy.rego": metadata("no_bad") + "\n" + a_policy()}) == (
        "custom/policy.rego:10: two METADATA blocks above one package"
    )


# --- Data documents -------------------------------------------------------------------------------------------

READS_DATA = """
deny contains lib.finding(instance, "it is on the list") if {
	some instance in lib.of_kind("compute.instance")
	instance.name in data.lists.bad.names
}
"""


def a_data_folder(root: Path, **documents: str) -> Path:
    for name, text in documents.items():
        path = root / name.replace("__", "/").replace("_json", ".json").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_data_folder_says_by_its_folders_where_a_document_is(tmp_path: Path) -> None:
    source = write(tmp_path / "p", {"a.rego": a_policy(READS_DATA)})
    folder = a_data_folder(tmp_path / "d", lists__bad__any_yaml="names: [web]", README_txt="no data")
    policies = load([source], data=[folder])
    assert policies.data == {"lists": {"bad": {"names": ["web"]}}}
    assert statuses(policies, a_plan(a_resource("aws_instance.web"), a_resource("aws_instance.app"))) == {
        "aws_instance.web": "fail",
        "aws_instance.app": "pass",
    }


def test_a_data_file_stands_at_the_top(tmp_path: Path) -> None:
    source = write(tmp_path / "p", {"a.rego": a_policy(READS_DATA)})
    file = tmp_path / "any.json"
    file.write_text('{"lists": {"bad": {"names": []}}}')
    assert load([source], data=[file]).data == {"lists": {"bad": {"names": []}}}


def test_a_policy_does_not_load_without_the_data_that_it_reads(tmp_path: Path) -> None:
    source = write(tmp_path / "p", {"a.rego": a_policy(READS_DATA)})
    with pytest.raises(PolicyLoadError, match=r"nothing is loaded as data\.lists\.bad\.names"):
        load([source])


@pytest.mark.parametrize(
    ("documents", "problem"),
    [
        ({"a_json": "[1]"}, "a data document must be an object"),
        ({"a_json": '{"x": 1, "x": 2}'}, "a key is written twice"),
        ({"a_json": '{"x": 1}', "b_yaml": "x: 2"}, '"x" is already in another data document'),
        ({"a_json": '{"policies": {}}'}, "must not use this name"),
        ({"plangate__a_json": '{"settings": {}}'}, "must not use this name"),
        ({"a_json": '{"x": '}, "not a data document"),
        ({"a_txt": "x"}, "no data documents in this folder"),
        ({"a_json": '{"x": 18446744073709551616}'}, "beyond 64 bits"),
    ],
)
def test_data_that_cannot_be_used_whole_is_refused(
    documents: dict[str, str], problem: str, tmp_path: Path
) -> None:
    source = write(tmp_path / "p", {"a.rego": a_policy()})
    with pytest.raises(PolicyLoadError, match=re.escape(problem)):
        load([source], data=[a_data_folder(tmp_path / "d", **documents)])


def test_data_that_is_not_there_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "p", {"a.rego": a_policy()})
    for missing, problem in (("d.json", "cannot be read"), ("d", "ends in .json, .yaml or .yml")):
        with pytest.raises(PolicyLoadError, match=problem):
            load([source], data=[tmp_path / missing])


def test_data_leaves_the_check_of_the_shipped_policies_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_data_folder(tmp_path / "d", a_json='{"x": 1}')
    before = load([shipped_policies()])
    monkeypatch.setattr("plangate.policy.load.check", None)
    after = load([shipped_policies()], data=[folder])
    assert (after.rules, after.reads) == (before.rules, before.reads)
    assert after.sha256 != before.sha256
