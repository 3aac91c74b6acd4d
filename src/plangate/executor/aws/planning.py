"""What has to be done so that actual state becomes desired state.

Rules this module keeps:
1. Resources are looked at in the order of their dependencies, so that what depends on one that stays can be known, and
   what depends on one that is made anew is not.
2. What is there is what the journal or the tags say is ours; nothing else is ever touched.
3. A property that nobody can set, a type that nobody can make, a value that nobody can find out: refused now, not
   midway.
4. Nothing here changes anything.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from plangate.errors import UsageError
from plangate.executor.aws.base import (
    MARK_CREATION,
    MARK_RESOURCE,
    Condition,
    Found,
    Handler,
    Owner,
    Properties,
)
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.difference import changed_properties, holds_unknown
from plangate.executor.aws.parts import part_of
from plangate.executor.aws.schemas import Schema, Schemas
from plangate.executor.aws.validation import problems_of
from plangate.model.aws_plan import Change
from plangate.model.plan import Action, ReplaceOrder, Resource
from plangate.model.values import known_part, pointer

_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate"})
_MOST_PROBLEMS: Final = 50


class Desired(Protocol):
    """What a template wants; `plangate.parsers.cloudformation.Template` is one."""

    @property
    def names(self) -> Sequence[str]:
        """Logical ids."""

    @property
    def unclear(self) -> Sequence[str]:
        """Why it is not known in full."""

    def resource(self, name: str) -> Resource:
        """A resource as it is to be, with what is known now."""

    def policy(self, name: str, policy: str) -> str:
        """``DeletionPolicy`` or ``UpdateReplacePolicy``."""


class Known(Struct, frozen=True, kw_only=True):
    """A resource that the journal remembers as ours.

    Attributes:
        logical_id: In its template.
        type: CloudFormation type.
        identifier: What its handler knows it by.
        deletion_policy: As its template said last.
        depends_on: Logical ids, as its template said last.
        leaving: It was replaced, and is still to be deleted.
        hidden: Digests of what AWS never tells, by property, see `plangate.executor.aws.hidden`.
    """

    logical_id: str
    type: str
    identifier: str
    deletion_policy: str = ""
    depends_on: tuple[str, ...] = ()
    leaving: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict)


class Kit(Struct, frozen=True, kw_only=True):
    """What is needed to look at resources.

    Attributes:
        aws: Connections.
        schemas: Of the region.
        handler: The handler of a type; ``None`` when nothing can make such a resource.
        hidden_changed: Whether a value that AWS never tells is another than the one that a digest was made of.
    """

    aws: Aws
    schemas: Schemas
    handler: Callable[[str], Handler | None]
    hidden_changed: Callable[[str, Any], bool]


class Actual(Struct, frozen=True, kw_only=True):
    """What is there of a stack.

    Attributes:
        current: By logical id.
        leaving: Left over from replacements, by type and identifier.
        known: What the journal says, by type and identifier.
    """

    current: Mapping[str, tuple[str, Found]]
    leaving: Mapping[tuple[str, str], tuple[str, Found]]
    known: Mapping[tuple[str, str], Known]


def make_changes(
    desired: Desired,
    attributes: dict[str, Mapping[str, Any]],
    owner: Owner,
    known: Sequence[Known],
    kit: Kit,
) -> tuple[Change, ...]:
    """The changes that make a stack what a template wants, sorted by logical id.

    Args:
        desired: The template.
        attributes: What the template reads of resources that exist; filled here.
        owner: Whose resources are looked for.
        known: What the journal remembers of them.
        kit: How to look.

    Raises:
        UsageError: The template asks for what cannot be done; every problem is named.
        ExecutionError: AWS cannot be asked.
    """
    if desired.unclear:
        raise UsageError(
            "the template is not known in full: " + "; ".join(desired.unclear[:_MOST_PROBLEMS]),
            hint="give the missing parameters with --parameters, or expand macros before",
        )
    resources = {name: desired.resource(name) for name in desired.names}
    _refuse_problems(resources, kit)
    needs = {name: dependencies(resource, resources) for name, resource in resources.items()}
    actual = read_actual(owner, {name: r.type for name, r in resources.items()}, known, kit)
    changes: list[Change] = []
    current = dict(actual.current)
    actual = replace(actual, current=current)
    for name in _ordered(needs):
        if name not in current and (part := _part(desired.resource(name), actual, owner, kit)) is not None:
            current[name] = part
        change = _change(name, desired, needs[name], actual, kit)
        if change.action in {Action.NO_OP, Action.UPDATE}:
            attributes[name] = change.attributes
        changes.append(change)
    changes += _leaving(resources, actual)
    return tuple(sorted(changes, key=lambda change: (change.logical_id, change.deposed)))


def dependencies(resource: Resource, among: Iterable[str]) -> tuple[str, ...]:
    """Logical ids that a resource refers to, sorted."""
    there = frozenset(among)
    return tuple(sorted({edge.address for edge in resource.references} & there - {resource.address}))


def _ordered(needs: Mapping[str, Sequence[str]]) -> list[str]:
    sorter = TopologicalSorter({name: sorted(needs[name]) for name in sorted(needs)})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise UsageError(f"resources depend on each other in a circle: {', '.join(error.args[1])}") from error


# --- what is there ---


def read_actual(
    owner: Owner,
    types: Mapping[str, str],
    known: Sequence[Known],
    kit: Kit,
    *,
    begun: frozenset[str] = frozenset(),
) -> Actual:
    """What is there of a stack: by the journal, and by tags for what the journal does not know.

    Args:
        owner: Whose.
        types: Type by logical id, of the template.
        known: The journal's.
        kit: How to look.
        begun: Tokens of creations that are gone on with: what they made, and the journal does not know, is left out.

    Raises:
        UsageError: Two resources say that they are the same one, or something is neither ready nor gone.
    """
    remembered = {(item.type, item.identifier): item for item in known}
    wanted: dict[str, dict[str, Known]] = defaultdict(dict)
    for item in known:
        wanted[item.type][item.identifier] = item
    current: dict[str, tuple[str, Found]] = {}
    leaving: dict[tuple[str, str], tuple[str, Found]] = {}
    for type_name in sorted({*types.values(), *wanted}):
        handler = kit.handler(type_name)
        if handler is None:
            continue
        mine = wanted.get(type_name, {})
        found = {each.identifier: each for each in handler.owned(kit.aws, owner)}
        untagged = sorted(set(mine) - set(found))
        if untagged:
            found |= handler.read(kit.aws, untagged)
        for identifier, each in found.items():
            row = mine.get(identifier)
            name = row.logical_id if row is not None else each.marks.get(MARK_RESOURCE, "")
            if row is None and (each.condition is Condition.FAILED or each.marks.get(MARK_CREATION) in begun):
                continue
            if row is not None and row.leaving:
                leaving[type_name, identifier] = (name, each)
            elif name in current:
                raise UsageError(
                    f"both {current[name][1].identifier} and {identifier} say that they are {name} of {owner.stack}",
                    hint="go on with a run that was cut off, with --resume; or delete the one that is not, or take"
                    " the tag plangate:resource off it",
                )
            elif name:
                current[name] = (type_name, each)
    return Actual(current=current, leaving=leaving, known=remembered)


def _part(wanted: Resource, actual: Actual, owner: Owner, kit: Kit) -> tuple[str, Found] | None:
    """What is there of a resource without tags that the journal does not know, with its type."""
    handler = kit.handler(wanted.type)
    if handler is None:
        return None
    found = part_of(actual.current.values(), handler, kit.aws, wanted.planned, owner, wanted.address)
    taken = {(kind, each.identifier) for kind, each in actual.current.values()} | actual.known.keys()
    if found is None or (wanted.type, found.identifier) in taken:
        return None
    return wanted.type, found


# --- one resource ---


def _change(name: str, desired: Desired, needs: tuple[str, ...], actual: Actual, kit: Kit) -> Change:
    wanted = desired.resource(name)
    handler, schema = _parts(wanted.type, kit)
    properties = wanted.planned
    known_after, unknown = known_part(properties)
    there = actual.current.get(name)
    if there is None or there[0] != wanted.type:
        return Change(
            logical_id=name, type=wanted.type, action=Action.CREATE, after=known_after, unknown=unknown,
            depends_on=needs,
        )  # fmt: skip
    found = there[1]
    settable, _ = schema.without_read_only(properties)
    differ = changed_properties(handler, schema, found.properties, settable)
    differ |= _hidden_differences(schema, settable, actual.known.get((wanted.type, found.identifier)), kit)
    replacing = differ - handler.updatable
    stays = Change(
        logical_id=name,
        type=wanted.type,
        action=Action.NO_OP,
        identifier=found.identifier,
        before=found.properties,
        after={**_carried(found.properties, properties, handler), **known_after},
        unknown=unknown,
        changed=tuple(sorted(differ)),
        attributes=found.attributes,
        depends_on=needs,
    )
    if replacing or found.condition is Condition.FAILED:
        broken = found.condition is Condition.FAILED
        first = broken or handler.clashes(found.properties, properties)
        return replace(
            stays,
            action=Action.REPLACE,
            after=known_after,
            attributes={},
            replace_order=ReplaceOrder.DESTROY_FIRST if first else ReplaceOrder.CREATE_FIRST,
            replace_paths=tuple(pointer(each) for each in sorted(replacing)),
            reason=f"it is broken: {found.detail[:200]}" if broken else _doubt(replacing, schema, properties),
            keep=desired.policy(name, "UpdateReplacePolicy") in _KEPT,
        )
    if differ:
        kept = {key: value for key, value in found.attributes.items() if key not in handler.volatile}
        return replace(stays, action=Action.UPDATE, attributes=kept)
    return stays


def _doubt(replacing: frozenset[str], schema: Schema, properties: Properties) -> str:
    """What a reader should know of a replacement that might turn out not to be needed."""
    if replacing <= schema.top(schema.conditional_create_only):
        return "AWS can change this in place sometimes; it is replaced here"
    if all(holds_unknown(properties.get(name)) for name in replacing):
        return "what decides it is known only when something else was made"
    return ""


def _carried(before: Properties, wanted: Properties, handler: Handler) -> Mapping[str, Any]:
    """What stays as it is without being in the template."""
    return {
        name: value
        for name, value in before.items()
        if name not in wanted and (name not in handler.defaults or value == handler.defaults[name])
    }


def _hidden_differences(
    schema: Schema, properties: Properties, row: Known | None, kit: Kit
) -> frozenset[str]:
    """Write-only properties that were something else when they were set last. Nothing is known without the journal."""
    if row is None:
        return frozenset()
    return frozenset(
        name
        for name, value in properties.items()
        if f"/{name}" in schema.write_only
        and (holds_unknown(value) or kit.hidden_changed(row.hidden.get(name, ""), value))
    )


def _leaving(resources: Mapping[str, Resource], actual: Actual) -> list[Change]:
    """What the template does not want any more, and what replacements left over."""
    changes = []
    for name, (type_name, found) in actual.current.items():
        wanted = resources.get(name)
        if wanted is not None and wanted.type == type_name:
            continue
        row = actual.known.get((type_name, found.identifier))
        kept = row is not None and row.deletion_policy in _KEPT
        changes.append(_gone(name, type_name, found, row, kept=kept, deposed=wanted is not None))
    for (type_name, identifier), (name, found) in actual.leaving.items():
        row = actual.known.get((type_name, identifier))
        changes.append(_gone(name, type_name, found, row, deposed=True))
    return changes


def _gone(
    name: str, type_name: str, found: Found, row: Known | None, *, deposed: bool, kept: bool = False
) -> Change:
    return Change(
        logical_id=name,
        type=type_name,
        action=Action.FORGET if kept else Action.DELETE,
        identifier=found.identifier,
        before=found.properties,
        attributes=found.attributes,
        depends_on=() if row is None else row.depends_on,
        deposed=found.identifier if deposed else "",
    )


# --- what cannot be done ---


def _refuse_problems(resources: Mapping[str, Resource], kit: Kit) -> None:
    problems = [line for name, resource in resources.items() for line in _problems(name, resource, kit)]
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        listed = [*problems[:_MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]
        raise UsageError("the template cannot be brought about:\n  " + "\n  ".join(listed))


def _problems(name: str, resource: Resource, kit: Kit) -> Iterable[str]:
    at = f"{resource.location.file}:{resource.location.line}: {name}" if resource.location else name
    schema = kit.schemas.of(resource.type)
    if schema is None:
        yield f"{at}: the region has no type {resource.type}"
        return
    handler = kit.handler(resource.type)
    if handler is None:
        yield f"{at}: nothing can make {resource.type}"
        return
    if not resource.planned and resource.unknown == ("",):
        yield f"{at}: what it is to be is not known"
        return
    followed = {edge.at for edge in resource.references}
    for lost in resource.unresolved:
        # What also waits for a resource may still turn out; if it does not, the change stops before it.
        if lost not in followed:
            yield f"{at}{lost}: the value cannot be found out: only parameters and this template's resources can"
    for path, problem in problems_of(schema, resource.planned):
        place = resource.place(path)
        where = f"{place.file}:{place.line}: {name}" if place else name
        yield f"{where}{path}: {problem}"
    settable, _ = schema.without_read_only(resource.planned)
    for extra in sorted(set(settable) - handler.supported):
        if f"/{extra}" in schema.read_only or extra not in schema.document["properties"]:
            continue  # said by the schema already
        yield f"{at}/{extra}: is a property that Plangate does not set"


def _parts(type_name: str, kit: Kit) -> tuple[Handler, Schema]:
    handler, schema = kit.handler(type_name), kit.schemas.of(type_name)
    if handler is None or schema is None:
        raise UsageError(f"nothing can make {type_name}")
    return handler, schema
