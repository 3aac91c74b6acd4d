"""Terraform and OpenTofu source to the normalized plan, without running anything.

What a plan of this source would create is a resource each, with the values that the source sets; what only a provider
could say is unknown or absent, as it is for an attribute that nobody sets.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from plangate.errors import PlanParseError
from plangate.model.address import patterns
from plangate.model.plan import Action, Location, OutputChange, Plan, Provisioner, Resource, Source
from plangate.model.regions import own_region
from plangate.model.values import UNKNOWN
from plangate.parsers.base import Limits, Options
from plangate.parsers.hcl.blocks import safely
from plangate.parsers.hcl.doubtful import without_doubtful_links
from plangate.parsers.hcl.evaluate import evaluate
from plangate.parsers.hcl.expansion import address_of
from plangate.parsers.hcl.folder import SourceTree, is_source
from plangate.parsers.hcl.instances import Instance
from plangate.parsers.hcl.modules import Module
from plangate.parsers.hcl.origins import Origins
from plangate.parsers.hcl.providers import Providers, local_name, source_address
from plangate.parsers.hcl.resources import Written, known_part, written
from plangate.parsers.hcl.room import with_room
from plangate.parsers.hcl.run import Run
from plangate.parsers.hcl.sources import Sources
from plangate.parsers.hcl.syntax import (
    NULL,
    Attr,
    Attribute,
    Block,
    Expression,
    Index,
    Literal,
    Name,
    Tuple,
    wording,
)
from plangate.parsers.hcl.tags import complete_tags
from plangate.parsers.hcl.values import ValueTooLargeError
from plangate.parsers.hcl.values import plain as plain_value
from plangate.parsers.hcl.variables import root_variables
from plangate.parsers.terraform_plan import CLOUDS
from plangate.parsers.terraform_secrets import named_secrets

FORMAT: Final = "terraform-source"


def parse(tree: SourceTree, module: str, name: str, options: Options, limits: Limits) -> Plan:
    """The plan of a root module. See `parse_with_modules`."""
    return parse_with_modules(tree, module, name, options, limits)[0]


def parse_with_modules(
    tree: SourceTree, module: str, name: str, options: Options, limits: Limits
) -> tuple[Plan, frozenset[str]]:
    """The plan of a root module, and the folders whose only use that can be seen is in it.

    A folder is one of these if the root module uses it as a module, at any depth, at least once, and if nothing in
    it says that it is deployed by itself: see `plangate.parsers.hcl.configuration.Configuration.is_deployed`.

    Args:
        tree: The files.
        module: Folder of the root module in the tree; empty for the tree's own folder.
        name: The input's name as the user gave it.
        options: Variables.
        limits: Bounds.

    Raises:
        PlanParseError: Not well-formed, not consistent, outside of the tree, or too costly; names the place.
    """
    try:
        return with_room(lambda: _parse(tree, module, name, options, limits))
    except RecursionError as error:
        raise PlanParseError(name, "nested too deeply to be read") from error
    except ValueTooLargeError as error:
        raise PlanParseError(name, f"{error}") from error


def _parse(
    tree: SourceTree, module: str, name: str, options: Options, limits: Limits
) -> tuple[Plan, frozenset[str]]:
    run = Run(tree, limits)
    run.root_folder = module
    sources = Sources(run)
    config = sources.at(module)
    if not any(is_source(each) for each in tree.names(module)):
        raise PlanParseError(name, "no Terraform source in this folder")
    if config.is_empty:
        # Terraform takes it, and whoever emptied the files by mistake would be told that all is well.
        run.opaque["no file of this folder has a block; exclude it if nothing is meant to be there"] = None
    root = Module(run, sources, config, arguments=root_variables(config, run, options))
    builder = _Builder(run, root, name)
    return builder.plan(), frozenset(builder.modules)


def locations(plan: Plan) -> Mapping[str, tuple[Location, Mapping[str, Location]]]:
    """Where the resources of a plan of source are written, by address and by every pattern that covers it.

    Instances of one block share its lines, so that an address with a key that the source does not know is found by its
    pattern, see `plangate.model.address.patterns`.
    """
    found: dict[str, tuple[Location, Mapping[str, Location]]] = {}
    for resource in plan.resources:
        if resource.location is not None:
            for pattern in patterns(resource.address):
                found.setdefault(pattern, (resource.location, resource.places))
    return found


class _Builder:
    """Makes the plan of one evaluation."""

    def __init__(self, run: Run, root: Module, name: str) -> None:
        self._run = run
        self._root = root
        self._name = name
        self._providers = Providers()
        self._names: set[str] = set()
        self._provisioners: dict[Provisioner, None] = {}
        self.modules: set[str] = set()

    def plan(self) -> Plan:
        """All of it."""
        resources: list[Resource] = []
        doubtful: dict[str, tuple[str, ...]] = {}
        imports = self._imports()
        for module in self._modules():
            if module is not self._root and not module.config.is_deployed:
                self.modules.add(module.config.folder)
            self._names |= {
                source_address(module, n) for n in (*module.config.sources, *module.config.providers)
            }
            self._note_last_programs(module)
            for instance in self._instances(module):
                resources.append(self._resource(instance, imports))
                if instance.maybe:
                    doubtful[instance.address] = instance.maybe
                if len(resources) > self._run.limits.max_resources:
                    self._run.refuse(
                        instance.block.place, f"more than {self._run.limits.max_resources} resources"
                    )
        outputs = tuple(self._outputs())
        tree = self._run.tree
        return Plan(
            source=Source(
                name=self._name,
                format=FORMAT,
                format_version="",
                tool="",
                sha256=tree.sha256,
                size=tree.size,
                media_type="text/plain",
            ),
            resources=without_doubtful_links(resources, doubtful),
            outputs=outputs,
            provisioners=tuple(self._provisioners),
            providers=tuple(sorted(self._names)),
            opaque=tuple(self._run.opaque),
            secrets=frozenset(self._run.secrets),
        )

    def _modules(self) -> Iterator[Module]:
        pending = [self._root]
        while pending:
            module = pending.pop()
            yield module
            pending += reversed(list(module.children()))

    def _instances(self, module: Module) -> Iterator[Instance]:
        for mode in ("resource", "data"):
            prefix = "" if mode == "resource" else "data."
            for name, block in module.config.named[mode].items():
                instances = module.group(prefix + name).instances
                self._note_programs(module, prefix + name, block, runs=bool(instances))
                yield from instances.values()

    def _note_programs(self, module: Module, name: str, block: Block, *, runs: bool) -> None:
        address = "".join(f"module.{step}." for step in module.names) + name
        for inner in block.body.blocks:
            if inner.type == "provisioner":
                kind = inner.labels[0] if inner.labels else "unknown"
                self._provisioners[Provisioner(address=address, type=kind, runs=runs)] = None
            for trigger in inner.body.blocks if inner.type == "lifecycle" else ():
                if trigger.type == "action_trigger":
                    self._note_actions(address, trigger, runs=runs)
        if name.startswith("data.external.") and runs:
            self._provisioners[Provisioner(address=address, type="external", runs=True)] = None

    def _note_last_programs(self, module: Module) -> None:
        """Programs that run when something goes that the source does not have any more."""
        prefix = "".join(f"module.{step}." for step in module.names)
        for block in module.config.removed:
            gone = block.body.attributes.get("from")
            name = gone.value if gone is not None else NULL
            # In the JSON syntax a name is text.
            named = name.value if isinstance(name, Literal) else ".".join(wording(name))
            address = f"{prefix}{named or 'removed'}"
            for inner in block.body.blocks:
                if inner.type == "provisioner":
                    kind = inner.labels[0] if inner.labels else "unknown"
                    self._provisioners[Provisioner(address=address, type=kind, runs=True)] = None

    def _note_actions(self, address: str, trigger: Block, *, runs: bool) -> None:
        """Actions of providers that a change of the resource invokes."""
        listed = trigger.body.attributes.get("actions")
        items = listed.value.items if listed is not None and isinstance(listed.value, Tuple) else (NULL,)
        for item in items:
            names = wording(item)
            kind = names[1] if len(names) > 1 and names[0] == "action" else "unknown"
            self._provisioners[Provisioner(address=address, type=f"action:{kind}", runs=runs)] = None

    def _resource(self, instance: Instance, imports: Mapping[str, Mapping[str, Any]]) -> Resource:
        module = instance.module
        native_type, name = instance.block.labels
        is_data = instance.name.startswith("data.")
        chosen = local_name(native_type, instance.block.body.attributes.get("provider"))
        provider = source_address(module, chosen)
        cloud = CLOUDS.get(provider.rpartition("/")[2], "")
        found = written(instance)
        if cloud == "aws" and not is_data:
            self._complete_tags(found, native_type, self._providers.default_tags(module, chosen))
        self._names.add(provider)
        self._run.secrets |= found.secrets | named_secrets(native_type, found.after)
        # With Azure and Google, what names no place itself stays without one: not every type has a place.
        region: Any = own_region(cloud, found.planned)
        if cloud == "aws":
            own = found.planned.get("region")
            region = (
                own
                if own is UNKNOWN or (isinstance(own, str) and own)
                else self._providers.region(module, chosen)
            )
        return Resource(
            address=instance.address,
            type=native_type,
            name=name,
            mode="data" if is_data else "managed",
            provider=provider,
            cloud=cloud,
            region=region,
            action=Action.READ if is_data else Action.CREATE,
            importing=imports.get(instance.address),
            module_address=module.address,
            index=instance.key,
            after=found.after,
            planned=found.planned,
            unknown=tuple(sorted(found.unknown)),
            sensitive=tuple(sorted(found.sensitive)),
            references=tuple(sorted(found.references, key=lambda r: (r.at, r.address, r.attribute, r.exact))),
            unresolved=tuple(sorted(found.unresolved)),
            configured=frozenset(found.configured),
            location=instance.block.place,
            places=found.places,
        )

    def _complete_tags(self, found: Written, native_type: str, defaults: Any) -> None:
        tags = complete_tags(native_type, found.planned, defaults)
        if not tags:
            return
        found.planned.update(tags)
        found.unknown += ["/tags_all"] if tags.get("tags_all") is UNKNOWN else []
        if isinstance(whole := tags.get("tags_all"), dict):
            found.unknown += [f"/tags_all/{key}" for key, value in whole.items() if value is UNKNOWN]
        if "/tags" in found.sensitive:
            found.sensitive.append("/tags_all")
        found.after = known_part(found.planned)

    def _imports(self) -> Mapping[str, Mapping[str, Any]]:
        """What ``import`` blocks of the root module say, by address."""
        found: dict[str, Mapping[str, Any]] = {}
        for block in self._root.config.imports:
            to = block.body.attributes.get("to")
            address = _address(to.value) if to is not None else ""
            if address:
                given = block.body.attributes.get("id")
                found[address] = {} if given is None else self._import_id(given)
        return found

    def _import_id(self, attribute: Attribute) -> Mapping[str, Any]:
        scope = self._root.scope.within(attribute.place.file)
        value = safely(lambda: evaluate(attribute.value, scope))
        return {"id": value} if isinstance(value, str) else {}

    def _outputs(self) -> Iterator[OutputChange]:
        for name, block in sorted(self._root.config.named["output"].items()):
            value, reads = self._run.apart(lambda n=name: safely(lambda: self._root.output(n)))  # type: ignore[misc]
            origins = Origins()
            known = origins.stripped(value)
            self._run.spend(origins.size, block.place)
            plain = plain_value(known)
            yield OutputChange(
                name=name,
                action=Action.CREATE,
                after=plain,
                sensitive=reads.sensitive or "sensitive" in block.body.attributes,
            )


def _address(value: Expression) -> str:
    """The address that a traversal with constant keys names; empty for anything else."""
    if isinstance(value, Name):
        return value.name
    if isinstance(value, Attr):
        inner = _address(value.of)
        return f"{inner}.{value.name}" if inner else ""
    if isinstance(value, Index) and isinstance(value.key, Literal):
        key = value.key.value
        inner = _address(value.of)
        return address_of("", inner, key) if inner and isinstance(key, str | int) else ""
    return ""
