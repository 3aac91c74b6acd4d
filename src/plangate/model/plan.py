"""The normalized plan: what every parser makes and every rule reads.

Published as ``plangate.dev/plan/v1`` (``plangate/schemas/plan.v1.json``). Everything in it is a value:
no I/O, no clock, nothing that changes after it was made.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from msgspec import Struct, field

from plangate.model.values import UNKNOWN, Tri, Unknown

PLAN_SCHEMA: Final = "plangate.dev/plan/v1"

Facts = Mapping[str, Any]
"""Fact name to ``True``, ``False``, `UNKNOWN` or typed data whose leaves may be `UNKNOWN`."""


class Action(StrEnum):
    """What the plan does to one resource. A word that is not here is a parse error."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    READ = "read"
    NO_OP = "no-op"
    FORGET = "forget"


class ReplaceOrder(StrEnum):
    """Which half of a replacement comes first."""

    DESTROY_FIRST = "destroy-first"
    CREATE_FIRST = "create-first"


class Location(Struct, frozen=True, kw_only=True):
    """A place in a source file. ``line`` and ``column`` count from 1; 0 means not known."""

    file: str
    line: int = 0
    column: int = 0


class Source(Struct, frozen=True, kw_only=True):
    """Where the plan came from.

    Attributes:
        name: The input's name as the user gave it.
        format: Parser id, e.g. ``terraform-plan``.
        format_version: As the document says.
        tool: Program and version that made it, e.g. ``terraform 1.11.4``; may be empty.
        sha256: Lower-case hex digest of the bytes that were handed in (of the binary, for a saved plan).
        size: Bytes handed in.
        media_type: ``application/json`` or ``application/vnd.plangate.terraform-plan``.
    """

    name: str
    format: str
    format_version: str
    tool: str
    sha256: str
    size: int
    media_type: str


class Reference(Struct, frozen=True, kw_only=True):
    """An edge of the graph: the attribute at ``at`` refers to the resource at ``address``.

    Attributes:
        at: JSON Pointer of the referring attribute, without list indexes below a block, e.g. ``/subnet_id``.
        address: Full address of an instance; when not exact, a pattern: the address without the keys that are not
            known, which covers every instance that it may be.
        exact: The expression names this one instance of this plan.
        attribute: The attribute of the target that is read, e.g. ``id``; empty when not known.
    """

    at: str
    address: str
    exact: bool
    attribute: str = ""


class Resource(Struct, frozen=True, kw_only=True):
    """One planned change of one resource.

    Attributes:
        address: Full address with module path and index; a deposed object shares its resource's address.
        type: Native type, e.g. ``aws_instance``.
        name: Native name without module or index.
        mode: ``managed`` or ``data``.
        provider: Provider source address.
        cloud: ``aws``, ``azure``, ``google``, … or empty.
        region: Region it is made in; `UNKNOWN` when set by something not known yet; empty when the plan does not say.
        kind: Normalized kind, or empty for a type without an adapter.
        action: What happens to it.
        replace_order: For a replacement, which half is first.
        reason: The tool's word on why, e.g. ``replace_because_tainted``; empty when none.
        previous_address: Where it was before a move; empty when not moved.
        importing: The import block's data (``{"id": …}``) for an import, else ``None``.
        deposed: Deposed key of a leftover object, or empty.
        module_address: Address of the module instance; empty for the root.
        index: Instance key: an int, a string, or ``None``.
        before: Attribute values before; ``None`` when it does not exist yet.
        after: Attribute values after, as the document has them: an unknown one is missing. ``None`` when it goes.
        planned: ``after`` with `UNKNOWN` where a value is known only after apply.
        unknown: Sorted JSON Pointers of unknown values in ``after``.
        sensitive: Sorted JSON Pointers of sensitive values in ``before`` or ``after``.
        replace_paths: JSON Pointers of the attributes that force the replacement.
        references: Edges to other resources, sorted.
        unresolved: Attributes (JSON Pointers) whose expression reads something we could not follow to a resource.
        configured: Top-level attribute and block names that the configuration sets, or ``None`` when the plan does
            not carry its configuration. An unknown value that is not configured follows a default.
        final_snapshot: Going, or being replaced, it leaves a snapshot of its data or stays where it is. ``None``: only
            its attributes say so.
        facts: Normalized facts of its kind, filled by `plangate.facts`.
        location: Where it is written, when known.
        places: Where its attributes are written, by JSON Pointer, as far as known. See `place`.
    """

    address: str
    type: str
    name: str
    mode: str = "managed"
    provider: str = ""
    cloud: str = ""
    region: str | Unknown = ""
    kind: str = ""
    action: Action
    replace_order: ReplaceOrder | None = None
    reason: str = ""
    previous_address: str = ""
    importing: Mapping[str, Any] | None = None
    deposed: str = ""
    module_address: str = ""
    index: int | str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    planned: Mapping[str, Any] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    replace_paths: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    unresolved: tuple[str, ...] = ()
    configured: frozenset[str] | None = None
    final_snapshot: Tri | None = None
    facts: Facts = field(default_factory=dict)
    location: Location | None = None
    places: Mapping[str, Location] = field(default_factory=dict)

    def place(self, path: str) -> Location | None:
        """Where an attribute (JSON Pointer) is written, or else what holds it, or the resource."""
        while path and path not in self.places:
            path = path.rpartition("/")[0]
        return self.places[path] if path else self.location

    @property
    def exists_after(self) -> bool:
        """It will be there, and managed by the plan, once the change is done."""
        return self.after is not None and not self.deposed

    @property
    def goes(self) -> bool:
        """Something that is there now will not be: deleted, replaced or dropped from management."""
        return self.action in {Action.DELETE, Action.REPLACE, Action.FORGET}

    @property
    def is_destroyed(self) -> bool:
        """Something that is there now is deleted or replaced."""
        return self.action in {Action.DELETE, Action.REPLACE}

    @property
    def existing(self) -> bool:
        """It is there now and the plan does not touch it.

        An import is a change of management, and a "no-op" whose values change is none.
        """
        return (
            self.action is Action.NO_OP
            and self.importing is None
            and self.before is not None
            and (self.before is self.after or self.before == self.after)
        )

    def fact(self, name: str) -> Any:
        """A fact, or `UNKNOWN` when its adapter did not give one: a missing fact is never a good one."""
        return self.facts.get(name, UNKNOWN)


