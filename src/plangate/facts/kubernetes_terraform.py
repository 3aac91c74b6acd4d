"""Objects of Kubernetes as Terraform's provider has them, read as the manifests that they become.

The provider writes ``hostPath`` as ``host_path``, ``containers`` as blocks called ``container``, and every object as a
list of one block. Turned back into a manifest each type meets the same adapter; JSON Pointers in the facts then are
those of the provider's attributes again.

NOTE: ``kubernetes_manifest`` is not among them: what it makes is in its value, and a type has one kind here.

Source: https://registry.terraform.io/providers/hashicorp/kubernetes/latest/docs
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from plangate.facts import kubernetes_access, kubernetes_network, kubernetes_pods
from plangate.facts.base import Adapt, Adapter, Native, Raw
from plangate.model.values import UNKNOWN, AllUnknown, Unknown, pointer, pointer_tokens

DOCS: Final = "https://registry.terraform.io/providers/hashicorp/kubernetes/latest/docs/resources/"

_NAMES: Final[Mapping[str, str]] = {
    "container": "containers",
    "downward_api": "downwardAPI",
    "external_ips": "externalIPs",
    "host_ipc": "hostIPC",
    "host_pid": "hostPID",
    "init_container": "initContainers",
    "non_resource_urls": "nonResourceURLs",
    "port": "ports",
    "rule": "rules",
    "subject": "subjects",
    "sysctl": "sysctls",
    "volume": "volumes",
}
"""Blocks and attributes whose name in a manifest is more than the same words joined."""

_LISTS: Final = frozenset({
    "container", "init_container", "env", "env_from", "port", "ports", "volume", "sysctl", "rule", "subject", "tls",
    "ingress", "egress", "from", "to",
})  # fmt: skip
"""Blocks of which there may be many. Of all others there is one at most."""

_MAPS: Final = frozenset(
    {"annotations", "labels", "limits", "requests", "match_labels", "node_selector", "data"}
)
"""Attributes whose keys are the author's."""

_PROBES: Final = frozenset({"liveness_probe", "readiness_probe", "startup_probe", "http_get", "tcp_socket"})
"""Blocks inside which ``port`` is one port, not the list of them."""


def manifest_of(value: Raw, name: str = "") -> Raw:
    """A value of the provider as a manifest has it. What is not known stays so.

    Args:
        value: Attribute values, or a part of them.
        name: The attribute that it is the value of; empty for a whole resource.
    """
    if isinstance(value, AllUnknown) or value is UNKNOWN:
        return value
    if isinstance(value, Mapping):
        if name in _MAPS:
            return value
        return {_name(key, name): manifest_of(item, key) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return _list(list(value), name)
    # The provider writes what is not set as empty text where the API has nothing.
    return None if value == "" else value


def _list(items: list[Any], name: str) -> Raw:
    blocks = [item for item in items if isinstance(item, Mapping)]
    if name in _LISTS:
        return [manifest_of(item, "" if name not in _PROBES else name) for item in items]
    if not items:
        return None
    if not blocks and not all(isinstance(item, Unknown) for item in items):
        return items
    if len(items) == 1:
        return manifest_of(items[0], name)
    return UNKNOWN


def _name(key: str, holder: str) -> str:
    if key == "port" and holder in _PROBES:
        return key
    first, *rest = key.split("_")
    return _NAMES.get(key) or first + "".join(word.capitalize() for word in rest)


class Places:
    """Where the attributes of a manifest stand in the provider's values.

    Args:
        values: The provider's values.
    """

    def __init__(self, values: Raw) -> None:
        self._values = values
        self._keys: dict[int, Mapping[str, str]] = {}

    def at(self, path: str) -> str:
        """JSON Pointer in the manifest → the same place in the values, or in as much of it as is there."""
        found: list[str] = []
        values, holder = self._values, ""
        for token in pointer_tokens(path):
            if isinstance(values, list | tuple) and holder not in _LISTS and values:
                found.append("0")
                values = values[0]
            if isinstance(values, list | tuple):
                found.append(token)
                values = values[int(token)] if token.isdecimal() and int(token) < len(values) else None
                holder = ""
            elif isinstance(values, Mapping):
                key = token if holder in _MAPS else self._keys_of(values, holder).get(token, token)
                found.append(key)
                values, holder = values.get(key), key
            else:
                break
        return pointer(*found)

    def relocated(self, fact: Any) -> Any:
        """A fact with its JSON Pointers turned back."""
        if isinstance(fact, tuple):
            return tuple(self.relocated(item) for item in fact)
        if not isinstance(fact, Mapping):
            return fact
        found = {key: self.relocated(item) for key, item in fact.items()}
        if isinstance(found.get("path"), str):
            found["path"] = self.at(found["path"])
        if isinstance(found.get("at"), Mapping):
            found["at"] = {key: self.at(path) for key, path in found["at"].items()}
        return found

    def _keys_of(self, values: Mapping[str, Any], holder: str) -> Mapping[str, str]:
        """Names in a manifest with those in the values, made once for each block."""
        known = self._keys.get(id(values))
        if known is None:
            known = self._keys[id(values)] = {_name(key, holder): key for key in values}
        return known


def _as(native_type: str, adapt: Adapt) -> Adapt:
    def adapted(native: Native) -> dict[str, Any]:
        values = manifest_of(native.values)
        resource = replace(native.resource, type=native_type)
        places = Places(native.values)
        facts = adapt(Native(resource, values, native.graph))
        return {name: places.relocated(fact) for name, fact in facts.items()}

    return adapted


_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "v1/Pod": ("pod", "pod_v1"),
    "v1/ReplicationController": ("replication_controller", "replication_controller_v1"),
    "apps/v1/Deployment": ("deployment", "deployment_v1"),
    "apps/v1/StatefulSet": ("stateful_set", "stateful_set_v1"),
    "apps/v1/DaemonSet": ("daemonset", "daemon_set_v1"),
    "batch/v1/Job": ("job", "job_v1"),
    "batch/v1/CronJob": ("cron_job", "cron_job_v1"),
    "v1/Service": ("service", "service_v1"),
    "networking.k8s.io/v1/Ingress": ("ingress", "ingress_v1"),
    "networking.k8s.io/v1/NetworkPolicy": ("network_policy", "network_policy_v1"),
    "rbac.authorization.k8s.io/v1/Role": ("role", "role_v1"),
    "rbac.authorization.k8s.io/v1/ClusterRole": ("cluster_role", "cluster_role_v1"),
    "rbac.authorization.k8s.io/v1/RoleBinding": ("role_binding", "role_binding_v1"),
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ("cluster_role_binding", "cluster_role_binding_v1"),
    "v1/ServiceAccount": ("service_account", "service_account_v1"),
    "v1/Secret": ("secret", "secret_v1"),
    "v1/ConfigMap": ("config_map", "config_map_v1"),
    "v1/PersistentVolumeClaim": ("persistent_volume_claim", "persistent_volume_claim_v1"),
    "v1/Namespace": ("namespace", "namespace_v1"),
}
"""Native types with the provider's names for them, without ``kubernetes_``."""

_OWN: Final = kubernetes_pods.ADAPTERS | kubernetes_network.ADAPTERS | kubernetes_access.ADAPTERS

ADAPTERS: Final[dict[str, Adapter]] = {
    f"kubernetes_{name}": Adapter(
        kind=_OWN[native_type].kind, adapt=_as(native_type, _OWN[native_type].adapt), docs=f"{DOCS}{name}"
    )
    for native_type, names in _TYPES.items()
    for name in names
}
"""The provider's types."""
