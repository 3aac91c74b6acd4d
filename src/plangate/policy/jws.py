"""JSON Web Signatures in their compact form, for the one token that a signed bundle has.

The rules this module keeps:

1. The algorithm is the key's, chosen by whoever trusts the key. A token that names another one is refused, so that
   neither ``none`` nor an HMAC keyed with a public key can pass.
2. A header that asks for anything we would have to understand (``crit``, ``b64``, ``jwk``, ``x5c`` …) is refused.
3. Keys that are too short for their algorithm, or of another kind, are refused before anything is verified.

Source: RFC 7515, RFC 7518 sections 3.1 to 3.5, RFC 8037.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from plangate.policy.strict_json import StrictJsonError, parse

_CURVES: Final = {"ES256": ("secp256r1", 32), "ES384": ("secp384r1", 48), "ES512": ("secp521r1", 66)}
"""Curve, and bytes of each half of a signature."""
HMAC: Final = ("HS256", "HS384", "HS512")
RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS: Final = (*HMAC, *RSA, *_CURVES, "EdDSA")
"""What OPA takes. EdDSA works with its flags; its configuration file knows the others only."""
MIN_RSA_BITS: Final = 2048
_HEADER_FIELDS: Final = {"alg", "typ", "kid"}


class JwsError(ValueError):
    """A token or a key that proves nothing; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key that signs.

    Attributes:
        algorithm: The one it signs with.
        sign: Signs a message.
        verifies: What verifies it: the public key in PEM, or the secret itself.
    """

    algorithm: str
    sign: Callable[[bytes], bytes] = field(repr=False)
    verifies: bytes = field(repr=False)


def split(token: str) -> tuple[dict[str, Any], bytes, bytes, bytes]:
    """A token's header, payload, signature, and the bytes that were signed; nothing is verified yet.

    Raises:
        JwsError: Not a token as rule 2 has it.
    """
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise JwsError(f"{len(parts)} parts in the token (expected 3)")
    header_bytes, payload, signature = map(_decode, parts)
    try:
        header = parse(header_bytes)
    except StrictJsonError as problem:
        raise JwsError(f"the token's header is not JSON: {problem}") from problem
    if not isinstance(header, dict) or not all(type(value) is str for value in header.values()):
        raise JwsError("the token's header is not an object of texts")
    if unknown := sorted(set(header) - _HEADER_FIELDS):
        raise JwsError(f"the token's header has {unknown[0][:40]!r} (known: alg, kid, typ)")
    if header.get("typ", "JWT") != "JWT":
        raise JwsError("the token's typ is not JWT")
    return header, payload, signature, f"{parts[0]}.{parts[1]}".encode("ascii")


def verifier(algorithm: str, content: bytes) -> Callable[[bytes, bytes], bool]:
    """What says whether a signature over a message is right.

    Args:
        algorithm: One of `ALGORITHMS`.
        content: A public key in PEM, or the secret of an HMAC algorithm.

    Raises:
        JwsError: The key does not fit the algorithm.
    """
    if algorithm in HMAC:
        secret = _secret(algorithm, content)
        return lambda message, signature: hmac.compare_digest(_mac(secret, algorithm, message), signature)
    # A run without bundles needs none of this.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    if b"PRIVATE KEY" in content:
        raise JwsError("a private key, and verifying takes the public one")
    try:
        key: Any = serialization.load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise JwsError("not a public key in PEM") from problem
    _check_fit(algorithm, key)

    def verify(message: bytes, signature: bytes) -> bool:
        try:
            if algorithm in _CURVES:
                key.verify(_der(signature, _CURVES[algorithm][1]), message, *_how(algorithm))
            else:
                key.verify(signature, message, *_how(algorithm))
        except (InvalidSignature, ValueError):
            return False
        return True

    return verify


def signer(algorithm: str, content: bytes) -> Signer:
    """What signs messages.

    Args:
        algorithm: One of `ALGORITHMS`, or empty to take the one that fits the key.
        content: A private key in PEM, or the secret of an HMAC algorithm.

    Raises:
        JwsError: The key does not fit the algorithm, or needs one to be named.
    """
    if algorithm and algorithm not in ALGORITHMS:
        raise JwsError(f"unknown algorithm {algorithm[:40]!r} (known: {', '.join(ALGORITHMS)})")
    if algorithm in HMAC:
        secret = _secret(algorithm, content)
        return Signer(algorithm=algorithm, sign=lambda said: _mac(secret, algorithm, said), verifies=secret)
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    try:
        key: Any = serialization.load_pem_private_key(content, password=None)
    except TypeError as problem:
        raise JwsError("a private key with a password, which nobody could be asked for here") from problem
    except (ValueError, UnsupportedAlgorithm) as problem:
        hint = "" if algorithm else "; a secret needs an algorithm such as HS256"
        raise JwsError(f"not a private key in PEM{hint}") from problem
    chosen = algorithm or _fitting(key)
    _check_fit(chosen, key.public_key())

    def sign(message: bytes) -> bytes:
        signature: bytes = key.sign(message, *_how(chosen, deterministic=True))
        return _raw(signature, _CURVES[chosen][1]) if chosen in _CURVES else signature

    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Signer(algorithm=chosen, sign=sign, verifies=public)


def sign_token(payload: bytes, signer: Signer, key_id: str) -> str:
    """A signed token."""
    header = {"alg": signer.algorithm, "typ": "JWT"} | ({"kid": key_id} if key_id else {})
    encoded = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    message = f"{_encode(encoded)}.{_encode(payload)}"
    return f"{message}.{_encode(signer.sign(message.encode()))}"


def _check_fit(algorithm: str, key: Any) -> None:
    """Refuse a public key of another kind, curve or strength than the algorithm's."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - as above

    if algorithm in RSA:
        if not isinstance(key, rsa.RSAPublicKey):
            raise JwsError(f"{algorithm} needs an RSA key")
        if key.key_size < MIN_RSA_BITS:
            raise JwsError(f"an RSA key of {key.key_size} bits (expected at least {MIN_RSA_BITS})")
    elif algorithm in _CURVES:
        curve = _CURVES[algorithm][0]
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != curve:
            raise JwsError(f"{algorithm} needs a key on the curve {curve}")
    elif algorithm == "EdDSA":
        if not isinstance(key, ed25519.Ed25519PublicKey):
            raise JwsError("EdDSA needs an Ed25519 key")
    else:
        raise JwsError(f"unknown algorithm {algorithm[:40]!r} (known: {', '.join(ALGORITHMS)})")


