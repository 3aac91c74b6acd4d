"""One resource instance as the plan has it: values as plan JSON writes them, with marks, edges and places.

Nested blocks are lists of objects, as they are in plan JSON, so that the same adapters read both. An argument that is
null counts as not set, as it does for Terraform.
"""

from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from plangate.model.address import patterns
from plangate.model.plan import Location, Reference
from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.blocks import RESOURCE_META, RESOURCE_META_BLOCKS, nested_blocks, safely
from plangate.parsers.hcl.evaluate import evaluate
from plangate.parsers.hcl.instances import Instance
from plangate.parsers.hcl.origins import Opaque, Pending, Target
from plangate.parsers.hcl.run import Reads
from plangate.parsers.hcl.scope import Scope
from plangate.parsers.hcl.syntax import Attribute, Body, Expression, Literal, Object, Tuple
from plangate.parsers.hcl.values import SetValue
from plangate.parsers.terraform_values import leaves

MAX_EDGES_OF_ARGUMENT: Final = 200
"""An argument that reads more instances leads to their resources without keys, and so to none of them exactly."""
_SCALARS: Final = frozenset({str, int, bool})


class Written(Struct):
    """What the source says about one instance; see the fields of `plangate.model.plan.Resource`."""

    planned: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    sensitive: list[str] = field(default_factory=list)
    references: set[Reference] = field(default_factory=set)
    unresolved: set[str] = field(default_factory=set)
    configured: set[str] = field(default_factory=set)
    places: dict[str, Location] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)


def written(instance: Instance) -> Written:
    """The instance, evaluated.

    Raises:
        PlanParseError: It costs too much, or depends on itself.
    """
    reader = _Reader(instance)
    body = instance.block.body
    reader.found.planned = reader.body(body, instance.scope, "", "")
    reader.found.after = known_part(reader.found.planned) if reader.found.unknown else reader.found.planned
    return reader.found


def known_part(value: Any) -> Any:
    """The value as ``after`` has it: an unknown member is left out, an unknown item is null."""
    if isinstance(value, dict):
        return {key: known_part(item) for key, item in value.items() if item is not UNKNOWN}
    if isinstance(value, list):
        return [None if item is UNKNOWN else known_part(item) for item in value]
    return value


