"""A change set as it is judged: what AWS says of it, of its template and of its stack, in one document.

Rules this module keeps:
1. There is one way to write it: canonical JSON, keys sorted. Two recordings are the same when their bytes are.
2. No value of a ``NoEcho`` parameter is in it, nor the default of one.
3. It names the change set by its ARN, and the stack by its id and by what had last been done to it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from plangate.model.values import pointer

SCHEMA: Final = "plangate.dev/change-set/v1"
HIDDEN: Final = "****"
"""What CloudFormation itself writes for a hidden value."""
MIN_SECRET_CHARS: Final = 4
"""Shorter values are everywhere by chance, so that finding one means nothing."""
_ENCODER: Final = msgspec.json.Encoder(order="sorted", decimal_format="number")


class StackIdentity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which stack, and what had last been done to it. Whatever is done to it changes one of these.

    Attributes:
        id: ARN.
        name: For people.
        status: E.g. ``UPDATE_COMPLETE``; ``REVIEW_IN_PROGRESS`` for one that only has a change set.
        created: RFC 3339, UTC.
        last_updated: The same; ``None`` when it was never updated.
        change_set: ARN of the change set that was last executed, if AWS says it.
        template_sha256: Hex digest of the text of its template; ``None`` while it has none.
    """

    id: str
    name: str
    status: str
    created: str
    last_updated: str | None
    change_set: str | None
    template_sha256: str | None


class RecordedChangeSet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The document ``plangate.dev/change-set/v1``.

    Attributes:
        schema: Names the version.
        environment: Where it is meant to be executed, in the words of the settings.
        region: Where.
        change_set: Its ARN.
        stack: The stack, as it was then.
        described: ``describe-change-set`` with property values, all pages in one.
        template: ``get-template`` of the change set, after transforms, as a value.
    """

    schema: Literal["plangate.dev/change-set/v1"] = SCHEMA
    environment: str
    region: str
    change_set: str
    stack: StackIdentity
    described: dict[str, Any]
    template: dict[str, Any]

    @property
    def hidden(self) -> frozenset[str]:
        """Names of its ``NoEcho`` parameters."""
        return hidden_parameters(self.template)

    @property
    def confided(self) -> frozenset[str]:
        """Logical ids of the resources in which a ``NoEcho`` parameter is named."""
        resources = self.template.get("Resources")
        names = self.hidden
        if not names or not isinstance(resources, Mapping):
            return frozenset()
        return frozenset(
            address
            for address, node in resources.items()
            if any(name in text for _, text in _texts(node, ()) for name in names)
        )

    def encode(self) -> bytes:
        """The one way to write it."""
        return _ENCODER.encode(self) + b"\n"


def decode(data: bytes) -> RecordedChangeSet:
    """The document in these bytes.

    Raises:
        msgspec.DecodeError: Not such a document.
    """
    return msgspec.json.decode(data, type=RecordedChangeSet)


def record(
    *,
    environment: str,
    region: str,
    stack: StackIdentity,
    described: Mapping[str, Any],
    template: Mapping[str, Any],
) -> RecordedChangeSet:
    """The document of what AWS said, with what is hidden left out."""
    names = hidden_parameters(template)
    said = dict(described)
    if isinstance(said.get("Parameters"), list):
        said["Parameters"] = [_masked(each, names) for each in said["Parameters"]]
    return RecordedChangeSet(
        environment=environment,
        region=region,
        change_set=str(described["ChangeSetId"]),
        stack=stack,
        described=said,
        template=without_secrets(template),
    )


def without_secrets(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template without the defaults of parameters that are not to be shown."""
    section = template.get("Parameters")
    if not isinstance(section, Mapping):
        return dict(template)
    names = hidden_parameters(template)
    shown = {
        name: {key: value for key, value in node.items() if key != "Default"} if name in names else node
        for name, node in section.items()
    }
    return {**template, "Parameters": shown}


def hidden_parameters(template: Mapping[str, Any]) -> frozenset[str]:
    """Names of the parameters that are not to be shown (``NoEcho``)."""
    section = template.get("Parameters")
    if not isinstance(section, Mapping):
        return frozenset()
    return frozenset(
        name
        for name, node in section.items()
        if isinstance(node, Mapping) and str(node.get("NoEcho", "")).lower() == "true"
    )


def place_of_secret(value: Any, secrets: frozenset[str]) -> str | None:
    """JSON Pointer of the first text, or key, that holds one of the secrets; ``None`` without any."""
    wanted = [secret for secret in secrets if len(secret) >= MIN_SECRET_CHARS]
    for at, text in _texts(value, ()):
        if any(secret in text for secret in wanted):
            return pointer(*at)
    return None


def differences(one: Any, other: Any, limit: int = 10) -> list[str]:
    """JSON Pointers at which two documents differ, never values; at most ``limit``."""
    found: list[str] = []
    _compare(one, other, (), found, limit)
    return found


def plain(value: Any) -> Any:
    """What boto3 gave, with times as texts (RFC 3339, UTC)."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def digest(text: str) -> str:
    """Hex SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _masked(parameter: Any, names: frozenset[str]) -> Any:
    if not isinstance(parameter, Mapping) or parameter.get("ParameterKey") not in names:
        return parameter
    return {
        key: HIDDEN if key in {"ParameterValue", "ResolvedValue"} else value
        for key, value in parameter.items()
    }


def _texts(value: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield at, key  # the place of a key is that of its object: a pointer would repeat it
            yield from _texts(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*at, index))
    elif isinstance(value, str):
        yield at, value
    elif isinstance(value, int) and not isinstance(value, bool):
        yield at, str(value)


def _compare(one: Any, other: Any, at: tuple[str | int, ...], found: list[str], limit: int) -> None:
    if len(found) >= limit or one == other:
        return
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            _compare(one.get(key, _compare), other.get(key, _compare), (*at, key), found, limit)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            _compare(left, right, (*at, index), found, limit)
    else:
        found.append(pointer(*at))
