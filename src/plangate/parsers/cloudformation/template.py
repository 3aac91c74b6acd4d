"""CloudFormation templates, SAM's among them, to the normalized plan: everything in a template is to be created.

Rules this module keeps:
1. A resource whose condition is false is left out; one whose condition is not known is there, and is judged.
2. What may change the template before it is deployed (macros, included parts, modules) and what it brings along unseen
   (nested stacks) makes the plan opaque.
3. Resources that depend on each other in a circle, and conditions that do, are refused, as CloudFormation does.
4. Nothing that a template names is opened.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NoReturn

from msgspec import Struct

from plangate.errors import PlanParseError
from plangate.model.plan import Action, OutputChange, Plan, Resource, Source
from plangate.model.values import ABSENT, UNKNOWN, AllUnknown, at_pointer, known_part, pointer
from plangate.parsers.base import Documents, Format, Limits, Options
from plangate.parsers.cloudformation.conditions import Conditions
from plangate.parsers.cloudformation.cycles import find_cycle
from plangate.parsers.cloudformation.loops import PREFIX, loop_members
from plangate.parsers.cloudformation.opaque import opaque_resource, opaque_transforms
from plangate.parsers.cloudformation.places import Placed, nearest
from plangate.parsers.cloudformation.sam import role_of, with_globals
from plangate.parsers.cloudformation.scope import Scope, declared_parameters, pseudo_parameters
from plangate.parsers.cloudformation.secret_names import secret_places, secret_texts
from plangate.parsers.cloudformation.trace import Budget, Spot, Trace
from plangate.parsers.yaml_documents import SHORT_TAGS

ID: Final = "cloudformation"
PROVIDER: Final = "cloudformation"
_LOGICAL_ID: Final = re.compile(r"[A-Za-z0-9]{1,255}")
_SECTIONS: Final = ("Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Globals")


def is_template(values: Sequence[Any]) -> bool:
    """Whether a document looks like a template: it says so, or has resources with types like ``AWS::S3::Bucket``."""
    for value in values:
        if not isinstance(value, Mapping):
            continue
        if "AWSTemplateFormatVersion" in value:
            return True
        resources = value.get("Resources")
        if isinstance(resources, Mapping) and any(_is_typed(*item) for item in resources.items()):
            return True
    return False


def _is_typed(name: str, item: Any) -> bool:
    if name.startswith(PREFIX):
        return True
    kind = item.get("Type") if isinstance(item, Mapping) else None
    return isinstance(kind, str) and "::" in kind


def parse(documents: Documents, options: Options, limits: Limits) -> Plan:
    """Parse one template.

    Raises:
        PlanParseError: Not a template that CloudFormation would take, or too big; names the place.
    """
    if len(documents.values) != 1:
        raise PlanParseError(
            documents.source.name, f"{len(documents.values)} documents (expected one template)"
        )
    try:
        return Template(documents, options, limits).plan()
    except RecursionError as error:
        raise PlanParseError(documents.source.name, "nested too deeply to be read") from error


class _Declared(Struct, frozen=True):
    """A resource as it is written.

    Attributes:
        node: What is written.
        origin: JSON Pointer of it in the document, of the loop's body for one that a loop makes.
        condition: Name of its condition; empty without one.
    """

    node: Mapping[str, Any]
    origin: str
    condition: str = ""


class Template:
    """One template that was read, with its parameters.

    Args:
        documents: It is the only one of them.
        options: Parameters, and what is known of resources that exist already.
        limits: The parsers' limits.

    Raises:
        PlanParseError: Not a template that CloudFormation would take, or too big; names the place.
    """

    def __init__(self, documents: Documents, options: Options, limits: Limits) -> None:
        self._source = documents.source
        self._places = documents.places[0]
        self._limits = limits
        self._options = options
        root = documents.values[0]
        if not isinstance(root, Mapping):
            self._refuse("", "expected an object")
        self._root = root
        for name in _SECTIONS:
            if not isinstance(root.get(name) or {}, Mapping):
                self._refuse(pointer(name), "expected an object")
        self._opaque: list[str] = list(opaque_transforms(root))
        self._budget = Budget(documents.source.name, limits)
        self._secrets: set[str] = set()
        declared, secret = declared_parameters(
            self._section("Parameters"), options.parameters, self._budget, self._refuse
        )
        parameters = pseudo_parameters(options.parameters) | declared
        for name in secret:
            self._secrets |= secret_texts(parameters[name]) | secret_texts(options.parameters.get(name))
            self._secrets |= secret_texts(self._section("Parameters")[name].get("Default"))
        self._region = options.parameters.get("AWS::Region", "")
        self._scope = Scope(parameters=parameters, secret=secret, mappings=self._section("Mappings"))
        self._conditions = self._conditions_with(frozenset())
        self._declared = self._declarations()
        # Conditions cannot refer to resources, so that the first look at them was the right one.
        self._conditions = self._conditions_with(frozenset(self._declared))
        self._conditions.check()

    @property
    def names(self) -> Sequence[str]:
        """Logical ids of what it makes, in its order."""
        return tuple(self._declared)

    @property
    def secrets(self) -> frozenset[str]:
        """Texts that were found to be secret until now."""
        return frozenset(self._secrets)

    @property
    def unclear(self) -> Sequence[str]:
        """Why what it makes is not known in full, each a sentence: macros, nested stacks, conditions."""
        conditional = (
            f"whether {name} is made depends on the condition {each.condition}, which is not known"
            for name, each in self._declared.items()
            if each.condition and self._conditions.holds(each.condition) is UNKNOWN
        )
        return (*self._opaque, *conditional)

    def policy(self, name: str, policy: str) -> str:
        """A resource's ``DeletionPolicy`` or ``UpdateReplacePolicy``; empty when it has none."""
        word = self._declared[name].node.get(policy)
        return word if isinstance(word, str) else ""

    def resource(self, name: str) -> Resource:
        """A resource as it is to be, with what is known now."""
        return self._resource(name, self._declared[name], self._placed)

    @cached_property
    def _placed(self) -> Placed:
        return Placed(self._source.name, self._places, len(self._declared), self._source.size)

    def plan(self) -> Plan:
        """The whole template as a plan."""
        resources = tuple(map(self.resource, self._declared))
        self._refuse_circles(resources)
        for resource in resources:
            self._opaque += opaque_resource(resource)
        outputs = tuple(self._outputs())
        version = self._root.get("AWSTemplateFormatVersion")
        return Plan(
            source=Source(
                name=self._source.name,
                format=ID,
                format_version=version if isinstance(version, str) else "",
                tool="",
                sha256=self._source.sha256,
                size=self._source.size,
                media_type=self._source.media_type,
            ),
            resources=resources,
            outputs=outputs,
            providers=(PROVIDER,),
            opaque=tuple(self._opaque),
            secrets=frozenset(self._secrets),
        )

    def _conditions_with(self, names: frozenset[str]) -> Conditions:
        scope = Scope(
            parameters=self._scope.parameters,
            secret=self._scope.secret,
            mappings=self._scope.mappings,
            resources=names,
            attributes=self._options.attributes,
            zones=self._options.zones,
        )
        return Conditions(self._section("Conditions"), scope, self._budget, self._refuse)

    def _section(self, name: str) -> Mapping[str, Any]:
        return self._root.get(name) or {}

    # --- resources ---

    def _declarations(self) -> dict[str, _Declared]:
        section = self._section("Resources")
        if not section:
            self._refuse("/Resources" if "Resources" in self._root else "", "a template without resources")
        found: dict[str, _Declared] = {}
        for name, node, origin in self._members(section):
            if not _LOGICAL_ID.fullmatch(name):
                self._refuse(origin, f"{name[:100]!r} is not a logical id (expected letters and digits)")
            if name in found:
                self._refuse(origin, f"resource {name} comes twice")
            if len(found) >= self._limits.max_resources:
                self._refuse(origin, f"more than {self._limits.max_resources} resources")
            declared = self._declaration(name, node, origin)
            if declared is not None:
                found[name] = declared
        return found | dict(self._roles(found))

    def _roles(self, found: Mapping[str, _Declared]) -> Iterator[tuple[str, _Declared]]:
        """Roles that SAM makes beside what is written, so that their policies are judged."""
        for name, declared in found.items():
            role = role_of(declared.node)
            if role is not None and f"{name}Role" not in found:
                yield f"{name}Role", _Declared(role, declared.origin, declared.condition)

    def _members(self, section: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
        """Name, node and place of each resource, with those that loops make."""
        for key, node in section.items():
            origin = pointer("Resources", key)
            if key.startswith(PREFIX):
                for entry in loop_members(node, self._conditions.evaluator.items, self._budget):
                    if entry is None:
                        self._opaque.append(f"{key[:100]}: which resources this loop makes is not known")
                        break
                    yield entry[0], entry[1], origin
            elif key.startswith("Fn::"):
                self._opaque.append(f"{key[:100]} in Resources may add any resources")
            else:
                yield key, node, origin

    def _declaration(self, name: str, node: Any, origin: str) -> _Declared | None:
        if not isinstance(node, Mapping):
            self._refuse(origin, f"resource {name}: expected an object")
        kind = node.get("Type")
        changed = any(key.startswith("Fn::") for key in node)
        if changed and kind is None:
            self._opaque.append(f"{name} is made by a macro, and what it will be is not known")
            return None
        if not isinstance(kind, str) or not kind:
            self._refuse(origin, f"resource {name} has no type")
        properties = node.get("Properties")
        if properties is not None and not isinstance(properties, Mapping):
            self._refuse(f"{origin}/Properties", f"resource {name}: expected an object with its properties")
        condition = node.get("Condition")
        if condition is not None and not isinstance(condition, str):
            self._refuse(f"{origin}/Condition", "expected the name of a condition")
        if condition is not None and self._conditions.holds(condition) is False:
            return None
        return _Declared(
            with_globals(kind, node, self._section("Globals"), self._budget), origin, condition or ""
        )

    def _resource(self, name: str, declared: _Declared, placed: Placed) -> Resource:
        evaluator = self._conditions.evaluator
        if declared.condition:
            evaluator = evaluator.given(declared.condition)
        trace = Trace()
        written = declared.node.get("Properties")
        values = evaluator.read(written or {}, Spot(), trace)
        # A macro beside the properties may change them all.
        changed = any(key.startswith("Fn::") for key in declared.node)
        whole = changed or not isinstance(values, Mapping)
        planned: Mapping[str, Any] = AllUnknown() if whole else values
        after, unknown = ({}, ("",)) if whole else known_part(values)
        secret = trace.secret | set(secret_places(after))
        for at in secret:
            self._secrets |= secret_texts(_at(after, at))
        for edge in _depends_on(declared.node):
            if edge in self._declared:
                trace.edges.setdefault(("", edge, "DependsOn"), True)
        location, places = placed.of(declared.origin, planned)
        return Resource(
            address=name,
            type=declared.node["Type"],
            name=name,
            provider=PROVIDER,
            cloud="aws",
            region=self._region,
            action=Action.CREATE,
            before=None,
            after=after,
            planned=planned,
            unknown=unknown,
            sensitive=tuple(sorted(secret)),
            references=trace.references(),
            unresolved=tuple(sorted(trace.lost)),
            configured=None if whole else frozenset(values),
            location=location,
            places=places,
        )

    def _refuse_circles(self, resources: Sequence[Resource]) -> None:
        # What SAM makes of its own types may come apart again, e.g. a function's events.
        edges = {
            r.address: [e.address for e in r.references if e.exact]
            for r in resources
            if not r.type.startswith("AWS::Serverless::")
        }
        circle = find_cycle(edges)
        if circle:
            self._refuse(
                self._declared[circle[0]].origin,
                f"circular dependency between resources: {', '.join(circle)[:300]}",
            )

    # --- outputs ---

    def _outputs(self) -> Iterator[OutputChange]:
        section = self._section("Outputs")
        evaluator = self._conditions.evaluator
        for name, node in sorted(section.items()):
            if name.startswith("Fn::") or not isinstance(node, Mapping):
                continue
            condition = node.get("Condition")
            if isinstance(condition, str) and self._conditions.holds(condition) is False:
                continue
            trace = Trace()
            value = evaluator.read(node.get("Value"), Spot(), trace)
            if trace.secret:
                self._secrets |= secret_texts(value)
            yield OutputChange(
                name=name,
                action=Action.CREATE,
                after=None if value is ABSENT else value,
                sensitive=bool(trace.secret),
            )

    def _refuse(self, at: str, problem: str) -> NoReturn:
        raise PlanParseError(self._source.name, problem, at=nearest(self._places, at))


def _at(values: Mapping[str, Any], at: str) -> Any:
    found = at_pointer(values, at)
    return None if found is ABSENT else found


def _depends_on(node: Mapping[str, Any]) -> list[str]:
    named = node.get("DependsOn")
    listed = named if isinstance(named, list) else [named]
    return [name for name in listed if isinstance(name, str)]


FORMAT: Final = Format(
    id=ID,
    title="CloudFormation template",
    recognizes=is_template,
    parse=parse,
    tags=frozenset(f"!{name}" for name in SHORT_TAGS),
)
