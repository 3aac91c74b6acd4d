"""Containers are not privileged."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN, any_of
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
    at = container["at"].get("host_process" if container["host_process"] is True else "privileged", "")
    privileged = any_of([container["privileged"], container["host_process"]])
    if privileged is UNKNOWN:
        return undecided("may be privileged", at)
    return failed("is privileged: it can do on its host whatever the host can", at) if privileged else None


RULE: Final = Rule(
    spec=RuleSpec(
        id="workload-not-privileged",
        title="Containers are not privileged",
        description="No container of a workload is privileged, or runs as a process of its Windows host.",
        severity=Severity.CRITICAL,
        enforcement=Enforcement.MANDATORY,
        # A manifest never leaves this to the cluster: what cannot be read here is not as it should be.
        on_unknown=OnUnknown.DENY,
        kinds=CONTAINER_KINDS,
        remediation="Leave privileged out, and add the single capability that the program needs.",
        frameworks=(("pod-security-standards", ("baseline",)), ("cis-kubernetes-1.8", ("5.2.2", "5.2.11"))),
    ),
    judge=_judge,
    rationale="A privileged container sees all devices of its host and has all capabilities: whoever takes it over has "
    "the machine, and the credentials of everything else that runs there. Init containers and ephemeral "
    "ones count as well.",
    bad="""
apiVersion: v1
kind: Pod
metadata:
  name: agent
  namespace: monitoring
spec:
  containers:
    - name: agent
      image: registry.example.com/agent:2.4.1
      securityContext:
        privileged: true
""",
    good="""
apiVersion: v1
kind: Pod
metadata:
  name: agent
  namespace: monitoring
spec:
  containers:
    - name: agent
      image: registry.example.com/agent:2.4.1
      securityContext:
        privileged: false
""",
    language="yaml",
    references=(
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
        "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
    ),
    settings_schema=NO_SETTINGS,
)