def _fitting(key: Any) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - as above

    if isinstance(key, rsa.RSAPrivateKey):
        return "RS256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "EdDSA"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        for algorithm, (curve, _) in _CURVES.items():
            if key.curve.name == curve:
                return algorithm
    raise JwsError("a key that no algorithm for bundles takes")


def _how(algorithm: str, *, deterministic: bool = False) -> tuple[Any, ...]:
    """What cryptography's ``sign`` and ``verify`` are told besides message and signature."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ec, padding  # noqa: PLC0415

    if algorithm == "EdDSA":
        return ()
    found = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[2:]]
    if algorithm in _CURVES:
        # By RFC 6979, so that one bundle signed twice is one file.
        return (ec.ECDSA(found, deterministic_signing=deterministic),)
    if algorithm.startswith("PS"):
        return padding.PSS(padding.MGF1(found), padding.PSS.DIGEST_LENGTH), found
    return padding.PKCS1v15(), found


def _secret(algorithm: str, content: bytes) -> bytes:
    """An HMAC secret; RFC 7518 section 3.2 asks for as many bits as the hash has."""
    if content.lstrip().startswith(b"-----BEGIN"):
        raise JwsError(f"a PEM file as the secret of {algorithm}; a public key is no secret")
    if len(content) * 8 < int(algorithm[2:]):
        raise JwsError(
            f"a secret of {len(content)} bytes for {algorithm} (expected at least {int(algorithm[2:]) // 8})"
        )
    return content


def _mac(secret: bytes, algorithm: str, message: bytes) -> bytes:
    return hmac.digest(secret, message, getattr(hashlib, f"sha{algorithm[2:]}"))


def _der(signature: bytes, size: int) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature  # noqa: PLC0415 - as above

    if len(signature) != 2 * size:
        raise ValueError("not two numbers of this curve")
    return encode_dss_signature(*(int.from_bytes(half) for half in (signature[:size], signature[size:])))


def _raw(signature: bytes, size: int) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: PLC0415 - as above

    return b"".join(number.to_bytes(size) for number in decode_dss_signature(signature))


def _decode(part: str) -> bytes:
    try:
        found = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as problem:
        raise JwsError("a part of the token is not base64url") from problem
    if _encode(found) != part:
        raise JwsError("a part of the token is base64url in another form than the one there is")
    return found


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
