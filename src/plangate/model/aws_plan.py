"""The document that ``plangate plan`` writes: a template, what it is to become of what is there, nothing else.

It holds everything that the change will be made of, so that judging it and running it read the same bytes. Values are
in clear, as in a saved plan of terraform: it is a file to keep private.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, field

AWS_PLAN_SCHEMA: Final = "plangate.dev/aws-plan/v1"


_ENCODER: Final = msgspec.json.Encoder(order="deterministic", decimal_format="number")


class Template(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The template, as it was read; one without a text wants nothing at all."""

    name: str
    sha256: str
    text: str


class Change(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of one resource.

    Attributes:
        logical_id: In the template, or in the one before for what is deleted.
        type: CloudFormation type.
        action: ``create``, ``update``, ``replace``, ``delete``, ``forget`` or ``no-op``.
        identifier: Of what is there now; empty when nothing is.
        before: Properties of what is there now; ``None`` when nothing is.
        after: Properties as they are to be, without those that are not known yet; ``None`` when it goes.
        unknown: JSON Pointers of properties that are known only when something else was made.
        changed: Names of the properties that differ, sorted.
        attributes: ``Ref`` and attributes of what is there now, as far as the change leaves them alone.
        replace_order: ``create-first`` or ``destroy-first``; empty when nothing is replaced.
        replace_paths: JSON Pointers of the properties that force the replacement.
        reason: Why, where the properties alone do not say it.
        depends_on: Logical ids of what has to be there before it, sorted.
        deposed: It is what an earlier replacement left behind: its identifier again.
        keep: Replacing it leaves the old one as it is (``UpdateReplacePolicy: Retain``).
    """

    logical_id: str
    type: str
    action: str
    identifier: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    unknown: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    replace_order: str = ""
    replace_paths: tuple[str, ...] = ()
    reason: str = ""
    depends_on: tuple[str, ...] = ()
    deposed: str = ""
    keep: bool = False

    @property
    def key(self) -> str:
        """Names it within its plan."""
        return f"{self.logical_id} ({self.deposed})" if self.deposed else self.logical_id


class AwsPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole plan.

    Attributes:
        schema: `AWS_PLAN_SCHEMA`; first in the file, so that its first bytes say what it is.
        environment: Where it is to run.
        stack: Name of the group of resources that the template describes.
        account: AWS account that it was made for.
        region: Region that it was made for.
        tool: Program and version that made it.
        template: What is wanted.
        parameters: Values of the template's parameters, as they were given.
        zones: Availability zones by region, as ``Fn::GetAZs`` gives them.
        changes: Sorted by logical id.
        rollback: It takes back what one run made, and leaves the rest of the stack alone.
    """

    schema: str
    environment: str
    stack: str
    account: str
    region: str
    tool: str
    template: Template
    parameters: Mapping[str, str]
    zones: Mapping[str, tuple[str, ...]]
    changes: tuple[Change, ...]
    rollback: bool = False

    @property
    def pseudo(self) -> Mapping[str, str]:
        """Parameters with the pseudo parameters that are known."""
        known = {"AWS::Region": self.region, "AWS::AccountId": self.account, "AWS::StackName": self.stack}
        return {**self.parameters, **known}


def encode_plan(plan: AwsPlan) -> bytes:
    """The document: JSON, indented, the same bytes for the same plan."""
    return msgspec.json.format(_ENCODER.encode(plan), indent=1) + b"\n"


def decode_plan(data: bytes) -> AwsPlan:
    """The plan in a document.

    Raises:
        ValueError: It is not one; says where.
    """
    plan = msgspec.json.decode(data, type=AwsPlan)
    if plan.schema != AWS_PLAN_SCHEMA:
        raise ValueError(f"schema: {plan.schema[:60]!r} (expected {AWS_PLAN_SCHEMA})")
    return plan


def is_aws_plan(data: bytes) -> bool:
    """Whether a file says that it is such a document, by its first bytes."""
    head = data[:200].lstrip()
    return head.startswith(b"{") and AWS_PLAN_SCHEMA.encode() in head
