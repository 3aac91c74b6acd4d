"""The least that IAM has to allow for exactly one plan.

What a type's schema says that its operations need, and what our handlers call besides. A session policy may have 2,048
characters, so that long lists are folded into patterns, those of reading calls first, which give away least.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from plangate.errors import UsageError
from plangate.executor.aws.handlers import handler_of
from plangate.executor.aws.schemas import Schemas
from plangate.model.aws_plan import Change
from plangate.model.plan import Action

MAX_SESSION_POLICY_CHARS: Final = 2048
_ALWAYS: Final = frozenset({"sts:GetCallerIdentity", "tag:GetResources"})
_READING: Final = re.compile(r"(?:BatchGet|Describe|Get|List)")
_WORD: Final = re.compile(r"[A-Z][a-z0-9]*")
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    Action.CREATE: ("create", "read", "update"),
    Action.UPDATE: ("read", "update"),
    Action.REPLACE: ("create", "read", "update", "delete"),
    Action.DELETE: ("read", "delete"),
    Action.FORGET: ("read",),
    Action.NO_OP: ("read",),
}


def actions_of(changes: Sequence[Change], schemas: Schemas) -> frozenset[str]:
    """The IAM actions that a plan needs.

    Raises:
        UsageError: A type says nothing about its permissions.
    """
    found = set(_ALWAYS)
    for change in changes:
        found |= permissions_of(change.type, _NEEDS[change.action], schemas)
    return frozenset(found)


def permissions_of(type_name: str, operations: Iterable[str], schemas: Schemas) -> frozenset[str]:
    """What operations on a type need: as its schema says, and what its handler calls besides.

    Raises:
        UsageError: Nothing is known of the type.
    """
    schema, handler = schemas.of(type_name), handler_of(type_name, schemas)
    if schema is None:
        raise UsageError(f"the region has no type {type_name}")
    wanted = tuple(operations)
    found = set(schema.permissions(*wanted))
    extra: Mapping[str, frozenset[str]] = {} if handler is None else handler.permissions
    for operation in wanted:
        found |= extra.get(operation, frozenset())
    if not found:
        raise UsageError(f"{type_name}: nothing is known of the permissions that it needs")
    return frozenset(found)


def policy_document(actions: Iterable[str], region: str = "", max_chars: int = 0) -> Mapping[str, Any]:
    """An IAM policy that allows these actions.

    Args:
        actions: E.g. ``ec2:CreateVpc``.
        region: Regional services count in this region only; empty for any.
        max_chars: Characters of the policy without spaces; actions are folded into patterns until it has no more.
            0 for no limit.

    Raises:
        UsageError: It cannot be that short.
    """
    listed = sorted(set(actions))
    for folded in _foldings(listed):
        document = _document(folded, region)
        if not max_chars or len(compact(document)) <= max_chars:
            return document
    raise UsageError(
        f"the policy for this plan has more than {max_chars} characters however it is written",
        hint="split the template, or apply with credentials that are narrow by themselves",
    )


def compact(document: Mapping[str, Any]) -> str:
    """A policy as it counts against AWS's limits."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


_GLOBAL: Final = frozenset({"cloudfront", "iam", "route53", "s3", "sts"})
"""Services whose calls name no region, or another one."""


def _document(actions: Sequence[str], region: str) -> Mapping[str, Any]:
    everywhere = [each for each in actions if each.partition(":")[0] in _GLOBAL]
    here = [each for each in actions if each not in everywhere]
    statements: list[Mapping[str, Any]] = []
    if here:
        statement: dict[str, Any] = {"Effect": "Allow", "Action": here, "Resource": "*"}
        if region:
            statement["Condition"] = {"StringEquals": {"aws:RequestedRegion": region}}
        statements.append(statement)
    if everywhere:
        statements.append({"Effect": "Allow", "Action": everywhere, "Resource": "*"})
    return {"Version": "2012-10-17", "Statement": statements}


def _foldings(actions: Sequence[str]) -> Iterable[list[str]]:
    """The actions as they are, then with ever more of them under patterns; never a whole service."""
    yield list(actions)
    yield _folded(actions, lambda verb: _READING.match(verb) is not None, 1)
    yield _folded(actions, lambda verb: True, 2)  # noqa: ARG005
    yield _folded(actions, lambda verb: True, 1)  # noqa: ARG005


def _folded(actions: Sequence[str], which: Any, words: int) -> list[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for action in actions:
        service, _, name = action.partition(":")
        parts = _WORD.findall(name)
        start = "".join(parts[:words])
        key = f"{service}:{start}*" if which(name) and len(parts) > words else action
        groups[key].append(action)
    return sorted(key if len(members) > 1 else members[0] for key, members in groups.items())
