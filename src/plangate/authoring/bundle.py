"""Policy folders as one file that can be shipped, signed and told apart: a bundle in OPA's format.

The rules this module keeps:

1. What would not load is not bundled: the policies are checked as the gate would check them.
2. The same policies, revision and key give the same bytes, on machines with the same zlib.
3. What was made is read again, with its own signature verified, before anybody gets it.
"""

import io
import json
import os
import stat
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from plangate import __version__
from plangate.errors import PolicyLoadError, UsageError
from plangate.policy import jws
from plangate.policy.base import PolicySource
from plangate.policy.files import LoadLimits, PolicyFile, read_files
from plangate.policy.load import load, shipped_library
from plangate.policy.manifest import BUNDLE_SCHEMA, MANIFEST
from plangate.policy.parse import parse_modules
from plangate.policy.signature import SIGNATURES, listed_files
from plangate.policy.trust import NAME, BundleTrust, Roots, VerificationKey

_LIBRARY: Final = "plangate/lib"
_MAX_KEY_BYTES: Final = 64 * 1024


class Signing(Struct, frozen=True, kw_only=True):
    """How a bundle is signed.

    Attributes:
        file: A private key in PEM, or the secret of an HMAC algorithm.
        algorithm: A JWS algorithm; empty takes the one that fits the key.
        key_id: What the verifier calls the key.
        scope: What the signature is for; empty for nothing in particular.
    """

    file: Path
    algorithm: str = ""
    key_id: str = ""
    scope: str = ""


class MadeBundle(Struct, frozen=True, kw_only=True):
    """A bundle that was made, and what is in it.

    Attributes:
        content: The file.
        rules: Ids of its rules, sorted.
        roots: Paths below ``data`` that it defines.
        trust: What verifies it; ``None`` when it is not signed.
    """

    content: bytes
    rules: tuple[str, ...]
    roots: tuple[str, ...]
    trust: BundleTrust | None

    @property
    def algorithm(self) -> str:
        """What it is signed with, or empty."""
        return next((key.algorithm for key in self.trust.keys.values()), "") if self.trust else ""


