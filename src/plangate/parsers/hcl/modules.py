"""Modules and resources as they are instantiated: `count` and `for_each` expanded, everything evaluated when asked for.

Each variable, local value, output, argument and instance is evaluated at most once. A mistake in one makes it
unknown; something that depends on itself refuses the source.
"""

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, field

from plangate.model.plan import Location
from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.blocks import safely
from plangate.parsers.hcl.configuration import Configuration
from plangate.parsers.hcl.evaluate import evaluate
from plangate.parsers.hcl.expansion import Expansion, address_of, expand
from plangate.parsers.hcl.instances import Instance, Namespace, Unsure
from plangate.parsers.hcl.operators import converted
from plangate.parsers.hcl.origins import Opaque
from plangate.parsers.hcl.run import EvaluationError, Remembered, Run
from plangate.parsers.hcl.scope import Scope
from plangate.parsers.hcl.sources import Sources
from plangate.parsers.hcl.syntax import Attribute, Block, Expression, Literal, Name
from plangate.parsers.hcl.values import to_bool
from plangate.parsers.hcl.variables import convert_to, declared_type

_META_ARGUMENTS: Final = frozenset({"count", "depends_on", "for_each", "providers", "source", "version"})
MAX_MODULE_DEPTH: Final = 31
_MODULE_COST: Final = 100
"""Values that one module instance counts for."""


class Group(Struct, frozen=True):
    """All instances of one resource in one module instance.

    Attributes:
        block: Its definition.
        expansion: How it is counted.
        instances: By key.
    """

    block: Block
    expansion: Expansion
    instances: Mapping[int | str | None, Instance] = field(default_factory=dict)


