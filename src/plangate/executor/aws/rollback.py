"""A plan that takes back what one run made.

Rules this module keeps:
1. Only what this run created goes: nothing that was there before, and nothing that replaced something.
2. What holds data stays, whoever made it.
3. It is a plan like any other, to be judged before it runs.
"""

from collections.abc import Sequence
from typing import Final

from plangate.executor.aws.base import Owner
from plangate.executor.aws.journal import Journal
from plangate.executor.aws.planning import Kit
from plangate.model.aws_plan import AwsPlan, Change
from plangate.model.plan import Action

STATEFUL: Final = frozenset({
    "AWS::DynamoDB::Table", "AWS::EC2::Volume", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::RDS::DBInstance",
    "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SecretsManager::Secret",
})  # fmt: skip
"""Types that hold data, or without which data cannot be read."""


def rollback_changes(plan: AwsPlan, sha256: str, journal: Journal, kit: Kit) -> Sequence[Change]:
    """The deletions that take back what the newest run of a plan created, sorted.

    Args:
        plan: That was run.
        sha256: Of its document.
        journal: Knows the run's steps.
        kit: How to look.
    """
    owner = Owner(environment=plan.environment, stack=plan.stack)
    rows = [row for row in journal.runs(plan.environment) if row.plan == sha256 and row.owner == owner]
    steps = journal.steps(rows[0].run) if rows else {}
    found = []
    for change in plan.changes:
        step = steps.get(f"create:{change.logical_id}")
        if change.action != Action.CREATE or step is None or not step.identifier or change.type in STATEFUL:
            continue
        handler = kit.handler(change.type)
        there = None if handler is None else handler.read(kit.aws, [step.identifier]).get(step.identifier)
        if there is None:
            continue
        found.append(
            Change(
                logical_id=change.logical_id,
                type=change.type,
                action=Action.DELETE,
                identifier=there.identifier,
                before=there.properties,
                attributes=there.attributes,
                depends_on=change.depends_on,
                reason="made by a run that failed",
            )
        )
    return tuple(sorted(found, key=lambda change: change.logical_id))
