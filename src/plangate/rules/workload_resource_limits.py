"""Containers have limits on what they use."""

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
            "resources": {
                "description": "What has to be limited; ephemeral-storage is another one.",
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "minItems": 1,
                "default": ["cpu", "memory"],
            },
        },
    }
)


def _judge(resource: Resource, settings: Settings) -> Verdict:
    wanted: Sequence[str] = setting(settings, SCHEMA, "resources")
    return every_container(resource, partial(_asked, wanted))


def _asked(wanted: Sequence[str], container: Container) -> Verdict | None:
    if container["role"] == "ephemeral":
        return None  # started by hand for a look inside; it cannot have limits
    limits, at = container["limits"], container["at"].get("limits", "")
    if limits is UNKNOWN:
        return undecided("may be without limits", at)
    missing = [name for name in wanted if name not in limits]
    return failed(f"has no limit for {', '.join(missing)}", at) if missing else None


RULE: Final = Rule(
    spec=RuleSpec(
        id="workload-resource-limits",
        title="Containers have limits on what they use",
        description="Every container, or its pod for all of them, has a limit for all that the settings name.",
        severity=Severity.MEDIUM,
        enforcement=Enforcement.ADVISORY,
        on_unknown=OnUnknown.DENY,
        kinds=CONTAINER_KINDS,
        remediation="Set resources.limits to what the program needs at most.",
        frameworks=(("nist-800-53-r5", ("SC-5", "SC-6")),),
    ),
    judge=_judge,
    rationale="One container without a limit can take the memory of all its neighbours, by a bug or on purpose. Who "
    "does without limits for processor time asks for memory alone in the settings. A limit range of "
    "the namespace is not seen here.",
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
      resources:
        limits:
          cpu: 500m
          memory: 256Mi
""",
    language="yaml",
    references=("https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",),
    settings_schema=SCHEMA,
)
