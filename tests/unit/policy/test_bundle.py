"""Bundles as a source of policies: the same as a folder, held to what they promise, or refused."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from plangate.errors import PolicyLoadError
from plangate.policy.base import PolicySet, PolicySource
from plangate.policy.files import LoadLimits, read_files
from plangate.policy.load import load, shipped_library, shipped_policies
from plangate.policy.trust import BundleUsed
from tests.unit.policy.builders import a_plan, a_policy, a_resource, statuses, write
from tests.unit.policy.bundles import (
    a_bundle,
    a_key,
    a_trust,
    archive,
    manifest,
    ours,
    signed,
    source,
)


def loaded(folder: Path, files: dict[str, bytes], **trust: Any) -> PolicySet:
    return load([source(folder, archive(files), a_trust(**trust) if trust else None)])


def refusal(folder: Path, files: dict[str, bytes] | bytes, *others: PolicySource, **trust: Any) -> str:
    content = files if isinstance(files, bytes) else archive(files)
    return why([source(folder, content, a_trust(**trust) if trust else None), *others])


def why(sources: Sequence[PolicySource], limits: LoadLimits | None = None) -> str:
    with pytest.raises(PolicyLoadError) as caught:
        load(sources, limits)
    return str(caught.value)


# --- The same as a folder ------------------------------------------------------------------------------------


def test_a_bundle_judges_like_the_folder_that_it_is_made_of(tmp_path: Path) -> None:
    rules = {"a/no_bad.rego": a_policy(), "data.json": '{"acme": {"limit": 3}}', "README.md": "Text."}
    folder = replace(write(tmp_path / "folder", rules), name="acme")
    files = {name: text.encode() for name, text in rules.items()}
    files[".manifest"] = manifest(roots=["policies/test", "acme"])
    bundle = source(tmp_path, archive(files))
    one, other = read_files([folder], LoadLimits()), read_files([bundle], LoadLimits())
    assert [(file.name, file.text, file.source) for file in one.modules] == [
        (file.name, file.text, file.source) for file in other.modules
    ]
    assert one.data == other.data == {"acme": {"limit": 3}}
    assert load([folder]).sha256 == load([bundle]).sha256
    bad = a_resource(facts={"public_ip": True})
    assert statuses(load([bundle]), a_plan(bad)) == {"aws_instance.web": "fail"}


def test_what_was_used_is_known_afterwards(tmp_path: Path) -> None:
    policies = loaded(tmp_path, signed(a_bundle()), monotonic=True)
    (used,) = policies.bundles
    assert used == BundleUsed(
        name="acme",
        sha256=used.sha256,
        revision="r7",
        sequence=7,
        key_id="release",
        algorithm="ES256",
        roots=("policies/test",),
        rules=("no-bad",),
        monotonic=True,
        source="acme",
    )
    assert used.label == "bundle acme, revision r7, sequence 7, signed with release (ES256)"
    unsigned = loaded(tmp_path, a_bundle(**{".manifest": b"{}"})).bundles[0]
    assert unsigned.label == "bundle acme, signature not checked"


def test_the_digest_does_not_depend_on_how_a_bundle_is_packed(tmp_path: Path) -> None:
    files = a_bundle()
    slashes = {f"/{name}": content for name, content in reversed(files.items())}
    again = loaded(tmp_path / "again", slashes)
    assert again.sha256 == loaded(tmp_path, files).sha256 == loaded(tmp_path, signed(files), scope="").sha256


def test_the_library_may_come_along_if_it_is_the_same(tmp_path: Path) -> None:
    library = {
        f"plangate/lib/{file.path.name}": file.text.encode()
        for file in read_files([shipped_library()], LoadLimits()).modules
    }
    policies = loaded(tmp_path, {**a_bundle(), **library})
    assert [name for name, _ in policies.modules if name.startswith("acme")] == ["acme/no_bad.rego"]
    changed = {
        **a_bundle(),
        **library,
        "plangate/lib/values.rego": library["plangate/lib/values.rego"] + b"#",
    }
    with pytest.raises(PolicyLoadError, match=r"package plangate\.lib is plangate's own") as caught:
        loaded(tmp_path, changed)
    assert "make the bundle again with this one" in caught.value.hint


# --- Signatures are asked for --------------------------------------------------------------------------------


def test_an_unsigned_bundle_is_refused_where_keys_are_given(tmp_path: Path) -> None:
    assert refusal(tmp_path, a_bundle(), scope="") == (
        "acme: not signed: no .signatures.json, and a signature is required"
    )


def test_a_signed_bundle_is_refused_where_no_keys_are_given(tmp_path: Path) -> None:
    assert refusal(tmp_path, signed(a_bundle())) == "acme: signed, and no key to verify it with"


def test_an_unsigned_bundle_is_taken_like_a_folder_and_where_settings_say_so(tmp_path: Path) -> None:
    assert loaded(tmp_path, a_bundle()).bundles[0].key_id == ""
    policies = loaded(tmp_path, signed(a_bundle(), key_id="unknown"), keys={})
    assert (policies.bundles[0].key_id, policies.bundles[0].algorithm) == ("", "")


def test_a_folder_in_the_place_of_a_bundle_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "acme.tar.gz", {"no_bad.rego": a_policy()})
    for trust in (a_trust(), a_trust(keys={})):
        assert why([replace(folder, trust=trust)]) == "custom: cannot be read: Is a directory"
    missing = PolicySource(root=tmp_path / "gone", name="acme", trust=a_trust())
    assert why([missing]) == "acme: cannot be read: No such file or directory"


def test_nothing_of_a_bundle_is_understood_before_its_signature_holds(tmp_path: Path) -> None:
    files = signed(a_bundle()) | {".manifest": b'{"wasm": [1]}', "policy.wasm": b""}
    assert (
        refusal(tmp_path, files, scope="")
        == "acme/.manifest: is not what was signed: its digest is another one"
    )


# --- Promises ------------------------------------------------------------------------------------------------


def test_a_missing_or_extra_rule_is_refused(tmp_path: Path) -> None:
    two = a_bundle(**{".manifest": manifest(metadata=ours(rules=["no-bad", "no-worse"]))})
    assert refusal(tmp_path, two) == "acme: lists rules that it does not hold: no-worse"
    other = a_bundle(**{"no_worse.rego": a_policy(slug="no_worse").encode()})
    assert refusal(tmp_path, other) == "acme: holds rules that it does not list: no-worse"


def test_a_bundle_without_a_list_of_rules_is_taken_as_opa_makes_it(tmp_path: Path) -> None:
    policies = loaded(tmp_path, a_bundle(**{".manifest": b'{"revision":"","roots":[""],"rego_version":1}'}))
    assert [rule.id for rule in policies.rules] == ["no-bad"]
    assert policies.bundles[0].rules is None


def test_another_bundle_under_the_same_name_is_refused(tmp_path: Path) -> None:
    files = signed(a_bundle(**{".manifest": manifest(metadata=ours(name="other"))}))
    assert refusal(tmp_path, files, scope="") == "acme: this is the bundle 'other' (expected 'acme')"


def test_a_sequence_number_that_is_missing_or_too_old_is_refused(tmp_path: Path) -> None:
    without = signed(a_bundle(**{".manifest": manifest(metadata=ours(sequence=None))}))
    for asked in ({"monotonic": True}, {"min_sequence": 0}):
        assert refusal(tmp_path, without, **asked) == "acme: no sequence number, and the settings ask for one"
    files = signed(a_bundle())
    assert refusal(tmp_path, files, min_sequence=8) == "acme: sequence 7 is too old (expected at least 8)"
    assert loaded(tmp_path, files, min_sequence=7).bundles[0].sequence == 7


def test_modules_and_data_outside_of_the_roots_are_refused(tmp_path: Path) -> None:
    elsewhere = a_bundle(**{".manifest": manifest(roots=["policies/tes"])})
    said = refusal(tmp_path, elsewhere)
    assert said == "acme/no_bad.rego:10:9: package policies.test.no_bad is outside of the bundle's roots"
    for place, content in (
        ("data.json", b'{"acme": 1}'),
        ("data.json", b'{"policies": {"other": {}}}'),
        ("acme/data.json", b'{"a": 1}'),
        ("policies/data.yml", b"other: 1\n"),
    ):
        assert "is outside of the bundle's roots" in refusal(tmp_path, a_bundle(**{place: content}))


def test_data_within_the_roots_is_taken_wherever_its_file_stands(tmp_path: Path) -> None:
    roots = manifest(roots=["policies/test", "acme/limits"])
    for place, content in (
        ("data.json", b'{"acme": {"limits": {"a": 1}}}'),
        ("acme/data.json", b'{"limits": {"a": 1}}'),
        ("acme/limits/data.yaml", b"a: 1\n"),
    ):
        policies = loaded(tmp_path, a_bundle(**{".manifest": roots, place: content}))
        assert dict(policies.data) == {"acme": {"limits": {"a": 1}}}


def test_an_empty_data_file_as_opa_writes_it_is_within_any_roots(tmp_path: Path) -> None:
    assert dict(loaded(tmp_path, a_bundle(**{"data.json": b"{}\n"})).data) == {}


def second(folder: Path, roots: list[str], **files: bytes) -> PolicySource:
    rules = [name.removesuffix(".rego").replace("_", "-") for name in files if name.startswith("no_")]
    made = {".manifest": manifest(roots=roots, metadata=ours(name="second", rules=rules)), **files}
    return replace(source(folder / "second", archive(made)), name="second")


def test_two_bundles_with_common_roots_are_refused(tmp_path: Path) -> None:
    first = source(tmp_path, archive(a_bundle()))
    other = {"no_worse.rego": a_policy(slug="no_worse").encode()}
    for roots in (["policies"], ["policies/test"], [""], ["policies/test/no_worse"]):
        assert "overlaps" in why([first, second(tmp_path, roots, **other)])
    assert why([first, replace(first, name="again")]) == (
        'again/no_bad.rego:10:9: two rules have the id "no-bad": the other is acme/no_bad.rego'
    )


def test_two_bundles_side_by_side_may_both_have_the_library(tmp_path: Path) -> None:
    library = {
        f"plangate/lib/{file.path.name}": file.text.encode()
        for file in read_files([shipped_library()], LoadLimits()).modules
    }
    text = a_policy(slug="no_worse").replace("policies.test", "policies.other")
    first = source(
        tmp_path,
        archive({**a_bundle(**{".manifest": manifest(roots=["policies/test", "plangate/lib"])}), **library}),
    )
    both = [
        first,
        second(tmp_path, ["policies/other", "plangate/lib"], **{"no_worse.rego": text.encode()}, **library),
    ]
    assert [rule.id for rule in load(both).rules] == ["no-bad", "no-worse"]
    helper = b"package plangate.lib.acme\n\nx := 1\n"
    roots = manifest(roots=["policies/test", "plangate/lib"])
    first = source(tmp_path, archive(a_bundle(**{".manifest": roots, "acme.rego": helper})))
    both[0] = first
    both[1] = second(
        tmp_path, ["policies/other", "plangate/lib"], **{"no_worse.rego": text.encode(), "acme.rego": helper}
    )
    assert "package plangate.lib.acme is in acme and in second" in why(both)


def test_nobody_else_adds_to_a_package_of_a_bundle(tmp_path: Path) -> None:
    """A folder could change what a signed rule means by one more definition of a helper."""
    helper = b"package plangate.lib.acme\n\nis_bad(x) if x.bad == 1\n"
    roots = manifest(roots=["policies/test", "plangate/lib"])
    bundle = source(tmp_path, archive(a_bundle(**{".manifest": roots, "acme.rego": helper})))
    more = write(tmp_path / "folder", {"a.rego": helper.decode().replace("== 1", "== 2")})
    assert "package plangate.lib.acme is in acme and in custom" in why([bundle, more])
    assert [rule.id for rule in load([bundle]).rules] == ["no-bad"]


def test_promises_of_a_bundle_count_beside_the_shipped_policies(tmp_path: Path) -> None:
    files = a_bundle(**{".manifest": manifest(metadata=ours(rules=["no-bad", "log-retention"]))})
    bundle = source(tmp_path, archive(files))
    assert why([shipped_policies(), bundle]) == "acme: lists rules that it does not hold: log-retention"


def test_defaults_of_settings_come_along_for_opa_and_have_to_be_those_of_metadata(tmp_path: Path) -> None:
    setting = "kinds: [compute.instance]\nsettings:\n  days: {description: Days., type: integer, default: 7}"
    text = a_policy(
        '\ndeny contains lib.plan_finding("x") if data.plangate.settings.no_bad.days > 9\n', extra=setting
    )

    def files(days: str) -> dict[str, bytes]:
        return {
            ".manifest": manifest(roots=["policies/test", "plangate/settings/no_bad"]),
            "no_bad.rego": text.encode(),
            "data.json": f'{{"plangate": {{"settings": {{"no_bad": {days}}}}}}}'.encode(),
        }

    assert loaded(tmp_path, files('{"days": 7}')).data["plangate"] == {"settings": {"no_bad": {"days": 7}}}
    for wrong in ('{"days": 8}', "{}", "7", '{"days": 7, "more": 1}'):
        assert refusal(tmp_path, files(wrong)) == (
            "acme/data.json: data.plangate.settings.no_bad is not what METADATA has as defaults"
        )
    other = files('{"days": 7}') | {
        "data.json": b'{"plangate": {"lib": 1}}',
        ".manifest": manifest(roots=[""]),
    }
    assert "data documents must not use this name" in refusal(tmp_path, other)


# --- What is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("policy.wasm", "a WebAssembly policy, which plangate does not run"),
        ("a/policy.wasm", "a WebAssembly policy, which plangate does not run"),
        ("plan.json", "a compiled evaluation plan, which plangate does not run"),
        (
            "patch.json",
            "a patch: delta bundles change policies from afar, and plangate takes whole ones only",
        ),
        ("a/.manifest", "a manifest other than .manifest at the top"),
        ("x.manifest", "a manifest other than .manifest at the top"),
        ("a/.signatures.json", "a signature other than .signatures.json at the top"),
        ("signatures.json", "a signature other than .signatures.json at the top"),
        ("other.json", "no rule claims this file"),
        (".hidden", "no rule claims this file"),
        ("a.sh", "no rule claims this file"),
    ],
)
def test_a_file_that_would_not_judge_is_refused(tmp_path: Path, name: str, problem: str) -> None:
    assert refusal(tmp_path, a_bundle(**{name: b"{}"})) == f"acme/{name}: {problem}"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not JSON: Expecting value at character 0"),
        (b"[]", "expected an object"),
        (b'{"revision": "a", "revision": "b"}', "not JSON: a key is written twice in one object"),
        (b"\xef\xbb\xbf{}", "not JSON: Unexpected UTF-8 BOM"),
        (b"\xff{}", "not JSON: not UTF-8"),
        (b"[" * 100_000, "not JSON: nested too deeply"),
        (b'{"etag": 1}', "unknown key 'etag'"),
        (b'{"wasm": [{"module": "/policy.wasm"}]}', "lists WebAssembly modules, which plangate does not run"),
        (b'{"rego_version": 0}', "has policies in Rego v0, which would be read as Rego v1"),
        (b'{"rego_version": "1"}', "has policies in Rego v0, which would be read as Rego v1"),
        (
            b'{"file_rego_versions": {"/a.rego": 0}}',
            "has policies in Rego v0, which would be read as Rego v1",
        ),
        (b'{"file_rego_versions": [0]}', "file_rego_versions: expected an object"),
        (b'{"metadata": [1]}', "metadata: expected an object"),
        (b'{"revision": 7}', "revision: expected a text of at most 200 characters in one line"),
        (b'{"revision": "a\\nb"}', "revision: expected a text of at most 200 characters in one line"),
        (b'{"roots": []}', "roots: expected a list of 1 to 2000 paths"),
        (b'{"roots": "policies"}', "roots: expected a list of 1 to 2000 paths"),
        (b'{"roots": ["a", "b", "a/c"]}', "roots: 'a' and 'a/c' overlap"),
        (b'{"roots": ["", "a"]}', "roots: '' and 'a' overlap"),
        (b'{"roots": ["a", "/a/"]}', "roots: 'a' and 'a' overlap"),
        (b'{"roots": ["a/../b"]}', "roots: expected paths such as policies/storage"),
        (b'{"roots": ["a//b"]}', "roots: expected paths such as policies/storage"),
        (b'{"roots": [1]}', "roots: expected a text of at most 200 characters in one line"),
        (manifest(metadata={"plangate": 1}), "metadata.plangate.schema: expected 'plangate.dev/bundle/v1'"),
        (manifest(metadata=ours(schema="v2")), "metadata.plangate.schema: expected 'plangate.dev/bundle/v1'"),
        (manifest(metadata=ours(more=1)), "metadata.plangate: unknown key 'more'"),
        (manifest(metadata=ours(name=None)), "metadata.plangate.name: expected a text"),
        (manifest(metadata=ours(name="")), "metadata.plangate.name: empty"),
        (manifest(metadata=ours(rules=[])), "metadata.plangate.rules: expected a list of 1 to 2000 rule ids"),
        (
            manifest(metadata=ours(rules=None)),
            "metadata.plangate.rules: expected a list of 1 to 2000 rule ids",
        ),
        (manifest(metadata=ours(rules=["a", "a"])), "metadata.plangate.rules: an id is there twice"),
        (manifest(metadata=ours(sequence=-1)), "metadata.plangate.sequence: expected a whole number from 0"),
        (manifest(metadata=ours(sequence=7.0)), "metadata.plangate.sequence: expected a whole number from 0"),
        (manifest(metadata=ours(sequence="7")), "metadata.plangate.sequence: expected a whole number from 0"),
        (
            manifest(metadata=ours(sequence=2**53)),
            "metadata.plangate.sequence: expected a whole number from 0",
        ),
        (
            manifest(metadata=ours(sequence=True)),
            "metadata.plangate.sequence: expected a whole number from 0",
        ),
    ],
)
def test_a_manifest_that_is_not_wholly_understood_is_refused(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    assert refusal(tmp_path, a_bundle(**{".manifest": content})).startswith(f"acme/.manifest: {problem}")


def test_a_bundle_needs_a_manifest_and_policies(tmp_path: Path) -> None:
    assert refusal(tmp_path, a_bundle(**{".manifest": None})) == "acme: no .manifest at the top of the bundle"
    empty = refusal(tmp_path, a_bundle(**{"no_bad.rego": None}))
    assert empty.endswith("acme.tar.gz: no policies in this bundle")


def test_policies_are_held_to_the_limits_of_folders(tmp_path: Path) -> None:
    assert refusal(tmp_path, a_bundle(**{"a.rego": b"\xff"})) == "acme/a.rego:1: not UTF-8 text"
    assert refusal(tmp_path, a_bundle(**{"a.rego": b"\xef\xbb\xbf"})).endswith("or a byte order mark")
    assert "nested more than 100 brackets deep" in refusal(tmp_path, a_bundle(**{"a.rego": b"[" * 101}))
    one = source(tmp_path, archive(a_bundle()))
    assert why([one], LoadLimits(max_bundle_bytes=99)) == "acme: larger than 99 bytes (max_bundle_bytes)"
    assert why([one], LoadLimits(max_total_bytes=99)).endswith("more than 99 bytes in all (max_total_bytes)")
    assert why([one], LoadLimits(max_files=0)).endswith("more than 0 files (max_files)")
    assert why([one], LoadLimits(max_unpacked_bytes=99)).endswith("99 bytes unpacked (max_unpacked_bytes)")


def test_a_huge_manifest_is_refused(tmp_path: Path) -> None:
    huge = manifest(metadata={"x": os.urandom(1 << 20).hex()})
    said = refusal(tmp_path, a_bundle(**{".manifest": huge}))
    assert said == "acme/.manifest: larger than 1048576 bytes (max_file_bytes)"


def test_data_with_a_key_twice_is_refused(tmp_path: Path) -> None:
    files = a_bundle(**{".manifest": manifest(roots=[""]), "data.json": b'{"a": 1, "a": 2}'})
    assert refusal(tmp_path, files) == "acme/data.json: a key is written twice in one object"


@pytest.mark.parametrize("content", [b"", b"package policies.test.x", b"PK\x03\x04", b'{"a": 1}'])
def test_another_file_is_not_taken_for_a_bundle(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content) == "acme: neither a folder nor a bundle"


def test_a_file_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, problem in (
        (tmp_path / "pipe", "neither a folder nor a bundle"),
        (tmp_path / "missing.tar.gz", "no such folder or bundle"),
        (Path(os.devnull), "neither a folder nor a bundle"),
    ):
        assert why([PolicySource(root=path, name="x")]) == f"{path}: {problem}"


def test_a_wrong_key_is_refused_before_everything(tmp_path: Path) -> None:
    said = refusal(tmp_path, signed(a_bundle(), "ES384"), keys={"release": a_key("ES256")})
    assert said == "acme/.signatures.json: signed with 'ES384', and key 'release' is for ES256"


def test_a_bundle_of_many_roots_and_rules_is_held_to_them_in_time(tmp_path: Path) -> None:
    roots = [f"a{n}/b/c/d/e/f" for n in range(1_999)]
    data = json.dumps({f"a{n}": {"b": {"c": {"d": {"e": {"f": 1}}}}} for n in range(1_999)}).encode()
    files = a_bundle(**{".manifest": manifest(roots=[*roots, "policies"]), "data.json": data})
    assert len(loaded(tmp_path, files).data) == 1_999
