"""What applying manifests would make of a cluster, as its API server says it: nothing is changed.

Rules this module keeps:
1. Every object is read, and dry-run by the server, with its defaults and its webhooks.
2. A value that two dry runs disagree on, or that the server says it makes up, is known only after apply.
3. A conflict with another field manager is a refusal that names it, and is never forced.
4. All problems are told, not only the first one.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from msgspec import Struct

from plangate.errors import CannotDecideError
from plangate.executor.kubernetes.connection import FIELD_MANAGER, Cluster, ClusterRefusedError
from plangate.executor.kubernetes.document import (
    SCHEMA,
    ClusterPlan,
    PlannedObject,
    differences,
    members,
    owners,
    settled,
    without,
)

CONFLICT: Final = "FieldManagerConflict"
NO_OP: Final = "no-op"
DEFINITION: Final = "CustomResourceDefinition"
_NAMESPACE: Final = "Namespace"
_SERVERS_OWN: Final = ("managedFields", "resourceVersion", "uid")
TRIES: Final = 8
PAUSE_S: Final = 0.1
"""After a try; a controller that writes the status comes in between."""
_ASKERS: Final = 8
_MAX_TOLD: Final = 50
_MAX_FIELDS: Final = 20
_STEPS: Final = (
    (DEFINITION,),
    (_NAMESPACE,),
    ("PriorityClass", "RuntimeClass", "StorageClass", "LimitRange", "ResourceQuota", "NetworkPolicy"),
    ("ServiceAccount",),
    ("ClusterRole", "Role"),
    ("ClusterRoleBinding", "RoleBinding"),
    ("Secret", "ConfigMap", "PersistentVolume", "PersistentVolumeClaim"),
    ("Service",),
)
_LAST: Final = (
    "APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
)  # fmt: skip
"""What changes how everything else is admitted, or needs it to be running."""
_STEP_OF: Final = {kind: step for step, kinds in enumerate(_STEPS) for kind in kinds} | dict.fromkeys(
    _LAST, len(_STEPS) + 1
)


class Wanted(Struct, frozen=True, kw_only=True):
    """One manifest.

    Attributes:
        address: For people.
        file: Where it is written.
        line: From 1; 0 when not known.
        manifest: As written.
    """

    address: str
    file: str
    line: int
    manifest: dict[str, Any]

    @classmethod
    def of(cls, planned: PlannedObject) -> "Wanted":
        """The manifest of a plan's object."""
        return cls(address=planned.address, file=planned.file, line=planned.line, manifest=planned.manifest)

    @property
    def type(self) -> tuple[str, str]:
        """``apiVersion`` and ``kind``."""
        return self.manifest["apiVersion"], self.manifest["kind"]

    @property
    def name(self) -> str:
        """Its name; empty when it has none."""
        return str((self.manifest.get("metadata") or {}).get("name") or "")

    @property
    def namespace(self) -> str:
        """The namespace that it says itself; empty when it says none."""
        return str((self.manifest.get("metadata") or {}).get("namespace") or "")

    def told(self, problem: str) -> str:
        """A problem with it, for people."""
        return (
            f"{self.file}:{self.line}: {self.address}: {problem}" if self.line else f"{self.file}: {problem}"
        )


def step_of(version: str, kind: str) -> int:
    """When objects of a type are applied: what others need comes first."""
    group = version.rpartition("/")[0]
    own = "." not in group or group.endswith(".k8s.io")
    return _STEP_OF.get(kind, len(_STEPS)) if own else len(_STEPS)


