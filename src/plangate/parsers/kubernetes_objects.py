"""The objects in Kubernetes documents: lists and admission reviews opened up, each object with its place.

Rules this module keeps:
1. Every document is an object with ``apiVersion`` and ``kind``, or all of the input is refused.
2. Every kind of list is opened, as ``kubectl`` opens it; an item that is no object is refused. Whatever has ``items``
   is a list to ``kubectl``, which then applies the items and nothing else, while the API takes it for what its kind
   says: where the kind is not a list's, both are judged.
3. A kustomization that changes what it takes from elsewhere is not the objects that come out of it, and says so.
4. An admission review says what is done to its object. An operation that it does not know is refused.

Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from msgspec import Struct

from plangate.errors import PlanParseError
from plangate.model.plan import Action
from plangate.model.values import pointer
from plangate.parsers.base import Documents, Limits

REVIEW: Final = "AdmissionReview"
_REVIEW_GROUP: Final = "admission.k8s.io/"
_LIST: Final = "List"
_ACTIONS: Final = {
    "CREATE": Action.CREATE,
    "UPDATE": Action.UPDATE,
    "DELETE": Action.DELETE,
    "CONNECT": Action.CREATE,
}
CONNECT: Final = "CONNECT"
_KUSTOMIZE: Final = "kustomize.config.k8s.io/v1beta1"
_UNCHANGING: Final = frozenset({
    "apiVersion", "kind", "metadata", "resources", "bases", "crds", "openapi", "configMapGenerator", "secretGenerator",
    "generatorOptions", "commonLabels", "commonAnnotations", "labels", "namePrefix", "nameSuffix", "namespace",
    "buildMetadata", "sortOptions",
})  # fmt: skip
_ELSEWHERE: Final = re.compile(
    r"://|^[^/]{1,200}@|\?ref=|^git::|^(?:github|gitlab)\.com/|^bitbucket\.org/|^/|(?:^|/)\.\.(?:/|$)"
)
"""What a kustomization takes that does not lie beside it or below: nobody says that it is judged too."""
_DEFAULT: Final = "default"
_CHANGING: Final = frozenset({
    "patches", "patchesJson6902", "patchesStrategicMerge", "replacements", "images", "replicas", "components", "vars",
    "transformers", "generators", "helmCharts", "helmChartInflationGenerator", "configurations", "validators",
    "helmGlobals",
})  # fmt: skip
"""https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/"""


class Entry(Struct, frozen=True, kw_only=True):
    """One object and what is done to it.

    Attributes:
        before: The object that is there; ``None`` when there is none or it is not told.
        after: The object as it will be; ``None`` when it goes.
        document: Number of the document, from 0.
        at: JSON Pointer of the object in it.
        namespace: Where the review says that it is; empty when the object alone speaks.
        opaque: What a review is about that is no change of an object; empty for a change.
    """

    action: Action
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    document: int
    at: str
    namespace: str = ""
    opaque: str = ""

    @property
    def shown(self) -> Mapping[str, Any]:
        """The object as it will be, or as it was."""
        return self.after if self.after is not None else self.before or {}


class Complaints:
    """Refuses documents, with the line and column of what is wrong."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def refuse(self, document: int, at: str, problem: str, *, hint: str = "") -> NoReturn:
        """Refuse for what stands at a JSON Pointer of a document, or else for what holds it."""
        places, path = self._documents.places[document], at
        line, column = places.at(path)
        while not line and path:
            path = path.rpartition("/")[0]
            line, column = places.at(path)
        where = f"line {line} column {column}" if line else at
        raise PlanParseError(self._documents.source.name, problem, at=where, hint=hint)


