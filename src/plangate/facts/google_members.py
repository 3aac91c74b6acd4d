"""Who is given something by a policy of Google: the three kinds of resources that give, and their documents.

A member or a binding adds to what is there, a policy is all of it; each is read in the same way here.

Source: https://cloud.google.com/iam/docs/principal-identifiers
"""

import json
from functools import lru_cache
from typing import Final

from plangate.facts.base import Native, Raw, texts
from plangate.facts.links import any_referrer
from plangate.model.values import UNKNOWN, Tri, Unknown, any_of

Bindings = tuple[tuple[str, tuple[str | Unknown, ...]], ...]
"""Roles, each with who is given it."""

_MAX_TEXT: Final = 1_000_000
_EVERYONE: Final = frozenset({"allusers", "allauthenticatedusers"})
"""All authenticated users are everyone who signs up."""

GIVERS: Final = ("member", "binding", "policy")


def is_everyone(member: Raw) -> Tri:
    """Whether a member is everyone."""
    if not isinstance(member, str):
        return UNKNOWN
    return member.strip().lower() in _EVERYONE


def given_to_everyone(native: Native, prefix: str, at: str) -> Tri:
    """Whether a resource beside this one gives everyone something on it.

    Args:
        native: The resource that something is given on.
        prefix: Type of the giving resources up to ``_iam_``.
        at: JSON Pointer of their attribute that names this resource.
    """
    return any_of(any_referrer(native, f"{prefix}_iam_{giver}", at, gives_everyone) for giver in GIVERS)


def gives_everyone(giver: Native) -> Tri:
    """Whether a member, binding or policy resource gives everyone a role."""
    if giver.resource.type.endswith("_iam_policy"):
        listed = bindings(giver.values.get("policy_data"))
        if listed is UNKNOWN:
            return UNKNOWN
        return any_of(is_everyone(member) for _, members in listed for member in members)
    if giver.resource.type.endswith("_iam_binding"):
        members = texts(giver.values.get("members"))
        return UNKNOWN if members is UNKNOWN else any_of(is_everyone(member) for member in members)
    return is_everyone(giver.values.get("member"))


def bindings(document: Raw) -> Bindings | Unknown:
    """The bindings of a policy document, or `UNKNOWN` for text that is not one."""
    return _bindings(document) if isinstance(document, str) and len(document) <= _MAX_TEXT else UNKNOWN


@lru_cache(maxsize=1024)
def _bindings(document: str) -> Bindings | Unknown:
    try:
        parsed = json.loads(document)
    except (ValueError, RecursionError):
        return UNKNOWN
    if not isinstance(parsed, dict):
        return UNKNOWN
    listed = parsed.get("bindings", [])
    if not isinstance(listed, list):
        return UNKNOWN
    found: list[tuple[str, tuple[str | Unknown, ...]]] = []
    for item in listed:
        role = item.get("role") if isinstance(item, dict) else None
        members = texts(item.get("members")) if isinstance(item, dict) else UNKNOWN
        if not isinstance(role, str) or members is UNKNOWN:
            return UNKNOWN
        found.append((role, members))
    return tuple(found)
