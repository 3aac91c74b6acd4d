"""The least that IAM has to allow for exactly one plan.

What a type's schema says that its operations need, and what our handlers call besides. A session policy may have 2,048
characters, so that long lists are folded into patterns, those of reading calls first, which give away least.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from plangate.errors import UsageError
from plangate.executor.aws.handlers import handled_types, handler_of
from plangate.executor.aws.schemas import Schemas
from plangate.model.aws_plan import Change
from plangate.model.plan import Action

MAX_SESSION_POLICY_CHARS: Final = 2048
_ALWAYS: Final = frozenset({"sts:GetCallerIdentity", "tag:GetResources"})
_READING: Final = re.compile(r"(?:BatchGet|Describe|Get|List)")
_WORD: Final = re.compile(r"[A-Z][a-z0-9]*")
_OTHERS: Final = re.compile(
    r"(?:cloudwatch|cognito-idp|firehose|managed-fleets|s3tables|ssm|vpc-lattice):.*"
    r"|autoscaling:(?:CancelInstanceRefresh|StartInstanceRefresh|\w*MetricsCollection)"
    r"|ec2:(?:AcceptAddressTransfer|(?:Una|A)ssignPrivateNatGatewayAddress)"
    r"|logs:\w*(?:BearerToken|DataProtection|IndexPolic)\w*"
    r"|rds:(?:PromoteReadReplica|Restore\w+|\w+AutomatedBackupsReplication)"
    r"|s3:(?:REST\..*|(?:Delete|Put)Object\w*"
    r"|\w*(?:Accelerate|Analytics|Cors|IntelligentTiering|Inventory|Metadata|Metrics|Notification|Replication|Website)\w*)"
)
"""Actions that schemas name for features which no handler of ours sets: what is not called is not allowed."""
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
    if type_name in handled_types():
        found = {action for action in found if not _OTHERS.fullmatch(action)}
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


def _foldings(actions: Sequence[str]) -> Iterator[list[str]]:
    """The actions as they are, then with ever more of them under patterns; never a whole service.

    Reading comes first, then one service after the other, the longest first and identities last.
    """
    yield list(actions)
    folded = _folded(actions, lambda action: _READING.match(action.partition(":")[2]) is not None, 1)
    yield folded
    for words in (2, 1):
        for service in _longest_first(folded):
            folded = _folded(folded, lambda action: action.startswith(f"{service}:"), words)  # noqa: B023
            yield folded


def _longest_first(actions: Sequence[str]) -> list[str]:
    lengths: Counter[str] = Counter()
    for action in actions:
        lengths[action.partition(":")[0]] += len(action)
    return sorted(lengths, key=lambda service: (service == "iam", -lengths[service], service))


def _folded(actions: Sequence[str], which: Any, words: int) -> list[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for action in actions:
        service, _, name = action.partition(":")
        parts = _WORD.findall(name)
        start = "".join(parts[:words])
        key = f"{service}:{start}*" if which(action) and len(parts) > words else action
        groups[key].append(action)
    return sorted(key if len(members) > 1 else members[0] for key, members in groups.items())