def make_bundle(
    roots: Sequence[Path],
    *,
    name: str,
    revision: str = "",
    sequence: int | None = None,
    data: Sequence[Path] = (),
    signing: Signing | None = None,
    with_library: bool = True,
) -> MadeBundle:
    """A bundle of the policies and data below some folders.

    Tests and texts stay out: a bundle is what judges.

    Args:
        roots: Folders of policies; two of them may share folders, but no file.
        name: What the settings of a gate call it.
        revision: For people.
        sequence: A number that grows with every bundle of this name.
        data: Documents to bring along besides those in the folders; see `plangate.policy.files.read_data`.
        signing: The key; without it the bundle is not signed.
        with_library: Bring ``data.plangate.lib`` along, so that OPA can evaluate the bundle by itself.

    Raises:
        PolicyLoadError: The policies would not load, or cannot be bundled.
        UsageError: The key does not fit, or a name that no bundle can have.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r}: no name for a bundle (expected {NAME.pattern})", hint="--name gives it one"
        )
    if any(root.is_file() for root in roots):
        raise UsageError("a bundle is made of folders, not of files")
    sources = [PolicySource(root=root, name=str(root)) for root in roots]
    policies = load(sources, data=data)
    if not policies.rules:
        names = ", ".join(map(str, roots))
        raise PolicyLoadError(names, "no rules, so this bundle would judge nothing")
    modules = read_files(sources, LoadLimits()).modules
    library = {
        f"{_LIBRARY}/{file.path.name}": file.text
        for file in read_files([shipped_library()], LoadLimits()).modules
    }
    texts = _by_place(modules, set(library.values()))
    packages = sorted(module.package for module in parse_modules(tuple(texts.values())))
    files = {place: file.text.encode() for place, file in texts.items()}
    files |= {place: text.encode() for place, text in library.items()} if with_library else {}
    if policies.data:
        files["data.json"] = _json(dict(policies.data))
    taken = _roots(packages, policies.data, with_library=with_library)
    rules = tuple(rule.id for rule in policies.rules)
    ours: dict[str, Any] = {"schema": BUNDLE_SCHEMA, "name": name, "rules": rules, "made_with": __version__}
    ours |= {} if sequence is None else {"sequence": sequence}
    files[MANIFEST] = _json(
        {"revision": revision, "roots": taken, "rego_version": 1, "metadata": {"plangate": ours}}
    )
    trust = None
    if signing is not None:
        files[SIGNATURES], trust = _signed(files, signing, name)
    return MadeBundle(content=_pack(files, name), rules=rules, roots=taken, trust=trust)


def write_bundle(made: MadeBundle, output: Path) -> None:
    """Put a bundle where it is wanted, whole or not at all, after it was read back as a gate would.

    Raises:
        PolicyLoadError: It does not load.
        UsageError: It cannot be written.
    """
    temporary = output.with_name(f".{output.name}.{os.urandom(8).hex()}")
    try:
        try:
            temporary.write_bytes(made.content)
            load([PolicySource(root=temporary, name=output.name, trust=made.trust)])
            temporary.replace(output)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as problem:
        raise UsageError(f"{output}: cannot be written: {problem.strerror}") from problem


def _by_place(modules: Sequence[PolicyFile], library: set[str]) -> dict[str, PolicyFile]:
    """Policies by their place in the bundle, which is that below their folder; copies of the library stay out."""
    found: dict[str, PolicyFile] = {}
    for file in modules:
        if file.text in library:
            continue
        place = file.name.removeprefix(f"{file.source.rstrip('/')}/")
        if place in found:
            raise PolicyLoadError(
                file.name, f"{found[place].name} would be at the same place in the bundle",
                hint="two folders that go into one bundle need file names of their own",
            )  # fmt: skip
        if place.startswith(f"{_LIBRARY}/"):
            raise PolicyLoadError(file.name, f"{_LIBRARY} is the place of plangate's own library in a bundle")
        found[place] = file
    return found


def _roots(
    packages: Sequence[Sequence[str]], data: Mapping[str, Any], *, with_library: bool
) -> tuple[str, ...]:
    """As little as what the bundle defines, so that two bundles rarely get in each other's way."""
    found = {"/".join(package) for package in packages}
    found |= {f"plangate/settings/{slug}" for slug in data.get("plangate", {}).get("settings", {})}
    for key in data:
        if not key or "/" in key:
            raise PolicyLoadError(f"data.{key}", "the roots of a bundle have no way to write this name")
        found |= {key} if key != "plangate" else set()
    found |= {_LIBRARY} if with_library else set()
    # A root covers what is below it; naming that as well would be an overlap.
    return tuple(sorted(root for root in found if not Roots(found - {root}).hold(root.split("/"))))


def _signed(files: Mapping[str, bytes], signing: Signing, name: str) -> tuple[bytes, BundleTrust]:
    try:
        signer = jws.signer(signing.algorithm, _secret(signing.file))
    except jws.JwsError as problem:
        raise UsageError(f"{signing.file}: {problem}") from problem
    claims: dict[str, Any] = {"files": listed_files(files, name)}
    # Older versions of OPA look for the key's id here, newer ones in the header first.
    claims |= {"keyid": signing.key_id} if signing.key_id else {}
    claims |= {"scope": signing.scope} if signing.scope else {}
    key = VerificationKey(algorithm=signer.algorithm, content=signer.verifies, file=str(signing.file))
    trust = BundleTrust(name=name, keys={signing.key_id or "any": key}, scope=signing.scope)
    return _json({"signatures": [jws.sign_token(_json(claims), signer, signing.key_id)]}), trust


def _secret(path: Path) -> bytes:
    """A key that nobody else can read."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(_MAX_KEY_BYTES + 1)
    except OSError as problem:
        raise UsageError(f"{path}: cannot be read: {problem.strerror}") from problem
    if mode & 0o077:
        raise UsageError(f"{path}: others can read this key (mode {mode:04o})", hint=f"chmod 600 {path}")
    if len(content) > _MAX_KEY_BYTES:
        raise UsageError(f"{path}: larger than {_MAX_KEY_BYTES} bytes, so no key")
    return content


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _pack(files: Mapping[str, bytes], name: str) -> bytes:
    """A tar archive with nothing in it but names and contents, gzipped without time or name."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for each in sorted(files):
            member = tarfile.TarInfo(each)
            member.size = len(files[each])
            member.mode = 0o644
            try:
                tar.addfile(member, io.BytesIO(files[each]))
            except ValueError as problem:
                raise PolicyLoadError(f"{name}/{each}", "a path that is too long for a bundle") from problem
    machine = zlib.compressobj(9, zlib.DEFLATED, wbits=31)
    return machine.compress(archive.getvalue()) + machine.flush()
