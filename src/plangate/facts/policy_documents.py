"""Policy documents of AWS (JSON text): what they allow, and to whom.

Text that is not a policy is `UNKNOWN`, never an empty policy. Names of elements are read in any case and
twice the same name makes the text unreadable: what IAM would make of it is not for us to guess.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from plangate.facts.addresses import is_wider
from plangate.facts.base import Raw, texts
from plangate.model.values import UNKNOWN, AllUnknown, Tri, Unknown, all_of, any_of, negate

_MAX_TEXT: Final = 1_000_000

# Whoever may do these on every identity can give itself everything else, so "all of IAM" is full
# administration.
ESCALATIONS: Final = (
    "iam:attachuserpolicy",
    "iam:attachrolepolicy",
    "iam:putuserpolicy",
    "iam:putrolepolicy",
    "iam:createpolicyversion",
    "iam:passrole",
    "iam:updateassumerolepolicy",
)
_IDENTITIES: Final = tuple(
    tuple(f"arn:{partition}:iam::123456789012:{kind}/x" for kind in ("user", "role", "policy", "group"))
    for partition in ("aws", "aws-cn", "aws-us-gov")
)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html, "The meaning
# of public"
_NARROWING: Final = frozenset({
    "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:sourceaccount",
    "aws:sourcearn", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid", "aws:sourceorgid",
    "aws:sourceorgpaths", "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
})  # fmt: skip
_EXACT_OPERATORS: Final = frozenset(
    {"stringequals", "stringequalsignorecase", "arnequals", "stringlike", "arnlike"}
)


class Statement(Struct, frozen=True, kw_only=True):
    """One statement of a policy.

    Attributes:
        effect: ``allow`` or ``deny``.
        actions: Patterns of actions in lower case.
        inverted: They are what the statement does not speak of (``NotAction``).
        resources: Patterns of resources.
        resources_inverted: As for the actions (``NotResource``).
        everyone: Its principal is everyone.
        conditions: It holds only under conditions.
        narrowed: One of its conditions names callers or networks, so that it is not for the public.
    """

    effect: str
    actions: tuple[str | Unknown, ...]
    inverted: bool
    resources: tuple[str | Unknown, ...]
    resources_inverted: bool
    everyone: Tri
    conditions: bool
    narrowed: bool


@lru_cache(maxsize=1024)
def statements(document: str) -> tuple[Statement, ...] | Unknown:
    """The statements of a policy document, or `UNKNOWN` for text that is not one."""
    if len(document) > _MAX_TEXT:
        return UNKNOWN
    try:
        parsed = json.loads(document, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return UNKNOWN
    return _statements(parsed)


def document_statements(document: Raw) -> tuple[Statement, ...] | Unknown:
    """The statements of a policy that is JSON text, or an object whose leaves may be `UNKNOWN`."""
    if isinstance(document, str):
        return statements(document)
    try:
        return _statements(_in_lower_case(document))
    except (ValueError, RecursionError):
        return UNKNOWN


def _in_lower_case(value: Raw) -> Raw:
    """The value with all names in it in lower case, as those of text are read."""
    if isinstance(value, AllUnknown):
        return UNKNOWN
    if isinstance(value, Mapping):
        return _unique([(name, _in_lower_case(item)) for name, item in value.items()])
    return [_in_lower_case(item) for item in value] if isinstance(value, list | tuple) else value


def _statements(parsed: Raw) -> tuple[Statement, ...] | Unknown:
    listed = parsed.get("statement") if isinstance(parsed, dict) else None
    if isinstance(listed, dict):
        listed = [listed]
    if not isinstance(listed, list):
        return UNKNOWN
    found = [_statement(item) for item in listed]
    return tuple(s for s in found if s is not None) if None not in found else UNKNOWN


def grants_full_admin(listed: tuple[Statement, ...] | Unknown) -> Tri:
    """Whether statements together allow everything, or all of IAM, on all resources. Conditions do not soften it."""
    if listed is UNKNOWN:
        return UNKNOWN
    allowing = [(s, _covers_identities(s)) for s in listed if s.effect == "allow"]
    return all_of(
        any_of(all_of([everywhere, _speaks_of(s, action)]) for s, everywhere in allowing)
        for action in ESCALATIONS
    )


def allows_everyone(listed: tuple[Statement, ...] | Unknown) -> Tri:
    """Whether a statement of a resource's policy allows something to the public."""
    if listed is UNKNOWN:
        return UNKNOWN
    return any_of(s.everyone if s.effect == "allow" and not s.narrowed else False for s in listed)


