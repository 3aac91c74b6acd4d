"""Kubernetes manifests to the normalized plan: YAML and JSON, lists, admission reviews, rendered charts.

Rules this module keeps:
1. An object is created, unless an admission review says what else is done to it.
2. One that comes twice is there twice, and judged twice: whoever applies the input applies both. The second one's
   address ends in ``#2``.
3. An object of a type that nobody knows here, and that runs containers, makes the plan not fully read.
4. A type of Kubernetes itself that has an adapter, in a version that has none, makes the plan not fully read.
5. A template that has not been rendered is refused, and so is a specification that is no object.
6. What secrets hold is marked and remembered.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeAlias

from plangate.facts.kubernetes_types import (
    CLUSTER_WIDE,
    CONFIG_MAPS,
    MODELLED,
    SECRETS,
    SERVICES,
    WORKLOADS,
    inside,
    is_unreadable,
)
from plangate.model.plan import Location, Plan, Resource, Source
from plangate.model.values import pointer
from plangate.parsers.base import Documents, Format, Limits, Options, Places
from plangate.parsers.kubernetes_objects import Complaints, Entry, entries, is_kustomization, is_object
from plangate.parsers.kubernetes_secrets import secrets_of

ID: Final = "kubernetes"
PROVIDER: Final = "kubernetes"
MAX_NAME_CHARS: Final = 512
MAX_PLACE_COST: Final = 100_000_000
"""Objects times bytes of one document, up to which their attributes get places: finding one may read all of it."""
_UNNAMED: Final = "(unnamed)"
_NOT_IN_A_NAME: Final = re.compile(r"[\s/%\[\]#\"\\\x00-\x1f]")
_TEMPLATE: Final = re.compile(
    r"\{\{-?\s{0,20}(?:\.Values|\.Release|\.Chart|\.Capabilities|\.Template|include\s|template\s|toYaml\s|if\s|range\s)"
)
_TEMPLATE_HINT: Final = "render it first, e.g. with `helm template`, and check the output"
_CONTAINERS: Final = frozenset({
    "container", "containers", "initContainers", "ephemeralContainers", "sidecars", "script", "containerTemplate",
})  # fmt: skip
_FREE_TEXT: Final = frozenset({"data", "stringData", "binaryData", "annotations", "args", "command", "env"})
"""Members that may hold a template on purpose."""


def recognizes(values: Sequence[Any]) -> bool:
    """Whether any document is a Kubernetes object. One among others that are none is for `parse` to refuse."""
    return any(is_object(value) or is_kustomization(value) for value in values)


def parse(documents: Documents, _options: Options, limits: Limits) -> Plan:
    """Manifests as a plan that creates them.

    Raises:
        PlanParseError: Not all of it is Kubernetes objects, or one is not fully understood; names the place.
    """
    found = entries(documents, limits)
    reader = Reader(documents, found)
    resources = tuple(reader.resource(entry) for entry in found)
    source = documents.source
    return Plan(
        source=Source(
            name=source.name,
            format=ID,
            format_version="",
            tool="",
            sha256=source.sha256,
            size=source.size,
            media_type=source.media_type,
        ),
        resources=resources,
        providers=(PROVIDER,) if resources else (),
        opaque=tuple(reader.opaque),
        secrets=frozenset(reader.secrets),
    )


FORMAT: Final = Format(id=ID, title="Kubernetes manifests", recognizes=recognizes, parse=parse)


_Link: TypeAlias = "tuple[_Link | None, str | int]"
"""The key or index of a value, after the link of what holds it."""


class _Written(Mapping[str, Location]):
    """Places of one object's attributes, looked up when somebody asks. It does not list them."""

    def __init__(self, file: str, places: Places, prefix: str) -> None:
        self._file, self._places, self._prefix = file, places, prefix

    def __getitem__(self, path: str) -> Location:
        line, column = self._places.at(self._prefix + path)
        if not line:
            raise KeyError(path)
        return Location(file=self._file, line=line, column=column)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Reader:
    """Makes resources of the objects of one input.

    Attributes:
        secrets: What the resources so far hold of secrets.
        opaque: What of them could not be read.
    """

    def __init__(self, documents: Documents, found: Sequence[Entry]) -> None:
        self._documents = documents
        self._complaints = Complaints(documents)
        self._addresses: dict[str, int] = {}
        # A document of its own is found at once, however many there are.
        self._counts = Counter(entry.document for entry in found if entry.at)
        self._items: dict[int, Mapping[str, tuple[int, int]]] = {}
        # Without two braces, and without an escape or an encoding that could hide them, no text is a template's.
        data = documents.source.data
        self._may_be_template = any(mark in data for mark in (b"{{", b"\\", b"\0"))
        self.secrets: set[str] = set()
        self.opaque: list[str] = []

    def resource(self, entry: Entry) -> Resource:
        """One object as a planned change."""
        shown = entry.shown
        version, kind = self._type(entry)
        native_type = f"{version}/{kind}"
        self._check(entry, native_type)
        name, namespace = self._names(entry, kind)
        address = self._address(version, kind, namespace, name)
        if is_unreadable(native_type):
            self.opaque.append(
                f"{address}: a {kind} of {version} cannot be read; no version of it is known here"
            )
        if native_type not in MODELLED and entry.after is not None and _runs_containers(entry.after):
            self.opaque.append(f"{address}: a {kind} of {version} runs containers, and is not known here")
        if entry.opaque:
            self.opaque.append(f"{address}: {entry.opaque}, and cannot be judged")
        pointers: set[str] = set()
        for side in (entry.before, entry.after):
            if side is not None:
                marked, texts = secrets_of(native_type, side)
                pointers |= marked
                self.secrets |= texts
        after = _in_namespace(entry.after, namespace) if entry.namespace else entry.after
        line, column = self._place(entry)
        return Resource(
            address=address,
            type=native_type,
            name=name,
            provider=PROVIDER,
            action=entry.action,
            before=entry.before,
            after=after,
            planned=after or {},
            sensitive=tuple(sorted(pointers)),
            configured=frozenset(shown),
            location=Location(file=self._documents.source.name, line=line, column=column),
            places=self._written(entry),
        )

    def _type(self, entry: Entry) -> tuple[str, str]:
        version, kind = entry.shown["apiVersion"], entry.shown["kind"]
        for key, value in (("apiVersion", version), ("kind", kind)):
            if len(value) > MAX_NAME_CHARS or _NOT_IN_A_NAME.search(value.replace("/", "")):
                self._refuse(entry, pointer(key), f"{key} is not a name: {value!r:.60}")
        return version, kind

    def _names(self, entry: Entry, kind: str) -> tuple[str, str]:
        metadata = entry.shown.get("metadata")
        if metadata is not None and not isinstance(metadata, dict):
            self._refuse(entry, "/metadata", "metadata is not an object")
        name = self._name(entry, "name")
        prefix = self._name(entry, "generateName")
        namespace = self._name(entry, "namespace") or ("" if kind in CLUSTER_WIDE else entry.namespace)
        return name or (f"{prefix}*" if prefix else _UNNAMED), namespace

    def _name(self, entry: Entry, key: str) -> str:
        value = inside(entry.shown, "metadata", key)
        if value is None:
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or len(value) > MAX_NAME_CHARS or _NOT_IN_A_NAME.search(value):
            self._refuse(entry, f"/metadata/{key}", f"{key} is not a name: {value!r:.60}")
        return value

    def _address(self, version: str, kind: str, namespace: str, name: str) -> str:
        group = version.rpartition("/")[0]
        own = "." not in group or group.endswith(".k8s.io")
        parts = [kind if own else f"{kind}.{group}", *([namespace] if namespace else []), name]
        address = "/".join(parts)
        count = self._addresses[address] = self._addresses.get(address, 0) + 1
        return address if count == 1 else f"{address}#{count}"

    def _check(self, entry: Entry, native_type: str) -> None:
        """Refuse what is not rendered, and a type that we read without the object that its facts are in."""
        if native_type not in MODELLED:
            return
        for side in (entry.before, entry.after):
            if side is None:
                continue
            found = _template(side) if self._may_be_template else None
            if found is not None:
                self._refuse(entry, found, "a template that has not been rendered", hint=_TEMPLATE_HINT)
            self._check_shape(entry, native_type, side)

    def _check_shape(self, entry: Entry, native_type: str, value: Mapping[str, Any]) -> None:
        way = WORKLOADS.get(native_type, ("spec",) if "spec" in value else ())
        held: Any = value
        for depth, key in enumerate(way):
            held = held.get(key)
            if held is None:
                break
            if not isinstance(held, dict):
                at = pointer(*way[: depth + 1])
                self._refuse(entry, at, f"{key} is {_named(held)} (expected an object)")
        if native_type in SECRETS or native_type in CONFIG_MAPS:
            for key in ("data", "stringData"):
                if not isinstance(value.get(key), dict | None):
                    self._refuse(entry, pointer(key), f"{key} is {_named(value[key])} (expected an object)")
        if native_type in SERVICES:
            self._check_ports(entry, value)

    def _check_ports(self, entry: Entry, value: Mapping[str, Any]) -> None:
        listed = inside(value, "spec", "ports")
        for index, item in enumerate(listed) if isinstance(listed, list) else ():
            port = inside(item, "port")
            if port is not None and (not isinstance(port, int) or isinstance(port, bool)):
                at = f"/spec/ports/{index}/port"
                self._refuse(entry, at, f"port is {_named(port)} (expected a whole number)")

    def _place(self, entry: Entry) -> tuple[int, int]:
        """Where an object begins; in a document with too many, where the item begins that it is in."""
        places = self._documents.places[entry.document]
        if not entry.at or not self._is_costly(entry.document):
            return places.at(entry.at)
        if entry.document not in self._items:
            self._items[entry.document] = places.below("/items")
        return self._items[entry.document].get(entry.at.split("/")[2], (0, 0))

    def _written(self, entry: Entry) -> Mapping[str, Location]:
        if self._is_costly(entry.document):
            return {}
        return _Written(self._documents.source.name, self._documents.places[entry.document], entry.at)

    def _is_costly(self, document: int) -> bool:
        return self._counts[document] * len(self._documents.source.data) > MAX_PLACE_COST

    def _refuse(self, entry: Entry, at: str, problem: str, *, hint: str = "") -> NoReturn:
        self._complaints.refuse(entry.document, entry.at + at, problem, hint=hint)


