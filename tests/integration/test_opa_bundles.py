"""Real OPA takes our bundles and we take OPA's: every algorithm, and the same files refused on both sides."""

import json
import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from plangate.authoring.bundle import Signing, make_bundle, write_bundle
from plangate.errors import PolicyLoadError
from plangate.policy.archive import read_archive
from plangate.policy.base import PolicySet, PolicySource
from plangate.policy.files import LoadLimits, read_files
from plangate.policy.load import load, shipped_library
from plangate.policy.trust import BundleTrust, VerificationKey
from tests.tools import require_tool
from tests.unit.policy.builders import a_plan, a_policy, a_resource, document, statuses, write
from tests.unit.policy.bundles import ALGORITHMS, archive, ours, private_key, public_key, signed

pytestmark = pytest.mark.opa

DATA = '{"acme": {"numbers": [1.0, 1e5, -0.0, 12345678901], "text": "<é\\u2028\\u007f\\u0001\\b\\f\\"\\\\/>", "": {}}}'


class Opa:
    """OPA in a folder with keys, and policies to bundle."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._program = require_tool("opa")
        library = read_files([shipped_library()], LoadLimits()).modules
        files = {"storage/no_bad.rego": a_policy(), "data.json": DATA}
        write(folder / "src", files | {f"lib/{file.path.name}": file.text for file in library})
        manifest = {"revision": "r7", "roots": ["policies/test", "acme", "plangate/lib"], "metadata": ours()}
        (folder / "src" / ".manifest").write_text(json.dumps(manifest))
        for algorithm in ALGORITHMS:
            (folder / f"{algorithm}.pem").write_bytes(private_key(algorithm))
            (folder / f"{algorithm}.pem").chmod(0o600)
            (folder / f"{algorithm}.pub").write_bytes(public_key(algorithm))

    def run(self, *arguments: str | Path, cwd: Path | None = None, check: bool = True) -> str:
        done = subprocess.run(
            [self._program, *map(str, arguments)],
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done.stdout + done.stderr

    def verifies(self, bundle: str, algorithm: str, *more: str, key: str = "") -> str:
        """What OPA says of a bundle while it verifies and builds it again; empty when it is content."""
        return self.run(
            "build", "-b", bundle, "-o", "again.tar.gz", "--verification-key", key or f"{algorithm}.pub",
            "--verification-key-id", "release", "--signing-alg", algorithm, "--signing-key", f"{algorithm}.pem",
            *more, check=False,
        )  # fmt: skip

    def ours(self, algorithm: str, name: str = "acme.tar.gz", **signing: Any) -> Path:
        """A bundle that we made."""
        key = Signing(file=self.folder / f"{algorithm}.pem", key_id="release", algorithm=algorithm, **signing)
        made = make_bundle([self.folder / "policies"], name="acme", revision="r7", sequence=7, signing=key)
        write_bundle(made, self.folder / name)
        return self.folder / name

    def load(self, bundle: str, algorithm: str, **trust: Any) -> PolicySet:
        key = VerificationKey(algorithm=algorithm, content=public_key(algorithm), file=f"{algorithm}.pub")
        asked = BundleTrust(**({"name": "acme", "keys": {"release": key}} | trust))
        return load([PolicySource(root=self.folder / bundle, name="acme", trust=asked)])

    def repacked(self, bundle: str, name: str, **changes: bytes | None) -> str:
        """The bundle with files changed, added or (``None``) taken out."""
        files = dict(read_archive((self.folder / bundle).read_bytes(), "b", LoadLimits()))
        whole = {each: content for each, content in {**files, **changes}.items() if content is not None}
        (self.folder / name).write_bytes(archive(whole))
        return name

    @contextmanager
    def server(self, *arguments: str | Path) -> Iterator[int]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [self._program, "run", "--server", "--addr", f"127.0.0.1:{port}", *map(str, arguments)],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield port
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def opa(tmp_path_factory: pytest.TempPathFactory) -> Opa:
    made = Opa(tmp_path_factory.mktemp("opa"))
    write(made.folder / "policies", {"storage/no_bad.rego": a_policy(), "data.json": DATA})
    return made


# --- OPA takes ours ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_opa_verifies_our_signature(opa: Opa, algorithm: str) -> None:
    opa.ours(algorithm, scope="prod")
    assert opa.verifies("acme.tar.gz", algorithm, "--scope", "prod") == ""
    assert "scope mismatch" in opa.verifies("acme.tar.gz", algorithm)


def test_opa_refuses_what_we_refuse(opa: Opa) -> None:
    opa.ours("ES256")
    files = dict(read_archive((opa.folder / "acme.tar.gz").read_bytes(), "b", LoadLimits()))
    policy = files["storage/no_bad.rego"]
    for name, changes, problem in (
        ("changed", {"storage/no_bad.rego": policy + b"\n"}, "digest mismatch"),
        ("more", {"more.rego": b"package policies.test.more\n"}, "not included in bundle signature"),
        ("less", {"storage/no_bad.rego": None}, "not found in the target bundle"),
        ("data", {"data.json": files["data.json"].replace(b"1", b"2")}, "digest mismatch"),
        ("manifest", {".manifest": files[".manifest"].replace(b"r7", b"r8")}, "digest mismatch"),
        ("unsigned", {".signatures.json": None}, "missing .signatures.json"),
    ):
        bundle = opa.repacked("acme.tar.gz", f"{name}.tar.gz", **changes)
        assert problem in opa.verifies(bundle, "ES256"), name
        with pytest.raises(PolicyLoadError):
            opa.load(bundle, "ES256")
    (opa.folder / "other.pub").write_bytes(public_key("ES384"))
    assert "failed to verify JWT signature" in opa.verifies("acme.tar.gz", "ES256", key="other.pub")


def test_opa_evaluates_our_bundle_by_itself_as_we_do(opa: Opa) -> None:
    path = opa.ours("ES256")
    plan = a_plan(a_resource(facts={"public_ip": True}), a_resource("aws_instance.good"))
    (opa.folder / "input.json").write_bytes(document(plan))
    said = opa.run("eval", "-f", "values", "-b", path, "-i", "input.json", "data.policies.test.no_bad.deny")
    assert json.loads(said) == [[{"address": "aws_instance.web", "message": "it is public"}]]
    assert statuses(opa.load("acme.tar.gz", "ES256"), plan) == {
        "aws_instance.good": "pass",
        "aws_instance.web": "fail",
    }


def test_opa_tells_what_is_in_our_bundle(opa: Opa) -> None:
    opa.ours("ES256")
    said = json.loads(opa.run("inspect", "-f", "json", "acme.tar.gz"))
    assert said["manifest"]["revision"] == "r7"
    assert said["manifest"]["roots"] == ["acme", "plangate/lib", "policies/test/no_bad"]
    assert said["manifest"]["metadata"]["plangate"]["rules"] == ["no-bad"]
    assert said["namespaces"]["data.policies.test.no_bad"] == ["storage/no_bad.rego"]


def test_an_opa_server_starts_with_our_bundle_and_not_with_a_changed_one(opa: Opa) -> None:
    opa.ours("ES256")
    verify = ("--verification-key", "ES256.pub", "--verification-key-id", "release", "--signing-alg", "ES256")
    with opa.server("-b", "acme.tar.gz", *verify) as port:
        assert _ask(port) == {"result": []}
    changed = opa.repacked(
        "acme.tar.gz", "changed.tar.gz", **{"storage/no_bad.rego": b"package policies.test.no_bad\n"}
    )
    said = opa.run("run", "--server", "--addr", "127.0.0.1:0", "-b", changed, *verify, check=False)
    assert "digest mismatch" in said


def _ask(port: int) -> Any:
    for _ in range(200):
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/v1/data/policies/test/no_bad/deny"
            ) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    pytest.fail("the server did not come up")


LETTERS = [
    *map(chr, range(0x20)),
    *'"\\\\/<>&=+\x7f\x80\xa0é',
    "\u2028",
    "\u2029",
    "\ufeff",
    "\ufffd",
    "\uffff",
    "😀",
    "\U0010ffff",
]
NUMBERS = ["0", "-0", "-0.0", "1.0", "1.50", "1e5", "1E+5", "1e-7", "100000000000000000000", "0.1", "5e-324"]


def _value(chance: random.Random, depth: int = 0) -> str:
    """JSON as people and programs may write it: escapes or not, any order, white space, any spelling of a number."""
    kind = chance.randrange(7 if depth < 4 else 4)
    space = chance.choice(["", "", " ", "\n\t"])
    if kind == 0:
        return chance.choice(NUMBERS)
    if kind == 1:
        return chance.choice(["true", "false", "null"])
    if kind in (2, 3):
        text = "".join(chance.choices(LETTERS, k=chance.randrange(5)))
        return json.dumps(text, ensure_ascii=chance.random() < 0.5)
    if kind == 4:
        return f"[{space}{f',{space}'.join(_value(chance, depth + 1) for _ in range(chance.randrange(4)))}{space}]"
    keys = {
        "".join(chance.choices([*LETTERS, "a", "b"], k=chance.randrange(3)))
        for _ in range(chance.randrange(5))
    }
    items = (f"{json.dumps(key)}{space}:{_value(chance, depth + 1)}" for key in keys)
    return f"{{{f',{space}'.join(items)}}}"


def test_opa_takes_our_digest_of_any_json(opa: Opa) -> None:
    chance = random.Random(4)  # noqa: S311 - the same documents in every run
    files = {f"d{n}/data.json": f'{{"x":{_value(chance)}}}'.encode() for n in range(400)}
    files |= {
        ".manifest": b'{"roots": [""], "revision": "<\\u2028\xc3\xa9>"}',
        "n/data.yml": b"a: 1\n",
        "t.md": b"\xff",
    }
    (opa.folder / "any.tar.gz").write_bytes(archive(signed(files)))
    assert opa.verifies("any.tar.gz", "ES256") == ""
    files["d7/data.json"] = files["d7/data.json"].replace(b'{"x":', b'{"y":', 1)
    assert "d7/data.json: digest mismatch" in opa.verifies(
        opa.repacked("any.tar.gz", "any2.tar.gz", **{"d7/data.json": files["d7/data.json"]}), "ES256"
    )


# --- We take OPA's -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_we_verify_what_opa_build_signs(opa: Opa, algorithm: str) -> None:
    opa.run(
        "build", "-b", ".", "-o", "../built.tar.gz", "--signing-alg", algorithm, "--signing-key",
        f"../{algorithm}.pem", cwd=opa.folder / "src",
    )  # fmt: skip
    key = VerificationKey(algorithm=algorithm, content=public_key(algorithm), file="k")
    policies = opa.load("built.tar.gz", algorithm, keys={"default": key}, monotonic=True)
    (used,) = policies.bundles
    assert (used.revision, used.sequence, used.key_id, used.rules) == ("r7", 7, "default", ("no-bad",))
    assert policies.data["acme"]["numbers"][3] == 12345678901
    assert statuses(policies, a_plan(a_resource(facts={"public_ip": True}))) == {"aws_instance.web": "fail"}
    changed = opa.repacked("built.tar.gz", "changed.tar.gz", **{".manifest": b"{}"})
    with pytest.raises(PolicyLoadError, match=r"\.manifest: is not what was signed"):
        opa.load(changed, algorithm, keys={"default": key})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_we_verify_what_opa_sign_signs_and_tar_packs(opa: Opa, algorithm: str) -> None:
    source = opa.folder / "src"
    (opa.folder / "claims.json").write_text('{"scope": "prod", "keyid": "release"}')
    opa.run(
        "sign", "-b", ".", "--signing-alg", algorithm, "--signing-key", f"../{algorithm}.pem", "--claims-file",
        "../claims.json", cwd=source,
    )  # fmt: skip
    names = [".manifest", ".signatures.json", "data.json", "lib", "storage"]
    subprocess.run(["tar", "czf", opa.folder / "signed.tar.gz", *names], cwd=source, check=True)
    (source / ".signatures.json").unlink()
    assert opa.load("signed.tar.gz", algorithm, scope="prod").bundles[0].key_id == "release"
    with pytest.raises(PolicyLoadError, match=r"signed for the scope 'prod' \(expected ''\)"):
        opa.load("signed.tar.gz", algorithm)


def test_our_signature_goes_through_opa_and_back(opa: Opa) -> None:
    """OPA verifies our bundle, builds it again with its own signature, and we take that: nothing is lost."""
    opa.ours("ES256")
    assert opa.verifies("acme.tar.gz", "ES256") == ""
    key = VerificationKey(algorithm="ES256", content=public_key("ES256"), file="k")
    again = opa.load("again.tar.gz", "ES256", keys={"release": key})
    whole = opa.load("acme.tar.gz", "ES256")
    assert again.rules[0].id == whole.rules[0].id
    assert again.data == whole.data
    assert (again.bundles[0].sequence, again.bundles[0].rules) == (7, ("no-bad",))


def test_what_opa_compiles_or_patches_is_refused(opa: Opa) -> None:
    entry = "policies/test/no_bad/deny"
    opa.run("build", "-t", "plan", "-e", entry, "-b", ".", "-o", "../plan.tar.gz", cwd=opa.folder / "src")
    with pytest.raises(PolicyLoadError, match=r"plan\.json: a compiled evaluation plan"):
        load([PolicySource(root=opa.folder / "plan.tar.gz", name="acme")])


def test_rego_v0_from_opa_is_refused(opa: Opa) -> None:
    write(opa.folder / "old", {"a.rego": 'package policies.test.a\n\ndeny["x"] { input.x }\n'})
    opa.run("build", "--v0-compatible", "-b", ".", "-o", "../old.tar.gz", cwd=opa.folder / "old")
    with pytest.raises(PolicyLoadError, match="has policies in Rego v0"):
        load([PolicySource(root=opa.folder / "old.tar.gz", name="acme")])
