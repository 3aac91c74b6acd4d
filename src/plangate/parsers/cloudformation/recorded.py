"""A recorded change set (``plangate.dev/change-set/v1``) to the normalized plan.

Rules this module keeps:
1. What happens to a resource is the change set's word; what it will be is the template's, evaluated with the change
   set's parameters. A value that only one of them knows is taken from that one.
2. Where the two contradict each other the value is unknown, and the plan is not fully read.
3. A resource of the template that the change set does not touch is there already; in a new stack there is no such.
4. A parameter whose value is hidden, or not told, is unknown: never its default.

Source: docs/executor.md, "CloudFormation change sets".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

from msgspec.structs import replace

from plangate.errors import PlanParseError
from plangate.model.plan import Action, Plan, Resource
from plangate.model.values import UNKNOWN, AllUnknown, known_part, pointer
from plangate.parsers.base import Documents, Format, Limits, Options, Places
from plangate.parsers.cloudformation.change_set import CHANGE_SET
from plangate.parsers.cloudformation.template import FORMAT
from plangate.parsers.cloudformation.texts import text_of

ID: Final = "cloudformation-recorded-change-set"
SCHEMA: Final = "plangate.dev/change-set/v1"
NEW_STACK: Final = "REVIEW_IN_PROGRESS"
HIDDEN: Final = "****"
_ARN_PARTS: Final = 6
_MAX_SAID: Final = 10
_GOING: Final = frozenset({Action.DELETE, Action.FORGET})


def is_recorded(values: Sequence[Any]) -> bool:
    """Whether a document says that it is a recorded change set."""
    return any(isinstance(value, Mapping) and value.get("schema") == SCHEMA for value in values)


def parse(documents: Documents, _options: Options, limits: Limits) -> Plan:
    """Parse one recorded change set.

    Raises:
        PlanParseError: Its parts are not there, do not belong together, or cannot be read; names the place.
    """
    source = documents.source
    if len(documents.values) != 1:
        raise PlanParseError(source.name, f"{len(documents.values)} documents (expected one change set)")
    root = documents.values[0]
    stack = _object(root, "stack", source.name)
    described = _object(root, "described", source.name)
    template = _object(root, "template", source.name)
    if described.get("StackId") != stack.get("id") or described.get("ChangeSetId") != root.get("change_set"):
        raise PlanParseError(
            source.name, "the change set that is described is not the one that is named", at="/change_set"
        )
    parameters, template = _parameters(described, template)
    changes = CHANGE_SET.parse(_part(documents, "described", described), Options(), limits)
    written = FORMAT.parse(
        _part(documents, "template", template),
        Options(parameters=parameters | _pseudo(stack, described)),
        limits,
    )
    return _Joined(changes, written, documents, is_new=stack.get("status") == NEW_STACK).plan()


class _Joined:
    """Change set and template as one plan."""

    def __init__(self, changes: Plan, written: Plan, documents: Documents, *, is_new: bool) -> None:
        self._changes = changes
        self._written = written
        self._documents = documents
        self._is_new = is_new
        self._disagreements: list[str] = []

    def plan(self) -> Plan:
        """The whole of it."""
        written = {resource.address: resource for resource in self._written.resources}
        changed = {resource.address: resource for resource in self._changes.resources}
        resources = [self._changed(change, written.get(address)) for address, change in changed.items()] + [
            self._untouched(each) for address, each in written.items() if address not in changed
        ]
        said = self._disagreements
        if len(said) > _MAX_SAID:
            said = [*said[:_MAX_SAID], f"{len(said) - _MAX_SAID} more contradictions"]
        opaque = dict.fromkeys([*self._changes.opaque, *self._written.opaque, *said])
        return replace(
            self._changes,
            source=replace(self._changes.source, format=ID, format_version="v1"),
            resources=tuple(resources),
            outputs=self._written.outputs,
            opaque=tuple(opaque),
            secrets=self._changes.secrets | self._written.secrets,
        )

    def _changed(self, change: Resource, written: Resource | None) -> Resource:
        if change.action in _GOING:
            return change
        if written is None:
            self._disagreements.append(f"{change.address} is changed, and the template has no such resource")
            return change
        if written.type != change.type:
            self._refuse(
                f"resource {change.address} is a {change.type[:100]} in the change set"
                f" and a {written.type[:100]} in the template"
            )
        planned = written.planned
        if not isinstance(change.planned, AllUnknown):
            if isinstance(planned, AllUnknown):
                planned = change.planned
            else:
                planned = self._together(planned, change.planned, change.address, ())
        whole = isinstance(planned, AllUnknown)
        known, unknown = ({}, ("",)) if whole else known_part(planned)
        return replace(
            change,
            after=known,
            planned=planned,
            unknown=unknown,
            sensitive=tuple(sorted({*change.sensitive, *written.sensitive})),
            references=written.references,
            unresolved=tuple(sorted({*written.unresolved, *(change.unresolved if whole else ())})),
            configured=None if whole else frozenset(planned),
            region=change.region or written.region,
        )

    def _untouched(self, written: Resource) -> Resource:
        if self._is_new:
            # A condition that is not known may leave it out. If so, nothing says it: it is judged as if it came.
            self._disagreements.append(
                f"{written.address} is in the template of a new stack, and the change set does not add it"
            )
            return written
        return replace(written, action=Action.NO_OP, before=written.after)

    def _together(self, written: Any, shown: Any, address: str, at: tuple[str | int, ...]) -> Any:
        """A value that the template and the change set agree on; `UNKNOWN` where they do not."""
        if shown is UNKNOWN:
            return written
        if written is UNKNOWN:
            return shown
        if isinstance(written, Mapping) and isinstance(shown, Mapping):
            found = {
                key: self._together(value, shown[key], address, (*at, key))
                if key in shown
                else self._alone(value, address, (*at, key))
                for key, value in written.items()
            }
            return found | {key: value for key, value in shown.items() if key not in written}
        if isinstance(written, list) and isinstance(shown, list) and len(written) == len(shown):
            return [
                self._together(one, other, address, (*at, index))
                for index, (one, other) in enumerate(zip(written, shown, strict=True))
            ]
        # CloudFormation writes numbers and booleans as texts.
        text = text_of(written)
        if (text is not None and text == text_of(shown)) or written == shown:
            return written
        self._disagree(address, at)
        return UNKNOWN

    def _alone(self, value: Any, address: str, at: tuple[str | int, ...]) -> Any:
        if value is not UNKNOWN:
            self._disagree(address, at)
        return UNKNOWN

    def _disagree(self, address: str, at: tuple[str | int, ...]) -> None:
        self._disagreements.append(
            f"{address}: template and change set contradict each other at {pointer(*at)[:200]}"
        )

    def _refuse(self, problem: str) -> NoReturn:
        raise PlanParseError(self._documents.source.name, problem)


class _Within:
    """Places of one part of a document, for complaints. Its resources have none.

    It is one line that a program wrote, and finding a place in it walks all that stands before.
    """

    def __init__(self, places: Places, part: str) -> None:
        self._places = places
        self._part = f"/{part}"

    def at(self, pointer: str) -> tuple[int, int]:
        """See `plangate.parsers.base.Places`."""
        return self._places.at(self._part + pointer)

    def below(self, pointer: str) -> Mapping[str, tuple[int, int]]:  # noqa: ARG002
        """Nothing."""
        return {}


def _part(documents: Documents, name: str, value: Mapping[str, Any]) -> Documents:
    return Documents(source=documents.source, values=(value,), places=(_Within(documents.places[0], name),))


def _object(root: Any, name: str, source: str) -> Mapping[str, Any]:
    value = root.get(name)
    if not isinstance(value, Mapping):
        raise PlanParseError(source, "expected an object", at=f"/{name}")
    return value


def _parameters(
    described: Mapping[str, Any], template: Mapping[str, Any]
) -> tuple[dict[str, str], Mapping[str, Any]]:
    """Values that the change set tells, and the template without the defaults of those that it hides."""
    told: dict[str, str] = {}
    hidden: set[str] = set()
    for name, value in _listed(described):
        if isinstance(value, str) and value != HIDDEN:
            told[name] = value
        else:
            hidden.add(name)
    section = template.get("Parameters")
    if not hidden or not isinstance(section, Mapping):
        return told, template
    declared = {
        name: {key: item for key, item in node.items() if key != "Default"}
        if name in hidden and isinstance(node, Mapping)
        else node
        for name, node in section.items()
    }
    return told, {**template, "Parameters": declared}


def _listed(described: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    parameters = described.get("Parameters")
    for each in parameters if isinstance(parameters, list) else ():
        name = each.get("ParameterKey") if isinstance(each, Mapping) else None
        if isinstance(name, str):
            yield name, each.get("ParameterValue")


def _pseudo(stack: Mapping[str, Any], described: Mapping[str, Any]) -> dict[str, str]:
    arn, name = stack.get("id"), stack.get("name")
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) < _ARN_PARTS or not isinstance(name, str):
        return {}
    found = {
        "AWS::Partition": parts[1],
        "AWS::Region": parts[3],
        "AWS::AccountId": parts[4],
        "AWS::StackId": ":".join(parts),
        "AWS::StackName": name,
    }
    topics = described.get("NotificationARNs")
    if isinstance(topics, list) and all(isinstance(topic, str) for topic in topics):
        found["AWS::NotificationARNs"] = ",".join(topics)
    return found


RECORDED: Final = Format(
    id=ID, title="recorded CloudFormation change set", recognizes=is_recorded, parse=parse
)
