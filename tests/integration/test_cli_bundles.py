"""Bundles at the gate, as people have it: made, shipped, verified, replayed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plangate import gate, wiring
from plangate.parsers.base import Options
from plangate.wiring import pool
from tests.command_line import ALLOWED, DENIED, Ran, run
from tests.unit.policy.builders import a_policy, write
from tests.unit.policy.bundles import private_key, public_key

RULE = """
deny contains lib.finding(instance, "it is public") if {
	some instance in lib.of_kind("compute.instance")
	instance.facts.public_ip == true
}
"""
SETTINGS = """version: 1
bundles:
  acme:
    path: acme.tar.gz
    keys:
      release: {file: release.pub, algorithm: ES256}
    monotonic: true
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with settings, keys, plans and policies."""
    write(tmp_path / "mine", {"network/no_bad.rego": a_policy(RULE)})
    (tmp_path / "release.pem").write_bytes(private_key("ES256"))
    (tmp_path / "release.pem").chmod(0o600)
    (tmp_path / "release.pub").write_bytes(public_key("ES256"))
    (tmp_path / "other.pub").write_bytes(public_key("ES384"))
    (tmp_path / "plangate.yaml").write_text(SETTINGS)
    (tmp_path / "allowed.json").write_bytes(ALLOWED.read_bytes())
    (tmp_path / "denied.json").write_bytes(DENIED.read_bytes())
    return tmp_path


def ship(place: Path, number: int, *more: str, output: str = "acme.tar.gz") -> Ran:
    made = run(
        "policy", "bundle", "mine", "-o", output, "--name", "acme", "--revision", str(number),
        "--sign", "release.pem", "--key-id", "release", *more, cwd=place,
    )  # fmt: skip
    assert made.code == 0, made.err
    return made


def check(place: Path, *more: str, plan: str = "allowed.json") -> Ran:
    return run("check", plan, *more, cwd=place)


def decision(place: Path, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(check(place, "--format", "json", **more).out)
    return found


def records(place: Path) -> list[str]:
    return [line.split()[2] for line in run("audit", "list", cwd=place).out.splitlines()[:-1]]


def test_a_bundle_judges_and_stands_in_the_decision(place: Path) -> None:
    assert ship(place, 7).out == "acme.tar.gz: bundle acme, 1 rules, signed (ES256)\n"
    first = check(place)
    assert first.code == 0
    assert (
        "bundle acme: first use with this state folder; from now on nothing older than sequence 7\n"
        in first.err
    )
    document = decision(place, plan="denied.json")
    assert document["result"] == "deny"
    assert sorted({o["rule"] for o in document["outcomes"] if o["rule"] == "no-bad"}) == ["no-bad"]
    (bundle,) = document["policy"]["bundles"]
    assert bundle == {
        "name": "acme",
        "sha256": bundle["sha256"],
        "revision": "7",
        "sequence": 7,
        "key_id": "release",
        "monotonic": True,
    }
    label = "bundle acme, revision 7, sequence 7, signed with release (ES256)"
    assert document["policy"]["sources"] == ["built-in", "shipped", label]
    listed = run("rules", "list", cwd=place)
    assert f"from {label}\n" in listed.out
    rules = json.loads(run("rules", "list", "--format", "json", cwd=place).out)
    assert {rule["id"]: rule["bundle"] for rule in rules if rule["bundle"]} == {
        "no-bad": {"name": "acme", "revision": "7", "sequence": 7, "key_id": "release"}
    }
    assert "bundle acme  sequence 7  7" in run("audit", "list", cwd=place).out
    assert run("audit", "verify", cwd=place).code == 0


def test_an_older_bundle_is_replayed_in_vain(place: Path) -> None:
    ship(place, 7, output="old.tar.gz")
    ship(place, 8)
    assert check(place).code == 0
    assert check(place).code == 0
    (place / "acme.tar.gz").write_bytes((place / "old.tar.gz").read_bytes())
    replayed = check(place)
    assert (replayed.code, replayed.out) == (3, "")
    assert replayed.err == (
        "plangate: bundle acme: sequence 7 is older than 8, which was in use here\n"
        "  hint: take it back by a new bundle with a sequence beyond 8\n"
        "could not decide; nothing was executed\n"
    )
    ship(place, 9)
    assert check(place).code == 0
    assert records(place).count("policy.activated") == 2


def test_the_same_number_with_other_policies_is_refused(place: Path) -> None:
    ship(place, 7)
    assert check(place).code == 0
    ship(place, 7)
    assert check(place).code == 0  # the same policies are the same file
    (place / "mine/network/no_bad.rego").write_text(a_policy(RULE) + "\n# more\n")
    ship(place, 7)
    assert check(place).code == 3


def test_a_log_that_cannot_be_read_decides_nothing(place: Path) -> None:
    ship(place, 7)
    assert check(place).code == 0
    (place / ".plangate/log.sqlite3").write_bytes(b"garbage")
    assert check(place).code == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b[:-1], "acme: cut off: the gzip stream has no end"),
        (lambda b: b + b"\0", "acme: something stands behind the end of the gzip stream"),
        (lambda _: b"", "acme: neither a folder nor a bundle"),
    ],
)
def test_a_damaged_bundle_decides_nothing(place: Path, change: Callable[[bytes], bytes], said: str) -> None:
    ship(place, 7)
    (place / "acme.tar.gz").write_bytes(change((place / "acme.tar.gz").read_bytes()))
    damaged = check(place)
    assert damaged.code == 3
    assert said in damaged.err


def test_a_missing_unsigned_or_foreign_bundle_decides_nothing(place: Path) -> None:
    missing = check(place)
    assert (missing.code, "acme: cannot be read: No such file or directory" in missing.err) == (3, True)
    run("policy", "bundle", "mine", "-o", "acme.tar.gz", "--revision", "7", cwd=place)
    unsigned = check(place)
    assert (unsigned.code, "acme: not signed" in unsigned.err) == (3, True)
    ship(place, 7)
    (place / "plangate.yaml").write_text(SETTINGS.replace("release.pub", "other.pub"))
    foreign = check(place)
    assert (foreign.code, "ES256 needs a key on the curve secp256r1" in foreign.err) == (3, True)


def test_settings_of_the_wrong_kind_are_a_usage_error(place: Path) -> None:
    ship(place, 7)
    for settings, said in (
        (SETTINGS.replace("release.pub", "gone.pub"), "gone.pub: the key cannot be read"),
        (SETTINGS.replace("ES256", "none"), "'none' is not one of"),
        (SETTINGS.replace("acme.tar.gz", "https://example.com/acme.tar.gz"), "bundles.acme.path"),
        ("version: 1\nbundles: {acme: {path: acme.tar.gz}}", "bundles.acme"),
    ):
        (place / "plangate.yaml").write_text(settings)
        refused = check(place)
        assert (refused.code, said in refused.err) == (2, True), refused.err


def test_a_signature_that_was_meant_is_not_left_out(place: Path) -> None:
    for option in ("--key-id", "--algorithm", "--scope"):
        made = run("policy", "bundle", "mine", "-o", "acme.tar.gz", option, "x", cwd=place)
        assert (made.code, made.out, "are about a signature" in made.err) == (2, "", True)
    assert not (place / "acme.tar.gz").exists()


@pytest.mark.parametrize(
    ("options", "sequence"),
    [
        (("--revision", "007"), 7),
        (("--revision", "7", "--sequence", "9"), 9),
        (("--revision", "4f1c2d9"), None),
        (("--revision", "9" * 5_000), None),
        ((), None),
    ],
)
def test_a_revision_that_is_a_number_is_the_sequence_too(
    place: Path, options: tuple[str, ...], sequence: int | None
) -> None:
    made = run("policy", "bundle", "mine", "-o", "try.tar.gz", *options, cwd=place)
    if len("".join(options)) > 5_000:
        assert (made.code, "revision: expected a text of at most 200 characters" in made.err) == (3, True)
        return
    (place / "plangate.yaml").unlink()
    listed = json.loads(run("rules", "list", "--policy", "try.tar.gz", "--format", "json", cwd=place).out)
    assert [rule["bundle"]["sequence"] for rule in listed if rule["bundle"]] == [sequence]


def test_an_unsigned_bundle_can_be_tried_with_a_flag(place: Path) -> None:
    (place / "plangate.yaml").unlink()
    made = run("policy", "bundle", "mine", "-o", "try.tar.gz", cwd=place)
    assert made.out == "try.tar.gz: bundle try, 1 rules, not signed\n"
    listed = run("rules", "list", "--policy", "try.tar.gz", cwd=place)
    assert "from bundle try, signature not checked\n" in listed.out
    assert check(place, "--policy", "try.tar.gz").code == 0
    ship(place, 7)
    signed = check(place, "--policy", "acme.tar.gz")
    assert (signed.code, "signed, and no key to verify it with" in signed.err) == (3, True)


def test_policies_that_change_while_many_files_are_judged_decide_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each judging process reads the bundle again; another one by then must not judge."""
    monkeypatch.chdir(place)
    monkeypatch.setattr(wiring.session, "processes_for", lambda _: 2)
    (place / "plangate.yaml").unlink()
    names = ["allowed.json", "denied.json"]
    real = pool._begin

    def swap(*arguments: Any) -> None:
        write(place / "mine", {"network/no_worse.rego": a_policy(RULE, slug="no_worse")})
        real(*arguments)

    def judge(begin: Any) -> Any:
        monkeypatch.setattr(pool, "_begin", begin)
        choices = wiring.Choices(policies=[Path("mine")], options=Options(environ={}))
        with wiring.open_session(names, choices, lambda _: None) as session:
            return gate.check(session.gate, session.run)

    assert judge(real).judgement.result.value == "deny"
    decided = judge(swap)
    assert decided.judgement.result.value == "error"
    assert "the policies were changed while they were read" in str(decided.problem)
