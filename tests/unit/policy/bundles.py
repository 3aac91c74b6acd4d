"""Bundles for tests: archives of any kind, keys of every algorithm, and tokens that say what a test wants."""

import base64
import io
import json
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from plangate.policy import jws
from plangate.policy.base import PolicySource
from plangate.policy.signature import listed_files
from plangate.policy.trust import BundleTrust, VerificationKey
from tests.unit.policy.builders import a_policy

ALGORITHMS: Final = jws.ALGORITHMS
SECRET: Final = bytes(range(33, 33 + 64))
Member = tuple[tarfile.TarInfo, bytes]


@cache
def private_key(algorithm: str) -> bytes:
    """A private key in PEM for an algorithm, or a secret; the same for every test."""
    if algorithm in jws.HMAC:
        return SECRET
    key: Any
    if algorithm in jws.RSA:
        key = _rsa()
    elif algorithm == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        curve: Any = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}[algorithm]
        key = ec.generate_private_key(curve())
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem


@cache
def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_key(algorithm: str) -> bytes:
    """What verifies it."""
    return jws.signer(algorithm, private_key(algorithm)).verifies


def a_key(algorithm: str = "ES256") -> VerificationKey:
    """A key as the settings have it."""
    return VerificationKey(algorithm=algorithm, content=public_key(algorithm), file=f"{algorithm}.pub")


def a_trust(algorithm: str = "ES256", **fields: Any) -> BundleTrust:
    """Trust in one key, called ``release``."""
    return BundleTrust(**({"name": "acme", "keys": {"release": a_key(algorithm)}} | fields))


def manifest(**fields: Any) -> bytes:
    """A manifest of the policy ``no_bad``; ``None`` leaves a key out."""
    ours = {"schema": "plangate.dev/bundle/v1", "name": "acme", "sequence": 7, "rules": ["no-bad"]}
    whole = {"revision": "r7", "roots": ["policies/test"], "metadata": {"plangate": ours}} | fields
    return json.dumps({key: value for key, value in whole.items() if value is not None}).encode()


def ours(**fields: Any) -> dict[str, Any]:
    """``metadata`` with our part of it."""
    whole = {"schema": "plangate.dev/bundle/v1", "name": "acme", "sequence": 7, "rules": ["no-bad"]} | fields
    return {"plangate": {key: value for key, value in whole.items() if value is not None}}


def a_bundle(**others: bytes | None) -> dict[str, bytes]:
    """Files of a bundle of one policy, with its manifest; ``None`` takes one away."""
    files = {".manifest": manifest(), "no_bad.rego": a_policy().encode()} | others
    return {name: content for name, content in files.items() if content is not None}


def signed(
    files: Mapping[str, bytes],
    algorithm: str = "ES256",
    /,
    *,
    key_id: str = "release",
    header: Mapping[str, Any] | None = None,
    key: bytes | None = None,
    **claims: Any,
) -> dict[str, bytes]:
    """The files with a signature. ``header`` and ``claims`` are put over what belongs there; ``None`` takes away."""
    payload = {"files": listed_files(files, "acme")} | claims
    payload = {name: value for name, value in payload.items() if value is not None}
    signer = jws.signer(algorithm, key or private_key(algorithm))
    said = {"alg": algorithm, "typ": "JWT", "kid": key_id or None} | dict(header or {})
    said = {name: value for name, value in said.items() if value is not None}
    message = f"{b64(json.dumps(said).encode())}.{b64(json.dumps(payload).encode())}"
    return with_tokens(files, f"{message}.{b64(signer.sign(message.encode()))}")


def with_tokens(files: Mapping[str, bytes], *tokens: Any, **more: Any) -> dict[str, bytes]:
    """The files with a ``.signatures.json`` of these tokens."""
    return {**files, ".signatures.json": json.dumps({"signatures": list(tokens)} | more).encode()}


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, **fields: Any) -> Member:
    """One member of an archive; its size is that of the content, whatever its kind."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def tar(members: Iterable[Member]) -> bytes:
    """An uncompressed archive, written header by header, so that it may say anything."""
    found = io.BytesIO()
    for info, content in members:
        found.write(info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape"))
        found.write(content + bytes(-len(content) % 512))
    return found.getvalue() + bytes(1024)


def gz(content: bytes, level: int = 9) -> bytes:
    machine = zlib.compressobj(level, zlib.DEFLATED, 31)
    return machine.compress(content) + machine.flush()


def archive(files: Mapping[str, bytes]) -> bytes:
    """A bundle file."""
    return gz(tar(member(name, content) for name, content in files.items()))


def source(folder: Path, content: bytes, trust: BundleTrust | None = None) -> PolicySource:
    """A bundle on disk as a source of policies."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "acme.tar.gz"
    path.write_bytes(content)
    return PolicySource(root=path, name="acme", trust=trust)
