"""Workloads do not share the namespaces of their host."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import CONTAINER_KINDS, NO_SETTINGS, PASS, Rule, Settings, Verdict, failed, undecided

_FACTS: Final = {
    "host_network": "network",
    "host_pid": "processes",
    "host_ipc": "inter-process communication",
}


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    shared = [what for fact, what in _FACTS.items() if resource.fact(fact) is True]
    if shared:
        return failed(f"it shares with its host: {', '.join(shared)}")
    unsure = [what for fact, what in _FACTS.items() if resource.fact(fact) is UNKNOWN]
    return undecided(f"whether it shares with its host is not known: {', '.join(unsure)}") if unsure else PASS


RULE: Final = Rule(
    spec=RuleSpec(
        id="workload-no-host-namespaces",
        title="Workloads do not share the namespaces of their host",
        description="No workload uses the network, the process table or the inter-process communication of its host.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.DENY,
        kinds=CONTAINER_KINDS,
        remediation="Leave hostNetwork, hostPID and hostIPC out; reach other pods through services.",
        frameworks=(
            ("pod-security-standards", ("baseline",)),
            ("cis-kubernetes-1.8", ("5.2.3", "5.2.4", "5.2.5")),
        ),
    ),
    judge=_judge,
    rationale="In the network of its host a container hears what is meant for others, and no network policy holds for "
    "it. Among the processes of its host it can read their memory and environment, secrets included.",
    bad="""
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: collector
  namespace: monitoring
spec:
  selector:
    matchLabels: {app: collector}
  template:
    metadata:
      labels: {app: collector}
    spec:
      hostNetwork: true
      hostPID: true
      containers:
        - name: collector
          image: registry.example.com/collector:1.9.0
""",
    good="""
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: collector
  namespace: monitoring
spec:
  selector:
    matchLabels: {app: collector}
  template:
    metadata:
      labels: {app: collector}
    spec:
      containers:
        - name: collector
          image: registry.example.com/collector:1.9.0
""",
    language="yaml",
    references=(
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
        "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodSpec",
    ),
    settings_schema=NO_SETTINGS,
)
