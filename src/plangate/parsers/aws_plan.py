"""The document that ``plangate plan`` writes, to the normalized plan.

Rules this module keeps:
1. What is wanted is read from the template inside, not believed: each property that the template has is in ``after``
   with the same value, or listed as unknown where the template does not know it yet. Any other document is refused.
2. Every resource of the template has its change, and every other change takes something away.
3. What is carried over from ``before`` is the same in ``after``.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

import msgspec
from msgspec.structs import replace

from plangate.errors import PlanParseError
from plangate.model.aws_plan import AWS_PLAN_SCHEMA, AwsPlan, Change
from plangate.model.plan import Action, Plan, ReplaceOrder, Resource, Source
from plangate.model.values import ABSENT, UNKNOWN, at_pointer, known_part, pointer_tokens
from plangate.parsers.base import Documents, Format, Input, Limits, Options
from plangate.parsers.cloudformation.change_set import PHYSICAL_ID
from plangate.parsers.cloudformation.secret_names import secret_places, secret_texts
from plangate.parsers.cloudformation.template import PROVIDER, Template
from plangate.parsers.json_documents import read_json_document
from plangate.parsers.yaml_documents import read_yaml

ID: Final = "aws-plan"
_GOES: Final = frozenset({Action.DELETE, Action.FORGET})
_STAYS: Final = frozenset({Action.UPDATE, Action.REPLACE, Action.NO_OP})
_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate"})
_SAVED: Final = frozenset({"AWS::RDS::DBInstance"})
"""Types of which the executor makes a snapshot before they go, whatever the template says: what CloudFormation does by
default, see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html."""
_KNOWN: Final = frozenset({Action.CREATE}) | _GOES | _STAYS


def is_aws_plan(values: Sequence[Any]) -> bool:
    """Whether a document says that it is such a plan."""
    return any(isinstance(value, Mapping) and value.get("schema") == AWS_PLAN_SCHEMA for value in values)


def parse(documents: Documents, _options: Options, limits: Limits) -> Plan:
    """Parse one plan.

    Raises:
        PlanParseError: Not one that holds together; names the place.
    """
    name = documents.source.name
    if len(documents.values) != 1:
        raise PlanParseError(name, f"{len(documents.values)} documents (expected one plan)")
    try:
        plan = msgspec.convert(documents.values[0], AwsPlan)
    except msgspec.ValidationError as error:
        raise PlanParseError(name, f"not a plan that this version understands: {error}") from error
    try:
        return _Reading(documents, plan, limits).plan()
    except RecursionError as error:
        raise PlanParseError(name, "nested too deeply to be read") from error


class NoTemplate:
    """What a plan without a template wants: nothing."""

    names: Sequence[str] = ()
    unclear: Sequence[str] = ()
    secrets: frozenset[str] = frozenset()

    def resource(self, name: str) -> Resource:
        """There is none."""
        raise KeyError(name)

    def policy(self, name: str, policy: str) -> str:  # noqa: ARG002
        """There is none."""
        return ""


def template_of(name: str, text: str, options: Options, limits: Limits) -> Template | NoTemplate:
    """The template in a text; an empty one wants nothing.

    Raises:
        PlanParseError: It is none, or not one that CloudFormation would take.
    """
    if not text:
        return NoTemplate()
    data = text.encode("utf-8", "surrogatepass")
    source = Input(name=name, data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    read = read_json_document if text.lstrip()[:1] == "{" else read_yaml
    return Template(read(source, limits), options, limits)


class _Reading:
    def __init__(self, documents: Documents, plan: AwsPlan, limits: Limits) -> None:
        self._source = documents.source
        self._plan = plan
        written = plan.template
        if hashlib.sha256(written.text.encode("utf-8", "surrogatepass")).hexdigest() != written.sha256:
            self._refuse("/template/sha256", "is not the digest of the template's text")
        if len(plan.changes) > limits.max_resources:
            self._refuse("/changes", f"{len(plan.changes)} changes (limit: {limits.max_resources})")
        # What an update may change is left out of `attributes`, and so stays unknown.
        attributes = {
            change.logical_id: change.attributes
            for change in plan.changes
            if change.action in {Action.UPDATE, Action.NO_OP} and not change.deposed
        }
        options = Options(parameters=plan.pseudo, attributes=attributes, zones=plan.zones)
        self._template = template_of(written.name, written.text, options, limits)
        self._secrets = set(self._template.secrets)

    def plan(self) -> Plan:
        """The whole document."""
        resources = tuple(self._resources())
        return Plan(
            source=Source(
                name=self._source.name,
                format=ID,
                format_version="1",
                tool=self._plan.tool,
                sha256=self._source.sha256,
                size=self._source.size,
                media_type=self._source.media_type,
            ),
            resources=resources,
            providers=(PROVIDER,),
            opaque=tuple(self._template.unclear),
            secrets=frozenset(self._secrets),
        )

    def _resources(self) -> Iterator[Resource]:
        wanted = set(self._template.names)
        seen: set[str] = set()
        for index, change in enumerate(self._plan.changes):
            at = f"/changes/{index}"
            if change.action not in _KNOWN:
                known = ", ".join(sorted(_KNOWN))
                self._refuse(f"{at}/action", f"unknown action {change.action[:80]!r} (known: {known})")
            if change.key in seen:
                self._refuse(at, f"resource {change.key[:200]} comes twice")
            seen.add(change.key)
            self._check_shape(change, at)
            if change.action in _GOES:
                if change.logical_id in wanted and not change.deposed:
                    self._refuse(f"{at}/action", f"{change.logical_id[:200]} goes, and the template wants it")
                yield self._going(change)
            elif change.logical_id not in wanted:
                self._refuse(f"{at}/logical_id", f"the template has no {change.logical_id[:200]}")
            else:
                yield self._coming(change, at)
        missing = wanted - seen
        if missing:
            self._refuse("/changes", f"the template's {min(missing)[:200]} is missing")

    def _check_shape(self, change: Change, at: str) -> None:
        goes, stays = change.action in _GOES, change.action in _STAYS
        if (change.before is None) is (goes or stays) or bool(change.identifier) is not (goes or stays):
            self._refuse(at, f"a change of action {change.action} has a before and an identifier, or neither")
        if (change.after is None) is not goes:
            self._refuse(f"{at}/after", f"does not go with the action {change.action}")
        if self._plan.rollback and not goes:
            self._refuse(f"{at}/action", f"{change.action}: a rollback takes away, and does nothing else")
        if change.deposed and (not goes or change.deposed != change.identifier):
            self._refuse(f"{at}/deposed", "is not what goes")
        if bool(change.replace_order) is not (change.action == Action.REPLACE):
            self._refuse(f"{at}/replace_order", f"does not go with the action {change.action}")
        if change.replace_order not in {"", *ReplaceOrder}:
            self._refuse(f"{at}/replace_order", f"unknown order {change.replace_order[:80]!r}")

    def _going(self, change: Change) -> Resource:
        before = self._hidden(change.before)
        return Resource(
            address=change.logical_id,
            type=change.type,
            name=change.logical_id,
            provider=PROVIDER,
            cloud="aws",
            region=self._plan.region,
            action=Action(change.action),
            deposed=change.deposed,
            reason=change.reason,
            before=change.before,
            sensitive=before,
            final_snapshot=change.type in _SAVED,
        )

    def _coming(self, change: Change, at: str) -> Resource:
        wanted = self._template.resource(change.logical_id)
        if wanted.type != change.type:
            self._refuse(f"{at}/type", f"{change.type[:100]} (the template has {wanted.type[:100]})")
        kept = self._template.policy(change.logical_id, "UpdateReplacePolicy") in _KEPT
        if change.keep is not (change.action == Action.REPLACE and kept):
            self._refuse(f"{at}/keep", "not what the template says")
        planned = self._planned(change, wanted, at)
        after, unknown = known_part(planned)
        if change.action == Action.NO_OP and unknown:
            self._refuse(f"{at}/unknown", "nothing of what stays as it is can be unknown")
        before = change.before
        if change.action in {Action.UPDATE, Action.NO_OP}:
            # What AWS says of it besides: what refers to a thing that is there does so by its name, say.
            told = {
                PHYSICAL_ID if name == "Ref" else name: value for name, value in change.attributes.items()
            }
            before, after, planned = {**told, **(before or {})}, {**told, **after}, {**told, **planned}
        secret = {*wanted.sensitive, *self._hidden(after), *self._hidden(change.before)}
        action = Action(change.action)
        return replace(
            wanted,
            action=action,
            region=self._plan.region,
            reason=change.reason,
            replace_order=ReplaceOrder(change.replace_order) if change.replace_order else None,
            replace_paths=change.replace_paths,
            before=before,
            after=after,
            planned=planned,
            unknown=unknown,
            sensitive=tuple(sorted(secret)),
            configured=frozenset(planned),
            final_snapshot=change.type in _SAVED or change.keep,
        )

    def _planned(self, change: Change, wanted: Resource, at: str) -> Mapping[str, Any]:
        """``after`` with its unknown values, once it is what the template says."""
        after, before = change.after or {}, change.before or {}
        if wanted.unknown == ("",):
            self._refuse(at, f"what {change.logical_id[:200]} is to be is not known")
        said = dict(wanted.planned)
        unknown = tuple(sorted(change.unknown))
        found, holes = known_part(said)
        if unknown != holes:
            self._refuse(
                f"{at}/unknown", f"not what the template leaves open ({', '.join(holes)[:300] or 'nothing'})"
            )
        for name, value in after.items():
            if name in found:
                if value != found[name]:
                    self._refuse(f"{at}/after/{name}", "not what the template says")
            elif not any(pointer_tokens(hole)[0] == name for hole in holes):
                if name not in before or before[name] != value:
                    self._refuse(f"{at}/after/{name}", "neither in the template nor as it is now")
                said[name] = value
        for name in found:
            if name not in after and found[name] not in ({}, []):
                self._refuse(f"{at}/after", f"the template's {name[:100]} is missing")
        return said

    def _hidden(self, values: Mapping[str, Any] | None) -> tuple[str, ...]:
        """Places of secrets, whose texts are remembered."""
        places = tuple(secret_places(values or {}))
        for place in places:
            found = at_pointer(values or {}, place)
            self._secrets |= secret_texts(None if found in (ABSENT, UNKNOWN) else found)
        return places

    def _refuse(self, at: str, problem: str) -> NoReturn:
        raise PlanParseError(self._source.name, problem, at=at)


AWS_PLAN: Final = Format(id=ID, title="plan for AWS", recognizes=is_aws_plan, parse=parse)
