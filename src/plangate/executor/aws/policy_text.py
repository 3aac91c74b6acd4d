"""Policy documents: as text for AWS, and whether two mean the same.

AWS rewrites what it is given: a list of one becomes a text, an account's number its root's ARN. Only what AWS documents
as equal is equal here; a difference that is none costs an update, and a missed one would hide a change by hand.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote

_ROOT: Final = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")
_SETS: Final = frozenset({"Action", "NotAction", "Resource", "NotResource"})
_OLD: Final = "2008-10-17"
"""The version of a policy that says none."""


def policy_text(document: Any) -> str:
    """JSON text of a policy that a template has as object or as text."""
    if isinstance(document, str):
        return document
    return json.dumps(document, separators=(",", ":"), default=_plain)


def policy_object(text: Any) -> Any:
    """A policy as AWS tells it, as an object: it may be JSON, or JSON in URL encoding (IAM), or decoded already."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text if text.lstrip().startswith("{") else unquote(text))
    except ValueError:
        return text


def same_policy(wanted: Any, actual: Any) -> bool:
    """Whether two policies, each an object or JSON text, mean the same."""
    return bool(_canonical(wanted) == _canonical(actual))


def _canonical(policy: Any) -> Any:
    document = policy_object(policy)
    if not isinstance(document, Mapping):
        return document
    statements = document.get("Statement", ())
    rest = {key: _scalar(value) for key, value in document.items() if key not in ("Statement", "Version")}
    return {
        **rest,
        "Version": _scalar(document.get("Version", _OLD)),
        "Statement": sorted((_statement(each) for each in _listed(statements)), key=repr),
    }


def _statement(statement: Any) -> Any:
    if not isinstance(statement, Mapping):
        return statement
    return {key: _member(key, statement[key]) for key in sorted(statement)}


def _member(key: str, value: Any) -> Any:
    if key in {"Action", "NotAction"}:
        return sorted({_scalar(each).lower() for each in _listed(value)})
    if key in _SETS:
        return sorted({_scalar(each) for each in _listed(value)})
    if key in {"Principal", "NotPrincipal"}:
        return _principal(value)
    if key == "Condition" and isinstance(value, Mapping):
        return {operator: _operands(value[operator]) for operator in sorted(value)}
    return _scalar(value)


def _principal(value: Any) -> Any:
    if value == "*":
        value = {"AWS": "*"}
    if not isinstance(value, Mapping):
        return value
    return {kind: sorted({_identity(each) for each in _listed(value[kind])}) for kind in sorted(value)}


def _identity(value: Any) -> str:
    """An account's number, and the ARN of its root, mean the same."""
    text = _scalar(value)
    root = _ROOT.fullmatch(text)
    return text if root is None else root[1]


def _operands(operands: Any) -> Any:
    if not isinstance(operands, Mapping):
        return operands
    keys = sorted((key.lower(), key) for key in operands)
    return [(name, sorted({_scalar(each) for each in _listed(operands[key])})) for name, key in keys]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _scalar(value: Any) -> str:
    """Truths and numbers are the same as their texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} in a policy")
