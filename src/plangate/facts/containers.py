"""One shape for containers (`plangate.model.kinds.CONTAINERS_SHAPE`), and how their parts are read."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from plangate.facts.base import Raw, whole_number
from plangate.model.values import UNKNOWN, Tri, Unknown

Container = Mapping[str, Any]
"""One container, as `plangate.model.kinds.CONTAINERS_SHAPE` says."""

Names = tuple[str | Unknown, ...] | Unknown

_CAPABILITY_PREFIX: Final = "CAP_"
_SECRET_WORD: Final = re.compile(
    "PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|APIKEY|API_KEY|ACCESS_KEY|PRIVATE_KEY"
    "|CREDENTIAL|ENCRYPTION_KEY|SIGNING_KEY|CONNECTION_STRING|AUTH_KEY"
)
_NOT_SECRET_ENDINGS: Final = (
    "_FILE", "_PATH", "_DIR", "_NAME", "_URL", "_URI", "_ENDPOINT", "_TTL", "_LENGTH", "_TYPE", "_ENABLED", "_ID",
    "_AUDIENCE", "_ISSUER", "_EXPIRATION", "_EXPIRY", "_TIMEOUT", "_POLICY", "_HEADER", "_REF", "_ALGORITHM",
    "_MOUNT", "_NAMESPACE", "_ARN", "_REGION", "_HOST", "_PORT", "_USER", "_USERNAME",
)  # fmt: skip
"""Endings of names that speak about a secret and do not hold it."""
_NO_SECRETS: Final = frozenset({"", "0", "1", "true", "false", "yes", "no", "on", "off", "none", "null"})
_REFERENCE: Final = re.compile(r"\$[({][^(){}\s]{1,256}[)}]")
_SECRET_VALUE: Final = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[0-9A-Za-z]{36}"
    r"|\bxox[abprs]-[0-9A-Za-z-]{10}"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----"
    r"|://[^/\s:@]{1,200}+:[^/\s:@$]{1,200}+@"  # user:password in a URL, and not a variable in its place
)


_MAX_KEPT_CHARS: Final = 128


def container(
    *,
    name: str,
    path: str,
    role: str = "container",
    at: Mapping[str, str] | None = None,
    image: Raw = UNKNOWN,
    privileged: Tri = UNKNOWN,
    host_process: Tri = False,
    privilege_escalation: Tri = UNKNOWN,
    run_as_non_root: Tri | None = None,
    run_as_user: int | Unknown | None = UNKNOWN,
    read_only_root: Tri = UNKNOWN,
    added_capabilities: Names = UNKNOWN,
    dropped_capabilities: Names = UNKNOWN,
    limits: Names = UNKNOWN,
    secrets_in_env: tuple[Mapping[str, Any], ...] | Unknown = UNKNOWN,
) -> Container:
    """One container from native values; what is not given is not known.

    Args:
        name: As the document calls it.
        path: JSON Pointer of it in its resource.
        role: ``container``, ``init`` or ``ephemeral``.
        at: Which JSON Pointer sets a key of the result, for those that are set.
        image: The image as written.
    """
    named = image if isinstance(image, str) else UNKNOWN
    return {
        "name": name,
        "role": role,
        "path": path,
        "at": dict(at or {}),
        "image": named,
        "image_pinned_by": UNKNOWN if named is UNKNOWN else pinned_by(named),
        "privileged": privileged,
        "host_process": host_process,
        "privilege_escalation": privilege_escalation,
        "run_as_non_root": run_as_non_root,
        "run_as_user": run_as_user,
        "read_only_root": read_only_root,
        "added_capabilities": added_capabilities,
        "dropped_capabilities": dropped_capabilities,
        "limits": limits,
        "secrets_in_env": secrets_in_env,
    }


def pinned_by(image: str) -> str:
    """How firmly an image is named: ``digest``, ``tag``, or empty for no tag at all and for ``latest``.

    Source: https://pkg.go.dev/github.com/distribution/reference
    """
    named, _, digest = image.strip().partition("@")
    if digest:
        algorithm, _, hexadecimal = digest.partition(":")
        return "digest" if algorithm and hexadecimal else ""
    # A colon before the last slash belongs to the registry's port.
    _, _, tag = named.rpartition("/")[2].partition(":")
    return "tag" if tag and tag.lower() != "latest" else ""


def capabilities(value: Raw) -> Names:
    """Names of Linux capabilities in upper case without ``CAP_``; null is none."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        return UNKNOWN
    return tuple(
        item.upper().removeprefix(_CAPABILITY_PREFIX) if isinstance(item, str) else UNKNOWN for item in value
    )


def user_id(value: Raw) -> int | Unknown | None:
    """The number of a user; ``None`` when it is not said."""
    return whole_number(value)


def limited(limits: Iterable[tuple[str, Raw]]) -> set[str]:
    """Names of the resources that have a limit; null and zero are none."""
    return {name for name, value in limits if value is not None and str(value) not in {"", "0"}}


def looks_secret(name: str, value: str) -> bool:
    """Whether a variable holds a secret in clear: by its name, or by what its value looks like.

    ``$(NAME)`` is another variable, and a word for yes or no keeps nothing secret.
    """
    plain = value.strip()
    if (plain.startswith("$") and _REFERENCE.fullmatch(plain)) or plain.lower() in _NO_SECRETS:
        return False
    return sounds_secret(name) or (_may_match(value) and _SECRET_VALUE.search(value) is not None)


def _may_match(value: str) -> bool:
    """Some text is in it without which `_SECRET_VALUE` finds nothing; looking for it takes a tenth of the time."""
    return (
        "://" in value
        or "AKIA" in value
        or "ASIA" in value
        or "gh" in value
        or "xox" in value
        or "PRIVATE KEY" in value
    )


def sounds_secret(name: str) -> bool:
    """Whether a variable of this name is meant to hold a secret itself."""
    return _known_name(name) if len(name) <= _MAX_KEPT_CHARS else _sounds_secret(name)


def _sounds_secret(name: str) -> bool:
    plain = name.upper().replace("-", "_").replace(".", "_")
    return _SECRET_WORD.search(plain) is not None and not plain.endswith(_NOT_SECRET_ENDINGS)


_known_name: Final = lru_cache(maxsize=4_096)(_sounds_secret)
"""The same few names stand in all objects. Names only: a value may be a secret, and is kept nowhere."""
