"""Instances of resources, read one attribute at a time: what the source sets is known, anything else is not."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.blocks import RESOURCE_META, RESOURCE_META_BLOCKS, nested_blocks, safely
from plangate.parsers.hcl.evaluate import evaluate
from plangate.parsers.hcl.expansion import address_of
from plangate.parsers.hcl.origins import Opaque, Pending, Target
from plangate.parsers.hcl.policy_documents import COMPUTED, DATA_SOURCE, document_text
from plangate.parsers.hcl.providers import local_name, source_address
from plangate.parsers.hcl.run import EvaluationError, Remembered
from plangate.parsers.hcl.scope import Scope
from plangate.parsers.hcl.syntax import Attribute, Block, Body

if TYPE_CHECKING:
    from plangate.parsers.hcl.modules import Module

MAX_ADDRESS_CHARS: Final = 10_000


class Instance(Opaque):
    """One instance of a resource or data source.

    Attributes:
        module: Where it belongs.
        block: Its definition.
        name: ``type.name``, or ``data.type.name``.
        address: Full address; without a key where it is not known.
        key: Its key, or `None`.
        maybe: See `Target.maybe`.
    """

    __slots__ = ("_kept", "address", "block", "key", "maybe", "module", "name", "scope")

    def __init__(
        self,
        module: "Module",
        block: Block,
        name: str,
        key: int | str | None,
        scope: Scope,
        maybe: tuple[str, ...],
    ) -> None:
        self.module = module
        self.block = block
        self.name = name
        self.key = key
        self.address: str = address_of(module.address, name, key)
        if len(self.address) > MAX_ADDRESS_CHARS:
            module.run.refuse(
                block.place, f"an address of {len(self.address)} characters (limit: {MAX_ADDRESS_CHARS})"
            )
        self.maybe = maybe
        self.scope = scope
        self._kept: dict[str, Remembered] = {}

    @property
    def is_there(self) -> bool:
        """It certainly exists."""
        return not self.maybe

    def target(self, attribute: str) -> Target:
        """An attribute of it."""
        return Target(self.address, attribute, True, self.maybe)  # noqa: FBT003

    def attribute(self, name: str) -> Any:
        """What reading the attribute gives: what the source sets, or unknown."""
        target = self.target(name)
        self.module.run.reads.targets.add(target)
        body = self.block.body
        if name in COMPUTED and self.name.startswith(DATA_SOURCE):
            return self._policy_document(name)
        value = self.argument(body.attributes[name]) if name in body.attributes else None
        if value is None and name not in RESOURCE_META:
            blocks = self.blocks(name)
            value = Pending(frozenset({target})) if blocks is None else blocks
        # Nobody knows what it is, but it is that of this resource: a name from a variable without a value.
        return Pending(frozenset({target}), lost=True) if value is UNKNOWN else value

    def item(self, key: Any) -> Any:
        """``resource["attribute"]``; an index of a resource that has no ``count`` is a mistake."""
        if not isinstance(key, str):
            raise EvaluationError("an index of a resource without count")
        return self.attribute(key)

    def whole(self) -> Any:
        """All of it: unknown."""
        target = self.target("")
        self.module.run.reads.targets.add(target)
        return Pending(frozenset({target}))

    def argument(self, attribute: Attribute) -> Any:
        """The value of an argument at the top of its body."""
        return self.module.kept(
            self._kept, attribute.name, f"{self.address}.{attribute.name}", attribute, self.scope
        )

    def _policy_document(self, name: str) -> Any:
        """The text that the provider computes, or unknown. It comes from the data source, whatever that has read."""
        run = self.module.run

        def compute() -> Any:
            chosen = local_name(self.block.labels[0], self.block.body.attributes.get("provider"))
            if not source_address(self.module, chosen).endswith("/hashicorp/aws"):
                return UNKNOWN
            text, reads = run.apart(lambda: document_text(self.block, self.scope, name))
            run.reads.sensitive = run.reads.sensitive or (reads.sensitive and text is not UNKNOWN)
            return text

        kept = self._kept.setdefault(f"{name} ", Remembered())
        text = run.remember(kept, f"{self.address}.{name}", self.block.place, compute)
        return Pending(frozenset({self.target(name)})) if text is UNKNOWN else text

    def blocks(self, name: str) -> Any:
        """Nested blocks as others read them: what they set, and unknown for the rest; `None` without any."""
        body = self.block.body
        if not any(b.type == name or (b.type == "dynamic" and b.labels == (name,)) for b in body.blocks):
            return None
        if name in RESOURCE_META_BLOCKS:
            raise EvaluationError(f"{name} cannot be read")
        kept = self._kept.setdefault(f"{name} ", Remembered())
        place = self.block.place
        return self.module.run.remember(
            kept, f"{self.address}.{name}", place, lambda: self._blocks(body, name)
        )

    def _blocks(self, body: Body, name: str) -> Any:
        found: list[Any] = []
        for block, scope in nested_blocks(body, self.scope):
            if scope is None and block.labels == (name,):
                return Pending(frozenset({self.target(name)}))
            if block.type == name and scope is not None:
                found.append(_BlockHandle(block.body, scope, self.target(name)))
        return tuple(found)


class _BlockHandle(Opaque):
    """A nested block that is read by another expression."""

    __slots__ = ("_body", "_scope", "_target")

    def __init__(self, body: Body, scope: Scope, target: Target) -> None:
        self._body = body
        self._scope = scope
        self._target = target

    def attribute(self, name: str) -> Any:
        """What the block sets, or unknown."""
        attribute = self._body.attributes.get(name)
        if attribute is not None:
            value = safely(lambda: evaluate(attribute.value, self._scope.within(attribute.place.file)))
            if value is not None:
                return value
        inner = tuple(
            _BlockHandle(block.body, scope, self._target)
            for block, scope in nested_blocks(self._body, self._scope)
            if block.type == name and scope is not None
        )
        return inner or Pending(frozenset({self._target}))

    def whole(self) -> Any:
        """All of it: unknown."""
        return Pending(frozenset({self._target}))


class Unsure(Opaque):
    """A counted resource or module of which it is not known how many there are; the one instance stands for all."""

    __slots__ = ("_one",)
    is_counted = True

    def __init__(self, one: "Instance | Module") -> None:
        self._one = one

    def item(self, _key: Any) -> Any:
        """Any one of them."""
        return self._one

    def attribute(self, _name: str) -> Any:
        """The one under a key that is written like an attribute."""
        return self._one

    def whole(self) -> Any:
        """All of them: unknown."""
        return self._one.whole()


class Namespace(Opaque):
    """``var``, ``local``, ``data`` …: a first name that is no value itself."""

    __slots__ = ("_read", "declared")

    def __init__(self, read: Callable[[str], Any], declared: Callable[[str], str] = str) -> None:
        self._read = read
        self.declared = declared

    def attribute(self, name: str) -> Any:
        """What the name stands for."""
        return self._read(name)

    def whole(self) -> Any:
        """Nothing that could be a value."""
        return UNKNOWN
