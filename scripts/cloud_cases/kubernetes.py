"""Plans of objects of Kubernetes, as Terraform's provider has them."""

from typing import Any, Final

from cloud_cases.table import COMPUTED, UNKNOWN, Case, case

IMAGE: Final = "registry.example.com/web:5.0.2"


def pod(container: Any = None, **spec: Any) -> dict[str, Any]:
    """A pod of one container."""
    web = {"name": "web", "image": IMAGE, **(container or {})}
    return {
        "metadata": [{"name": "web", "namespace": "shop"}],
        "spec": [{"container": [web], **spec}],
        "id": COMPUTED,
    }


def secured(**context: Any) -> dict[str, Any]:
    """A pod of one container with a security context."""
    return pod({"security_context": [context]})


def deployment(container: Any) -> dict[str, Any]:
    """A deployment of one container."""
    inner = pod(container)
    template = [{"metadata": [{"labels": {"app": "web"}}], "spec": inner["spec"]}]
    return {**inner, "spec": [{"replicas": "2", "template": template}]}


def service(**spec: Any) -> dict[str, Any]:
    """A service."""
    return {"metadata": [{"name": "web", "namespace": "shop"}], "spec": [{"port": [{"port": 443}], **spec}]}


def role(verbs: Any) -> dict[str, Any]:
    """A role for deployments."""
    rule = {"api_groups": ["apps"], "resources": ["deployments"], "verbs": verbs}
    return {"metadata": [{"name": "deploy", "namespace": "shop"}], "rule": [rule]}


def settings(namespace: Any) -> dict[str, Any]:
    """A configuration map of a namespace."""
    return {"metadata": [{"name": "web", "namespace": namespace}], "data": {"colour": "blue"}}


def limited(value: Any) -> dict[str, Any]:
    """A container with these limits."""
    return {"resources": [{"limits": value}]}


def env(value: Any) -> dict[str, Any]:
    """A container with a password."""
    return {"env": [{"name": "DB_PASSWORD", "value": value}]}


REFERENCE: Final = {
    "env": [{"name": "DB_PASSWORD", "value_from": [{"secret_key_ref": [{"name": "db", "key": "p"}]}]}]
}
HOST: Final = [{"name": "data", "host_path": [{"path": "/"}]}]
EMPTY: Final = [{"name": "data", "empty_dir": [{"medium": "Memory"}]}]

# Rule → type and what passes, fails and is not known.
_POD: Final = "kubernetes_pod_v1"
_ROWS: Final[dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]]] = {
    "workload_not_privileged": (
        _POD, secured(privileged=False), secured(privileged=True), secured(privileged=UNKNOWN),
    ),
    "workload_no_host_namespaces": (
        _POD, pod(host_network=False), pod(host_network=True), pod(host_pid=UNKNOWN),
    ),
    "workload_no_host_path": (_POD, pod(volume=EMPTY), pod(volume=HOST), pod(volume=UNKNOWN)),
    "workload_non_root": (
        _POD, secured(run_as_non_root=True), secured(run_as_user="0"), secured(run_as_non_root=UNKNOWN),
    ),
    "workload_drops_capabilities": (
        _POD,
        secured(capabilities=[{"drop": ["ALL"]}]),
        secured(capabilities=[{"add": ["SYS_ADMIN"]}]),
        secured(capabilities=[{"drop": UNKNOWN}]),
    ),
    "workload_read_only_root": (
        _POD,
        secured(read_only_root_filesystem=True),
        secured(read_only_root_filesystem=False),
        secured(read_only_root_filesystem=UNKNOWN),
    ),
    "workload_resource_limits": (
        "kubernetes_deployment_v1",
        deployment(limited({"cpu": "500m", "memory": "256Mi"})),
        deployment(limited({"cpu": "500m"})),
        deployment(limited(UNKNOWN)),
    ),
    "image_pinned": (
        "kubernetes_deployment_v1",
        deployment({}), deployment({"image": "web:latest"}), deployment({"image": UNKNOWN}),
    ),
    "secret_not_in_env": (_POD, pod(REFERENCE), pod(env("correct-horse")), pod(env(UNKNOWN))),
    "pod_security": (_POD, pod(), pod(host_network=True), pod(host_pid=UNKNOWN)),
    "service_not_exposed": (
        "kubernetes_service_v1",
        service(type="ClusterIP"), service(type="LoadBalancer"), service(type=UNKNOWN),
    ),
    "rbac_no_wildcard": ("kubernetes_role_v1", role(["get"]), role(["*"]), role(UNKNOWN)),
    "default_namespace_unused": (
        "kubernetes_config_map_v1", settings("shop"), settings("default"), settings(UNKNOWN),
    ),
}  # fmt: skip

CASES: Final[tuple[Case, ...]] = tuple(
    case(rule, f"{word}_terraform", (f"{native_type}.web", word, values))
    for rule, (native_type, *rows) in _ROWS.items()
    for word, values in zip(("pass", "fail", "unknown"), rows, strict=True)
)
