"""Everything that runs pods: its containers, with what the pod says for all of them applied as Kubernetes does.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from plangate.facts.base import Adapter, Native, Raw, Values, flag, text
from plangate.facts.containers import (
    Container,
    Names,
    capabilities,
    container,
    limited,
    looks_secret,
    sounds_secret,
    user_id,
)
from plangate.facts.kubernetes_metadata import namespace_of
from plangate.facts.kubernetes_pod_security import violations
from plangate.facts.kubernetes_types import CONTAINER_LISTS, WORKLOADS, containers_in, inside
from plangate.model.values import UNKNOWN, AllUnknown, Unknown, any_of, pointer

_PLAIN: Final = {"name", "value"}
DOCS: Final = "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/"


def _adapt(way: tuple[str, ...]) -> Any:
    def adapt(native: Native) -> dict[str, Any]:
        spec = inside(native.values, *way)
        # A template without a spec is refused by the cluster. Nothing is known of it, rather than nothing wrong.
        known: Values = spec if isinstance(spec, Mapping) else AllUnknown()
        metadata = inside(native.values, *way[:-1], "metadata")
        return {
            **pod_facts(known, pointer(*way), metadata, pointer(*way[:-1], "metadata")),
            "namespace": namespace_of(native.values),
        }

    return adapt


def pod_facts(spec: Values, at: str, metadata: Raw, metadata_at: str) -> dict[str, Any]:
    """Facts of a pod's spec, all but the namespace.

    Args:
        spec: The spec, or the one of a template.
        at: JSON Pointer of the spec.
        metadata: Of the pod, or of the template.
        metadata_at: JSON Pointer of it.
    """
    return {
        "containers": _containers(spec, at),
        "host_network": flag(spec.get("hostNetwork"), default=False),
        "host_pid": flag(spec.get("hostPID"), default=False),
        "host_ipc": flag(spec.get("hostIPC"), default=False),
        "host_paths": _host_paths(spec.get("volumes"), f"{at}/volumes"),
        "service_account": _service_account(spec),
        # The account has the word where the pod is silent, and it may be another one than the plan shows.
        "token_mounted": flag(spec.get("automountServiceAccountToken"), default=UNKNOWN),
        "pod_security": violations(spec, at, metadata, metadata_at),
    }


def _service_account(spec: Values) -> str | Unknown:
    """The account by its new name, or else by its old one, which the cluster still reads."""
    for key in ("serviceAccountName", "serviceAccount"):
        name = text(spec.get(key))
        if name is UNKNOWN or name != "":
            return name
    return "default"


def _containers(spec: Values, at: str) -> tuple[Container, ...] | Unknown:
    if isinstance(spec, AllUnknown):
        return UNKNOWN
    return tuple(_container(values, spec, path, at, role) for role, values, path in containers_in(spec, at))


class _Settings:
    """The security context of a container over that of its pod."""

    def __init__(self, own: Raw, own_at: str, shared: Raw, shared_at: str) -> None:
        self._own, self._own_at, self._shared, self._shared_at = own, own_at, shared, shared_at
        self.at: dict[str, str] = {}

    def own(self, fact: str, *keys: str) -> Raw:
        """What only the container can say."""
        value = inside(self._own, *keys)
        if value is not None and self._own is not UNKNOWN:
            self.at[fact] = self._own_at + pointer(*keys)
        return value

    def effective(self, fact: str, *keys: str) -> Raw:
        """What the container says, or else the pod.

        Source: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
        """
        value = self.own(fact, *keys)
        if value is not None:
            return value
        value = inside(self._shared, *keys)
        if value is not None and self._shared is not UNKNOWN:
            self.at[fact] = self._shared_at + pointer(*keys)
        return value


def _container(item: Values, spec: Values, path: str, at: str, role: str) -> Container:
    context = _Settings(
        item.get("securityContext"),
        f"{path}/securityContext",
        spec.get("securityContext"),
        f"{at}/securityContext",
    )
    privileged = flag(context.own("privileged", "privileged"), default=False)
    added = capabilities(context.own("added_capabilities", "capabilities", "add"))
    # Privileged containers, and those with SYS_ADMIN, may always gain more.
    escalation = any_of(
        [
            flag(context.own("privilege_escalation", "allowPrivilegeEscalation"), default=True),
            privileged,
            UNKNOWN if added is UNKNOWN else "SYS_ADMIN" in added,
        ]
    )
    non_root = context.effective("run_as_non_root", "runAsNonRoot")
    name = item.get("name")
    if item.get("image") is not None:
        context.at["image"] = f"{path}/image"
    if item.get("resources") is not None:
        context.at["limits"] = f"{path}/resources"
    return container(
        name=name if isinstance(name, str) and name else _number(path),
        path=path,
        role=role,
        image=item.get("image"),
        privileged=privileged,
        host_process=flag(context.effective("host_process", "windowsOptions", "hostProcess"), default=False),
        privilege_escalation=escalation,
        run_as_non_root=None if non_root is None else flag(non_root, default=UNKNOWN),
        run_as_user=user_id(context.effective("run_as_user", "runAsUser")),
        read_only_root=flag(context.own("read_only_root", "readOnlyRootFilesystem"), default=False),
        added_capabilities=added,
        dropped_capabilities=capabilities(context.own("dropped_capabilities", "capabilities", "drop")),
        limits=_limits(item, spec),
        secrets_in_env=_secrets_in_env(item, path),
        at=context.at,
    )


def _number(path: str) -> str:
    """What to call a container that has no name: its number, if it has one."""
    last = path.rpartition("/")[2]
    return last if last.isdecimal() else "(not known)"


def _limits(item: Values, spec: Values) -> Names:
    """Resources that are limited for the container, or for its pod as a whole.

    Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
    """
    found: set[str] = set()
    for holder in (item, spec):
        limits = inside(holder.get("resources"), "limits")
        if limits is None:
            continue
        if not isinstance(limits, Mapping) or isinstance(limits, AllUnknown):
            return UNKNOWN
        if any(value is UNKNOWN for value in limits.values()):
            return UNKNOWN
        found |= limited(limits.items())
    return tuple(sorted(found))


def _host_paths(volumes: Raw, at: str) -> tuple[Mapping[str, Any], ...] | Unknown:
    if volumes is None:
        return ()
    if not isinstance(volumes, list | tuple):
        return UNKNOWN
    found: list[Mapping[str, Any]] = []
    for index, volume in enumerate(volumes):
        if not isinstance(volume, Mapping):
            return UNKNOWN
        mounted = volume.get("hostPath")
        if mounted is not None:
            source = inside(mounted, "path")
            path = f"{at}/{index}/hostPath"
            found.append({"source": source if isinstance(source, str) else UNKNOWN, "path": path})
    return tuple(found)


def _secrets_in_env(item: Values, path: str) -> tuple[Mapping[str, Any], ...] | Unknown:
    listed, whole = item.get("env"), item.get("envFrom")
    if not isinstance(listed, list | tuple | None) or not isinstance(whole, list | tuple | None):
        return UNKNOWN
    found: list[Mapping[str, Any]] = []
    for index, variable in enumerate(listed or ()):
        if _is_harmless(variable):
            continue
        said = _secret_variable(variable, f"{path}/env/{index}")
        if said is UNKNOWN:
            return UNKNOWN
        found += said
    for index, source in enumerate(whole or ()):
        if not isinstance(source, Mapping):
            return UNKNOWN
        if source.get("secretRef") is not None:
            name = inside(source, "secretRef", "name")
            found.append(
                {
                    "name": name if isinstance(name, str) else UNKNOWN,
                    "path": f"{path}/envFrom/{index}/secretRef",
                    "literal": False,
                }
            )
    return tuple(found)


def _secret_variable(variable: Raw, at: str) -> list[Mapping[str, Any]] | Unknown:
    name = inside(variable, "name")
    if not isinstance(name, str):
        return UNKNOWN
    if inside(variable, "valueFrom", "secretKeyRef") is not None:
        return [{"name": name, "path": f"{at}/valueFrom/secretKeyRef", "literal": False}]
    value = inside(variable, "value")
    if value is None:
        return []
    if not isinstance(value, str):
        # Any variable may hold a secret, as part of an address for one.
        doubtful = value is UNKNOWN or sounds_secret(name)
        return [{"name": name, "path": f"{at}/value", "literal": UNKNOWN}] if doubtful else []
    return [{"name": name, "path": f"{at}/value", "literal": True}] if looks_secret(name, value) else []


def _is_harmless(variable: Raw) -> bool:
    """It is what nearly all are: a name and a text that is no secret. What is not that is looked at in full."""
    if type(variable) is not dict or variable.keys() != _PLAIN:
        return False
    name, value = variable["name"], variable["value"]
    return type(name) is str and type(value) is str and not looks_secret(name, value)


def literal_secrets(spec: Values, at: str) -> Iterator[tuple[str, str]]:
    """JSON Pointer and value of every secret that stands in a pod's environment in clear."""
    for key, _ in CONTAINER_LISTS:
        listed = spec.get(key)
        for index, item in enumerate(listed) if isinstance(listed, list) else ():
            variables = inside(item, "env")
            for number, variable in enumerate(variables) if isinstance(variables, list) else ():
                if _is_harmless(variable):
                    continue
                name, value = inside(variable, "name"), inside(variable, "value")
                if isinstance(name, str) and isinstance(value, str) and looks_secret(name, value):
                    yield f"{at}/{key}/{index}/env/{number}/value", value


ADAPTERS: Final[dict[str, Adapter]] = {
    native_type: Adapter(kind="kubernetes.workload", adapt=_adapt(way), docs=DOCS)
    for native_type, way in WORKLOADS.items()
}
"""Workloads by native type."""
