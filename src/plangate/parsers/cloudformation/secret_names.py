"""Properties of AWS that are secret by their name, at any depth of a resource."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from plangate.parsers.cloudformation.trace import Spot
from plangate.parsers.terraform_values import MIN_SECRET_CHARS

USER_DATA: Final = "userdata"
_NAMES: Final = frozenset({
    USER_DATA, "basicauthconfig", "certificateprivatekey", "connectionstring", "presharedkey", "secretstring",
    "serviceaccountcredentials", "sharedsecret", "tokenkey",
})  # fmt: skip
_ENDINGS: Final = (
    "accesskey", "accesstoken", "apikey", "authtoken", "clientsecret", "oauthtoken", "passphrase", "password",
    "privatekey", "secretkey", "secrettoken",
)  # fmt: skip
"""Names that end so, environment variables among them; without their hyphens and underscores."""


def secret_places(values: Mapping[str, Any]) -> Iterator[str]:
    """JSON Pointers of values with a secret name, the outermost ones."""
    pending: list[tuple[Any, Spot]] = [(values, Spot())]
    while pending:
        value, spot = pending.pop()
        if isinstance(value, Mapping):
            for key, item in value.items():
                name = key.lower().replace("_", "").replace("-", "")
                if name in _NAMES or name.endswith(_ENDINGS):
                    yield spot.member(key).exact
                else:
                    pending.append((item, spot.member(key)))
        elif isinstance(value, list):
            pending += [(item, spot.item(index)) for index, item in enumerate(value)]


def secret_texts(value: Any) -> set[str]:
    """Every text and long number in a secret value; what is base64 also decoded."""
    found: set[str] = set()
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Mapping):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, str):
            found |= {text for text in (item, _decoded(item)) if len(text) >= MIN_SECRET_CHARS}
        elif (
            isinstance(item, int | Decimal)
            and not isinstance(item, bool)
            and len(str(item)) > MIN_SECRET_CHARS
        ):
            found.add(str(item))
    return found


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
