"""DSSE envelopes: a payload, its type, and signatures over both.

A signature counts when it verifies under a trusted key's *bytes*; the key id in the envelope is a hint and is
not believed. Written here rather than taken from securesystemslib because importing that costs 40 ms of a 300
ms budget; the tests hold the two against each other.

Source: https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md
"""

import base64
import binascii
from collections.abc import Collection
from typing import Any, Final

from plangate.audit import strict_json
from plangate.audit.checkpoint import Signer, is_signed
from plangate.audit.keys import key_id
from plangate.audit.record import canonical
from plangate.errors import ReceiptError

MAX_SIGNATURES: Final = 16


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, signer: Signer) -> bytes:
    """An envelope with one signature, as JSON."""
    signature = signer.sign(pre_authentication_encoding(payload_type, payload))
    return canonical(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": key_id(signer.public_key), "sig": base64.b64encode(signature).decode()}],
        }
    )


def open_sealed(
    envelope: bytes, *, payload_type: str, trusted_keys: Collection[bytes], threshold: int
) -> tuple[bytes, frozenset[bytes]]:
    """The payload of an envelope that enough different trusted keys signed.

    Returns:
        The payload, and the key bytes whose signatures are valid.

    Raises:
        ReceiptError: Malformed, of another type, or not signed by ``threshold`` different trusted keys.
    """
    if threshold < 1:
        raise ReceiptError("receipt: a threshold below one signature would accept anything")
    try:
        document = strict_json.loads(envelope)
    except strict_json.StrictJsonError as error:
        raise ReceiptError(f"receipt: {error}") from error
    if not isinstance(document, dict):
        raise ReceiptError("receipt: not a DSSE envelope")
    if document.get("payloadType") != payload_type:
        raise ReceiptError(
            f"receipt: payload type {str(document.get('payloadType'))[:80]!r} (expected {payload_type!r})"
        )
    payload = _decode(document.get("payload"), "payload")
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not signatures:
        raise ReceiptError("receipt: not signed")
    if len(signatures) > MAX_SIGNATURES:
        raise ReceiptError(f"receipt: {len(signatures)} signatures (at most {MAX_SIGNATURES})")
    message = pre_authentication_encoding(payload_type, payload)
    valid = {
        public_key
        for item in signatures
        for public_key in trusted_keys
        if _signed_by(item, message, public_key)
    }
    if not valid and not _names_a_trusted_key(signatures, trusted_keys):
        raise ReceiptError(
            "receipt: signed by no trusted key",
            hint="a receipt counts where the key of the gate that made it is known",
        )
    if not valid:
        raise ReceiptError("receipt: the signature is not valid")
    if len(valid) < threshold:
        raise ReceiptError(f"receipt: signed by {len(valid)} trusted keys (needs {threshold} different ones)")
    return payload, frozenset(valid)


def _signed_by(item: object, message: bytes, public_key: bytes) -> bool:
    if not isinstance(item, dict):
        raise ReceiptError("receipt: malformed signature")
    return is_signed(message, _decode(item.get("sig"), "signature"), public_key)


def _names_a_trusted_key(signatures: list[Any], trusted_keys: Collection[bytes]) -> bool:
    named = {item.get("keyid") for item in signatures if isinstance(item.get("keyid"), str)}
    return any(key_id(public_key) in named for public_key in trusted_keys)


def _decode(value: object, what: str) -> bytes:
    if not isinstance(value, str):
        raise ReceiptError(f"receipt: no {what}")
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ReceiptError(f"receipt: the {what} is not base64") from error
    if base64.b64encode(decoded).decode() != value:  # one content, one way to write it
        raise ReceiptError(f"receipt: the {what} is not base64 in canonical form")
    return decoded
