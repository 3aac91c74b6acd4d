"""Handlers that keep resources in memory, for tests of planning. They keep the rules of `plangate.executor.aws.base`."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from msgspec.structs import replace

from plangate.executor.aws.base import (
    MARK_RESOURCE,
    REF,
    BaseHandler,
    Found,
    Handler,
    Mark,
    Owner,
    Properties,
)
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.planning import Kit, Known
from plangate.executor.aws.schemas import Schemas
from tests.aws_server import REGION

SCHEMAS: Final = Schemas(REGION)


class Memory(BaseHandler):
    """Resources of one type.

    Attributes:
        things: By identifier.
    """

    supported: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self.things: dict[str, Found] = {}

    def add(self, identifier: str, name: str = "", **properties: Any) -> Found:
        """One that is there, with the tag of a logical id."""
        marks = {MARK_RESOURCE: name} if name else {}
        attributes = {REF: identifier, "GroupId": identifier, "VpcId": identifier, "Arn": f"arn:{identifier}"}
        found = Found(identifier=identifier, properties=properties, attributes=attributes, marks=marks)
        self.things[identifier] = found
        return found

    def change(self, identifier: str, **changes: Any) -> None:
        """Another state of one."""
        self.things[identifier] = replace(self.things[identifier], **changes)

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:  # noqa: ARG002
        """From memory."""
        return {each: self.things[each] for each in identifiers if each in self.things}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:  # noqa: ARG002
        """All with a tag."""
        return [each for each in self.things.values() if each.marks]

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:  # noqa: ARG002
        """Planning makes nothing."""
        raise AssertionError

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """Planning looks for nothing that was lost."""
        raise AssertionError

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:  # noqa: ARG002
        """Planning changes nothing."""
        raise AssertionError

    def delete(self, aws: Aws, found: Found) -> None:  # noqa: ARG002
        """Planning deletes nothing."""
        raise AssertionError


class Network(Memory):
    """VPCs."""

    type: ClassVar[str] = "AWS::EC2::VPC"
    supported: ClassVar[frozenset[str]] = frozenset({"CidrBlock", "EnableDnsHostnames", "Tags"})
    updatable: ClassVar[frozenset[str]] = frozenset({"EnableDnsHostnames", "Tags"})


class Part(Memory):
    """Subnets."""

    type: ClassVar[str] = "AWS::EC2::Subnet"
    supported: ClassVar[frozenset[str]] = frozenset({"CidrBlock", "VpcId", "Tags"})


class Log(Memory):
    """Log groups, whose names are theirs alone."""

    type: ClassVar[str] = "AWS::Logs::LogGroup"
    supported: ClassVar[frozenset[str]] = frozenset({"LogGroupName", "RetentionInDays", "KmsKeyId", "Tags"})
    updatable: ClassVar[frozenset[str]] = frozenset({"RetentionInDays", "Tags"})
    names: ClassVar[frozenset[str]] = frozenset({"LogGroupName"})


class Database(Memory):
    """Databases, whose passwords nobody tells."""

    type: ClassVar[str] = "AWS::RDS::DBInstance"
    supported: ClassVar[frozenset[str]] = frozenset({"DBInstanceClass", "Engine", "MasterUserPassword"})
    updatable: ClassVar[frozenset[str]] = frozenset({"DBInstanceClass", "MasterUserPassword"})
    defaults: ClassVar[Properties] = {}


class Disk(Memory):
    """Volumes."""

    type: ClassVar[str] = "AWS::EC2::Volume"
    supported: ClassVar[frozenset[str]] = frozenset({"AvailabilityZone", "Encrypted", "Size", "Tags"})


class World:
    """An account in memory, and what the journal knows of it."""

    def __init__(self) -> None:
        self.net, self.part, self.log, self.database = Network(), Part(), Log(), Database()
        self.known: list[Known] = []
        handlers: dict[str, Handler] = {
            each.type: each for each in (self.net, self.part, self.log, self.database, Disk())
        }
        self.kit: Final = Kit(
            aws=None,  # type: ignore[arg-type]
            schemas=SCHEMAS,
            handler=handlers.get,
            hidden_changed=lambda digest, value: digest != f"digest of {value}",
        )
