"""Azure Resource Manager templates, also those that Bicep compiles to, to the normalized plan.

Rules this module keeps:
1. Everything in a template is created; what is there already, and what is deleted, a template does not say.
2. A resource whose condition or number is not known is one of which nothing is known.
3. A template that is linked to is not opened, and the plan says so; one that stands inside is read.

Source: https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeAlias

from plangate.errors import PlanParseError
from plangate.model.plan import Action, Location, Plan, Provisioner, Reference, Resource, Source
from plangate.model.redaction import MIN_CHARS
from plangate.model.regions import own_region
from plangate.model.values import UNKNOWN, AllUnknown, pointer, pointer_tokens
from plangate.parsers.azure_declarations import Declared, Expansion, Scope
from plangate.parsers.azure_evaluator import Budget, Evaluator, ResourceId, TooMuchError
from plangate.parsers.base import Documents, Format, Limits, Options
from plangate.parsers.pulumi_values import without_unknown
from plangate.parsers.terraform_secrets import SECRET_NAMES
from plangate.parsers.terraform_values import leaves

ID: Final = "azure-template"
MAX_SAME_NAME: Final = 10
"""Resources of one type and name that are looked at: alternatives, of which conditions choose one."""
MAX_LISTS: Final = 100
"""Lists of resources whose lines are looked up. Resources in other ones have the place of what they are in."""
_SCRIPT: Final = "microsoft.resources/deploymentscripts"
_SECRET_NAMES: Final = frozenset(name.replace("_", "") for name in SECRET_NAMES)


def recognizes(values: Sequence[Any]) -> bool:
    """Whether this is one template."""
    value = values[0] if len(values) == 1 else None
    if not isinstance(value, dict):
        return False
    members = {key.lower(): item for key, item in value.items()}
    schema = members.get("$schema")
    if "resources" not in members:
        return False
    return isinstance(schema, str) and "deploymenttemplate.json" in schema.lower()


def parse(documents: Documents, options: Options, limits: Limits) -> Plan:
    """Parse a template.

    Raises:
        PlanParseError: Not a template, or one that evaluates to more than it may; says where.
    """
    try:
        return _Reader(documents, options, limits).plan()
    except RecursionError as error:
        raise PlanParseError(documents.source.name, "nested too deeply to be read") from error
    except TooMuchError as error:
        raise PlanParseError(
            documents.source.name,
            f"it evaluates to more than {limits.max_template_nodes} values",
            hint="see limits.max_template_nodes in plangate.yaml",
        ) from error


_Link: TypeAlias = "tuple[_Link | None, str | int]"
"""The key or index of a value, after the link of what holds it."""


class _Reader:
    """Reads one document."""

    def __init__(self, documents: Documents, options: Options, limits: Limits) -> None:
        self._documents = documents
        self._limits = limits
        self._given = {name.lower(): value for name, value in options.parameters.items()}
        self._secrets: set[str] = set()
        self._below: dict[str, Mapping[str, tuple[int, int]]] = {}
        self._by_id: dict[tuple[str, str, str], list[Declared]] = {}
        self._by_name: dict[tuple[str, str], list[Declared]] = {}

    def plan(self) -> Plan:
        if len(self._documents.values) != 1 or not isinstance(self._documents.values[0], dict):
            raise PlanParseError(self._documents.source.name, "not one template")
        template = self._documents.values[0]
        self._check_names(template)
        budget = Budget(self._limits.max_template_nodes)
        expansion = Expansion(budget, self._refuse)
        scope = Scope(evaluator=Evaluator(template, self._given, budget))
        declared: list[Declared] = []
        for each in expansion.template(template, scope):
            if len(declared) >= self._limits.max_resources:
                self._refuse(each.at, f"more than {self._limits.max_resources} resources")
            declared.append(each)
            self._index(each)
        resources = tuple(self._resource(each) for each in declared)
        source = self._documents.source
        return Plan(
            source=Source(
                name=source.name,
                format=ID,
                format_version=str(template.get("contentVersion") or ""),
                tool="",
                sha256=source.sha256,
                size=source.size,
                media_type=source.media_type,
            ),
            resources=resources,
            provisioners=tuple(
                Provisioner(address=r.address, type="action:azure-deployment-script", runs=True)
                for r in resources
                if r.type.lower() == _SCRIPT
            ),
            opaque=tuple(expansion.opaque),
            secrets=frozenset(text for text in self._secrets | expansion.secrets if len(text) >= MIN_CHARS),
        )

    def _check_names(self, template: Any) -> None:
        """Refuse an object that has a member twice, in another case: which one counts hangs on who reads it."""
        pending: list[tuple[Any, _Link | None]] = [(template, None)]
        while pending:
            item, link = pending.pop()
            if isinstance(item, dict):
                if len({key.lower() for key in item}) < len(item):
                    self._refuse(_pointed(link), "a member comes twice, in upper and lower case")
                pending += [(below, (link, key)) for key, below in item.items()]
            elif isinstance(item, list):
                pending += [(below, (link, index)) for index, below in enumerate(item)]

    def _index(self, each: Declared) -> None:
        """Remember what a resource may be called by others of its template."""
        if isinstance(each.type, str) and isinstance(each.name, str):
            key = each.prefix, each.type.lower(), each.name.lower()
            self._by_id.setdefault(key, []).append(each)
            self._by_name.setdefault((each.prefix, each.name.lower()), []).append(each)
        if each.symbol:
            self._by_name.setdefault((each.prefix, each.symbol.lower()), []).append(each)

    def _resource(self, each: Declared) -> Resource:
        values = each.values if isinstance(each.type, str) else None
        planned: Mapping[str, Any] = AllUnknown() if values is None else values
        unknown = ("",) if values is None else tuple(sorted(_unknown(values)))
        references, unresolved = self._references(each, () if values is None else unknown)
        sensitive = each.seen.secure | set(_named_secrets(values))
        for at in sensitive:
            self._secrets |= leaves(_at(values, at))
        line, column = self._line_column(each.at)
        return Resource(
            address=each.address,
            type=each.type if isinstance(each.type, str) else "unknown",
            name=each.name if isinstance(each.name, str) else "",
            mode="data" if each.existing else "managed",
            provider="azure",
            cloud="azure",
            region=own_region("azure", planned),
            action=Action.READ if each.existing else Action.CREATE,
            after={} if values is None else without_unknown(values),
            planned=planned,
            unknown=unknown,
            sensitive=tuple(sorted(sensitive)),
            references=references,
            unresolved=unresolved,
            configured=None if values is None else frozenset(values),
            location=Location(file=self._documents.source.name, line=line, column=column),
        )

    def _references(
        self, each: Declared, unknown: Sequence[str]
    ) -> tuple[tuple[Reference, ...], tuple[str, ...]]:
        """Edges to other resources of the same template, and what could not be followed."""
        edges: set[tuple[str, str, bool]] = set()
        unresolved: set[str] = set()
        for at in unknown:
            plain = pointer(*(token for token in pointer_tokens(at) if not token.isdecimal()))
            made_of = each.seen.ids.get(at, [])
            if not made_of or any(found.name is None for found, _ in made_of):
                unresolved.add(plain)
            for found, whole in made_of:
                targets = self._targets(each, found)
                edges |= {(plain, target.address, whole and len(targets) == 1) for target in targets}
        for index, item in enumerate(each.depends):
            targets = self._by_name.get((each.prefix, item.lower()), []) if isinstance(item, str) else []
            for found, _ in each.depends_seen.ids.get(f"/{index}", ()):
                targets = [*targets, *self._targets(each, found)]
            edges |= {("/dependsOn", target.address, True) for target in targets[:MAX_SAME_NAME]}
        return (
            tuple(Reference(at=at, address=address, exact=exact) for at, address, exact in sorted(edges)),
            tuple(sorted(unresolved)),
        )

    def _targets(self, each: Declared, found: ResourceId) -> list[Declared]:
        """Resources that an id names; more than one when they exclude each other."""
        listed = self._by_id.get((each.prefix, found.type, (found.name or "").lower()), [])
        return listed[:MAX_SAME_NAME]

    def _line_column(self, at: str) -> tuple[int, int]:
        """Where a resource is written, or what holds it: every list is looked through once, and only so many."""
        while at:
            parent, _, _ = at.rpartition("/")
            if parent not in self._below and len(self._below) < MAX_LISTS:
                self._below[parent] = self._documents.places[0].below(parent)
            if parent in self._below:
                return self._below[parent].get(pointer_tokens(at)[-1], (0, 0))
            at = parent
        return 0, 0

    def _refuse(self, at: str, problem: str) -> NoReturn:
        line, column = self._documents.places[0].at(at)
        raise PlanParseError(self._documents.source.name, problem, at=f"line {line} column {column}")


def _pointed(link: "_Link | None") -> str:
    tokens: list[str | int] = []
    while link is not None:
        link, token = link
        tokens.append(token)
    return pointer(*reversed(tokens))


def _unknown(value: Any) -> Iterator[str]:
    pending: list[tuple[Any, str]] = [(value, "")]
    while pending:
        item, path = pending.pop()
        if item is UNKNOWN:
            yield path
        elif isinstance(item, dict):
            pending += [(below, path + pointer(key)) for key, below in item.items()]
        elif isinstance(item, list):
            pending += [(below, f"{path}/{index}") for index, below in enumerate(item)]


def _named_secrets(value: Any) -> Iterator[str]:
    """JSON Pointers of properties that are secret by their name."""
    pending: list[tuple[Any, str]] = [(value, "")]
    while pending:
        item, path = pending.pop()
        if isinstance(item, dict):
            for key, below in item.items():
                place = path + pointer(key)
                if isinstance(below, str) and key.lower() in _SECRET_NAMES:
                    yield place
                else:
                    pending.append((below, place))
        elif isinstance(item, list):
            pending += [(below, f"{path}/{index}") for index, below in enumerate(item)]


def _at(value: Any, at: str) -> Any:
    for token in pointer_tokens(at):
        if isinstance(value, Mapping):
            value = value.get(token)
        elif isinstance(value, list):
            value = value[int(token)] if int(token) < len(value) else None
        else:
            return None
    return None if value is UNKNOWN else without_unknown(value)


FORMAT: Final = Format(id=ID, title="Azure template", recognizes=recognizes, parse=parse)
