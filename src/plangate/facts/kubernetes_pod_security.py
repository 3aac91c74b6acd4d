"""The Pod Security Standards: which controls of which level a pod does not meet.

Every control of the published page is one generator here, under its published name. Levels are cumulative: what
violates baseline violates restricted as well. Values are compared as the admission controller of Kubernetes
compares them, to the letter. What relaxes a control only in clusters with a feature gate (user namespaces) does not
relax it here.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from plangate.facts.base import Raw, Values, whole_number
from plangate.facts.kubernetes_types import containers_in, inside
from plangate.model.values import UNKNOWN, AllUnknown, Tri, Unknown, pointer

BASELINE: Final = "baseline"
RESTRICTED: Final = "restricted"

CAPABILITIES: Final = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
"""What baseline lets a container add."""

SYSCTLS: Final = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_syncookies",
})  # fmt: skip

VOLUMES: Final = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
})  # fmt: skip
"""What restricted lets a pod mount."""

SELINUX_TYPES: Final = frozenset(
    {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
)
PROFILES: Final = frozenset({"RuntimeDefault", "Localhost"})
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP: Final = (
    "seccomp.security.alpha.kubernetes.io/pod",
    "container.seccomp.security.alpha.kubernetes.io/",
)
_HANDLERS: Final = (
    ("livenessProbe",), ("readinessProbe",), ("startupProbe",), ("lifecycle", "postStart"), ("lifecycle", "preStop"),
)  # fmt: skip

Violation = Mapping[str, Any]
"""As ``pod_security`` of ``kubernetes.workload`` in `plangate.model.kinds` says."""
_Found = Iterator[tuple[Tri, str, str]]
"""Whether it is violated (never False), why, and the JSON Pointer."""


class _Pod(Struct, frozen=True):
    """A pod's spec, taken apart.

    Attributes:
        contexts: Security contexts with their JSON Pointers and whose they are: the pod's first, then the containers'.
        containers: Values, JSON Pointer and name of all containers.
        linux: Not said to be a pod for Windows.
    """

    spec: Values
    at: str
    annotations: Raw
    annotations_at: str
    contexts: tuple[tuple[Raw, str, str], ...]
    containers: tuple[tuple[Values, str, str], ...]
    linux: bool


def violations(spec: Values, at: str, metadata: Raw, metadata_at: str) -> tuple[Violation, ...] | Unknown:
    """What keeps a pod from the standards, in the order of the published controls.

    Args:
        spec: The pod's spec.
        at: JSON Pointer of it.
        metadata: Of the pod, whose annotations matter.
        metadata_at: JSON Pointer of it.

    Returns:
        The violations; `UNKNOWN` when there is no spec to look at.
    """
    if isinstance(spec, AllUnknown):
        return UNKNOWN
    containers = tuple((values, path, _whose(values)) for _, values, path in containers_in(spec, at))
    shared = (spec.get("securityContext"), f"{at}/securityContext", "the pod")
    own = tuple(
        (item.get("securityContext"), f"{path}/securityContext", name) for item, path, name in containers
    )
    pod = _Pod(
        spec=spec,
        at=at,
        annotations=inside(metadata, "annotations"),
        annotations_at=f"{metadata_at}/annotations",
        contexts=(shared, *own),
        containers=containers,
        linux=inside(spec, "os", "name") != "windows",
    )
    return tuple(
        {"level": level, "control": control, "violated": violated, "message": message, "path": path}
        for level, control, check in CONTROLS
        for violated, message, path in check(pod)
    )


def _whose(values: Values) -> str:
    name = values.get("name")
    return f"container {name[:100]}" if isinstance(name, str) else "a container"


def _judged(value: Raw, fine: Callable[[Any], bool]) -> Tri:
    """Whether a value violates; null never does, and what is not known may."""
    if value is None:
        return False
    return UNKNOWN if value is UNKNOWN else not fine(value)


def _must(value: Raw, fine: Callable[[Any], bool], message: str, path: str) -> _Found:
    violated = _judged(value, fine)
    if violated is not False:
        yield violated, message, path


def _is_false(value: Any) -> bool:
    return value is False


def _one_of(values: frozenset[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in values


def _in_contexts(
    pod: _Pod, keys: tuple[str, ...], fine: Callable[[Any], bool], what: str, *, shared: bool = True
) -> _Found:
    for context, path, whose in pod.contexts if shared else pod.contexts[1:]:
        # Texts are made for violations only: nearly every container has none.
        violated = _judged(inside(context, *keys), fine)
        if violated is not False:
            yield violated, f"{whose} {what}", path + pointer(*keys)


def _host_process(pod: _Pod) -> _Found:
    yield from _in_contexts(
        pod, ("windowsOptions", "hostProcess"), _is_false, "runs as a process of the Windows host"
    )


def _host_namespaces(pod: _Pod) -> _Found:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        yield from _must(
            pod.spec.get(key), _is_false, f"{key} shares a namespace of the host", f"{pod.at}/{key}"
        )


def _privileged(pod: _Pod) -> _Found:
    yield from _in_contexts(pod, ("privileged",), _is_false, "is privileged", shared=False)


def _added(pod: _Pod, allowed: frozenset[str]) -> _Found:
    for context, path, whose in pod.contexts[1:]:
        added = inside(context, "capabilities", "add")
        at = f"{path}/capabilities/add"
        if added is not None and not isinstance(added, list | tuple):
            yield UNKNOWN, f"{whose} adds capabilities that cannot be read", at
            continue
        for item in added or ():
            yield from _must(item, _one_of(allowed), f"{whose} adds the capability {item!s:.40}", at)


def _capabilities(pod: _Pod) -> _Found:
    yield from _added(pod, CAPABILITIES)


def _volumes(pod: _Pod) -> Iterator[tuple[Raw, str]]:
    listed = pod.spec.get("volumes")
    if listed is not None and not isinstance(listed, list | tuple):
        yield UNKNOWN, f"{pod.at}/volumes"
        return
    for index, volume in enumerate(listed or ()):
        yield volume if isinstance(volume, Mapping) else UNKNOWN, f"{pod.at}/volumes/{index}"


def _volume(volume: Raw) -> str:
    name = inside(volume, "name")
    return f"volume {name[:100]}" if isinstance(name, str) else "a volume"


def _host_path_volumes(pod: _Pod) -> _Found:
    for volume, path in _volumes(pod):
        mounted = inside(volume, "hostPath")
        yield from _must(
            mounted, lambda _: False, f"{_volume(volume)} mounts a path of the host", f"{path}/hostPath"
        )


def _host_ports(pod: _Pod) -> _Found:
    for values, path, whose in pod.containers:
        ports = values.get("ports")
        if ports is not None and not isinstance(ports, list | tuple):
            yield UNKNOWN, f"{whose} has ports that cannot be read", f"{path}/ports"
            continue
        for index, port in enumerate(ports or ()):
            number = inside(port, "hostPort")
            at = f"{path}/ports/{index}/hostPort"
            yield from _must(
                number, lambda n: n == 0 and n is not False, f"{whose} takes port {number} of the host", at
            )


def _host_probes(pod: _Pod) -> _Found:
    for values, path, whose in pod.containers:
        for handler in _HANDLERS:
            found = inside(values, *handler)
            for action in ("httpGet", "tcpSocket") if found is not None else ():
                violated = _judged(inside(found, action, "host"), lambda host: host == "")
                if violated is not False:
                    what = f"{whose} has a {handler[-1]} that names a host"
                    yield violated, what, path + pointer(*handler, action, "host")


def _annotated(pod: _Pod, prefix: str) -> Iterator[tuple[Raw, str]]:
    if pod.annotations is None:
        return
    if not isinstance(pod.annotations, Mapping) or isinstance(pod.annotations, AllUnknown):
        yield UNKNOWN, pod.annotations_at
        return
    for key, value in pod.annotations.items():
        if key.startswith(prefix):
            yield value, pod.annotations_at + pointer(key)


def _apparmor(pod: _Pod) -> _Found:
    what = "has an AppArmor profile that is neither RuntimeDefault nor Localhost"
    yield from _in_contexts(pod, ("appArmorProfile", "type"), _one_of(PROFILES), what)
    for value, path in _annotated(pod, _APPARMOR):
        yield from _must(
            value, _is_apparmor, "an annotation sets another AppArmor profile than the default", path
        )


def _is_apparmor(value: Any) -> bool:
    return isinstance(value, str) and (value in {"", "runtime/default"} or value.startswith("localhost/"))


def _selinux(pod: _Pod) -> _Found:
    yield from _in_contexts(
        pod, ("seLinuxOptions", "type"), _one_of(SELINUX_TYPES), "has a special SELinux type"
    )
    for key in ("user", "role"):
        yield from _in_contexts(
            pod, ("seLinuxOptions", key), lambda value: value == "", f"has a special SELinux {key}"
        )


def _proc_mount(pod: _Pod) -> _Found:
    fine = _one_of(frozenset({"Default"}))
    yield from _in_contexts(pod, ("procMount",), fine, "has /proc without its masks", shared=False)


def _seccomp(pod: _Pod) -> _Found:
    what = "has a seccomp profile that is neither RuntimeDefault nor Localhost"
    yield from _in_contexts(pod, ("seccompProfile", "type"), _one_of(PROFILES), what)
    # What clusters before 1.27 read instead of the fields.
    for prefix in _SECCOMP:
        for value, path in _annotated(pod, prefix):
            yield from _must(value, lambda v: v != "unconfined", "an annotation turns seccomp off", path)


def _sysctls(pod: _Pod) -> _Found:
    context, path, _ = pod.contexts[0]
    listed = inside(context, "sysctls")
    if listed is not None and not isinstance(listed, list | tuple):
        yield UNKNOWN, "the pod sets sysctls that cannot be read", f"{path}/sysctls"
        return
    for index, item in enumerate(listed or ()):
        name = inside(item, "name")
        at = f"{path}/sysctls/{index}/name"
        yield from _must(name, _one_of(SYSCTLS), f"the pod sets the sysctl {name!s:.100}", at)


def _volume_types(pod: _Pod) -> _Found:
    for volume, path in _volumes(pod):
        if volume is UNKNOWN:
            yield UNKNOWN, "a volume cannot be read", path
            continue
        used = sorted(key for key, value in volume.items() if key != "name" and value is not None)
        wrong = [key for key in used if key not in VOLUMES]
        name = _volume(volume)
        if wrong:
            yield True, f"{name} is of type {', '.join(wrong)[:200]}", path
        # Without a source a volume is an emptyDir, once the cluster has filled in its defaults.


def _privilege_escalation(pod: _Pod) -> _Found:
    for context, path, whose in pod.contexts[1:] if pod.linux else ():
        value = inside(context, "allowPrivilegeEscalation")
        if value is not False:
            what = f"{whose} does not set allowPrivilegeEscalation to false"
            yield UNKNOWN if value is UNKNOWN else True, what, f"{path}/allowPrivilegeEscalation"


def _required(pod: _Pod, keys: tuple[str, ...], fine: Callable[[Any], bool], what: str) -> _Found:
    """A value that every container must have, by itself or from its pod; a wrong one of the pod violates as well."""
    shared, shared_at, _ = pod.contexts[0]
    from_pod = inside(shared, *keys)
    yield from _must(from_pod, fine, f"the pod {what}", shared_at + pointer(*keys))
    for context, path, whose in pod.contexts[1:]:
        value = inside(context, *keys)
        if value is None:
            if from_pod is None:
                yield True, f"{whose} {what}", path + pointer(*keys)
        else:
            yield from _must(value, fine, f"{whose} {what}", path + pointer(*keys))


def _non_root(pod: _Pod) -> _Found:
    yield from _required(
        pod, ("runAsNonRoot",), lambda value: value is True, "does not set runAsNonRoot to true"
    )


def _is_another_user(value: Any) -> bool:
    # Terraform's provider has the number as text.
    number = whole_number(value)
    return isinstance(number, int) and number != 0


def _non_root_user(pod: _Pod) -> _Found:
    yield from _in_contexts(pod, ("runAsUser",), _is_another_user, "runs as user 0")


def _seccomp_required(pod: _Pod) -> _Found:
    if pod.linux:
        what = "has no seccomp profile RuntimeDefault or Localhost"
        yield from _required(pod, ("seccompProfile", "type"), _one_of(PROFILES), what)


def _capabilities_dropped(pod: _Pod) -> _Found:
    if not pod.linux:
        return
    for context, path, whose in pod.contexts[1:]:
        dropped = inside(context, "capabilities", "drop")
        listed = dropped if isinstance(dropped, list | tuple) else ()
        if "ALL" in listed:
            continue
        unsure = dropped is UNKNOWN or any(item is UNKNOWN for item in listed)
        yield (
            UNKNOWN if unsure else True,
            f"{whose} does not drop ALL capabilities",
            f"{path}/capabilities/drop",
        )
    yield from _added(pod, frozenset({"NET_BIND_SERVICE"}))


CONTROLS: Final[tuple[tuple[str, str, Callable[[_Pod], _Found]], ...]] = (
    (BASELINE, "HostProcess", _host_process),
    (BASELINE, "Host Namespaces", _host_namespaces),
    (BASELINE, "Privileged Containers", _privileged),
    (BASELINE, "Capabilities", _capabilities),
    (BASELINE, "HostPath Volumes", _host_path_volumes),
    (BASELINE, "Host Ports", _host_ports),
    (BASELINE, "Host Probes / Lifecycle Hooks", _host_probes),
    (BASELINE, "AppArmor", _apparmor),
    (BASELINE, "SELinux", _selinux),
    (BASELINE, "/proc Mount Type", _proc_mount),
    (BASELINE, "Seccomp", _seccomp),
    (BASELINE, "Sysctls", _sysctls),
    (RESTRICTED, "Volume Types", _volume_types),
    (RESTRICTED, "Privilege Escalation", _privilege_escalation),
    (RESTRICTED, "Running as Non-root", _non_root),
    (RESTRICTED, "Running as Non-root user", _non_root_user),
    (RESTRICTED, "Seccomp", _seccomp_required),
    (RESTRICTED, "Capabilities", _capabilities_dropped),
)
"""Level, published name and check of every control, in the published order."""
