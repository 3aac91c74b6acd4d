"""What an Azure template declares: its resources after loops, conditions and templates inside of it.

A resource whose condition or number is not known is declared, and nothing of it is known. A template that is linked
to is not opened, and a sentence says so.

Source: https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax#resources
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NoReturn

from msgspec import Struct, field
from msgspec.structs import replace

from plangate.model.values import UNKNOWN, Unknown, pointer
from plangate.parsers.azure_evaluator import Budget, Evaluator, Seen

_DEPLOYMENT: Final = "microsoft.resources/deployments"
MAX_NESTED: Final = 8
"""Templates inside of templates."""
_FRAME: Final = frozenset({"resources", "copy", "condition", "dependsOn", "comments", "metadata", "scope"})
"""Members of a resource that say how it is deployed, not what it is."""
_MEMBERS: Final[Mapping[str, str]] = {
    key.lower(): key for key in (*_FRAME, "type", "name", "existing", "properties", "location", "tags")
}
"""Azure reads names of members in any case."""


class Scope(Struct, frozen=True, kw_only=True):
    """Where resources are declared.

    Attributes:
        evaluator: Of the template whose parameters and variables count.
        at: JSON Pointer of what holds them.
        prefix: What addresses in this template begin with.
        type: Whole type of the resource around them, or empty.
        name: Its whole name.
        loops: Loops around them.
        depth: Templates around the template.
        certain: They are deployed, as far as what is around them goes.
    """

    evaluator: Evaluator
    at: str = ""
    prefix: str = ""
    type: str | Unknown = ""
    name: str | Unknown = ""
    loops: Mapping[str, int] = field(default_factory=dict)
    depth: int = 0
    certain: bool = True


class Declared(Struct, frozen=True, kw_only=True):
    """One resource, evaluated.

    Attributes:
        at: JSON Pointer in the document.
        address: Unlike any other's.
        prefix: Of the template it is in.
        type: Whole type, or `UNKNOWN`.
        name: Whole name, or `UNKNOWN`.
        symbol: Its symbolic name, or empty.
        existing: It is only referred to.
        values: What it is; ``None`` when nothing of it is known.
        seen: What its values are made of.
        depends: What it waits for, evaluated.
        depends_seen: What that is made of.
    """

    at: str
    address: str
    prefix: str
    type: str | Unknown
    name: str | Unknown
    symbol: str
    existing: bool
    values: Mapping[str, Any] | None
    seen: Seen
    depends: tuple[Any, ...]
    depends_seen: Seen


class Expansion(Struct):
    """Expands the templates of one document.

    Attributes:
        budget: How many values may still be made.
        refuse: Raises for what stands at a JSON Pointer: ``(pointer, problem)``.
        opaque: Filled with what could not be read, a sentence each.
        secrets: Filled with values of secure parameters.
    """

    budget: Budget
    refuse: Callable[[str, str], NoReturn]
    opaque: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    _addresses: set[str] = field(default_factory=set)

    def template(self, template: Mapping[str, Any], scope: Scope) -> Iterator[Declared]:
        """The resources of a template, in its order."""
        key = next((key for key in template if key.lower() == "resources"), "resources")
        yield from self._listed(template.get(key), replace(scope, at=scope.at + pointer(key)))
        self.secrets |= scope.evaluator.secrets

    def _listed(self, listed: Any, scope: Scope) -> Iterator[Declared]:
        """The resources of a list, or of an object by their symbolic names."""
        if listed is None:
            return
        if not isinstance(listed, list | dict):
            self.refuse(scope.at, "resources that are neither a list nor an object")
        items = listed.items() if isinstance(listed, dict) else enumerate(listed)
        for token, item in items:
            place = scope.at + pointer(token)
            if not isinstance(item, dict):
                self.refuse(place, "a resource that is not an object")
            symbol = token if isinstance(token, str) else ""
            plain = {_MEMBERS.get(key.lower(), key): value for key, value in item.items()}
            yield from self._looped(plain, replace(scope, at=place), symbol)

    def _looped(self, item: Mapping[str, Any], scope: Scope, symbol: str) -> Iterator[Declared]:
        loop = item.get("copy")
        if loop is None:
            yield from self._one(item, scope, symbol)
            return
        count = scope.evaluator.count(loop, scope.loops)
        if count is None:
            self.opaque.append(f"how many there are of the resource at {scope.at} is not known")
            yield from self._one(item, replace(scope, certain=False), symbol)
            return
        name = str(loop.get("name", "")).lower()
        for index in range(count):
            self.budget.spend(1)
            inner = replace(scope, loops={**scope.loops, "": index, name: index})
            yield from self._one(item, inner, f"{symbol}[{index}]" if symbol else "")

    def _one(self, item: Mapping[str, Any], scope: Scope, symbol: str) -> Iterator[Declared]:
        """One resource, and those inside of it."""
        evaluate, loops = scope.evaluator, scope.loops
        condition = evaluate.value(item.get("condition", True), loops, Seen())
        if condition is False:
            return
        certain = scope.certain and condition is True
        whole = replace(
            scope,
            type=_joined(scope.type, evaluate.value(item.get("type"), loops, Seen())),
            name=_joined(scope.name, evaluate.value(item.get("name"), loops, Seen())),
        )
        if isinstance(whole.type, str) and whole.type.lower() == _DEPLOYMENT:
            yield from self._deployment(item, replace(whole, certain=certain))
            return
        seen, depends_seen = Seen(), Seen()
        values = {
            key: evaluate.value(value, loops, seen, pointer(key))
            for key, value in item.items()
            if key not in _FRAME
        }
        depends = evaluate.value(item.get("dependsOn"), loops, depends_seen)
        yield Declared(
            at=scope.at,
            address=self._address(whole),
            prefix=scope.prefix,
            type=whole.type,
            name=whole.name,
            symbol=symbol,
            existing=item.get("existing") is True,
            values={**values, "type": whole.type, "name": whole.name} if certain else None,
            seen=seen,
            depends=tuple(depends) if isinstance(depends, list) else (),
            depends_seen=depends_seen,
        )
        yield from self._listed(item.get("resources"), replace(whole, at=f"{scope.at}/resources"))

    def _deployment(self, item: Mapping[str, Any], scope: Scope) -> Iterator[Declared]:
        """The resources of a template inside of this one.

        Source: https://learn.microsoft.com/azure/azure-resource-manager/templates/linked-templates
        """
        properties = item.get("properties")
        inside: Mapping[str, Any] = properties if isinstance(properties, dict) else {}
        template = inside.get("template")
        label = scope.name if isinstance(scope.name, str) else f"({scope.at})"
        if not isinstance(template, dict):
            self.opaque.append(f"the deployment {label} takes its template from elsewhere, which is not read")
            return
        if str(inside.get("mode", "")).lower() == "complete":
            self.opaque.append(f"the deployment {label} deletes what it does not name (mode Complete)")
        if scope.depth >= MAX_NESTED:
            self.refuse(scope.at, f"more than {MAX_NESTED} templates inside of each other")
        options = inside.get("expressionEvaluationOptions")
        inner = isinstance(options, dict) and str(options.get("scope", "")).lower() == "inner"
        evaluator = scope.evaluator
        if inner:
            given = evaluator.value(inside.get("parameters"), scope.loops, Seen())
            evaluator = Evaluator(template, _given(given), self.budget)
        yield from self.template(
            template,
            Scope(
                evaluator=evaluator,
                at=f"{scope.at}/properties/template",
                prefix=f"{scope.prefix}{label}.".replace("[", "%5B"),
                loops={} if inner else scope.loops,
                depth=scope.depth + 1,
                certain=scope.certain,
            ),
        )

    def _address(self, scope: Scope) -> str:
        """Type and name; the place instead of a name that is not known."""
        known = scope.type if isinstance(scope.type, str) else "?"
        name = scope.name if isinstance(scope.name, str) else f"({scope.at})"
        address = f"{scope.prefix}{known}/{name}".replace("[", "%5B")
        if address in self._addresses:
            # Two that exclude each other may have one name, and a loop of unknown names has one place.
            address = f"{address}({scope.at})#{len(self._addresses)}"
        self._addresses.add(address)
        return address


def _joined(outer: str | Unknown, own: Any) -> str | Unknown:
    """The whole type or name of a resource inside of another one."""
    if not isinstance(own, str) or not own or not isinstance(outer, str):
        return UNKNOWN
    return own if not outer or own.lower().startswith(f"{outer.lower()}/") else f"{outer}/{own}"


def _given(value: Any) -> dict[str, Any]:
    """Parameters that a template gives to the one inside: ``{"name": {"value": …}}``."""
    if not isinstance(value, dict):
        return {}
    return {
        name.lower(): item.get("value", UNKNOWN) if isinstance(item, dict) else UNKNOWN
        for name, item in value.items()
    }
