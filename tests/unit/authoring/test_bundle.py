"""Making bundles: what would not load is not bundled, and the same input gives the same file."""

import json
from pathlib import Path
from typing import Any

import pytest

from plangate import __version__
from plangate.authoring.bundle import MadeBundle, Signing, make_bundle, write_bundle
from plangate.errors import PlangateError, PolicyLoadError, UsageError
from plangate.policy.archive import read_archive
from plangate.policy.base import PolicySource
from plangate.policy.files import LoadLimits, read_files
from plangate.policy.load import load, shipped_library, shipped_policies
from tests.unit.policy.builders import a_policy, write
from tests.unit.policy.bundles import ALGORITHMS, private_key

SETTING = "kinds: [compute.instance]\nsettings:\n  days: {description: Days., type: integer, default: 7}"
USES_SETTING = '\ndeny contains lib.plan_finding("x") if data.plangate.settings.no_bad.days > 9\n'


def contents(made: MadeBundle) -> dict[str, bytes]:
    return dict(read_archive(made.content, "b", LoadLimits()))


def a_folder(root: Path, **more: str) -> Path:
    return write(root, {"storage/no_bad.rego": a_policy(), **more}).root


def a_key(folder: Path, algorithm: str = "ES256", mode: int = 0o600) -> Path:
    path = folder / f"{algorithm}.pem"
    path.write_bytes(private_key(algorithm))
    path.chmod(mode)
    return path


def why(folder: Path, *roots: Path, **options: Any) -> str:
    with pytest.raises(PlangateError) as caught:
        make_bundle(roots or [folder], **({"name": "acme"} | options))
    return str(caught.value)


def test_a_bundle_has_policies_library_and_a_manifest(tmp_path: Path) -> None:
    root = a_folder(
        tmp_path, **{"storage/no_bad_test.rego": "package policies.test.no_bad_test\n", "a.md": "x"}
    )
    made = make_bundle([root], name="acme", revision="r1", sequence=7)
    files = contents(made)
    library = [
        f"plangate/lib/{file.path.name}" for file in read_files([shipped_library()], LoadLimits()).modules
    ]
    assert list(files) == [".manifest", *library, "storage/no_bad.rego"]
    assert json.loads(files[".manifest"]) == {
        "revision": "r1",
        "roots": ["plangate/lib", "policies/test/no_bad"],
        "rego_version": 1,
        "metadata": {
            "plangate": {
                "schema": "plangate.dev/bundle/v1",
                "name": "acme",
                "sequence": 7,
                "rules": ["no-bad"],
                "made_with": __version__,
            }
        },
    }
    assert (made.rules, made.roots) == (("no-bad",), ("plangate/lib", "policies/test/no_bad"))
    assert made.trust is None


def test_data_and_default_settings_come_along(tmp_path: Path) -> None:
    write(tmp_path, {"no_bad.rego": a_policy(USES_SETTING, extra=SETTING), "acme/data.yaml": "a: 1.5\n"})
    made = make_bundle([tmp_path], name="acme", with_library=False)
    files = contents(made)
    assert list(files) == [".manifest", "data.json", "no_bad.rego"]
    assert json.loads(files["data.json"]) == {
        "acme": {"a": 1.5},
        "plangate": {"settings": {"no_bad": {"days": 7}}},
    }
    assert made.roots == ("acme", "plangate/settings/no_bad", "policies/test/no_bad")


def test_data_from_elsewhere_can_come_along(tmp_path: Path) -> None:
    uses = '\ndeny contains lib.plan_finding("x") if data.acme.limit > 9\n'
    root = write(tmp_path / "p", {"no_bad.rego": a_policy(uses)}).root
    (tmp_path / "acme.json").write_text('{"acme": {"limit": 3}}')
    assert "data.acme" in why(root)
    made = make_bundle([root], name="acme", data=[tmp_path / "acme.json"], with_library=False)
    assert contents(made)["data.json"] == b'{"acme":{"limit":3}}'
    assert made.roots == ("acme", "policies/test/no_bad")


def test_own_libraries_come_along_and_copies_of_plangates_do_not_come_twice(tmp_path: Path) -> None:
    copies = {f"copied/{f.path.name}": f.text for f in read_files([shipped_library()], LoadLimits()).modules}
    root = a_folder(tmp_path, **{"mine.rego": "package plangate.lib.mine\n\nx := 1\n", **copies})
    with_library = contents(make_bundle([root], name="acme"))
    assert not any(name.startswith("copied") for name in with_library)
    assert len(with_library) == 1 + len(copies) + 2
    assert make_bundle([root], name="acme", with_library=False).roots == (
        "plangate/lib/mine",
        "policies/test/no_bad",
    )


def test_a_policy_in_the_place_of_the_library_is_refused(tmp_path: Path) -> None:
    a_folder(tmp_path, **{"plangate/lib/values.rego": "package plangate.lib.mine\n\nx := 1\n"})
    assert why(tmp_path).endswith(
        "values.rego: plangate/lib is the place of plangate's own library in a bundle"
    )


