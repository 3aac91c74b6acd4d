"""A bundle's ``.signatures.json``: one token whose payload lists every file of the bundle with its digest.

The rules this module keeps, beside those of `plangate.policy.jws`:

1. Exactly one signature, by OPA's own signer; a plugin's word is nothing that we could check.
2. The list and the files are the same set. A file that is not listed is refused, and so is a listed one that is gone.
3. Digests that can be forged (MD5, SHA-1) do not count.
4. Nothing in the payload is passed over that would limit the signature: ``exp`` and ``nbf`` are refused, and
   ``scope`` has to be what the settings say.

Source: https://www.openpolicyagent.org/docs/management-bundles#signing
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from plangate.errors import PolicyLoadError
from plangate.policy import jws, strict_json
from plangate.policy.trust import BundleTrust

SIGNATURES: Final = ".signatures.json"
_STRUCTURED: Final = ("data.json", "data.yaml", ".manifest")
"""Last parts of names whose digest is over the parsed content. All else, ``data.yml`` too, counts byte by byte."""
_HASHES: Final = {
    "SHA-224": "sha224",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
    "SHA-512-256": "sha512_256",
}
_OPA_SIGNER: Final = ("", "_default")


def verify(files: Mapping[str, bytes], signatures: bytes, trust: BundleTrust, name: str) -> str:
    """Hold a bundle against its signature.

    Args:
        files: Every file of the bundle but ``.signatures.json``, by name.
        signatures: Content of ``.signatures.json``.
        trust: The keys that count, and the scope.
        name: The bundle's, for messages.

    Returns:
        The id of the key that signed it.

    Raises:
        PolicyLoadError: It is not signed by one of the keys, or not as it is here.
    """
    place = f"{name}/{SIGNATURES}"
    try:
        header, payload, signature, message = jws.split(_only_token(signatures, place))
        claims = strict_json.parse(payload)
        if not isinstance(claims, dict):
            _refuse(place, "the token's payload is not an object")
        key_id = _key_id(header, claims, trust, place)
        key = trust.keys[key_id]
        if header.get("alg") != key.algorithm:
            _refuse(
                place,
                f"signed with {str(header.get('alg'))[:40]!r}, and key {key_id!r} is for {key.algorithm}",
            )
        try:
            is_genuine = jws.verifier(key.algorithm, key.content)
        except jws.JwsError as problem:
            raise PolicyLoadError(key.file, f"key {key_id!r}: {problem}") from problem
        if not is_genuine(message, signature):
            _refuse(place, f"the signature is not one of key {key_id!r}", "another key, or a changed bundle")
    except (jws.JwsError, strict_json.StrictJsonError) as problem:
        raise PolicyLoadError(place, str(problem)) from problem
    _check_claims(claims, trust, place)
    _check_files(files, claims.get("files"), name)
    return key_id


def listed_files(files: Mapping[str, bytes], name: str) -> list[dict[str, str]]:
    """The payload's ``files`` for a bundle that is to be signed, sorted by name.

    Raises:
        PolicyLoadError: A structured file that is not JSON.
    """
    return [
        {"name": each, "hash": _digest(each, files[each], "sha256", name), "algorithm": "SHA-256"}
        for each in sorted(files)
    ]


def _only_token(content: bytes, place: str) -> str:
    document = strict_json.parse(content)
    if not isinstance(document, dict) or set(document) - {"signatures", "plugin"}:
        _refuse(place, "expected an object of signatures and plugin")
    if document.get("plugin", "") not in _OPA_SIGNER:
        _refuse(place, f"signed by the plugin {str(document['plugin'])[:40]!r}, which is not known here")
    found = document.get("signatures")
    if not isinstance(found, list) or len(found) != 1 or type(found[0]) is not str:
        _refuse(place, "expected a list of exactly one signature")
    return str(found[0])


def _key_id(header: Mapping[str, Any], claims: Mapping[str, Any], trust: BundleTrust, place: str) -> str:
    """Which key the token names; `opa sign` names none, and then there must be only one."""
    named = {str(found) for found in (header.get("kid"), claims.get("keyid")) if found}
    if len(named) > 1:
        _refuse(place, "names two keys")
    if not named:
        if len(trust.keys) > 1:
            _refuse(
                place,
                f"names no key, and there are {len(trust.keys)}",
                "sign it with a key id, or list one key",
            )
        return next(iter(trust.keys))
    key_id = named.pop()
    if key_id not in trust.keys:
        _refuse(place, f"signed with key {key_id[:100]!r} (known: {', '.join(sorted(trust.keys))})")
    return key_id


def _check_claims(claims: Mapping[str, Any], trust: BundleTrust, place: str) -> None:
    for limit in ("exp", "nbf"):
        if limit in claims:
            _refuse(place, f"has {limit!r}, a limit in time that OPA does not keep and plangate neither")
    scope = claims.get("scope", "")
    if scope != trust.scope:
        _refuse(place, f"signed for the scope {str(scope)[:100]!r} (expected {trust.scope!r})")


def _check_files(files: Mapping[str, bytes], listed: Any, name: str) -> None:
    if not isinstance(listed, list):
        _refuse(f"{name}/{SIGNATURES}", "the token lists no files")
    left = set(files)
    for entry in listed:
        if not isinstance(entry, dict) or not all(
            type(entry.get(field)) is str for field in ("name", "hash", "algorithm")
        ):
            _refuse(f"{name}/{SIGNATURES}", "expected files to have name, hash and algorithm")
        each = entry["name"].removeprefix("/")
        if each not in left:
            gone = (
                "is listed twice in its signature" if each in files else "is in its signature and not in it"
            )
            _refuse(f"{name}/{each[:200]}", gone)
        left.discard(each)
        how = _HASHES.get(entry["algorithm"])
        if how is None:
            _refuse(
                f"{name}/{each}",
                f"signed by its {entry['algorithm'][:40]!r} digest (known: {', '.join(_HASHES)})",
            )
        if entry["hash"].lower() != _digest(each, files[each], how, name):
            _refuse(f"{name}/{each}", "is not what was signed: its digest is another one")
    if left:
        _refuse(f"{name}/{min(left)}", "is not in the bundle's signature")


def _digest(file: str, content: bytes, how: str, name: str) -> str:
    if file.rpartition("/")[2] in _STRUCTURED:
        try:
            content = strict_json.canonical(strict_json.parse(content)).encode()
        except (strict_json.StrictJsonError, RecursionError) as problem:
            hint = "write data.yaml as data.json, as `opa build` does" if file.endswith(".yaml") else ""
            raise PolicyLoadError(
                f"{name}/{file}", f"not JSON, so that its digest could not be taken: {problem}", hint=hint
            ) from problem
    return hashlib.new(how, content).hexdigest()


def _refuse(place: str, problem: str, hint: str = "") -> NoReturn:
    raise PolicyLoadError(place, problem, hint=hint)
