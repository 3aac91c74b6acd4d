"""Previews of objects of Kubernetes, which Pulumi writes as everybody does.

Source: https://www.pulumi.com/registry/packages/kubernetes/api-docs/
"""

from typing import Any, Final

from pulumi_cases.table import LATER, Cases, Row

RBAC: Final = "rbac.authorization.k8s.io/v1"
IMAGE: Final = "registry.example.com/web:5.0.2"


def pod(name: str, container: Any = None, **spec: Any) -> Row:
    """A pod of one container."""
    web = {"name": "web", "image": IMAGE, **(container or {})}
    return thing(name, "v1", "Pod", spec={"containers": [web], **spec})


def secured(name: str, **context: Any) -> Row:
    """A pod of one container with a security context."""
    return pod(name, {"securityContext": context})


def thing(name: str, version: str, kind: str, namespace: str = "shop", **more: Any) -> Row:
    """An object."""
    module = "core/v1" if version == "v1" else version
    metadata = {"name": name, "namespace": namespace}
    inputs = {"apiVersion": version, "kind": kind, "metadata": metadata, **more}
    return Row(name, f"kubernetes:{module}:{kind}", inputs)


def service(name: str, **spec: Any) -> Row:
    """A service."""
    return thing(name, "v1", "Service", spec={"ports": [{"port": 443}], **spec})


def role(name: str, verbs: Any) -> Row:
    """A role for deployments."""
    return thing(
        name, RBAC, "Role", rules=[{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": verbs}]
    )


def env(value: Any) -> dict[str, Any]:
    """A container with a password."""
    return {"env": [{"name": "DB_PASSWORD", "value": value}]}


CASES: Final[Cases] = {
    "workload_not_privileged": (
        secured("pass-plain", privileged=False),
        secured("fail-privileged", privileged=True),
        secured("unknown-setting", privileged=LATER),
    ),
    "workload_no_host_namespaces": (
        pod("pass-own"),
        pod("fail-network", hostNetwork=True),
        pod("fail-processes", hostPID=True),
        pod("unknown-setting", hostIPC=LATER),
    ),
    "workload_no_host_path": (
        pod("pass-empty", volumes=[{"name": "data", "emptyDir": {}}]),
        pod("fail-root", volumes=[{"name": "data", "hostPath": {"path": "/"}}]),
        pod("unknown-volumes", volumes=LATER),
    ),
    "workload_non_root": (
        secured("pass-non-root", runAsNonRoot=True, runAsUser=10001),
        secured("fail-root", runAsUser=0),
        secured("unknown-setting", runAsNonRoot=LATER),
    ),
    "workload_drops_capabilities": (
        secured("pass-all", capabilities={"drop": ["ALL"]}),
        secured("fail-adds", capabilities={"add": ["SYS_ADMIN"]}),
        secured("unknown-list", capabilities={"drop": LATER}),
    ),
    "workload_read_only_root": (
        secured("pass-read-only", readOnlyRootFilesystem=True),
        secured("fail-writable", readOnlyRootFilesystem=False),
        secured("unknown-setting", readOnlyRootFilesystem=LATER),
    ),
    "workload_resource_limits": (
        pod("pass-both", {"resources": {"limits": {"cpu": "500m", "memory": "256Mi"}}}),
        pod("fail-none", {"resources": {"requests": {"cpu": "500m"}}}),
        pod("unknown-limits", {"resources": {"limits": LATER}}),
    ),
    "image_pinned": (
        pod("pass-version"),
        pod("fail-latest", {"image": "web:latest"}),
        pod("unknown-image", {"image": LATER}),
    ),
    "secret_not_in_env": (
        pod(
            "pass-reference",
            {"env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db"}}}]},
        ),
        pod("fail-in-clear", env("correct-horse")),
        pod("unknown-environment", {"env": LATER}),
    ),
    "pod_security": (
        pod("pass-plain"),
        pod("fail-network", hostNetwork=True),
        pod("unknown-processes", hostPID=LATER),
    ),
    "service_not_exposed": (
        service("pass-inside", type="ClusterIP"),
        service("fail-balancer", type="LoadBalancer"),
        service("unknown-type", type=LATER),
    ),
    "rbac_no_wildcard": (
        role("pass-reader", ["get"]),
        role("fail-all", ["*"]),
        role("unknown-verbs", LATER),
    ),
    "default_namespace_unused": (
        thing("pass-own", "v1", "ConfigMap"),
        thing("fail-default", "v1", "ConfigMap", "default"),
        thing("unknown-namespace", "v1", "ConfigMap", LATER),
    ),
}
