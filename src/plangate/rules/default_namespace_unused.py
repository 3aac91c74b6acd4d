"""The default namespace is not used."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.model.values import UNKNOWN
from plangate.rules.base import (
    NO_SETTINGS,
    PASS,
    Rule,
    Settings,
    Verdict,
    failed,
    not_applicable,
    undecided,
)

_AT: Final = "/metadata/namespace"
_MADE_BY_THE_CLUSTER: Final = {
    "kubernetes.service": "kubernetes",
    "kubernetes.service_account": "default",
    "kubernetes.config_map": "kube-root-ca.crt",
}


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    if resource.facts.get("cluster_wide") is True:
        return not_applicable("it is in no namespace")
    namespace = resource.fact("namespace")
    if namespace is UNKNOWN:
        return undecided("its namespace is not known", _AT)
    if _MADE_BY_THE_CLUSTER.get(resource.kind) == resource.name:
        return not_applicable("the cluster makes it in every namespace, or in this one")
    if namespace == "":
        return undecided(
            "it does not say its namespace: where it goes is up to whoever applies it", "/metadata"
        )
    return failed("it is in the namespace default", _AT) if namespace == "default" else PASS


RULE: Final = Rule(
    spec=RuleSpec(
        id="default-namespace-unused",
        title="The default namespace is not used",
        description="Every object that lives in a namespace names one, and not default.",
        severity=Severity.LOW,
        enforcement=Enforcement.ADVISORY,
        on_unknown=OnUnknown.DENY,
        kinds=(
            "kubernetes.workload",
            "kubernetes.service",
            "kubernetes.ingress",
            "kubernetes.network_policy",
            "kubernetes.role",
            "kubernetes.role_binding",
            "kubernetes.service_account",
            "kubernetes.secret",
            "kubernetes.config_map",
            "kubernetes.volume_claim",
        ),
        remediation="Set metadata.namespace to a namespace of the application.",
        frameworks=(("cis-kubernetes-1.8", ("5.7.4",)),),
    ),
    judge=_judge,
    rationale="Quotas, network policies, roles and the Pod Security Standards are given by namespace. In the one that "
    "everything falls into by mistake, none of them fits. What names no namespace goes where the "
    "context of whoever applies it points.",
    bad="""
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: default
data:
  colour: blue
""",
    good="""
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: shop
data:
  colour: blue
""",
    language="yaml",
    references=("https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",),
    settings_schema=NO_SETTINGS,
)
