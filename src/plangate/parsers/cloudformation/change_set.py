"""What ``aws cloudformation describe-change-set`` says, to the normalized plan.

Rules this module keeps:
1. An action word that it does not know is refused. A replacement that may be is one.
2. Values are known only where the change set was described with its property values
   (``--include-property-values``); without them, nothing is known of a resource.
3. A change set that failed, that is not complete, or of which this is only one page says so.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from msgspec.structs import replace

from plangate.errors import PlanParseError
from plangate.model.plan import Action, Location, Plan, ReplaceOrder, Resource, Source
from plangate.model.values import UNKNOWN, AllUnknown, at_pointer, known_part, pointer
from plangate.parsers.base import Documents, Format, Input, Limits, Options
from plangate.parsers.cloudformation.opaque import opaque_resource
from plangate.parsers.cloudformation.places import nearest
from plangate.parsers.cloudformation.secret_names import secret_places, secret_texts
from plangate.parsers.cloudformation.template import PROVIDER
from plangate.parsers.cloudformation.texts import is_dynamic
from plangate.parsers.cloudformation.trace import Budget
from plangate.parsers.documents import read_json

ID: Final = "cloudformation-change-set"
PHYSICAL_ID: Final = "PhysicalResourceId"
_LATER: Final = "{{changeSet:"
"""How a value begins that is known only after the change set was executed."""
_MIN_MASK: Final = 3
_READY: Final = "CREATE_COMPLETE"
_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate"})
_SAVED: Final[Mapping[str, bool]] = {
    "Delete": False,
    "Retain": True,
    "Snapshot": True,
    "ReplaceAndDelete": False,
    "ReplaceAndRetain": True,
    "ReplaceAndSnapshot": True,
}
"""Whether data is left, by ``PolicyAction``: what CloudFormation makes of the policies and of its defaults, which
differ by type and property. Where it is not said, nothing is known: the policy of what goes went with its template."""
_ACTIONS: Final[Mapping[str, Action]] = {
    "Add": Action.CREATE,
    "Modify": Action.UPDATE,
    "Remove": Action.DELETE,
    "Import": Action.NO_OP,
    # Only what CloudFormation knows of it changes.
    "SyncWithActual": Action.NO_OP,
    # It depends on another change set: at worst, it is replaced.
    "Dynamic": Action.REPLACE,
}


def is_change_set(values: Sequence[Any]) -> bool:
    """Whether a document looks like a described change set."""
    return any(
        isinstance(value, Mapping)
        and isinstance(value.get("Changes"), list)
        and any(name in value for name in ("ChangeSetId", "ChangeSetName", "StackId"))
        for value in values
    )


def parse(documents: Documents, _options: Options, limits: Limits) -> Plan:
    """Parse one described change set.

    Raises:
        PlanParseError: Not a change set that we fully understand; names the place.
    """
    name = documents.source.name
    if len(documents.values) != 1:
        raise PlanParseError(name, f"{len(documents.values)} documents (expected one change set)")
    try:
        return _ChangeSet(documents, limits).plan()
    except RecursionError as error:
        raise PlanParseError(name, "nested too deeply to be read") from error


class _ChangeSet:
    def __init__(self, documents: Documents, limits: Limits) -> None:
        self._source: Input = documents.source
        self._places = documents.places[0]
        self._limits = limits
        self._root: Mapping[str, Any] = documents.values[0]
        self._secrets: set[str] = set()
        self._budget = Budget(documents.source.name, limits)
        self._region = _region(self._root.get("StackId"))

    def plan(self) -> Plan:
        """The whole change set as a plan."""
        changes = self._root.get("Changes")
        if not isinstance(changes, list):
            self._refuse("/Changes", "expected a list of changes")
        if len(changes) > self._limits.max_resources:
            self._refuse("/Changes", f"{len(changes)} changes (limit: {self._limits.max_resources})")
        lines = self._places.below("/Changes")
        resources = [
            replace(
                self._resource(change, f"/Changes/{i}"),
                location=Location(file=self._source.name, line=place[0], column=place[1])
                if (place := lines.get(str(i)))
                else None,
            )
            for i, change in enumerate(changes)
        ]
        self._refuse_repeats(resources)
        status, execution = self._root.get("Status"), self._root.get("ExecutionStatus")
        opaque = [sentence for resource in resources for sentence in opaque_resource(resource)]
        opaque += [
            f"what happens to {change['ResourceChange']['LogicalResourceId']} depends on another change set"
            for change in changes
            if change["ResourceChange"]["Action"] == "Dynamic"
        ]
        return Plan(
            source=Source(
                name=self._source.name,
                format=ID,
                format_version="",
                tool="",
                sha256=self._source.sha256,
                size=self._source.size,
                media_type=self._source.media_type,
            ),
            complete=status == _READY and not self._root.get("NextToken"),
            errored=status == "FAILED",
            applyable=None if execution is None else execution == "AVAILABLE",
            resources=tuple(resources),
            providers=(PROVIDER,),
            opaque=tuple(opaque),
            secrets=frozenset(self._secrets),
        )

    def _resource(self, change: Any, at: str) -> Resource:
        if not isinstance(change, Mapping) or change.get("Type") != "Resource":
            self._refuse(f"{at}/Type", 'expected a change of the type "Resource"')
        entry = change.get("ResourceChange")
        at = f"{at}/ResourceChange"
        if not isinstance(entry, Mapping):
            self._refuse(at, "expected an object")
        address = self._text(entry, "LogicalResourceId", at)
        word = self._text(entry, "Action", at)
        action = self._action(entry, word, at)
        physical = entry.get(PHYSICAL_ID)
        identity = {PHYSICAL_ID: physical} if isinstance(physical, str) and physical else {}
        before = self._context(entry, "BeforeContext", at)
        after = self._context(entry, "AfterContext", at)
        gone = action in {Action.DELETE, Action.FORGET}
        planned: Mapping[str, Any] = {} if gone else AllUnknown() if after is None else after
        whole = isinstance(planned, AllUnknown)
        known, unknown = ({}, ("",)) if whole else known_part(planned)
        earlier = None if action is Action.CREATE else {**known_part(before or {})[0], **identity}
        if word == "Import":
            earlier = None
        secret = set(secret_places(known)) | set(secret_places(earlier or {}))
        for place in secret:
            self._secrets |= secret_texts(at_pointer(known, place)) if not gone else set()
            self._secrets |= secret_texts(at_pointer(earlier or {}, place))
        return Resource(
            address=address,
            type=self._text(entry, "ResourceType", at),
            name=address,
            provider=PROVIDER,
            cloud="aws",
            region=self._region,
            action=action,
            replace_order=ReplaceOrder.CREATE_FIRST if action is Action.REPLACE else None,
            importing={"id": physical} if word == "Import" else None,
            before=earlier,
            after=None if gone else known,
            planned=planned,
            unknown=unknown,
            sensitive=tuple(sorted(secret)),
            replace_paths=tuple(_replacing(entry)) if action is Action.REPLACE else (),
            unresolved=tuple(sorted({_plain(at) for at in unknown})),
            configured=None if whole or gone else frozenset(planned),
            final_snapshot=_SAVED.get(str(entry.get("PolicyAction")), UNKNOWN),
        )

    def _action(self, entry: Mapping[str, Any], word: str, at: str) -> Action:
        action = _ACTIONS.get(word)
        if action is None:
            self._refuse(f"{at}/Action", f"unknown action {word!r:.80} (known: {', '.join(_ACTIONS)})")
        if word == "Remove":
            return Action.FORGET if str(entry.get("PolicyAction")) in _KEPT else action
        if word == "Modify" and entry.get("Replacement") != "False":
            # "Conditional" may be one, and where nothing is said it may be one too.
            return Action.REPLACE
        return action

    def _context(self, entry: Mapping[str, Any], name: str, at: str) -> Mapping[str, Any] | None:
        """The properties in a context, which is JSON in a text; ``None`` when they are not there."""
        text = entry.get(name)
        if text is None or text == "":
            return None
        if not isinstance(text, str):
            self._refuse(f"{at}/{name}", "expected JSON in a text")
        try:
            context, _ = read_json(text.encode("utf-8", "surrogatepass"), self._source.name, self._limits)
        except PlanParseError as error:
            self._refuse(f"{at}/{name}", f"not JSON in a text ({error.problem})")
        properties = context.get("Properties") if isinstance(context, Mapping) else None
        if properties is None and isinstance(context, Mapping):
            return {}
        if not isinstance(properties, Mapping):
            self._refuse(f"{at}/{name}", "expected an object with properties")
        read = self._settled(properties, 0)
        return read if isinstance(read, Mapping) else None

    def _settled(self, value: Any, depth: int) -> Any:
        """A value of a context with `UNKNOWN` for what is known later, or hidden (``****``).

        Args:
            value: As it stands there.
            depth: Characters of its pointer: every one of its parts has one that begins so, which is counted.
        """
        self._budget.spend(depth)
        if isinstance(value, str):
            hidden = len(value) >= _MIN_MASK and not value.strip("*")
            return UNKNOWN if hidden or _LATER in value or is_dynamic(value) else value
        if isinstance(value, Mapping):
            return {key: self._settled(item, depth + len(key) + 1) for key, item in value.items()}
        return [self._settled(item, depth + 1) for item in value] if isinstance(value, list) else value

    def _text(self, entry: Mapping[str, Any], name: str, at: str) -> str:
        value = entry.get(name)
        if not isinstance(value, str) or not value:
            self._refuse(f"{at}/{name}", "expected text")
        return value

    def _refuse_repeats(self, resources: Sequence[Resource]) -> None:
        seen: set[str] = set()
        for i, resource in enumerate(resources):
            if resource.address in seen:
                self._refuse(pointer("Changes", i), f"resource {resource.address[:200]} comes twice")
            seen.add(resource.address)

    def _refuse(self, at: str, problem: str) -> NoReturn:
        raise PlanParseError(self._source.name, problem, at=nearest(self._places, at))


def _plain(at: str) -> str:
    return "".join(f"/{token}" for token in at.split("/")[1:] if not token.isdecimal())


def _replacing(entry: Mapping[str, Any]) -> list[str]:
    """Properties whose change forces the replacement, sorted."""
    details = entry.get("Details")
    found: set[str] = set()
    for detail in details if isinstance(details, list) else []:
        target = detail.get("Target") if isinstance(detail, Mapping) else None
        if not isinstance(target, Mapping) or target.get("RequiresRecreation") in (None, "Never"):
            continue
        name = target.get("Name")
        if isinstance(name, str) and name:
            found.add(pointer(name))
    return sorted(found)


def _region(stack: Any) -> str:
    """The region in a stack's ARN; empty when there is none."""
    parts = stack.split(":") if isinstance(stack, str) else []
    return parts[3] if len(parts) > 5 and parts[2] == "cloudformation" else ""  # noqa: PLR2004


CHANGE_SET: Final = Format(
    id=ID,
    title="CloudFormation change set",
    recognizes=is_change_set,
    parse=parse,
)
