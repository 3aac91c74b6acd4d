"""Edges, configured attributes and region of each resource instance, from a plan's configuration."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from plangate.model.address import joined, patterns, steps
from plangate.model.plan import Reference
from plangate.model.regions import REGION_ATTRIBUTES, own_region
from plangate.model.values import UNKNOWN, Unknown
from plangate.parsers.terraform_references import Configuration, Target

MAX_EDGES: Final = 1_000_000
"""References of all instances of one plan. Attributes of instances beyond it are unresolved: what they point at is
unknown, never nothing."""


class Node(Struct, frozen=True):
    """What the configuration says about one resource instance."""

    references: tuple[Reference, ...] = ()
    unresolved: tuple[str, ...] = ()
    configured: frozenset[str] | None = None
    provider_key: str = ""


_NO_NODE = Node()


class ConfigurationGraph:
    """Answers per address. Instances of one resource in one module instance share their answer."""

    def __init__(
        self,
        config: Configuration,
        *,
        provider_config: Mapping[str, Any],
        variables: Mapping[str, Any],
        addresses: Iterable[str],
    ) -> None:
        self._config = config
        self._provider_config = provider_config
        self._variables = variables
        self._covered: dict[str, str | None] = {}
        for address in addresses:
            for pattern in patterns(address):
                # The one address that a pattern covers, or None once it covers several.
                known = self._covered.setdefault(pattern, address)
                if known != address:
                    self._covered[pattern] = None
        self._edges_left = MAX_EDGES
        self._nodes: dict[tuple[str, str], Node] = {}
        self._regions: dict[str, str | Unknown] = {}
        self.providers = frozenset(
            name
            for item in provider_config.values()
            if isinstance(item, dict) and isinstance(name := item.get("full_name") or item.get("name"), str)
        )

    def node(self, address: str) -> Node:
        """What is known of the instance at an address; nothing when the configuration does not have it."""
        parts = steps(address)
        if not parts:
            return _NO_NODE
        module_address, resource = joined(parts[:-1]), parts[-1][0]
        node = self._nodes.get((module_address, resource))
        if node is None:
            node = self._nodes[module_address, resource] = self._node(parts, resource)
        return node

    def region(self, node: Node, values: Mapping[str, Any]) -> str | Unknown:
        """Region of an AWS resource: its own ``region``, else its provider's, else empty when the plan does not say."""
        own: object = values.get("region")
        if isinstance(own, str) and own:
            return own
        if own is UNKNOWN and (node.configured is None or "region" in node.configured):
            return UNKNOWN
        found = self._regions.get(node.provider_key)
        if found is None:
            found = self._regions[node.provider_key] = self._provider_region(node.provider_key)
        return found

    def cloud_region(self, cloud: str, node: Node, values: Mapping[str, Any]) -> str | Unknown:
        """Region of a resource of Azure or Google: its own, or its provider's for one that could name its own."""
        names = REGION_ATTRIBUTES.get(cloud, ())
        written = {
            name: value
            for name in names
            if name in values
            # What nobody set follows the provider's default.
            and ((value := values[name]) is not UNKNOWN or node.configured is None or name in node.configured)
        }
        own = own_region(cloud, written)
        if own is UNKNOWN or own or cloud != "google" or not any(name in values for name in names):
            return own
        for name in ("region", "zone"):
            found = self._provider_setting(node.provider_key, name)
            if found is UNKNOWN or found:
                return UNKNOWN if found is UNKNOWN else own_region(cloud, {name: found})
        return ""

    def _node(self, parts: list[tuple[str, str]], resource: str) -> Node:
        path = tuple(name.removeprefix("module.") for name, _ in parts[:-1])
        config = self._config.resources.get((path, resource))
        if config is None:
            return _NO_NODE
        found = self._config.references(path, resource)
        unresolved = set(found.unresolved)
        edges: set[tuple[str, str, str, bool]] = set()
        self._edges_left -= len(found.targets)
        if self._edges_left >= 0:
            edges = {self._edge(at, target, parts) for at, target in found.targets}
        else:
            unresolved |= found.reading
        expressions = config.get("expressions")
        key = config.get("provider_config_key")
        return Node(
            references=tuple(
                Reference(at=at, address=address, exact=exact, attribute=attribute)
                for at, address, attribute, exact in sorted(edges)
            ),
            unresolved=tuple(sorted(unresolved)),
            configured=frozenset(expressions) if isinstance(expressions, dict) else frozenset(),
            provider_key=key if isinstance(key, str) else "",
        )

    def _edge(self, at: str, target: Target, parts: list[tuple[str, str]]) -> tuple[str, str, str, bool]:
        """``(at, address, attribute, exact)``: plain, because there may be a million of them to sort."""
        address = parts[: target.depth]
        free = False
        for name, key in (
            *((f"module.{name}", key) for name, key in target.steps),
            (target.resource, target.key),
        ):
            free = free or key is None
            address.append((name, "" if free or not key else f"[{key}]"))
        pattern = joined(address)
        only = self._covered.get(pattern)
        return at, only or pattern, target.attribute, only is not None

    def _provider_region(self, key: str) -> str | Unknown:
        return self._provider_setting(key, "region")

    def _provider_setting(self, key: str, name: str) -> str | Unknown:
        """A setting of a provider's configuration as text; empty when it is not there."""
        provider = self._provider_config.get(key)
        expressions = provider.get("expressions") if isinstance(provider, dict) else None
        region = expressions.get(name) if isinstance(expressions, dict) else None
        if region is None:
            return ""
        if isinstance(region, dict) and isinstance(region.get("constant_value"), str):
            return str(region["constant_value"])
        names = region.get("references") if isinstance(region, dict) else None
        if (
            isinstance(names, list)
            and len(names) == 1
            and str(names[0]).startswith("var.")
            and ":" not in key
        ):
            given = self._variables.get(str(names[0])[4:])
            if isinstance(given, dict) and isinstance(given.get("value"), str):
                return str(given["value"])
        return UNKNOWN
