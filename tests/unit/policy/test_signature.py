"""Signatures of bundles: every algorithm counts with its own key, and nothing else does."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519

from plangate.errors import PolicyLoadError
from plangate.policy import jws, signature, strict_json
from plangate.policy.trust import BundleTrust, VerificationKey
from tests.unit.policy.bundles import (
    ALGORITHMS,
    SECRET,
    a_bundle,
    a_key,
    a_trust,
    b64,
    private_key,
    public_key,
    signed,
    with_tokens,
)

FILES = a_bundle()


def verify(files: Mapping[str, bytes], trust: BundleTrust) -> str:
    rest = dict(files)
    return signature.verify(rest, rest.pop(".signatures.json"), trust, "acme")


def refusal(files: Mapping[str, bytes], trust: BundleTrust | None = None) -> str:
    with pytest.raises(PolicyLoadError) as caught:
        verify(files, trust or a_trust())
    return str(caught.value).removeprefix("acme/.signatures.json: ")


def listed(files: Mapping[str, bytes] = FILES) -> list[dict[str, Any]]:
    return [dict(entry) for entry in signature.listed_files(files, "acme")]


# --- What counts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_of_each_algorithm_counts_with_its_key(algorithm: str) -> None:
    assert verify(signed(FILES, algorithm), a_trust(algorithm)) == "release"


@pytest.mark.parametrize("algorithm", [a for a in ALGORITHMS if not a.startswith("PS")])
def test_signing_twice_gives_the_same_bytes(algorithm: str) -> None:
    assert signed(FILES, algorithm) == signed(FILES, algorithm)


def test_white_space_and_the_order_of_keys_do_not_count_in_data_and_manifest() -> None:
    files = a_bundle(**{"data.json": b'{"a": 1.0, "b": [2]}'})
    again = {**files, "data.json": b' {"b":[2],\n"a":1.0}'}
    again[".manifest"] = json.dumps(json.loads(files[".manifest"]), indent=4, sort_keys=True).encode()
    assert verify({**signed(files), **again}, a_trust()) == "release"


def test_the_key_may_be_named_by_the_old_claim_or_not_at_all() -> None:
    assert verify(signed(FILES, key_id="", keyid="release"), a_trust()) == "release"
    assert verify(signed(FILES, key_id=""), a_trust()) == "release"


def test_the_strong_digests_count() -> None:
    for name, how in (("SHA-224", "sha224"), ("SHA-384", "sha384"), ("SHA-512-256", "sha512_256")):
        files = [
            entry | {"algorithm": name, "hash": hashlib.new(how, FILES[entry["name"]]).hexdigest()}
            for entry in listed()
            if entry["name"] != ".manifest"
        ]
        files += [entry for entry in listed() if entry["name"] == ".manifest"]
        assert verify(signed(FILES, files=files), a_trust()) == "release"


def test_claims_for_people_do_not_matter() -> None:
    assert verify(signed(FILES, iat=1_592_248_027, iss="release team"), a_trust()) == "release"


# --- Keys and algorithms -------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_key_of_the_same_kind_does_not_count(algorithm: str) -> None:
    other = VerificationKey(algorithm=algorithm, content=_other(algorithm), file="other.pub")
    said = refusal(signed(FILES, algorithm), a_trust(keys={"release": other}))
    assert said == "the signature is not one of key 'release'"


def _other(algorithm: str) -> bytes:
    if algorithm in jws.HMAC:
        return SECRET[::-1]
    made = OTHER_RSA if algorithm in jws.RSA else private_key.__wrapped__(algorithm)
    return jws.signer(algorithm, made).verifies


OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


def key_of(words: str | bytes) -> bytes:
    """``public ES256`` or ``private ES256``, so that names of tests do not depend on keys."""
    if isinstance(words, bytes):
        return words
    which, algorithm = words.split()
    return public_key(algorithm) if which == "public" else private_key(algorithm)


@pytest.mark.parametrize("said", ["none", "None", "", "HS256", "RS256", "es256"])
def test_a_token_never_chooses_its_algorithm(said: str) -> None:
    assert (
        refusal(signed(FILES, header={"alg": said}))
        == f"signed with {said!r}, and key 'release' is for ES256"
    )


def test_a_token_without_an_algorithm_or_signature_is_refused() -> None:
    assert "signed with 'None'" in refusal(signed(FILES, header={"alg": None}))
    header, payload = b64(b'{"alg":"none"}'), b64(json.dumps({"files": listed()}).encode())
    assert "signed with 'none'" in refusal(with_tokens(FILES, f"{header}.{payload}."))
    header = b64(b'{"alg":"ES256"}')
    assert "the signature is not one of key" in refusal(with_tokens(FILES, f"{header}.{payload}."))


def test_a_public_rsa_key_is_no_hmac_secret() -> None:
    """The classic confusion: what everybody knows must not become the secret, whoever chose HS256."""
    public = public_key("RS256")
    header, payload = b64(b'{"alg":"HS256"}'), b64(json.dumps({"files": listed()}).encode())
    message = f"{header}.{payload}"
    forged = with_tokens(FILES, f"{message}.{b64(_hmac(public, message.encode()))}")
    assert refusal(forged, a_trust("RS256")) == "signed with 'HS256', and key 'release' is for RS256"
    confused = a_trust(keys={"release": VerificationKey(algorithm="HS256", content=public, file="rsa.pub")})
    said = refusal(forged, confused)
    assert said == "rsa.pub: key 'release': a PEM file as the secret of HS256; a public key is no secret"


def _hmac(secret: bytes, message: bytes) -> bytes:
    return hmac.digest(secret, message, "sha256")


@pytest.mark.parametrize(
    ("algorithm", "content", "problem"),
    [
        ("ES256", "public ES384", "ES256 needs a key on the curve secp256r1"),
        ("ES256", "public EdDSA", "ES256 needs a key on the curve secp256r1"),
        ("RS256", "public ES256", "RS256 needs an RSA key"),
        ("EdDSA", "public ES256", "EdDSA needs an Ed25519 key"),
        ("ES256", "private ES256", "a private key, and verifying takes the public one"),
        ("ES256", b"not a key", "not a public key in PEM"),
        ("ES256", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a public key in PEM"),
        ("HS256", b"x" * 31, "a secret of 31 bytes for HS256 (expected at least 32)"),
        ("HS512", b"x" * 63, "a secret of 63 bytes for HS512 (expected at least 64)"),
        ("none", "public ES256", f"unknown algorithm 'none' (known: {', '.join(ALGORITHMS)})"),
    ],
)
def test_a_key_that_does_not_fit_its_algorithm_is_refused(
    algorithm: str, content: bytes, problem: str
) -> None:
    key = VerificationKey(algorithm=algorithm, content=key_of(content), file="k.pub")
    said = refusal(signed(FILES, header={"alg": algorithm}), a_trust(keys={"release": key}))
    assert said == f"k.pub: key 'release': {problem}"


def test_a_short_rsa_key_is_refused() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is the point
    public = short.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(jws.JwsError, match="an RSA key of 1024 bits \\(expected at least 2048\\)"):
        jws.verifier("RS256", public)


def test_a_key_and_a_secret_are_never_shown() -> None:
    assert "content" not in repr(a_key("HS512"))
    assert repr(SECRET)[2:20] not in repr(a_trust("HS512"))
    assert "verifies" not in repr(jws.signer("HS256", SECRET))


def test_the_two_numbers_of_a_signature_on_a_curve_have_their_length() -> None:
    verifies = jws.verifier("ES256", key_of("public ES256"))
    made = jws.signer("ES256", key_of("private ES256")).sign(b"x")
    assert verifies(b"x", made)
    padded = made[:32] + b"\0" + made[32:]  # the same two numbers, written longer
    for wrong in (padded, made + b"\0", b"\0" + made, made[:-1], bytes(64), b""):
        assert not verifies(b"x", wrong)


# --- Tokens --------------------------------------------------------------------------------------------------


def test_an_unknown_or_ambiguous_key_id_is_refused() -> None:
    assert refusal(signed(FILES, key_id="other")) == "signed with key 'other' (known: release)"
    assert refusal(signed(FILES, keyid="other")) == "names two keys"
    two = a_trust(keys={"one": a_key(), "two": a_key()})
    assert refusal(signed(FILES, key_id=""), two) == "names no key, and there are 2"


@pytest.mark.parametrize(
    "header",
    [{"crit": "exp"}, {"jku": "https://x"}, {"b64": "x"}, {"x5c": "x"}, {"jwk": "x"}, {"cty": "JWT"}],
)
def test_a_header_that_asks_for_more_is_refused(header: dict[str, str]) -> None:
    name = next(iter(header))
    assert refusal(signed(FILES, header=header)) == f"the token's header has {name!r} (known: alg, kid, typ)"


def test_a_header_of_another_shape_is_refused() -> None:
    assert refusal(signed(FILES, header={"typ": "JWE"})) == "the token's typ is not JWT"
    assert refusal(signed(FILES, header={"kid": 7})) == "the token's header is not an object of texts"
    assert "key is written twice" in refusal(with_tokens(FILES, b64(b'{"alg":"a","alg":"b"}') + ".e30."))


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"signatures": []}, "expected a list of exactly one signature"),
        ({}, "expected a list of exactly one signature"),
        ({"signatures": ["a.b.c", "a.b.c"]}, "expected a list of exactly one signature"),
        ({"signatures": [7]}, "expected a list of exactly one signature"),
        ({"signatures": "a.b.c"}, "expected a list of exactly one signature"),
        ({"signatures": ["a.b"]}, "2 parts in the token (expected 3)"),
        ({"signatures": ["e30.e30.e30.e30"]}, "4 parts in the token (expected 3)"),
        (
            {"signatures": ["e30=.e30.e30"]},
            "a part of the token is base64url in another form than the one there is",
        ),
        (
            {"signatures": ["e31.e30.e30"]},
            "a part of the token is base64url in another form than the one there is",
        ),
        ({"signatures": ["e3 0.e30.e30"]}, "a part of the token is not base64url"),
        ({"signatures": ["ä.e30.e30"]}, "a part of the token is not base64url"),
        ({"signatures": ["a.b.c"], "plugin": "kms"}, "signed by the plugin 'kms', which is not known here"),
        ({"signatures": ["a.b.c"], "more": 1}, "expected an object of signatures and plugin"),
        ([], "expected an object of signatures and plugin"),
    ],
)
def test_a_signature_file_of_another_shape_is_refused(document: Any, problem: str) -> None:
    assert refusal({**FILES, ".signatures.json": json.dumps(document).encode()}) == problem


def test_a_payload_that_is_no_object_is_refused() -> None:
    for payload in (b"[]", b"7", b'"files"', b"null"):
        token = f"{b64(b'{}')}.{b64(payload)}."
        assert refusal(with_tokens(FILES, token)) == "the token's payload is not an object"


def test_two_signatures_are_refused_even_if_both_are_right() -> None:
    one = json.loads(signed(FILES)[".signatures.json"])["signatures"][0]
    assert refusal(with_tokens(FILES, one, one)) == "expected a list of exactly one signature"
    assert verify(with_tokens(FILES, one, plugin="_default"), a_trust()) == "release"


def test_a_byte_order_mark_and_other_encodings_are_refused() -> None:
    whole = signed(FILES)[".signatures.json"]
    for broken in (b"\xef\xbb\xbf" + whole, whole.decode().encode("utf-16"), b"\xff" + whole, b""):
        with pytest.raises(PolicyLoadError):
            verify({**FILES, ".signatures.json": broken}, a_trust())


def test_a_limit_in_time_is_not_passed_over() -> None:
    assert refusal(signed(FILES, exp=9_999_999_999)).startswith("has 'exp', a limit in time")
    assert refusal(signed(FILES, nbf=0)).startswith("has 'nbf', a limit in time")


def test_the_scope_has_to_be_the_one_that_is_expected() -> None:
    assert refusal(signed(FILES, scope="write")) == "signed for the scope 'write' (expected '')"
    assert refusal(signed(FILES), a_trust(scope="write")) == "signed for the scope '' (expected 'write')"
    assert refusal(signed(FILES, scope=["write"]), a_trust(scope="write")).startswith("signed for the scope")
    assert verify(signed(FILES, scope="write"), a_trust(scope="write")) == "release"


# --- Files ---------------------------------------------------------------------------------------------------


def test_a_changed_added_or_missing_file_is_refused() -> None:
    whole = signed(FILES)
    changed = {**whole, "no_bad.rego": whole["no_bad.rego"] + b"\n"}
    assert refusal(changed) == "acme/no_bad.rego: is not what was signed: its digest is another one"
    assert refusal({**whole, "more.md": b""}) == "acme/more.md: is not in the bundle's signature"
    missing = {name: content for name, content in whole.items() if name != "no_bad.rego"}
    assert refusal(missing) == "acme/no_bad.rego: is in its signature and not in it"


def test_a_signature_that_lists_fewer_files_than_there_are_is_refused() -> None:
    assert refusal(signed(FILES, files=[])) == "acme/.manifest: is not in the bundle's signature"
    assert refusal(signed(FILES, files=listed()[:1])) == "acme/no_bad.rego: is not in the bundle's signature"
    assert refusal(signed(FILES, files=None)) == "the token lists no files"
    assert refusal(signed(FILES, files=listed() * 2)) == "acme/.manifest: is listed twice in its signature"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"algorithm": "MD5"}, "acme/.manifest: signed by its 'MD5' digest"),
        ({"algorithm": "SHA-1"}, "acme/.manifest: signed by its 'SHA-1' digest"),
        ({"algorithm": ""}, "acme/.manifest: signed by its '' digest"),
        ({"hash": ""}, "acme/.manifest: is not what was signed"),
        ({"hash": 7}, "expected files to have name, hash and algorithm"),
        ({"name": None}, "expected files to have name, hash and algorithm"),
        ({"name": "./.manifest"}, "acme/./.manifest: is in its signature and not in it"),
    ],
)
def test_an_entry_that_proves_nothing_is_refused(change: dict[str, Any], problem: str) -> None:
    files = [listed()[0] | change, *listed()[1:]]
    assert refusal(signed(FILES, files=files)).startswith(problem)


def test_the_text_of_a_number_counts_as_it_does_for_opa() -> None:
    files = a_bundle(**{"data.json": b'{"a": 1.0}'})
    said = refusal({**signed(files), "data.json": b'{"a": 1}'})
    assert said == "acme/data.json: is not what was signed: its digest is another one"


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": NaN}',
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b"a: 1",
    ],
)
def test_structured_files_that_can_be_read_in_two_ways_are_refused(content: bytes) -> None:
    files = signed(FILES, files=[*listed(), {"name": "data.json", "hash": "0", "algorithm": "SHA-256"}])
    assert "not JSON, so that its digest could not be taken" in refusal({**files, "data.json": content})


def test_data_in_yaml_needs_another_form_and_yml_counts_byte_by_byte() -> None:
    with pytest.raises(PolicyLoadError) as caught:
        signature.listed_files({"data.yaml": b"a: 1\n"}, "acme")
    assert caught.value.hint == "write data.yaml as data.json, as `opa build` does"
    assert signature.listed_files({"x/data.yml": b"a: 1\n"}, "acme")[0]["hash"] == (
        hashlib.sha256(b"a: 1\n").hexdigest()
    )


def test_texts_are_written_as_opa_digests_them() -> None:
    text = (
        '{"b": "<é\\u2028\\u2029\\u007f\\u0001\\b\\f\\n\\"\\\\/>", "a": [1e5, -0.0, true, null, {}], "": []}'
    )
    assert strict_json.canonical(strict_json.parse(text.encode())) == (
        '{"":[],"a":[1e5,-0.0,true,null,{}],"b":"<é\\u2028\\u2029\x7f\\u0001\\b\\f\\n\\"\\\\/>"}'
    )


# --- Keys that sign ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_the_algorithm_follows_from_the_key(algorithm: str) -> None:
    assert jws.signer("", private_key(algorithm)).algorithm == algorithm


@pytest.mark.parametrize(
    ("algorithm", "content", "problem"),
    [
        ("", SECRET, "not a private key in PEM; a secret needs an algorithm such as HS256"),
        ("ES256", SECRET, "not a private key in PEM"),
        ("ES256", "public ES256", "not a private key in PEM"),
        ("ES384", "private ES256", "ES384 needs a key on the curve secp384r1"),
        ("none", "private ES256", f"unknown algorithm 'none' (known: {', '.join(ALGORITHMS)})"),
        ("HS256", "private ES256", "a PEM file as the secret of HS256; a public key is no secret"),
    ],
)
def test_a_key_that_cannot_sign_says_why(algorithm: str, content: str | bytes, problem: str) -> None:
    with pytest.raises(jws.JwsError) as caught:
        jws.signer(algorithm, key_of(content))
    assert str(caught.value) == problem


def test_a_key_of_a_kind_that_no_algorithm_takes_says_so() -> None:
    for key in (x25519.X25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256K1())):
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with pytest.raises(jws.JwsError, match="a key that no algorithm for bundles takes"):
            jws.signer("", pem)


def test_a_key_with_a_password_says_so() -> None:
    locked = serialization.load_pem_private_key(private_key("ES256"), None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )
    with pytest.raises(jws.JwsError, match="a private key with a password"):
        jws.signer("", locked)
