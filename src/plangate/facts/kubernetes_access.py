"""Who may do what in a cluster, and the objects that carry it: roles, bindings, accounts, namespaces, secrets.

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from collections.abc import Mapping
from typing import Any, Final

from plangate.facts.base import Adapt, Adapter, Native, flag, text, texts
from plangate.facts.kubernetes_metadata import namespace_of
from plangate.facts.kubernetes_types import (
    CONFIG_MAPS,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    VOLUME_CLAIMS,
    inside,
)
from plangate.model.values import UNKNOWN, AllUnknown, Unknown

DOCS: Final = "https://kubernetes.io/docs/reference/kubernetes-api/"
ENFORCED: Final = "pod-security.kubernetes.io/enforce"


def _is_cluster_wide(native: Native) -> bool:
    return native.resource.type.rpartition("/")[2].startswith("Cluster")


def _role(native: Native) -> dict[str, Any]:
    return {
        "namespace": namespace_of(native.values),
        "cluster_wide": _is_cluster_wide(native),
        "rules": _rules(native),
    }


def _rules(native: Native) -> tuple[Mapping[str, Any], ...] | Unknown:
    # The cluster replaces the rules of such a role by those of the roles that it selects.
    if native.values.get("aggregationRule") is not None:
        return UNKNOWN
    listed = native.values.get("rules")
    if listed is None:
        return ()
    if not isinstance(listed, list | tuple):
        return UNKNOWN
    return tuple(_rule(item, index) for index, item in enumerate(listed))


def _rule(item: Any, index: int) -> Mapping[str, Any]:
    values = item if isinstance(item, Mapping) else AllUnknown()
    return {
        "groups": texts(values.get("apiGroups")),
        "resources": texts(values.get("resources")),
        "verbs": texts(values.get("verbs")),
        "names": texts(values.get("resourceNames")),
        "urls": texts(values.get("nonResourceURLs")),
        "path": f"/rules/{index}",
    }


def _role_binding(native: Native) -> dict[str, Any]:
    kind, name = inside(native.values, "roleRef", "kind"), inside(native.values, "roleRef", "name")
    named = isinstance(kind, str) and isinstance(name, str)
    return {
        "namespace": namespace_of(native.values),
        "cluster_wide": _is_cluster_wide(native),
        "role": f"{kind}/{name}" if named else UNKNOWN,
        "subjects": _subjects(native.values.get("subjects")),
    }


def _subjects(listed: Any) -> tuple[Mapping[str, Any], ...] | Unknown:
    if listed is None:
        return ()
    if not isinstance(listed, list | tuple):
        return UNKNOWN
    return tuple({key: text(inside(item, key)) for key in ("kind", "name", "namespace")} for item in listed)


def _service_account(native: Native) -> dict[str, Any]:
    """https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/ - on unless turned off."""
    return {
        "namespace": namespace_of(native.values),
        "token_mounted": flag(native.values.get("automountServiceAccountToken"), default=True),
    }


def _namespace(native: Native) -> dict[str, Any]:
    return {"pod_security": text(inside(native.values, "metadata", "labels", ENFORCED))}


def _placed(native: Native) -> dict[str, Any]:
    return {"namespace": namespace_of(native.values)}


def _adapters(kind: str, types: tuple[str, ...], adapt: Adapt, page: str) -> dict[str, Adapter]:
    return {native_type: Adapter(kind=kind, adapt=adapt, docs=DOCS + page) for native_type in types}


ADAPTERS: Final[dict[str, Adapter]] = (
    _adapters("kubernetes.role", ROLES, _role, "authorization-resources/role-v1/")
    | _adapters(
        "kubernetes.role_binding", ROLE_BINDINGS, _role_binding, "authorization-resources/role-binding-v1/"
    )
    | _adapters(
        "kubernetes.service_account",
        SERVICE_ACCOUNTS,
        _service_account,
        "authentication-resources/service-account-v1/",
    )
    | _adapters("kubernetes.namespace", NAMESPACES, _namespace, "cluster-resources/namespace-v1/")
    | _adapters("kubernetes.secret", SECRETS, _placed, "config-and-storage-resources/secret-v1/")
    | _adapters("kubernetes.config_map", CONFIG_MAPS, _placed, "config-and-storage-resources/config-map-v1/")
    | _adapters(
        "kubernetes.volume_claim",
        VOLUME_CLAIMS,
        _placed,
        "config-and-storage-resources/persistent-volume-claim-v1/",
    )
)
"""What goes with rights and configuration, by native type."""
