"""Pods meet the Pod Security Standards."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import PASS, Rule, Settings, Verdict, failed, setting, undecided

_LEVELS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"baseline": ("baseline",), "restricted": ("baseline", "restricted")}
)
_MOST_NAMED: Final = 5

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "level": {
                "description": "Which of the standards: baseline keeps out known ways to gain rights; restricted asks "
                "for what is best practice as well.",
                "enum": list(_LEVELS),
                "default": "baseline",
            },
        },
    }
)


def _judge(resource: Resource, settings: Settings) -> Verdict:
    level: str = setting(settings, SCHEMA, "level")
    found = resource.fact("pod_security")
    if found is UNKNOWN:
        return undecided("its pods cannot be read")
    counted = [violation for violation in found if violation["level"] in _LEVELS[level]]
    certain = [violation for violation in counted if violation["violated"] is True]
    if certain:
        return failed(f"it is not {level}: {_told(certain)}", certain[0]["path"])
    if counted:
        return undecided(f"it may not be {level}: {_told(counted)}", counted[0]["path"])
    return PASS


def _told(violations: list[Mapping[str, Any]]) -> str:
    """The controls with the first thing that violates each, in the published order."""
    by_control: dict[str, str] = {}
    for violation in violations:
        by_control.setdefault(violation["control"], violation["message"])
    listed = [f"{control} ({message})" for control, message in list(by_control.items())[:_MOST_NAMED]]
    more = [f"{len(by_control) - _MOST_NAMED} more"] if len(by_control) > _MOST_NAMED else []
    return "; ".join(listed + more)


RULE: Final = Rule(
    spec=RuleSpec(
        id="pod-security",
        title="Pods meet the Pod Security Standards",
        description="Every pod, and every template of one, meets all controls of the level that the settings name.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.DENY,
        kinds=("kubernetes.workload",),
        remediation="Change what the message names, as the page of the standards says for the control.",
        frameworks=(
            ("pod-security-standards", ("baseline", "restricted")),
            ("cis-kubernetes-1.8", ("5.2.1",)),
        ),
    ),
    judge=_judge,
    rationale="The standards are what Kubernetes itself can ask of a namespace, and a pod that does not meet them is "
    "refused only when it starts. A Deployment is accepted and then has no pods. Here the template is judged before. "
    "The levels add up: restricted is all of baseline and more.",
    bad="""
apiVersion: v1
kind: Pod
metadata:
  name: node-shell
  namespace: tools
spec:
  containers:
    - name: shell
      image: registry.example.com/shell:1.0.0
      ports:
        - containerPort: 22
          hostPort: 22
      securityContext:
        procMount: Unmasked
""",
    good="""
apiVersion: v1
kind: Pod
metadata:
  name: node-shell
  namespace: tools
spec:
  securityContext:
    runAsNonRoot: true
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: shell
      image: registry.example.com/shell:1.0.0
      securityContext:
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
""",
    language="yaml",
    references=("https://kubernetes.io/docs/concepts/security/pod-security-standards/",),
    settings_schema=SCHEMA,
)