def is_object(value: Any) -> bool:
    """Whether a value has the two members by which every Kubernetes object says what it is."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("apiVersion"), str)
        and isinstance(value.get("kind"), str)
        and value["apiVersion"] != ""
        and value["kind"] != ""
    )


def is_kustomization(value: Any) -> bool:
    """Whether a value is a kustomization that says nothing of its kind, which it need not."""
    return (
        isinstance(value, dict)
        and "kind" not in value
        and (not _CHANGING.isdisjoint(value) or _takes_from_elsewhere(value))
        and value.keys() <= _UNCHANGING | _CHANGING
        # The values of a chart have some of these names as well, for numbers and objects.
        and all(isinstance(item, list) for key, item in value.items() if key in _CHANGING - {"helmGlobals"})
    )


def entries(documents: Documents, limits: Limits) -> list[Entry]:
    """Every object of the documents, in order.

    Raises:
        PlanParseError: A document or an item is no object, a review is not one, or there are too many.
    """
    complaints = Complaints(documents)
    found: list[Entry] = []
    for number, value in enumerate(documents.values):
        for entry in _opened(value, "", number, complaints):
            found.append(entry)
            if len(found) > limits.max_resources:
                complaints.refuse(number, entry.at, f"more than {limits.max_resources} objects")
    return found


def _opened(value: Any, at: str, document: int, complaints: Complaints) -> Iterator[Entry]:
    """The objects of one value. Recursion is as deep as lists are nested, which reading has bounded."""
    if is_kustomization(value):
        value = {"apiVersion": _KUSTOMIZE, "kind": "Kustomization", **value}
    if not is_object(value):
        problem = "not a Kubernetes object (expected apiVersion and kind, as in the other documents)"
        complaints.refuse(document, at, problem, hint="check what is no manifest by itself")
    if value["kind"] == REVIEW and value["apiVersion"].startswith(_REVIEW_GROUP):
        yield _reviewed(value, at, document, complaints)
        return
    has_items = isinstance(value.get("items"), list)
    if not _is_named_list(value, has_items=has_items):
        yield Entry(
            action=Action.CREATE, before=None, after=value, document=document, at=at, opaque=_changed(value)
        )
    elif not has_items and value.get("items") is not None:
        complaints.refuse(document, f"{at}/items", "items is not a list")
    if has_items:
        yield from _items(value, at, document, complaints)


def _changed(value: Mapping[str, Any]) -> str:
    """What a kustomization does to other objects; empty for anything else."""
    if not value["apiVersion"].startswith("kustomize.config.k8s.io/"):
        return ""
    listed = sorted(key for key in value if key not in _UNCHANGING and value[key])
    if _takes_from_elsewhere(value):
        listed.append("resources from elsewhere")
    if value.get("namespace") == _DEFAULT:
        listed.append("namespace")
    if not listed:
        return ""
    return f"its {', '.join(listed)[:200]} take effect only in what `kubectl kustomize` makes of it"


def _takes_from_elsewhere(value: Mapping[str, Any]) -> bool:
    listed = [value[key] for key in ("resources", "bases") if isinstance(value.get(key), list)]
    return any(isinstance(item, str) and _ELSEWHERE.search(item) for items in listed for item in items)


def _is_named_list(value: Mapping[str, Any], *, has_items: bool) -> bool:
    kind: str = value["kind"]
    return (kind == _LIST and value["apiVersion"] == "v1") or (kind.endswith(_LIST) and has_items)


def _items(value: Mapping[str, Any], at: str, document: int, complaints: Complaints) -> Iterator[Entry]:
    item_kind = value["kind"].removesuffix(_LIST)
    for index, item in enumerate(value["items"]):
        # A typed list leaves out of its items what it says itself.
        whole = item
        if item_kind and isinstance(item, dict) and "kind" not in item:
            whole = {"apiVersion": value["apiVersion"], "kind": item_kind, **item}
        yield from _opened(whole, f"{at}/items/{index}", document, complaints)


def _reviewed(value: Mapping[str, Any], at: str, document: int, complaints: Complaints) -> Entry:
    request = value.get("request")
    if not isinstance(request, dict):
        complaints.refuse(document, f"{at}/request", "an admission review without a request")
    operation = request.get("operation")
    action = _ACTIONS.get(operation) if isinstance(operation, str) else None
    if action is None:
        problem = f"unknown operation {operation!r:.40} (known: {', '.join(_ACTIONS)})"
        complaints.refuse(document, f"{at}/request/operation", problem)
    before = _side(request, "oldObject", at, document, complaints)
    after = _side(request, "object", at, document, complaints)
    if action is Action.DELETE:
        # What is there counts; some versions of the API send the options of the deletion as the object.
        after = None
    if (before if action is Action.DELETE else after) is None:
        complaints.refuse(document, f"{at}/request", f"a {operation} without the object that it is about")
    if action is Action.CREATE:
        before = None
    shown, side = (before, "oldObject") if after is None else (after, "object")
    said = request.get("kind")
    if isinstance(said, dict) and shown is not None:
        _check_kind(said, shown, complaints, document, f"{at}/request/{side}")
    namespace = request.get("namespace")
    return Entry(
        action=action,
        before=before,
        after=after,
        document=document,
        at=f"{at}/request/{side}",
        namespace=namespace if isinstance(namespace, str) else "",
        opaque=_connection(request) if operation == CONNECT else "",
    )


def _side(
    request: Mapping[str, Any], side: str, at: str, document: int, complaints: Complaints
) -> Mapping[str, Any] | None:
    value = request.get(side)
    # Reviews that went through Python's str() have this for null.
    if value is None or value == "None":
        return None
    said = request.get("kind")
    if isinstance(value, dict) and "kind" not in value and isinstance(said, dict):
        group, version = said.get("group") or "", said.get("version") or ""
        value = {"apiVersion": f"{group}/{version}" if group else version, "kind": said.get("kind"), **value}
    if not is_object(value):
        complaints.refuse(document, f"{at}/request/{side}", "not a Kubernetes object")
    checked: Mapping[str, Any] = value
    return checked


def _check_kind(
    said: Mapping[str, Any], shown: Mapping[str, Any], complaints: Complaints, document: int, at: str
) -> None:
    group, version, kind = said.get("group") or "", said.get("version"), said.get("kind")
    named = f"{group}/{version}" if group else version
    if isinstance(version, str) and (named, kind) != (shown["apiVersion"], shown["kind"]):
        problem = f"a {shown['apiVersion']} {shown['kind']} in a review of a {named} {kind}"
        complaints.refuse(document, at, problem[:300])


def _connection(request: Mapping[str, Any]) -> str:
    resource = request.get("resource")
    what = resource.get("resource") if isinstance(resource, dict) else None
    below = request.get("subResource")
    return (
        f"a connection to {what!s:.100}{pointer(below)[:100] if isinstance(below, str) else ''} is no change"
    )
