"""Containers drop all capabilities."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import (
    CONTAINER_KINDS,
    Container,
    Rule,
    Settings,
    Verdict,
    every_container,
    failed,
    setting,
    undecided,
)

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "allowed": {
                "description": "Capabilities that a container may add again, without CAP_.",
                "type": "array",
                "items": {"type": "string", "pattern": "^[A-Z_]+$"},
                "default": ["NET_BIND_SERVICE"],
            },
        },
    }
)


def _judge(resource: Resource, settings: Settings) -> Verdict:
    allowed: Sequence[str] = setting(settings, SCHEMA, "allowed")
    return every_container(resource, partial(_asked, allowed))


def _asked(allowed: Sequence[str], container: Container) -> Verdict | None:
    added, dropped, at = container["added_capabilities"], container["dropped_capabilities"], container["at"]
    if container["privileged"] is True:
        return failed("has all capabilities, as it is privileged", at.get("privileged", ""))
    if added is not UNKNOWN:
        wrong = [name for name in added if name is not UNKNOWN and name not in allowed]
        if wrong:
            return failed(f"adds {', '.join(wrong)[:100]}", at.get("added_capabilities", ""))
    if dropped is not UNKNOWN and "ALL" not in dropped and UNKNOWN not in dropped:
        return failed("does not drop ALL capabilities", at.get("dropped_capabilities", ""))
    if dropped is UNKNOWN or "ALL" not in dropped:
        return undecided("may keep capabilities", at.get("dropped_capabilities", ""))
    if added is UNKNOWN or UNKNOWN in added:
        return undecided("may add capabilities", at.get("added_capabilities", ""))
    return (
        undecided("may be privileged", at.get("privileged", ""))
        if container["privileged"] is UNKNOWN
        else None
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="workload-drops-capabilities",
        title="Containers drop all capabilities",
        description="Every container drops ALL capabilities of Linux, and adds none but those that the settings name.",
        severity=Severity.MEDIUM,
        enforcement=Enforcement.OVERRIDABLE,
        on_unknown=OnUnknown.DENY,
        kinds=CONTAINER_KINDS,
        remediation="Drop ALL, and add the one that the program cannot do without.",
        frameworks=(
            ("pod-security-standards", ("restricted",)),
            ("cis-kubernetes-1.8", ("5.2.8", "5.2.9", "5.2.10")),
        ),
    ),
    judge=_judge,
    rationale="A runtime leaves a container a dozen capabilities that hardly a program needs, among them raw sockets "
    "and changing the owner of files. What is not there cannot be misused.",
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
      securityContext:
        capabilities:
          add: [NET_ADMIN]
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
        capabilities:
          drop: [ALL]
          add: [NET_BIND_SERVICE]
""",
    language="yaml",
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
    ),
    settings_schema=SCHEMA,
)
