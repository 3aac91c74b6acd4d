"""The types of Kubernetes objects (``apiVersion/kind``) that have adapters, in every version that was ever served.

Old versions are listed as well: manifests outlive the clusters that they were written for, and their fields are the
same where we read them.

Source: https://kubernetes.io/docs/reference/using-api/deprecation-guide/
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from plangate.facts.base import Raw, Values
from plangate.model.values import UNKNOWN, AllUnknown

_APPS: Final = ("apps/v1", "apps/v1beta2", "apps/v1beta1", "extensions/v1beta1")
_TEMPLATE: Final = ("spec", "template", "spec")

WORKLOADS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "v1/Pod": ("spec",),
        "v1/PodTemplate": ("template", "spec"),
        "v1/ReplicationController": _TEMPLATE,
        **{f"{version}/Deployment": _TEMPLATE for version in _APPS},
        **{f"{version}/StatefulSet": _TEMPLATE for version in _APPS[:3]},
        **{
            f"{version}/DaemonSet": _TEMPLATE for version in ("apps/v1", "apps/v1beta2", "extensions/v1beta1")
        },
        **{
            f"{version}/ReplicaSet": _TEMPLATE
            for version in ("apps/v1", "apps/v1beta2", "extensions/v1beta1")
        },
        "batch/v1/Job": _TEMPLATE,
        **{
            f"{version}/CronJob": ("spec", "jobTemplate", *_TEMPLATE)
            for version in ("batch/v1", "batch/v1beta1", "batch/v2alpha1")
        },
        # Not of Kubernetes itself, with the same template at the same place.
        "apps.openshift.io/v1/DeploymentConfig": _TEMPLATE,
        "v1/DeploymentConfig": _TEMPLATE,
        "argoproj.io/v1alpha1/Rollout": _TEMPLATE,
    }
)
"""Types that run pods, each with the way to the pod's spec."""

SERVICES: Final = ("v1/Service",)
INGRESSES: Final = (
    "networking.k8s.io/v1/Ingress",
    "networking.k8s.io/v1beta1/Ingress",
    "extensions/v1beta1/Ingress",
)
NETWORK_POLICIES: Final = ("networking.k8s.io/v1/NetworkPolicy", "extensions/v1beta1/NetworkPolicy")
_RBAC: Final = tuple(f"rbac.authorization.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
_OPENSHIFT: Final = "authorization.openshift.io/v1"
ROLES: Final = tuple(f"{group}/{kind}" for group in (*_RBAC, _OPENSHIFT) for kind in ("Role", "ClusterRole"))
ROLE_BINDINGS: Final = tuple(
    f"{group}/{kind}" for group in (*_RBAC, _OPENSHIFT) for kind in ("RoleBinding", "ClusterRoleBinding")
)
SERVICE_ACCOUNTS: Final = ("v1/ServiceAccount",)
SECRETS: Final = ("v1/Secret",)
CONFIG_MAPS: Final = ("v1/ConfigMap",)
VOLUME_CLAIMS: Final = ("v1/PersistentVolumeClaim",)
NAMESPACES: Final = ("v1/Namespace",)

MODELLED: Final = frozenset(
    {
        *WORKLOADS, *SERVICES, *INGRESSES, *NETWORK_POLICIES, *ROLES, *ROLE_BINDINGS, *SERVICE_ACCOUNTS, *SECRETS,
        *CONFIG_MAPS, *VOLUME_CLAIMS, *NAMESPACES,
    }
)  # fmt: skip
"""Every type with an adapter."""

_KINDS: Final = frozenset(native_type.rpartition("/")[2].lower() for native_type in MODELLED)

CONTAINER_LISTS: Final = (
    ("containers", "container"),
    ("initContainers", "init"),
    ("ephemeralContainers", "ephemeral"),
)
"""Lists of containers in a pod's spec, each with the role that its members have."""

CLUSTER_WIDE: Final = frozenset({"ClusterRole", "ClusterRoleBinding", "Namespace"})
"""Modelled kinds that live in no namespace."""


def is_unreadable(native_type: str) -> bool:
    """Whether a type is one of Kubernetes' own that has an adapter, in a version or spelling that has none.

    Such an object must not pass for one of which we simply know nothing: a Deployment is a Deployment.
    """
    version, _, kind = native_type.rpartition("/")
    group = version.rpartition("/")[0]
    own = "." not in group or group.endswith(".k8s.io")
    return own and native_type not in MODELLED and kind.lower() in _KINDS


def containers_in(spec: Values, at: str) -> Iterator[tuple[str, Values, str]]:
    """Role, values and JSON Pointer of every container of a pod.

    A list that cannot be read stands for one container of which nothing is known, and so does a missing list of the
    main ones: the cluster refuses a pod without any, so this is not the whole of it.

    Args:
        spec: The pod's spec.
        at: JSON Pointer of it.
    """
    for key, role in CONTAINER_LISTS:
        listed = spec.get(key)
        if isinstance(listed, list | tuple) and (listed or role != "container"):
            for index, item in enumerate(listed):
                yield role, item if isinstance(item, Mapping) else AllUnknown(), f"{at}/{key}/{index}"
        elif listed is not None or role == "container":
            yield role, AllUnknown(), f"{at}/{key}"


def inside(value: Raw, *keys: str) -> Raw:
    """A member of nested objects: ``None`` where something is missing, `UNKNOWN` where something is no object."""
    for key in keys:
        if value is None:
            return None
        # The plain case first: asking an abstract class costs ten times as much, and this is asked all the time.
        if type(value) is not dict and not isinstance(value, Mapping):
            return UNKNOWN
        value = value.get(key)
    return value