def test_several_folders_become_one_bundle(tmp_path: Path) -> None:
    one = a_folder(tmp_path / "one")
    other = write(tmp_path / "other", {"storage/no_worse.rego": a_policy(slug="no_worse")}).root
    made = make_bundle([one, other], name="acme", with_library=False)
    assert list(contents(made)) == [".manifest", "storage/no_bad.rego", "storage/no_worse.rego"]
    twin = write(tmp_path / "twin", {"storage/no_bad.rego": a_policy(slug="no_worse")}).root
    assert why(tmp_path, one, twin).endswith("no_bad.rego would be at the same place in the bundle")


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = a_folder(tmp_path / "one", **{"data.json": "{}"}), a_folder(tmp_path / "other")
    (other / "storage/no_bad.rego").touch(0o600)
    signing = Signing(file=a_key(tmp_path), key_id="k")
    made = [
        make_bundle([root], name="acme", revision="r", signing=signing).content
        for root in (one, other, other)
    ]
    assert len(set(made)) == 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signed_bundle_loads_with_its_key(tmp_path: Path, algorithm: str) -> None:
    signing = Signing(file=a_key(tmp_path, algorithm), key_id="k", algorithm=algorithm, scope="prod")
    made = make_bundle([a_folder(tmp_path / "p")], name="acme", signing=signing)
    write_bundle(made, tmp_path / "acme.tar.gz")
    assert made.algorithm == algorithm
    policies = load([PolicySource(root=tmp_path / "acme.tar.gz", name="acme", trust=made.trust)])
    assert [(used.key_id, used.algorithm) for used in policies.bundles] == [("k", algorithm)]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["acme.tar.gz", f"{algorithm}.pem", "p"]
    )


def test_the_shipped_policies_can_be_bundled_and_are_the_same(tmp_path: Path) -> None:
    root = shipped_policies().root
    write_bundle(make_bundle([root], name="shipped"), tmp_path / "b.tar.gz")
    bundled, folder = (
        load([PolicySource(root=tmp_path / "b.tar.gz", name="shipped")]),
        load([shipped_policies()]),
    )
    assert bundled.rules == folder.rules
    assert bundled.reads == folder.reads


# --- What is refused -----------------------------------------------------------------------------------------


def test_policies_that_do_not_load_are_not_bundled(tmp_path: Path) -> None:
    a_folder(tmp_path, **{"broken.rego": "package policies.test.broken\n"})
    assert "no METADATA above the package" in why(tmp_path)


def test_a_folder_without_rules_is_not_bundled(tmp_path: Path) -> None:
    write(tmp_path, {"mine.rego": "package plangate.lib.mine\n\nx := 1\n"})
    assert why(tmp_path).endswith("no rules, so this bundle would judge nothing")


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "ä", "a" * 65])
def test_a_name_that_settings_could_not_have_is_refused(tmp_path: Path, name: str) -> None:
    assert why(a_folder(tmp_path), name=name).startswith(f"{name!r}: no name for a bundle")


@pytest.mark.parametrize("revision", ["a\nb", "x" * 201])
def test_what_would_not_be_read_again_is_not_written(tmp_path: Path, revision: str) -> None:
    made = make_bundle([a_folder(tmp_path / "p")], name="acme", revision=revision)
    with pytest.raises(PolicyLoadError, match="revision: expected a text"):
        write_bundle(made, tmp_path / "acme.tar.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_bundle_of_a_bundle_is_refused(tmp_path: Path) -> None:
    write_bundle(make_bundle([a_folder(tmp_path / "p")], name="acme"), tmp_path / "acme.tar.gz")
    assert why(tmp_path, tmp_path / "acme.tar.gz") == "a bundle is made of folders, not of files"


def test_data_that_roots_cannot_name_is_refused(tmp_path: Path) -> None:
    a_folder(tmp_path, **{"data.json": '{"a/b": 1}'})
    assert why(tmp_path) == "data.a/b: the roots of a bundle have no way to write this name"


def test_a_path_that_is_too_long_for_tar_is_refused(tmp_path: Path) -> None:
    a_folder(tmp_path, **{f"{'a' * 200}/{'b' * 120}.rego": a_policy(slug="no_worse")})
    assert why(tmp_path).endswith("a path that is too long for a bundle")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    folder, key = a_folder(tmp_path / "p"), a_key(tmp_path, mode=0o640)
    assert why(folder, signing=Signing(file=key)) == f"{key}: others can read this key (mode 0640)"


@pytest.mark.parametrize(
    ("content", "algorithm", "problem"),
    [
        (b"", "", "not a private key in PEM; a secret needs an algorithm such as HS256"),
        (b"x", "HS256", "a secret of 1 bytes for HS256 (expected at least 32)"),
        (b"x" * 70_000, "HS256", "larger than 65536 bytes, so no key"),
        (b"x" * 40, "HS1", "unknown algorithm 'HS1'"),
    ],
)
def test_a_key_that_cannot_sign_is_refused(
    tmp_path: Path, content: bytes, algorithm: str, problem: str
) -> None:
    key = tmp_path / "key"
    key.write_bytes(content)
    key.chmod(0o600)
    said = why(a_folder(tmp_path / "p"), signing=Signing(file=key, algorithm=algorithm))
    assert said.startswith(f"{key}: {problem}")


def test_a_key_that_is_not_there_is_refused(tmp_path: Path) -> None:
    said = why(a_folder(tmp_path / "p"), signing=Signing(file=tmp_path / "no.pem"))
    assert said == f"{tmp_path / 'no.pem'}: cannot be read: No such file or directory"


def test_a_place_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    made = make_bundle([a_folder(tmp_path / "p")], name="acme")
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        write_bundle(made, tmp_path / "no" / "acme.tar.gz")