class Module(Opaque):
    """One instance of a module.

    Attributes:
        run: Shared by all modules.
        config: The module as it is written.
        address: Full address; empty for the root.
        names: The calls that lead here, outermost first.
        parent: Whose call made it.
        call: The call.
        maybe: See `Target.maybe`.
        scope: Where its expressions are evaluated.
    """

    __slots__ = (
        "_arguments", "_call_scope", "_groups", "_kept", "_modules", "_sources", "_spaces",
        "address", "call", "config", "maybe", "names", "parent", "run", "scope",
    )  # fmt: skip

    def __init__(
        self,
        run: Run,
        sources: Sources,
        config: Configuration,
        *,
        arguments: Mapping[str, Any],
        parent: "Module | None" = None,
        call: Block | None = None,
        call_scope: Scope | None = None,
        key: int | str | None = None,
        maybe: tuple[str, ...] = (),
    ) -> None:
        self.run = run
        self.config = config
        self.parent = parent
        self.call = call
        self.maybe = maybe
        name = call.labels[0] if call is not None else ""
        self.names: tuple[str, ...] = (*parent.names, name) if parent is not None else ()
        self.address: str = address_of(parent.address, f"module.{name}", key) if parent is not None else ""
        self.scope = Scope(run, self._lookup, config.folder, run.tree.shown(config.folder))
        self._sources = sources
        self._arguments = arguments
        self._call_scope = call_scope
        self._kept: dict[str, Remembered] = {}
        self._groups: dict[str, Remembered] = {}
        self._modules: dict[str, Remembered] = {}
        self._spaces: dict[str, Any] = {}

    # Names

    def _lookup(self, name: str) -> Any:
        space = self._spaces.get(name)
        if space is None:
            space = self._spaces[name] = self._space(name)
        return space

    def _space(self, name: str) -> Any:
        readers = {
            "var": self.variable,
            "local": self.local,
            "module": self.module,
            "path": self._path,
            "terraform": _unknown,
            "tofu": _unknown,
        }
        if name in readers:
            return Namespace(readers[name], self._declared)
        if name in {"data", "ephemeral"}:
            return Namespace(lambda kind: Namespace(lambda n: self.resource(f"{name}.{kind}.{n}")))
        if name in {"each", "count", "self"}:
            raise EvaluationError(f"{name} is not known here")
        return Namespace(lambda n: self.resource(f"{name}.{n}"))

    def _path(self, name: str) -> Any:
        if name == "root":
            return "."
        if name == "module":
            return posixpath.relpath(self.config.folder or ".", self.run.root_folder or ".")
        return UNKNOWN

    def _declared(self, name: str) -> str:
        """The plain type that a variable is declared with; empty for none, or for another one."""
        block = self.config.named["variable"].get(name)
        kind = block.body.attributes.get("type") if block is not None else None
        value = kind.value if kind is not None else None
        word = value.name if isinstance(value, Name) else value.value if isinstance(value, Literal) else ""
        return word if isinstance(word, str) else ""

    def kept(
        self,
        where: dict[str, Remembered],
        name: str,
        what: str,
        attribute: Attribute,
        scope: Scope | None = None,
    ) -> Any:
        """The value of an attribute, evaluated once; unknown if it cannot be evaluated."""
        return self._remember(where, name, what, attribute.place, attribute.value, scope)

    def _remember(
        self,
        where: dict[str, Remembered],
        name: str,
        what: str,
        place: Location,
        value: Expression,
        scope: Scope | None = None,
    ) -> Any:
        inner = (scope or self.scope).within(place.file)
        return self.run.remember(
            where.setdefault(name, Remembered()), what, place, lambda: safely(lambda: evaluate(value, inner))
        )

    def local(self, name: str) -> Any:
        """``local.name``."""
        attribute = self.config.locals.get(name)
        if attribute is None:
            raise EvaluationError(f"no local value {name[:100]!r}")
        return self.kept(self._kept, f"local.{name}", f"local.{name}", attribute)

    def variable(self, name: str) -> Any:
        """``var.name``."""
        block = self.config.named["variable"].get(name)
        if block is None:
            raise EvaluationError(f"no variable {name[:100]!r}")
        return self.run.remember(
            self._kept.setdefault(f"var.{name}", Remembered()),
            f"var.{name}",
            block.place,
            lambda: self._variable(name, block),
        )

    def _variable(self, name: str, block: Block) -> Any:
        attributes = block.body.attributes
        value = self._given(name)
        default = attributes.get("default")
        if value is None and default is not None and "nullable" in attributes:
            # Only where null is ruled out does the default stand for it; a flag that is no constant rules nothing out.
            keeps_null = self._flag(attributes["nullable"])
            value = None if keeps_null is True else _ABSENT if keeps_null is False else UNKNOWN
        if value is _ABSENT:
            value = UNKNOWN
            if default is not None:
                value = safely(lambda: evaluate(default.value, self.scope.within(default.place.file)))
        kind = attributes.get("type")
        if kind is not None:
            wanted = declared_type(kind, self.run.limits)
            given = value
            value = UNKNOWN
            if wanted is not None:
                value = safely(lambda: convert_to(given, wanted, self.run, block.place))
        if (
            self._flag(attributes.get("sensitive")) is not False
            or self._flag(attributes.get("ephemeral")) is True
        ):
            self.run.reads.sensitive = True
            self.run.add_secrets(value, block.place)
        return value

    def _given(self, name: str) -> Any:
        if name not in self._arguments:
            return _ABSENT
        given = self._arguments[name]
        if not isinstance(given, Attribute):
            return given
        assert self._call_scope is not None  # noqa: S101 - arguments that are syntax come from a call
        scope = self._call_scope.within(given.place.file)
        return safely(lambda: evaluate(given.value, scope))

    def _flag(self, attribute: Attribute | None) -> Any:
        """A constant flag of a declaration; false when it is not there, unknown when it is no constant."""
        if attribute is None:
            return False
        return safely(lambda: converted(to_bool, evaluate(attribute.value, self.scope)))

    def output(self, name: str) -> Any:
        """An output of it."""
        block = self.config.named["output"].get(name)
        if block is None:
            raise EvaluationError(f"no output {name[:100]!r}")
        return self.run.remember(
            self._kept.setdefault(f"output.{name}", Remembered()),
            f"{self.address or 'root'}.{name}",
            block.place,
            lambda: self._output(block),
        )

    def _output(self, block: Block) -> Any:
        attributes = block.body.attributes
        value = UNKNOWN
        if (given := attributes.get("value")) is not None:
            value = safely(lambda: evaluate(given.value, self.scope.within(given.place.file)))
        if self._flag(attributes.get("sensitive")) is not False:
            self.run.reads.sensitive = True
            self.run.add_secrets(value, block.place)
        return value

    def attribute(self, name: str) -> Any:
        """``module.x.name``."""
        return self.output(name)

    def whole(self) -> Any:
        """All outputs: as an object."""
        return {name: safely(lambda n=name: self.output(n)) for name in self.config.named["output"]}  # type: ignore[misc]

    # Resources

    def group(self, name: str) -> "Group":
        """The instances of a resource, ``type.name``, or of a data source, ``data.type.name``."""
        mode, _, rest = (
            name.partition(".") if name.startswith(("data.", "ephemeral.")) else ("resource", "", name)
        )
        block = self.config.named[mode].get(rest)
        if block is None:
            raise EvaluationError(f"no resource {name[:200]!r}")
        found: Group = self.run.remember(
            self._groups.setdefault(name, Remembered()),
            f"{name} (its count or for_each)",
            block.place,
            lambda: self._group(name, block),
        )
        return found

    def _group(self, name: str, block: Block) -> "Group":
        expansion = expand(block, self.scope)
        pattern = address_of(self.address, name, None)
        maybe = (*self.maybe, pattern) if expansion.kind == "unknown" else self.maybe
        self.run.spend(len(expansion.names), block.place)
        instances: dict[int | str | None, Instance] = {}
        for key, bound in expansion.names.items():
            scope = self.scope.child(bound) if bound else self.scope
            instances[key] = Instance(self, block, name, key, scope, maybe)
        return Group(block, expansion, instances)

    def resource(self, name: str) -> Any:
        """What reading ``type.name`` gives."""
        group = self.group(name)
        return _as_value(group.expansion, group.instances)

    # Modules

    def module(self, name: str) -> Any:
        """What reading ``module.name`` gives."""
        expansion, members = self.modules(name)
        if expansion is None or not any(member.config.named["output"] for member in members.values()):
            # Of a module without outputs, Terraform counts the instances, and OpenTofu finds none.
            return UNKNOWN if expansion is None or members else _as_value(expansion, members)
        return _as_value(expansion, members)

    def modules(self, name: str) -> tuple[Expansion | None, Mapping[int | str | None, "Module"]]:
        """The instances of a module that this one calls; without an expansion if it is not there to be read."""
        call = self.config.named["module"].get(name)
        if call is None:
            raise EvaluationError(f"no module {name[:100]!r}")
        found: tuple[Expansion | None, Mapping[int | str | None, Module]] = self.run.remember(
            self._modules.setdefault(name, Remembered()),
            f"module.{name} (its count or for_each)",
            call.place,
            lambda: self._called(name, call),
        )
        return found

    def _called(self, name: str, call: Block) -> tuple[Expansion | None, Mapping[int | str | None, "Module"]]:
        config = self._sources.called(self.config, call, (*self.names, name), self.ancestors())
        if config is None:
            return None, {}
        if (
            len(self.names) >= MAX_MODULE_DEPTH
        ):  # `ancestors` finds a folder again, but not one under many names
            self.run.refuse(call.place, f"more than {MAX_MODULE_DEPTH} modules inside of each other")
        expansion = expand(call, self.scope)
        pattern = address_of(self.address, f"module.{name}", None)
        maybe = (*self.maybe, pattern) if expansion.kind == "unknown" else self.maybe
        self.run.spend(_MODULE_COST * len(expansion.names), call.place)
        arguments = {n: a for n, a in call.body.attributes.items() if n not in _META_ARGUMENTS}
        return expansion, {
            key: Module(
                self.run,
                self._sources,
                config,
                arguments=arguments,
                parent=self,
                call=call,
                call_scope=self.scope.child(bound) if bound else self.scope,
                key=key,
                maybe=maybe,
            )
            for key, bound in expansion.names.items()
        }

    def ancestors(self) -> tuple[str, ...]:
        """Folders of this module and of those around it."""
        found = []
        module: Module | None = self
        while module is not None:
            found.append(module.config.folder)
            module = module.parent
        return tuple(found)

    def children(self) -> "Iterator[Module]":
        """All instances of all modules that it calls."""
        for name in self.config.named["module"]:
            yield from self.modules(name)[1].values()


_ABSENT: Final = object()


def _unknown(_name: str) -> Any:
    return UNKNOWN


def _as_value(expansion: Expansion, members: Mapping[int | str | None, Any]) -> Any:
    if expansion.kind == "one":
        return members[None]
    if expansion.kind == "count":
        return tuple(members.values())
    if expansion.kind == "each":
        return {str(key): member for key, member in members.items()}
    return Unsure(members[None])
