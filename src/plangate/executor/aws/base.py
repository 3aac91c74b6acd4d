"""What a handler is: it reads, creates, changes and deletes resources of one type. Files in ``handlers`` have them.

Rules that every handler keeps (tests/contract/test_handlers_contract.py holds them all to these):
1. Properties and attributes have the names and shapes of the type's CloudFormation schema.
2. `Handler.read` says everything that `Handler.create` and `Handler.update` can set, so that the same template twice
   makes no second change, and a change by hand is seen. What AWS fills in by itself may be there too.
3. `Handler.create` makes one call that makes the thing, and puts the mark on it in that call where AWS can. What it
   cannot set then is found missing afterwards and goes through `Handler.update`, also after a crash.
4. `Handler.update` and `Handler.delete` may be called again after they succeeded.
5. Nothing waits: `Found.condition` says whether a thing is ready, and the engine asks again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol

from msgspec import Struct, field

from plangate.executor.aws.clients import Aws

Properties = Mapping[str, Any]
"""Values as the type's CloudFormation schema has them."""

MARK_ENVIRONMENT: Final = "plangate:environment"
MARK_STACK: Final = "plangate:stack"
MARK_RESOURCE: Final = "plangate:resource"
MARK_CREATION: Final = "plangate:creation"
MARK_KEEP: Final = "plangate:keep"
"""On what stays when its template does not want it any more (``DeletionPolicy: Retain``)."""
MARKS: Final = frozenset({MARK_ENVIRONMENT, MARK_STACK, MARK_RESOURCE, MARK_CREATION, MARK_KEEP})
REF: Final = "Ref"
"""What ``Ref`` gives is kept among the attributes, under this name."""


class Condition(StrEnum):
    """How a resource is."""

    READY = "ready"
    BUSY = "busy"
    """Being made, changed or deleted: ask again."""
    FAILED = "failed"
    """It will not become ready by itself."""


class Owner(Struct, frozen=True, kw_only=True):
    """Whose resources they are: one stack in one environment."""

    environment: str
    stack: str

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags that all of its resources carry."""
        return {MARK_ENVIRONMENT: self.environment, MARK_STACK: self.stack}


class Mark(Struct, frozen=True, kw_only=True):
    """What a created resource carries, so that it is known again after a crash.

    Attributes:
        owner: Whose it is.
        logical_id: Its name in the template.
        token: The same for every try of one creation, another for any other: 32 hex digits. Fit as a client token.
        keep: It is not deleted with its stack.
    """

    owner: Owner
    logical_id: str
    token: str
    keep: bool = False

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags to put on it."""
        kept = {MARK_KEEP: "true"} if self.keep else {}
        return {**self.owner.tags, MARK_RESOURCE: self.logical_id, MARK_CREATION: self.token, **kept}

    def matches(self, tags: Mapping[str, str]) -> bool:
        """Whether these are the tags of what this creation made."""
        return all(tags.get(name) == value for name, value in self.tags.items())


def token_of(*parts: str) -> str:
    """A token that is the same for the same parts."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]


class Found(Struct, frozen=True, kw_only=True):
    """A resource as it is.

    Attributes:
        identifier: What its handler knows it by; for compound identifiers joined with ``|``, as in Cloud Control.
        properties: As in a template. ``Tags`` are without our marks; a property that is not set is left out.
        attributes: What ``Fn::GetAtt`` gives, by name, and ``Ref``.
        condition: How it is.
        detail: AWS's word on the condition, e.g. ``rebooting``.
        marks: Our tags on it; empty when it has none, or cannot have any.
    """

    identifier: str
    properties: Properties
    attributes: Mapping[str, Any]
    condition: Condition = Condition.READY
    detail: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)


class Handler(Protocol):
    """Reads, creates, changes and deletes resources of one type.

    Attributes:
        type: CloudFormation type.
        supported: Properties that `create` and `update` together can set; a template that sets another is refused.
        updatable: Properties that `update` changes in place. Any other change replaces the resource.
        defaults: What a property is when the template leaves it out, for those that are put back to it then.
            A property that is neither in the template nor here is nobody's business.
        volatile: Attributes that an update in place may change.
        permissions: IAM actions by operation (``create``, ``read``, ``update``, ``delete``) that its calls need besides
            those that the schema names.
        patience_s: Seconds until a creation, change or deletion counts as failed.
        part_of: For a type without tags, the property that names what it is a part of: who has that has the part.
            Empty for any other type.
        whole: For such a type, the type of what it is a part of.
        key: For such a type, the properties that `within` needs.
    """

    type: ClassVar[str]
    supported: ClassVar[frozenset[str]]
    updatable: ClassVar[frozenset[str]]
    defaults: ClassVar[Properties]
    volatile: ClassVar[frozenset[str]]
    permissions: ClassVar[Mapping[str, frozenset[str]]]
    patience_s: ClassVar[float]
    part_of: ClassVar[str]
    whole: ClassVar[str]
    key: ClassVar[frozenset[str]]

    @property
    def tagged(self) -> bool:
        """Whether resources of the type carry our marks."""

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """These resources, as few calls as AWS allows; one that does not exist is left out."""

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """Every resource of this type that carries the owner's tags; nothing for types without tags."""

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """Make it, and give its identifier. It need not be ready."""

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """What an earlier `create` with this mark made, of which nothing was heard; ``None`` if it made nothing.

        Asked for only after such a `create`: for a type without tags, what has the same name in the same place is it.
        """

    def within(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """What has the same key in the same whole, however it is otherwise; the mark has no token.

        Asked for only where `part_of` names a resource of ours, and nobody knows of the part.
        """

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """Bring these properties, all of them `updatable`, to what ``properties`` says, or to their defaults."""

    def delete(self, aws: Aws, found: Found) -> None:
        """Delete it; nothing happens when it is gone."""

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Whether two values of a property mean the same; ``None``: compare them as any others."""

    def clashes(self, before: Properties, after: Properties) -> bool:
        """Whether old and new cannot exist beside each other, so that a replacement has to delete first."""


class BaseHandler:
    """What most handlers have in common."""

    updatable: ClassVar[frozenset[str]] = frozenset({"Tags"})
    defaults: ClassVar[Properties] = {"Tags": []}
    volatile: ClassVar[frozenset[str]] = frozenset()
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {}
    patience_s: ClassVar[float] = 300.0
    part_of: ClassVar[str] = ""
    whole: ClassVar[str] = ""
    key: ClassVar[frozenset[str]] = frozenset()
    names: ClassVar[frozenset[str]] = frozenset()
    """Properties that no two resources may share, e.g. a bucket's name."""

    @property
    def tagged(self) -> bool:
        """Whether the handler looks for marks."""
        return type(self).owned is not BaseHandler.owned

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:  # noqa: ARG002
        """Nothing: the type has no tags."""
        return ()

    def within(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """Nothing: it is no part."""
        return None

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:  # noqa: ARG002
        """Nothing special."""
        return None

    def clashes(self, before: Properties, after: Properties) -> bool:
        """Whether a name is kept."""
        return any(name in after and after.get(name) == before.get(name) for name in self.names)
