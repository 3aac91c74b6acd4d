"""Follows expressions of a Terraform plan's ``configuration`` to the resources they read.

The configuration lists, per attribute, the names that its expression mentions (``aws_subnet.a[0].id``, ``var.x``,
``module.net.subnet_ids``, ``each.value``); functions and operators are gone, so an edge says "may depend on". Names
are followed through variables, outputs and ``for_each`` across modules. Constant instance keys are kept; any other
may be each instance, which is written as an address without that key: the edges of a plan grow with its
configuration, not with the square of its instances. ``local.*`` has no definition in the document: an attribute that
reads one is *unresolved*.

Source: https://developer.hashicorp.com/terraform/internals/json-format#expression-representation
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from msgspec import Struct, field

MAX_FOLLOWED: Final = 10_000
"""Steps that one attribute's names may be followed for; beyond it the attribute is unresolved."""
MAX_FOLLOWED_IN_PLAN: Final = 1_000_000
"""Steps for all attributes of a plan; beyond it every attribute that reads something is unresolved."""
MAX_NAME_CHARS: Final = 10_000
"""A longer name is not followed. Terraform's are as long as their author cared to type."""
MAX_PATH_CHARS: Final = 1_000
"""A longer attribute path is cut there, at the block that holds the attribute: an edge from the whole block."""

_NAME_STEP: Final = re.compile(r'\.?([^.\[\]"]++)|\[("(?:[^"\\]|\\.)*+"|[^\]]*+)\]')
_NO_TARGET: Final = frozenset({"count", "path", "terraform", "self", "each"})

Key = str | None
"""An instance key as written in an address (``0``, ``"a"``), or ``None`` for any instance."""


class Target(Struct, frozen=True):
    """A resource that an expression reads, seen from a module instance.

    Attributes:
        depth: How many leading module steps it shares with the referring resource's module instance.
        steps: Module calls below that, each with its instance key.
        resource: ``type.name``, or ``data.type.name``.
        key: The resource's instance key.
        attribute: The attribute that is read, or empty.
    """

    depth: int
    steps: tuple[tuple[str, Key], ...]
    resource: str
    key: Key
    attribute: str


class AttributeReferences(Struct):
    """What one configured resource reads.

    Attributes:
        targets: ``(JSON Pointer of the attribute, target)``.
        unresolved: JSON Pointers of attributes with a name that cannot be followed.
        reading: JSON Pointers of attributes with a target.
    """

    targets: list[tuple[str, Target]] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    reading: set[str] = field(default_factory=set)


class _Module(Struct, frozen=True):
    """One module of the configuration and the call that made it."""

    name: str
    config: Mapping[str, Any]
    parent: "_Module | None"
    call: Mapping[str, Any]
    depth: int


class Configuration:
    """The ``configuration`` of one plan document, indexed by module path and resource."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.modules: dict[tuple[str, ...], _Module] = {}
        self.resources: dict[tuple[tuple[str, ...], str], Mapping[str, Any]] = {}
        self._references: dict[tuple[tuple[str, ...], str], AttributeReferences] = {}
        self._names = _Names()
        self._left = MAX_FOLLOWED_IN_PLAN
        pending: list[tuple[tuple[str, ...], _Module]] = [((), _Module("", root, None, {}, 0))]
        while pending:
            path, module = pending.pop()
            self.modules[path] = module
            for resource in _list(module.config.get("resources")):
                prefix = "data." if resource.get("mode") == "data" else ""
                self.resources[path, f"{prefix}{resource.get('type')}.{resource.get('name')}"] = resource
            for name, call in _dict(module.config.get("module_calls")).items():
                below = _Module(name, _dict(_dict(call).get("module")), module, _dict(call), module.depth + 1)
                pending.append(((*path, name), below))

    def references(self, path: tuple[str, ...], resource: str) -> AttributeReferences:
        """What a resource of a module reads; empty when the configuration does not have it (it is being removed)."""
        known = self._references.get((path, resource))
        if known is None:
            config = self.resources.get((path, resource))
            known = AttributeReferences() if config is None else self._collect(self.modules[path], config)
            self._references[path, resource] = known
        return known

    def _collect(self, module: _Module, config: Mapping[str, Any]) -> AttributeReferences:
        found = AttributeReferences()
        scope = _Scope(module, self._names.of(config.get("for_each_expression")))
        for at, names in _expressions(_dict(config.get("expressions"))):
            follow = _Follow(self._names, min(MAX_FOLLOWED, self._left))
            follow.names(_mentions(names), scope)
            self._left -= follow.steps
            found.reading |= {at} if follow.targets else set()
            found.targets += [(at, target) for target in sorted(follow.targets, key=repr)]
            if follow.lost:
                found.unresolved.append(at)
        return found


class _Scope(Struct, frozen=True):
    """Where a name is read: a module, and the names that ``each.value`` stands for."""

    module: _Module
    each: tuple[str, ...]


_Step: TypeAlias = tuple[str, _Scope, tuple[tuple[str, Key], ...]]
"""A name, where it is read, and the module calls walked down from the referring module."""


class _Names:
    """The names that an expression mentions, worked out once for each expression of a document."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, ...]] = {}

    def of(self, expression: Any) -> tuple[str, ...]:
        known = self._known.get(id(expression))
        if known is None:
            mentioned = (names for _, names in _expressions({"": expression}))
            known = self._known[id(expression)] = tuple(
                dict.fromkeys(n for ns in mentioned for n in _mentions(ns))
            )
        return known


