"""Workloads do not mount paths of their host."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import CONTAINER_KINDS, PASS, Rule, Settings, Verdict, failed, setting, undecided

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "allowed": {
                "description": "Folders of the host that may be mounted, with everything below them.",
                "type": "array",
                "items": {"type": "string", "pattern": "^/"},
                "default": [],
            },
        },
    }
)


def _judge(resource: Resource, settings: Settings) -> Verdict:
    mounted = resource.fact("host_paths")
    if mounted is UNKNOWN:
        return undecided("which paths of its host it mounts is not known")
    allowed: Sequence[str] = setting(settings, SCHEMA, "allowed")
    wrong = [m for m in mounted if m["source"] is not UNKNOWN and not _is_below(m["source"], allowed)]
    if wrong:
        return failed(
            f"it mounts of its host: {', '.join(m['source'] for m in wrong)[:300]}", wrong[0]["path"]
        )
    unsure = [m for m in mounted if m["source"] is UNKNOWN]
    if unsure and allowed:
        return undecided("it mounts a path of its host that is not known", unsure[0]["path"])
    # Where no path is allowed it does not matter which one it is.
    return failed("it mounts a path of its host", unsure[0]["path"]) if unsure else PASS


def _is_below(path: str, allowed: Sequence[str]) -> bool:
    parts = _parts(path)
    if ".." in parts:
        return False
    return any(parts[: len(folder)] == folder for folder in map(_parts, allowed))


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "."}]


RULE: Final = Rule(
    spec=RuleSpec(
        id="workload-no-host-path",
        title="Workloads do not mount paths of their host",
        description="No workload mounts a file or folder of the machine that it runs on, but for those that the "
        "settings name.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.DENY,
        kinds=CONTAINER_KINDS,
        remediation="Use a persistent volume claim, an emptyDir, a config map or a secret instead.",
        frameworks=(("pod-security-standards", ("baseline",)), ("cis-kubernetes-1.8", ("5.2.12",))),
    ),
    judge=_judge,
    rationale="A container that can write to its host can start programs there, and one that can only read finds the "
    "credentials of the node and of its neighbours. The socket of a container runtime is the machine itself.",
    bad="""
apiVersion: v1
kind: Pod
metadata:
  name: builder
  namespace: ci
spec:
  containers:
    - name: builder
      image: registry.example.com/builder:3.1.0
      volumeMounts:
        - name: runtime
          mountPath: /var/run/docker.sock
  volumes:
    - name: runtime
      hostPath:
        path: /var/run/docker.sock
""",
    good="""
apiVersion: v1
kind: Pod
metadata:
  name: builder
  namespace: ci
spec:
  containers:
    - name: builder
      image: registry.example.com/builder:3.1.0
      volumeMounts:
        - name: work
          mountPath: /work
  volumes:
    - name: work
      emptyDir: {}
""",
    language="yaml",
    references=(
        "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
    ),
    settings_schema=SCHEMA,
)
