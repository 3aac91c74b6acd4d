"""Envelopes, held against the library that the format's authors maintain."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from plangate.audit import dsse
from plangate.errors import ReceiptError
from tests.unit.audit.builders import a_signer

TYPE = "application/vnd.in-toto+json"
PAYLOAD = b'{"hello":"w\xc3\xb6rld"}'
ALICE, BOB = a_signer(1), a_signer(2)
ENVELOPE = dsse.seal(TYPE, PAYLOAD, ALICE)


def opened(envelope: object, trusted: frozenset[bytes] | None = None, threshold: int = 1) -> bytes:
    content = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
    keys = frozenset({ALICE.public_key}) if trusted is None else trusted
    return dsse.open_sealed(content, payload_type=TYPE, trusted_keys=keys, threshold=threshold)[0]


def changed(**changes: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(ENVELOPE)
    return document | changes


def signatures(*envelopes: bytes) -> list[dict[str, str]]:
    return [item for envelope in envelopes for item in json.loads(envelope)["signatures"]]


def test_the_encoding_that_is_signed_is_the_example_of_the_specification() -> None:
    example = dsse.pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert example == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_an_envelope_of_ours_verifies_in_securesystemslib() -> None:
    envelope = Envelope.from_dict(json.loads(ENVELOPE))
    public_key = Ed25519PublicKey.from_public_bytes(ALICE.public_key)
    key = SSlibKey.from_crypto(public_key, keyid=ALICE.key_id)
    assert envelope.pae() == dsse.pre_authentication_encoding(TYPE, PAYLOAD)
    assert envelope.verify([key], 1) == {key.keyid: key}


def test_an_envelope_of_securesystemslib_opens() -> None:
    envelope = Envelope(payload=PAYLOAD, payload_type=TYPE, signatures={})
    made = changed(
        payload=base64.b64encode(PAYLOAD).decode(),
        signatures=[{"keyid": "any", "sig": base64.b64encode(ALICE.sign(envelope.pae())).decode()}],
    )
    assert opened(made) == PAYLOAD


def test_an_envelope_says_whose_key_it_was() -> None:
    assert dsse.open_sealed(
        ENVELOPE, payload_type=TYPE, trusted_keys={ALICE.public_key, BOB.public_key}, threshold=1
    ) == (PAYLOAD, frozenset({ALICE.public_key}))


def test_key_ids_are_hints_and_are_not_believed() -> None:
    stolen = changed(
        signatures=[{"keyid": ALICE.key_id, "sig": signatures(dsse.seal(TYPE, PAYLOAD, BOB))[0]["sig"]}]
    )
    with pytest.raises(ReceiptError, match="the signature is not valid"):
        opened(stolen)
    nameless = changed(signatures=[{"sig": signatures(ENVELOPE)[0]["sig"]}])
    assert opened(nameless) == PAYLOAD


def test_a_signature_of_a_key_that_is_not_trusted_counts_for_nothing() -> None:
    for trusted in (frozenset[bytes](), frozenset({BOB.public_key})):
        with pytest.raises(ReceiptError, match="signed by no trusted key"):
            opened(ENVELOPE, trusted)


def test_two_signatures_by_one_key_are_one_whatever_they_are_called() -> None:
    first = signatures(ENVELOPE)[0]
    twice = changed(signatures=[first, {"keyid": "somebody else", "sig": first["sig"]}])
    assert opened(twice) == PAYLOAD
    with pytest.raises(ReceiptError, match="signed by 1 trusted keys"):
        opened(twice, frozenset({ALICE.public_key, BOB.public_key}), threshold=2)


def test_two_keys_reach_a_threshold_of_two() -> None:
    both = changed(signatures=signatures(ENVELOPE, dsse.seal(TYPE, PAYLOAD, BOB)))
    assert opened(both, frozenset({ALICE.public_key, BOB.public_key}), threshold=2) == PAYLOAD
    with pytest.raises(ReceiptError, match="signed by 1 trusted keys"):
        opened(both, frozenset({ALICE.public_key}), threshold=2)


def test_a_threshold_of_nothing_is_refused() -> None:
    with pytest.raises(ReceiptError, match="would accept anything"):
        opened(changed(signatures=[]), threshold=0)


@pytest.mark.parametrize(
    ("envelope", "problem"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{\0}\0", "not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b"[" * 40 + b"]" * 40, "nested more than 32 deep"),
        (b"[]", "not a DSSE envelope"),
        (b'{"payloadType": "a", "payloadType": "b"}', "'payloadType' is there twice"),
        (b'{"a": NaN}', "not a whole number"),
        (b'{"a": 1e3}', "not a whole number"),
        (b'{"a": 9007199254740992}', "beyond 2"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "beyond 2"),
        (b'{"a": "\\ud800"}', "lone surrogate"),
        (changed(payloadType="text/plain"), "payload type 'text/plain'"),
        (changed(payloadType=None), "payload type 'None'"),
        (changed(payload=None), "no payload"),
        (changed(payload="*"), "the payload is not base64"),
        (changed(payload="e30="), "the signature is not valid"),
        (changed(payload="e30"), "the payload is not base64"),
        (changed(payload="e31="), "the payload is not base64 in canonical form"),
        (changed(signatures=None), "not signed"),
        (changed(signatures=[]), "not signed"),
        (changed(signatures=["x"]), "malformed signature"),
        (changed(signatures=[{}]), "no signature"),
        (changed(signatures=[{"sig": "*"}]), "the signature is not base64"),
        (changed(signatures=signatures(ENVELOPE) * 17), "17 signatures"),
    ],
)
def test_what_is_no_envelope_is_refused_with_the_reason(envelope: object, problem: str) -> None:
    with pytest.raises(ReceiptError, match=f"^receipt: .*{problem}"):
        opened(envelope)