class _Follow:
    """Follows the names of one attribute; each (module, name) once and no further than allowed, so that it ends.

    Attributes:
        targets: The resources found.
        lost: Some name could not be followed to its end.
        steps: What it cost.
    """

    def __init__(self, names: _Names, most: int) -> None:
        self.targets: set[Target] = set()
        self.lost = False
        self.steps = 0
        self._most = most
        self._names = names
        self._seen: set[tuple[int, str, tuple[tuple[str, Key], ...]]] = set()

    def names(self, names: Iterable[str], scope: _Scope) -> None:
        """Add what names that are read in a scope lead to."""
        pending: list[_Step] = []
        following: Iterator[_Step] = ((name, scope, ()) for name in names)
        while True:
            for step in following:
                self.steps += 1
                if self.steps > self._most:
                    self.lost = True
                    return
                mark = (id(step[1].module.config), step[0], step[2])
                if mark not in self._seen:
                    self._seen.add(mark)
                    pending.append(step)
            if not pending:
                return
            following = self._once(*pending.pop())

    def _once(self, name: str, scope: _Scope, steps: tuple[tuple[str, Key], ...]) -> Iterator[_Step]:
        parts = _parts(name) if len(name) <= MAX_NAME_CHARS else []
        head = parts[0][0] if parts else ""
        if head == "each" and len(parts) > 1 and parts[1][0] == "value":
            yield from ((n, scope, steps) for n in scope.each)
        elif head in _NO_TARGET:
            return
        elif head == "var" and len(parts) > 1:
            yield from self._variable(parts[1][0], scope, steps)
        elif head == "module" and len(parts) > 1:
            yield from self._output(parts, scope, steps)
        elif head == "local" or len(parts) < (3 if head == "data" else 2):
            self.lost = True
        else:
            size = 3 if head == "data" else 2
            resource = ".".join(part for part, _ in parts[:size])
            attribute = parts[size][0] if len(parts) > size else ""
            depth = scope.module.depth - len(steps)
            self.targets.add(Target(depth, steps, resource, parts[size - 1][1], attribute))

    def _variable(self, name: str, scope: _Scope, steps: tuple[tuple[str, Key], ...]) -> Iterator[_Step]:
        """A variable is what the module call passes; at the root it is an input value, which no resource makes."""
        module = scope.module
        if module.parent is None:
            return
        passed = _dict(module.call.get("expressions")).get(name)
        if passed is None:
            return
        outer = _Scope(module.parent, self._names.of(module.call.get("for_each_expression")))
        yield from ((n, outer, steps[:-1]) for n in self._names.of(passed))

    def _output(
        self, parts: list[tuple[str, Key]], scope: _Scope, steps: tuple[tuple[str, Key], ...]
    ) -> Iterator[_Step]:
        """An output is what its expression reads, inside the called module."""
        call_name, key = parts[1]
        call = _dict(_dict(scope.module.config.get("module_calls")).get(call_name))
        config = _dict(call.get("module"))
        if not config:
            self.lost = True
            return
        below = _Scope(_Module(call_name, config, scope.module, call, scope.module.depth + 1), ())
        if not call.get("count_expression") and not call.get("for_each_expression"):
            key = ""
        outputs = _dict(config.get("outputs"))
        wanted = [part for part, _ in parts[2:3]] or list(outputs)
        for output in wanted:
            if output not in outputs:
                self.lost = True
                continue
            names = self._names.of(_dict(outputs[output]).get("expression"))
            yield from ((n, below, (*steps, (call_name, key))) for n in names)


def _expressions(block: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Every expression below a block with the JSON Pointer of its attribute, without list indexes."""
    pending: list[tuple[str, Any]] = [(f"/{key}" if key else "", value) for key, value in block.items()]
    while pending:
        path, value = pending.pop()
        if isinstance(value, list):
            pending += [(path, item) for item in value]
        elif isinstance(value, dict):
            names = value.get("references")
            if isinstance(names, list):
                yield path, [name for name in names if isinstance(name, str)]
            elif "constant_value" not in value:
                pending += [
                    (f"{path}/{key}" if len(path) + len(key) < MAX_PATH_CHARS else path, item)
                    for key, item in value.items()
                ]


def _mentions(names: list[str]) -> Iterator[str]:
    """What an expression mentions.

    For one mention of ``a.b[0].c`` Terraform lists ``a.b[0].c``, ``a.b[0]``, ``a.b``: each name stands right after
    the longer one that it is the beginning of.
    """
    longer = ""
    for name in names:
        if not longer.startswith((name + ".", name + "[")):
            yield name
        longer = name


def _parts(name: str) -> list[tuple[str, Key]]:
    """A name's steps, each with the instance key that follows it (``None`` when there is none)."""
    parts: list[tuple[str, Key]] = []
    for match in _NAME_STEP.finditer(name):
        if match.group(1) is not None:
            parts.append((match.group(1), None))
        elif parts and parts[-1][1] is None:
            parts[-1] = (parts[-1][0], match.group(2))
    return parts


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