def _in_namespace(value: Mapping[str, Any] | None, namespace: str) -> Mapping[str, Any] | None:
    """The object with the namespace of its request, as the API server fills it in before anybody judges."""
    if value is None or not namespace:
        return value
    metadata = value.get("metadata") or {}
    return value if metadata.get("namespace") else {**value, "metadata": {**metadata, "namespace": namespace}}


def _runs_containers(value: Mapping[str, Any]) -> bool:
    """Whether somewhere in an object of a type that has no adapter stands a container with its image."""
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            for key, below in item.items():
                if key in _CONTAINERS and any(
                    isinstance(each, dict) and isinstance(each.get("image"), str)
                    for each in (below if isinstance(below, list) else [below])
                ):
                    return True
            pending += item.values()
    return False


def _template(value: Mapping[str, Any]) -> str | None:
    """JSON Pointer of a text that is a template's, where none is meant to be.

    Each value keeps a link to what holds it: pointers for all of them would grow with the length of keys times the
    number of values below.
    """
    pending: list[tuple[Any, _Link | None]] = [(value, None)]
    while pending:
        item, link = pending.pop()
        if isinstance(item, dict):
            pending += [(below, (link, key)) for key, below in item.items() if key not in _FREE_TEXT]
        elif isinstance(item, list):
            pending += [(below, (link, index)) for index, below in enumerate(item)]
        elif isinstance(item, str) and "{{" in item and _TEMPLATE.search(item):
            return _pointed(link)
    return None


def _pointed(link: "_Link | None") -> str:
    tokens: list[str | int] = []
    while link is not None:
        link, token = link
        tokens.append(token)
    return pointer(*reversed(tokens))


def _named(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {"dict": "an object", "list": "a list", "str": "text", "bool": "true or false"}
    return names.get(type(value).__name__, "a number")