class Drift(Struct, frozen=True, kw_only=True):
    """A change that happened outside of the tool, as it was found while planning."""

    address: str
    type: str
    action: Action
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    sensitive: tuple[str, ...] = ()


class OutputChange(Struct, frozen=True, kw_only=True):
    """A root module output. ``after`` holds `UNKNOWN` where a value is known only after apply."""

    name: str
    action: Action
    before: Any = None
    after: Any = None
    sensitive: bool = False


class Check(Struct, frozen=True, kw_only=True):
    """A ``check`` block, condition or postcondition and its status while planning.

    Attributes:
        address: Of the checked object.
        kind: ``check``, ``resource``, ``output_value`` or ``var``.
        status: ``pass``, ``fail``, ``error`` or ``unknown``.
        problems: The messages of the failed assertions.
    """

    address: str
    kind: str
    status: str
    problems: tuple[str, ...] = ()


class Provisioner(Struct, frozen=True, kw_only=True):
    """Something that runs a program or calls an API as a side effect of the change.

    Attributes:
        address: Of the resource it belongs to, as written in the configuration (without instance keys).
        type: ``local-exec``, ``remote-exec``, ``file``, or ``action:<type>`` for a provider action.
        runs: A change in this plan will run it. One on a resource that is not touched does not run.
    """

    address: str
    type: str
    runs: bool


class Plan(Struct, frozen=True, kw_only=True, dict=True):
    """A whole planned change. Resources keep the order of the document.

    Attributes:
        time: When it is judged, as RFC 3339 in UTC (``2027-01-31T12:00:00Z``): the time of the decision, so that a rule
            about times gives the same answer whenever the decision is repeated. Empty when nobody said.
        complete: False when the plan leaves changes out (``-target``, deferred changes).
        errored: The tool failed while planning; such a plan cannot be applied.
        applyable: False when there is nothing to do or it cannot be done; ``None`` when the format does not say.
        providers: Source addresses of all providers that the plan names, sorted.
        opaque: Parts of the change that could not be read (e.g. a remote module), each a sentence.
    """

    source: Source
    environment: str = ""
    time: str = ""
    complete: bool = True
    errored: bool = False
    applyable: bool | None = None
    resources: tuple[Resource, ...] = ()
    drift: tuple[Drift, ...] = ()
    outputs: tuple[OutputChange, ...] = ()
    checks: tuple[Check, ...] = ()
    provisioners: tuple[Provisioner, ...] = ()
    providers: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    secrets: frozenset[str] = frozenset()
    """Sensitive strings anywhere in the document; they must appear in no output. Never serialized."""

    @cached_property
    def unmodelled(self) -> tuple[str, ...]:
        """Managed types without an adapter, sorted."""
        return tuple(sorted({r.type for r in self.resources if not r.kind and r.mode == "managed"}))

    @cached_property
    def by_kind(self) -> Mapping[str, tuple[Resource, ...]]:
        """Resources by kind, in document order; the empty kind holds the unmodelled ones."""
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.kind, []).append(resource)
        return {kind: tuple(members) for kind, members in found.items()}

    @cached_property
    def changes(self) -> Mapping[str, int]:
        """Number of entries by action word; imports are counted under ``import`` as well.

        Data sources count only when they are to be read.
        """
        counts = {action.value: 0 for action in Action} | {"import": 0}
        for resource in self.resources:
            if resource.mode == "managed" or resource.action is Action.READ:
                counts[resource.action.value] += 1
            if resource.importing is not None:
                counts["import"] += 1
        return counts
