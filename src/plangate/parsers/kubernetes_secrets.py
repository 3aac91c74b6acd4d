"""Everything in a Kubernetes object that is a secret, so that no output shows it.

The data of secrets, as written and decoded; variables of containers that hold one in clear; tokens; and the copy of all
of that in the annotation that ``kubectl apply`` leaves behind.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from plangate.facts.kubernetes_pods import literal_secrets
from plangate.facts.kubernetes_types import SECRETS, WORKLOADS, inside
from plangate.model.redaction import MIN_CHARS
from plangate.model.values import pointer

APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_APPLIED_AT: Final = pointer("metadata", "annotations", APPLIED)
_TOKENS: Final = {"TokenReview": ("spec", "token"), "TokenRequest": ("status", "token")}


def secrets_of(native_type: str, value: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """JSON Pointers of an object's secrets, and every text that they are, in clear and as written."""
    pointers: set[str] = set()
    texts: set[str] = set()
    for path, held in _own(native_type, value):
        pointers.add(path)
        texts |= _texts(held)
    applied = inside(value, "metadata", "annotations", APPLIED)
    if isinstance(applied, str):
        copied = _copied(native_type, applied)
        if pointers or copied is None or copied or native_type in SECRETS:
            pointers.add(_APPLIED_AT)
            # What cannot be read is a secret as a whole.
            texts |= {applied} if copied is None else copied
    return pointers, {text for text in texts if len(text) >= MIN_CHARS}


def _own(native_type: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """JSON Pointer and value of each secret; one entry of a secret's data is one, whatever it holds."""
    if native_type in SECRETS:
        for key in ("data", "stringData"):
            held = value.get(key)
            if isinstance(held, Mapping):
                yield from ((pointer(key, name), item) for name, item in held.items() if item is not None)
    if native_type in WORKLOADS:
        way = WORKLOADS[native_type]
        spec = inside(value, *way)
        if isinstance(spec, Mapping):
            yield from literal_secrets(spec, pointer(*way))
    token = _TOKENS.get(native_type.rpartition("/")[2])
    if token is not None and isinstance(said := inside(value, *token), str):
        yield pointer(*token), said


def _texts(value: Any) -> set[str]:
    """Every text and number in a value, as written and decoded."""
    found: set[str] = set()
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Mapping):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif item is not None:
            found |= _forms(str(item))
    return found


def _forms(text: str) -> set[str]:
    found = {text, text.strip()}
    try:
        found.add(base64.b64decode("".join(text.split()), validate=True).decode())
    except (binascii.Error, ValueError):
        return found
    return found


def _copied(native_type: str, applied: str) -> set[str] | None:
    """Secrets in the copy, or ``None`` when it cannot be read."""
    try:
        value = json.loads(applied)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    return {text for _, held in _own(native_type, value) for text in _texts(held)}
