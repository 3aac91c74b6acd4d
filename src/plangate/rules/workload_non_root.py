"""Containers do not run as root."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import (
    CONTAINER_KINDS,
    NO_SETTINGS,
    Container,
    Rule,
    Settings,
    Verdict,
    every_container,
    failed,
    undecided,
)


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    return every_container(resource, _asked)


def _asked(container: Container) -> Verdict | None:
    user, non_root, at = container["run_as_user"], container["run_as_non_root"], container["at"]
    if user == 0:
        return failed("runs as user 0", at.get("run_as_user", ""))
    if user is not UNKNOWN and (non_root is True or (user is not None and user > 0)):
        return None
    if user is UNKNOWN or non_root is UNKNOWN:
        return undecided("may run as root", at.get("run_as_user", at.get("run_as_non_root", "")))
    return failed("may run as root: nothing says as whom", at.get("run_as_non_root", ""))


RULE: Final = Rule(
    spec=RuleSpec(
        id="workload-non-root",
        title="Containers do not run as root",
        description="Every container has to run as another user than root: by runAsNonRoot, or a user that is not 0.",
        severity=Severity.HIGH,
        enforcement=Enforcement.OVERRIDABLE,
        on_unknown=OnUnknown.DENY,
        kinds=CONTAINER_KINDS,
        remediation="Set runAsNonRoot to true for the pod, and build images with a user of their own.",
        frameworks=(("pod-security-standards", ("restricted",)), ("cis-kubernetes-1.8", ("5.2.7",))),
    ),
    judge=_judge,
    rationale="Root in a container is root on the host behind one wall, and walls have had holes. What the pod says "
    "holds for each container that says nothing itself. A user that only the image names is not seen here, "
    "which is why something has to say it.",
    bad="""
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
    - name: web
      image: registry.example.com/web:5.0.2
""",
    good="""
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  securityContext:
    runAsNonRoot: true
  containers:
    - name: web
      image: registry.example.com/web:5.0.2
""",
    language="yaml",
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
    ),
    settings_schema=NO_SETTINGS,
)
