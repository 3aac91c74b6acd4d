"""Containers cannot write to their root file system."""

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
    read_only, at = container["read_only_root"], container["at"].get("read_only_root", "")
    if read_only is UNKNOWN:
        return undecided("may write to its root file system", at)
    return None if read_only is True else failed("can write to its root file system", at)


RULE: Final = Rule(
    spec=RuleSpec(
        id="workload-read-only-root",
        title="Containers cannot write to their root file system",
        description="Every container has a root file system that it can only read.",
        severity=Severity.LOW,
        enforcement=Enforcement.ADVISORY,
        on_unknown=OnUnknown.DENY,
        kinds=CONTAINER_KINDS,
        remediation="Set readOnlyRootFilesystem to true, and mount an emptyDir where the program has to write.",
        frameworks=(("nist-800-53-r5", ("CM-7", "SI-7")),),
    ),
    judge=_judge,
    rationale="Whoever gets into a container wants to put tools there and to change the program. Where nothing can be "
    "written that is a good deal harder, and what the container does is what its image says.",
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
  containers:
    - name: web
      image: registry.example.com/web:5.0.2
      securityContext:
        readOnlyRootFilesystem: true
""",
    language="yaml",
    references=("https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",),
    settings_schema=NO_SETTINGS,
)