def first_stage(cluster: Cluster, wanted: Sequence[Wanted]) -> list[Wanted]:
    """The definitions and namespaces among these without which the server cannot dry-run the others.

    Returns:
        None when it can. Everything else has to wait until these are there.
    """
    made = {each.name for each in wanted if each.type == ("v1", _NAMESPACE)}
    defined = {kind for each in wanted if each.type[1] == DEFINITION for kind in _defined_by(each.manifest)}
    for each in wanted:
        version, kind = each.type
        if cluster.type_of(version, kind) is None and (version.rpartition("/")[0], kind) in defined:
            break
        namespace = each.namespace or cluster.namespace
        if namespace in made and cluster.read(f"/api/v1/namespaces/{namespace}") is None:
            break
    else:
        return []
    return [each for each in wanted if each.type == ("v1", _NAMESPACE) or each.type[1] == DEFINITION]


def _defined_by(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spec = definition.get("spec")
    names = spec.get("names") if isinstance(spec, Mapping) else None
    if isinstance(spec, Mapping) and isinstance(names, Mapping):
        yield str(spec.get("group")), str(names.get("kind"))


def foresee(
    cluster: Cluster,
    wanted: Sequence[Wanted],
    *,
    scrub: Callable[[str], str],
    progress: Callable[[str], None],
) -> ClusterPlan:
    """The plan of applying these manifests, in the order in which they are applied.

    Args:
        cluster: Says what would become of them.
        wanted: The manifests, in any order.
        scrub: Removes their secrets from what the server says.
        progress: Told what is going on.

    Raises:
        CannotDecideError: The server refuses one, another manager owns a field of one, or it cannot be asked.
    """
    problems: list[str] = []
    planned: dict[str, PlannedObject] = {}
    in_order = sorted(wanted, key=lambda each: step_of(*each.type))
    # Before there are several askers: whoever is not let in, or runs a program to be let in, does so once.
    version, identity = cluster.version(), cluster.identity()
    progress(f"asking the API server what it would store of {len(in_order)} objects")
    for each, found in zip(in_order, foreseen_all(cluster, in_order), strict=True):
        if isinstance(found, CannotDecideError):
            if isinstance(found, ClusterRefusedError) and not found.status:
                raise CannotDecideError(scrub(str(found))) from found
            problems.append(each.told(scrub(refusal(found))))
            continue
        if found.path in planned:
            problems.append(each.told(f"comes twice (the first one: {planned[found.path].file})"))
        planned[found.path] = found
    if problems:
        raise CannotDecideError(_told(problems))
    return ClusterPlan(
        schema=SCHEMA,
        id=secrets.token_hex(16),
        server=cluster.url,
        server_version=version,
        cluster=identity,
        field_manager=FIELD_MANAGER,
        objects=tuple(planned.values()),
    )


def _told(problems: Sequence[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    more = len(problems) - _MAX_TOLD
    listed = [*problems[:_MAX_TOLD], *([f"and {more} more"] if more > 0 else [])]
    return f"{len(problems)} objects cannot be applied: {'; '.join(listed)}"


def refusal(error: CannotDecideError) -> str:
    """Why an object cannot be applied; of a conflict, which manager has which fields."""
    if not isinstance(error, ClusterRefusedError):
        return str(error)
    held: dict[str, list[str]] = {}
    for cause in error.causes:
        if cause.reason == CONFLICT:
            held.setdefault(cause.message.removeprefix("conflict with "), []).append(cause.field)
    if not held:
        return f"the API server refuses it: {' '.join(str(error).split())[:1000]}"
    listed = [
        f"field manager {manager} has {', '.join(fields[:_MAX_FIELDS])}"
        + (f" and {len(fields) - _MAX_FIELDS} more" if len(fields) > _MAX_FIELDS else "")
        for manager, fields in held.items()
    ]
    return f"conflict: {'; '.join(listed)} (plangate takes no field away from another manager)"


def _resolve(cluster: Cluster, each: Wanted) -> tuple[str, dict[str, Any], str]:
    """The address of a manifest's object, the manifest with its namespace, and the object's path.

    Raises:
        CannotDecideError: The server has no such type, or nothing could be applied by its name.
    """
    version, kind = each.type
    found = cluster.type_of(version, kind)
    if found is None:
        raise CannotDecideError(f"the API server has no type {version} {kind}")
    if not {"get", "patch"} <= found.verbs:
        raise CannotDecideError(f"a {version} {kind} cannot be applied")
    if not each.name:
        raise CannotDecideError("it has no metadata.name, by which alone it could be applied twice")
    for key in _SERVERS_OWN:
        if key in each.manifest["metadata"]:
            raise CannotDecideError(f"metadata.{key} is the server's to write; take it out of the manifest")
    if not found.namespaced:
        return each.address, each.manifest, found.path("", each.name)
    namespace = each.namespace or cluster.namespace
    metadata = {**each.manifest["metadata"], "namespace": namespace}
    kind, _, name = each.address.partition("/")
    address = each.address if each.namespace else f"{kind}/{namespace}/{name}"
    return address, {**each.manifest, "metadata": metadata}, found.path(namespace, each.name)


def foreseen_all(cluster: Cluster, wanted: Sequence[Wanted]) -> list[PlannedObject | CannotDecideError]:
    """What applying each manifest would do now, or why that cannot be said; several are asked for at once."""

    def one(each: Wanted) -> PlannedObject | CannotDecideError:
        try:
            return _foreseen(cluster, each)
        except CannotDecideError as error:
            return error

    pool = ThreadPoolExecutor(_ASKERS)
    try:
        return list(pool.map(one, wanted))
    finally:
        # All of them are gone before anybody forks.
        pool.shutdown(wait=True, cancel_futures=True)


def _foreseen(cluster: Cluster, each: Wanted) -> PlannedObject:
    address, manifest, path = _resolve(cluster, each)
    for attempt in range(TRIES):
        time.sleep(PAUSE_S * attempt)
        live = cluster.read(path)
        if live is not None and live.get("metadata", {}).get("deletionTimestamp"):
            raise CannotDecideError("it is being deleted")
        stored = cluster.apply(path, manifest, dry_run=True).object
        if version_of(stored) == version_of(live or {}):
            break
    else:
        raise CannotDecideError("it changes faster than it can be read")
    before = None if live is None else settled(live)
    after = settled(stored)
    ownership = live is not None and owners(live) != owners(stored)
    change = "create" if before is None else "update" if before != after or ownership else NO_OP
    unknown: tuple[str, ...] = ()
    if change != NO_OP:
        again = settled(cluster.apply(path, manifest, dry_run=True).object)
        unknown = members([*differences(after, again), *_made_up(manifest, before or {}, after)])
    return PlannedObject(
        address=address,
        path=path,
        file=each.file,
        line=each.line,
        manifest=manifest,
        uid=version_of(live or {})[0],
        resource_version=version_of(live or {})[1],
        before=before,
        after=without(after, unknown),
        unknown=unknown,
        change=change,
        ownership=ownership,
    )


def version_of(found: Mapping[str, Any]) -> tuple[str, str]:
    """UID and ``resourceVersion`` of an object that is there; two empty texts for one that would be made."""
    metadata = found.get("metadata", {})
    version = str(metadata.get("resourceVersion") or "")
    return (str(metadata.get("uid") or ""), version) if version else ("", "")


def _made_up(
    manifest: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str | int, ...]]:
    """Addresses and ports of a Service that nobody chose: a dry run shows some of its own.

    Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#generated-values
    """
    if (after.get("apiVersion"), after.get("kind")) != ("v1", "Service"):
        return
    known = [spec for side in (manifest, before) if isinstance(spec := side.get("spec"), Mapping)]
    spec = after.get("spec", {})
    for key in ("clusterIP", "clusterIPs", "healthCheckNodePort"):
        if key in spec and not any(key in side for side in known):
            yield "spec", key
    ports = {port.get("nodePort") for side in known for port in side.get("ports") or ()}
    for index, port in enumerate(spec.get("ports") or ()):
        if "nodePort" in port and port["nodePort"] not in ports:
            yield "spec", "ports", index, "nodePort"
