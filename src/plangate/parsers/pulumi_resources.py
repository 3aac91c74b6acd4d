"""Entries of Pulumi's steps as resources of a plan: addresses, values, edges.

Rules this module keeps:
1. A resource that is planned and of which no state is written is unknown as a whole, never empty.
2. What the program sets wins over what the provider answered; what nobody sets and nobody knows is `UNKNOWN`.
3. A property that is made of others' outputs refers to them; an edge is exact only when it cannot be another.

Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/core.go (``ResourceV3``)
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NoReturn

from msgspec import Struct, field

from plangate.model.plan import Action, Location, Reference, Resource
from plangate.model.regions import REGION_ATTRIBUTES, own_region
from plangate.model.values import UNKNOWN, AllUnknown, Unknown, pointer, pointer_tokens
from plangate.parsers.pulumi_references import Edges, Urn
from plangate.parsers.pulumi_steps import Entry, text_in
from plangate.parsers.pulumi_values import (
    HIDDEN,
    Found,
    PropertyReader,
    ValueProblemError,
    is_unknown_text,
    overlaid,
    without_unknown,
)
from plangate.parsers.terraform_secrets import named_secrets
from plangate.parsers.terraform_values import leaves

STACK: Final = "pulumi:pulumi:Stack"
PROVIDER: Final = "pulumi:providers:"
MAX_URN_CHARS: Final = 10_000

_CLOUDS: Final = {
    "aws": "aws",
    "aws-native": "aws",
    "azure": "azure",
    "azuread": "azure",
    "azure-native": "azure",
    "gcp": "google",
    "google-native": "google",
    "helm": "kubernetes",
    "kubernetes": "kubernetes",
}
_SECRETS_BY_TYPE: Final[Mapping[str, frozenset[str]]] = {
    "aws:ssm/parameter:Parameter": frozenset({"value"}),
    "kubernetes:core/v1:Secret": frozenset({"data", "stringData"}),
    "random:index/randomPassword:RandomPassword": frozenset({"result", "bcryptHash"}),
}
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SOURCE_POSITION: Final = re.compile(r"project:///([^#]{1,4096}+)#([0-9]{1,9}+)(?:,([0-9]{1,9}+))?")


_ELSEWHERE: Final = re.compile(r"default_[^/]{0,200}?(?:https?_|git(?:hub|lab)_)")
"""Name of the default provider of a plugin that is downloaded from an address of its own."""


class Resources(Struct):
    """Makes the resources of one document.

    Attributes:
        reader: Reads property values.
        refuse: Raises for what stands at a place.
        config: Configuration of the stack, as text.
        secrets: Filled with everything sensitive.
        regions: Region of a provider by its URN; filled from the provider resources.
        prefix: Stack and project, which addresses leave out.
    """

    reader: PropertyReader
    refuse: Callable[[str, str], NoReturn]
    config: Mapping[str, str]
    secrets: set[str] = field(default_factory=set)
    regions: dict[str, str | Unknown] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    prefix: str = ""
    _inputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    edges: Edges = field(default_factory=Edges)

    def of(self, entries: Iterable[Entry]) -> tuple[Resource, ...]:
        """One resource for each entry, in order."""
        listed = list(entries)
        for entry in listed:
            self._learn(entry)
        return tuple(self._resource(entry) for entry in listed)

    def address(self, urn: str) -> str:
        """The URN without stack and project, which are the same for all; unlike any other resource's.

        Brackets are escaped, because in an address they hold an instance key.
        """
        short = urn.removeprefix(f"{self.prefix}::") if self.prefix else urn
        return short.replace("%", "%25").replace("[", "%5B") if "[" in short else short

    def _learn(self, entry: Entry) -> None:
        """Check a name, and remember what providers are set up for."""
        urn = self._urn(entry.urn, entry.at)
        self.prefix = self.prefix or urn.prefix
        state = entry.new or entry.old or {}
        inputs = state.get("inputs")
        if isinstance(inputs, dict):
            self._inputs[entry.urn] = inputs
        if urn.type.startswith(PROVIDER):
            region = inputs.get("region") if isinstance(inputs, dict) else None
            if isinstance(region, str) and region:
                self.regions[entry.urn] = UNKNOWN if is_unknown_text(region) else region
            elif region is not None:
                self.regions[entry.urn] = UNKNOWN
            if isinstance(inputs, dict) and inputs.get("pluginDownloadURL"):
                self.elsewhere.add(entry.urn)

    def _urn(self, text: str, at: str) -> Urn:
        if len(text) > MAX_URN_CHARS:
            self.refuse(f"{at}/urn", f"{len(text)} characters (limit: {MAX_URN_CHARS})")
        urn = Urn.read(text)
        if urn is None:
            self.refuse(f"{at}/urn", f"not the URN of a resource: {text[:200]}")
        return urn

    def _resource(self, entry: Entry) -> Resource:
        urn = self._urn(entry.urn, entry.at)
        state = entry.new if entry.new is not None else entry.old or {}
        self._check(urn, entry)
        found, going = Found(), Found()
        before = self._before(entry, going)
        gone = entry.action in {Action.DELETE, Action.FORGET}
        planned: Mapping[str, Any] = {}
        after: Mapping[str, Any] | None = None
        unknown: tuple[str, ...] = ()
        configured: frozenset[str] | None = None
        if not gone:
            if entry.new is None and (entry.action is not Action.NO_OP or entry.old is None):
                planned, after, unknown = AllUnknown(), {}, ("",)
            else:
                planned, configured = self._planned(entry, found)
                after, unknown = without_unknown(planned), self._unknown(planned, entry)
        if entry.action is Action.NO_OP and not entry.importing and after is not None and urn.type != STACK:
            # Nothing changes: one object for both, so that it is seen to exist. A stack's outputs change all the same.
            before = after
        package = self._package(urn, state)
        references: tuple[Reference, ...] = ()
        unresolved: tuple[str, ...] = ()
        if entry.new is not None and configured is not None:
            references, unresolved = self.edges.of(
                entry.new,
                [at for at in unknown if pointer_tokens(at)[0] in configured],
                found,
                address=self.address,
                passes_on=self._passes_on,
            )
        self._remember(urn.type, found, going, before, after)
        previous = text_in(entry.old, "urn")
        cloud = _CLOUDS.get(package, "")
        return Resource(
            address=self.address(entry.urn),
            type=urn.type,
            name=urn.name,
            mode=self._mode(entry, state),
            provider=self._provider(urn, state, package),
            cloud=cloud,
            region=self._region(state, planned if after is not None else before or {}, package),
            action=entry.action,
            replace_order=entry.order,
            previous_address=self.address(previous)
            if previous and previous != entry.urn and entry.new is not None
            else "",
            importing={"id": text_in(state, "importID") or text_in(state, "id")} if entry.importing else None,
            deposed=entry.deposed,
            before=before,
            after=after,
            planned=planned,
            unknown=unknown,
            sensitive=tuple(sorted(found.sensitive | going.sensitive)),
            replace_paths=tuple(pointer(key) for key in entry.keys),
            references=references,
            unresolved=unresolved,
            configured=configured,
            location=_location(state),
        )

    def _passes_on(self, urn: str, name: str) -> bool:
        """Whether an unknown value made of a resource may be what that resource was given itself.

        A plain value that was given is known to those it is passed on to, so that theirs is another one.
        """
        given = self._inputs.get(urn, {}).get(name)
        plain = isinstance(given, bool | int) or (
            isinstance(given, str) and given != HIDDEN and not is_unknown_text(given)
        )
        return given is not None and not plain

    def _check(self, urn: Urn, entry: Entry) -> None:
        """A state has to be that of the resource that its step names."""
        named = entry.new if entry.new is not None else entry.old
        if named is not None and entry.action is not Action.REPLACE:
            for key, expected in (("urn", entry.urn), ("type", urn.type)):
                if text_in(named, key) not in ("", expected):
                    self.refuse(f"{entry.at}", f"its state is that of another resource ({key} differs)")

    def _mode(self, entry: Entry, state: Mapping[str, Any]) -> str:
        """What is only read, and stays so, is no resource of ours."""
        external = state.get("external") is True
        known = entry.action in {Action.READ, Action.NO_OP, Action.FORGET}
        return "data" if entry.action is Action.READ or (external and known) else "managed"

    def _before(self, entry: Entry, found: Found) -> Mapping[str, Any] | None:
        if entry.old is None:
            return None
        inputs, outputs = self._sides(entry.old, found, entry.at)
        known: dict[str, Any] = without_unknown(_identified(overlaid(inputs, outputs), entry.old))
        return known

    def _planned(self, entry: Entry, found: Found) -> tuple[dict[str, Any], frozenset[str]]:
        """The values after the change, with `UNKNOWN`, and the names that the program sets."""
        new = entry.new if entry.new is not None else entry.old or {}
        inputs, outputs = self._sides(new, found, entry.at)
        if entry.action is Action.NO_OP:
            if not outputs and entry.old is not None:
                outputs = self._sides(entry.old, found, entry.at)[1]
            values = overlaid(inputs, outputs)
        elif entry.action is Action.UPDATE and not outputs and entry.old is not None:
            # Pulumi has not asked the provider yet. What only the provider knows stays as it is; what the program
            # set before and sets no longer does not.
            old_inputs, old_outputs = self._sides(entry.old, found, entry.at)
            kept = {key: value for key, value in old_outputs.items() if key not in old_inputs}
            values = overlaid(kept, inputs)
        else:
            values = overlaid(outputs, inputs)
        known = entry.action in {Action.NO_OP, Action.UPDATE, Action.READ}
        if known:
            values = _identified(values, new if text_in(new, "id") else entry.old or new)
        elif "id" not in inputs:
            values["id"] = UNKNOWN
        return values, frozenset(inputs)

    def _sides(
        self, state: Mapping[str, Any], found: Found, at: str
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Inputs and outputs of a state."""
        sides: list[dict[str, Any]] = []
        for side in ("inputs", "outputs"):
            values = state.get(side)
            if values is not None and not isinstance(values, dict):
                self.refuse(at, f"{side} that are not an object")
            try:
                sides.append(self.reader.read(values or {}, found))
            except ValueProblemError as error:
                self.refuse(at, str(error))
        hidden = state.get("additionalSecretOutputs")
        for name in hidden if isinstance(hidden, list) else ():
            if isinstance(name, str) and name in sides[1]:
                found.sensitive.add(pointer(name))
                found.secrets |= leaves(without_unknown([sides[1][name]]))
        return sides[0], sides[1]

    def _unknown(self, planned: Mapping[str, Any], entry: Entry) -> tuple[str, ...]:
        try:
            return self.reader.unknown_in(planned)
        except ValueProblemError as error:
            self.refuse(entry.at, str(error))

    def _package(self, urn: Urn, state: Mapping[str, Any]) -> str:
        provider = text_in(state, "provider")
        used = Urn.read(provider) if provider else None
        if used is not None and used.type.startswith(PROVIDER):
            return used.type.removeprefix(PROVIDER)
        return urn.type.removeprefix(PROVIDER).partition(":")[0]

    def _provider(self, urn: Urn, state: Mapping[str, Any], package: str) -> str:
        """Address of the plugin that makes it; what no plugin makes is the engine's own."""
        if not urn.type.startswith(PROVIDER) and not is_made_by_plugin(state):
            return "pulumi.com/builtin/pulumi"
        provider = _provider_urn(state)
        named = Urn.read(provider)
        elsewhere = provider in self.elsewhere or (named is not None and bool(_ELSEWHERE.match(named.name)))
        return f"pulumi.com/{'elsewhere' if elsewhere else 'packages'}/{package}"

    def _region(self, state: Mapping[str, Any], values: Mapping[str, Any], package: str) -> str | Unknown:
        """Region of a resource: its own, its provider's, or the stack's; empty when nobody says."""
        cloud = _CLOUDS.get(package, "")
        inputs = state.get("inputs")
        written = inputs if isinstance(inputs, dict) else {}
        names = ("region",) if cloud == "aws" else REGION_ATTRIBUTES.get(cloud, ())
        # What nobody set and nobody knows follows the provider's region.
        known = {
            name: values[name]
            for name in names
            if name in values and (values[name] is not UNKNOWN or name in written)
        }
        own: object = known.get("region") if cloud == "aws" else own_region(cloud, known)
        if own is UNKNOWN:
            return UNKNOWN
        if isinstance(own, str) and own:
            return own
        if cloud not in ("aws", "google"):
            return ""
        provider = _provider_urn(state)
        if provider in self.regions:
            found: str | Unknown = self.regions[provider]
            return found
        configured: str = self.config.get(f"{package}:region", "")
        return UNKNOWN if configured == HIDDEN else configured

    def _remember(
        self,
        native_type: str,
        found: Found,
        going: Found,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """Keep every secret: those that are marked, and those that their name gives away."""
        self.secrets |= found.secrets | going.secrets
        for values in (before, after):
            if values is None:
                continue
            plain = {_HUMP.sub("_", key).lower(): value for key, value in values.items()}
            self.secrets |= named_secrets("", plain)
            for name in _SECRETS_BY_TYPE.get(native_type, frozenset()) & values.keys():
                self.secrets |= leaves(values[name])


def is_made_by_plugin(state: Mapping[str, Any]) -> bool:
    """Whether a resource is a real object, rather than a component, which only groups others."""
    return state.get("custom") is True or bool(text_in(state, "id")) or state.get("external") is True


def _provider_urn(state: Mapping[str, Any]) -> str:
    """The provider's URN from a reference to it, ``<urn>::<id>``."""
    return text_in(state, "provider").rpartition("::")[0]


def _identified(values: dict[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the id that the provider gave."""
    name = text_in(state, "id")
    if not name or "id" in values:
        return values
    return {**values, "id": UNKNOWN if is_unknown_text(name) else name}


def _location(state: Mapping[str, Any]) -> Location | None:
    """Where the program registers the resource, as newer engines say."""
    match = _SOURCE_POSITION.fullmatch(text_in(state, "sourcePosition"))
    if match is None:
        return None
    return Location(file=match[1], line=int(match[2]), column=int(match[3] or 0))
