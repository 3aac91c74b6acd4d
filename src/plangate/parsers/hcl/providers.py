"""Which provider makes a resource, how it is configured, and where.

A module uses the provider configurations that its caller passes, or else the caller's own of the same name.

Source: https://developer.hashicorp.com/terraform/language/modules/develop/providers
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from plangate.model.values import UNKNOWN, Unknown
from plangate.parsers.hcl.blocks import safely
from plangate.parsers.hcl.evaluate import evaluate
from plangate.parsers.hcl.origins import Origins
from plangate.parsers.hcl.syntax import Attribute, Block, Expression, Literal, Object, wording

if TYPE_CHECKING:
    from plangate.parsers.hcl.modules import Module

_BUILTIN: Final = "terraform.io/builtin/terraform"
_REGISTRY: Final = "registry.terraform.io"


def local_name(native_type: str, chosen: Attribute | None) -> str:
    """The provider's name in the module, with alias: ``aws`` or ``aws.west``."""
    if chosen is not None:
        name = _name(chosen.value)
        if name:
            return name
    return native_type.partition("_")[0]


def source_address(module: "Module", name: str) -> str:
    """The provider's source address for its name in a module."""
    plain = name.partition(".")[0]
    if plain == "terraform":
        return _BUILTIN
    source = module.config.sources.get(plain, "")
    if not source:
        return f"{_REGISTRY}/hashicorp/{plain}"
    parts = source.split("/")
    if len(parts) == 1:
        return f"{_REGISTRY}/hashicorp/{source}"
    return f"{_REGISTRY}/{source}" if len(parts) == 2 else source  # noqa: PLR2004 - namespace and type


class Providers:
    """Configurations of the providers of all modules, evaluated once."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], tuple[Module, Block] | None] = {}
        self._regions: dict[int, str | Unknown] = {}
        self._tags: dict[int, Any] = {}

    def region(self, module: "Module", name: str) -> str | Unknown:
        """The region that a provider is configured with; empty when the source does not say."""
        found = self._configured(module, name)
        if found is None:
            return ""
        owner, block = found
        region = self._regions.get(id(block))
        if region is None:
            value = _argument(owner, block, "region")
            region = "" if value is None else value if isinstance(value, str) else UNKNOWN
            self._regions[id(block)] = region
        return region

    def default_tags(self, module: "Module", name: str) -> Any:
        """The tags that the provider gives to everything: a mapping, or `UNKNOWN`."""
        found = self._configured(module, name)
        if found is None:
            return {}
        owner, block = found
        tags = self._tags.get(id(block))
        if tags is None:
            tags = self._tags[id(block)] = _default_tags(owner, block)
        return tags

    def _configured(self, module: "Module", name: str) -> "tuple[Module, Block] | None":
        known = self._found.get((id(module), name), _NOT_ASKED)
        if known is _NOT_ASKED:
            known = self._found[id(module), name] = _search(module, name)
        return known  # type: ignore[return-value]


_NOT_ASKED: Final = object()


def _search(module: "Module", name: str) -> "tuple[Module, Block] | None":
    at: Module | None = module
    while at is not None:
        block = at.config.providers.get(name)
        if block is not None:
            return at, block
        passed = _passed(at.call) if at.call is not None else {}
        if name in passed:
            name = passed[name]
        elif "." in name:
            return None
        at = at.parent
    return None


def _passed(call: Block) -> Mapping[str, str]:
    attribute = call.body.attributes.get("providers")
    if attribute is None or not isinstance(attribute.value, Object):
        return {}
    found = {}
    for key, value in attribute.value.items:
        inner = _name(key)
        if inner:
            found[inner] = _name(value)
    return found


def _name(value: Expression) -> str:
    """``aws`` or ``aws.west``, as a traversal or, in the JSON syntax, as text."""
    if isinstance(value, Literal):
        return str(value.value)
    return ".".join(wording(value))


def _argument(owner: "Module", block: Block, name: str) -> Any:
    attribute = block.body.attributes.get(name)
    if attribute is None:
        return None
    return safely(lambda: evaluate(attribute.value, owner.scope.within(attribute.place.file)))


def _default_tags(owner: "Module", block: Block) -> Any:
    found: list[Any] = []
    for inner in block.body.blocks:
        if inner.type == "default_tags":
            found.append(_argument(owner, inner, "tags"))
        elif inner.type == "dynamic" and inner.labels == ("default_tags",):
            return UNKNOWN
    written = _argument(owner, block, "default_tags")
    if written is not None:
        # In the JSON syntax a block looks like an argument.
        listed = written if isinstance(written, list | tuple) else [written]
        found += [item.get("tags") if isinstance(item, dict) else UNKNOWN for item in listed]
    merged: dict[str, Any] = {}
    for tags in found:
        plain = Origins().stripped(tags)
        if plain is UNKNOWN:
            return UNKNOWN
        merged.update(plain or {})
    return merged