class _Reader:
    """Walks over the body of one instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._run = instance.module.run
        self.found = Written()

    def body(self, body: Body, scope: Scope, at: str, plain: str) -> dict[str, Any]:
        """The values of a body.

        Args:
            body: Of the resource, or of a nested block.
            scope: Of its expressions.
            at: Its JSON Pointer.
            plain: The pointer without indexes.
        """
        values: dict[str, Any] = {}
        for name, attribute in body.attributes.items():
            if not at and name in RESOURCE_META:
                continue
            here = f"{at}/{_token(name)}"
            self.found.places[here] = attribute.place
            value, reads = self._argument(attribute, scope, top=not at)
            if value is None:
                continue
            values[name] = self._value(value, here, here)
            self._edges(value, reads, f"{plain}/{_token(name)}")
            if reads.sensitive:
                self._mark(attribute, scope, values[name], here)
            if not at:
                self.found.configured.add(name)
        for name in self._blocks(body, scope, at, plain, values):
            if not at:
                self.found.configured.add(name)
        return values

    def _argument(self, attribute: Attribute, scope: Scope, *, top: bool) -> tuple[Any, Reads]:
        if top:
            return self._run.apart(lambda: self._instance.argument(attribute))
        inner = scope.within(attribute.place.file)
        return self._run.apart(lambda: safely(lambda: evaluate(attribute.value, inner)))

    def _blocks(self, body: Body, scope: Scope, at: str, plain: str, values: dict[str, Any]) -> set[str]:
        """Nested blocks into values; gives their names."""
        names: set[str] = set()
        unsure: set[str] = set()
        for block, inner in nested_blocks(body, scope):
            kind = block.labels[0] if inner is None else block.type
            if not at and kind in RESOURCE_META_BLOCKS:
                continue
            names.add(kind)
            here = f"{at}/{_token(kind)}"
            self.found.places.setdefault(here, block.place)
            if inner is None:
                unsure.add(kind)
                continue
            row = values.setdefault(kind, [])
            if isinstance(row, list):
                place = f"{here}/{len(row)}"
                self.found.places[place] = block.place
                self._run.spend(1, block.place)
                row.append(self.body(block.body, inner, place, f"{plain}/{_token(kind)}"))
        for kind in unsure:
            # How many there are is not known, so that not even those that are written out have a place.
            self._forget(f"{at}/{_token(kind)}")
            values[kind] = UNKNOWN
            self.found.unknown.append(f"{at}/{_token(kind)}")
            self.found.unresolved.add(f"{plain}/{_token(kind)}")
        return names

    def _forget(self, at: str) -> None:
        self.found.unknown = [path for path in self.found.unknown if not path.startswith(at + "/")]
        self.found.sensitive = [path for path in self.found.sensitive if not path.startswith(at + "/")]

    def _value(self, value: Any, at: str, place: str) -> Any:
        """A value as plan JSON has it, with `UNKNOWN`; notes the pointers of what is unknown."""
        if value.__class__ in _SCALARS or value is None:
            return value
        if isinstance(value, Opaque):
            return self._value(value.whole(), at, place)
        if value is UNKNOWN or value.__class__ is Pending:
            self.found.unknown.append(at)
            self._run.spend_text(at, self._instance.block.place)
            return UNKNOWN
        if isinstance(value, dict):
            self._run.spend(len(value), self._instance.block.place)
            return {key: self._value(item, f"{at}/{_token(key)}", place) for key, item in value.items()}
        if isinstance(value, list | tuple | SetValue):
            items = value.items if isinstance(value, SetValue) else value
            self._run.spend(len(items), self._instance.block.place)
            return [self._value(item, f"{at}/{i}", place) for i, item in enumerate(items)]
        return value

    def _edges(self, value: Any, reads: Reads, at: str) -> None:
        """Edges of an argument: from its unknown parts, or if it is known, from all that was read for it."""
        leaves_found: list[Any] = []
        _unknown_leaves(value, leaves_found)
        targets: set[Target] = set()
        for leaf in leaves_found:
            if leaf.__class__ is Pending:
                targets |= leaf.targets
                if leaf.lost:
                    self.found.unresolved.add(at)
            else:
                self.found.unresolved.add(at)
        if not leaves_found:
            targets = reads.targets
        if len(targets) > MAX_EDGES_OF_ARGUMENT:
            # All instances of a resource, read by all of another, would be their product.
            targets = {replace(t, address=patterns(t.address)[-1], exact=False) for t in targets}
        for target in targets:
            exact = target.exact and target.maybe == self._instance.maybe
            if target.address != self._instance.address:
                self.found.references.add(
                    Reference(at=at, address=target.address, exact=exact, attribute=target.attribute)
                )

    def _mark(self, attribute: Attribute, scope: Scope, plain: Any, at: str) -> None:
        """Mark what is sensitive; of an object or list that is written out, member by member."""
        members = _members(attribute.value, plain)
        if members is None:
            self.found.sensitive.append(at)
            self.found.secrets |= leaves(plain)
            return
        for name, value, inner in members:
            member = Attribute(name, value, attribute.place)
            _, reads = self._argument(member, scope, top=False)
            if reads.sensitive:
                self._mark(member, scope, inner, f"{at}/{_token(name)}")


def _members(value: Expression, plain: Any) -> list[tuple[str, Expression, Any]] | None:
    """Names, expressions and values of an object or list that is written out; `None` for anything else."""
    if isinstance(value, Tuple) and isinstance(plain, list):
        return [(str(i), item, inner) for i, (item, inner) in enumerate(zip(value.items, plain, strict=True))]
    if not isinstance(value, Object) or not isinstance(plain, dict):
        return None
    found = []
    for key, item in value.items:
        if not isinstance(key, Literal) or key.value not in plain:
            return None
        found.append((str(key.value), item, plain[key.value]))
    return found


def _unknown_leaves(value: Any, found: list[Any]) -> None:
    if value.__class__ in _SCALARS or value is None:
        return
    if value is UNKNOWN or value.__class__ is Pending:
        found.append(value)
    elif isinstance(value, Opaque):
        _unknown_leaves(value.whole(), found)
    elif isinstance(value, dict):
        for item in value.values():
            _unknown_leaves(item, found)
    elif isinstance(value, list | tuple):
        for item in value:
            _unknown_leaves(item, found)


def _token(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1") if "/" in name or "~" in name else name
