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
    for path, text in _own(native_type, value):
        pointers.add(path)
        texts |= _forms(text)
    applied = inside(value, "metadata", "annotations", APPLIED)
    if isinstance(applied, str):
        copied = _copied(native_type, applied)
        if pointers or copied is None or copied or native_type in SECRETS:
            pointers.add(_APPLIED_AT)
            # What cannot be read is a secret as a whole.
            texts |= {applied} if copied is None else copied
    return pointers, {text for text in texts if len(text) >= MIN_CHARS}


def _own(native_type: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if native_type in SECRETS:
        for key in ("data", "stringData"):
            yield from _leaves(value.get(key), pointer(key))
    if native_type in WORKLOADS:
        way = WORKLOADS[native_type]
        spec = inside(value, *way)
        if isinstance(spec, Mapping):
            yield from literal_secrets(spec, pointer(*way))
    token = _TOKENS.get(native_type.rpartition("/")[2])
    if token is not None and isinstance(said := inside(value, *token), str):
        yield pointer(*token), said


def _leaves(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """Everything in a value that is text or a number, each with its JSON Pointer."""
    pending = [(value, at)]
    while pending:
        item, path = pending.pop()
        if isinstance(item, Mapping):
            pending += [(below, path + pointer(key)) for key, below in item.items()]
        elif isinstance(item, list):
            pending += [(below, f"{path}/{index}") for index, below in enumerate(item)]
        elif item is not None:
            yield path, str(item)


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
    return {form for _, text in _own(native_type, value) for form in _forms(text)}