def described(listed: tuple[Statement, ...] | Unknown) -> tuple[dict[str, Any], ...] | Unknown:
    """Statements as the ``statements`` fact has them."""
    if listed is UNKNOWN:
        return UNKNOWN
    return tuple(
        {
            "effect": s.effect,
            "actions": s.actions if not s.inverted else (),
            "not_actions": s.actions if s.inverted else (),
            "resources": s.resources if not s.resources_inverted else (),
            "not_resources": s.resources if s.resources_inverted else (),
            "conditions": s.conditions,
        }
        for s in listed
    )


def matches(pattern: str, value: str) -> bool:
    """Whether text fits a pattern of ``*`` (any text) and ``?`` (any character), without backtracking."""
    at = mark = 0
    star = -1
    position = 0
    while position < len(value):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, position
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", value[position]):
            at += 1
            position += 1
        elif star >= 0:
            mark += 1
            at, position = star + 1, mark
        else:
            return False
    return all(character == "*" for character in pattern[at:])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {name.lower(): value for name, value in pairs}
    if len(found) != len(pairs):
        raise ValueError("the same name twice")
    return found


def _statement(item: object) -> Statement | None:
    if not isinstance(item, Mapping):
        return None
    effect = item.get("effect")
    inverted, resources_inverted = "notaction" in item, "notresource" in item
    actions = _patterns(item.get("notaction" if inverted else "action"))
    resources = _patterns(item.get("notresource" if resources_inverted else "resource"))
    if not isinstance(effect, str) or effect.lower() not in {"allow", "deny"}:
        return None
    if actions is UNKNOWN or resources is UNKNOWN:
        return None
    conditions = item.get("condition")
    narrowed = _is_narrowed(conditions)
    everyone = _is_everyone(item)
    if not narrowed and _has_unknown(conditions):
        # What is not known yet may name callers or networks.
        everyone = all_of([everyone, UNKNOWN])
    return Statement(
        effect=effect.lower(),
        actions=tuple(UNKNOWN if action is UNKNOWN else action.lower() for action in actions),
        inverted=inverted,
        resources=resources,
        resources_inverted=resources_inverted,
        everyone=everyone,
        conditions=conditions is UNKNOWN or bool(conditions),
        narrowed=narrowed,
    )


def _patterns(value: Raw) -> tuple[str | Unknown, ...] | Unknown:
    """Patterns; an unknown list is at least one unknown pattern."""
    return (UNKNOWN,) if value is UNKNOWN else texts(value)


def _has_unknown(value: Raw) -> bool:
    if isinstance(value, Mapping):
        return any(_has_unknown(item) for item in value.values())
    return any(_has_unknown(item) for item in value) if isinstance(value, list) else value is UNKNOWN


def _speaks_of(statement: Statement, action: str) -> Tri:
    matched = any_of(UNKNOWN if p is UNKNOWN else matches(p, action) for p in statement.actions)
    return negate(matched) if statement.inverted else matched


def _covers_identities(statement: Statement) -> Tri:
    """Whether a statement holds for all users, roles, groups and policies of an account."""

    def held(arn: str) -> Tri:
        matched = any_of(UNKNOWN if p is UNKNOWN else matches(p, arn) for p in statement.resources)
        return negate(matched) if statement.resources_inverted else matched

    return any_of(all_of(held(arn) for arn in arns) for arns in _IDENTITIES)


def _is_everyone(item: Mapping[str, Any]) -> Tri:
    # Allow with NotPrincipal is for everyone but a few.
    if "notprincipal" in item:
        return True
    principal = item.get("principal")
    if isinstance(principal, Mapping):
        return any_of(
            _names_everyone(texts(value)) for name, value in principal.items() if name in {"aws", "*"}
        )
    return _names_everyone(texts(principal))


def _names_everyone(names: tuple[str | Unknown, ...] | Unknown) -> Tri:
    if names is UNKNOWN:
        return UNKNOWN
    return any_of(UNKNOWN if name is UNKNOWN else name.strip() == "*" for name in names)


def _is_narrowed(conditions: object) -> bool:
    if not isinstance(conditions, Mapping):
        return False
    return any(
        _narrows(operator, key, texts(value))
        for operator, keys in conditions.items()
        if isinstance(keys, Mapping)
        for key, value in keys.items()
    )


def _narrows(operator: str, key: str, values: Iterable[str | Unknown] | Unknown) -> bool:
    if values is UNKNOWN:
        return False
    listed = list(values)
    if not listed or any(not isinstance(value, str) for value in listed):
        return False
    if key == "aws:sourceip" and operator == "ipaddress":
        return not any(is_wider(value, ipv4=8, ipv6=32) for value in listed)
    # A fixed value must stand there: wildcards and policy variables leave it open.
    fixed = all(
        "*" not in str(value) and "?" not in str(value) and "${" not in str(value) for value in listed
    )
    like = operator in {"stringlike", "arnlike"} and all(str(value).strip("*?:/") for value in listed)
    return key in _NARROWING and operator in _EXACT_OPERATORS and (fixed or (like and key == "aws:sourcearn"))
