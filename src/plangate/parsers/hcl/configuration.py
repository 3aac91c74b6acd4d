"""One module as it is written: its files read, sorted by what they declare, overrides merged.

Source: https://developer.hashicorp.com/terraform/language/files, …/files/override
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NoReturn

from msgspec import Struct, field
from msgspec.structs import replace

from plangate.errors import PlanParseError
from plangate.model.plan import Location
from plangate.parsers.base import Limits
from plangate.parsers.hcl.folder import SourceTree, is_source
from plangate.parsers.hcl.json_syntax import read_terraform_json
from plangate.parsers.hcl.native_syntax import read_native
from plangate.parsers.hcl.syntax import Attribute, Block, Body, Literal, Object

_LABELS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "action": 2, "check": 1, "data": 2, "ephemeral": 2, "import": 0, "locals": 0, "module": 1, "moved": 0,
        "output": 1, "provider": 1, "removed": 0, "resource": 2, "terraform": 0, "variable": 1,
    }
)  # fmt: skip
"""Blocks that may stand at the top of a file, and how many labels they have."""
_NAMED: Final = ("resource", "data", "ephemeral", "module", "variable", "output")
_DEPLOYED: Final = (".tfvars", ".tfvars.json", ".terraform.lock.hcl")
_PER_ARGUMENT: Final = frozenset({"lifecycle", "required_providers"})
"""Nested blocks that an override merges argument by argument; others it replaces."""


class Configuration(Struct):
    """One module.

    Attributes:
        folder: Its path in the source tree.
        named: Blocks by type and labels joined by dots: ``named["resource"]["aws_vpc.a"]``.
        locals: By name.
        providers: By name, with alias: ``aws`` or ``aws.west``.
        sources: Provider sources by local name, from ``required_providers``.
        imports: ``import`` blocks.
        removed: ``removed`` blocks.
        is_deployed: Whether something says that it is applied by itself: a place for its state, a provider that it
            configures, files of variables, locked providers.
        is_empty: Whether none of its files has a block.
    """

    folder: str
    named: Mapping[str, dict[str, Block]] = field(default_factory=lambda: {kind: {} for kind in _NAMED})
    locals: dict[str, Attribute] = field(default_factory=dict)
    providers: dict[str, Block] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    imports: list[Block] = field(default_factory=list)
    removed: list[Block] = field(default_factory=list)
    is_deployed: bool = False
    is_empty: bool = True


def read_configuration(tree: SourceTree, folder: str, limits: Limits) -> Configuration:
    """The module in a folder.

    Raises:
        PlanParseError: A file that is not well-formed, something declared twice, or an override of nothing.
    """
    names = [name for name in tree.names(folder) if is_source(name)]
    # OpenTofu reads `main.tofu` instead of `main.tf` when both are there.
    ours = [name for name in names if _as_tofu(name) == name or _as_tofu(name) not in names]
    found = Configuration(folder, is_deployed=any(name.endswith(_DEPLOYED) for name in tree.names(folder)))
    overrides: list[Body] = []
    for name in ours:
        body = _read(tree, tree.join(folder, name), limits)
        found.is_empty &= not body.blocks
        if _is_override(name):
            overrides.append(body)
        else:
            for block in body.blocks:
                _declare(found, block)
            _no_attributes(body)
    for body in overrides:
        for block in body.blocks:
            _override(found, block)
        _no_attributes(body)
    found.is_deployed |= any(
        block.body.attributes.keys() - {"alias", "version"} for block in found.providers.values()
    )
    return found


def _as_tofu(name: str) -> str:
    stem = name.removesuffix(".json")
    return stem.removesuffix(".tf").removesuffix(".tofu") + ".tofu" + name[len(stem) :]


def _is_override(name: str) -> bool:
    stem = name.removesuffix(".json").rpartition(".")[0]
    return stem == "override" or stem.endswith("_override")


def _read(tree: SourceTree, path: str, limits: Limits) -> Body:
    file = tree.read(path)
    known = tree.read_as.get(path)
    if isinstance(known, Body):
        return known
    read = read_terraform_json if path.endswith(".json") else read_native
    body = tree.read_as[path] = read(file.data, file.name, limits)
    return body


def _declare(found: Configuration, block: Block) -> None:
    _check(block)
    kind = block.type
    if kind in _NAMED:
        name = ".".join(block.labels)
        if name in found.named[kind]:
            first = found.named[kind][name].place
            _refuse(
                block.place, f"{kind} {name[:200]} is declared twice (first at {first.file}:{first.line})"
            )
        found.named[kind][name] = block
    elif kind == "locals":
        for name, attribute in block.body.attributes.items():
            if name in found.locals:
                _refuse(attribute.place, f"local.{name[:200]} is declared twice")
            found.locals[name] = attribute
    else:
        _declare_unnamed(found, block)


def _declare_unnamed(found: Configuration, block: Block) -> None:
    kind = block.type
    if kind == "provider":
        name = _provider_name(block)
        if name in found.providers:
            _refuse(block.place, f"provider {name[:200]} is configured twice")
        found.providers[name] = block
    elif kind == "terraform":
        found.sources.update(_sources(block))
        found.is_deployed |= any(inner.type in {"backend", "cloud"} for inner in block.body.blocks)
    elif kind == "import":
        found.imports.append(block)
    elif kind == "removed":
        found.removed.append(block)
    elif kind == "check":
        # A data source that only the check may read is read all the same, and by the name of any other.
        for inner in block.body.blocks:
            if inner.type == "data":
                _declare(found, inner)


def _override(found: Configuration, block: Block) -> None:
    _check(block)
    kind = block.type
    if kind == "locals":
        for name, attribute in block.body.attributes.items():
            found.locals[name] = attribute
    elif kind == "terraform":
        found.sources.update(_sources(block))
        found.is_deployed |= any(inner.type in {"backend", "cloud"} for inner in block.body.blocks)
    elif kind in _NAMED or kind == "provider":
        name = _provider_name(block) if kind == "provider" else ".".join(block.labels)
        declared = found.providers if kind == "provider" else found.named[kind]
        base = declared.get(name)
        if base is None:
            if kind != "provider":
                _refuse(block.place, f"overrides {kind} {name[:200]}, which is not declared")
            declared[name] = block
        else:
            declared[name] = replace(base, body=_merged(base.body, block.body))
    else:
        _declare(found, block)


def _merged(base: Body, over: Body) -> Body:
    """Arguments one by one; nested blocks of a type that the override has, ``dynamic`` ones too, are replaced."""
    replaced = {_content_type(block) for block in over.blocks} - _PER_ARGUMENT
    blocks = [block for block in base.blocks if _content_type(block) not in replaced]
    for block in over.blocks:
        if block.type in _PER_ARGUMENT:
            same = next((i for i, b in enumerate(blocks) if b.type == block.type), None)
            if same is not None:
                blocks[same] = replace(blocks[same], body=_merged(blocks[same].body, block.body))
                continue
        blocks.append(block)
    # An argument that the override writes as a block, or the other way round, is replaced as well.
    attributes = {name: a for name, a in base.attributes.items() if name not in replaced}
    return Body({**attributes, **over.attributes}, tuple(b for b in blocks if b.type not in over.attributes))


def _content_type(block: Block) -> str:
    return block.labels[0] if block.type == "dynamic" and block.labels else block.type


def _provider_name(block: Block) -> str:
    alias = block.body.attributes.get("alias")
    if alias is None:
        return block.labels[0]
    if not isinstance(alias.value, Literal) or not isinstance(alias.value.value, str):
        _refuse(alias.place, "a provider's alias that is not plain text")
    return f"{block.labels[0]}.{alias.value.value}"


def _sources(block: Block) -> Mapping[str, str]:
    """Provider sources that a ``terraform`` block requires; ``""`` for one that gives only a version."""
    found: dict[str, str] = {}
    for inner in block.body.blocks:
        if inner.type != "required_providers":
            continue
        for name, attribute in inner.body.attributes.items():
            found[name] = ""
            if isinstance(attribute.value, Object):
                for key, value in attribute.value.items:
                    if key == Literal("source") and isinstance(value, Literal):
                        found[name] = str(value.value)
    return found


def _check(block: Block) -> None:
    wanted = _LABELS.get(block.type)
    if wanted is None:
        if block.type in _OTHER_FILES:
            return
        _refuse(block.place, f"unknown block {block.type[:100]!r} (known: {', '.join(_LABELS)})")
    if len(block.labels) != wanted:
        _refuse(block.place, f"{block.type} has {len(block.labels)} labels (expected {wanted})")


_OTHER_FILES: Final = frozenset({"language"})
"""Accepted and without meaning for the plan."""


def _no_attributes(body: Body) -> None:
    for attribute in body.attributes.values():
        _refuse(attribute.place, f"argument {attribute.name[:100]!r} outside of any block")


def _refuse(place: Location, problem: str) -> NoReturn:
    raise PlanParseError(place.file, problem, at=f"line {place.line} column {place.column}")
