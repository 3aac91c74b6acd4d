"""Secrets do not stand in environment variables."""

from collections.abc import Mapping
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
            "allow_references": {
                "description": "Whether a variable may take its value from a secret of the cluster. Then it does not "
                "stand in the manifest, and still is in the environment of every process.",
                "type": "boolean",
                "default": True,
            },
        },
    }
)


def _judge(resource: Resource, settings: Settings) -> Verdict:
    return every_container(resource, partial(_asked, setting(settings, SCHEMA, "allow_references")))


def _asked(allowed: bool, container: Container) -> Verdict | None:  # noqa: FBT001 - bound by position just above
    secrets = container["secrets_in_env"]
    if secrets is UNKNOWN:
        return undecided("has an environment that is not known")
    for literal, said in ((True, "has a secret in clear in"), (False, "takes a secret into")):
        found = [secret for secret in secrets if secret["literal"] is literal]
        if found and (literal or not allowed):
            names = ", ".join("a variable" if s["name"] is UNKNOWN else s["name"] for s in found[:5])
            return failed(f"{said} its environment: {names[:200]}", found[0]["path"])
    unsure = [secret for secret in secrets if secret["literal"] is UNKNOWN]
    return undecided("may have a secret in clear in its environment", unsure[0]["path"]) if unsure else None


RULE: Final = Rule(
    spec=RuleSpec(
        id="secret-not-in-env",
        title="Secrets do not stand in environment variables",
        description="No variable of a container holds a password, token or key in clear: by its name, or by what its "
        "value looks like.",
        severity=Severity.HIGH,
        enforcement=Enforcement.OVERRIDABLE,
        # As for images: variables often hold addresses that are known only after apply.
        on_unknown=OnUnknown.OBLIGE,
        kinds=CONTAINER_KINDS,
        remediation="Put it into a secret and mount that as a file, or refer to it with secretKeyRef.",
        frameworks=(("cis-kubernetes-1.8", ("5.4.1",)), ("nist-800-53-r5", ("IA-5(7)",))),
    ),
    judge=_judge,
    rationale="What stands in a manifest is in the repository, in the cluster's API and in every copy of both, for "
    "everybody who may look at workloads. Variables are inherited by every process, and end up in crash reports. Names "
    "that only point at a secret (…_FILE, …_URL without a password) do not count.",
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
      env:
        - name: DB_PASSWORD
          value: correct-horse
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
      env:
        - name: DB_PASSWORD
          valueFrom:
            secretKeyRef:
              name: db
              key: password
""",
    language="yaml",
    references=(
        "https://kubernetes.io/docs/concepts/configuration/secret/",
        "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
    ),
    settings_schema=SCHEMA,
)
